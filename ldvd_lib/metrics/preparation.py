"""From a video to what a feature network takes: resizing, colours, scale, crop, exactly as each protocol defines it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ldvd_lib.metrics.weights import read_npz

# Of the mean of Sports-1M: (colours, frames, height, width), of which TGAN takes the columns in the middle.
MEAN_SHAPE = (3, 16, 128, 171)
MEAN_COLUMNS = slice(21, 149)
CROP = slice(8, 120)

Preparation = Callable[[Tensor], Tensor]


def resize(videos: Tensor, size: int, mode: str) -> Tensor:
    """Every frame to ``size`` × ``size``, without antialiasing; bicubic with a = −0.75, as in OpenCV.

    ``(N, C, T, H, W)`` → ``(N, C, T, size, size)``.
    """
    n, _, t = videos.shape[:3]
    images = videos.transpose(1, 2).flatten(0, 1)
    resized = interpolate(images, (size, size), mode=mode, align_corners=False)
    return resized.unflatten(0, (n, t)).transpose(1, 2)


def for_c3d(mean: Tensor) -> Preparation:
    """TGAN's preparation for C3D.

    [-1, 1] → ·128 + 128, not rounded; to 128×128, bicubic; RGB → BGR; minus the mean; the 112×112 in the middle.

    Args:
        mean: ``(3, 16, 128, 171)``, BGR; see `read_mean`.

    Returns:
        A function from videos ``(N, 3, 16, H, W)`` in [-1, 1] to ``(N, 3, 16, 112, 112)``.

    Source: ``evaluation/calc_inception.py`` of TGAN (MODELS §5).
    """
    mean = mean[..., MEAN_COLUMNS]

    def prepare(videos: Tensor) -> Tensor:
        pixels = resize(videos * 128 + 128, 128, "bicubic").flip(1)
        return (pixels - mean.to(pixels))[..., CROP, CROP]

    return prepare


def read_mean(path: str | Path) -> Tensor:
    """The mean of ``mean2.npz``: ``(3, 16, 128, 171)`` float32, BGR.

    Raises:
        FileNotFoundError: if the file is not there, saying where to get it.
        ValueError: if it holds something else.
    """
    arrays = read_npz(path, what="TGAN's mean of Sports-1M (mean2.npz, linked from the TGAN repository)")
    if "mean" not in arrays or arrays["mean"].size != np.prod(MEAN_SHAPE):
        shapes = {name: array.shape for name, array in arrays.items()}
        raise ValueError(f"{path} holds {shapes}, but an array 'mean' of shape {MEAN_SHAPE} was expected")
    mean = torch.from_numpy(arrays["mean"].astype(np.float32).reshape(MEAN_SHAPE))
    if not mean.isfinite().all():
        raise ValueError(f"the mean in {path} is not finite")
    return mean


def for_i3d(videos: Tensor) -> Tensor:
    """FVD's preparation: to 224×224, bilinear, clamped to [-1, 1] (bilinear interpolation keeps the range)."""
    return resize(videos, 224, "bilinear")


def for_small_c3d(size: int) -> Preparation:
    """For a small C3D of ours: resized if need be, otherwise as it is, [-1, 1] RGB."""
    return lambda videos: videos if videos.shape[-1] == size else resize(videos, size, "bilinear")
