"""Checks of 08, the temporal shift."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ldvd_lib.blocks import TemporalShift
from ldvd_lib.classroom.exercises import attempt, exercise, expect, expect_close, expect_equal, expect_shape
from ldvd_lib.discriminators import VideoDiscriminator

_FRAMES = 16
_SHIFTED = ("shift", "shift", "shift", "2d")


def _frame_wise(x: Tensor, weight: Tensor) -> Tensor:
    return F.conv3d(x, weight[:, :, None], stride=(1, 2, 2), padding=(0, 1, 1))


@exercise(
    "08.1",
    title="The 3D kernel in disguise",
    hints=(
        "An output of the two layers at some frame is a sum over input channels. From which frame does each input "
        "channel come, after the shift?",
        "The moved channels get their 4×4 kernel at one of the three positions in time, and zeros at the other two. "
        "A channel that was moved later holds what was in the frame before.",
        "Start from weight.new_zeros(out, in, 3, 4, 4). With k = in // 4: the first k input channels go to position 0, "
        "the next k to position 2, the others to position 1.",
    ),
)
def the_3d_kernel_in_disguise(as_3d):
    for out_channels, in_channels in ((3, 8), (4, 64), (2, 7), (2, 3)):
        weight, x = torch.randn(out_channels, in_channels, 4, 4), torch.randn(2, in_channels, 5, 8, 8)
        case = f"for weights of shape {tuple(weight.shape)}"
        got = attempt(as_3d, weight.clone())
        expect_shape(got, (out_channels, in_channels, 3, 4, 4), f"the 3D weights {case}")
        got = got.detach().to(weight)
        expected = _frame_wise(TemporalShift()(x), weight)
        output = F.conv3d(x, got, stride=(1, 2, 2), padding=1)
        if torch.allclose(output, expected, atol=1e-4):
            continue
        mirrored = F.conv3d(x, got.flip(2), stride=(1, 2, 2), padding=1)
        expect(
            not torch.allclose(mirrored, expected, atol=1e-4),
            f"{case}, frame before and frame after are the wrong way round: a channel that was moved later holds, at "
            "this frame, what was in the frame before",
        )
        expect(
            not torch.allclose(output, _frame_wise(x, weight), atol=1e-4),
            f"{case}, this is the frame-wise layer alone: every channel is at position 1, and nothing is shifted",
        )
        used = (got != 0).any((0, 3, 4)).sum(1)
        expect(
            (used <= 1).all(),
            f"{case}, some input channels have weights at {int(used.max())} of the three positions in time: after the "
            "shift each channel comes from a single frame",
        )
        moved = [int((got[:, :, position] != 0).any(0).any(-1).any(-1).sum()) for position in (0, 2)]
        expect(
            moved == [in_channels // 4] * 2,
            f"{case}, {moved[0]} channels come from the frame before and {moved[1]} from the frame after, and it "
            f"should be {in_channels // 4} each",
        )
        expect_close(output, expected, f"{case}, the output of the 3D layer", tolerance=1e-4)
    return "Two thirds of these weights are zero, and stay zero: that is what makes the layer cheap."


def dye(shifts: int, fraction: float, distance: int) -> list[float]:
    """Where a drop of dye is after some of the library's shifts, each followed by a mean over the channels."""
    reach = shifts * distance
    x = torch.zeros(1, 80, 2 * reach + 1, 1, 1, dtype=torch.float64)
    x[:, :, reach] = 1
    for _ in range(shifts):
        x = TemporalShift(fraction, distance)(x).mean(dim=1, keepdim=True).expand_as(x)
    return x[0, 0, :, 0, 0].tolist()


