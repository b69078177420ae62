"""Checks of 03, TGAN's discriminator and singular value clipping."""

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ldvd_lib import losses
from ldvd_lib.classroom.exercises import (
    attempt,
    exercise,
    expect,
    expect_close,
    expect_equal,
    expect_shape,
    expect_type,
)
from ldvd_lib.discriminators import VideoDiscriminator

_FRAMES_LEFT = 4
_PARAMETERS = 2_900_000


def _lengths(kinds: tuple[str, ...], num_frames: int) -> list[int]:
    """Frames after each layer, by running the library's stack (on no data) with one channel and small frames."""
    with torch.device("meta"):
        stack = VideoDiscriminator(kinds, image_size=2 ** len(kinds), num_frames=num_frames, base_channels=1).eval()
        clip = torch.empty(1, 3, num_frames, 2 ** len(kinds), 2 ** len(kinds))
        return [output.shape[2] for output in stack.features(clip)]


def _wrong_lengths(kinds: tuple[str, ...], num_frames: int, layer, halving=("3d", "2+1d")) -> list[int]:
    """The same with a mistake: what `layer` makes of a number of frames, in layers of some kinds."""
    lengths = []
    for kind in kinds:
        num_frames = layer(num_frames) if kind in halving else num_frames
        lengths.append(num_frames)
    return lengths


