"""The Fréchet distance between two sets of features, each treated as a Gaussian (FID, FVD).

    d² = ‖μ₁ − μ₂‖² + tr C₁ + tr C₂ − 2 tr (C₁C₂)^½

Usually the last term is the trace of a matrix square root, which is slow, and inaccurate where a covariance is
singular, as it is whenever there are fewer samples than features. With any factors Cᵢ = FᵢᵀFᵢ it is a sum of singular
values instead: C₁C₂ has the eigenvalues, other than 0, of (F₁F₂ᵀ)(F₁F₂ᵀ)ᵀ, and so

    tr (C₁C₂)^½ = ‖F₁F₂ᵀ‖_*    (nuclear norm).

The centred samples themselves, over √(n − 1), are a factor: with few samples no covariance is formed at all.

Sources: Dowson & Landau 1982 (the distance); Heusel et al. 2017 (FID); Unterthiner et al. 2018 (FVD); Chan et al. 1979
(merging means and covariances).
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ldvd_lib._kit.checks import whole_number
from ldvd_lib._kit.files import save_tensors
from ldvd_lib.metrics._arguments import features_of, same_width

_FORMAT = "ldvd-gaussian-statistics-1"
_OWN = {"format", "count", "sha256"}  # keys of the file's header beside the metadata


@dataclass(frozen=True, eq=False)
class GaussianStatistics:
    """What the Fréchet distance needs to know of a set of features; save those of real data and use them again.

    Attributes:
        count: samples that they were taken from, 2 or more.
        mean: ``(d,)`` float64.
        covariance: ``(d, d)`` float64, unbiased (the sum of products over n − 1).
        metadata: text to keep with them, such as the protocol that the features came from; the keys ``format``,
            ``count`` and ``sha256`` are the file's own.

    Raises:
        ValueError: if the shapes do not belong together, a number is not finite, the covariance is not one, or
            the metadata are not text.
    """

    count: int
    mean: Tensor
    covariance: Tensor
    metadata: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        whole_number("count", self.count, least=2)
        if self.mean.ndim != 1 or not len(self.mean) or self.covariance.shape != 2 * self.mean.shape:
            raise ValueError(
                f"mean and covariance must have shapes (d,) and (d, d), d ≥ 1, got {tuple(self.mean.shape)} "
                f"and {tuple(self.covariance.shape)}"
            )
        if self.mean.dtype != torch.float64 or self.covariance.dtype != torch.float64:
            raise ValueError(f"mean and covariance must be float64, got {self.mean.dtype}, {self.covariance.dtype}")
        if not torch.isfinite(self.mean).all() or not torch.isfinite(self.covariance).all():
            raise ValueError("mean and covariance must be finite, and hold NaN or infinity")
        scale = self.covariance.diagonal().abs().max()
        if (self.covariance - self.covariance.T).abs().max() > 1e-9 * scale or (self.covariance.diagonal() < 0).any():
            raise ValueError("the covariance must be symmetric, with nothing negative on its diagonal")
        if not all(isinstance(text, str) for item in self.metadata.items() for text in item):
            raise ValueError(f"metadata must be text to text, got {self.metadata}; use str, or json.dumps")
        if reserved := _OWN & self.metadata.keys():
            raise ValueError(f"metadata may not have the keys {sorted(reserved)}: the file uses them itself")

    @classmethod
    def of(cls, features: Tensor, *, metadata: dict[str, str] | None = None) -> "GaussianStatistics":
        """The statistics of features ``(n, d)``.

        Raises:
            ValueError: if they are not finite floating numbers of that shape, or fewer than two samples.
        """
        features = features_of(features, "features")
        mean = features.mean(0)
        centred = features - mean
        return cls(len(features), mean, centred.T @ centred / (len(features) - 1), metadata or {})

    @property
    def num_features(self) -> int:
        return len(self.mean)

    @cached_property
    def factor(self) -> Tensor:
        """A matrix F ``(rank, d)`` with FᵀF the covariance."""
        rounding = self.num_features * torch.finfo(torch.float64).eps
        if self.count > self.num_features:
            lower, failed = torch.linalg.cholesky_ex(self.covariance)
            pivots = lower.diagonal().square()
            if not failed and pivots.min() > rounding * pivots.max():
                return lower.T
        # Singular, or nearly: what is left of its zero eigenvalues is rounding, whose root would be far from small.
        eigenvalues, vectors = torch.linalg.eigh(self.covariance)
        real = eigenvalues > rounding * eigenvalues[-1]
        return (vectors[:, real] * eigenvalues[real].sqrt()).T

    def merge(self, other: "GaussianStatistics") -> "GaussianStatistics":
        """The statistics of both sets of samples together; keeps this one's metadata.

        Raises:
            ValueError: if they are of different widths.

        Source: Chan et al. 1979.
        """
        same_width(self.num_features, other.num_features, ("one", "the other"))
        count = self.count + other.count
        shift = other.mean.to(self.mean) - self.mean
        mean = self.mean + shift * (other.count / count)
        # Sums of products of deviations from each set's own mean: nothing cancels, however far the means are from 0.
        scatter = self.covariance * (self.count - 1) + other.covariance.to(self.mean) * (other.count - 1)
        scatter += torch.outer(shift, shift) * (self.count * other.count / count)
        return GaussianStatistics(count, mean, scatter / (count - 1), self.metadata)

    def save(self, path: str | Path) -> Path:
        """Write them to a safetensors file, whole or not at all; returns its path."""
        header = {**self.metadata, "format": _FORMAT, "count": str(self.count), "sha256": self._sha256()}
        return save_tensors(path, {"mean": self.mean, "covariance": self.covariance}, metadata=header)

    def _sha256(self) -> str:
        """Of the numbers, so that a file whose numbers have changed is noticed."""
        numbers = (self.mean, self.covariance)
        return hashlib.sha256(b"".join(tensor.cpu().contiguous().numpy().tobytes() for tensor in numbers)).hexdigest()

    @classmethod
    def load(cls, path: str | Path) -> "GaussianStatistics":
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it holds something else.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path}; GaussianStatistics.save writes one")
        try:
            with safe_open(path, framework="pt") as file:
                header = dict(file.metadata() or {})
                if header.pop("format", None) != _FORMAT:
                    raise ValueError("it holds no statistics that GaussianStatistics.save wrote")
                sha256 = header.pop("sha256", None)  # not in files of before there were any
                count, mean, covariance = header.pop("count"), file.get_tensor("mean"), file.get_tensor("covariance")
                statistics = cls(int(count), mean, covariance, header)
                if sha256 not in (None, statistics._sha256()):
                    raise ValueError("its numbers have changed since they were written")
                return statistics
        except (SafetensorError, ValueError, KeyError) as error:
            raise ValueError(f"{path} cannot be read as statistics ({error}); compute them anew") from error


def frechet_distance(first: Tensor | GaussianStatistics, second: Tensor | GaussianStatistics) -> float:
    """The (squared) Fréchet distance between the Gaussians of two sets of features.

    Biased upwards by about 1/n: compare only distances from equally many samples, or see
    `ldvd_lib.metrics.sample_size_curve`.

    Args:
        first, second: features ``(n, d)`` of any floating dtype, or their statistics.

    Returns:
        0 or more, in the features' unit squared; computed in float64, on the first one's device.

    Raises:
        ValueError: for features that are not finite floating numbers of that shape, fewer than two samples, or sets of
            different widths.

    Source: Heusel et al. 2017; see above for how.
    """
    first_mean, first_factor = _mean_and_factor(first, "first")
    second_mean, second_factor = _mean_and_factor(second, "second")
    same_width(len(first_mean), len(second_mean), ("first", "second"))
    second_mean, second_factor = second_mean.to(first_mean.device), second_factor.to(first_mean.device)
    overlap = nuclear_norm(first_factor @ second_factor.T)
    distance = (first_mean - second_mean).square().sum()
    distance += first_factor.square().sum() + second_factor.square().sum() - 2 * overlap
    return max(distance.item(), 0.0)  # below 0 by rounding alone


def _mean_and_factor(samples: Tensor | GaussianStatistics, name: str) -> tuple[Tensor, Tensor]:
    if not isinstance(samples, GaussianStatistics):
        features = features_of(samples, name)
        count, width = features.shape
        if count <= width:
            mean = features.mean(0)
            return mean, (features - mean) / (count - 1) ** 0.5
        samples = GaussianStatistics.of(features)
    return samples.mean, samples.factor


def nuclear_norm(matrix: Tensor) -> Tensor:
    """The sum of a float64 matrix's singular values, a scalar.

    They are the roots of the Gram matrix's eigenvalues, which take about a third of the time. But there the small ones
    drown in the rounding of the largest; where that would matter, they are computed from the matrix itself.
    """
    if min(matrix.shape) == 0:
        return matrix.sum()
    gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    eigenvalues = torch.linalg.eigvalsh(gram)
    rounding = len(eigenvalues) ** 0.5 * torch.finfo(torch.float64).eps * eigenvalues[-1]
    roots = eigenvalues.clamp(min=rounding).sqrt()
    if (0.5 * rounding / roots).sum() <= 1e-10 * roots.sum() and eigenvalues[0] > rounding:
        return roots.sum()
    return torch.linalg.svdvals(matrix).sum()
