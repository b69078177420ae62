"""Twice as many frames, and half as much of everything."""

import torch

from ldvd_lib.blocks import between_frames, coarse, enlarge


def clips(frames: int = 4) -> torch.Tensor:
    return torch.rand(2, 3, frames, 4, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_between_two_frames_stands_their_mean_and_behind_the_last_one_that_again() -> None:
    videos = clips()
    twice = between_frames(videos)
    assert twice.shape == (2, 3, 8, 4, 6)
    assert torch.equal(twice[:, :, ::2], videos)
    assert torch.equal(twice[:, :, 1:-1:2], (videos[:, :, :-1] + videos[:, :, 1:]) / 2)
    assert torch.equal(twice[:, :, -1], videos[:, :, -1])
    assert torch.equal(between_frames(videos[:, :, :1]), videos[:, :, [0, 0]])


def test_coarse_is_every_second_frame_in_means_of_four_pixels() -> None:
    videos = clips()
    expected = videos[:, :, ::2].unflatten(4, (3, 2)).unflatten(3, (2, 2)).mean((4, 6))
    torch.testing.assert_close(coarse(videos), expected, rtol=0, atol=1e-15)
    assert coarse(clips(frames=5)).shape == (2, 3, 3, 2, 3)


def test_what_is_interpolated_is_coarsely_what_it_was_made_from() -> None:
    videos = clips()
    torch.testing.assert_close(coarse(enlarge(between_frames(videos), (1, 2, 2))), videos, rtol=0, atol=1e-15)
