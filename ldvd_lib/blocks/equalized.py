"""Equalised learning rate: weights are kept at unit scale, and multiplied by their scale where they are used.

Source: Karras et al. 2018, "Progressive Growing of GANs for Improved Quality, Stability, and Variation", section 4.1.
"""

import math
from typing import TypeVar, cast

from torch import Tensor, nn
from torch.nn.utils import parametrize

Layer = TypeVar("Layer", bound=nn.Module)


class Scale(nn.Module):
    """Multiplies a weight by a constant."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, weight: Tensor) -> Tensor:
        """A tensor of any shape → one of the same shape."""
        return weight * self.factor

    def extra_repr(self) -> str:
        """For `print`."""
        return f"{self.factor:.4g}"


def he_normal_(layer: Layer, *, gain: float = math.sqrt(2), equalized: bool = True) -> Layer:
    """Draw a layer's weight with He's standard deviation, gain / √(inputs of an output); its bias becomes zero.

    Args:
        layer: linear, convolutional, or a transposed convolution whose outputs do not overlap. Changed in place.
        gain: √2 before a ReLU, 1 before nothing.
        equalized: keep the weight at standard deviation 1, and multiply it wherever it is used. To an optimiser that
            divides gradients by their size, such as Adam, this is a learning rate proportional to the deviation: every
            layer changes by as large a share of itself.

    Returns:
        The same layer.
    """
    weight = cast(Tensor, layer.weight)
    # The weight of a transposed convolution has inputs first, and each output place has one tap of each.
    transposed = isinstance(layer, nn.modules.conv._ConvTransposeNd)
    inputs = weight.shape[0] if transposed else weight[0].numel()
    deviation = gain / math.sqrt(inputs)
    nn.init.normal_(weight, std=1.0 if equalized else deviation)
    if isinstance(layer.bias, Tensor):
        nn.init.zeros_(layer.bias)
    if equalized:
        parametrize.register_parametrization(layer, "weight", Scale(deviation))
    return layer
