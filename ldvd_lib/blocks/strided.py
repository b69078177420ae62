"""The strided layers of the discriminators, of every kind of the paper."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from ldvd_lib._kit.checks import one_of
from ldvd_lib.blocks.noise import InstanceNoise
from ldvd_lib.blocks.shift import TemporalShift

LEAKY_SLOPE = 0.2


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
    one_of("layer kind", kind, LAYER_KINDS)
    over = {"3d": [(True, True)], "2+1d": [(True, False), (False, True)]}.get(kind, [(True, False)])
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
