"""Generators of videos: latents ``(N, latent_dim)`` → videos ``(N, 3, T, H, W)`` in [-1, 1].

Every generator has ``latent_dim``, ``latent_parts`` (name → slice of a latent vector) and ``sample_latents``.
"""

from ldvd_lib.generators.mocogan import MoCoGANGenerator
from ldvd_lib.generators.tgan import TGANGenerator

__all__ = ["MoCoGANGenerator", "TGANGenerator"]
