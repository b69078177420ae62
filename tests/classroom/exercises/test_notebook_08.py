"""The checks of 08 pass right answers, however they are written, and name every likely mistake."""

import numpy as np
import pytest
import torch

from ldvd_lib.classroom import check
from ldvd_lib.classroom.exercises import find
from ldvd_lib.classroom.exercises.notebook_08 import dye


def as_3d(weight, *, before=0, after=2, fraction=4):
    k = weight.shape[1] // fraction
    kernel = weight.new_zeros(*weight.shape[:2], 3, 4, 4)
    kernel[:, :k, before] = weight[:, :k]
    kernel[:, k : 2 * k, after] = weight[:, k : 2 * k]
    kernel[:, 2 * k :, 1] = weight[:, 2 * k :]
    return kernel


def as_3d_by_einsum(weight):
    k, channels = weight.shape[1] // 4, weight.shape[1]
    positions = torch.tensor([0] * k + [2] * k + [1] * (channels - 2 * k))
    return torch.einsum("it,oihw->oithw", torch.eye(3)[positions], weight)


def window(shifts, fraction=0.25, distance=1):
    kernel = np.zeros(2 * distance + 1)
    kernel[[0, -1]], kernel[distance] = fraction, 1 - 2 * fraction
    places = np.ones(1)
    for _ in range(shifts):
        places = np.convolve(places, kernel)
    return places


def filled(shifts, fraction=0.25, distance=1):
    """A wrong answer: a shift by several frames taken for as many shifts by one."""
    places = window(shifts * distance, fraction)
    return places.tolist()


SWAPPED = [frame ^ 1 for frame in range(16)]
ORDER = list(range(16))

RIGHT = {
    "08.1": (as_3d, as_3d_by_einsum, lambda weight: torch.nn.Parameter(as_3d(weight))),
    "08.2": (window, lambda *knobs: window(*knobs).tolist(), lambda *knobs: torch.tensor(window(*knobs))),
    "08.3": (SWAPPED, tuple(SWAPPED), torch.tensor(SWAPPED), np.array(SWAPPED)),
}
WRONG = [
    ("08.1", lambda weight: as_3d(weight, before=2, after=0), "wrong way round"),
    ("08.1", lambda weight: as_3d(weight, before=1, after=1), "nothing is shifted"),
    ("08.1", lambda weight: weight[:, :, None].expand(-1, -1, 3, -1, -1), "3 of the three positions"),
    ("08.1", lambda weight: as_3d(weight, fraction=8), "should be 2 each"),
    ("08.1", lambda weight: as_3d(2 * weight), "output of the 3D layer"),
    ("08.1", lambda weight: weight[:, :, None], "(3, 8, 3, 4, 4)"),
    ("08.2", lambda *knobs: window(*knobs)[1:], "should have 3 numbers, and has 2"),
    ("08.2", lambda shifts, fraction=0.25, distance=1: 4 * window(shifts, fraction, distance), "add up to 4"),
    ("08.2", lambda shifts, fraction=0.25, distance=1: window(shifts, 0.25, distance), "window(3, 0.125, 1)"),
    ("08.2", filled, "cannot reach"),
    ("08.2", lambda shifts, fraction, distance: window(shifts, fraction, distance), "missing 2 required"),
    ("08.2", lambda *knobs: 7, "a list of numbers"),
    ("08.3", ORDER, "no feat"),
    ("08.3", ORDER[::-1], "two places on from frame 15 there is frame 13"),
    ("08.3", [*ORDER[8:], *ORDER[:8]], "two places on from frame 14 there is frame 0"),
    ("08.3", [1, 0, *ORDER[2:]], "both even and odd"),
    ("08.3", [*ORDER[:15], 14], "[15] are missing"),
    ("08.3", ORDER[:8], "number of frames"),
    ("08.3", "backwards", "a list of the numbers"),
]


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name, answers in RIGHT.items() for answer in answers])
def test_right_answers_pass(name, answer):
    result = check(name, answer)
    assert result.passed, result.message


@pytest.mark.parametrize(("name", "answer", "message"), WRONG)
def test_wrong_answers_are_told_why(name, answer, message):
    result = check(name, answer)
    assert result.status == "not yet"
    assert message.lower() in result.message.lower()


@pytest.mark.parametrize("name", RIGHT)
def test_stubs_are_not_attempted(name):
    stub = ... if name == "08.3" else lambda *arguments, **keywords: None
    assert check(name, stub).status == "not attempted yet"
    assert len(find(name).hints) == 3


def test_dye_spreads_like_a_binomial():
    assert dye(3, 0.25, 1) == pytest.approx([ways / 64 for ways in (1, 6, 15, 20, 15, 6, 1)])
    assert dye(2, 0.5, 1) == pytest.approx([0.25, 0, 0.5, 0, 0.25])
    assert dye(1, 0.25, 2) == pytest.approx([0.25, 0, 0.5, 0, 0.25])
