"""First weights."""

import math
from collections.abc import Callable
from typing import TypeVar

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ldvd_lib._kit.checks import one_of

INITIALIZATIONS: dict[str, Callable[[Tensor], object]] = {
    # TGAN's published configuration: every weight uniform in ±0.01.
    "uniform": lambda weight: nn.init.uniform_(weight, -0.01, 0.01),
    # TGAN's teaching notebook: Xavier with the gain of a ReLU.
    "xavier": lambda weight: nn.init.xavier_uniform_(weight, gain=math.sqrt(2)),
    # VGAN's published code: standard deviation 0.01; and 0.02 around 1 for the scales of batch normalisation.
    "normal": lambda weight: nn.init.normal_(weight, std=0.01),
    # BigGAN's and DVD-GAN's (Saxe et al. 2014): as a matrix, all singular values of a weight are 1.
    "orthogonal": lambda weight: nn.init.orthogonal_(weight),
}

Layer = TypeVar("Layer", bound=nn.Linear | nn.modules.conv._ConvNd)


def glorot_(layer: Layer, gain: float = 1.0) -> Layer:
    """Draw a layer's weights uniformly, as wide as its inputs and outputs together ask for (Glorot & Bengio 2010).

    Args:
        layer: linear or convolutional; changed in place, its bias to zero.
        gain: √2 where half of what comes out is cut off by a ReLU.

    Returns:
        The same layer.
    """
    nn.init.xavier_uniform_(layer.weight, gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def lecun_(layer: Layer) -> Layer:
    """Draw a layer's weights from a normal distribution of variance 1 / inputs (LeCun et al. 1998), Chainer's default.

    Args:
        layer: linear or convolutional; changed in place, its bias to zero.

    Returns:
        The same layer.
    """
    nn.init.normal_(layer.weight, std=1 / math.sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def initialize_(module: nn.Module, scheme: str) -> nn.Module:
    """Draw the weights of every linear, convolutional and embedding layer anew; biases become zero.

    Normalisation stays as it is, but for the scheme ``"normal"``.

    Args:
        module: any module; changed in place.
        scheme: ``"uniform"`` (±0.01), ``"xavier"`` (gain √2), ``"normal"`` (standard deviation 0.01; scales of batch
            normalisation 1 ± 0.02), ``"orthogonal"`` or ``"default"`` (leave PyTorch's own).

    Returns:
        The same module.

    Raises:
        ValueError: for an unknown scheme.

    The draws come from torch's global generator; `ldvd_lib.gan.VideoGANConfig.build` seeds it without disturbing the
    caller's.
    """
    if scheme == "default":
        return module
    one_of("initialisation", scheme, (*INITIALIZATIONS, "default"))
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd | nn.Embedding):
            INITIALIZATIONS[scheme](layer.weight)
            if isinstance(bias := getattr(layer, "bias", None), Tensor):
                nn.init.zeros_(bias)
        elif scheme == "normal" and isinstance(layer, _BatchNorm):
            nn.init.normal_(layer.weight, 1.0, 0.02)
    return module
