"""Generators of videos: latents ``(N, latent_dim)`` → videos ``(N, 3, T, H, W)`` in [-1, 1]."""

from ldvd_lib.generators.base import VideoGenerator
from ldvd_lib.generators.mocogan import MoCoGANGenerator
from ldvd_lib.generators.tgan import TGANGenerator

__all__ = ["MoCoGANGenerator", "TGANGenerator", "VideoGenerator"]
