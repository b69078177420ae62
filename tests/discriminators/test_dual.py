"""Who sees what where there are two discriminators."""

import torch

from ldvd_lib.discriminators import VideoDiscriminator, pick_frames, random_frames, sees_single_frames


def test_a_discriminator_of_one_frame_sees_single_frames() -> None:
    assert sees_single_frames(VideoDiscriminator(("2d",), 8, 1, base_channels=2))
    assert not sees_single_frames(VideoDiscriminator(("2d",), 8, 4, base_channels=2))


def test_frames_are_picked_video_by_video() -> None:
    videos = torch.arange(3 * 2 * 4).view(3, 2, 4, 1, 1).float()
    picked = pick_frames(videos, torch.tensor([3, 0, 2]))
    assert picked.shape == (3, 2, 1, 1, 1)
    assert picked.flatten().tolist() == [3, 7, 8, 12, 18, 22]


def test_random_frames_are_uniform_and_seeded() -> None:
    draw = [random_frames(4000, 4, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(draw[0], draw[1])
    assert not torch.equal(draw[0], draw[2])
    assert torch.bincount(draw[0], minlength=4).min() > 900
