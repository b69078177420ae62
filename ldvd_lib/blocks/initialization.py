"""First weights."""

import math
from collections.abc import Callable

from torch import Tensor, nn

from ldvd_lib._kit.checks import one_of

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
    one_of("initialisation", scheme, (*INITIALIZATIONS, "default"))
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd):
            INITIALIZATIONS[scheme](layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module
