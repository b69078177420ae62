"""Twice as many frames, and half as much of everything: what a stage of SSW-GAN begins from, and is held against.

Source: SSW-GAN, MODELS §9. How a video is made smaller, it does not say: here, so that the two suit each other.
"""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d


def between_frames(videos: Tensor) -> Tensor:
    """Twice as many frames: behind each one the mean of it and the next, behind the last one that again.

    Args:
        videos: ``(N, C, T, H, W)``.

    Returns:
        ``(N, C, 2T, H, W)``, of which every second frame, from the first on, is one of the videos'.
    """
    following = torch.cat([videos[:, :, 1:], videos[:, :, -1:]], dim=2)
    return torch.stack([videos, (videos + following) / 2], dim=3).flatten(2, 3)


def coarse(videos: Tensor) -> Tensor:
    """Every second frame from the first on, and the means of 2×2 pixels.

    Args:
        videos: ``(N, C, T, H, W)``, H and W even.

    Returns:
        ``(N, C, ⌈T/2⌉, H/2, W/2)``: of `between_frames` with each pixel repeated, what it was made from.
    """
    return avg_pool3d(videos[:, :, ::2], (1, 2, 2))
