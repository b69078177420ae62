"""What of a clip a discriminator sees.

A view is a function of a batch and a `torch.Generator`, the same for real and for generated clips. MoCoGAN's image
discriminator has ``Frames(1)``, DVD-GAN's spatial one ``Frames(8)``, TGANv2's ``Levels(4)``, a matching one ``Pair()``.

Source: Tulyakov et al. 2018, section 3.2; Saito et al. 2020 (TGANv2), section 3; Clark et al. 2019 (DVD-GAN),
section 3.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool3d

from ldvd_lib._kit.checks import one_of, whole_number
from ldvd_lib.batch import Batch

SUBSAMPLINGS = ("both", "frames", "batch", "none")  # from a level to the next


class View(Protocol):
    """What of a clip a discriminator sees."""

    def __call__(self, batch: Batch, random: torch.Generator) -> Batch:
        """A batch of whole clips → what is seen of it."""
        ...


@dataclass(frozen=True)
class Whole:
    """Whole clips."""

    def __call__(self, batch: Batch, random: torch.Generator) -> Batch:
        """The clips as they are; nothing is drawn."""
        return batch._replace(context=None)


@dataclass(frozen=True)
class Frames:
    """Some frames of each clip, drawn uniformly without replacement, in their order in time.

    Args:
        count: how many.
    """

    count: int

    def __post_init__(self) -> None:
        whole_number("count", self.count, least=1)

    def draw(self, n: int, num_frames: int, random: torch.Generator) -> Tensor:
        """Which frames of each of `n` clips: ``(n, count)`` int64, ascending, on the generator's device."""
        return random_frames(n, num_frames, random, count=self.count)

    def __call__(self, batch: Batch, random: torch.Generator) -> Batch:
        """``(N, C, T, H, W)`` → ``(N, C, count, H, W)``."""
        videos = batch.video
        return batch._replace(videos=pick_frames(videos, self.draw(len(videos), videos.shape[2], random)), context=None)


@dataclass(frozen=True)
class Levels:
    """The same clips at several levels: all of them small, ever fewer with more pixels and fewer frames.

    From a level to the next every second clip is left out, and every second frame of those that stay, beginning with
    the first or the second by chance, clip by clip; pixels double. So every level has about as many numbers.

    Args:
        count: levels. The first has N clips of T frames and H/2^(count-1) pixels, the last N/2^(count-1) clips of
            T/2^(count-1) frames and H pixels.
        subsampling: what is left out from a level to the next: ``"both"``, ``"frames"``, ``"batch"`` (clips) or
            ``"none"``.
    """

    count: int
    subsampling: str = "both"

    def __post_init__(self) -> None:
        whole_number("count", self.count, least=1)
        one_of("subsampling", self.subsampling, SUBSAMPLINGS)

    @property
    def halves_frames(self) -> bool:
        """Whether every second frame is left out from a level to the next."""
        return self.subsampling in ("both", "frames")

    @property
    def halves_batch(self) -> bool:
        """Whether every second clip is."""
        return self.subsampling in ("both", "batch")

    @property
    def clips(self) -> int:
        """The smallest batch of which no level has more than its share."""
        return 2 ** (self.count - 1) if self.halves_batch else 1

    def __call__(self, batch: Batch, random: torch.Generator) -> Batch:
        """``(N, C, T, H, W)`` → a tuple of `count` tensors, the coarsest pixels first.

        Raises:
            ValueError: if frames or pixels cannot be halved so often.
        """
        videos = batch.video
        halvings = 2 ** (self.count - 1)
        halved = videos.shape[2:] if self.halves_frames else videos.shape[3:]
        if any(length % halvings for length in halved):
            raise ValueError(
                f"{self.count} levels need {'frames and ' * self.halves_frames}pixels in multiples of {halvings}, got "
                f"{tuple(videos.shape)}"
            )
        levels = []
        for level in range(self.count):
            if level and self.halves_batch:
                videos = videos[::2]
            if level and self.halves_frames:
                videos = _every_second_frame(videos, random)
            side = halvings // 2**level
            levels.append(avg_pool3d(videos, (1, side, side)) if side > 1 else videos)
        return batch._replace(videos=tuple(levels), context=None)


@dataclass(frozen=True)
class Pair:
    """Whole clips, and what each was made from."""

    def __call__(self, batch: Batch, random: torch.Generator) -> Batch:
        """The batch as it is; nothing is drawn.

        Raises:
            ValueError: if the clips have no context.
        """
        if batch.context is None:
            raise ValueError(
                "this discriminator compares clips with what they were made from, and these have no context: its "
                "generator must set one, in `generate` for its own clips and in `match_real` for real ones"
            )
        return batch


def view_of(discriminator: nn.Module, num_frames: int) -> View:
    """What a discriminator sees of clips of so many frames.

    Args:
        discriminator: any; what counts is its own ``view`` if it has one, and else the number of frames that it was
            built for: if that is smaller, it sees as many, drawn by chance.
        num_frames: of the whole clips.
    """
    own: View | None = getattr(discriminator, "view", None)
    if own is not None:
        return own
    seen = getattr(discriminator, "num_frames", num_frames)
    return Frames(seen) if seen < num_frames else Whole()


def random_frames(n: int, num_frames: int, random: torch.Generator, *, count: int = 1) -> Tensor:
    """Frames to look at, drawn uniformly without replacement.

    Args:
        n: clips.
        num_frames: that each has.
        random: what they are drawn from.
        count: how many of each.

    Returns:
        ``(n, count)`` int64, ascending in each row, on the generator's device.

    Raises:
        ValueError: if there are fewer frames than that.
    """
    if count > num_frames:
        raise ValueError(f"{count} frames of each clip are to be seen, and the clips have {num_frames}")
    if count == 1:  # one number a clip is enough
        return torch.randint(num_frames, (n, 1), generator=random, device=random.device)
    order = torch.rand(n, num_frames, generator=random, device=random.device).argsort(dim=1)
    return order[:, :count].sort(dim=1).values


def pick_frames(videos: Tensor, frames: Tensor) -> Tensor:
    """Some frames of each video: ``(N, C, T, H, W)`` and ``(N, K)`` int64 → ``(N, C, K, H, W)``."""
    rows = torch.arange(len(videos), device=videos.device)[:, None]
    return videos.transpose(1, 2)[rows, frames.to(videos.device)].transpose(1, 2)


def _every_second_frame(videos: Tensor, random: torch.Generator) -> Tensor:
    """Half of the frames of each clip, the even or the odd ones."""
    first = torch.randint(2, (len(videos), 1), generator=random, device=random.device)
    return pick_frames(videos, first.to(videos.device) + torch.arange(0, videos.shape[2], 2, device=videos.device))
