"""The kernel distance between two sets of features (KID, KVD): no Gaussians, and no bias from few samples.

The squared maximum mean discrepancy with the kernel k(x, y) = (x·y / d + 1)³ compares all moments up to the third.
The estimate leaves out the pairs of a sample with itself, and so is right on average for any number of samples; when
the sets come from one distribution it is below 0 as often as above.

Sources: Gretton et al. 2012, eq. 3 (the estimate); Bińkowski et al. 2018 (KID, and its kernel).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ldvd_lib._kit.checks import whole_number
from ldvd_lib.metrics._arguments import two_sets

_ROWS = 1024  # of the kernel matrix at a time: with 10,000 samples, 80 MB


@dataclass(frozen=True, eq=False)
class SubsetEstimate:
    """A kernel distance from random subsets, as it is usually printed.

    Attributes:
        value: mean over the subsets.
        deviation: standard deviation over the subsets: how far one of them may be off. It is not the error of `value`,
            for which see `ldvd_lib.metrics.jackknife`.
        values: ``(num_subsets,)`` float64.
    """

    value: float
    deviation: float
    values: Tensor


def polynomial_kernel(first: Tensor, second: Tensor) -> Tensor:
    """k(x, y) = (x·y / d + 1)³ for each pair: ``(n, d), (m, d)`` → ``(n, m)``."""
    return (first @ second.T / first.shape[1] + 1) ** 3


def kernel_distance(first: Tensor, second: Tensor) -> float:
    """The unbiased squared MMD between two sets of features with the polynomial kernel.

    Args:
        first: ``(n, d)`` of any floating dtype.
        second: ``(m, d)``.

    Returns:
        About 0 or more; a little below 0 where the sets hardly differ. Computed in float64.

    Raises:
        ValueError: for features that are not finite floating numbers of that shape, fewer than two samples, or sets of
            different widths.

    Source: Bińkowski et al. 2018, section 4.
    """
    return _unbiased_mmd(*two_sets(first, second, ("first", "second")))


def kernel_distance_of_subsets(
    first: Tensor, second: Tensor, *, subset_size: int = 1000, num_subsets: int = 100, seed: int = 0
) -> SubsetEstimate:
    """The mean of kernel distances between random subsets, which is how KID is usually reported.

    Args:
        first: ``(n, d)``.
        second: ``(m, d)``.
        subset_size: samples drawn from each set, without replacement within a subset.
        num_subsets: how often.
        seed: of the draws.

    Raises:
        ValueError: as `kernel_distance`, or if a set has fewer samples than a subset takes.
    """
    first, second = two_sets(first, second, ("first", "second"))
    smaller = min(len(first), len(second))
    subset_size = whole_number("subset_size", subset_size, least=2, most=smaller)
    num_subsets = whole_number("num_subsets", num_subsets, least=2)
    random = torch.Generator().manual_seed(seed)

    def draw(features: Tensor) -> Tensor:
        return features[torch.randperm(len(features), generator=random)[:subset_size].to(features.device)]

    values = torch.tensor([_unbiased_mmd(draw(first), draw(second)) for _ in range(num_subsets)], dtype=torch.float64)
    return SubsetEstimate(values.mean().item(), values.std().item(), values)


def _unbiased_mmd(first: Tensor, second: Tensor) -> float:
    within = _mean_kernel(first, first, without_itself=True) + _mean_kernel(second, second, without_itself=True)
    return within - 2 * _mean_kernel(first, second, without_itself=False)


def _mean_kernel(first: Tensor, second: Tensor, *, without_itself: bool) -> float:
    """The kernel's mean over all pairs of different samples; a piece of rows at a time."""
    total = sum((polynomial_kernel(rows, second).sum() for rows in first.split(_ROWS)), start=first.new_zeros(()))
    if not without_itself:
        return (total / (len(first) * len(second))).item()
    itself = (first.square().sum(1) / first.shape[1] + 1).pow(3).sum()
    return ((total - itself) / (len(first) * (len(first) - 1))).item()
