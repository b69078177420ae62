"""What networks that grow are made of: a plan of stages, and layers that keep growth stable.

Source: Karras et al. 2018, "Progressive Growing of GANs for Improved Quality, Stability, and Variation", sections 2 to
4; for video, Acharya et al. 2018, "Towards High Resolution Video Generation with Progressive Growing of Sliced
Wasserstein GANs".
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool3d, interpolate

from ldvd_lib._kit.checks import whole_number
from ldvd_lib.blocks.shapes import doublings

FIRST = 4  # pixels of the first stage along a side, and by default its frames
EPSILON = 1e-8


@dataclass(frozen=True)
class Growth:
    """A plan of stages: how large each is, and which one a step of training is in.

    Stage 0 trains alone for `stage_steps`. Every further one fades in over `fade_steps`, and then trains as long; the
    last one goes on for ever. With a fade of 0 steps a stage begins at once.

    Attributes:
        sizes: (frames, pixels along a side) of each stage; from one to the next pixels double, and frames double or
            stay.
        stage_steps, fade_steps: steps of training.
    """

    sizes: tuple[tuple[int, int], ...]
    stage_steps: int
    fade_steps: int

    def __post_init__(self) -> None:
        whole_number("stage_steps", self.stage_steps, least=1)
        whole_number("fade_steps", self.fade_steps, least=0)

    @classmethod
    def to(
        cls, num_frames: int, image_size: int, *, stage_steps: int, fade_steps: int, frames: Sequence[int] = ()
    ) -> "Growth":
        """A plan that ends at clips of so many frames and pixels, and begins at 4 pixels.

        Args:
            num_frames, image_size: of the last stage; pixels 4 times a power of two.
            stage_steps, fade_steps: as of the class.
            frames: of each stage; by default 4 at first, doubled with the pixels until there are `num_frames`.

        Raises:
            ValueError: if there is no such plan, saying why.
        """
        stages = 1 + doublings(image_size, FIRST, "image_size")
        frames = tuple(frames) or tuple(min(FIRST * 2**stage, num_frames) for stage in range(stages))
        grow = all(after in (before, 2 * before) for before, after in itertools.pairwise(frames))
        if len(frames) != stages or frames[-1] != num_frames or frames[0] < 1 or not grow:
            raise ValueError(
                f"{image_size} pixels are reached in {stages} stages, from 4; their frames {frames} must be as many "
                f"numbers, each the one before it or twice that, and end with num_frames, {num_frames}"
            )
        return cls(tuple((count, FIRST * 2**stage) for stage, count in enumerate(frames)), stage_steps, fade_steps)

    @property
    def last(self) -> int:
        """The number of the last stage, counted from 0."""
        return len(self.sizes) - 1

    @property
    def steps(self) -> int:
        """After how many steps the last stage has faded in."""
        return self.last * (self.stage_steps + self.fade_steps)

    def name(self, stage: int) -> str:
        """What a stage's layers are called: its pixels along a side."""
        return str(self.sizes[stage][1])

    def at(self, step: int) -> tuple[int, float]:
        """The stage that is trained after so many steps, and its share, from 0 (nothing yet of it) to 1 (it alone)."""
        if step >= self.steps:
            return self.last, 1.0
        stage, within = divmod(step, self.stage_steps + self.fade_steps)
        if within < self.stage_steps:
            return stage, 1.0
        return stage + 1, (within - self.stage_steps) / self.fade_steps

    def factor(self, stage: int, below: int | None = None) -> tuple[int, int, int]:
        """How much longer, higher and wider a stage is than one below, by default the one before."""
        (t, size), (t_below, size_below) = self.sizes[stage], self.sizes[stage - 1 if below is None else below]
        return t // t_below, size // size_below, size // size_below


def stage_channels(stages: int, base: int, most: int) -> list[int]:
    """Channels of each stage, from the coarsest on.

    Raises:
        ValueError: if the last would have none.
    """
    if base < 2**stages or most < 1:
        raise ValueError(
            f"base_channels is {base}, and is halved {stages} times, once for each stage: use {2**stages} or more "
            f"(and max_channels of 1 or more, not {most})"
        )
    return [min(base // 2 ** (stage + 1), most) for stage in range(stages)]


def enlarge(videos: Tensor, factor: tuple[int, int, int]) -> Tensor:
    """Repeat every value along time, height and width: ``(N, C, T, H, W)`` → ``(N, C, T·f, H·g, W·h)``."""
    if factor == (1, 1, 1):
        return videos
    return interpolate(videos, scale_factor=tuple(map(float, factor)), mode="nearest")


def shrink(videos: Tensor, factor: tuple[int, int, int]) -> Tensor:
    """The means of boxes of so many frames and pixels: ``(N, C, T, H, W)`` → ``(N, C, T/f, H/g, W/h)``."""
    return videos if factor == (1, 1, 1) else avg_pool3d(videos, factor)


class PixelNorm(nn.Module):
    """Divides the channels of every place by their root mean square, ``(N, C, …)`` → the same shape.

    Source: Karras et al. 2018, section 4.2.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x / √(mean over channels of x² + 1e-8)."""
        return x * (x.square().mean(1, keepdim=True) + EPSILON).rsqrt()


class MinibatchDeviation(nn.Module):
    """Adds a channel that says how different the clips of a batch are: so a generator without variety is found out.

    The standard deviation over a group of clips, of each channel at each place, averaged over all of these; one number
    for each group.

    Args:
        group: clips in a group. If the batch is no multiple of it, or smaller, all clips are one group.

    Source: Karras et al. 2018, section 3; groups of 4 as in the authors' code.
    """

    def __init__(self, group: int = 4) -> None:
        super().__init__()
        self.group = whole_number("group", group, least=1)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, T, H, W)`` → ``(N, C + 1, T, H, W)``."""
        group = len(x) if len(x) % self.group else self.group
        variance = x.unflatten(0, (group, -1)).var(0, correction=0)
        deviation = (variance + EPSILON).sqrt().mean((1, 2, 3, 4), keepdim=True)
        return torch.cat([x, deviation.repeat(group, 1, *x.shape[2:])], dim=1)
