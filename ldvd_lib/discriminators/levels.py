"""TGANv2's discriminator: a critic for each level.

Source: Saito et al. 2020, "Train Sparsely, Generate Densely: Memory-efficient Unsupervised Training of High-resolution
Temporal GAN", section 3; MODELS §2.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ldvd_lib.discriminators.base import Discriminator
from ldvd_lib.discriminators.resnet import ResNetDiscriminator
from ldvd_lib.views import Levels


class LevelsDiscriminator(Discriminator):
    """One residual critic for each level of the same clips; their scores, one after the other, are the module's.

    A loss is the mean over all scores, so a level counts by the number of its clips: N + N/2 + N/4 + N/8 with four
    levels. (The paper writes a sum of the levels' scores within one sigmoid; its code does what is done here.)

    Args:
        image_size, num_frames: of whole clips; what levels show of them follows from `levels` and `subsampling`.
        base_channels, num_blocks: of each critic, see `ResNetDiscriminator`.
        in_channels: colour channels.
        levels: how many.
        subsampling: what is left out from a level to the next, see `ldvd_lib.views.Levels`.

    Source: MODELS "TGANv2": 116,077,060 parameters with the default arguments, four times 29,019,265.
    """

    def __init__(
        self,
        image_size: int = 192,
        num_frames: int = 16,
        base_channels: int = 64,
        *,
        in_channels: int = 3,
        num_blocks: int = 5,
        levels: int = 4,
        subsampling: str = "both",
    ) -> None:
        super().__init__()
        self.image_size, self.num_frames, self.in_channels = image_size, num_frames, in_channels
        self.view = Levels(levels, subsampling)
        self.critics = nn.ModuleList(
            ResNetDiscriminator(base_channels, in_channels=in_channels, num_blocks=num_blocks) for _ in range(levels)
        )

    def forward(self, videos: Sequence[Tensor]) -> Tensor:
        """Videos of each level, ``(N, C, T, H, W)`` and so on, in [-1, 1] → unbounded scores ``(N + N/2 + …,)``.

        Raises:
            ValueError: if there are not as many levels as critics.
        """
        if isinstance(videos, Tensor) or len(videos) != len(self.critics):
            given = "one tensor" if isinstance(videos, Tensor) else f"{len(videos)} levels"
            raise ValueError(f"{len(self.critics)} critics look at as many levels of videos, and were given {given}")
        return torch.cat([critic(level) for critic, level in zip(self.critics, videos, strict=True)])
