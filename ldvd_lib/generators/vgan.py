"""VGAN's generator: a still background, a moving foreground, and a mask that says where the one covers the other.

Source: Vondrick, Pirsiavash & Torralba 2016, "Generating Videos with Scene Dynamics", and the authors' code,
`cvondrick/videogan`, ``main.lua``; MODELS §10.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ldvd_lib.batch import Batch, Fakes
from ldvd_lib.blocks import doublings, initialize_
from ldvd_lib.generators.base import VideoGenerator, check_latents, normal_latents
from ldvd_lib.views import View

MAP_SIZE = 4  # both streams start from a 4×4 map


class Streams(NamedTuple):
    """What VGAN's videos are put together from.

    Attributes:
        foreground: ``(N, 3, T, H, W)`` in [-1, 1].
        background: ``(N, 3, 1, H, W)`` in [-1, 1], the same in every frame.
        mask: ``(N, 1, T, H, W)`` in [0, 1], 1 where the foreground is seen.
    """

    foreground: Tensor
    background: Tensor
    mask: Tensor

    @property
    def videos(self) -> Tensor:
        """mask · foreground + (1 - mask) · background, ``(N, 3, T, H, W)`` in [-1, 1]."""
        return self.mask * self.foreground + (1 - self.mask) * self.background


class VGANGenerator(VideoGenerator):
    """VGAN's generator of videos.

    One latent goes through transposed convolutions in space to a picture, the background, and through such in space and
    time to the foreground and its mask. In training the mask costs something, so that what can be still is.

    Args:
        image_size: height and width in pixels, 4 times a power of two.
        num_frames: frames; a multiple of image_size / 4, for the first map has as many fewer frames as pixels.
        latent_dim: dimensions of the latent, standard normal.
        channels: of the first map of either stream, halved by each upsampling layer.
        mask_penalty: weight of the mean of the mask in what the generator minimises.
        init: ``"normal"`` (published) or another scheme of `ldvd_lib.blocks.initialize_`.

    Raises:
        ValueError: if sizes and channels do not fit together.

    Source: MODELS "VGAN": 16,245,383 parameters with the default arguments.
    """

    def __init__(
        self,
        image_size: int = 64,
        num_frames: int = 32,
        latent_dim: int = 100,
        *,
        channels: int = 512,
        mask_penalty: float = 0.1,
        init: str = "normal",
    ) -> None:
        super().__init__()
        levels = doublings(image_size, MAP_SIZE, "image_size")
        frames, rest = divmod(num_frames, 2**levels)
        if rest or not frames:
            raise ValueError(
                f"num_frames is {num_frames}, but frames double as often as pixels, {levels} times: "
                f"use a multiple of {2**levels}"
            )
        if channels % 2 ** (levels - 1):
            raise ValueError(
                f"channels is {channels}, but {levels - 1} layers halve it: use a multiple of {2 ** (levels - 1)}"
            )
        self.image_size, self.num_frames, self.latent_dim = image_size, num_frames, latent_dim
        self.mask_penalty = mask_penalty

        still: list[nn.Module] = [
            nn.ConvTranspose2d(latent_dim, channels, MAP_SIZE),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        ]
        moving: list[nn.Module] = [
            nn.ConvTranspose3d(latent_dim, channels, (frames, MAP_SIZE, MAP_SIZE)),
            nn.BatchNorm3d(channels),
            nn.ReLU(),
        ]
        for _ in range(levels - 1):
            half = channels // 2
            still += [nn.ConvTranspose2d(channels, half, 4, 2, 1), nn.BatchNorm2d(half), nn.ReLU()]
            moving += [nn.ConvTranspose3d(channels, half, 4, 2, 1), nn.BatchNorm3d(half), nn.ReLU()]
            channels = half
        self.background = nn.Sequential(*still, nn.ConvTranspose2d(channels, 3, 4, 2, 1), nn.Tanh())
        self.trunk = nn.Sequential(*moving)
        self.foreground = nn.Sequential(nn.ConvTranspose3d(channels, 3, 4, 2, 1), nn.Tanh())
        self.mask = nn.Sequential(nn.ConvTranspose3d(channels, 1, 4, 2, 1), nn.Sigmoid())
        initialize_(self, init)
        self.background.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch does not declare it
        for part in (self.trunk, self.foreground, self.mask):
            part.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # nor that

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw `n` latents, standard normal, as `ldvd_lib.generators.base.normal_latents`."""
        return normal_latents(n, self.latent_dim, next(self.parameters()), generator)

    def streams(self, latents: Tensor) -> Streams:
        """Latents ``(N, latent_dim)`` → foreground, background and mask: what is still, and what moves?"""
        check_latents(latents, self.latent_dim)
        background = self.background(latents[:, :, None, None]).unsqueeze(2)
        maps = self.trunk(latents[:, :, None, None, None])
        return Streams(self.foreground(maps), background, self.mask(maps))

    def forward(self, latents: Tensor) -> Tensor:
        """Latents ``(N, latent_dim)`` → videos ``(N, 3, T, H, W)`` in [-1, 1]."""
        return self.streams(latents).videos

    def generate(self, latents: Tensor, views: Mapping[str, View], random: torch.Generator) -> Fakes:
        """As `VideoGenerator.generate`; the penalty is `mask_penalty` times the mean of the mask."""
        streams = self.streams(latents)
        batch = Batch(streams.videos)
        # The mask is positive, so its mean is that of its absolute values.
        penalty = self.mask_penalty * streams.mask.mean()
        return Fakes({name: view(batch, random) for name, view in views.items()}, penalty)
