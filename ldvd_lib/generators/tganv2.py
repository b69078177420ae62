"""TGANv2's generator: a ConvLSTM draws a map a frame, residual blocks enlarge it, and on the way it is rendered.

In training each level is rendered from fewer videos and fewer frames than the one before, so that all levels cost about
as much as the coarsest. In use only the last one is rendered, of all videos and frames.

Source: Saito et al. 2020, "Train Sparsely, Generate Densely: Memory-efficient Unsupervised Training of High-resolution
Temporal GAN", section 3; MODELS §2.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ldvd_lib._kit.checks import whole_number
from ldvd_lib.batch import Batch, Fakes
from ldvd_lib.blocks import ConvLSTM, UpBlock, doublings, lecun_
from ldvd_lib.generators.base import VideoGenerator, check_latents, uniform_latents
from ldvd_lib.views import Levels, View


class TGANv2Generator(VideoGenerator):
    """TGANv2's generator of videos.

    A linear map makes a small map of the latent. It is the ConvLSTM's *input* at the first frame; at all others the
    input is zero. (The paper says that the latent initialises the state: the effect is the same, the words are not.)
    Blocks then double pixels frame by frame, and each of the last of them has a rendering of its own: a level.

    Args:
        image_size: height and width in pixels, `map_size` times a power of two: one block for each doubling.
        num_frames: frames; where frames are subsampled, a multiple of ``2^(levels-1)``.
        latent_dim: dimensions of the latent, uniform in [-1, 1].
        map_size: height and width of the ConvLSTM's maps.
        recurrent_channels, recurrent_layers: of the ConvLSTM.
        base_channels: of the last two blocks; each block before has twice as many.
        block_channels: of each block, in place of those.
        levels: renderings, after as many of the last blocks.
        subsampling: what is left out between them in training, see `ldvd_lib.views.Levels`.

    Raises:
        ValueError: if sizes and levels do not fit together.

    Source: MODELS "TGANv2": 88,032,460 parameters with the default arguments.
    """

    view: Levels

    def __init__(
        self,
        image_size: int = 192,
        num_frames: int = 16,
        latent_dim: int = 256,
        *,
        map_size: int = 3,
        recurrent_channels: int = 1024,
        recurrent_layers: int = 1,
        base_channels: int = 32,
        block_channels: tuple[int, ...] = (),
        levels: int = 4,
        subsampling: str = "both",
    ) -> None:
        super().__init__()
        blocks = doublings(image_size, map_size, "image_size")
        whole_number("levels", levels, least=1, most=blocks)
        self.image_size, self.num_frames, self.latent_dim = image_size, num_frames, latent_dim
        self.view = Levels(levels, subsampling)
        if self.view.halves_frames and num_frames % 2 ** (levels - 1):
            raise ValueError(
                f"num_frames is {num_frames}, but {levels} levels halve it {levels - 1} times: "
                f"use a multiple of {2 ** (levels - 1)}"
            )
        doubled = (base_channels * 2 ** max(0, blocks - 2 - number) for number in range(blocks))
        widths = [recurrent_channels, *(block_channels or doubled)]
        if len(widths) != 1 + blocks:
            raise ValueError(
                f"{image_size} pixels take {blocks} blocks from maps of {map_size}, and so {blocks} block_channels, "
                f"got {tuple(block_channels)}"
            )
        self.start = nn.Sequential(
            lecun_(nn.Linear(latent_dim, recurrent_channels * map_size**2)),
            nn.Unflatten(1, (recurrent_channels, map_size, map_size)),
        )
        self.recurrent = ConvLSTM(recurrent_channels, recurrent_channels, recurrent_layers)
        self.blocks = nn.ModuleList(UpBlock(widths[number], widths[number + 1]) for number in range(blocks))
        self.renderings = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(width), nn.ReLU(inplace=True), lecun_(nn.Conv2d(width, 3, 3, padding=1)), nn.Tanh()
            )
            for width in widths[-levels:]
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch does not declare it

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw `n` latents, uniform in [-1, 1], as `ldvd_lib.generators.base.uniform_latents`."""
        return uniform_latents(n, self.latent_dim, next(self.parameters()), generator)

    def forward(self, latents: Tensor, level: int | None = None) -> Tensor:
        """Whole videos at one level: all of them, and all frames.

        Args:
            latents: ``(N, latent_dim)``.
            level: which rendering, from 1 (the coarsest); default the last, at full resolution.

        Returns:
            ``(N, 3, T, H, W)`` in [-1, 1]. In training mode the coarser levels are rendered, too, so that their batch
            normalisation gets to know whole videos (see `ldvd_lib.training.sampling.calibrate_`).

        Raises:
            ValueError: if there is no such level, or latents are of another shape.
        """
        last = self.view.count
        level = last if level is None else whole_number("level", level, least=1, most=last)
        wanted = range(1 if self.training else level, level + 1)
        maps = self._maps(latents)
        for number, block in enumerate(self.blocks, start=1 - (len(self.blocks) - last)):
            maps = block(maps)
            if number in wanted:
                video = self._render(number, maps, len(latents))
            if number == level:
                break
        return video

    def generate(self, latents: Tensor, views: Mapping[str, View], random: torch.Generator) -> Fakes:
        """As `VideoGenerator.generate`; where levels are all that is looked at, they are painted as such."""
        if any(view != self.view for view in views.values()):
            return super().generate(latents, views, random)
        batch = Batch(self.paint_levels(latents, random))
        return Fakes(dict.fromkeys(views, batch))

    def paint_levels(self, latents: Tensor, random: torch.Generator) -> tuple[Tensor, ...]:
        """Videos at each level, of which each has fewer than the one before (training).

        Args:
            latents: ``(N, latent_dim)``.
            random: what decides whether the first or the second of two frames is kept: once between two levels, for
                all videos.

        Returns:
            For each level ``(N, 3, T, H, W)`` in [-1, 1], as `ldvd_lib.views.Levels` shows of real clips: the coarsest
            first, with all videos and frames.
        """
        maps, n = self._maps(latents), len(latents)
        levels = []
        for number, block in enumerate(self.blocks, start=1 - (len(self.blocks) - self.view.count)):
            maps = block(maps)
            if number >= 1:
                levels.append(self._render(number, maps, n))
                if number < self.view.count:
                    maps, n = self._subsample(maps, n, random)
        return tuple(levels)

    def _maps(self, latents: Tensor) -> Tensor:
        """Latents → the ConvLSTM's maps, ``(N·T, recurrent_channels, map_size, map_size)``."""
        check_latents(latents, self.latent_dim)
        maps = self.recurrent([self.start(latents), *[None] * (self.num_frames - 1)])
        return maps.flatten(0, 1).contiguous(memory_format=torch.channels_last)

    def _render(self, level: int, maps: Tensor, n: int) -> Tensor:
        """Maps ``(N·T, C, H, W)`` → videos ``(N, 3, T, H, W)``."""
        return self.renderings[level - 1](maps).unflatten(0, (n, -1)).transpose(1, 2)

    def _subsample(self, maps: Tensor, n: int, random: torch.Generator) -> tuple[Tensor, int]:
        """Maps of `n` videos → maps of those that stay, and how many these are."""
        rows = torch.arange(len(maps), device=maps.device).view(n, -1)
        if self.view.halves_batch:
            rows = rows[::2]
        if self.view.halves_frames:
            # Added and not sliced with, so that nobody has to wait for the device to say which.
            rows = rows[:, ::2] + torch.randint(2, (), generator=random, device=random.device).to(maps.device)
        kept = maps.index_select(0, rows.flatten())
        return kept.contiguous(memory_format=torch.channels_last), len(rows)
