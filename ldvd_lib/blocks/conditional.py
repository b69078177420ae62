"""Normalisation that is told what to paint.

Source: de Vries et al. 2017, "Modulating early visual processing by language"; with the latent beside the class, Brock
et al. 2019 (BigGAN); frame by frame, Clark et al. 2019 (DVD-GAN), MODELS §8.
"""

import torch
from torch import Tensor, nn


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation of the frames of videos, whose gain and bias are linear in a condition.

    Each frame index has statistics of its own, over batch and space: no frame can tell another something through them.
    Of normalised maps x and a condition c: (1 + G c)·x + B c, channel by channel.

    Where videos have no length of their own (``num_frames=None``), there is no index either: all frames of all videos
    share the statistics of a channel. In evaluation these are constants, so that a frame is normalised in the same way
    wherever it stands, whatever is beside it, and however long the video is.

    Args:
        channels: of the maps.
        condition_dim: dimensions of a condition.
        num_frames: of a video; None for any number.
    """

    def __init__(self, channels: int, condition_dim: int, num_frames: int | None) -> None:
        super().__init__()
        self.num_frames = num_frames
        # A channel of a frame is one of its own.
        self.normalize = nn.BatchNorm2d((num_frames or 1) * channels, affine=False)
        self.gain = nn.Linear(condition_dim, channels, bias=False)
        self.bias = nn.Linear(condition_dim, channels, bias=False)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Normalise.

        Args:
            x: ``(N·T, channels, H, W)``, the frames of the first video first.
            condition: ``(N, T, condition_dim)``, or ``(N, 1, …)``: the same for all frames.

        Returns:
            The shape of x.
        """
        frames = x.unflatten(0, (len(condition), -1))
        normal = self.normalize(x if self.num_frames is None else frames.flatten(1, 2)).view_as(frames)
        gain, bias = (layer(condition)[..., None, None] for layer in (self.gain, self.bias))
        # The statistics want channels outermost, and the convolution that follows wants them innermost.
        return torch.addcmul(bias, normal, 1 + gain).flatten(0, 1).contiguous(memory_format=torch.channels_last)
