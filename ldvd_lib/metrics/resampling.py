"""How far can a metric be trusted? Standard errors, and what it would be with infinitely many samples.

Everything here works on any metric of a set of samples, given as a function of their indices:

    def metric(chosen):                                # a LongTensor of indices
        return frechet_distance(features[chosen], real)

The estimates of the inception score and the Fréchet distance are biased by the number of samples, by a multiple of 1/n
to first order, and by a different one for each generator. A straight line through their values against 1/n meets the
axis at what infinitely many samples would give (Chong & Forsyth 2020: IS∞, FID∞).

Sources: Efron & Tibshirani 1993 (bootstrap, jackknife); Chong & Forsyth 2020.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ldvd_lib._kit.checks import whole_number

Metric = Callable[[Tensor], float]


@dataclass(frozen=True, eq=False)
class Resampled:
    """A metric with its error.

    Attributes:
        value: of all samples.
        error: standard error: the deviation to expect between sets of as many samples.
        bias: how much too high the value is on average, as far as resampling can tell; `value - bias` is better centred
            and has a larger error.
        values: ``(repeats,)`` float64: the metric on each resampled set.
    """

    value: float
    error: float
    bias: float
    values: Tensor


@dataclass(frozen=True)
class Extrapolation:
    """A straight line through a metric's values against 1/n.

    Attributes:
        value: at 1/n = 0: for infinitely many samples.
        slope: so the metric of n samples is about ``value + slope / n``.
        error: standard error of `value` by the scatter about the line. The subsets share samples, so the true one is
            larger: for that, take the `jackknife` of the whole extrapolation.
    """

    value: float
    slope: float
    error: float


@dataclass(frozen=True, eq=False)
class SampleSizeCurve:
    """A metric of random subsets of growing size.

    Attributes:
        sizes: rising.
        values: ``(len(sizes), repeats)`` float64.
    """

    sizes: tuple[int, ...]
    values: Tensor

    @property
    def means(self) -> Tensor:
        """Over the subsets of each size, ``(len(sizes),)``."""
        return self.values.mean(1)

    @property
    def deviations(self) -> Tensor:
        """Standard deviations over the subsets of each size, ``(len(sizes),)``; NaN with one repeat."""
        return self.values.std(1) if self.values.shape[1] > 1 else torch.full_like(self.values[:, 0], math.nan)

    def extrapolate(self) -> Extrapolation:
        """What infinitely many samples would give, by least squares against 1/n.

        Good where the curve is straight in 1/n: plot it. A Fréchet distance is straight only for sizes well beyond the
        number of features.

        Source: Chong & Forsyth 2020, section 4.
        """
        inverse = 1 / torch.tensor(self.sizes, dtype=torch.float64)
        inverse = inverse.repeat_interleave(self.values.shape[1])
        values = self.values.flatten()
        centred = inverse - inverse.mean()
        slope = (centred @ values) / centred.square().sum()
        value = values.mean() - slope * inverse.mean()
        variance = (values - value - slope * inverse).square().sum() / (len(values) - 2)
        error = (variance * (1 / len(values) + inverse.mean().square() / centred.square().sum())).sqrt()
        return Extrapolation(value.item(), slope.item(), error.item())


def bootstrap(metric: Metric, num_samples: int, *, repeats: int = 100, seed: int = 0) -> Resampled:
    """The error of a metric, from sets drawn from its own samples with replacement.

    A drawn set holds some samples twice. That misleads metrics that look at pairs of samples (`kernel_distance`,
    `neighbour_metrics`) and those of fewer samples than features (`frechet_distance`): use `jackknife` for these.

    Args:
        metric: of a LongTensor of indices below `num_samples`, on the CPU.
        num_samples: how many samples there are.
        repeats: sets to draw.
        seed: of the draws.

    Raises:
        ValueError: for an argument out of range, or a metric that is not finite.

    Source: Efron & Tibshirani 1993, chapters 6 and 10.
    """
    num_samples = whole_number("num_samples", num_samples, least=2)
    repeats = whole_number("repeats", repeats, least=2)
    random = torch.Generator().manual_seed(seed)
    value = _evaluate(metric, torch.arange(num_samples))
    values = _evaluate_all(
        metric, (torch.randint(num_samples, (num_samples,), generator=random) for _ in range(repeats))
    )
    return Resampled(value, values.std().item(), values.mean().item() - value, values)


def jackknife(metric: Metric, num_samples: int, *, groups: int = 20, seed: int = 0) -> Resampled:
    """The error of a metric, from leaving out one group of its samples after the other.

    Args:
        metric: of a LongTensor of indices below `num_samples`, on the CPU.
        num_samples: how many samples there are.
        groups: into how many groups, of equal size up to one, they are put at random; `num_samples` of them leave out
            one sample at a time.
        seed: of the groups.

    Raises:
        ValueError: for an argument out of range, or a metric that is not finite.

    Source: Efron & Tibshirani 1993, chapter 11.
    """
    num_samples = whole_number("num_samples", num_samples, least=2)
    groups = whole_number("groups", groups, least=2, most=num_samples)
    order = torch.randperm(num_samples, generator=torch.Generator().manual_seed(seed))
    group_of = torch.empty_like(order)
    group_of[order] = torch.arange(num_samples) % groups
    value = _evaluate(metric, torch.arange(num_samples))
    values = _evaluate_all(metric, ((group_of != group).nonzero()[:, 0] for group in range(groups)))
    error = ((groups - 1) * values.var(correction=0)).sqrt().item()
    return Resampled(value, error, (groups - 1) * (values.mean().item() - value), values)


def sample_size_curve(
    metric: Metric, num_samples: int, *, sizes: Sequence[int] | None = None, repeats: int = 3, seed: int = 0
) -> SampleSizeCurve:
    """A metric of random subsets of growing size, to see its bias and to extrapolate from.

    Args:
        metric: of a LongTensor of indices below `num_samples`, on the CPU.
        num_samples: how many samples there are.
        sizes: of the subsets, two different ones or more; default ten, evenly from a tenth of the samples to all.
        repeats: subsets of each size, drawn without replacement, independently of each other.
        seed: of the draws.

    Raises:
        ValueError: for an argument out of range, or a metric that is not finite.

    Source: Chong & Forsyth 2020, section 4, who take fifteen sizes from 5,000 to 50,000.
    """
    num_samples = whole_number("num_samples", num_samples, least=2)
    repeats = whole_number("repeats", repeats, least=1)
    if sizes is None:
        sizes = [max(2, round(num_samples * tenths / 10)) for tenths in range(1, 11)]
    sizes = sorted({whole_number("each of sizes", size, least=1, most=num_samples) for size in sizes})
    if len(sizes) * repeats < 3 or len(sizes) < 2:
        raise ValueError(f"a curve needs 2 sizes and 3 subsets or more, got sizes {sizes}, {repeats} of each")
    random = torch.Generator().manual_seed(seed)
    subsets = (torch.randperm(num_samples, generator=random)[:size] for size in sizes for _ in range(repeats))
    return SampleSizeCurve(tuple(sizes), _evaluate_all(metric, subsets).view(len(sizes), repeats))


def _evaluate_all(metric: Metric, subsets) -> Tensor:
    return torch.tensor([_evaluate(metric, chosen) for chosen in subsets], dtype=torch.float64)


def _evaluate(metric: Metric, chosen: Tensor) -> float:
    value = float(metric(chosen))
    if not math.isfinite(value):
        raise ValueError(f"the metric of {len(chosen)} samples is {value}; it must be finite on every subset")
    return value
