"""Spectral normalisation: every weight, as a matrix, is divided by its largest singular value.

Source: Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks".
"""

from typing import TypeVar

from torch import Tensor, nn
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.parametrize import is_parametrized, register_parametrization

Module = TypeVar("Module", bound=nn.Module)


class SpectralNorm(_SpectralNorm):
    """PyTorch's. On the meta device, where arithmetic is slow and comes to nothing, its vectors have sizes only."""

    def __init__(self, weight: Tensor, *, dim: int) -> None:
        if not weight.is_meta:
            super().__init__(weight, dim=dim)
            return
        nn.Module.__init__(self)
        self.dim, self.eps, self.n_power_iterations = dim, 1e-12, 1
        for name, size in zip(("_u", "_v"), self._reshape_weight_to_matrix(weight).shape, strict=True):
            self.register_buffer(name, weight.new_empty(size))

    def _power_method(self, weight_mat: Tensor, n_power_iterations: int) -> None:
        if not weight_mat.is_meta:
            super()._power_method(weight_mat, n_power_iterations)


def spectral_(module: Module) -> Module:
    """Give every linear, convolutional and embedding layer of a module a weight of spectral norm 1.

    The norm is estimated by power iteration: one step whenever the weight is used in training, from two vectors that
    are buffers of the layer. In evaluation they rest, so that a network gives the same for the same.

    Args:
        module: changed in place; what is learnt is the weight before it is divided.

    Returns:
        The same module.
    """
    for layer in [m for m in module.modules() if isinstance(m, nn.Linear | nn.modules.conv._ConvNd | nn.Embedding)]:
        outputs = 1 if isinstance(layer, nn.modules.conv._ConvTransposeNd) else 0  # this axis of the weight is theirs
        norm = SpectralNorm(layer.weight, dim=outputs)
        register_parametrization(layer, "weight", norm, unsafe=layer.weight.is_meta)  # where there is nothing to check
    return module


def settle_(module: Module, steps: int = 10) -> Module:
    """Let power iteration catch up with weights that training did not lead to step by step, such as an average.

    Args:
        module: changed in place: the vectors of its spectral normalisation. Layers in evaluation mode stay as they are.
        steps: of power iteration.

    Returns:
        The same module.
    """
    for layer in module.modules():
        if is_parametrized(layer, "weight"):
            for _ in range(steps):
                _ = layer.weight  # in training, each reading is a step
    return module
