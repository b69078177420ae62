"""Training a small C3D on a labelled set of clips, so that the metrics mean something without published weights."""

from typing import cast

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from tqdm.auto import tqdm

from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.metrics.c3d import C3D
from ldvd_lib.metrics.classifier import IMAGE_SIZE, SMALL
from ldvd_lib.video import to_float


def train_classifier(
    store: ClipStore,
    *,
    steps: int,
    batch_size: int = 32,
    rate: float = 1e-3,
    weight_decay: float = 1e-2,
    seed: int = 0,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> C3D:
    """Train a small C3D to tell a store's classes apart.

    Windows of 16 frames at any place, mirrored at random; AdamW, the rate falling to zero along a cosine.

    Args:
        store: clips of 32 px with labels.
        steps: batches.
        batch_size: windows in a batch.
        rate, weight_decay: AdamW's.
        seed: of weights, windows and dropout.
        device: where to train.
        progress: show a progress bar.

    Returns:
        The network, in evaluation mode, on the CPU.

    Raises:
        ValueError: if the store's clips have another size.
    """
    if store.image_size != IMAGE_SIZE:
        raise ValueError(f"the store has clips of {store.image_size} px, and {IMAGE_SIZE} px are needed")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = C3D(len(store.class_names), **SMALL).to(device).train()
        optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=weight_decay)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        sampler = WindowSampler(store, batch_size=batch_size, flip=True, short="loop", device=device, seed=seed)
        bar = tqdm(range(steps), desc="classifier", disable=not progress)
        for step in bar:
            batch = sampler.next_batch()
            loss = cross_entropy(network(batch.video), cast(Tensor, batch.labels))  # a store's clips all have labels
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            if step % 10 == 0:
                bar.set_postfix(loss=f"{loss.item():.3f}")
    return network.eval().cpu()


@torch.no_grad()
def accuracy(network: C3D, store: ClipStore) -> float:
    """The share of a store's clips whose class the network names, each by its middle window of 16 frames."""
    right = 0
    for clip, label in zip(range(len(store)), store.labels, strict=True):
        right += int(network(middle_window(store, clip, network.num_frames)[None]).argmax(1).item() == label)
    return right / len(store)


def middle_window(store: ClipStore, clip: int, num_frames: int) -> Tensor:
    """The frames in the middle of a clip, looped if it is shorter: ``(3, num_frames, H, W)`` in [-1, 1]."""
    frames = torch.from_numpy(store[clip].copy())
    start = max(0, (len(frames) - num_frames) // 2)
    chosen = frames[torch.arange(start, start + num_frames) % len(frames)]
    return to_float(chosen).permute(3, 0, 1, 2)
