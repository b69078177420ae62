"""Discriminators of videos: videos ``(N, C, T, H, W)`` in [-1, 1] → scores."""

from ldvd_lib.discriminators.base import Discriminator
from ldvd_lib.discriminators.dvdgan import DVDGANDiscriminator
from ldvd_lib.discriminators.growing import GrowingDiscriminator
from ldvd_lib.discriminators.levels import LevelsDiscriminator
from ldvd_lib.discriminators.matching import MatchingDiscriminator
from ldvd_lib.discriminators.resnet import ResNetDiscriminator
from ldvd_lib.discriminators.stack import VideoDiscriminator

__all__ = [
    "DVDGANDiscriminator",
    "Discriminator",
    "GrowingDiscriminator",
    "LevelsDiscriminator",
    "MatchingDiscriminator",
    "ResNetDiscriminator",
    "VideoDiscriminator",
]
