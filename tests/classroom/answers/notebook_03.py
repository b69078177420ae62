"""Right and wrong answers to the exercises of 03, with a phrase of the message that names what is wrong."""

import torch
from torch import nn
from torch.nn.functional import softplus

from ldvd_lib import lipschitz


def frames_left(kinds, num_frames=16):
    left = []
    for kind in kinds:
        num_frames = num_frames // 2 if kind in ("3d", "2+1d") else num_frames
        left.append(num_frames)
    return left


def measured_frames_left(kinds, num_frames=16):
    x, left = torch.zeros(1, 1, num_frames), []
    for kind in kinds:
        x = nn.functional.conv1d(x, torch.ones(1, 1, 4), stride=2, padding=1) if "3d" in kind or "+" in kind else x
        left.append(x.shape[-1])
    return left


def frames_with(layer, halving=("3d", "2+1d")):
    """A wrong answer: another rule, or for other kinds."""

    def answer(kinds, num_frames=16):
        left = []
        for kind in kinds:
            num_frames = layer(num_frames) if kind in halving else num_frames
            left.append(num_frames)
        return left

    return answer


def critic_loss(real_scores, fake_scores):
    return fake_scores.mean() - real_scores.mean()


def generator_loss(fake_scores):
    return -fake_scores.mean()


def clipped(weight, bound=1.0, *, change=None, rows=1):
    matrix = weight.detach().flatten(1) if rows == 1 else weight.detach().flatten(0, -2)
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    s = change(s, bound) if change else s.clamp(max=bound)
    return ((u * s) @ vh).view_as(weight)


@torch.no_grad()
def svc_(weight, bound=1.0):
    u, s, vh = torch.linalg.svd(weight.flatten(1), full_matrices=False)
    return weight.copy_(((u * s.clamp(max=bound)) @ vh).view_as(weight))


@torch.no_grad()
def svc_through_the_library_(weight, bound=1.0):
    return lipschitz.clip_matrix_(weight.div_(bound)).mul_(bound)


def svc_through_data_(weight, bound=1.0):
    weight.data = clipped(weight.data, bound)
    return weight


@torch.no_grad()
def svc_by_taking_off_(weight, bound=1.0):
    u, s, vh = torch.linalg.svd(weight.flatten(1), full_matrices=False)
    return weight.sub_(((u * (s - bound).clamp(min=0)) @ vh).view_as(weight))


def in_place(change):
    """A wrong answer that writes something else into the weight."""
    return torch.no_grad()(lambda weight, bound=1.0: weight.copy_(change(weight, bound)))


