"""One discriminator for the whole paper: a stack of strided layers, each of one kind.

Source: LDVD paper, Tables 3–6 and 8; layer tables in MODELS §3.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ldvd_lib.blocks import LAYER_KINDS, LEAKY_SLOPE, check_video, initialize_

AGGREGATIONS = ("mean", "max", "sum", "per-frame")


class VideoDiscriminator(nn.Module):
    """Scores videos with a stack of strided convolutional layers, one kind per layer, and a convolutional head.

    Every layer halves height and width; a layer of kind ``"3d"`` halves time too, one of kind ``"2d"`` leaves it.
    What is left of time before the head is aggregated.

    Args:
        kinds: the kind of each layer; see `ldvd_lib.blocks.LAYER_KINDS`. Its length is the number of layers.
        image_size: height and width of the videos in pixels.
        num_frames: frames of the videos.
        base_channels: channels of the first layer; doubled by each following one.
        in_channels: colour channels.
        bias: biases in the convolutions. The paper's parameter reductions are met exactly without.
        train_beta: learn the offsets of the batch normalisation (the original TGAN code has none; the LDVD counts do).
        aggregation: how the remaining time steps become one before the head: ``"mean"``, ``"max"``, ``"sum"``, or
            ``"per-frame"``, which scores every time step and averages the scores.
        init: ``"uniform"`` (TGAN's published ±0.01), ``"xavier"`` or ``"default"`` (PyTorch's).

    Raises:
        ValueError: if the stack is impossible, saying at which layer and why.
    """

    def __init__(
        self,
        kinds: Sequence[str] = ("3d", "3d", "3d", "3d"),
        image_size: int = 64,
        num_frames: int = 16,
        base_channels: int = 64,
        *,
        in_channels: int = 3,
        bias: bool = False,
        train_beta: bool = True,
        aggregation: str = "mean",
        init: str = "uniform",
    ) -> None:
        super().__init__()
        if aggregation not in AGGREGATIONS:
            raise ValueError(f"aggregation {aggregation!r} is unknown: choose one of {AGGREGATIONS}")
        self.kinds = tuple(kinds)
        if not self.kinds:
            raise ValueError("kinds is empty: name the kind of at least one layer, for example ('3d', '2d')")
        self.image_size, self.num_frames, self.in_channels = image_size, num_frames, in_channels
        self.aggregation = aggregation

        frames, size, channels = num_frames, image_size, in_channels
        self.layers = nn.ModuleList()
        for number, kind in enumerate(self.kinds):
            if kind not in LAYER_KINDS:
                raise ValueError(f"layer c{number} is of unknown kind {kind!r}: choose among {sorted(LAYER_KINDS)}")
            out_channels = base_channels * 2**number
            parts = LAYER_KINDS[kind](channels, out_channels, space=(4, 2, 1), time=(4, 2, 1), bias=bias)
            for convolution in (part for part in parts if isinstance(part, nn.Conv3d)):
                frames, size = _output_length(convolution, 0, frames), _output_length(convolution, 1, size)
            if frames < 1 or size < 1:
                short = "time" if frames < 1 else "space"
                raise ValueError(
                    f"layer c{number} ({kind!r}) has no {short} left to halve: {num_frames} frames of "
                    f"{image_size}×{image_size} pixels are too few for kinds {self.kinds}"
                )
            if number > 0:  # as in DCGAN: no normalisation on the layer that sees the pixels
                norm = nn.BatchNorm3d(out_channels)
                norm.bias.requires_grad_(train_beta)
                parts.append(norm)
            self.layers.append(nn.Sequential(*parts, nn.LeakyReLU(LEAKY_SLOPE)))
            channels = out_channels
        self.head = nn.Conv2d(channels, 1, size, bias=bias)
        initialize_(self, init)
        self.layers.to(memory_format=torch.channels_last_3d)

    def features(self, videos: Tensor) -> list[Tensor]:
        """The output of every layer: a list of ``(N, channels, T, H, W)``, shallowest first."""
        check_video(
            videos,
            channels=self.in_channels,
            num_frames=self.num_frames,
            image_size=self.image_size,
            who=type(self).__name__,
        )
        outputs, x = [], videos.contiguous(memory_format=torch.channels_last_3d)
        for layer in self.layers:
            x = layer(x)
            outputs.append(x)
        return outputs

    def forward(self, videos: Tensor) -> Tensor:
        """Videos ``(N, C, T, H, W)`` in [-1, 1] → one unbounded score each, ``(N,)``."""
        x = self.features(videos)[-1]
        if self.aggregation == "per-frame":
            n, t = x.shape[0], x.shape[2]
            return self.head(x.transpose(1, 2).flatten(0, 1)).view(n, t).mean(1)
        reduce = {"mean": torch.mean, "max": torch.amax, "sum": torch.sum}[self.aggregation]
        return self.head(reduce(x, dim=2)).flatten()


def _output_length(convolution: nn.Conv3d, axis: int, length: int) -> int:
    """Length of a convolution's output along an axis (0 time, 1 height, 2 width); 0 where it does not fit."""
    kernel, stride = convolution.kernel_size[axis], convolution.stride[axis]
    return max(0, (length + 2 * convolution.padding[axis] - kernel) // stride + 1)
