"""Checks of 07, factorized discriminators."""

import torch
from torch import Tensor, nn

from ldvd_lib import anatomy
from ldvd_lib.blocks import LAYER_KINDS
from ldvd_lib.classroom.exercises import attempt, exercise, expect, expect_equal, expect_shape, expect_type
from ldvd_lib.discriminators import VideoDiscriminator


@exercise(
    "07.1",
    title="How many products?",
    hints=(
        "How large an error do n products leave over? Look at what the singular values after the n-th have to say.",
        "With s = torch.linalg.svdvals(kernel.flatten(1)), the squared error of n products is s[n:].square().sum(), "
        "and the squared norm of the kernel is s.square().sum().",
        "Go through n = 1, 2, … and return the first with s[n:].square().sum().sqrt() <= tolerance * s.square().sum()"
        ".sqrt(). The error, not its square, is compared with the tolerance.",
    ),
)
def how_many_products(products_needed):
    cases = [
        (_kernel((4, 3, 2, 1)), 0.01, "a kernel with σ = 4, 3, 2, 1"),
        (_kernel((10, 3, 1, 1)), 0.35, "a kernel with σ = 10, 3, 1, 1"),
        (_kernel((4, 3, 2, 1)), 0.2, "a kernel with σ = 4, 3, 2, 1"),
        (_kernel((4, 3, 0, 0)), 0.01, "a kernel with σ = 4, 3, 0, 0"),
        (_kernel((5, 0, 0, 0)), 0.01, "a single product"),
        (_kernel((3, 2, 1), (3, 5, 5)), 0.3, "a kernel (3, 5, 5) with σ = 3, 2, 1"),
        (100 * _kernel((4, 3, 2, 1)), 0.2, "a kernel with σ = 400, 300, 200, 100"),
        (_kernel((4, 4, 1, 0)), 0.5, "a kernel with σ = 4, 4, 1, 0"),
        (_kernel((10, 3, 3, 3)), 0.465, "a kernel with σ = 10, 3, 3, 3"),
    ]
    for kernel, tolerance, what in cases:
        values = torch.linalg.svdvals(kernel.flatten(1))
        expect_equal(
            attempt(products_needed, kernel, tolerance),
            _first(_errors(values), tolerance),
            f"the number of products for {what} and a tolerance of {tolerance:g}",
            mistakes=_wrong_numbers(values, tolerance),
        )
    got = attempt(products_needed, _kernel((4, 3, 0, 0)))
    expect_equal(got, 2, "the number of products for a kernel with σ = 4, 3, 0, 0 and the default tolerance")
    return "A drifting wave needs two, and a 4×4×4 kernel never more than four."


def _errors(values: Tensor) -> Tensor:
    """The relative error of 0, 1, 2, … products."""
    return torch.stack([values[n:].norm() / values.norm() for n in range(len(values) + 1)])


def _first(errors: Tensor, tolerance: float, start: int = 1) -> int:
    """The first number of products, from `start` on, whose error is small enough; 0 if none is."""
    return next((n for n in range(start, len(errors)) if errors[n] <= tolerance), 0)


def _wrong_numbers(values: Tensor, tolerance: float) -> list[tuple[int, str]]:
    errors, scale = _errors(values), values.norm()
    sums = torch.stack([values[n:].sum() / values.sum() for n in range(len(values) + 1)])
    right = _first(errors, tolerance)
    return [
        (_first(errors.square(), tolerance), "is this the squared error, without the root?"),
        (right - 1, "s[n:] is what is left after n terms"),
        (_first(sums, tolerance), "errors add up as squares: the root of a sum of squares, not a sum"),
        (_first(errors * scale, tolerance), "the error is relative: divide by the norm of the kernel"),
        (
            _first(errors * scale / values[0], tolerance),
            "divide by the norm of the kernel, which is more than its first σ",
        ),
        (
            int((values > tolerance).sum()),
            "this counts the σ above the tolerance; asked for is what the others add up to",
        ),
        (
            int((values > tolerance * values[0]).sum()),
            "this counts the σ above the tolerance; asked for is what the others add up to",
        ),
        (
            int((values > tolerance * scale).sum()),
            "this counts the σ above the tolerance; asked for is what the others add up to",
        ),
        (int((values > 1e-5 * values[0]).sum()), "this is the rank: how many make it exact. Is the tolerance counted?"),
        (len(values), "this is how many there are at most"),
        (right + 1, "one fewer would do: is the number counted up before it is returned?"),
    ]


def _kernel(values: tuple[float, ...], shape: tuple[int, int, int] = (4, 4, 4)) -> Tensor:
    """A kernel (t, y, x) with these singular values, as a matrix with a row for each frame."""
    u, _, vh = torch.linalg.svd(torch.randn(shape[0], shape[1] * shape[2], dtype=torch.float64), full_matrices=False)
    return ((u * torch.tensor(values, dtype=torch.float64)) @ vh).view(shape).float()


