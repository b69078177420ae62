"""Discriminators of videos: videos ``(N, C, T, H, W)`` in [-1, 1] → scores."""

from ldvd_lib.discriminators.base import Discriminator
from ldvd_lib.discriminators.stack import VideoDiscriminator

__all__ = ["Discriminator", "VideoDiscriminator"]