@exercise(
    "08.2",
    title="A window with soft edges",
    hints=(
        "Write down what a second shift makes of [0.25, 0.5, 0.25]: each of the three numbers is shared out again.",
        "Every shift does the same to whatever is there: fraction goes distance places to one side, fraction to the "
        "other, 1 - 2 * fraction stays. That is a convolution of lists.",
        "Begin with np.ones(1) and apply np.convolve(dye, one) for each shift, where one has 2 * distance + 1 numbers: "
        "fraction at both ends, 1 - 2 * fraction in the middle, zeros between.",
    ),
)
def a_window_with_soft_edges(window):
    for shifts, fraction, distance in (
        (1, 0.25, 1),
        (2, 0.25, 1),
        (3, 0.25, 1),
        (3, 0.125, 1),
        (2, 0.5, 1),
        (2, 0.1, 3),
    ):
        got = attempt(window, shifts, fraction, distance)
        case = f"window({shifts}, {fraction}, {distance})"
        expect(isinstance(got, list | tuple | Tensor) or hasattr(got, "shape"), f"{case} should be a list of numbers")
        got = torch.as_tensor(got, dtype=torch.float64)
        expected = torch.tensor(dye(shifts, fraction, distance), dtype=torch.float64)
        expect(
            got.shape == expected.shape,
            f"{case} should have {len(expected)} numbers, and has {got.numel()}: {distance} more on either side for "
            "every shift",
        )
        total = got.sum().item()
        expect(abs(total - 1) < 1e-5, f"the numbers of {case} should add up to 1, and add up to {total:.4g}")
        if distance > 1 and not torch.allclose(got, expected):
            between = torch.arange(len(expected)) % distance != 0
            expect(
                got[between].abs().max() < 1e-6,
                f"{case} has dye at places that a shift by {distance} frames cannot reach: it leaps over those between",
            )
        expect_close(got, expected, case, tolerance=1e-6)
    attempted = attempt(window, 3)
    expect_close(torch.as_tensor(attempted, dtype=torch.float64), torch.tensor(dye(3, 0.25, 1)), "window(3)")
    return "Each shift adds the same variance, so the width that matters grows like the square root of their number."


@exercise(
    "08.3",
    title="A blind spot",
    hints=(
        "From which frames can something get to frame 6, by steps of two? And to frame 7?",
        "Even and odd frames never meet: the discriminator watches two clips of eight frames each, treats them alike, "
        "and averages. What may one do with two terms of an average?",
        "Let the two clips trade places, each in its own right order: the odd frames stand at the even places, and the "
        "other way round. [1, 0, 3, 2, ...].",
    ),
)
def a_blind_spot(order):
    order = order.tolist() if hasattr(order, "tolist") else order
    expect(isinstance(order, list | tuple), f"a list of the numbers 0 to 15 was expected, and this is {order!r}")
    expect_equal(len(order), _FRAMES, "the number of frames in your order")
    missing = sorted(set(range(_FRAMES)) - set(order))
    expect(not missing, f"every frame should be there once, and {missing} are missing")
    order = [int(frame) for frame in order]
    expect(order != list(range(_FRAMES)), "this is the right order, which is no feat: find another")
    clips = torch.randn(2, 3, _FRAMES, 16, 16)
    changes = {}
    for distance in (1, 2):
        discriminator = VideoDiscriminator(_SHIFTED, 16, base_channels=8, init="xavier", shift_distance=distance)
        with torch.no_grad():
            scores, reordered = (discriminator.eval()(videos) for videos in (clips, clips[:, :, order]))
        changes[distance] = ((scores - reordered).abs().max() / scores.std()).item()
    if changes[2] >= 1e-3:
        apart = [place for place in range(_FRAMES - 2) if order[place + 2] - order[place] != 2]
        parities = {(order[place] - order[place % 2]) % 2 for place in range(_FRAMES)}
        expect(
            parities == {0},
            "the score changes: at your even (or your odd) places there are both even and odd frames, so frames meet "
            "that never met before",
        )
        expect(
            False,
            f"the score changes: two places on from frame {order[apart[0]]} there is frame {order[apart[0] + 2]}, and "
            f"it should still be frame {order[apart[0]] + 2}",
        )
    expect(changes[1] >= 1e-3, "shifts by one frame do not notice this order either")
    return "Whoever looks only two frames away cannot see the frame next door: a wider window, with a hole in it."
