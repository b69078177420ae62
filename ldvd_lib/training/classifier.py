"""Training a small C3D on a set of clips, so that the metrics mean something without published weights."""

from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from tqdm.auto import tqdm

from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.metrics.c3d import C3D
from ldvd_lib.metrics.classifier import IMAGE_SIZE, ORDERS, SMALL
from ldvd_lib.metrics.corruptions import reorder_frames
from ldvd_lib.video import to_float


def train_classifier(
    store: ClipStore,
    *,
    steps: int,
    orders: bool = False,
    stride: int = 1,
    batch_size: int = 32,
    rate: float = 1e-3,
    weight_decay: float = 1e-2,
    seed: int = 0,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> C3D:
    """Train a small C3D to tell a store's classes apart, or in which order a window's frames are shown.

    Windows of 16 frames at any place, mirrored at random; AdamW, the rate falling to zero along a cosine.

    Args:
        store: clips of 32 px with labels.
        steps: batches.
        orders: teach the order instead of the classes: each window is shown forwards, backwards or shuffled, as likely,
            and the network says which (`ldvd_lib.metrics.classifier.ORDERS`). It needs no labels for that.
        stride: distance from one frame of a window to the next.
        batch_size: windows in a batch.
        rate, weight_decay: AdamW's.
        seed: of weights, windows, orders and dropout.
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
        network = C3D(len(ORDERS if orders else store.class_names), **SMALL).to(device).train()
        optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=weight_decay)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        sampler = WindowSampler(
            store, batch_size=batch_size, stride=stride, flip=True, short="loop", device=device, seed=seed
        )
        random = torch.default_generator  # of the orders; it was seeded above, and others get it back as it was
        bar = tqdm(range(steps), desc="classifier", disable=not progress)
        for step in bar:
            batch = sampler.next_batch()
            videos, targets = batch.video, cast(Tensor, batch.labels)  # a store's clips all have labels
            if orders:
                drawn = torch.randint(len(ORDERS), (batch_size,), generator=random)
                videos, targets = in_orders(videos, drawn, random), drawn.to(targets.device)
            loss = cross_entropy(network(videos), targets)
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


@torch.no_grad()
def window_accuracy(network: C3D, store: ClipStore, *, stride: int = 1, every: int = 1) -> np.ndarray:
    """The share of each clip's windows whose class the network names.

    Args:
        network: in evaluation mode.
        store: clips with labels, long enough for a window.
        stride: distance from one frame of a window to the next.
        every: frames from the beginning of one window to that of the next.

    Returns:
        (num_clips,) float64, in the order of the store.
    """
    shares = []
    for clip, label in enumerate(store.labels):
        answers = network(_windows(store, clip, network.num_frames, stride, every)).argmax(1)
        shares.append((answers == int(label)).double().mean().item())
    return np.array(shares)


def _windows(store: ClipStore, clip: int, num_frames: int, stride: int, every: int) -> Tensor:
    """Windows of a clip, `every` frames from one to the next: ``(N, 3, num_frames, H, W)`` in [-1, 1]."""
    span = np.arange(num_frames) * stride
    starts = np.arange(0, store.lengths[clip] - span[-1], every)
    return to_float(torch.from_numpy(store[clip][starts[:, None] + span])).permute(0, 4, 1, 2, 3)


def in_orders(videos: Tensor, orders: Tensor, random: torch.Generator) -> Tensor:
    """Show each video's frames in one of `ORDERS`.

    Args:
        videos: ``(N, C, T, H, W)``.
        orders: ``(N,)`` int64, which order.
        random: draws the shuffled ones, on the CPU; all orders are as likely, the proper one among them.
    """
    count, num_frames = len(videos), videos.shape[2]
    forwards = torch.arange(num_frames).expand(count, -1)
    shuffled = torch.rand(count, num_frames, generator=random).argsort(1)
    choices = torch.stack([forwards, forwards.flip(1), shuffled])
    return reorder_frames(videos, choices[orders, torch.arange(count)])


@torch.no_grad()
def order_accuracy(network: C3D, store: ClipStore, *, every: int = 1, seed: int = 0) -> np.ndarray:
    """The share of each clip's windows of which the network says in what order they are shown.

    Args:
        network: trained with ``orders=True``, in evaluation mode.
        store: clips long enough for a window.
        every: frames from the beginning of one window to that of the next.
        seed: of the shuffling.

    Returns:
        (num_clips, len(ORDERS)) float64: of the clips in the order of the store, shown in each of `ORDERS`.
    """
    random = torch.Generator().manual_seed(seed)
    shares = np.empty((len(store), len(ORDERS)))
    for clip in range(len(store)):
        windows = _windows(store, clip, network.num_frames, 1, every)
        for number in range(len(ORDERS)):
            shown = in_orders(windows, torch.full((len(windows),), number), random)
            shares[clip, number] = (network(shown).argmax(1) == number).double().mean().item()
    return shares
