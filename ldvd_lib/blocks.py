"""The layers that discriminators and generators are built from.

Videos are ``(N, C, T, H, W)``. Convolutions run fastest with the channels innermost in memory (on two CPU cores up to
twice as fast, and on tensor cores too), so modules keep their weights in a channels-last format and hand it on.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
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


def doublings(size: int, start: int, what: str) -> int:
    """How often `start` must double to reach `size`: at least once, or a `ValueError` that names `what`."""
    levels = round(math.log2(size / start)) if size > start else 0
    if levels < 1 or start * 2**levels != size:
        raise ValueError(f"{what} is {size}, but must be {start} times a power of two and at least {2 * start}")
    return levels


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


class TemporalShift(nn.Module):
    """Moves some channels one way in time and as many the other, so that the next layer sees neighbouring frames.

    Args:
        fraction: of the channels moved *each* way; of ``C`` channels that is ``int(C · fraction)``.
        distance: frames they move by; what comes in at the ends is zero.

    Raises:
        ValueError: if `fraction` is not in (0, 0.5] or `distance` is not positive.

    Source: LDVD paper, section on TSM; Lin et al. 2019, "TSM: Temporal Shift Module". No parameters, no arithmetic.
    """

    def __init__(self, fraction: float = 0.25, distance: int = 1) -> None:
        super().__init__()
        if not 0 < fraction <= 0.5:
            raise ValueError(f"shift fraction is {fraction}, but a share in (0, 0.5] of the channels moves each way")
        if distance < 1:
            raise ValueError(f"shift distance is {distance}, but must be at least 1 frame")
        self.fraction, self.distance = fraction, distance

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, T, H, W)`` → the same shape: ``x[:, :k]`` later by `distance`, ``x[:, k:2k]`` earlier."""
        return _Shift.apply(x, int(x.shape[1] * self.fraction), self.distance)

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"fraction={self.fraction}, distance={self.distance}"


class _Shift(torch.autograd.Function):
    """Every element is written once. Slicing, padding and joining would write up to four times as many bytes."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, moved: int, distance: int) -> Tensor:
        out, length = torch.empty_like(x), x.shape[2]
        gap = min(abs(distance), length)
        later, earlier = slice(0, moved), slice(moved, 2 * moved)
        if distance < 0:
            later, earlier = earlier, later
        out[:, 2 * moved :] = x[:, 2 * moved :]
        out[:, later, :gap] = 0
        out[:, later, gap:] = x[:, later, : length - gap]
        out[:, earlier, length - gap :] = 0
        out[:, earlier, : length - gap] = x[:, earlier, gap:]
        return out

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: Tensor) -> None:
        _, ctx.moved, ctx.distance = inputs

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        # The transpose of a shift is the shift back; being this function itself, it can be differentiated again.
        return _Shift.apply(gradient, ctx.moved, -ctx.distance), None, None

    @staticmethod
    def jvp(ctx, tangent: Tensor, *_: None) -> Tensor:
        return _Shift.apply(tangent, ctx.moved, ctx.distance)


class InstanceNoise(nn.Module):
    """Adds Gaussian noise of a standard deviation in training, nothing in evaluation (MoCoGAN's, off by default)."""

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.sigma = sigma
        self.random: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Any shape → the same shape; drawn from torch's global generator unless `noise_from` says from which."""
        return x + self.sigma * torch.empty_like(x).normal_(generator=self.random) if self.training else x

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"sigma={self.sigma}"


@contextlib.contextmanager
def noise_from(random: torch.Generator, *modules: nn.Module) -> Iterator[None]:
    """Within the block, all instance noise in some modules is drawn from a generator on their device.

    Torch's global generator is everybody's: what another thread draws from it meanwhile would change the noise, and
    the noise what that thread draws.
    """
    layers = [layer for module in modules for layer in module.modules() if isinstance(layer, InstanceNoise)]
    before = [layer.random for layer in layers]
    for layer in layers:
        layer.random = random
    try:
        yield
    finally:
        for layer, own in zip(layers, before, strict=True):
            layer.random = own


@dataclass(frozen=True)
class LayerGeometry:
    """Kernel size, stride and padding of a strided layer, in space and in time."""

    space: tuple[int, int, int] = (4, 2, 1)
    time: tuple[int, int, int] = (4, 2, 1)

    def __post_init__(self) -> None:
        for name in ("space", "time"):
            kernel, stride, padding = getattr(self, name)
            if kernel < 1 or stride < 1 or padding < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, but must be (kernel ≥ 1, stride ≥ 1, padding ≥ 0)")

    def convolution(self, in_channels: int, out_channels: int, *, space: bool, time: bool, bias: bool) -> nn.Conv3d:
        """A convolution over space, over time or over both; the other kernel axes are 1."""
        over_space, over_time = self.space if space else (1, 1, 0), self.time if time else (1, 1, 0)
        kernel, stride, padding = ((t, s, s) for t, s in zip(over_time, over_space, strict=True))
        return nn.Conv3d(in_channels, out_channels, kernel, stride=stride, padding=padding, bias=bias)


LAYER_KINDS = ("3d", "2+1d", "2d", "shift")


def strided_layer(
    kind: str,
    in_channels: int,
    out_channels: int,
    *,
    geometry: LayerGeometry,
    finish: Sequence[nn.Module] = (),
    bias: bool = False,
    noise: float = 0.0,
    shift: TemporalShift | None = None,
) -> nn.Sequential:
    """One layer of a discriminator, of any kind of the paper.

    ``"3d"``: one kernel over time and space. ``"2+1d"`` (factorized, Eq. 4): a 2D kernel on every frame, a leaky ReLU,
    then a 1D kernel along time. ``"2d"``: a 2D kernel on every frame; time is not touched. ``"shift"``: as ``"2d"``,
    and some of the output's channels move in time.

    Args:
        kind: one of `LAYER_KINDS`.
        in_channels, out_channels: channels.
        geometry: kernel, stride, padding in space and time.
        finish: what follows the convolutions: normalisation and an activation with f(0) = 0, or nothing.
        bias: biases in the convolutions.
        noise: standard deviation of the noise added to the layer's input; 0 for none.
        shift: how a ``"shift"`` layer moves channels; default a quarter each way by one frame.

    Returns:
        The layer.

    Raises:
        ValueError: for an unknown kind.
    """
    over = {"3d": [(True, True)], "2+1d": [(True, False), (False, True)]}.get(kind, [(True, False)])
    if kind not in LAYER_KINDS:
        raise ValueError(f"layer kind {kind!r} is unknown: choose one of {LAYER_KINDS}")
    parts: list[nn.Module] = [InstanceNoise(noise)] if noise else []
    for number, (space, time) in enumerate(over):
        if number:
            parts.append(nn.LeakyReLU(LEAKY_SLOPE, inplace=True))
        before = out_channels if number else in_channels
        parts.append(geometry.convolution(before, out_channels, space=space, time=time, bias=bias))
    parts += finish
    if kind == "shift":
        # Before the activation, which leaves zeros zero and so does not mind. It then works in the shifted copy, whose
        # result is what the next layer keeps; behind it, both copies would be kept for the backward pass.
        parts.insert(len(parts) - bool(finish), shift or TemporalShift())
    return nn.Sequential(*parts)
