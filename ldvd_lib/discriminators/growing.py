"""A discriminator that grows in space and time, as ProVGAN's.

Source: Acharya et al. 2018, "Towards High Resolution Video Generation with Progressive Growing of Sliced Wasserstein
GANs", and its authors' code, `musikisomorphie/swd`, ``networks.py`` and ``progressive_training/loss.py``; Karras et al.
2018, "Progressive Growing of GANs for Improved Quality, Stability, and Variation".
"""

import torch
from torch import Tensor, nn

from ldvd_lib._kit.checks import one_of
from ldvd_lib.batch import Batch
from ldvd_lib.blocks import LEAKY_SLOPE, Growth, MinibatchDeviation, Slices, he_normal_, shrink, stage_channels
from ldvd_lib.discriminators.base import Discriminator

HEADS = ("score", "sliced")
SLOPE = 0.01  # of a critic of a slice, as the published code asks for


class GrowingDiscriminator(Discriminator):
    """Scores clips of the stage of growth that training is in; the mirror image of ProVGAN's generator.

    A clip's colours become channels at the size of the stage; two convolutions and a mean over boxes lead from one
    stage to the coarser one, and the coarsest ends in a linear layer. While a stage fades in, what it makes of a clip
    is mixed with what the stage before makes of the clip made smaller. A network that nobody has told a step is fully
    grown.

    Args:
        image_size, num_frames: of whole clips.
        frames, base_channels, max_channels, stage_steps, fade_steps, equalized: as of
            `ldvd_lib.generators.ProVGANGenerator`, and with the same values.
        in_channels: colour channels.
        group: clips whose standard deviation the last stage is told, see `ldvd_lib.blocks.MinibatchDeviation`; 0 for
            none.
        head: ``"score"`` (a linear layer) or ``"sliced"`` (see `ldvd_lib.blocks.Slices`).
        slope_penalty: weight of (slope of each slice's critic - 0.01)² in what a sliced discriminator minimises.

    Raises:
        ValueError: if there is no such plan of stages, or if channels run out.

    Attributes:
        growth: the plan of stages.
        stage, share: the stage that scores now, and how much of it.
    """

    def __init__(
        self,
        image_size: int = 256,
        num_frames: int = 32,
        *,
        frames: tuple[int, ...] = (),
        base_channels: int = 1024,
        max_channels: int = 128,
        stage_steps: int = 37_500,
        fade_steps: int = 37_500,
        equalized: bool = True,
        in_channels: int = 3,
        group: int = 4,
        head: str = "score",
        slope_penalty: float = 10.0,
    ) -> None:
        super().__init__()
        one_of("head", head, HEADS)
        self.image_size, self.num_frames, self.in_channels = image_size, num_frames, in_channels
        self.growth = Growth.to(num_frames, image_size, stage_steps=stage_steps, fade_steps=fade_steps, frames=frames)
        self.stage, self.share = self.growth.last, 1.0
        self.slope_penalty = slope_penalty
        widths = stage_channels(len(self.growth.sizes), base_channels, max_channels)

        def convolution(before: int, after: int, kernel: int = 3) -> nn.Module:
            return he_normal_(nn.Conv3d(before, after, kernel, padding=kernel // 2), equalized=equalized)

        def leaky() -> nn.Module:
            return nn.LeakyReLU(LEAKY_SLOPE)

        features = min(base_channels, max_channels)
        self.from_rgb, self.blocks = nn.ModuleDict(), nn.ModuleDict()  # by stage: its pixels; the finest first
        for stage in range(self.growth.last, -1, -1):
            name, width = self.growth.name(stage), widths[stage]
            self.from_rgb[name] = nn.Sequential(convolution(in_channels, width, 1), leaky())
            if stage:
                first, second = convolution(width, width), convolution(width, widths[stage - 1])
                smaller = nn.AvgPool3d(self.growth.factor(stage))
                layers = [first, leaky(), second, smaller, leaky()]
            else:
                frames_left, pixels_left = self.growth.sizes[0]
                to_features = nn.Linear(width * frames_left * pixels_left**2, features)
                layers = [
                    *([MinibatchDeviation(group)] if group else []),
                    convolution(width + bool(group), width),
                    leaky(),
                    nn.Flatten(),
                    he_normal_(to_features, equalized=equalized),
                    leaky(),
                ]
            self.blocks[name] = nn.Sequential(*layers)
        self.head = (
            Slices(features)
            if head == "sliced"
            else nn.Sequential(he_normal_(nn.Linear(features, 1), gain=1.0, equalized=equalized), nn.Flatten(0))
        )
        self.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # torch does not declare it

    def set_step(self, step: int) -> None:
        """Be the discriminator that is trained after so many steps."""
        self.stage, self.share = self.growth.at(step)

    def features(self, videos: Tensor) -> Tensor:
        """Videos, whole or at the size of the stage, → features ``(N, D)``."""
        videos, name = self._at_stage(videos), self.growth.name
        x = self.from_rgb[name(self.stage)](videos)
        for stage in range(self.stage, 0, -1):
            x = self.blocks[name(stage)](x)
            if stage == self.stage and self.share < 1:
                coarse = self.from_rgb[name(stage - 1)](shrink(videos, self.growth.factor(stage)))
                x = coarse.lerp(x, self.share)
        return self.blocks[name(0)](x)

    def forward(self, videos: Tensor) -> Tensor:
        """Videos ``(N, C, T, H, W)``, whole or at the size of the stage, → unbounded scores ``(N,)``."""
        return self.head(self.features(videos))

    def penalty(self, real: Batch, fake: Batch, random: torch.Generator) -> dict[str, Tensor]:
        """For a sliced head ``slopes``: how far the critics' slopes are from 0.01, between real and generated features.

        The published code has an expression for the slope in which the sign of the projection is missing; this is the
        derivative.
        """
        if not isinstance(self.head, Slices) or not self.slope_penalty:
            return {}
        # A slope is constant but for jumps: it has no derivative by the features.
        with torch.no_grad():
            ends = self.features(real.video), self.features(fake.video)
            share = torch.rand(len(ends[0]), 1, generator=random, device=random.device).to(ends[0])
            between = ends[0].lerp(ends[1], share)
        return {"slopes": self.slope_penalty * (self.head.slopes(between) - SLOPE).square().mean()}

    def _at_stage(self, videos: Tensor) -> Tensor:
        """Clips at the size of the stage, made smaller if they are whole."""
        whole, now = (self.num_frames, self.image_size), self.growth.sizes[self.stage]
        shape = tuple(videos.shape)
        sizes: dict[tuple[int, ...], tuple[int, int]] = {
            (frames, size, size): (frames, size) for frames, size in (now, whole)
        }
        if videos.ndim != 5 or shape[1] != self.in_channels or shape[2:] not in sizes:
            raise ValueError(
                f"{type(self).__name__} was given a tensor of shape {shape}, but at stage {self.stage} it takes clips "
                f"(N, {self.in_channels}, T, H, W) of {now[0]} frames of {now[1]} pixels, or whole ones, of {whole[0]} "
                f"frames of {whole[1]}"
            )
        if sizes[shape[2:]] == now:
            return videos
        return shrink(videos, self.growth.factor(self.growth.last, self.stage))
