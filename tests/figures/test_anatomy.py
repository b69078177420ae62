"""Drawings of discriminators."""

import pytest
import torch
from torch import Tensor, nn

from ldvd_lib.anatomy import dissect
from ldvd_lib.discriminators import VideoDiscriminator
from ldvd_lib.figures.anatomy import draw_anatomy
from ldvd_lib.generators import TGANGenerator


def words(figure) -> set[str]:
    return {line for axes in figure.axes for text in axes.texts for line in text.get_text().splitlines()}


def test_a_stack_is_drawn_with_its_layers_and_their_costs() -> None:
    figure = draw_anatomy(dissect(VideoDiscriminator(("shift", "2+1d", "2d"), 32, base_channels=4)))
    maps, costs = figure.axes
    assert {"video", "c0", "c1", "c2", "head", "shift", "2+1d", "pooled"} <= words(figure)
    assert len(maps.patches) == 16 + 16 + 8 + 8 + 1  # a sheet for each frame
    assert len(costs.patches) == 3 * 4


def test_parts_that_are_not_run_are_left_out() -> None:
    class Critic(nn.Module):
        in_channels, num_frames, image_size = 3, 8, 8

        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused, self.score = nn.Conv3d(3, 4, 4, 2, 1), nn.Conv3d(4, 4, 1), nn.Linear(256, 1)

        def forward(self, videos: Tensor) -> Tensor:
            return self.score(self.used(videos).flatten(1))

    with torch.device("meta"):
        figure = draw_anatomy(dissect(Critic()))
    assert {"used", "score"} <= words(figure)
    assert "unused" not in words(figure)


def test_only_discriminators_are_drawn() -> None:
    with pytest.raises(ValueError, match="discriminators"):
        draw_anatomy(dissect(TGANGenerator(image_size=8, temporal_channels=(8, 8, 8, 8), image_channels=8)))
