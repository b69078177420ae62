"""Where videos to be judged come from: a seed's sequence of them, of which any stretch can be had at any time.

A source is a function of a seed, of how many videos there shall be, and of a position among them; it gives the videos
from there on, in batches. They are the same ones however they are asked for, so that an interrupted evaluation goes on
without making again what it has judged.
"""

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from ldvd_lib.data import ClipStore, Windows, WindowSampler

# seed, count, first position → batches (n, 3, T, H, W) in [-1, 1]
Source = Callable[[int, int, int], Iterator[Tensor]]


def from_generator(generator: nn.Module, *, batch_size: int = 32) -> Source:
    """Videos of a generator, which is put into evaluation mode: there a latent's video depends on nothing else.

    Args:
        generator: any generator of `ldvd_lib.generators`, on the device where it shall work.
        batch_size: videos at once (bounds the memory).
    """

    @torch.no_grad()
    def source(seed: int, count: int, start: int = 0) -> Iterator[Tensor]:
        weight = next(generator.parameters())
        generator.eval()
        # Drawn on the CPU, and so the same on every device.
        latents = generator.sample_latents(count, generator=torch.Generator().manual_seed(seed))
        for batch in latents[start:].split(batch_size):
            yield generator(batch.to(weight)).float()

    return source


def from_store(store: ClipStore, *, num_frames: int = 16, batch_size: int = 32, short: str = "error") -> Source:
    """Real videos: windows of clips drawn with replacement, at places drawn at random.

    Args:
        store: the clips.
        num_frames: consecutive frames of a window.
        batch_size: windows at once (bounds the memory).
        short: what becomes of clips that are shorter, ``"error"`` or ``"loop"``.
    """

    def source(seed: int, count: int, start: int = 0) -> Iterator[Tensor]:
        sampler = WindowSampler(store, batch_size=count, num_frames=num_frames, short=short, seed=seed)
        drawn = sampler.draw()
        for first in range(start, count, batch_size):
            some = slice(first, first + batch_size)
            yield sampler.gather(Windows(drawn.clips[some], drawn.frames[some], drawn.flipped[some]))

    return source


def describe_store(store: ClipStore) -> str:
    """What windows of a store are windows of, in words that change when its clips do."""
    some = np.linspace(0, len(store.frames) - 1, min(256, len(store.frames)), dtype=np.int64)
    digest = hashlib.sha256(store.lengths.tobytes() + store.frames[some].tobytes()).hexdigest()
    subset = store.parameters["subset"]
    return f"windows of {len(store):,} clips ({subset}), {store.image_size} px ({digest:.8})"


def digest_weights(module: nn.Module) -> str:
    """SHA-256 of a module's weights and buffers."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
