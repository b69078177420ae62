"""Training a small C3D on a labelled set of clips, so that the metrics mean something without published weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from tqdm.auto import tqdm

from ldvd_lib import _shelf
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.metrics.c3d import C3D
from ldvd_lib.metrics.weights import match_weights
from ldvd_lib.video import to_float

PRETRAINED = "c3d-actions-32"

IMAGE_SIZE = 32

# Half a million parameters: enough for a dozen classes at 32 px.
SMALL = {
    "channels": (16, 32, 32, 64, 64),
    "hidden": 128,
    "num_frames": 16,
    "image_size": IMAGE_SIZE,
    "batch_norm": True,
    "dropout": 0.0,
}


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
            videos, labels = sampler.next_batch(with_labels=True)
            loss = cross_entropy(network(videos), labels)
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


def load_classifier() -> tuple[C3D, str]:
    """The small C3D that we trained on the built-in actions, in evaluation mode, and the SHA-256 of its file.

    Raises:
        FileNotFoundError, ValueError: see `ldvd_lib._shelf.verified`.
    """
    weights, entry = _shelf.load_weights(PRETRAINED)
    network = C3D(**entry["network"])
    network.load_state_dict(match_weights(network, weights, where=entry["file"]))
    return network.eval(), entry["sha256"]


def save_classifier(network: C3D, directory: str | Path, *, classes: Sequence[str], **made: Any) -> Path:
    """Write a network of `train_classifier` and its entry in ``index.json`` into a directory; returns the file.

    Args:
        network: the network.
        directory: where the index is, or will be.
        classes: their names, in the order of its outputs.
        made: what else the entry should say: the data, steps, seed and accuracy.
    """
    options = {"num_classes": network.num_classes, **SMALL}
    entry = {"kind": "classifier", "network": options, "classes": list(classes), **made}
    return _shelf.save_weights(directory, PRETRAINED, network.state_dict(), entry)
