"""Instance noise, and where it is drawn from."""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn


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
