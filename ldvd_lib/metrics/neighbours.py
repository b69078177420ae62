"""Precision, recall, density and coverage: which of a generator's two faults is it?

The Fréchet distance adds up two things that one would like to tell apart: samples that look like no real one, and
real ones that are never generated. Here each sample of one set carries a ball that reaches to its k-th nearest
neighbour in the same set; together the balls are the set's support, and it is asked which samples of the other set lie
in it.

- precision: the part of the generated samples that lie in some real sample's ball;
- recall: the part of the real samples that lie in some generated sample's ball;
- density: in how many real balls a generated sample lies, over k: unlike precision it is not raised by one stray real
  sample with a wide ball; about 1 if the distributions agree, and it may be larger;
- coverage: the part of the real balls in which some generated sample lies: unlike recall it is not raised by stray
  generated ones.

Balls are closed: a copy of the neighbour at a ball's edge is in it.

Sources: Kynkäänniemi et al. 2019; Naeem et al. 2020.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ldvd_lib._kit.checks import whole_number
from ldvd_lib.metrics._arguments import two_sets

_ROWS = 1024  # of the matrix of distances at a time: with 10,000 samples, 80 MB


@dataclass(frozen=True)
class NeighbourMetrics:
    """Fidelity (precision, density) and diversity (recall, coverage) of generated samples; see the module.

    Attributes:
        precision, recall, coverage: in [0, 1].
        density: 0 or more, about 1 for a perfect generator.
        k: the neighbour to which the balls reach.
        num_real, num_generated: samples; all four depend on them, and on k.
    """

    precision: float
    recall: float
    density: float
    coverage: float
    k: int
    num_real: int
    num_generated: int


def neighbour_metrics(real: Tensor, generated: Tensor, *, k: int = 5) -> NeighbourMetrics:
    """Precision, recall, density and coverage of generated features.

    Args:
        real: ``(n, d)`` of any floating dtype.
        generated: ``(m, d)``.
        k: the neighbour, itself not counted, to which each ball reaches: 5 with Naeem et al., 3 with Kynkäänniemi et
            al., who have precision and recall alone.

    Returns:
        The four, from exact distances in float64.

    Raises:
        ValueError: for features that are not finite floating numbers of that shape, sets of different widths, or no
            more than k samples in one.
    """
    k = whole_number("k", k, least=1)
    real, generated = two_sets(real, generated, ("real", "generated"), least=k + 1)
    real_radii, generated_radii = _radii(real, k), _radii(generated, k)
    balls_of = torch.zeros(len(generated), dtype=torch.int64, device=real.device)  # real balls each one lies in
    recalled = covered = 0
    for rows, radii in zip(real.split(_ROWS), real_radii.split(_ROWS), strict=True):
        distances = _distances(rows, generated)
        within = distances <= radii[:, None]
        balls_of += within.sum(0)
        covered += int(within.any(1).sum())
        recalled += int((distances <= generated_radii).any(1).sum())
    return NeighbourMetrics(
        precision=(balls_of > 0).double().mean().item(),
        recall=recalled / len(real),
        density=balls_of.double().mean().item() / k,
        coverage=covered / len(real),
        k=k,
        num_real=len(real),
        num_generated=len(generated),
    )


def _radii(features: Tensor, k: int) -> Tensor:
    """The distance of each sample ``(n, d)`` to its k-th nearest neighbour, ``(n,)``."""
    # Each sample is its own nearest, at 0; a copy of it is as near, and counts.
    return torch.cat([_distances(rows, features).kthvalue(k + 1).values for rows in features.split(_ROWS)])


def _distances(first: Tensor, second: Tensor) -> Tensor:
    """Euclidean distances ``(n, m)``, by differences: a matrix product is faster, but two copies are not at 0 then."""
    return torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist")
