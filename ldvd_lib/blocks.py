"""The layers that discriminators and generators are built from.

Videos are ``(N, C, T, H, W)``. Convolutions run fastest with the channels innermost in memory (on two CPU cores up to
twice as fast, and on tensor cores too), so modules keep their weights in a channels-last format and hand it on.
"""

import math
from collections.abc import Callable

from torch import Tensor, nn

LEAKY_SLOPE = 0.2

INITIALIZATIONS: dict[str, Callable[[Tensor], object]] = {
    # TGAN's published configuration: every weight uniform in ±0.01.
    "uniform": lambda weight: nn.init.uniform_(weight, -0.01, 0.01),
    # TGAN's teaching notebook: Xavier with the gain of a ReLU.
    "xavier": lambda weight: nn.init.xavier_uniform_(weight, gain=math.sqrt(2)),
}


def initialize_(module: nn.Module, scheme: str) -> nn.Module:
    """Draw the weights of every linear and convolutional layer anew; biases become zero, normalisation stays.

    Args:
        module: any module; changed in place.
        scheme: ``"uniform"`` (±0.01), ``"xavier"`` (gain √2) or ``"default"`` (leave PyTorch's own).

    Returns:
        The same module.

    Raises:
        ValueError: for an unknown scheme.

    The draws come from torch's global generator; `ldvd_lib.gan.VideoGANConfig.build` seeds it without disturbing the
    caller's.
    """
    if scheme == "default":
        return module
    if scheme not in INITIALIZATIONS:
        raise ValueError(f"initialisation {scheme!r} is unknown: choose one of {[*INITIALIZATIONS, 'default']}")
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd):
            INITIALIZATIONS[scheme](layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module


def check_video(video: Tensor, *, channels: int, num_frames: int | None, image_size: int, who: str) -> None:
    """Raise a `ValueError` that says what `who` expected unless `video` is ``(N, channels, num_frames, size, size)``.

    With ``num_frames=None`` any positive number of frames will do.
    """
    shape = tuple(video.shape)
    frames_fit = len(shape) == 5 and (shape[2] >= 1 if num_frames is None else shape[2] == num_frames)
    if not (frames_fit and shape[1] == channels and shape[3:] == (image_size, image_size)):
        expected = f"(N, {channels}, {'T' if num_frames is None else num_frames}, {image_size}, {image_size})"
        raise ValueError(
            f"{who} was given a tensor of shape {shape}, but it was built for videos of shape {expected}, "
            "that is (batch, channels, frames, height, width): resize or reorder the video, or build for its size"
        )
    if not video.is_floating_point():
        raise ValueError(f"{who} was given {video.dtype}; videos are floats in [-1, 1]: use ldvd_lib.video.to_float")


def _conv3d(in_channels: int, out_channels: int, kernel: tuple, stride: tuple, padding: tuple, bias: bool) -> nn.Conv3d:
    return nn.Conv3d(in_channels, out_channels, kernel, stride=stride, padding=padding, bias=bias)


def conv_3d(in_channels: int, out_channels: int, *, space: tuple, time: tuple, bias: bool) -> list[nn.Module]:
    """A full 3D kernel: space and time mixed in one operation."""
    (k, s, p), (kt, st, pt) = space, time
    return [_conv3d(in_channels, out_channels, (kt, k, k), (st, s, s), (pt, p, p), bias)]


def conv_2d(in_channels: int, out_channels: int, *, space: tuple, time: tuple, bias: bool) -> list[nn.Module]:
    """A 2D kernel on every frame by itself: ⌊1, k, k⌋; `time` is not touched."""
    k, s, p = space
    return [_conv3d(in_channels, out_channels, (1, k, k), (1, s, s), (0, p, p), bias)]


# A kind of layer: (in, out, space=(kernel, stride, padding), time=(kernel, stride, padding), bias) → convolutions with
# what stands between them. Normalisation and activation after the last are the stack's business.
LAYER_KINDS: dict[str, Callable[..., list[nn.Module]]] = {"3d": conv_3d, "2d": conv_2d}
