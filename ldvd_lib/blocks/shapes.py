"""Checks of sizes and shapes that networks share."""

import math

from torch import Tensor


def doublings(size: int, start: int, what: str) -> int:
    """How often `start` must double to reach `size`: at least once, or a `ValueError` that names `what`."""
    levels = round(math.log2(size / start)) if size > start else 0
    if levels < 1 or start * 2**levels != size:
        raise ValueError(f"{what} is {size}, but must be {start} times a power of two and at least {2 * start}")
    return levels


def check_video(video: Tensor, *, channels: int, num_frames: int | None, image_size: int, who: str) -> None:
    """Raise a `ValueError` that says what `who` expected unless `video` is ``(N, channels, num_frames, size, size)``.

    With ``num_frames=None`` any positive number of frames will do.
    """
    shape = tuple(video.shape)
    frames_fit = len(shape) == 5 and (shape[2] >= 1 if num_frames is None else shape[2] == num_frames)
    if not (frames_fit and shape[1] == channels and shape[3:] == (image_size, image_size)):
        expected = f"(N, {channels}, {'T' if num_frames is None else num_frames}, {image_size}, {image_size})"
        raise ValueError(
            f"{who} was given a tensor of shape {shape}, but it was built for videos of shape {expected}, "
            "that is (batch, channels, frames, height, width): resize or reorder the video, or build for its size"
        )
    if not video.is_floating_point():
        raise ValueError(f"{who} was given {video.dtype}; videos are floats in [-1, 1]: use ldvd_lib.video.to_float")
