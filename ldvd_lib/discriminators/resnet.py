"""A residual critic of videos: SN-GAN's layout with kernels over time and space, and without its normalisation.

Source: Saito et al. 2020 (TGANv2), section 3; Miyato et al. 2018 (SN-GAN), appendix B; MODELS §2.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from ldvd_lib._kit.checks import whole_number
from ldvd_lib.blocks import DownBlock, check_video, glorot_
from ldvd_lib.discriminators.base import Discriminator


class ResNetDiscriminator(Discriminator):
    """Scores videos of any length and size by residual blocks, whose features are summed over time and space.

    Args:
        base_channels: of the first block; doubled by each following one.
        in_channels: colour channels.
        num_blocks: how many, each of which halves what is longer than 1 (the first not in time).

    Source: MODELS "TGANv2": 29,019,265 parameters with the default arguments.
    """

    def __init__(self, base_channels: int = 64, *, in_channels: int = 3, num_blocks: int = 5) -> None:
        super().__init__()
        whole_number("num_blocks", num_blocks, least=1)
        self.in_channels = in_channels
        widths = [in_channels, *[base_channels * 2**number for number in range(num_blocks)]]
        self.blocks = nn.ModuleList(
            DownBlock(widths[number], widths[number + 1], first=number == 0) for number in range(num_blocks)
        )
        self.head = glorot_(nn.Linear(widths[-1], 1))
        self.blocks.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # torch does not declare it

    def forward(self, videos: Tensor) -> Tensor:
        """Videos ``(N, C, T, H, W)`` in [-1, 1] → unbounded scores ``(N,)``."""
        size = videos.shape[-1]
        check_video(videos, channels=self.in_channels, num_frames=None, image_size=size, who=type(self).__name__)
        x = videos.contiguous(memory_format=torch.channels_last_3d)
        for block in self.blocks:
            x = block(x)
        return self.head(relu(x).sum((2, 3, 4))).squeeze(1)
