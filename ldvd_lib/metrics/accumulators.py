"""`InceptionScore` and `FrechetDistance` for data that come in batches, on one process or several.

A module of their own, since `torchmetrics` takes seconds to import, with torchvision and matplotlib: the one-call
functions do without. States are float64, which MPS does not have: there, leave the metric on the CPU, and `update`
moves what it is given.
"""

import torch
from torch import Tensor

from ldvd_lib._checks import whole_number

# First, since torchmetrics imports torchvision, which has to come in by this door.
from ldvd_lib._torchvision import torchvision  # noqa: F401
from ldvd_lib.metrics._arguments import features_of, probabilities_of, same_width
from ldvd_lib.metrics.frechet import GaussianStatistics, add_samples_, frechet_distance, pooled_moments
from ldvd_lib.metrics.inception_score import EPSILON, score_of_sums, sums_over_samples

from torchmetrics import Metric  # isort: skip


class InceptionScore(Metric):
    """The inception score of batches of class probabilities; see `ldvd_lib.metrics.inception_score`.

    Exact, whatever the batches: p(c) is over all samples, and three sums over them are all that the score needs. The
    state can be saved with `state_dict`.

    Args:
        num_classes: of the classifier.
        epsilon: added inside the logarithms.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    def __init__(self, num_classes: int, *, epsilon: float = EPSILON, **options):
        super().__init__(**options)
        self.num_classes = whole_number("num_classes", num_classes, least=2)
        self.epsilon = epsilon
        zero = torch.zeros((), dtype=torch.float64)
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum", persistent=True)
        self.add_state("total", zero.expand(num_classes).clone(), dist_reduce_fx="sum", persistent=True)
        self.add_state("negative_entropy", zero, dist_reduce_fx="sum", persistent=True)

    def update(self, probabilities: Tensor) -> None:
        """Add samples.

        Args:
            probabilities: ``(n, num_classes)``, rows that sum to 1.

        Raises:
            ValueError: if the rows are not finite distributions over these classes.
        """
        probabilities = probabilities_of(probabilities, device=self.device)
        if probabilities.shape[1] != self.num_classes:
            raise ValueError(f"probabilities must be over {self.num_classes} classes, got {probabilities.shape[1]}")
        total, negative_entropy = sums_over_samples(probabilities, self.epsilon)
        self.count += len(probabilities)
        self.total += total
        self.negative_entropy += negative_entropy

    def compute(self) -> Tensor:
        """The score of all samples so far, a float64 scalar.

        Raises:
            ValueError: if they are fewer than two.
        """
        if self.count < 2:
            raise ValueError(f"an inception score needs 2 samples or more, got {int(self.count)}")
        return score_of_sums(self.count, self.total, self.negative_entropy, self.epsilon)


class FrechetDistance(Metric):
    """The Fréchet distance between two sets of features that come in batches; see `frechet_distance`.

    Keeps a count, a mean and a sum of products of deviations for each set, merged so that nothing cancels. The state
    can be saved with `state_dict`.

    Args:
        num_features: width of the features.
        real: statistics of the real data, if they are there already; then only generated samples are taken.
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False

    def __init__(self, num_features: int, *, real: GaussianStatistics | None = None, **options):
        super().__init__(**options)
        self.num_features = whole_number("num_features", num_features, least=1)
        self.real = real
        if real is not None:
            same_width(num_features, real.num_features, ("this metric", "real"))
        for name in ("generated",) if real is not None else ("real", "generated"):
            # Reduced by `pooled_moments`, which needs the parts of one process together: torchmetrics only stacks them.
            for kind, shape in (("count", ()), ("mean", (num_features,)), ("scatter", (num_features, num_features))):
                zero = torch.zeros(shape, dtype=torch.int64 if kind == "count" else torch.float64)
                self.add_state(f"{name}_{kind}", zero, dist_reduce_fx=None, persistent=True)

    def forward(self, *_args, **_options) -> None:
        """Not for this metric: one batch has no distance of its own. Call `update`, and `compute` at the end."""
        raise NotImplementedError("one batch of one set has no Fréchet distance; call update, and compute at the end")

    def update(self, features: Tensor, *, real: bool = False) -> None:
        """Add samples of one set.

        Args:
            features: ``(n, num_features)`` of any floating dtype.
            real: whether they belong to the real data.

        Raises:
            ValueError: if they are not finite floating numbers of that shape, or the real data's statistics were given.
        """
        if real and self.real is not None:
            raise ValueError("the statistics of the real data were given; real samples cannot be added to them")
        features = features_of(features, "features", least=1, device=self.device)
        same_width(self.num_features, features.shape[1], ("this metric", "the batch"))
        add_samples_(*self._moments(real), features)

    def statistics(self, *, real: bool = False) -> GaussianStatistics:
        """The statistics of one set so far, over all processes while `compute` runs, else of this one.

        Raises:
            ValueError: if it has fewer than two samples.
        """
        if real and self.real is not None:
            return self.real
        moments = self._moments(real)
        if moments[0].ndim:
            moments = pooled_moments(*moments)
        count, mean, scatter = moments
        if count < 2:
            raise ValueError(f"the {'real' if real else 'generated'} set needs 2 samples or more, got {int(count)}")
        return GaussianStatistics(int(count), mean.clone(), scatter / (count - 1))

    def compute(self) -> Tensor:
        """The distance between all samples so far, a float64 scalar.

        Raises:
            ValueError: if either set has fewer than two samples.
        """
        distance = frechet_distance(self.statistics(), self.statistics(real=True))
        return torch.tensor(distance, dtype=torch.float64, device=self.device)

    def merge_state(self, incoming_state: "FrechetDistance") -> None:
        """Take in the samples of another such metric.

        Raises:
            ValueError: if it is not one with the same sets of features of the same width.
        """
        other = incoming_state
        if not isinstance(other, FrechetDistance) or (other.real is None) != (self.real is None):
            raise ValueError(
                "only another FrechetDistance, with or without given statistics as this one, can be merged"
            )
        same_width(self.num_features, other.num_features, ("this metric", "the other"))
        for real in (False, True) if self.real is None else (False,):
            pairs = zip(self._moments(real), other._moments(real), strict=True)
            pooled = pooled_moments(*(torch.stack([ours, theirs.to(ours)]) for ours, theirs in pairs))
            for ours, value in zip(self._moments(real), pooled, strict=True):
                ours.copy_(value)
        self._update_count += other._update_count
        self._computed = None

    def _moments(self, real: bool) -> tuple[Tensor, Tensor, Tensor]:
        name = "real" if real else "generated"
        return getattr(self, f"{name}_count"), getattr(self, f"{name}_mean"), getattr(self, f"{name}_scatter")