@exercise(
    "07.2",
    title="One layer into two",
    hints=(
        "Which axes of the weight belong to the temporal half, which to the spatial one? Bring the first two together, "
        "and the last three.",
        "matrix = weight.permute(0, 2, 1, 3, 4).reshape(O * t, I * y * x); its right singular vectors, as rows, are "
        "the spatial weights once they are reshaped to (channels, I, 1, y, x).",
        "temporal: (u * s)[:, :channels] is (O·t, channels); .reshape(O, t, channels).transpose(1, 2) makes it "
        "(O, channels, t), and [..., None, None] adds the two axes of size 1.",
    ),
)
def one_layer_into_two(factorize):
    for outputs, inputs, channels in ((8, 3, 6), (6, 4, 5), (5, 3, 64), (4, 2, 1)):
        weight = torch.randn(outputs, inputs, 4, 4, 4)
        got = attempt(factorize, weight, channels)
        case = f"for a weight of shape {tuple(weight.shape)} and {channels} channels"
        expect_type(got, (tuple, list), f"{case}, what you return", "two tensors, spatial and temporal")
        expect(len(got) == 2, f"{case}, two tensors were expected, spatial and temporal, and these are {len(got)}")
        spatial, temporal = got
        for half, name in ((spatial, "spatial"), (temporal, "temporal")):
            expect_type(half, Tensor, f"{case}, the {name} half", "a tensor")
        between = spatial.shape[0] if spatial.ndim else 0
        if spatial.shape[:1] + spatial.shape[2:] == (outputs, 4, 1, 1):
            expect(False, f"{case}, this looks like (temporal, spatial): the spatial half comes first")
        expect(
            between <= channels,
            f"{case}, there should be at most {channels} maps in between, and the spatial half makes {between}",
        )
        expect_shape(spatial, (between, inputs, 1, 4, 4), f"{case}, the spatial half")
        expect_shape(temporal, (outputs, between, 4, 1, 1), f"{case}, the temporal half")
        _expect_best(spatial, temporal, weight, channels, case)
    return "With as many maps as the matrix has columns nothing is lost. So it is in c0: 48 would do, and there are 64."


def _expect_best(spatial: Tensor, temporal: Tensor, weight: Tensor, channels: int, case: str) -> None:
    """That two halves come as close to the weight as any can; what is wrong with them is found in their product."""
    outputs, inputs = weight.shape[:2]
    composed = torch.einsum("omt,miyx->oityx", temporal[..., 0, 0], spatial[:, :, 0])
    error = (composed - weight).norm() / weight.norm()
    expect(error.isfinite(), f"{case}, the halves hold values that are not finite")
    matrix = weight.permute(0, 2, 1, 3, 4).reshape(outputs * 4, inputs * 16)
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    best = (s[channels:].norm() / s.norm()).item()
    if error <= best + 1e-3:
        return

    def product(values: Tensor, which: slice = slice(channels)) -> Tensor:
        parts = (u[:, which] * values[which]) @ vh[which]
        return parts.reshape(outputs, 4, inputs, 4, 4).transpose(1, 2)

    for wrong, message in (
        (product(torch.ones_like(s)), "σ is missing: it belongs to one of the two sides, or its root to both"),
        (product(s.square()), "σ is there twice: one side takes it, or both its root"),
        (product(s.sqrt()), "only the root of σ is there: one side takes σ, or both its root"),
        (product(s, slice(-channels, None)), "these are the least important terms: the first ones are the largest"),
        (product(s).flip(2), "the temporal half runs backwards"),
        (product(s).transpose(3, 4), "rows and columns of the spatial half are swapped"),
        (-product(s), "the sign is wrong"),
        (product(s) / 2, "half of the weight is there"),
    ):
        expect(not torch.allclose(composed, wrong, atol=1e-4), f"{case}, {message}")
    expect(
        False,
        f"{case}, the two halves together are off by {error:.1%} of the weight's norm, and {best:.1%} is possible"
        + ("; are the axes folded back in the right order?" if error > 1 else "")
        + (
            ": fewer terms are used than there is room for"
            if best < error <= 1 and len(spatial) < min(channels, len(s))
            else ""
        ),
    )


