"""Residual blocks: what is learnt is added to what was there.

Source: He et al. 2016, "Identity Mappings in Deep Residual Networks"; as blocks of GANs, Miyato et al. 2018 (SN-GAN);
as TGANv2 has them, MODELS §2.
"""

import math

from torch import Tensor, nn
from torch.nn.functional import avg_pool3d, interpolate, relu

from ldvd_lib.blocks.initialization import glorot_


class UpBlock(nn.Module):
    """A generator's block, which doubles height and width by repeating pixels.

    BN, ReLU, ×2, 3×3, BN, ReLU, 3×3; beside it ×2 and 1×1. Convolutions have biases.

    Args:
        in_channels, out_channels: channels; between the two convolutions there are as many as come out.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.BatchNorm2d(in_channels),
            nn.ReLU(inplace=True),
            nn.Upsample(scale_factor=2),
            glorot_(nn.Conv2d(in_channels, out_channels, 3, padding=1), math.sqrt(2)),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            glorot_(nn.Conv2d(out_channels, out_channels, 3, padding=1), math.sqrt(2)),
        )
        self.shortcut = glorot_(nn.Conv2d(in_channels, out_channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, in_channels, H, W)`` → ``(N, out_channels, 2H, 2W)``."""
        # A 1×1 convolution before pixels are repeated is the same as one after, at a quarter of the cost.
        return self.residual(x) + interpolate(self.shortcut(x), scale_factor=2)


class DownBlock(nn.Module):
    """A discriminator's block, which halves by averages; all kernels are 3×3×3, without normalisation.

    ReLU, convolution, ReLU, convolution; beside it 1×1×1; the mean over pairs in every axis longer than 1 (see
    `halved`). The first block of a network has no ReLU before the pixels, and leaves time as it is.

    Args:
        in_channels, out_channels: channels; between the two convolutions there are as many as come in, in the first
            block as many as come out.
        first: whether it is the first.
    """

    def __init__(self, in_channels: int, out_channels: int, *, first: bool = False) -> None:
        super().__init__()
        hidden = out_channels if first else in_channels
        self.first = first
        self.into = glorot_(nn.Conv3d(in_channels, hidden, 3, padding=1), math.sqrt(2))
        self.out = glorot_(nn.Conv3d(hidden, out_channels, 3, padding=1), math.sqrt(2))
        self.shortcut = glorot_(nn.Conv3d(in_channels, out_channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, in_channels, T, H, W)`` → ``(N, out_channels, …)``, half as long in each axis that is halved."""
        if self.first:
            learnt = self.out(relu(self.into(x), inplace=True))
            return avg_pool3d(learnt, (1, 2, 2)) + self.shortcut(avg_pool3d(x, (1, 2, 2)))
        return halved(self.out(relu(self.into(relu(x)), inplace=True)) + self.shortcut(x))


def halved(x: Tensor) -> Tensor:
    """Averages over two in time, height and width: ``(N, C, T, H, W)`` → ``(N, C, ⌈T/2⌉, ⌈H/2⌉, ⌈W/2⌉)``.

    An axis of length 1 stays. One of an odd length gets a zero at either end, which counts, so that no end is lost.
    (TGANv2's code does the same, and gives even a length of 1 two zeros, so that it grows to 3; here it does not.)
    """
    lengths = x.shape[2:]
    kernel = [min(length, 2) for length in lengths]
    return avg_pool3d(x, kernel, padding=[length % 2 if length > 1 else 0 for length in lengths])
