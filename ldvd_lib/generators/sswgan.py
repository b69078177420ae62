"""SSW-GAN's generator: a small DVD-GAN draws the whole video coarsely, and stages double its frames and pixels.

Source: SSW-GAN, trained stage by stage, of which we know an excerpt: MODELS §9. What it does not say is as in DVD-GAN
(Clark et al. 2019; MODELS §8), or said to be our own choice.
"""

import functools
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from ldvd_lib._kit.checks import whole_number
from ldvd_lib.batch import Batch, Fakes
from ldvd_lib.blocks import (
    ConditionalBatchNorm,
    TimeBlock,
    between_frames,
    coarse,
    doublings,
)
from ldvd_lib.generators.base import VideoGenerator, category_latents, check_latents, normal_latents
from ldvd_lib.generators.dvdgan import DVDGANGenerator, Group, begin_
from ldvd_lib.views import Pair, View, pick_frames


class SSWGANGenerator(VideoGenerator):
    """SSW-GAN's generator after so many stages, of which the newest learns.

    Stage 1 is a DVD-GAN of few pixels, which draws the whole duration with few frames. Each further stage has twice as
    many frames and pixels (see `Upscaling`). Stages are trained one after the other: a generator of n stages takes the
    first n - 1 over from one that has been trained (`begin_after`), and leaves them as they are. They stay in
    evaluation mode, whatever the mode of the generator; nothing of them learns, and no statistics move.

    A stage from the second on is trained on windows: a piece of the previous stage's video, drawn by chance clip by
    clip, and what the new stage makes of it. Stage 1 paints all of its few frames for that, and any stage in between no
    more than the piece depends on; so what training keeps of a clip does not depend on how long it is. `forward` runs
    every stage over the whole video.

    A latent vector holds the noise of each stage, one after the other, and behind it the class, one-hot.

    Args:
        image_size: height and width in pixels, of the newest stage; of stage 1 they are 4 times a power of two.
        num_frames: frames of a video of the newest stage; of stage 1, with TGAN's temporal generator, a power of two.
        stages: how many.
        noise_dim, class_dim, num_categories: of each stage, as in `DVDGANGenerator`.
        channels, blocks, temporal, frame_dim, frame_reaches: of stage 1, as in `DVDGANGenerator`.
        temporal_channels: in all layers of TGAN's temporal generator.
        upscaling_channels: of each further stage, where it looks over time and where it has doubled the pixels.
        upscaling_blocks: of each further stage, blocks that look over time, and as many that do not.
        window: frames that the newest stage paints at once in training, an even number; stage 1 paints all. (A
            discriminator of whole windows is to be built for as many.)
        spectral, init, norm_std: of each stage, as in `DVDGANGenerator`.

    Raises:
        ValueError: if sizes do not fit together.

    Attributes:
        stages: the networks, the first one first.
        view: from two stages on `Pair`, for what is painted in training are windows and what they were made from.

    Source: MODELS §9, which has the stages, what each is conditioned on, and windows. It does not say how many layers
    and channels there are.
    """

    def __init__(
        self,
        image_size: int = 128,
        num_frames: int = 32,
        stages: int = 3,
        *,
        noise_dim: int = 120,
        class_dim: int = 120,
        num_categories: int = 0,
        channels: tuple[int, ...] = (1024, 512, 256, 128),
        blocks: int = 2,
        temporal: str = "convgru",
        frame_dim: int = 64,
        frame_reaches: str = "norms",
        temporal_channels: int = 64,
        upscaling_channels: tuple[int, int] = (256, 128),
        upscaling_blocks: int = 2,
        window: int = 12,
        spectral: bool = True,
        init: str = "orthogonal",
        norm_std: float | None = None,
    ) -> None:
        super().__init__()
        whole_number("stages", stages, least=1)
        times = 2 ** (stages - 1)
        if image_size % times or num_frames % times:
            raise ValueError(
                f"{stages} stages double frames and pixels {stages - 1} times: {num_frames} frames and {image_size} "
                f"pixels must be multiples of {times}"
            )
        self.image_size, self.num_frames = image_size, num_frames
        self.noise_dim, self.num_categories = noise_dim, num_categories
        self.latent_dim = stages * noise_dim + num_categories
        if stages > 1:
            if whole_number("window", window, least=2, most=num_frames) % 2:
                raise ValueError(f"window is {window}, but every frame becomes two: use an even number")
            self.view = Pair()
        self.window = window
        in_each: dict[str, Any] = {"noise_dim": noise_dim, "class_dim": class_dim, "num_categories": num_categories}
        in_each |= {"spectral": spectral, "init": init, "norm_std": norm_std}
        layers = doublings(num_frames // times, 1, "num_frames of stage 1") if temporal == "tgan" else 0
        first = DVDGANGenerator(
            image_size // times,
            num_frames // times,
            channels=channels,
            blocks=blocks,
            temporal=temporal,
            frame_dim=frame_dim,
            frame_reaches=frame_reaches,
            temporal_channels=(temporal_channels,) * layers,
            **in_each,
        )
        further = [Upscaling(*upscaling_channels, blocks=upscaling_blocks, **in_each) for _ in range(stages - 1)]
        self.stages = nn.ModuleList([first, *further])
        for stage in self.stages[:-1]:
            stage.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "SSWGANGenerator":
        """Set the mode of the newest stage; the others are always in evaluation mode."""
        super().train(mode)
        for stage in self.stages[:-1]:
            stage.eval()
        return self

    @property
    def latent_parts(self) -> dict[str, slice]:
        """What the parts of a latent vector mean: ``stage 1`` and so on, noise; ``category`` if there are classes."""
        parts = {
            f"stage {number + 1}": slice(number * self.noise_dim, (number + 1) * self.noise_dim)
            for number in range(len(self.stages))
        }
        classes = slice(self.latent_dim - self.num_categories, self.latent_dim)
        return parts | ({"category": classes} if self.num_categories else {})

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw `n` latents, ``(n, latent_dim)``: standard normal, the category uniform and one-hot.

        A generator of another device draws there and the result is moved to the weights.
        """
        weight = next(self.parameters())
        noise = normal_latents(n, self.latent_dim - self.num_categories, weight, generator)
        if not self.num_categories:
            return noise
        return torch.cat([noise, category_latents(n, self.num_categories, weight, generator)], dim=1)

    def told(self, latents: Tensor, stage: int) -> Tensor:
        """What a stage, counted from 0, is told: its noise and the class, ``(N, noise_dim + num_categories)``."""
        check_latents(latents, self.latent_dim)
        noise = latents[:, self.latent_parts[f"stage {stage + 1}"]]
        return torch.cat([noise, latents[:, self.latent_dim - self.num_categories :]], dim=1)

    def stage_videos(self, latents: Tensor) -> list[Tensor]:
        """What each stage makes of latents ``(N, latent_dim)``, whole videos ``(N, 3, T', H', W')``, stage 1 first."""
        first, *further = self.stages
        videos = [first(self.told(latents, 0))]
        for number, stage in enumerate(further, start=1):
            videos.append(stage(videos[-1], self.told(latents, number)))
        return videos

    def forward(self, latents: Tensor) -> Tensor:
        """Latents ``(N, latent_dim)`` → videos ``(N, 3, T, H, W)`` in [-1, 1], the whole length in one go."""
        return self.stage_videos(latents)[-1]

    def piece(self, latents: Tensor, stage: int, first: Tensor, count: int) -> Tensor:
        """Some frames of what a stage paints; stages between it and the first paint no more than these depend on.

        Args:
            latents: ``(N, latent_dim)``.
            stage: counted from 0.
            first: the first frame of each clip, ``(N,)`` int64, on the device of the latents.
            count: frames.

        Returns:
            ``(N, 3, count, H', W')``, as `stage_videos` has them.
        """
        frames = first[:, None] + torch.arange(count, device=first.device)
        if stage == 0:
            return pick_frames(self.stages[0](self.told(latents, 0)), frames)
        network = cast(Upscaling, self.stages[stage])
        length = self.num_frames // 2 ** (len(self.stages) - stage)  # of the stage before
        needed = min(count // 2 + 1 + 2 * network.margin, length)
        # Where the video begins or ends within reach, so does the piece: its borders are the video's own.
        start = (first // 2 - network.margin).clamp(0, length - needed)
        before = self.piece(latents, stage - 1, start, needed)
        return pick_frames(network(before, self.told(latents, stage)), frames - 2 * start[:, None])

    def generate(self, latents: Tensor, views: Mapping[str, View], random: torch.Generator) -> Fakes:
        """As `VideoGenerator.generate`: from stage 2 on windows, with what they were made from as context."""
        newest = len(self.stages) - 1
        if newest == 0:
            return super().generate(latents, views, random)
        length, count = self.num_frames // 2, self.window // 2
        first = _places(len(latents), length - count, random).to(latents.device)
        context = self.piece(latents, newest - 1, first, count)
        videos = self.stages[newest](context, self.told(latents, newest))
        batch = Batch(videos, self.classes(latents), context)
        return Fakes({name: view(batch, random) for name, view in views.items()})

    def match_real(self, real: Batch, random: torch.Generator) -> Batch:
        """Windows of real clips, each with its own `coarse` form as context; of stage 1, the clips as they are."""
        if len(self.stages) == 1:
            return real
        videos = real.video
        first = _places(len(videos), videos.shape[2] - self.window, random)
        windows = pick_frames(videos, first[:, None] + torch.arange(self.window, device=first.device))
        return real._replace(videos=windows, context=coarse(windows))

    def begin_after(self, earlier: VideoGenerator) -> None:
        """Take the weights and statistics of all stages but the newest from a generator that has one stage less.

        Raises:
            ValueError: if this one has one stage only, if the other is no SSW-GAN, or if stages, sizes, classes or
                widths do not fit.
        """
        before = len(self.stages) - 1
        if before == 0:
            raise ValueError("stage 1 of an SSW-GAN comes after nothing: leave out the earlier training (`--after`)")
        if not isinstance(earlier, SSWGANGenerator):
            raise ValueError(
                f"stage {before + 1} of an SSW-GAN comes after stage {before} of one, and was given a "
                f"{type(earlier).__name__}"
            )
        wanted = {
            "stages": before,
            "num_frames": self.num_frames // 2,
            "image_size": self.image_size // 2,
            "num_categories": self.num_categories,
        }
        offered = {name: getattr(earlier, name) for name in wanted} | {"stages": len(earlier.stages)}
        if wanted != offered:
            raise ValueError(
                f"stage {before + 1} of an SSW-GAN comes after a generator of {wanted}, and was given one of {offered}"
            )
        shapes, others = (
            {name: tuple(tensor.shape) for name, tensor in stages.state_dict().items()}
            for stages in (self.stages[:-1], earlier.stages)
        )
        unlike = sorted(name for name in shapes.keys() | others.keys() if shapes.get(name) != others.get(name))
        if unlike:
            name = unlike[0]
            raise ValueError(
                f"the earlier stages of this SSW-GAN have other layers than the one that it is to begin after: "
                f"stages.{name} is {shapes.get(name, 'missing')}, and {others.get(name, 'missing')} there"
            )
        self.stages[:-1].load_state_dict(earlier.stages.state_dict())

    def check_begun(self) -> None:
        """As `VideoGenerator.check_begun`: frozen stages must have been trained.

        Raises:
            ValueError: if one has not.
        """
        norms = [layer for layer in self.stages[:-1].modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
        if any(not norm.num_batches_tracked for norm in norms):  # no batch has ever come by: nobody trained here
            before = len(self.stages) - 1
            raise ValueError(
                f"stage {before + 1} of an SSW-GAN learns to refine what stage {before} paints, which nobody has "
                f"trained: give the run of stage {before} (`ldvd train … --after RUN`, or "
                "`generator.begin_after(earlier_generator)`)"
            )


class Upscaling(nn.Module):
    """A stage of SSW-GAN that makes of any video one with twice as many frames and pixels.

    Frames are put between frames by linear interpolation. What follows is convolutional throughout: 3×3 from colours to
    channels, blocks that look over time, 3×3×3 (see `TimeBlock`), and then DVD-GAN's blocks, which look at every frame
    alone, and of which the last doubles height and width. Nothing adds the input to the output: that the two agree is
    for the matching discriminator to teach.

    All normalisations are told noise and class; their statistics are of all frames together, and constants in
    evaluation. So there a window is painted as it is within the whole video, but for `margin` frames at its ends.

    Args:
        time_channels, frame_channels: of the blocks that look over time, and behind those that do not.
        blocks: of either, at least one.
        noise_dim, class_dim, num_categories, spectral, init, norm_std: as in `DVDGANGenerator`.

    Attributes:
        margin: how many frames of its input to either side of a window change what is painted of it, at most.

    Source: MODELS §9: interpolation, residual 3D blocks first and then 2D ones, conditional batch normalisation.
    """

    def __init__(
        self,
        time_channels: int,
        frame_channels: int,
        *,
        blocks: int = 2,
        noise_dim: int = 120,
        class_dim: int = 120,
        num_categories: int = 0,
        spectral: bool = True,
        init: str = "orthogonal",
        norm_std: float | None = None,
    ) -> None:
        super().__init__()
        whole_number("upscaling_blocks", blocks, least=1)
        self.noise_dim = noise_dim
        self.embed = nn.Linear(num_categories, class_dim, bias=False) if num_categories else None
        condition_dim = noise_dim + (class_dim if num_categories else 0)
        norm = functools.partial(ConditionalBatchNorm, condition_dim=condition_dim, num_frames=None)
        self.from_rgb = nn.Conv2d(3, time_channels, 3, padding=1)
        self.time_blocks = nn.ModuleList(TimeBlock(time_channels, norm) for _ in range(blocks))
        self.frame_blocks = Group(time_channels, frame_channels, blocks, norm, None, attention=False)
        self.norm = norm(frame_channels)
        self.to_rgb = nn.Conv2d(frame_channels, 3, 3, padding=1)
        # Of the new frames, each reaches as far over half as many old ones; and one further, by interpolation.
        self.margin = blocks * TimeBlock.REACH // 2 + 1
        begin_(self, init=init, norm_std=norm_std, spectral=spectral)
        for part in self.children():
            layout = torch.channels_last_3d if part is self.time_blocks else torch.channels_last
            part.to(memory_format=layout)  # type: ignore[call-overload]  # torch does not declare it

    def condition(self, told: Tensor) -> Tensor:
        """Noise and class ``(N, noise_dim + num_categories)`` → what all norms are told, ``(N, 1, D)``."""
        if self.embed is not None:
            told = torch.cat([told[:, : self.noise_dim], self.embed(told[:, self.noise_dim :])], dim=1)
        return told.unsqueeze(1)

    def forward(self, videos: Tensor, told: Tensor) -> Tensor:
        """Upscale.

        Args:
            videos: ``(N, 3, T, H, W)`` in [-1, 1], of any length and size.
            told: noise and class, ``(N, noise_dim + num_categories)``.

        Returns:
            ``(N, 3, 2T, 2H, 2W)`` in [-1, 1].
        """
        condition = self.condition(told)
        frames = between_frames(videos).transpose(1, 2).flatten(0, 1)
        x = self.from_rgb(frames.contiguous(memory_format=torch.channels_last))
        for block in self.time_blocks:
            x = block(x, condition)
        x = self.frame_blocks(x.unflatten(0, (len(videos), -1)), condition).flatten(0, 1)
        painted = self.to_rgb(self.norm(x, condition).relu()).tanh()
        return painted.unflatten(0, (len(videos), -1)).transpose(1, 2)


def _places(n: int, last: int, random: torch.Generator) -> Tensor:
    """A place for each of `n` windows, from 0 to the last, as likely, ``(n,)`` int64, on the generator's device."""
    return torch.randint(last + 1, (n,), generator=random, device=random.device)
