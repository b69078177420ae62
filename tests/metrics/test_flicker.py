"""Flicker: what it is of clips whose flicker is known."""

import pytest
import torch

from ldvd_lib.metrics import flicker


def test_what_stands_or_changes_evenly_does_not_flicker() -> None:
    picture = torch.rand(2, 3, 1, 8, 8)
    still = picture.expand(2, 3, 6, 8, 8)
    brightening = picture + torch.linspace(0, 1, 6).view(1, 1, 6, 1, 1)
    for videos in (still, brightening):
        torch.testing.assert_close(flicker(videos), torch.zeros(2), atol=1e-6, rtol=0)


def test_frames_that_alternate_flicker_by_twice_their_distance() -> None:
    one, other = torch.rand(2, 3, 1, 8, 8), torch.rand(2, 3, 1, 8, 8)
    videos = torch.cat([one, other] * 3, dim=2)
    torch.testing.assert_close(flicker(videos), 2 * (one - other).abs().flatten(1).mean(1))


def test_a_clip_flickers_as_much_backwards_and_mirrored() -> None:
    videos = torch.rand(3, 3, 5, 8, 8)
    torch.testing.assert_close(flicker(videos.flip(2)), flicker(videos))
    torch.testing.assert_close(flicker(videos.flip(4)), flicker(videos))


@pytest.mark.parametrize("shape", [(2, 3, 2, 8, 8), (3, 5, 8, 8)])
def test_without_three_frames_there_is_none(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least three frames"):
        flicker(torch.zeros(shape))
