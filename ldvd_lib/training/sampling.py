"""Drawing videos from a generator, reproducibly."""

import contextlib
import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ldvd_lib._kit.checks import whole_number
from ldvd_lib.blocks import settle_
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.latents import with_category


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
def calibrate_(generator: VideoGenerator, *, videos: int = 128, batch_size: int = 32, seed: int = 0) -> VideoGenerator:
    """Measure the batch normalisation statistics of a generator anew, in place.

    An average of weights needs statistics of its own: those that training kept belong to the weights of the moment.
    With them, a latent gives the same video whatever else is in its batch. The same goes for the vectors of spectral
    normalisation, which are brought up to date first.

    What is frozen stays as it is: layers of which nothing is learnt, and those that are in evaluation mode whatever the
    mode of the generator. So does everything if the generator fails.

    Args:
        generator: any generator of `ldvd_lib.generators`.
        videos: how many videos to measure on, at least 2.
        batch_size: videos at once, at least 2.
        seed: of their latents.

    Returns:
        The same generator, each module in the mode in which it was.

    Raises:
        ValueError: for fewer than two videos, of which there are no statistics.
    """
    whole_number("videos", videos, least=2)
    whole_number("batch_size", batch_size, least=2)
    norms = [layer for layer in generator.modules() if isinstance(layer, _BatchNorm)]
    if not norms:
        return generator
    random = torch.Generator().manual_seed(seed)
    modes = {module: module.training for module in generator.modules()}
    generator.train()
    for layer in norms:
        if not _learns(layer):
            layer.eval()
    layers = [layer for layer in norms if layer.track_running_stats and layer.training]
    momenta = [layer.momentum for layer in layers]
    before = [(buffer, buffer.clone()) for buffer in generator.buffers()]
    try:
        settle_(generator)
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # all batches count the same
        # Even pieces: a rest of one video would have no variance.
        for piece in torch.arange(videos).tensor_split(math.ceil(videos / batch_size)):
            generator(generator.sample_latents(len(piece), generator=random))
    except BaseException:
        for buffer, value in before:
            buffer.copy_(value)
        raise
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        for module, mode in modes.items():
            module.training = mode
    return generator


def _learns(layer: _BatchNorm) -> bool:
    """Whether training changes a layer; one without weights does as the rest does."""
    return layer.weight is None or layer.weight.requires_grad or layer.bias.requires_grad


def sample_videos(
    generator: VideoGenerator, n: int = 16, *, seed: int = 0, latents: Tensor | None = None, batch_size: int = 32
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


def latents_of_each_class(generator: VideoGenerator, *, seed: int = 0) -> Tensor:
    """A latent for each class that a generator is told, in their order: ``(classes, latent_dim)``.

    Args:
        generator: one whose latents have a part ``category``.
        seed: of all else in the latents, which are drawn on the CPU.

    Raises:
        ValueError: if it is told no classes.
    """
    part = generator.latent_parts.get("category")
    if part is None:
        raise ValueError(f"{type(generator).__name__} is told no classes: its latents have {generator.latent_parts}")
    classes = torch.arange(part.stop - part.start)
    latents = generator.sample_latents(len(classes), generator=torch.Generator().manual_seed(seed))
    return with_category(latents, part, classes)
