"""What the presets mean: the published size, or half the pixels along each side and a quarter of the channels."""

from typing import Any

from ldvd_lib.gan import NetworkConfig

ALL_3D = ("3d",) * 4
IMAGE = ("2d",) * 4


def factorized(layers: int, of: int = 4) -> tuple[str, ...]:
    """The first layers factorized, the rest 2D: c0 is ``factorized(1)``, c0-c1 ``factorized(2)``."""
    return ("2+1d",) * layers + ("2d",) * (of - layers)


def shifted(layers: int, of: int = 4) -> tuple[str, ...]:
    """A temporal shift after each of the first layers, every layer 2D."""
    return ("shift",) * layers + ("2d",) * (of - layers)


def scaled(preset: str, image_size: int, channels: int) -> tuple[int, int]:
    """Published pixels and channels → those of a preset."""
    return (image_size // 2, channels // 4) if preset == "lite" else (image_size, channels)


def stack(
    preset: str, kinds: tuple[str, ...], *, pixels: int = 64, channels: int = 64, **options: Any
) -> NetworkConfig:
    """A discriminator of strided layers, of published pixels and channels."""
    size, channels = scaled(preset, pixels, channels)
    return NetworkConfig("stack", {"kinds": kinds, "image_size": size, "base_channels": channels, **options})
