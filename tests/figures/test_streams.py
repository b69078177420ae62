"""The drawing of VGAN's streams."""

import numpy as np
import pytest
import torch

from ldvd_lib.figures import draw_streams
from ldvd_lib.generators.vgan import Streams


@pytest.fixture
def streams() -> Streams:
    """The left half of the second clip is covered by a white foreground, over a black background."""
    mask = torch.zeros(2, 1, 8, 16, 16)
    mask[1, :, :, :, :8] = 1
    return Streams(torch.ones(2, 3, 8, 16, 16), -torch.ones(2, 3, 1, 16, 16), mask)


def test_rows_are_streams_and_columns_frames(streams) -> None:
    figure = draw_streams(streams, 1, columns=3)
    assert len(figure.axes) == 4 * 3
    assert [panel.get_ylabel() for panel in figure.axes[::3]] == ["video", "foreground", "mask", "background"]
    assert [panel.get_title() for panel in figure.axes[:3]] == ["frame 0", "frame 4", "frame 7"]
    shown, foreground, mask, background = (np.asarray(panel.images[0].get_array()) for panel in figure.axes[1::3])
    assert (foreground == 255).all()
    assert (background == 0).all()
    assert (mask[:, :8] == 255).all()
    assert (mask[:, 8:] == 0).all()
    assert (shown == mask).all()


def test_what_is_not_there_is_not_drawn(streams) -> None:
    with pytest.raises(ValueError, match="clip must be a whole number, 0 to 1, got 2"):
        draw_streams(streams, 2)
    with pytest.raises(ValueError, match="columns must be a whole number, 1 to 8, got 9"):
        draw_streams(streams, columns=9)
