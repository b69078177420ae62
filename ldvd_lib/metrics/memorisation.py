"""Has a generator learnt its training clips by heart? Nearest neighbours, and a test of how near they are.

A score that compares with the training set is best for copies of it. What gives copies away is held-out clips: real,
and never trained on. If generated clips are new, they are no nearer to the training set than held-out ones; if they are
copies, they are nearer. How near is asked in pixels, where a copy is at distance 0 and a copy that is moved by a pixel
is not, or in a judge's features, where it is the other way round.

To be far from the training set is no merit by itself: so is noise. And in pixels whatever is blurred is near to all.

Source: Meehan et al. 2020, "A Non-Parametric Test to Detect Data-Copying in Generative Models".
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ldvd_lib._kit.checks import whole_number
from ldvd_lib.data import ClipStore, Windows, WindowSampler
from ldvd_lib.metrics._arguments import features_of, same_width
from ldvd_lib.metrics.protocol import Judge


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest of some references to each query.

    Attributes:
        distances: ``(n, k)`` float64, Euclidean, the nearest first.
        indices: ``(n, k)`` int64, which references they are.
    """

    distances: Tensor
    indices: Tensor


@dataclass(frozen=True, eq=False)
class NearestWindows:
    """The nearest windows of a store to each video.

    Attributes:
        distances: ``(n, k)`` float64, Euclidean, the nearest first; in pixels, over all values of a window.
        clips: ``(n, k)`` int64, the clips of the store that they are windows of.
        starts: ``(n, k)`` int64, their first frames there.
    """

    distances: Tensor
    clips: Tensor
    starts: Tensor


@dataclass(frozen=True)
class CopyTest:
    """Are generated clips nearer to the training set than held-out clips are?

    Attributes:
        closer: the probability that a generated clip, drawn at random, is nearer to the training set than a held-out
            one (equal distances count half): about 0.5 for a generator of new clips as good as real ones, 1 for one
            that copies, and 0 for one whose clips are like nothing in the training set.
        standard_score: how many standard deviations the count behind `closer` is above 0.5, if all clips are
            independent draws; windows of one and the same clip are not, and then it is too sure.
        ratio: the median distance of the generated clips over that of the held-out ones; NaN if both are 0.
        num_generated, num_held_out: clips of each kind.
    """

    closer: float
    standard_score: float
    ratio: float
    num_generated: int
    num_held_out: int


def nearest_neighbours(queries: Tensor, references: Tensor | Iterable[Tensor], *, k: int = 1) -> Neighbours:
    """The k nearest references to each query.

    Args:
        queries: ``(n, ...)`` of any floating dtype; what one sample has is taken as one row.
        references: ``(m, ...)``, or blocks of them, one at a time, of which only the nearest so far are kept.
        k: how many.

    Returns:
        Distances in float64, and positions among all references. The search is by a matrix product: it may take one of
        two references for the other whose distances agree to about 1e-7 of the samples' size.

    Raises:
        ValueError: for samples that are not finite floating numbers, of different sizes, or fewer than k references.
    """
    k = whole_number("k", k, least=1)
    queries = features_of(queries.flatten(1), "queries", least=1)
    distances = queries.new_empty(len(queries), 0)
    indices = torch.empty(len(queries), 0, dtype=torch.int64, device=queries.device)
    seen = 0
    for references_here in (references,) if isinstance(references, Tensor) else references:
        block = features_of(references_here.flatten(1), "references", least=1, device=queries.device)
        same_width(queries.shape[1], block.shape[1], ("queries", "references"))
        if not seen:  # what all have in common would cost the products digits
            centre = block.mean(0)
            queries = queries - centre
        block = block - centre
        nearest = _nearest_in(queries, block, min(k, len(block)))
        distances = torch.cat([distances, _distances(queries, block, nearest)], dim=1)
        indices = torch.cat([indices, nearest + seen], dim=1)
        distances, order = distances.topk(min(k, distances.shape[1]), largest=False)
        indices = indices.gather(1, order)
        seen += len(block)
    if seen < k:
        raise ValueError(f"the {k} nearest references were asked for, and there are {seen}: ask for fewer")
    return Neighbours(distances, indices)


def _nearest_in(queries: Tensor, block: Tensor, count: int) -> Tensor:
    """Which of a block's rows are nearest: ``(n, count)``."""
    squared = block.square().sum(1) - 2 * queries @ block.T  # but for the query's own square
    return squared.topk(count, largest=False).indices


def _distances(queries: Tensor, block: Tensor, chosen: Tensor) -> Tensor:
    """By differences, so that a copy is at 0: ``(n, count)``."""
    pairs = zip(queries, chosen, strict=True)
    return torch.stack([torch.linalg.vector_norm(block[some] - query, dim=1) for query, some in pairs])