@exercise(
    "07.3",
    title="Count",
    hints=(
        "Go through the kinds one by one, and keep the number of channels that reach the next layer.",
        "The weights are in the table above; every layer but c0 has 2 × its output channels for the normalisation, and "
        "the head has 16 for each channel that reaches it.",
        'With (before, after) = (3, base_channels) at first: (64 if kind == "3d" else 16) * before * after, plus '
        '4 * after**2 for "2+1d", plus 2 * after unless it is the first; in the end 16 * before for the head.',
    ),
)
def count_parameters(num_parameters):
    cases = (
        (("2+1d", "2+1d", "2d", "2d"), 64),
        (("3d", "3d", "3d", "3d"), 64),
        (("2d", "2d", "2d", "2d"), 64),
        (("2+1d", "2+1d", "2+1d", "2+1d"), 16),
        (("3d", "2d", "2+1d", "2d"), 32),
    )
    for kinds, base_channels in cases:
        with torch.device("meta"):
            expected = _count(VideoDiscriminator(kinds, base_channels=base_channels))
        expect_equal(
            attempt(num_parameters, kinds, base_channels),
            expected,
            f"for {kinds} and {base_channels} base channels, the number of parameters",
            mistakes=[(expected + excess, message) for excess, message in _miscounts(kinds, base_channels)],
        )
    got = attempt(num_parameters, ("3d", "3d", "3d", "3d"))
    expect_equal(got, 11_032_320, "the number of parameters of TGAN's, with the default channels,")
    return "In TGAN-F nearly three quarters of what is left are in c3, which is a plain 2D layer."


def _miscounts(kinds: tuple[str, ...], base_channels: int) -> list[tuple[int, str]]:
    """By how much the usual mistakes miscount, which may be by nothing."""
    after = [base_channels * 2**number for number in range(len(kinds))]
    before = [3, *after[:-1]]
    pairs = list(zip(kinds, before, after, strict=True))
    head, normalisation = 16 * after[-1], 2 * sum(after[1:])
    temporal = sum(4 * out * out for kind, _, out in pairs if kind == "2+1d")
    forgotten = {
        head: "the head",
        normalisation: "the batch normalisation of c1, c2 and c3",
        normalisation // 2: "half of the batch normalisation, which has a scale and an offset",
        -2 * after[0]: "nothing, but counted a batch normalisation in c0, which has none",
        head + normalisation: "the head and the batch normalisation",
        -sum(after): "nothing, but counted a bias for each channel, and there are none",
        temporal: "the temporal halves of the factorized layers",
        sum(
            4 * out * (out - into) for kind, into, out in pairs if kind == "2+1d"
        ): "that a temporal half goes from the "
        "channels that the layer makes to as many; you counted from those that it gets",
        sum(
            48 * into * out for kind, into, out in pairs if kind == "3d"
        ): "that a 3d kernel has 64 places: it is 4 frames deep",
        -sum(48 * into * out for kind, into, out in pairs if kind != "3d"): "nothing, but gave kernels of 4 frames to "
        "layers that have none",
        head - 16: "that the head's kernel goes over all channels, with 16 weights for each",
        head - after[-1]: "that the head is a 4×4 kernel: it has 16 weights for each channel",
        (kinds[0] == "3d") * 128 * after[0]
        + (kinds[0] != "3d") * 32 * after[0]: "that a clip has three colours: c0 gets three channels",
    }
    return [(-excess, f"the rest is right, and you forgot {what}") for excess, what in forgotten.items() if excess]


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@exercise(
    "07.4",
    title="See everything",
    hints=(
        "TGAN-F sees 10 frames and is at its limit of parameters. Which kind sees further and costs nothing?",
        "A shift behind two layers that halve time moves by four frames each way, so 10 becomes 18. For the "
        "multiply-adds look at Figure 2: which layer is dearer factorized than 3D?",
        'c0 is "3d", c1 is "2+1d", and at least one of c2 and c3 is "shift".',
    ),
)
def see_everything(kinds):
    expect_type(kinds, (tuple, list), "kinds", 'a tuple of four words, such as ("2+1d", "2+1d", "2d", "2d")')
    kinds = tuple(kinds)
    expect(len(kinds) == 4, f"there should be four layers, and yours are {len(kinds)}")
    for kind in kinds:
        expect(kind in LAYER_KINDS, f"each kind is one of {LAYER_KINDS}, and one of yours is {kind!r}")
    with torch.device("meta"):
        costs, limit = (anatomy.dissect(VideoDiscriminator(stack)) for stack in (kinds, ("2+1d", "2+1d", "2d", "2d")))
    frames, arithmetic = costs.receptive_field[0], costs.multiply_adds / 1e6
    account = (
        f"yours sees {frames} frames, with {costs.parameters:,} parameters and {arithmetic:.1f} million multiply-adds"
    )
    expect(frames >= 16, f"{account}: it should see all 16 frames")
    expect(costs.parameters <= limit.parameters, f"{account}: the parameters should be at most {limit.parameters:,}")
    expect(
        costs.multiply_adds < limit.multiply_adds,
        f"{account}: the multiply-adds should be fewer than {limit.multiply_adds / 1e6:.1f} million; where does TGAN-F "
        "spend more than TGAN?",
    )
    return f"{account[0].upper()}{account[1:]}. No table of the paper has it."
