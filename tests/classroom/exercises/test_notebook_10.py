"""The checks of 10 pass right answers, however they are written, and name every likely mistake."""

import numpy as np
import pytest
import torch
from torch import nn

from ldvd_lib.blocks import ConvLSTM, PixelNorm
from ldvd_lib.classroom import check
from ldvd_lib.classroom.exercises import find
from ldvd_lib.classroom.exercises.notebook_10 import (
    BOTH,
    EXACT,
    FOLLOWERS,
    FRAMES,
    changes_seen,
    growth_of_finest_level,
)
from ldvd_lib.views import SUBSAMPLINGS

POWERS = {"none": 3, "frames": 2, "batch": 2, "both": 1}


def subsample(maps, n, first, *, clips=slice(None, None, 2), step=2):
    return maps.unflatten(0, (n, -1))[clips, first::step].flatten(0, 1)


def by_rows(maps, n, first):
    frames = len(maps) // n
    return torch.stack([maps[clip * frames + t] for clip in range(0, n, 2) for t in range(first, frames, 2)])


def by_index(maps, n, first):
    rows = torch.arange(len(maps)).view(n, -1)
    return maps[rows[::2][:, first::2].reshape(-1)]


def flicker(period=2, side=1):
    """A chessboard of squares of `side` pixels that turns over, with a period of so many frames."""
    t, y, x = torch.meshgrid(torch.arange(16), torch.arange(32), torch.arange(32), indexing="ij")
    return (-1.0) ** (t * 2 // period + y // side + x // side)


def stripes():
    """Upright stripes one pixel wide, which move by a pixel from frame to frame."""
    t, _, x = np.meshgrid(np.arange(16), np.arange(32), np.arange(32), indexing="ij")
    return np.where((t + x) % 2, 1.0, -1.0)


CHOICES = dict(FOLLOWERS)

RIGHT = {
    "10.1": (POWERS, {name: float(power) for name, power in POWERS.items()}),
    "10.2": (subsample, by_rows, by_index),
    "10.4": (flicker(), 0.5 * flicker(), flicker(side=2), stripes(), -flicker()),
    "10.3": (CHOICES,),
}
WRONG = [
    ("10.1", {name: 2**power for name, power in POWERS.items()}, "these are factors"),
    ("10.1", POWERS | {"both": 0}, "does a longer, larger clip have the same levels"),
    ("10.1", POWERS | {"both": 2}, "left out once more"),
    ("10.1", POWERS | {"frames": 3}, "left out once more"),
    ("10.1", POWERS | {"batch": 1}, "a halving that does not happen"),
    ("10.1", POWERS | {"none": 2}, "nothing is left out"),
    ("10.1", POWERS | {"none": "cube"}, "should be a number"),
    ("10.1", [3, 2, 2, 1], "a dictionary with a power for each"),
    ("10.2", lambda maps, n, first: subsample(maps, n, first, clips=slice(None)), "every video is still there"),
    ("10.2", lambda maps, n, first: subsample(maps, n, 0, step=1), "every frame is still there"),
    ("10.2", lambda maps, n, first: maps.unflatten(0, (-1, n))[first::2, ::2].flatten(0, 1), "video after video"),
    ("10.2", lambda maps, n, first: maps.unflatten(0, (n, -1))[::2, first::2], "one again"),
    ("10.2", lambda maps, n, first: subsample(maps, n, 0), "whatever `first` says"),
    ("10.2", lambda maps, n, first: subsample(maps, n, 1 - first), "wrong one of two"),
    ("10.2", lambda maps, n, first: subsample(maps, n, first, clips=slice(first, None, 2)), "the coin is for frames"),
    (
        "10.2",
        lambda maps, n, first: maps.unflatten(0, (n, -1))[: (n + 1) // 2, : len(maps) // n // 2].flatten(0, 1),
        "first half",
    ),
    ("10.2", lambda maps, n, first: maps[: len(maps) // 4 + 1], "should have shape"),
    ("10.2", lambda maps, n, first: -subsample(maps, n, first), "right shape"),
    ("10.4", torch.zeros(16, 32, 32), "yours changes by 0.00"),
    ("10.4", flicker(4), "yours changes by 0.00"),
    ("10.4", flicker(side=1)[:1].expand(16, 32, 32), "yours changes by 0.00"),
    ("10.4", ((-1.0) ** torch.arange(16)).view(16, 1, 1).expand(16, 32, 32), "level 1 notices"),
    ("10.4", flicker(side=4), "level 1 notices"),
    ("10.4", 3 * flicker(), "between -1 and 1"),
    ("10.4", flicker()[:, :16], "should have shape"),
    ("10.3", CHOICES | {"A": FRAMES}, "a is not 'frames'"),
    ("10.3", CHOICES | {"B": EXACT}, "third side"),
    ("10.3", CHOICES | {"C": BOTH}, "another clip"),
    ("10.3", CHOICES | {"D": EXACT}, "taken over"),
    ("10.3", CHOICES | {"E": BOTH}, "once training is over"),
    ("10.3", CHOICES | {"F": FRAMES}, "which numbers"),
    ("10.3", CHOICES | {"D": "batch"}, "should be one of"),
    ("10.3", list(CHOICES.values()), "should be a dictionary"),
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


@pytest.mark.parametrize(("side", "period", "level"), [(2, 4, 2), (1, 8, 3)])
def test_every_critic_can_be_the_one_that_notices(side, period, level):
    """Squares of two pixels are gone for the first alone, and single pixels for all but the last."""
    shades = {4: [1.0, 0, -1, 0], 8: [1.0, 0, 1, 0, -1, 0, -1, 0]}[period]
    pattern = flicker(side=side)[:1] * torch.tensor(shades * (16 // period)).view(16, 1, 1)
    assert f"level {level} notices" in check("10.4", pattern).message


@pytest.mark.parametrize(
    ("name", "stub"),
    [
        ("10.1", dict.fromkeys(POWERS, ...)),
        ("10.2", lambda maps, n, first: None),
        ("10.4", ...),
        ("10.3", dict.fromkeys(CHOICES, ...)),
    ],
)
def test_stubs_are_not_attempted(name, stub):
    assert check(name, stub).status == "not attempted yet"
    assert len(find(name).hints) == 3


def test_powers_are_counted():
    assert {name: growth_of_finest_level(name) for name in SUBSAMPLINGS} == POWERS


def test_where_no_frame_is_left_out_the_finest_critic_sees_the_flicker():
    assert max(changes_seen(flicker())) == 0
    assert changes_seen(flicker(), "frames") == [0, 0, 0]
    for subsampling in ("batch", "none"):
        coarse, middle, finest = changes_seen(flicker(), subsampling)
        assert (coarse, middle) == (0, 0)
        assert finest == 2


def test_what_is_said_of_layers_behind_a_gap_is_so():
    """Each layer is applied to all clips and frames and to what is left of them, on either side of a gap."""
    torch.manual_seed(0)
    lstm = ConvLSTM(3, 3)

    def remember(x):
        return lstm(list(x.unbind(2))).transpose(1, 2)

    def each_frame(layer):
        return lambda x: layer(x.transpose(1, 2).flatten(0, 1)).unflatten(0, (len(x), -1)).transpose(1, 2)

    trained = nn.BatchNorm2d(3)
    trained(torch.randn(50, 3, 4, 4) + 1)
    layers = {
        "A": each_frame(nn.Conv2d(3, 3, 3, padding=1)),
        "B": nn.Conv3d(3, 3, 3, padding=1),
        "C": remember,
        "D": each_frame(nn.BatchNorm2d(3)),
        "E": each_frame(trained.eval()),
        "F": PixelNorm(),
    }
    x = torch.randn(4, 3, 8, 4, 4)
    for letter, layer in layers.items():
        whole = layer(x)
        misses = {
            "frames": not torch.allclose(layer(x[:, :, 1::2]), whole[:, :, 1::2], atol=1e-5),
            "clips": not torch.allclose(layer(x[::2]), whole[::2], atol=1e-5),
        }
        expected = {EXACT: [], FRAMES: ["frames"], BOTH: ["frames", "clips"]}[FOLLOWERS[letter]]
        assert [name for name, missed in misses.items() if missed] == expected, letter
