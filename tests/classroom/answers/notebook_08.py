"""Right and wrong answers to the exercises of 08, with a phrase of the message that names what is wrong."""

from math import ceil, comb

import numpy as np
import torch


def as_3d(weight, *, before=0, after=2, fraction=4, count=int):
    k = count(weight.shape[1] / fraction)
    kernel = weight.new_zeros(*weight.shape[:2], 3, 4, 4)
    kernel[:, :k, before] = weight[:, :k]
    kernel[:, k : 2 * k, after] = weight[:, k : 2 * k]
    kernel[:, 2 * k :, 1] = weight[:, 2 * k :]
    return kernel


def as_3d_by_einsum(weight):
    k, channels = weight.shape[1] // 4, weight.shape[1]
    positions = torch.tensor([0] * k + [2] * k + [1] * (channels - 2 * k))
    return torch.einsum("it,oihw->oithw", torch.eye(3)[positions], weight)


def as_3d_by_a_loop(weight):
    k = weight.shape[1] // 4
    slices = []
    for channel in range(weight.shape[1]):
        position = 0 if channel < k else 2 if channel < 2 * k else 1
        slices.append(torch.stack([weight[:, channel] * (t == position) for t in range(3)], dim=1))
    return torch.stack(slices, dim=1)


def outputs_shifted(weight):
    return as_3d(weight.transpose(0, 1)).transpose(0, 1)


def last_channels(weight):
    return as_3d(weight.flip(1)).flip(1)


def window(shifts, fraction=0.25, distance=1, *, one=None):
    kernel = np.zeros(2 * distance + 1)
    kernel[[0, distance, -1]] = one(fraction) if one else (fraction, 1 - 2 * fraction, fraction)
    places = np.ones(1)
    for _ in range(shifts):
        places = np.convolve(places, kernel)
    return places


def by_sharing_out(shifts, fraction=0.25, distance=1):
    places = {0: 1.0}
    for _ in range(shifts):
        spread: dict[int, float] = {}
        for place, share in places.items():
            for step, part in ((-distance, fraction), (0, 1 - 2 * fraction), (distance, fraction)):
                spread[place + step] = spread.get(place + step, 0.0) + share * part
        places = spread
    reach = shifts * distance
    return [places.get(place, 0.0) for place in range(-reach, reach + 1)]


def spreading(one):
    """A wrong answer: each shift leaves other shares before, in the middle and behind."""
    return lambda shifts, fraction=0.25, distance=1: window(shifts, fraction, distance, one=one)


def filled(shifts, fraction=0.25, distance=1):
    """A wrong answer: a shift by several frames taken for as many shifts by one."""
    return window(shifts * distance, fraction).tolist()


def even(shifts, fraction=0.25, distance=1):
    return [1 / (2 * shifts * distance + 1)] * (2 * shifts * distance + 1)


def once(shifts, fraction=0.25, distance=1):
    places = np.zeros(2 * shifts * distance + 1)
    places[[0, shifts * distance, -1]] = fraction, 1 - 2 * fraction, fraction
    return places


def binomial(shifts, fraction=0.25, distance=1):
    places = np.zeros(2 * shifts * distance + 1)
    places[::distance] = [comb(2 * shifts, k) / 4**shifts for k in range(2 * shifts + 1)]
    return places


SWAPPED = [frame ^ 1 for frame in range(16)]
ORDER = list(range(16))

STUBS = {
    "08.1": lambda weight: None,
    "08.2": lambda shifts, fraction=0.25, distance=1: None,
    "08.3": ...,
}
RIGHT = {
    "08.1": (as_3d, as_3d_by_einsum, as_3d_by_a_loop, lambda weight: torch.nn.Parameter(as_3d(weight))),
    "08.2": (
        window,
        by_sharing_out,
        lambda *knobs: window(*knobs).tolist(),
        lambda *knobs: torch.tensor(window(*knobs)),
        lambda *knobs: tuple(window(*knobs)),
    ),
    "08.3": (SWAPPED, tuple(SWAPPED), torch.tensor(SWAPPED), np.array(SWAPPED)),
}
WRONG = {
    "08.1": (
        (lambda weight: as_3d(weight, before=2, after=0), "wrong way round"),
        (lambda weight: as_3d(weight, before=1, after=1), "nothing is shifted"),
        (lambda weight: weight[:, :, None].expand(-1, -1, 3, -1, -1), "3 of the three positions"),
        (lambda weight: weight[:, :, None].expand(-1, -1, 3, -1, -1) / 3, "comes from a single frame"),
        (lambda weight: as_3d(weight, fraction=8), "a quarter each way, rounded down"),
        (lambda weight: as_3d(weight, count=ceil), "a quarter each way, rounded down"),
        (lambda weight: as_3d(weight, after=0), "4 channels come from the frame before and 0 from the frame after"),
        (outputs_shifted, "output channels have been shifted"),
        (last_channels, "it is the first ones"),
        (lambda weight: as_3d(weight.flip(2)), "turned round in space"),
        (lambda weight: as_3d(2 * weight), "twice as large"),
        (lambda weight: weight[:, :, None], "axis 2 is too short"),
        (lambda weight: as_3d(weight).movedim(2, -1), "axes are in another order"),
        (lambda weight: as_3d(torch.rand_like(weight)), None),
    ),
    "08.2": (
        (lambda *knobs: window(*knobs)[1:], "has 2 numbers, which are too few"),
        (lambda shifts, *knobs: window(shifts + 1, *knobs), "too many: the distance more on either side"),
        (lambda shifts, fraction=0.25, distance=1: 4 * window(shifts, fraction, distance), "add up to 4"),
        (lambda shifts, fraction=0.25, distance=1: window(shifts, 0.25, distance), "use the fraction"),
        (binomial, "use the fraction"),
        (filled, "cannot reach"),
        (spreading(lambda f: (0, 1 - f, f)), "one way only"),
        (spreading(lambda f: (f / 2, 1 - f, f / 2)), "the fraction is for each way"),
        (spreading(lambda f: (f, f, f)), "stays in the middle"),
        (even, "as if the edges were hard"),
        (once, "only one shift has been made"),
        (lambda *knobs: window(*knobs).cumsum(), "sums up to each place"),
        (
            lambda shifts, fraction, distance: window(shifts, fraction, distance),
            "missing a required argument: 'fraction'",
        ),
        (lambda *knobs: 7, "a list of numbers"),
        (lambda *knobs: window(*knobs)[::-1] ** 2 / (window(*knobs) ** 2).sum(), None),
    ),
    "08.3": (
        (ORDER, "no feat"),
        (ORDER[::-1], "past has become its future"),
        ([*ORDER[8:], *ORDER[:8]], "two places on from frame 14 there is frame 0"),
        ([*ORDER[2:], *ORDER[:2]], "which has not been its neighbour"),
        ([*ORDER[1:], 0], "there is frame 0"),
        ([1, 0, *ORDER[2:]], "both even and odd"),
        ([*ORDER[::2], *ORDER[1::2]], "both even and odd"),
        ([frame ^ 2 for frame in ORDER], "which has not been its neighbour"),
        ([*SWAPPED[::-1]], "which has not been its neighbour"),
        ([*ORDER[:15], 14], "[15] are missing"),
        (list(range(1, 17)), "[0] are missing"),
        (ORDER[:8], "the number of frames in your order is 8"),
        ("backwards", "a list of the numbers"),
    ),
}
