"""Checks of 07, factorized discriminators."""

import torch
from torch import Tensor, nn

from ldvd_lib import anatomy
from ldvd_lib.blocks import LAYER_KINDS
from ldvd_lib.classroom.exercises import attempt, exercise, expect, expect_equal, expect_shape
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
        (_kernel((4, 3, 2, 1)), 0.01, 4, "a kernel with σ = 4, 3, 2, 1"),
        (_kernel((4, 3, 0, 0)), 0.01, 2, "a kernel with σ = 4, 3, 0, 0"),
        (_kernel((5, 0, 0, 0)), 0.01, 1, "a single product"),
        (_kernel((4, 3, 2, 1)), 0.2, 3, "a kernel with σ = 4, 3, 2, 1"),
        (_kernel((10, 3, 1, 1)), 0.35, 1, "a kernel with σ = 10, 3, 1, 1"),
        (_kernel((3, 2, 1), (3, 5, 5)), 0.3, 2, "a kernel (3, 5, 5) with σ = 3, 2, 1"),
        (100 * _kernel((4, 3, 2, 1)), 0.2, 3, "a kernel with σ = 400, 300, 200, 100"),
    ]
    for kernel, tolerance, expected, what in cases:
        got = attempt(products_needed, kernel, tolerance)
        got = got.item() if isinstance(got, Tensor) and got.numel() == 1 else got
        squares = torch.linalg.svdvals(kernel.flatten(1)).square()
        left = [squares[n:].sum() / squares.sum() for n in range(1, len(squares) + 1)]
        squared = next(n for n, value in enumerate(left, start=1) if value <= tolerance)
        where = f"the number of products for {what} and a tolerance of {tolerance:g}"
        if got == squared != expected:
            expect(False, f"{where} should be {expected}, and is {got}: is this the squared error, without the root?")
        if got == expected - 1 or (got == 0 and expected == 1):
            expect(False, f"{where} should be {expected}, and is {got}: s[n:] is what is left after n terms")
        expect_equal(got, expected, where)
    got = attempt(products_needed, _kernel((4, 3, 0, 0)))
    expect_equal(got, 2, "the number of products for a kernel with σ = 4, 3, 0, 0 and the default tolerance")
    return "A drifting wave needs two, and a 4×4×4 kernel never more than four."


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
    for outputs, inputs, channels in ((8, 3, 8), (6, 4, 5), (5, 3, 64), (4, 2, 1)):
        weight = torch.randn(outputs, inputs, 4, 4, 4)
        got = attempt(factorize, weight.clone(), channels)
        case = f"for a weight of shape {tuple(weight.shape)} and {channels} channels"
        expect(
            isinstance(got, tuple | list) and len(got) == 2 and all(isinstance(half, Tensor) for half in got),
            f"{case}, two tensors were expected, spatial and temporal",
        )
        spatial, temporal = got
        between = spatial.shape[0] if spatial.ndim else 0
        expect(
            between <= channels,
            f"{case}, there should be at most {channels} maps in between, and the spatial half makes {between}",
        )
        if spatial.shape[:1] + spatial.shape[2:] == (outputs, 4, 1, 1):
            expect(False, f"{case}, this looks like (temporal, spatial): the spatial half comes first")
        expect_shape(spatial, (between, inputs, 1, 4, 4), f"{case}, the spatial half")
        expect_shape(temporal, (outputs, between, 4, 1, 1), f"{case}, the temporal half")
        composed = torch.einsum("omt,miyx->oityx", temporal[..., 0, 0], spatial[:, :, 0])
        error = (composed - weight).norm() / weight.norm()
        expect(error.isfinite(), f"{case}, the halves hold values that are not finite")
        matrix = weight.permute(0, 2, 1, 3, 4).reshape(outputs * 4, inputs * 16)
        squares = torch.linalg.svdvals(matrix.double()).square()
        best = (squares[channels:].sum() / squares.sum()).sqrt().item()
        expect(
            error <= best + 1e-3,
            f"{case}, the two halves together are off by {error:.1%} of the weight's norm, and {best:.1%} is possible"
            + ("; are the axes folded back in the right order?" if error > 1 else ""),
        )
    return "With as many maps as the matrix has columns nothing is lost. So it is in c0: 48 would do, and there are 64."


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
        (("3d", "3d", "3d", "3d"), 64),
        (("2d", "2d", "2d", "2d"), 64),
        (("2+1d", "2+1d", "2d", "2d"), 64),
        (("2+1d", "2+1d", "2+1d", "2+1d"), 16),
        (("3d", "2d", "2+1d", "2d"), 32),
    )
    for kinds, base_channels in cases:
        got = attempt(num_parameters, kinds, base_channels)
        got = got.item() if isinstance(got, Tensor) and got.numel() == 1 else got
        with torch.device("meta"):
            critic = VideoDiscriminator(kinds, base_channels=base_channels)
        expected = _count(critic)
        widths = [base_channels * 2**number for number in range(4)]
        head, normalisation = _count(critic.head), 2 * sum(widths[1:])
        forgotten = {
            head: "the head",
            normalisation: "the batch normalisation of c1, c2 and c3",
            normalisation // 2: "half of the batch normalisation, which has a scale and an offset",
            -2 * widths[0]: "nothing, but counted a batch normalisation in c0, which has none",
            head + normalisation: "the head and the batch normalisation",
        }
        where = f"for {kinds} and {base_channels} base channels"
        if isinstance(got, int | float) and got != expected and expected - got in forgotten:
            expect(False, f"{where}, the convolutions are right, and you forgot {forgotten[expected - got]}")
        expect_equal(got, expected, f"{where}, the number of parameters")
    got = attempt(num_parameters, ("3d", "3d", "3d", "3d"))
    expect_equal(got, 11_032_320, "the number of parameters of TGAN's, with the default channels,")
    return "In TGAN-F nearly three quarters of what is left are in c3, which is a plain 2D layer."


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
    expect(
        isinstance(kinds, tuple | list), 'kinds should be a tuple of four words, such as ("2+1d", "2+1d", "2d", "2d")'
    )
    kinds = tuple(kinds)
    expect_equal(len(kinds), 4, "the number of layers")
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