def nearest_windows(
    videos: Tensor,
    store: ClipStore,
    *,
    judge: Judge | None = None,
    stride: int = 1,
    every: int = 1,
    k: int = 1,
    batch_size: int = 64,
) -> NearestWindows:
    """The k windows of a store, the training set's, say, that are nearest to each video.

    Args:
        videos: ``(n, 3, T, H, W)`` in [-1, 1], of the store's image size.
        store: the clips, each as long as a window or longer.
        judge: whose features are compared, of the protocol's layer; without one, pixels are.
        stride: distance from one frame of a window to the next.
        every: frames from the beginning of one window to that of the next. With 1, windows at any place are found;
            with more, it is that much quicker, and a copy from a place in between is near, and not at 0.
        k: how many of each; neighbouring windows of one clip are often among them.
        batch_size: windows in memory at a time.

    Raises:
        ValueError: for videos that do not fit the store or the judge, clips that are too short, or fewer than k
            windows.
    """
    if videos.ndim != 5 or tuple(videos.shape[3:]) != (store.image_size, store.image_size):
        raise ValueError(
            f"videos must be (n, 3, T, {store.image_size}, {store.image_size}) to be compared with the store's clips, "
            f"got {tuple(videos.shape)}"
        )
    every = whole_number("every", every, least=1)
    batch_size = whole_number("batch_size", batch_size, least=1)
    sampler = WindowSampler(store, batch_size=batch_size, num_frames=videos.shape[2], stride=stride)
    span = np.arange(sampler.num_frames) * stride
    places = [
        (clip, start) for clip, length in enumerate(store.lengths) for start in range(0, length - span[-1], every)
    ]
    clips, starts = np.array(places).T

    def blocks() -> Iterator[Tensor]:
        for first in range(0, len(places), batch_size):
            some = slice(first, first + batch_size)
            frames = starts[some, None] + span
            windows = sampler.gather(Windows(clips[some], frames, np.zeros(len(frames), bool)))
            yield _seen(windows, judge)

    queries = torch.cat([_seen(batch, judge) for batch in videos.split(batch_size)])
    nearest = nearest_neighbours(queries, blocks(), k=k)
    found = nearest.indices.cpu().numpy()
    return NearestWindows(nearest.distances, torch.from_numpy(clips[found]), torch.from_numpy(starts[found]))


@torch.no_grad()
def _seen(videos: Tensor, judge: Judge | None) -> Tensor:
    """What is compared: ``(n, d)``."""
    if judge is None:
        return videos.flatten(1)
    prepared = judge.prepare(videos).contiguous(memory_format=torch.channels_last_3d)
    return judge.network.activations(prepared)[judge.protocol.layer]


def copy_test(generated: Tensor, held_out: Tensor) -> CopyTest:
    """Compare how near generated and held-out clips are to the training set, by the test of Mann and Whitney.

    Args:
        generated: ``(n,)`` the distance of each generated clip to the nearest training clip.
        held_out: ``(m,)`` the same of held-out clips, measured in the same way.

    Raises:
        ValueError: for distances that are not finite, negative, or not one for each of two clips or more.

    Source: Meehan et al. 2020, section 3, without its division of the space into cells.
    """
    kinds = {"generated": generated, "held_out": held_out}
    for name, distances in kinds.items():
        if distances.ndim != 1:
            raise ValueError(f"{name} must be distances (n,), got {tuple(distances.shape)}; of k take the first")
        if features_of(distances[:, None], name).min() < 0:
            raise ValueError(f"{name} must be distances, 0 or more, and has {distances.min().item():.4g}")
    generated, held_out = generated.double().cpu(), held_out.double().cpu()
    n, m = len(generated), len(held_out)
    ranked = held_out.sort().values
    not_nearer, nearer = (torch.searchsorted(ranked, generated, right=right) for right in (True, False))
    # Of all pairs, those whose generated clip is the nearer one; half of those that tie.
    count = (m - 0.5 * (not_nearer + nearer)).sum().item()
    ties = torch.cat([generated, held_out]).unique(return_counts=True)[1].double()
    tied = ((ties**3 - ties).sum() / ((n + m) * (n + m - 1))).item()
    deviation = math.sqrt(max(n * m / 12 * (n + m + 1 - tied), 0))
    ours, theirs = generated.quantile(0.5).item(), held_out.quantile(0.5).item()
    return CopyTest(
        closer=count / (n * m),
        standard_score=(count - n * m / 2) / deviation if deviation else 0.0,
        ratio=ours / theirs if theirs else math.inf if ours else math.nan,
        num_generated=n,
        num_held_out=m,
    )
