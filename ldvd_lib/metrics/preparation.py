"""From a video to what a feature network takes: resizing, colours, scale, crop, exactly as each protocol defines it."""

import math
from collections.abc import Callable
from pathlib import Path

from torch import Tensor
from torch.nn.functional import interpolate

from ldvd_lib.metrics.weights import read_npz

# Of the mean of Sports-1M: (colours, frames, height, width), of which TGAN takes the columns in the middle.
MEAN_SHAPE = (3, 16, 128, 171)
MEAN_COLUMNS = slice(21, 149)
CROP = slice(8, 120)

Preparation = Callable[[Tensor], Tensor]


def as_float32(videos: Tensor) -> Tensor:
    """Videos ``(N, 3, T, H, W)`` of any floating dtype in the dtype of the networks' weights.

    Raises:
        ValueError: for another shape or dtype.
    """
    if videos.ndim != 5 or videos.shape[1] != 3:
        raise ValueError(f"videos must have shape (N, 3, T, H, W), got {tuple(videos.shape)}")
    if not videos.is_floating_point():
        raise ValueError(
            f"videos must be floating-point numbers in [-1, 1], got {videos.dtype}; `ldvd_lib.video.to_float` makes "
            "them of uint8"
        )
    return videos.float()


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
        pixels = resize(as_float32(videos) * 128 + 128, 128, "bicubic").flip(1)
        return (pixels - mean.to(pixels))[..., CROP, CROP]

    return prepare


def read_mean(path: str | Path) -> Tensor:
    """The mean of ``mean2.npz``: ``(3, 16, 128, 171)`` float32, BGR.

    Raises:
        FileNotFoundError: if the file is not there, saying where to get it.
        ValueError: if it holds something else.
    """
    arrays = read_npz(path, what="TGAN's mean of Sports-1M (mean2.npz, linked from the TGAN repository)")
    mean = arrays.get("mean")
    if mean is None or mean.numel() != math.prod(MEAN_SHAPE) or mean.is_complex():
        shapes = {name: tuple(array.shape) for name, array in arrays.items()}
        raise ValueError(f"{path} holds {shapes}, but an array 'mean' of shape {MEAN_SHAPE} was expected")
    mean = mean.float().reshape(MEAN_SHAPE)
    if not mean.isfinite().all():
        raise ValueError(f"the mean in {path} is not finite")
    return mean


def for_i3d(videos: Tensor) -> Tensor:
    """FVD's preparation: to 224×224, bilinear, clamped to [-1, 1] (bilinear interpolation keeps the range)."""
    return resize(as_float32(videos), 224, "bilinear")


def for_small_c3d(size: int) -> Preparation:
    """For a small C3D of ours: resized if need be, otherwise as it is, [-1, 1] RGB."""

    def prepare(videos: Tensor) -> Tensor:
        videos = as_float32(videos)
        return videos if videos.shape[-1] == size else resize(videos, size, "bilinear")

    return prepare
