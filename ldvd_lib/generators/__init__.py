"""Generators of videos: latents ``(N, latent_dim)`` → videos ``(N, 3, T, H, W)`` in [-1, 1]."""

from ldvd_lib.generators.base import VideoGenerator
from ldvd_lib.generators.dvdgan import DVDGANGenerator
from ldvd_lib.generators.mocogan import MoCoGANGenerator
from ldvd_lib.generators.provgan import ProVGANGenerator
from ldvd_lib.generators.sswgan import SSWGANGenerator
from ldvd_lib.generators.tgan import TGANGenerator
from ldvd_lib.generators.tganv2 import TGANv2Generator
from ldvd_lib.generators.vgan import VGANGenerator

__all__ = [
    "DVDGANGenerator",
    "MoCoGANGenerator",
    "ProVGANGenerator",
    "SSWGANGenerator",
    "TGANGenerator",
    "TGANv2Generator",
    "VGANGenerator",
    "VideoGenerator",
]
