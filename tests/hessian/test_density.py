"""The density of all eigenvalues, against the eigenvalues themselves."""

import numpy as np
import pytest
import torch
from scipy.integrate import trapezoid
from torch import Tensor

from ldvd_lib.hessian import SpectralDensity, spectral_density


def diagonal(values: Tensor | list[float]) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float64).diag()


SPREAD = torch.cat([torch.linspace(-1, 2, 200, dtype=torch.float64), torch.tensor([10.0, -6.0], dtype=torch.float64)])


def start_vector(size: int, seed: int) -> Tensor:
    """The first random vector that `spectral_density` takes."""
    vector = torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return vector / vector.norm()


@pytest.mark.parametrize("steps", [1, 3, 6])
def test_polynomials_of_degree_below_twice_the_steps_are_exact(steps: int) -> None:
    """Σ weights · nodes^j = vᵀ H^j v for the vector that the sample started from."""
    vector = start_vector(len(SPREAD), seed=4)
    density = spectral_density(SPREAD.diag(), samples=1, steps=steps, seed=4)
    moments = [(density.weights * density.nodes**j).sum() for j in range(2 * steps + 1)]
    exact = [(vector.square() * SPREAD**j).sum().item() for j in range(2 * steps + 1)]
    assert moments[:-1] == pytest.approx(exact[:-1], rel=1e-9)
    assert moments[-1] != pytest.approx(exact[-1], rel=1e-9)  # a Gauss rule is exact so far, and no further


def test_weights_sum_to_one_and_products_are_counted() -> None:
    density = spectral_density(SPREAD.diag(), samples=3, steps=12)
    assert density.nodes.shape == density.weights.shape == (3, 12)
    assert density.weights.sum(1) == pytest.approx(np.ones(3))
    assert (density.weights >= 0).all()
    assert (density.products, density.size) == (36, 202)
    assert density.nodes.min() >= -6 - 1e-9
    assert density.nodes.max() <= 10 + 1e-9


@pytest.mark.parametrize(
    ("function", "exact"),
    [
        (None, SPREAD.mean()),
        (lambda x: x**2, SPREAD.square().mean()),
        (lambda x: (x < 0).astype(float), (SPREAD < 0).double().mean()),
    ],
    ids=["trace", "squares", "share below zero"],
)
def test_means_are_right_within_a_few_standard_errors(function, exact: Tensor) -> None:
    density = spectral_density(SPREAD.diag(), samples=40, steps=25)
    mean, error = density.mean() if function is None else density.mean(function)
    assert 0 < error < 0.2 * exact.abs()
    assert abs(mean - exact.item()) < 4 * error
    more = spectral_density(SPREAD.diag(), samples=160, steps=25)
    assert more.mean()[1] == pytest.approx(density.mean()[1] / 2, rel=0.4)  # falls with the square root


def test_the_standard_error_is_the_scatter_between_seeds() -> None:
    runs = [spectral_density(SPREAD.diag(), samples=8, steps=5, seed=seed).mean() for seed in range(60)]
    means, errors = np.array(runs).T
    assert means.std() == pytest.approx(errors.mean(), rel=0.3)


@pytest.mark.parametrize("width", [None, 0.05, 1.0])
def test_a_curve_integrates_to_one(width: float | None) -> None:
    density = spectral_density(SPREAD.diag(), samples=4, steps=15)
    grid, values, errors = density.curve(width=width, points=4000)
    assert len(grid) == len(values) == len(errors) == 4000
    assert trapezoid(values, grid) == pytest.approx(1, abs=2e-3)
    assert (values >= 0).all()
    assert trapezoid(values * grid, grid) == pytest.approx(density.mean()[0], abs=1e-2)


def test_a_curve_on_a_grid_of_ones_own() -> None:
    density = SpectralDensity(np.array([[0.0, 1.0]]), np.array([[0.25, 0.75]]), 4, 2)
    grid, values, _ = density.curve([-1, 0, 1], width=0.1)
    peak = 1 / (0.1 * np.sqrt(2 * np.pi))
    assert grid.tolist() == [-1, 0, 1]
    assert values == pytest.approx([0, 0.25 * peak, 0.75 * peak], abs=1e-9)


def test_a_single_sample_tells_no_error() -> None:
    density = spectral_density(SPREAD.diag(), samples=1, steps=10)
    assert np.isnan(density.mean()[1])
    _, values, errors = density.curve()
    assert np.isfinite(values).all()
    assert np.isnan(errors).all()


def test_an_invariant_space_ends_it_and_is_exact() -> None:
    """Three distinct eigenvalues: three products each, however many are allowed."""
    matrix = diagonal([2.0] * 30 + [-1.0] * 20 + [0.0] * 50)
    density = spectral_density(matrix, samples=2, steps=25)
    assert density.products == 6
    assert density.weights.sum(1) == pytest.approx(np.ones(2))
    for sample in range(2):
        used = density.weights[sample] > 1e-12
        assert np.sort(density.nodes[sample, used]) == pytest.approx([-1, 0, 2], abs=1e-9)
    assert np.isfinite(density.curve()[1]).all()


def test_a_matrix_of_zeros_is_a_spike_at_zero() -> None:
    density = spectral_density(torch.zeros(10, 10), samples=2)
    assert density.products == 2
    assert density.mean() == (0, 0)
    grid, values, _ = density.curve()
    assert np.isfinite(values).all()
    assert np.abs(grid).max() < 0.1
    assert trapezoid(values, grid) == pytest.approx(1, abs=1e-3)


def test_as_many_steps_as_there_are_eigenvalues_are_enough() -> None:
    density = spectral_density(diagonal([3.0, 1, -2]), samples=2, steps=40)
    assert density.nodes.shape == (2, 3)
    assert density.nodes == pytest.approx(np.array([[-2, 1, 3]] * 2), abs=1e-9)


def test_the_seed_decides() -> None:
    one, two, other = (spectral_density(SPREAD.diag(), samples=2, steps=5, seed=seed) for seed in (1, 1, 2))
    assert (one.nodes == two.nodes).all()
    assert (one.nodes != other.nodes).any()


@pytest.mark.parametrize("options", [{"samples": 0}, {"steps": 0}], ids=str)
def test_nothing_to_do_is_refused(options: dict) -> None:
    with pytest.raises(ValueError, match="each must be at least 1"):
        spectral_density(torch.eye(3), **options)


def test_an_operator_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        spectral_density(torch.full((4, 4), torch.nan))
