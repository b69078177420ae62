"""Drawing videos from a generator, reproducibly."""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn


@contextlib.contextmanager
def evaluation(module: nn.Module) -> Iterator[nn.Module]:
    """A module in evaluation mode and without gradients; every submodule's mode is restored afterwards."""
    modes = {child: child.training for child in module.modules()}
    module.eval()
    try:
        with torch.no_grad():
            yield module
    finally:
        for child, mode in modes.items():
            child.training = mode


@torch.no_grad()
def calibrate_(generator: nn.Module, *, videos: int = 128, batch_size: int = 32, seed: int = 0) -> nn.Module:
    """Measure the batch normalisation statistics of a generator anew, in place.

    An average of weights needs statistics of its own: those that training kept belong to the weights of the moment.
    With them, a latent gives the same video whatever else is in its batch.

    Args:
        generator: any generator of `ldvd_lib.generators`.
        videos: how many videos to measure on.
        batch_size: videos at once.
        seed: of their latents.

    Returns:
        The same generator.
    """
    random = torch.Generator().manual_seed(seed)
    update_bn(
        (generator.sample_latents(min(batch_size, videos - i), generator=random) for i in range(0, videos, batch_size)),
        generator,
    )
    return generator


def sample_videos(
    generator: nn.Module, n: int = 16, *, seed: int = 0, latents: Tensor | None = None, batch_size: int = 32
) -> Tensor:
    """Videos of a generator in evaluation mode.

    Args:
        generator: any generator of `ldvd_lib.generators`.
        n: how many; ignored where `latents` are given.
        seed: of the latents, which are drawn on the CPU and so are the same on every device.
        latents: ``(N, latent_dim)`` to use instead.
        batch_size: videos generated at once (bounds the memory).

    Returns:
        float32 ``(N, 3, T, H, W)`` in [-1, 1] on the CPU.

    Raises:
        ValueError: if `n` is not positive.
    """
    if latents is None:
        if n < 1:
            raise ValueError(f"n is {n}, but at least one video must be asked for")
        latents = generator.sample_latents(n, generator=torch.Generator().manual_seed(seed))
    weight = next(generator.parameters())
    with evaluation(generator):
        return torch.cat([generator(batch.to(weight)).float().cpu() for batch in latents.split(batch_size)])
