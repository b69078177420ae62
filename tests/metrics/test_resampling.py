"""Standard errors where theory knows them, and extrapolation to infinitely many samples."""

import pytest
import torch
from torch import Tensor

from ldvd_lib.metrics import (
    SampleSizeCurve,
    bootstrap,
    frechet_distance,
    inception_score,
    jackknife,
    kernel_distance,
    sample_size_curve,
)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_error_of_a_mean_is_known():
    x = normal(400)
    expected = (x.std() / 20).item()
    one_at_a_time = jackknife(lambda chosen: x[chosen].mean(), 400, groups=400)
    assert one_at_a_time.error == pytest.approx(expected, rel=1e-9)  # exactly so, for a mean
    assert one_at_a_time.value == pytest.approx(x.mean().item())
    assert one_at_a_time.bias == pytest.approx(0, abs=1e-12)
    assert jackknife(lambda chosen: x[chosen].mean(), 400, groups=40).error == pytest.approx(expected, rel=0.35)
    assert bootstrap(lambda chosen: x[chosen].mean(), 400, repeats=400).error == pytest.approx(expected, rel=0.15)


def test_the_bias_of_a_variance_is_known():
    """Over n instead of n − 1, it is too low by var / n; the jackknife finds exactly that."""
    x = normal(100)
    estimate = jackknife(lambda chosen: x[chosen].var(correction=0), 100, groups=100)
    assert estimate.value - estimate.bias == pytest.approx(x.var().item(), rel=1e-10)
    boot = bootstrap(lambda chosen: x[chosen].var(correction=0), 100, repeats=2000)
    assert boot.bias == pytest.approx(-x.var().item() / 100, rel=0.5)


@pytest.mark.parametrize("name", ["inception score", "frechet", "kernel"])
def test_errors_agree_with_the_scatter_between_fresh_samples(name):
    """What a standard error means: how far the metrics of new samples lie apart."""

    def metric_of(seed: int):
        x = normal(120, 3, seed=seed)
        if name == "inception score":
            p = (2 * x).softmax(1)
            return lambda chosen: inception_score(p[chosen])
        y = 1.5 * normal(200, 3, seed=999)
        distance = frechet_distance if name == "frechet" else kernel_distance
        return lambda chosen: distance(x[chosen], y)

    everything = torch.arange(120)
    truth = torch.tensor([metric_of(seed)(everything) for seed in range(150)]).std().item()
    errors = torch.tensor([jackknife(metric_of(seed), 120, groups=15).error for seed in range(12)])
    assert errors.square().mean().sqrt().item() == pytest.approx(truth, rel=0.3)


def test_groups_are_of_equal_size_and_each_is_left_out_once():
    seen: list[Tensor] = []

    def metric(chosen: Tensor) -> float:
        seen.append(chosen)
        return 0.0

    jackknife(metric, 23, groups=5)
    everything, *rest = seen
    assert everything.tolist() == list(range(23))
    left_out = [set(range(23)) - set(chosen.tolist()) for chosen in rest]
    assert sorted(map(len, left_out)) == [4, 4, 5, 5, 5]
    assert set.union(*left_out) == set(range(23))


def test_seeds_decide():
    x = normal(50)

    def metric(chosen: Tensor) -> float:
        return x[chosen].median().item()

    for resample in (bootstrap, jackknife, sample_size_curve):
        first, second, third = (resample(metric, 50, seed=seed).values for seed in (1, 1, 2))
        assert torch.equal(first, second) and not torch.equal(first, third)


def test_a_straight_line_is_met_exactly():
    curve = sample_size_curve(lambda chosen: 3 + 50 / len(chosen), 1000)
    assert curve.sizes == tuple(range(100, 1001, 100)) and curve.values.shape == (10, 3)
    line = curve.extrapolate()
    assert (line.value, line.slope) == (pytest.approx(3), pytest.approx(50))
    assert line.error == pytest.approx(0, abs=1e-9)
    assert curve.means[0].item() == pytest.approx(3.5) and curve.deviations[0].item() == 0


def test_the_error_of_the_line_is_that_of_least_squares():
    """Against independent noise about a line, many times over."""
    sizes, values = (50, 100, 200, 400), []
    for seed in range(200):
        noise = 0.1 * normal(4, 3, seed=seed)
        curve = SampleSizeCurve(sizes, 2 + 30 / torch.tensor(sizes, dtype=torch.float64)[:, None] + noise)
        values.append(curve.extrapolate())
    intercepts, errors = torch.tensor([x.value for x in values]), torch.tensor([x.error for x in values])
    assert abs(intercepts.mean() - 2) < 3 * intercepts.std() / 200**0.5
    assert errors.square().mean().sqrt().item() == pytest.approx(intercepts.std().item(), rel=0.2)


