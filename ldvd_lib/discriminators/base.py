"""What every discriminator of videos is and can do."""

import torch
from torch import Tensor, nn

from ldvd_lib.batch import Batch
from ldvd_lib.views import View


class Discriminator(nn.Module):
    """What it sees of clips → scores.

    A subclass defines `forward`, which takes the videos of a batch and returns scores: one for each video ``(N,)``, or
    a map of them ``(N, …)``. One that reads more of a batch (labels, context, several levels) overrides `score`.

    Attributes:
        view: what of a clip it sees; None for as many frames as it was built for (``num_frames``), or else whole clips.
        num_categories: classes that it tells apart, and is trained to; 0 for none.
    """

    view: View | None = None
    num_categories: int = 0

    def score(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """What training asks for.

        Args:
            batch: what its `view` shows, of real or of generated clips.

        Returns:
            Scores; logits of classes ``(N, num_categories)``, or None if it has none.
        """
        return self(batch.videos), None

    def penalty(self, real: Batch, fake: Batch, random: torch.Generator) -> dict[str, Tensor]:
        """Terms of its own in what it minimises, by name, weighted, each a scalar; by default none.

        Args:
            real, fake: what its `view` shows, as many clips of each.
            random: what it may draw from.
        """
        return {}

    def set_step(self, step: int) -> None:
        """As `ldvd_lib.generators.VideoGenerator.set_step`."""