STUBS = {
    "03.1": lambda kinds, num_frames=16: None,
    "03.2": (..., ..., ..., ...),
    "03.3": (lambda real_scores, fake_scores: None, lambda fake_scores: None),
    "03.4": lambda weight, bound=1.0: None,
}
RIGHT = {
    "03.1": (
        frames_left,
        measured_frames_left,
        lambda *arguments: tuple(frames_left(*arguments)),
        lambda *arguments: torch.tensor(frames_left(*arguments)),
    ),
    "03.2": (
        ("2+1d", "2+1d", "2d", "2d"),
        ["3d", "2+1d", "2d", "2d"],
        ["2+1d", "2+1d", "2d", "2d"],
    ),
    "03.3": (
        (critic_loss, generator_loss),
        [lambda real, fake: -(real.mean() - fake.mean()), lambda fake: fake.neg().sum() / len(fake)],
        (lambda real, fake: (fake - real).mean(), lambda fake: torch.mean(-fake)),
    ),
    "03.4": (svc_, svc_through_the_library_, svc_through_data_, svc_by_taking_off_),
}
WRONG = {
    "03.1": (
        (lambda kinds, num_frames=16: frames_left(kinds, num_frames)[-1], "should be a list"),
        (
            lambda kinds, num_frames=16: [num_frames // 2 ** (i + 1) for i, _ in enumerate(kinds)],
            "2d layers leave time",
        ),
        (frames_with(lambda n: n // 2, ("3d", "2+1d", "shift")), "a shift leaves time"),
        (frames_with(lambda n: n // 2, ("3d",)), "its second half does"),
        (frames_with(lambda n: (n - 4) // 2 + 1), "frame of zeros on either end"),
        (frames_with(lambda n: (n + 1) // 2), "hang over the end"),
        (frames_with(lambda n: n / 2), "round down"),
        (frames_with(lambda n: n - 1), "the stride is not counted"),
        (frames_with(lambda n: n // 4), "that is the stride of 4"),
        (frames_with(lambda n: n, ()), "halve the time"),
        (lambda kinds, num_frames=16: [num_frames, *frames_left(kinds, num_frames)], "not with its input"),
        (lambda kinds, num_frames=16: [num_frames, *frames_left(kinds, num_frames)[:-1]], "what each layer is given"),
        (lambda kinds, num_frames=16: frames_left(kinds, num_frames)[::-1], "comes first"),
        (lambda kinds, num_frames=16: [n - 1 for n in frames_left(kinds, num_frames)], "right up to a constant"),
        (lambda kinds, num_frames: frames_left(kinds, num_frames), "missing a required argument: 'num_frames'"),
    ),
    "03.2": (
        (("3d", "3d", "3d", "3d"), "leaves 1 of 16 time steps"),
        (("3d", "2d", "2d", "2d"), "leaves 8 of 16 time steps"),
        (("2d", "2d", "2d", "2d"), "leaves 16 of 16 time steps"),
        (("2+1d", "2+1d", "2+1d", "2d"), "3 of your layers halve the time"),
        (("2d", "2d", "3d", "3d"), "expensive"),
        (("2+1d", "3d", "2d", "2d"), "expensive"),
        (("2d", "2+1d", "2+1d", "2d"), "expensive"),
        (("3d", "2d", "2d", "2+1d"), "expensive"),
        (("2+1d", "2d"), "should be four layers"),
        (("3d", "4d", "2d", "2d"), "one of yours is '4d'"),
        (("3d", "shift", "2+1d", "2d"), "one of yours is 'shift'"),
        (4, "tuple of four words"),
        ("2+1d 2+1d 2d 2d", "tuple of four words"),
    ),
    "03.3": (
        (
            (lambda real, fake: real.mean() - fake.mean(), generator_loss),
            "critic's loss for some scores: it has the wrong",
        ),
        ((lambda real, fake: fake.mean(), generator_loss), "leaves the real scores out"),
        ((lambda real, fake: real.mean() + fake.mean(), generator_loss), "adds both means"),
        ((lambda real, fake: critic_loss(real, fake).abs(), generator_loss), "no sign any more"),
        ((lambda real, fake: softplus(-real).mean() + softplus(fake).mean(), generator_loss), "no sigmoid"),
        ((lambda real, fake: (1 - real).relu().mean() + (1 + fake).relu().mean(), generator_loss), "hinge"),
        ((lambda real, fake: (fake - real).sum(), generator_loss), "take the mean"),
        ((lambda real, fake: fake - real, generator_loss), "one number is asked for"),
        ((critic_loss, lambda fake: fake.mean()), "generator's loss for some scores: it has the wrong sign"),
        ((critic_loss, lambda fake: -fake), "one number is asked for"),
        ((critic_loss, lambda fake: -fake.mean().item()), "can be differentiated"),
        ((critic_loss, lambda fake: -fake.detach().mean()), "does not depend on the scores"),
        ((critic_loss, lambda fake: softplus(-fake).mean()), "no sigmoid"),
        ((critic_loss, lambda fake: (1 - fake).square().mean()), "least squares"),
        ((critic_loss, lambda real, fake: critic_loss(real, fake)), "missing a required argument: 'fake'"),
        ((critic_loss, lambda fake: -fake.mean() / 2), "2 times too small"),
        (critic_loss, "hand in both functions"),
        ((critic_loss, lambda fake: -fake.max()), None),
    ),
    "03.4": (
        (clipped, "write into it"),
        (lambda weight, bound=1.0: weight.copy_(clipped(weight, bound)), "a leaf Variable that requires grad"),
        (lambda weight, bound=1.0: weight, "nothing has been clipped"),
        (in_place(lambda weight, bound: weight.clamp(-bound, bound)), "nothing has been clipped"),
        (in_place(lambda weight, bound: weight.clamp(-bound / 10, bound / 10)), None),
        (
            in_place(lambda w, bound: w * bound / torch.linalg.matrix_norm(w.flatten(1), ord=2)),
            "spectral normalisation",
        ),
        (in_place(lambda weight, bound: weight * bound / weight.norm()), "its norm as a vector"),
        (in_place(lambda w, bound: clipped(w, bound, change=lambda s, b: s * 0 + b)), "those below it should stay"),
        (in_place(lambda w, bound: clipped(w, bound, change=lambda s, b: s.clamp(min=b))), "are raised"),
        (in_place(lambda w, bound: clipped(w, bound, change=lambda s, b: s * (s <= b))), "gone altogether"),
        (in_place(lambda w, bound: clipped(w, bound, rows=-1)), "flatten all axes but the first"),
        (in_place(lambda weight, bound: clipped(weight, 1)), "use the bound"),
        (lambda weight, bound: svc_(weight, bound), "missing a required argument: 'bound'"),
        (lambda weight, bound=1.0: svc_(weight, bound).flatten(1), "folded into other axes"),
    ),
}
