"""The sliced Wasserstein distance: earth mover's distances along random directions, and their mean.

In one dimension the earth mover's distance takes no more than sorting: it is the area between the two distribution
functions. In many dimensions, samples are projected onto a direction θ of the unit sphere, and the mean over directions
is taken:

    SW(P, Q) = E_θ W₁(θ·P, θ·Q),    W₁(F, G) = ∫ |F(t) − G(t)| dt.

It assumes no Gaussians and has no kernel to choose. With a judge's features it can stand beside the Fréchet distance;
with `patches` of the clips themselves no network judges at all.

Like the Fréchet distance it is too large with few samples: sets of n samples of one and the same distribution are about
1/√n apart. Compare only distances from equally many samples.

Sources: Rabin et al. 2011; Bonneel et al. 2015; Karras et al. 2018, section 5 (patches of images).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ldvd_lib._kit.checks import whole_number
from ldvd_lib.metrics._arguments import two_sets

_VALUES = 2**22  # projections at a time: 32 MB


@dataclass(frozen=True, eq=False)
class SlicedWasserstein:
    """A sliced Wasserstein distance, with the error of having looked along some directions only.

    Attributes:
        value: mean over the directions, in the features' unit.
        error: standard error of that mean. The samples' own error is not in it: for that, see
            `ldvd_lib.metrics.jackknife`.
        values: ``(num_directions,)`` float64, the earth mover's distance along each.
    """

    value: float
    error: float
    values: Tensor


def sliced_wasserstein(first: Tensor, second: Tensor, *, num_directions: int = 256, seed: int = 0) -> SlicedWasserstein:
    """The sliced Wasserstein distance of order 1 between two sets of features, or of `patches`.

    Args:
        first: ``(n, d)`` of any floating dtype.
        second: ``(m, d)``; n and m may differ.
        num_directions: how many are drawn, uniformly from the sphere.
        seed: of the directions; sets that are to be compared with one another should be seen along the same ones.

    Returns:
        The mean over the directions with its error, computed in float64.

    Raises:
        ValueError: for features that are not finite floating numbers of that shape, fewer than two samples, sets of
            different widths, or fewer than two directions.

    Source: Bonneel et al. 2015, section 3, with W₁ as Karras et al. 2018 have it.
    """
    first, second = two_sets(first, second, ("first", "second"))
    num_directions = whole_number("num_directions", num_directions, least=2)
    directions = random_directions(num_directions, first.shape[1], seed=seed).to(first.device)
    at_once = max(1, _VALUES // (len(first) + len(second)))
    values = torch.cat([_earth_movers(first @ some.T, second @ some.T) for some in directions.split(at_once)]).cpu()
    return SlicedWasserstein(values.mean().item(), values.std().item() / math.sqrt(num_directions), values)


def random_directions(count: int, width: int, *, seed: int = 0) -> Tensor:
    """Vectors of length 1, uniformly from the sphere: ``(count, width)`` float64."""
    normal = torch.randn(count, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return normal / torch.linalg.vector_norm(normal, dim=1, keepdim=True)


def _earth_movers(first: Tensor, second: Tensor) -> Tensor:
    """The earth mover's distance of each column: ``(n, k)``, ``(m, k)`` → ``(k,)``."""
    n, m = len(first), len(second)
    values, order = torch.cat([first, second]).sort(dim=0)
    # By so much the difference of the distribution functions rises at each sample.
    steps = torch.cat([values.new_full((n,), 1 / n), values.new_full((m,), -1 / m)])
    difference = steps[order].cumsum(0)[:-1]
    return (difference.abs() * values.diff(dim=0)).sum(0)


def patches(videos: Tensor, *, shape: tuple[int, int, int] = (4, 7, 7), count: int = 32, seed: int = 0) -> Tensor:
    """Small blocks of clips, at random places in space and time: what a clip is made of, without its composition.

    Args:
        videos: ``(N, C, T, H, W)`` of any floating dtype.
        shape: frames, rows and columns of a block. Karras et al. take 7×7 of images.
        count: blocks of each clip, drawn with replacement.
        seed: of the places.

    Returns:
        ``(N · count, C · frames · rows · columns)``, the blocks of a clip one after the other, as `sliced_wasserstein`
        takes them.

    Raises:
        ValueError: for videos of another shape, or blocks that do not fit into them.
    """
    count = whole_number("count", count, least=1)
    if videos.ndim != 5:
        raise ValueError(f"videos must have shape (N, C, T, H, W), got {tuple(videos.shape)}")
    if len(shape) != 3 or not all(1 <= side <= most for side, most in zip(shape, videos.shape[2:], strict=True)):
        raise ValueError(
            f"blocks of {shape} frames, rows and columns do not fit into clips of {tuple(videos.shape[2:])}: "
            "choose a shape of 1 to that many of each"
        )
    random = torch.Generator().manual_seed(seed)
    num_blocks = len(videos) * count
    frames, rows, columns = (
        (torch.randint(most - side + 1, (num_blocks, 1), generator=random) + torch.arange(side)).to(videos.device)
        for side, most in zip(shape, videos.shape[2:], strict=True)
    )
    clips = torch.arange(len(videos), device=videos.device).repeat_interleave(count)
    frames, rows, columns = frames[:, :, None, None], rows[:, None, :, None], columns[:, None, None, :]
    return videos[clips[:, None, None, None], :, frames, rows, columns].flatten(1)
