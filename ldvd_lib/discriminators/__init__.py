"""Discriminators of videos: videos ``(N, C, T, H, W)`` in [-1, 1] → scores."""

from ldvd_lib.discriminators.dual import pick_frames, random_frames, sees_single_frames
from ldvd_lib.discriminators.stack import VideoDiscriminator

__all__ = ["VideoDiscriminator", "pick_frames", "random_frames", "sees_single_frames"]
