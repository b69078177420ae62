"""Residual blocks: what is learnt is added to what was there.

Source: He et al. 2016, "Identity Mappings in Deep Residual Networks"; as blocks of GANs, Miyato et al. 2018 (SN-GAN),
Brock et al. 2019 (BigGAN); as TGANv2, DVD-GAN and SSW-GAN have them, MODELS §2, §8 and §9.
"""

import math
from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.functional import avg_pool3d, interpolate, pad, relu

from ldvd_lib.blocks.initialization import glorot_


class UpBlock(nn.Module):
    """A generator's block, which doubles height and width by repeating pixels.

    Norm, ReLU, ×2, 3×3, norm, ReLU, 3×3; beside it ×2 and 1×1. Convolutions have biases.

    Args:
        in_channels, out_channels: channels; between the two convolutions there are as many as come out.
        norm: what makes a normalisation of so many channels; by default batch normalisation.
        scale: 1 in place of 2 leaves height and width as they are; then, if channels stay too, nothing is learnt
            beside the convolutions.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
        scale: int = 2,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.residual = nn.Sequential(
            norm(in_channels),
            nn.ReLU(inplace=True),
            nn.Upsample(scale_factor=scale) if scale > 1 else nn.Identity(),
            glorot_(nn.Conv2d(in_channels, out_channels, 3, padding=1), math.sqrt(2)),
            norm(out_channels),
            nn.ReLU(inplace=True),
            glorot_(nn.Conv2d(out_channels, out_channels, 3, padding=1), math.sqrt(2)),
        )
        stays = scale == 1 and in_channels == out_channels
        self.shortcut = nn.Identity() if stays else glorot_(nn.Conv2d(in_channels, out_channels, 1))

    def forward(self, x: Tensor, *condition: Tensor) -> Tensor:
        """Enlarge.

        Args:
            x: ``(N, in_channels, H, W)``.
            condition: what the normalisations are given beside the maps; by default nothing.

        Returns:
            ``(N, out_channels, scale·H, scale·W)``.
        """
        first, *enlarge, second, activation, out = self.residual
        learnt = first(x, *condition)
        for layer in enlarge:
            learnt = layer(learnt)
        learnt = out(activation(second(learnt, *condition)))
        # A 1×1 convolution before pixels are repeated is the same as one after, at a quarter of the cost.
        beside = self.shortcut(x)
        return learnt + (interpolate(beside, scale_factor=self.scale) if self.scale > 1 else beside)


class TimeBlock(nn.Module):
    """A generator's block whose kernels reach over time, 3×3×3, two frames to either side.

    Norm, ReLU, 3×3×3, norm, ReLU, 3×3×3; beside it what came in. Convolutions have biases. Before the first frame and
    behind the last, these are repeated: with zeros there the ends of a video would look unlike its middle.

    Args:
        channels: in, between and out.
        norm: what makes a normalisation of so many channels of frames, which is given a condition.
    """

    REACH = 2  # frames to either side

    def __init__(self, channels: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.norms = nn.ModuleList(norm(channels) for _ in range(self.REACH))
        self.convolutions = nn.ModuleList(
            glorot_(nn.Conv3d(channels, channels, 3, padding=(0, 1, 1)), math.sqrt(2)) for _ in range(self.REACH)
        )

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Frames ``(N·T, channels, H, W)``, those of the first video first, and ``(N, …)`` → the shape of x."""
        learnt = x
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            videos = norm(learnt, condition).relu().unflatten(0, (len(condition), -1)).transpose(1, 2)
            learnt = convolution(pad(videos, (0, 0, 0, 0, 1, 1), mode="replicate")).transpose(1, 2).flatten(0, 1)
        return x + learnt


class DownBlock(nn.Module):
    """A discriminator's block, which halves by averages, without normalisation.

    ReLU, convolution, ReLU, convolution; beside it 1×1×1; the mean over pairs (see `halved`). The first block of a
    network has no ReLU before the pixels.

    Args:
        in_channels, out_channels: channels.
        first: whether it is the first.
        hidden_channels: between the two convolutions; by default as many as come in, in the first block as many as
            come out.
        over_time: kernels of 3×3×3; without, of 1×3×3, which see every frame alone.
        halves: what becomes half as long, time and space; by default both, and in the first block space only.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        first: bool = False,
        hidden_channels: int | None = None,
        over_time: bool = True,
        halves: tuple[bool, bool] | None = None,
    ) -> None:
        super().__init__()
        hidden = hidden_channels or (out_channels if first else in_channels)
        kernel, padding = ((3, 3, 3), (1, 1, 1)) if over_time else ((1, 3, 3), (0, 1, 1))
        self.first, self.halves = first, (not first, True) if halves is None else halves
        self.into = glorot_(nn.Conv3d(in_channels, hidden, kernel, padding=padding), math.sqrt(2))
        self.out = glorot_(nn.Conv3d(hidden, out_channels, kernel, padding=padding), math.sqrt(2))
        stays = not any(self.halves) and in_channels == out_channels
        self.shortcut = nn.Identity() if stays else glorot_(nn.Conv3d(in_channels, out_channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, in_channels, T, H, W)`` → ``(N, out_channels, …)``, half as long in each axis that is halved."""
        if self.first:
            learnt = self.out(relu(self.into(x), inplace=True))
            return halved(learnt, *self.halves) + self.shortcut(halved(x, *self.halves))
        return halved(self.out(relu(self.into(relu(x)), inplace=True)) + self.shortcut(x), *self.halves)


def halved(x: Tensor, time: bool = True, space: bool = True) -> Tensor:
    """Averages over two in time, height and width: ``(N, C, T, H, W)`` → ``(N, C, ⌈T/2⌉, ⌈H/2⌉, ⌈W/2⌉)``.

    An axis of length 1 stays. One of an odd length gets a zero at either end, which counts, so that no end is lost.
    (TGANv2's code does the same, and gives even a length of 1 two zeros, so that it grows to 3; here it does not.)

    Args:
        x: maps.
        time, space: whether these are halved.
    """
    halves = [wanted and length > 1 for wanted, length in zip((time, space, space), x.shape[2:], strict=True)]
    if not any(halves):
        return x
    padding = [length % 2 if half else 0 for half, length in zip(halves, x.shape[2:], strict=True)]
    return avg_pool3d(x, [1 + half for half in halves], padding=padding)
