"""What the exercises of 10 ask for is what the views and the layers do."""

import torch
from answers.notebook_10 import POWERS, flicker
from torch import nn

from ldvd_lib.blocks import ConvLSTM, PixelNorm
from ldvd_lib.classroom.exercises.notebook_10 import (
    BOTH,
    EXACT,
    FOLLOWERS,
    FRAMES,
    changes_seen,
    growth_of_finest_level,
)
from ldvd_lib.views import SUBSAMPLINGS


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