@exercise(
    "03.1",
    title="What is left of time",
    hints=(
        "Go through the kinds one by one, and keep the number of frames that reach the next layer.",
        "With one frame of zeros on either end there are num_frames + 2 positions; how many boxes of 4, 2 apart, fit?",
        'For "3d" and "2+1d": num_frames = (num_frames + 2 - 4) // 2 + 1; for the others it stays. Append each.',
    ),
)
def what_is_left_of_time(frames_left):
    for kinds, num_frames in (
        (("3d", "3d", "3d", "3d"), 16),
        (("2d", "2d"), 16),
        (("2+1d", "2+1d", "2d", "2d"), 16),
        (("2d", "3d", "shift", "3d"), 22),
        (("3d", "2d", "3d"), 11),
    ):
        right = _lengths(kinds, num_frames)
        case = (kinds, num_frames)
        expect_equal(
            attempt(frames_left, kinds, num_frames),
            right,
            f"what is left of {num_frames} frames after the layers {kinds}",
            mistakes=(
                ([num_frames, *right], "the list begins with the first layer's output, not with its input"),
                ([num_frames, *right[:-1]], "this is what each layer is given; asked for is what it leaves"),
                (right[::-1], "the first layer's number comes first"),
                (
                    _wrong_lengths(*case, lambda n: n // 2, ("3d", "2+1d", "2d", "shift")),
                    "2d layers leave time as it is",
                ),
                (_wrong_lengths(*case, lambda n: n // 2, ("3d", "2+1d", "shift")), "a shift leaves time as it is"),
                (
                    _wrong_lengths(*case, lambda n: n // 2, ("3d",)),
                    "a 2+1d layer halves time, too: its second half does",
                ),
                (_wrong_lengths(*case, lambda n: (n - 4) // 2 + 1), "the frame of zeros on either end is not counted"),
                (
                    _wrong_lengths(*case, lambda n: max(0, (n - 4) // 2 + 1)),
                    "the frame of zeros on either end is not counted",
                ),
                (
                    _wrong_lengths(*case, lambda n: n + 2 - 4 + 1),
                    "the stride is not counted: boxes lie two frames apart",
                ),
                (
                    _wrong_lengths(*case, lambda n: (n + 1) // 2),
                    "of an odd number of frames, the last box would hang over the end",
                ),
                (_wrong_lengths(*case, lambda n: n / 2), "of an odd number of frames, half a box is none: round down"),
                (_wrong_lengths(*case, lambda n: n // 4), "that is the stride of 4; the kernel is 4, the stride 2"),
                (_wrong_lengths(*case, lambda n: (n + 2 - 4) // 2), "the box at the first place is one, too"),
                (_wrong_lengths(*case, lambda n: n, ()), "3d and 2+1d layers halve the time"),
            ),
        )
    expect_equal(attempt(frames_left, ("3d",)), [8], "frames_left(('3d',)), with its 16 frames by default,")
    return "TGAN's last layer looks at two frames through a box of four: half of what it multiplies is padding."


@exercise(
    "03.2",
    title="Eleven million are too many",
    hints=(
        "How many layers have to halve the time, if 4 of 16 time steps are to be left?",
        'Where is an extent in time cheap? Compare "3d", "2+1d" and "2d" in the first and the last layer.',
        'Time in the first two layers, and none after them; in the second, "3d" is too dear.',
    ),
)
def eleven_million_are_too_many(kinds):
    expect_type(kinds, (tuple, list), "kinds", "a tuple of four words, such as ('3d', '3d', '2d', '2d')")
    kinds = tuple(kinds)
    expect(len(kinds) == 4, f"there should be four layers, and yours are {len(kinds)}")
    for kind in kinds:
        expect(kind in ("3d", "2+1d", "2d"), f'each kind is "3d", "2+1d" or "2d", and one of yours is {kind!r}')
    with torch.device("meta"):
        stack = VideoDiscriminator(kinds)
    left = _lengths(kinds, 16)[-1]
    count = sum(parameter.numel() for parameter in stack.parameters())
    halvings = sum(kind != "2d" for kind in kinds)
    expect(
        left == _FRAMES_LEFT,
        f"{halvings} of your layers halve the time, which leaves {left} of 16 time steps, and it should be 4",
    )
    expect(
        count < _PARAMETERS,
        f"4 time steps are left, as they should be; but {count:,} parameters are not fewer than {_PARAMETERS:,}: in "
        "which layers is a kernel along time expensive?",
    )
    if kinds == ("2+1d", "2+1d", "2d", "2d"):
        return f"{count:,} parameters: this is TGAN-F, the discriminator that the LDVD paper recommends."
    return f"{count:,} parameters. With '2+1d' in c0, too, this would be TGAN-F, which the LDVD paper recommends."


@exercise(
    "03.3",
    title="Two losses",
    hints=(
        "The critic wants (mean of real scores) - (mean of fake scores) to be large. What does it minimise?",
        "Turn the sign round. The generator wants the same difference small, and can only move its own scores: up.",
        "Critic: fake_scores.mean() - real_scores.mean(). Generator: -fake_scores.mean().",
    ),
)
def two_losses(answer):
    expect(
        isinstance(answer, (tuple, list)) and len(answer) == 2, "hand in both functions: (critic_loss, generator_loss)"
    )
    critic_loss, generator_loss = answer
    wasserstein = losses.get("wasserstein")
    for shift in (-1, 1):  # real scores below the generated ones, and above
        real, fake = torch.randn(16) + shift, torch.randn(16).requires_grad_()
        critic, generator = wasserstein.discriminator(real, fake), wasserstein.generator(fake)
        logistic = "it should be of the scores themselves: no sigmoid, no logarithm"
        _expect_loss(
            attempt(critic_loss, real, fake),
            critic,
            "the critic's loss",
            (
                (fake.mean(), "it leaves the real scores out"),
                (-real.mean(), "it leaves the generated scores out"),
                (real.mean() + fake.mean(), "it adds both means; the critic wants them apart"),
                (-real.mean() - fake.mean(), "it pushes both means the same way; the critic wants them apart"),
                (
                    critic.abs(),
                    "it has no sign any more: the real scores should be the higher ones, not just other ones",
                ),
                (critic.square(), "it is squared, and so has lost its sign"),
                (softplus(-real).mean() + softplus(fake).mean(), logistic),
                (
                    (1 - real).relu().mean() + (1 + fake).relu().mean(),
                    "that is the hinge loss, which stops at a margin",
                ),
                (fake.sum() - real.sum(), "it is a sum over the batch: take the mean"),
            ),
        )
        _expect_loss(
            attempt(generator_loss, fake),
            generator,
            "the generator's loss",
            (
                (-fake.sum(), "it is a sum over the batch: take the mean"),
                (softplus(-fake).mean(), logistic),
                (-fake.sigmoid().mean(), logistic),
                (-fake.abs().mean(), "it has no sign any more: high scores are what is wanted, not large ones"),
                ((1 - fake).square().mean(), "that is the loss of least squares"),
            ),
        )
    return "Whatever the critic gains on generated clips, the generator loses: one backward pass can serve both."


def _expect_loss(got, expected: Tensor, name: str, mistakes) -> None:
    expect_type(got, Tensor, name, "a tensor that can be differentiated")
    expect_shape(got, (), f"{name} (one number for the batch)")
    sign = "it has the wrong sign: it is minimised, and this one is smallest where that player is worst off"
    expect_close(got, expected, f"{name} for some scores", mistakes=(*mistakes, (-expected, sign)))
    expect(got.requires_grad, f"{name} does not depend on the scores any more: no .item(), .detach() or no_grad here")


@exercise(
    "03.4",
    title="SVC",
    hints=(
        "It is clip_by_hand with another bound, and with its result written back into the weight.",
        "weight.copy_(...) writes into a tensor and returns it. A parameter is only writable under torch.no_grad().",
        "u, s, vh = torch.linalg.svd(weight.flatten(1), full_matrices=False); then, under torch.no_grad(), "
        "weight.copy_(((u * s.clamp(max=bound)) @ vh).view_as(weight)).",
    ),
)
def svc(svc_):
    for shape, bound in (((8, 4, 4, 4, 4), 1.0), ((6, 3, 4, 4), 0.5), ((40, 2, 3), 2.0), ((1, 8, 4, 4), 1.0)):
        # Singular values from half the bound to three times the bound.
        before = nn.Parameter(_weight(shape, bound))
        _compare(svc_, before, bound)
    within = _weight((8, 4, 4, 4, 4), 1 / 3)
    got = attempt(svc_, within.clone(), 1.0, in_place=True)
    expect_close(got, within, "a weight that is within the bound already (and has to stay as it is)", tolerance=1e-4)
    got = attempt(svc_, 3 * within, in_place=True)
    expect_close(_norm(got), 1.0, "the largest singular value with the default bound", tolerance=1e-3)
    return "With n such layers the bound on the whole grows like boundⁿ: with 1, it does not matter how many there are."


def _weight(shape: tuple[int, ...], bound: float) -> Tensor:
    matrix = torch.randn(shape).flatten(1)
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    return ((u * torch.linspace(3 * bound, bound / 2, len(s))) @ vh).reshape(shape)


def _norm(weight: Tensor) -> float:
    return torch.linalg.matrix_norm(weight.detach().double().flatten(1), ord=2).item()


def _compare(svc_, weight: nn.Parameter, bound: float) -> None:
    before = weight.detach().clone()
    u, s, vh = torch.linalg.svd(before.double().flatten(1), full_matrices=False)

    def rebuilt(values: Tensor) -> Tensor:
        return ((u * values) @ vh).reshape(before.shape).float()

    def of_other_matrix() -> Tensor:
        u, s, vh = torch.linalg.svd(before.flatten(0, -2), full_matrices=False)
        return ((u * s.clamp(max=bound)) @ vh).reshape(before.shape)

    expected = rebuilt(s.clamp(max=bound))
    what = f"a weight of shape {tuple(before.shape)}, clipped to {bound:g},"
    got = attempt(svc_, weight, bound, in_place=True)
    expect_close(
        got,
        expected,
        what,
        tolerance=1e-4,
        mistakes=(
            (before, "it is what it was before: nothing has been clipped"),
            (
                before * (bound / s[0].item()),
                "it is divided as a whole, which is spectral normalisation: clipping leaves "
                "the singular values below the bound as they are",
            ),
            (
                before * (bound / before.norm()),
                "it is divided by its norm as a vector: clip its singular values, one by one",
            ),
            (before.clamp(-bound, bound), "its entries are clipped, and its singular values should be"),
            (
                rebuilt(torch.full_like(s, bound)),
                "all singular values are at the bound now; those below it should stay",
            ),
            (rebuilt(s.clamp(min=bound)), "the small singular values are raised, and the large ones should be lowered"),
            (rebuilt(s.clamp(max=bound)[:1] * (s == s[0])), "only the largest singular value is left"),
            (
                rebuilt(s * (s <= bound)),
                "the large singular values are gone altogether; they should come down to the bound",
            ),
            (
                rebuilt(s - (s - bound) * (s == s[0])),
                "only the largest singular value is clipped, and all above the bound should be",
            ),
            (rebuilt(s.clamp(max=1)), "it is clipped to 1: use the bound"),
            (rebuilt(s.clamp(max=bound**2)), "the bound is squared"),
            (of_other_matrix(), "the matrix should have a row for each output channel: flatten all axes but the first"),
        ),
    )
    expect(
        torch.allclose(weight.detach(), expected, atol=1e-4),
        "what is returned is right, and the weight itself is unchanged: write into it, with weight.copy_(...)",
    )
