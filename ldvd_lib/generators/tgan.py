"""TGAN's generator: one network draws a trajectory of latents in time, another paints each of its points as a frame.

Source: Saito, Matsumoto & Saito 2017, "Temporal Generative Adversarial Nets with Singular Value Clipping", section 3;
channels of the high-resolution variants: LDVD paper, Table 9.
"""

import itertools

import torch
from torch import Tensor, nn

from ldvd_lib.blocks import doublings, initialize_
from ldvd_lib.generators.base import VideoGenerator, check_latents, uniform_latents

MAP_SIZE = 4  # the image generator starts from a 4×4 map


class TemporalGenerator(nn.Module):
    """One latent vector → one latent vector per frame, by transposed convolutions along time.

    Args:
        latent_dim: dimensions of the latent in and of each latent out.
        num_frames: frames, a power of two.
        channels: channels after each layer but the last; one for each doubling of the length.
        train_beta: learn the offsets of the batch normalisation. The published configuration has none: they are
            kept at zero (and still counted, as MODELS and the paper's totals do).
        frame_dim: dimensions of each latent out; by default those of the latent in.
    """

    def __init__(
        self,
        latent_dim: int = 100,
        num_frames: int = 16,
        channels: tuple[int, ...] = (512, 256, 128, 128),
        *,
        train_beta: bool = False,
        frame_dim: int | None = None,
    ) -> None:
        super().__init__()
        levels = doublings(num_frames, 1, "num_frames")
        if len(channels) != levels:
            raise ValueError(
                f"{num_frames} frames take {levels} doublings and so {levels} temporal channels, got {tuple(channels)}"
            )
        widths = (latent_dim, *channels, frame_dim or latent_dim)
        layers: list[nn.Module] = []
        for level, (before, after) in enumerate(itertools.pairwise(widths)):
            # The first layer only mixes channels (length 1 → 1); every other doubles the length.
            kernel, stride, padding = (1, 1, 0) if level == 0 else (4, 2, 1)
            layers.append(nn.ConvTranspose1d(before, after, kernel, stride, padding))
            if level < levels:
                norm = nn.BatchNorm1d(after)
                norm.bias.requires_grad_(train_beta)
                layers += [norm, nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Tanh())

    def forward(self, latents: Tensor) -> Tensor:
        """``(N, latent_dim)`` → ``(N, num_frames, frame_dim)`` in [-1, 1]."""
        return self.layers(latents.unsqueeze(-1)).transpose(1, 2)


class ImageGenerator(nn.Module):
    """A video's latent ("slow") and a frame's latent ("fast") → that frame, by transposed convolutions in space.

    Args:
        latent_dim: dimensions of either latent.
        image_size: height and width of a frame, 4 times a power of two.
        channels: channels of the first 4×4 map, half from each latent; halved by each upsampling layer.
        out_channels: colour channels.
    """

    def __init__(
        self, latent_dim: int = 100, image_size: int = 64, channels: int = 512, *, out_channels: int = 3
    ) -> None:
        super().__init__()
        levels = doublings(image_size, MAP_SIZE, "image_size")
        if channels % 2**levels:
            raise ValueError(
                f"image_channels is {channels}, but {levels} layers halve it: use a multiple of {2**levels}"
            )
        self.channels = channels
        features = channels // 2 * MAP_SIZE**2
        self.slow = nn.Sequential(nn.Linear(latent_dim, features, bias=False), nn.BatchNorm1d(features), nn.ReLU())
        self.fast = nn.Sequential(nn.Linear(latent_dim, features, bias=False), nn.BatchNorm1d(features), nn.ReLU())
        layers: list[nn.Module] = []
        for _ in range(levels):
            layers += [
                nn.ConvTranspose2d(channels, channels // 2, 4, 2, 1, bias=False),
                nn.BatchNorm2d(channels // 2),
                nn.ReLU(),
            ]
            channels //= 2
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(channels, out_channels, 3, 1, 1), nn.Tanh())
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch does not declare it

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        """``(N, latent_dim)`` and ``(N, T, latent_dim)`` → videos ``(N, C, T, H, W)`` in [-1, 1]."""
        n, t = fast.shape[:2]
        half = (self.channels // 2, MAP_SIZE, MAP_SIZE)
        fast_maps = self.fast(fast.flatten(0, 1)).view(n, t, *half)
        slow_maps = self.slow(slow).view(n, 1, *half).expand(-1, t, -1, -1, -1)
        maps = torch.cat([slow_maps, fast_maps], dim=2).flatten(0, 1)
        images = self.layers(maps.contiguous(memory_format=torch.channels_last))
        # With channels innermost, moving time behind them is a view in channels_last_3d: no copy.
        return images.unflatten(0, (n, t)).transpose(1, 2)


class TGANGenerator(VideoGenerator):
    """TGAN's generator of videos.

    Args:
        image_size: height and width in pixels, 4 times a power of two.
        num_frames: frames, a power of two.
        latent_dim: dimensions of the latent, uniform in [-1, 1].
        temporal_channels: channels of the temporal generator, one for each doubling of the length.
        image_channels: channels of the image generator's first map.
        train_beta: learn the offsets of the temporal generator's batch normalisation (published: no).
        temporal_init, image_init: ``"uniform"`` (published: ±0.01) or ``"xavier"`` (TGAN's teaching notebook has it
            for the temporal half).

    Raises:
        ValueError: if sizes and channels do not fit together.

    Source: MODELS "TGAN (64×64)": 4,449,159 parameters with the default arguments.
    """

    def __init__(
        self,
        image_size: int = 64,
        num_frames: int = 16,
        latent_dim: int = 100,
        *,
        temporal_channels: tuple[int, ...] = (512, 256, 128, 128),
        image_channels: int = 512,
        train_beta: bool = False,
        temporal_init: str = "uniform",
        image_init: str = "uniform",
    ) -> None:
        super().__init__()
        self.image_size, self.num_frames, self.latent_dim = image_size, num_frames, latent_dim
        self.temporal = TemporalGenerator(latent_dim, num_frames, tuple(temporal_channels), train_beta=train_beta)
        self.image = ImageGenerator(latent_dim, image_size, image_channels)
        initialize_(self.temporal, temporal_init)
        initialize_(self.image, image_init)

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw `n` latents, uniform in [-1, 1], as `ldvd_lib.generators.base.uniform_latents`."""
        return uniform_latents(n, self.latent_dim, next(self.parameters()), generator)

    def forward(self, latents: Tensor) -> Tensor:
        """Latents ``(N, latent_dim)`` → videos ``(N, 3, T, H, W)`` in [-1, 1]."""
        check_latents(latents, self.latent_dim)
        return self.image(latents, self.temporal(latents))
