"""Flicker: how much of a clip's change from frame to frame is taken back by the next.

No network judges it. Fréchet distances hardly notice frames that alternate; eyes notice little else.
"""

from torch import Tensor


def flicker(videos: Tensor) -> Tensor:
    """How much each clip flickers: the mean of |x(t-1) - 2 x(t) + x(t+1)| over pixels, colours and inner frames.

    A still picture has 0, and so has one that brightens evenly; frames that alternate between two pictures have twice
    the distance of the two.

    Args:
        videos: ``(N, C, T, H, W)``, at least three frames.

    Returns:
        ``(N,)`` in the videos' unit: of videos in [-1, 1], from 0 to 4.

    Raises:
        ValueError: for another shape, or fewer frames.
    """
    if videos.ndim != 5 or videos.shape[2] < 3:
        raise ValueError(f"videos must be (N, C, T, H, W) with at least three frames, got {tuple(videos.shape)}")
    return videos.diff(n=2, dim=2).abs().flatten(1).mean(1)
