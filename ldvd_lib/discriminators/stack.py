"""One discriminator for the whole paper: a stack of strided layers, each of one kind.

Source: LDVD paper, Tables 2–6 and 8; layer tables in MODELS §3.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from ldvd_lib._kit.checks import one_of
from ldvd_lib.batch import Batch
from ldvd_lib.blocks import (
    LEAKY_SLOPE,
    LayerGeometry,
    TemporalShift,
    check_video,
    initialize_,
    spectral_,
    strided_layer,
)
from ldvd_lib.discriminators.base import Discriminator

AGGREGATIONS = ("mean", "max", "sum", "per-frame")
HEADS = ("pooled", "volume", "two-way", "patch")


class VideoDiscriminator(Discriminator):
    """Scores videos with a stack of strided convolutional layers, one kind per layer.

    By default every layer halves height and width; a layer of kind ``"3d"`` or ``"2+1d"`` halves time too, one of kind
    ``"2d"`` or ``"shift"`` leaves it. With one frame and ``"2d"`` layers it is an image discriminator.

    Args:
        kinds: the kind of each layer; see `ldvd_lib.blocks.strided_layer`. Its length is the number of layers.
        image_size: height and width of the videos in pixels.
        num_frames: frames of the videos.
        base_channels: channels of the first layer; doubled by each following one.
        in_channels: colour channels.
        space, time: kernel, stride and padding of every layer in space and in time.
        head: ``"pooled"`` (TGAN: what is left of time is aggregated, one 2D convolution gives the score), ``"volume"``
            (MoCoGAN's non-patch: one 3D convolution over all that is left), ``"two-way"`` (VGAN: the same with an
            output for "real" and one for "generated"; the score is their difference, whose logistic loss is the cross
            entropy of their softmax), or ``"patch"`` (MoCoGAN: the last layer itself gives a map of scores, without
            normalisation and activation).
        aggregation: how time becomes one before a pooled head: ``"mean"``, ``"max"``, ``"sum"``, or ``"per-frame"``,
            which scores every time step and averages the scores.
        num_categories: class logits beside the score, for `scores_and_categories`.
        bias: biases in the convolutions. The paper's parameter reductions are met exactly without.
        train_beta: learn the offsets of the batch normalisation (the original TGAN code has none; the LDVD counts do).
        spectral: spectral normalisation (Miyato et al. 2018) of every convolution.
        noise: standard deviation of Gaussian noise before each layer in training.
        shift_fraction, shift_distance: see `ldvd_lib.blocks.TemporalShift`.
        norm_eps: what batch normalisation adds to the variance.
        init: ``"uniform"`` (TGAN's published ±0.01), ``"xavier"``, ``"normal"`` (VGAN's) or ``"default"`` (PyTorch's).

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
        space: tuple[int, int, int] = (4, 2, 1),
        time: tuple[int, int, int] = (4, 2, 1),
        head: str = "pooled",
        aggregation: str = "mean",
        num_categories: int = 0,
        bias: bool = False,
        train_beta: bool = True,
        spectral: bool = False,
        noise: float = 0.0,
        shift_fraction: float = 0.25,
        shift_distance: int = 1,
        norm_eps: float = 1e-5,
        init: str = "uniform",
    ) -> None:
        super().__init__()
        one_of("aggregation", aggregation, AGGREGATIONS)
        one_of("head", head, HEADS)
        self.kinds = tuple(kinds)
        if not self.kinds:
            raise ValueError("kinds is empty: name the kind of at least one layer, for example ('3d', '2d')")
        self.image_size, self.num_frames, self.in_channels = image_size, num_frames, in_channels
        self.head_kind, self.aggregation, self.num_categories = head, aggregation, num_categories
        outputs = (2 if head == "two-way" else 1) + num_categories

        geometry = LayerGeometry(space, time)
        frames, size, channels = num_frames, image_size, in_channels
        self.layers = nn.ModuleList()
        for number, kind in enumerate(self.kinds):
            scores = head == "patch" and number == len(self.kinds) - 1
            out_channels = outputs if scores else base_channels * 2**number
            finish: list[nn.Module] = [] if scores else [nn.LeakyReLU(LEAKY_SLOPE, inplace=True)]
            if number and not scores:  # as in DCGAN: no normalisation on the layer that sees the pixels
                norm = nn.BatchNorm3d(out_channels, norm_eps)
                norm.bias.requires_grad_(train_beta)
                finish.insert(0, norm)
            try:
                layer = strided_layer(
                    kind,
                    channels,
                    out_channels,
                    geometry=geometry,
                    finish=finish,
                    bias=bias,
                    noise=noise,
                    shift=TemporalShift(shift_fraction, shift_distance),
                )
            except ValueError as error:
                raise ValueError(f"layer c{number}: {error}") from error
            if scores and kind == "shift":
                layer = nn.Sequential(*list(layer)[:-1])  # nothing follows that could see shifted scores
            lengths = output_lengths(layer, (frames, size))
            for axis, before, after in zip(("frames", "pixels"), (frames, size), lengths, strict=True):
                if after < 1:
                    raise ValueError(
                        f"layer c{number} ({kind!r}) needs more {axis} than the {before} that reach it: {num_frames} "
                        f"frames of {image_size}×{image_size} pixels are too few for kinds {self.kinds}"
                    )
            frames, size = lengths
            if kind == "shift" and not scores and frames <= shift_distance:
                raise ValueError(
                    f"layer c{number} ('shift') moves channels by {shift_distance} of the {frames} frames that reach "
                    "it: nothing but zeros would be left of them; choose '2d' there, or halve time less often before"
                )
            self.layers.append(layer)
            channels = out_channels
        self.head: nn.Module | None = None
        if head == "pooled":
            self.head = nn.Conv2d(channels, outputs, size, bias=bias)
        elif head in ("volume", "two-way"):
            self.head = nn.Conv3d(channels, outputs, (frames, size, size), bias=bias)
        initialize_(self, init)
        if spectral:
            spectral_(self)
        self.layers.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # torch does not declare it

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
        """Videos ``(N, C, T, H, W)`` in [-1, 1] → unbounded scores: ``(N,)``, or of patches ``(N, T', H', W')``."""
        return self.scores_and_categories(videos)[0]

    def score(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """As `Discriminator.score`."""
        # Without categories as a module is called, for that is what is compiled.
        return self.scores_and_categories(batch.video) if self.num_categories else (self(batch.video), None)

    def scores_and_categories(self, videos: Tensor) -> tuple[Tensor, Tensor]:
        """As `forward`, and class logits.

        Returns:
            Scores as `forward`; logits ``(N, num_categories)``, with ``T', H', W'`` behind for patches.
        """
        x = self.features(videos)[-1]
        if self.head_kind == "patch":
            return x[:, 0], x[:, 1:]
        if self.head_kind == "two-way":
            x = self._to_outputs(x).flatten(1)
            return x[:, 0] - x[:, 1], x[:, 2:]
        if self.head_kind == "volume":
            x = self._to_outputs(x).flatten(1)
        elif self.aggregation == "per-frame":
            n, t = x.shape[0], x.shape[2]
            x = self._to_outputs(x.transpose(1, 2).flatten(0, 1)).view(n, t, -1).mean(1)
        else:
            x = x.amax(2) if self.aggregation == "max" else x.sum(2) if self.aggregation == "sum" else x.mean(2)
            x = self._to_outputs(x).flatten(1)
        return x[:, 0], x[:, 1:]

    def _to_outputs(self, x: Tensor) -> Tensor:
        return cast(nn.Module, self.head)(x)


def output_lengths(layer: nn.Sequential, lengths: tuple[int, int]) -> tuple[int, int]:
    """What a layer makes of a number of frames and a number of pixels along a side; 0 where its kernel does not fit."""
    frames, pixels = lengths
    for convolution in (part for part in layer if isinstance(part, nn.Conv3d)):
        time, space = (
            (convolution.kernel_size[axis], convolution.stride[axis], convolution.padding[axis]) for axis in (0, 1)
        )
        frames, pixels = _strided(frames, *time), _strided(pixels, *space)
    return frames, pixels


def _strided(length: int, kernel: int, stride: int, padding: int | str) -> int:
    return max(0, (length + 2 * int(padding) - kernel) // stride + 1)
