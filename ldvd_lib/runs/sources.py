"""Where videos to be judged come from: a seed decides a sequence, and any part of it can be made at any time.

A source is a function of a seed, a number of videos, and a first position. It gives the videos from that position on,
in batches. A video at a position is always the same, so an interrupted evaluation can continue without making again
what it has judged.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from ldvd_lib.data import ClipStore, Windows, WindowSampler
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.metrics.evaluation import Source


def from_generator(generator: VideoGenerator, *, num_frames: int | None = None, batch_size: int = 32) -> Source:
    """Videos of a generator, which is put into evaluation mode: there a latent's video depends on nothing else.

    Args:
        generator: any generator of `ldvd_lib.generators`, on the device that it is to use.
        num_frames: consecutive frames of a window; clips that are longer give one at a random place. None for whole
            clips, whatever their length.
        batch_size: videos at once (bounds the memory).

    Raises:
        ValueError: if its clips are shorter than a window.
    """
    length = generator.num_frames if num_frames is None else num_frames
    check_length(generator, length)
    places = generator.num_frames - length + 1

    @torch.no_grad()
    def source(seed: int, count: int, start: int = 0) -> Iterator[Tensor]:
        weight = next(generator.parameters())
        generator.eval()
        # Drawn on the CPU: the same on every device. Drawn all at once: the same, whatever the first position.
        random = torch.Generator().manual_seed(seed)
        latents = generator.sample_latents(count, generator=random)
        first_frames = torch.randint(places, (count,), generator=random) if places > 1 else None
        for first in range(start, count, batch_size):
            batch = slice(first, first + batch_size)
            videos = generator(latents[batch].to(weight)).float()
            yield videos if first_frames is None else _windows(videos, first_frames[batch], length)

    return source


def check_length(generator: VideoGenerator, num_frames: int) -> None:
    """Check that windows can be cut from a generator's clips; call it before anything is computed.

    Raises:
        ValueError: if the clips are shorter.
    """
    if generator.num_frames < num_frames:
        raise ValueError(
            f"windows of {num_frames} frames are judged, and the generator makes clips of {generator.num_frames}: "
            f"judge a model whose clips have {num_frames} frames or more"
        )


def describe_windows(generator: VideoGenerator, num_frames: int) -> str:
    """Which part of its clips is judged, in words; empty if it is all of them."""
    return "" if generator.num_frames == num_frames else f"windows of {num_frames} of {generator.num_frames} frames"


def _windows(videos: Tensor, first_frames: Tensor, num_frames: int) -> Tensor:
    """``(N, C, T, H, W)`` → ``(N, C, num_frames, H, W)``, each from its own first frame on."""
    pairs = zip(videos, first_frames.tolist(), strict=True)
    return torch.stack([video[:, first : first + num_frames] for video, first in pairs])


def from_store(
    store: ClipStore, *, num_frames: int = 16, stride: int = 1, batch_size: int = 32, short: str = "error"
) -> Source:
    """Real videos: windows of clips drawn with replacement, at places drawn at random.

    Args:
        store: the clips.
        num_frames: frames of a window.
        stride: distance from one frame to the next.
        batch_size: windows at once (bounds the memory).
        short: what to do with clips that are shorter, ``"error"`` or ``"loop"``.
    """

    def source(seed: int, count: int, start: int = 0) -> Iterator[Tensor]:
        sampler = WindowSampler(store, batch_size=count, num_frames=num_frames, stride=stride, short=short, seed=seed)
        drawn = sampler.draw()
        for first in range(start, count, batch_size):
            batch = slice(first, first + batch_size)
            yield sampler.gather(Windows(drawn.clips[batch], drawn.frames[batch], drawn.flipped[batch]))

    return source


def describe_store(store: ClipStore) -> str:
    """What windows of a store are windows of, in words that change when its clips do; not with where the store is.

    The hash in it is of lengths and of 256 frames, evenly spaced, if the store is of a subset of a data set, where that
    tells one from another and need not read gigabytes; of arrays of one's own, it is of every frame.
    """
    subset, frames = store.parameters.get("subset"), store.frames
    if subset is not None:
        frames = frames[np.linspace(0, len(frames) - 1, min(256, len(frames)), dtype=np.int64)]
    digest = hashlib.sha256(store.lengths.tobytes())
    digest.update(np.ascontiguousarray(frames).data)
    part = "" if subset is None else f" ({subset})"
    return f"windows of {len(store):,} clips{part}, {store.image_size} px ({digest.hexdigest():.8})"


def digest_weights(module: nn.Module) -> str:
    """SHA-256 of a module's weights and buffers."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
