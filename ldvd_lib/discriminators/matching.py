"""SSW-GAN's matching discriminator: whether a video and a coarse one belong together.

Source: SSW-GAN, MODELS §9; the network, Clark et al. 2019 (DVD-GAN), MODELS §8.
"""

import torch
from torch import Tensor

from ldvd_lib.batch import Batch
from ldvd_lib.blocks import coarse
from ldvd_lib.discriminators.base import Discriminator
from ldvd_lib.discriminators.dvdgan import DVDGANDiscriminator
from ldvd_lib.views import Pair


class MatchingDiscriminator(Discriminator):
    """Sees windows and what they were made from, and judges whether these belong together.

    A window is made `coarse`, and joined with its context along channels. DVD-GAN's residual blocks look at every frame
    of that alone, and their scores are added up. Of a real pair, both halves are the same.

    Args:
        image_size: height and width of the windows in pixels, twice those of their context.
        num_frames: frames of a window; any number will do.
        channels: of each block, see `DVDGANDiscriminator`, which sees half as many pixels.
        in_channels: colour channels of a window.
        spectral, init: as in `DVDGANDiscriminator`.

    Source: MODELS §9. That it is told no class, and looks at frames one by one, are our own choices: what should be
    seen and how it should move, the other two discriminators judge.
    """

    view = Pair()

    def __init__(
        self,
        image_size: int = 64,
        num_frames: int = 12,
        channels: tuple[int, ...] = (128, 256, 512, 1024),
        *,
        in_channels: int = 3,
        spectral: bool = True,
        init: str = "orthogonal",
    ) -> None:
        super().__init__()
        self.image_size, self.num_frames, self.in_channels = image_size, num_frames, in_channels
        self.critic = DVDGANDiscriminator(
            image_size // 2, num_frames // 2, channels, in_channels=2 * in_channels, spectral=spectral, init=init
        )

    def forward(self, videos: Tensor, context: Tensor) -> Tensor:
        """Scores.

        Args:
            videos: windows, ``(N, C, T, H, W)`` in [-1, 1].
            context: what they were made from, ``(N, C, T/2, H/2, W/2)``.

        Returns:
            ``(N,)``, unbounded.

        Raises:
            ValueError: if the two do not fit together, or are of another size.
        """
        small = coarse(videos)
        if small.shape != context.shape:
            raise ValueError(
                f"windows of {tuple(videos.shape)} belong to a context of {tuple(small.shape)}, got "
                f"{tuple(context.shape)}"
            )
        return self.critic(torch.cat([context, small], dim=1))

    def score(self, batch: Batch) -> tuple[Tensor, None]:
        """As `Discriminator.score`, with the batch's context."""
        if batch.context is None:
            raise ValueError("windows are compared with what they were made from, and these have no context")
        return self(batch.video, batch.context), None
