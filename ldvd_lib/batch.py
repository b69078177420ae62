"""What flows through a game: clips, real and generated alike, with what belongs to them."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Batch(NamedTuple):
    """Videos, and what a discriminator may read beside them.

    Attributes:
        videos: float ``(N, C, T, H, W)`` in [-1, 1]; a tuple of such tensors where a discriminator sees several levels.
        labels: their classes, ``(N,)`` int64; None where there are none.
        context: what they were made from, such as a low-resolution window, ``(N, C, T', H', W')``; None where nothing.
    """

    videos: Tensor | tuple[Tensor, ...]
    labels: Tensor | None = None
    context: Tensor | None = None

    @property
    def levels(self) -> tuple[Tensor, ...]:
        """The videos as a tuple, of one tensor where there is one level."""
        return self.videos if isinstance(self.videos, tuple) else (self.videos,)

    @property
    def video(self) -> Tensor:
        """The videos of a batch of one level.

        Raises:
            ValueError: if it has several.
        """
        if isinstance(self.videos, tuple):
            raise ValueError(f"the batch has {len(self.videos)} levels, and one tensor of videos is needed")
        return self.videos

    @property
    def size(self) -> int:
        """The number of videos, N; of the first level where there are several."""
        return len(self.levels[0])

    def with_videos(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        """The same batch with something done to each tensor of videos."""
        if isinstance(self.videos, tuple):
            return self._replace(videos=tuple(change(level) for level in self.videos))
        return self._replace(videos=change(self.videos))

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on a device; without waiting for the videos, where the device can do that."""
        labels = None if self.labels is None else self.labels.to(device)
        context = None if self.context is None else self.context.to(device, non_blocking=True)
        moved = self.with_videos(lambda videos: videos.to(device, non_blocking=True))
        return moved._replace(labels=labels, context=context)

    def detach(self) -> "Batch":
        """The same values, cut off from what they were computed by."""
        context = None if self.context is None else self.context.detach()
        return self.with_videos(Tensor.detach)._replace(context=context)

    def leaves(self) -> "Batch":
        """The same values, cut off, with gradients to be had for the videos: a backward pass ends here."""
        return self.detach().with_videos(Tensor.requires_grad_)


class Fakes(NamedTuple):
    """What a generator shows.

    Attributes:
        seen: discriminator → what it sees.
        penalty: the generator's own term of its loss, weighted, a scalar; 0 where it has none.
    """

    seen: dict[str, Batch]
    penalty: Tensor | float = 0.0
