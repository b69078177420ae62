"""Precision, recall, density and coverage against their definitions, and on pictures one can check by eye."""

import pytest
import torch
from torch import Tensor

from ldvd_lib.metrics import NeighbourMetrics, neighbour_metrics, neighbours


def features(n: int, d: int = 3, *, seed: int = 0, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_definition(real: Tensor, generated: Tensor, k: int) -> NeighbourMetrics:
    """Naeem et al. 2020, equations 2 to 5, ball by ball."""

    def distance(x: Tensor, y: Tensor) -> float:
        return (x - y).square().sum().sqrt().item()

    def radii(points: Tensor) -> list[float]:
        others = ([distance(x, y) for j, y in enumerate(points) if j != i] for i, x in enumerate(points))
        return [sorted(row)[k - 1] for row in others]

    real_balls = list(zip(real, radii(real), strict=True))
    generated_balls = list(zip(generated, radii(generated), strict=True))
    counts = [sum(distance(y, centre) <= radius for centre, radius in real_balls) for y in generated]
    recalled = [any(distance(x, centre) <= radius for centre, radius in generated_balls) for x in real]
    covered = [any(distance(y, centre) <= radius for y in generated) for centre, radius in real_balls]
    n, m = len(real), len(generated)
    return NeighbourMetrics(
        sum(c > 0 for c in counts) / m, sum(recalled) / n, sum(counts) / (k * m), sum(covered) / n, k, n, m
    )


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("rows", [7, 1024])
def test_they_are_what_the_definition_says(k, rows, monkeypatch):
    monkeypatch.setattr(neighbours, "_ROWS", rows)
    real, generated = features(30), features(24, seed=1, scale=0.7)
    measured, wanted = neighbour_metrics(real, generated, k=k), by_definition(real, generated, k)
    assert measured == NeighbourMetrics(*(pytest.approx(x, abs=1e-12) for x in vars(wanted).values()))
    assert 0 < measured.recall < 1 and 0 < measured.coverage < 1


def test_precision_and_recall_are_torch_fidelitys():
    from ldvd_lib._kit.torchvision import torchvision  # noqa: F401

    reference = pytest.importorskip("torch_fidelity.metric_prc", reason="pip install torch-fidelity to compare with it")
    real, generated = features(90), features(70, seed=1, scale=0.6)
    precision, recall = reference.calculate_precision_recall_full(generated, real, neighborhood=3)
    measured = neighbour_metrics(real, generated, k=3)
    assert (measured.precision, measured.recall) == (pytest.approx(precision), pytest.approx(recall))


def test_copies_of_the_real_data_are_perfect():
    """To the letter: that takes exact distances, since each copy lies on the edge of other balls."""
    real = features(60, 20)
    copied = neighbour_metrics(real, real.flip(0), k=5)
    assert (copied.precision, copied.recall, copied.coverage) == (1, 1, 1)
    assert copied.density == pytest.approx(6 / 5)  # its own ball, and, on average, those of five others


def test_the_same_distribution_has_density_and_coverage_near_what_theory_expects():
    """E[density] = 1, E[coverage] = 1 − Π (n − j) / (n + m − j) over j = 1 … k (Naeem et al. 2020, section 3.3)."""
    k, n = 5, 150
    measured = [neighbour_metrics(features(n, seed=i), features(n, seed=100 + i), k=k) for i in range(40)]
    expected = 1.0
    for j in range(1, k + 1):
        expected *= (n - j) / (2 * n - j)
    coverage = torch.tensor([one.coverage for one in measured])
    density = torch.tensor([one.density for one in measured])
    assert abs(coverage.mean() - (1 - expected)) < 3 * coverage.std() / 40**0.5
    assert abs(density.mean() - 1) < 3 * density.std() / 40**0.5


def test_each_fault_shows_where_it_should():
    real = torch.cat([features(50), features(50, seed=1) + 20])  # two modes
    dropped = neighbour_metrics(real, features(100, seed=2))
    assert dropped.precision > 0.9 and dropped.recall < 0.55 and dropped.coverage < 0.55
    garbage = neighbour_metrics(real, torch.cat([features(50, seed=3), features(50, seed=4) - 50]))
    assert garbage.precision <= 0.5 and garbage.density < 0.7
    collapsed = neighbour_metrics(real, features(1, seed=5).repeat(100, 1))
    assert collapsed.recall == 0 and collapsed.coverage < 0.3


def test_one_stray_real_sample_misleads_precision_but_not_density():
    """Naeem et al. 2020, figure 2: its ball takes in everything between it and the others."""
    real = torch.cat([features(100), torch.full((1, 3), 60.0, dtype=torch.float64)])
    generated = features(100, seed=1) + 30
    measured = neighbour_metrics(real, generated, k=3)
    assert measured.precision == 1
    assert measured.density < 0.4


def test_order_and_scale_do_not_matter():
    real, generated = features(40), features(30, seed=1)
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    assert neighbour_metrics(8 * real[order], 8 * generated.flip(0)) == neighbour_metrics(real, generated)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="real needs 6 samples or more, got 5"):
        neighbour_metrics(features(5), features(9))
    with pytest.raises(ValueError, match="real has 3 features and generated has 4"):
        neighbour_metrics(features(9), features(9, 4))
    with pytest.raises(ValueError, match="k must be a whole number, 1 or more, got 0"):
        neighbour_metrics(features(9), features(9), k=0)