def test_the_frechet_distance_of_one_gaussian_to_itself_is_zero_at_infinity():
    """Finite samples never say 0: n of each set, in d dimensions, are d (d + 5) / 2n apart on average, to first order.

    (2d / n from the means; ¼ E‖C₁ − C₂‖² = d (d + 1) / 2n from the covariances.)
    """
    d, n, pairs = 8, 2000, 10
    curves = []
    for pair in range(pairs):
        first, second = normal(n, d, seed=2 * pair), normal(n, d, seed=2 * pair + 1)
        curves.append(sample_size_curve(lambda i, a=first, b=second: frechet_distance(a[i], b[i]), n, repeats=6))
    lines = [curve.extrapolate() for curve in curves]
    finite = torch.stack([curve.means for curve in curves])  # (pairs, sizes)
    at_infinity = torch.tensor([line.value for line in lines])
    assert all((curve.values > 0).all() for curve in curves)
    torch.testing.assert_close(finite.mean(0)[-1].item(), d * (d + 5) / (2 * n), rtol=0.1, atol=0)
    assert sum(line.slope for line in lines) / pairs == pytest.approx(d * (d + 5) / 2, rel=0.1)
    # A tenth of the samples say 0.26, all of them 0.026, the lines 0 ± 0.006.
    assert abs(at_infinity.mean()) < 3 * at_infinity.std() / pairs**0.5
    assert (at_infinity.abs() < finite[:, -1]).all()


def test_extrapolation_finds_the_distance_between_two_gaussians():
    """‖Δμ‖² + Σ (σ₁ − σ₂)² in closed form; 400 samples overstate it by far more than what is left of the error."""
    d, n = 10, 2000
    first, second = normal(n, d), 1.3 * normal(n, d, seed=1) + 0.2
    truth = d * (0.2**2 + 0.3**2)
    curve = sample_size_curve(lambda chosen: frechet_distance(first[chosen], second[chosen]), n, repeats=6)
    assert abs(curve.extrapolate().value - truth) < 0.1 * truth
    assert curve.means[0] - truth > 3 * abs(curve.extrapolate().value - truth)


def test_the_inception_score_grows_with_samples_and_is_extrapolated():
    """p(c) of few samples is too like them, so p(c | x) differs too little from it: biased downwards.

    With K classes, all equally likely and certain, log IS is short of log K by about (K − 1) / 2n, IS by K times that.
    """
    classes, n = 30, 3000
    labels = torch.randint(classes, (n,), generator=torch.Generator().manual_seed(0))
    probabilities = torch.nn.functional.one_hot(labels, classes).double()
    curve = sample_size_curve(lambda chosen: inception_score(probabilities[chosen]), n, repeats=6)
    assert curve.means[0] < curve.means[-1] < classes
    assert curve.extrapolate().slope == pytest.approx(-classes * (classes - 1) / 2, rel=0.25)
    assert abs(curve.extrapolate().value - classes) < abs(curve.means[-1] - classes)


def test_the_error_of_an_extrapolation_by_the_jackknife():
    """Metrics nest: the line through each of the jackknife's sets. It is larger than the scatter about one line."""
    x = normal(600, 4)

    def at_infinity(chosen: Tensor) -> float:
        part = x[chosen]
        curve = sample_size_curve(lambda inner: frechet_distance(part[inner], 1.5 * x.roll(1, 1)), len(part), repeats=2)
        return curve.extrapolate().value

    whole = sample_size_curve(lambda inner: frechet_distance(x[inner], 1.5 * x.roll(1, 1)), 600, repeats=2)
    assert jackknife(at_infinity, 600, groups=8).error > whole.extrapolate().error


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: bootstrap(f, 1), "num_samples must be a whole number, 2 or more, got 1"),
        (lambda f: bootstrap(f, 10, repeats=1), "repeats"),
        (lambda f: jackknife(f, 10, groups=11), "groups must be a whole number, 2 to 10, got 11"),
        (lambda f: sample_size_curve(f, 10, sizes=[5, 11]), "each of sizes.*1 to 10, got 11"),
        (lambda f: sample_size_curve(f, 10, sizes=[5, 5, 5]), r"2 sizes.*got sizes \[5\]"),
        (lambda f: sample_size_curve(f, 10, sizes=[5, 10], repeats=1), "3 subsets or more"),
        (lambda f: jackknife(lambda chosen: float("nan"), 30), "metric of 30 samples is nan"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(lambda chosen: 0.0)
