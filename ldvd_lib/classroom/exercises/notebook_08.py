"""Checks of 08, the temporal shift."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ldvd_lib.blocks import TemporalShift
from ldvd_lib.classroom.exercises import (
    as_tensor,
    attempt,
    exercise,
    expect,
    expect_close,
    expect_shape,
    expect_type,
)
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
    for out_channels, in_channels in ((8, 8), (4, 64), (2, 7), (2, 3)):
        weight, x = torch.randn(out_channels, in_channels, 4, 4), torch.randn(2, in_channels, 5, 8, 8)
        case = f"for weights of shape {tuple(weight.shape)}"
        got = as_tensor(attempt(as_3d, weight))
        expect_shape(got, (out_channels, in_channels, 3, 4, 4), f"the 3D weights {case}")
        got = got.detach().to(weight)
        expected = _frame_wise(TemporalShift()(x), weight)

        def gives(kernel: Tensor, output: Tensor, x: Tensor = x) -> bool:
            return torch.allclose(F.conv3d(x, kernel, stride=(1, 2, 2), padding=1), output, atol=1e-4)

        if gives(got, expected):
            continue
        mirrored_in_space = got.flip(3), got.flip(4), got.flip(3, 4), got.transpose(3, 4)
        for is_so, message in (
            (
                gives(got.flip(2), expected),
                "frame before and frame after are the wrong way round: a channel that was moved "
                "later holds, at this frame, what was in the frame before",
            ),
            (
                gives(got, _frame_wise(x, weight)),
                "this is the frame-wise layer alone: every channel is at position 1, and nothing is shifted",
            ),
            (
                gives(got, _of_outputs(x, weight)),
                "output channels have been shifted; the shift comes before the layer, so it moves what comes in",
            ),
            (
                gives(got, _frame_wise(TemporalShift()(x.flip(1)), weight.flip(1))),
                "the last channels are moved, and it is the first ones that the shift moves",
            ),
            (
                any(gives(kernel, expected) for kernel in mirrored_in_space),
                "the 4×4 kernels are turned round in space; a convolution of one's weights is the other's, as they are",
            ),
            (gives(got / 2, expected), "all weights are twice as large as they should be"),
        ):
            expect(not is_so, f"{case}, {message}")
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
            "should be "
            "a quarter each way, rounded down",
        )
        expect(
            False, f"{case}, the right number of channels is moved, but the 3D layer does not do what the two layers do"
        )
    return "Two thirds of these weights are zero, and stay zero: that is what makes the layer cheap."


def _of_outputs(x: Tensor, weight: Tensor) -> Tensor:
    """The frame-wise layer, and then the shift: a mistake."""
    return TemporalShift()(_frame_wise(x, weight))


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
        (1, 0.125, 1),
        (2, 0.125, 1),
        (1, 0.25, 1),
        (2, 0.25, 1),
        (3, 0.25, 1),
        (3, 0.125, 1),
        (2, 0.5, 1),
        (2, 0.1, 3),
    ):
        _expect_dye(attempt(window, shifts, fraction, distance), shifts, fraction, distance)
    _expect_dye(attempt(window, 3), 3, 0.25, 1, "window(3)")
    return "Each shift adds the same variance, so the width that matters grows like the square root of their number."


def _expect_dye(got, shifts: int, fraction: float, distance: int, case: str = "") -> None:
    case = case or f"window({shifts}, {fraction}, {distance})"
    got, expected = as_tensor(got), torch.tensor(dye(shifts, fraction, distance), dtype=torch.float64)
    expect_type(got, Tensor, case, "a list of numbers")
    expect(got.ndim == 1, f"{case} should be a list of numbers, one for each place, and has shape {tuple(got.shape)}")
    expect(
        len(got) == len(expected),
        f"{case} has {len(got)} numbers, which are too {'many' if len(got) > len(expected) else 'few'}: the distance "
        "more "
        "on either side for every shift, and the middle",
    )
    got = got.detach().double()
    one = [fraction, 1 - 2 * fraction, fraction]
    spread = (len(expected) - 1) // 2
    places = torch.arange(len(expected))
    lone = torch.zeros_like(expected)
    lone[[0, -1]], lone[spread] = fraction, 1 - 2 * fraction
    mistakes = [
        (_convolved([fraction, 1 - fraction], shifts, distance), "the dye goes one way only: channels move both ways"),
        (
            _convolved([0, 1 - fraction, fraction], shifts, distance),
            "the dye goes one way only: channels move both ways",
        ),
        (
            _convolved([fraction, 1 - fraction, 0], shifts, distance),
            "the dye goes one way only: channels move both ways",
        ),
        (
            _convolved([fraction / 2, 1 - fraction, fraction / 2], shifts, distance),
            "the fraction is for each way, not for both together",
        ),
        (
            _convolved([fraction, fraction, fraction], shifts, distance),
            "what does not move stays in the middle: that is more than a fraction",
        ),
        (torch.full_like(expected, 1 / len(expected)), "the dye is spread evenly, as if the edges were hard"),
        (
            lone,
            "only one shift has been made, though its ends lie far out: each shift spreads what the one before left",
        ),
        (
            _convolved(one, shifts, distance).cumsum(0),
            "these are sums up to each place: the share of the place is asked for",
        ),
        (_convolved([0.25, 0.5, 0.25], shifts, distance), "this is for a quarter each way: use the fraction"),
    ]
    if not torch.allclose(got, expected, atol=1e-6):
        for wrong, message in mistakes:
            expect(got.shape != wrong.shape or not torch.allclose(got, wrong, atol=1e-6), f"{case}: {message}")
        total = got.sum().item()
        expect(abs(total - 1) < 1e-5, f"the numbers of {case} should add up to 1, and add up to {total:.4g}")
        between = places % distance != 0
        expect(
            distance == 1 or got[between].abs().max() < 1e-6,
            f"{case} has dye at places that a shift by {distance} frames cannot reach: it leaps over those between",
        )
    expect_close(got, expected, case, tolerance=1e-6)


def _convolved(one: list[float], shifts: int, distance: int) -> Tensor:
    """What so many shifts make of a drop of dye that each spreads like this, at places that lie the distance apart."""
    spread = np.zeros((len(one) - 1) * distance + 1)
    spread[::distance] = one
    places = np.ones(1)
    for _ in range(shifts):
        places = np.convolve(places, spread)
    return torch.from_numpy(places)


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
    expect_type(order, (list, tuple), "the order", "a list of the numbers 0 to 15")
    expect(len(order) == _FRAMES, f"the number of frames in your order is {len(order)}, and the clip has {_FRAMES}")
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
        said = "the score changes"
        expect(order != list(range(_FRAMES))[::-1], f"{said}: each frame's past has become its future")
        parities = {(order[place] - order[place % 2]) % 2 for place in range(_FRAMES)}
        expect(
            parities == {0},
            f"{said}: at your even (or your odd) places there are both even and odd frames, so frames meet that "
            "never met "
            "before",
        )
        apart = [place for place in range(_FRAMES - 2) if order[place + 2] - order[place] != 2]
        expect(
            False,
            f"{said}: two places on from frame {order[apart[0]]} there is frame {order[apart[0] + 2]}, which has not "
            "been "
            "its neighbour, two frames later, before",
        )
    expect(changes[1] >= 1e-3, "shifts by one frame do not notice this order either")
    return "Whoever looks only two frames away cannot see the frame next door: a wider window, with a hole in it."
