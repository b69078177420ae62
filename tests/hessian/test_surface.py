"""The loss on a plane through the weights."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ldvd_lib.hessian import HessianOperator, lanczos, loss_surface, random_directions


class Quadratic:
    """½ xᵀAx + bᵀx + 1 of two tensors, flat one after the other."""

    def __init__(self) -> None:
        random = torch.Generator().manual_seed(0)
        a = torch.randn(8, 8, generator=random, dtype=torch.float64)
        self.a, self.b = a + a.T, torch.randn(8, generator=random, dtype=torch.float64)
        self.parameters = [
            torch.randn(shape, generator=random, dtype=torch.float64, requires_grad=True) for shape in ((2, 3), (2,))
        ]
        self.fails_after = -1

    @property
    def weights(self) -> Tensor:
        return torch.cat([parameter.flatten() for parameter in self.parameters])

    def value(self, x: Tensor) -> Tensor:
        return x @ self.a @ x / 2 + self.b @ x + 1

    def __call__(self) -> Tensor:
        self.fails_after -= 1
        if self.fails_after == 0:
            raise ArithmeticError("as the test wants")
        return self.value(self.weights)


@pytest.fixture
def quadratic() -> Quadratic:
    return Quadratic()


def test_values_are_those_of_the_loss_on_the_plane(quadratic) -> None:
    u, v = random_directions(8, seed=3)
    surface = loss_surface(quadratic, quadratic.parameters, torch.stack([7 * u, 0.1 * v]), radius=2, points=5)
    assert surface.offsets.tolist() == [-2, -1, 0, 1, 2]
    weights = quadratic.weights.detach()
    expected = [[quadratic.value(weights + s * u + t * v).item() for t in surface.offsets] for s in surface.offsets]
    np.testing.assert_allclose(surface.values, expected, rtol=1e-12)
    assert surface.values[2, 2] == quadratic().item()


def test_along_eigenvectors_the_curvature_is_the_eigenvalue(quadratic) -> None:
    pairs = lanczos(HessianOperator(quadratic, quadratic.parameters), 2, vectors=True)
    surface = loss_surface(quadratic, quadratic.parameters, pairs.vectors, radius=1, points=3)
    second_difference = (
        surface.values[2, 1] + surface.values[0, 1] - 2 * surface.values[1, 1],
        surface.values[1, 2] + surface.values[1, 0] - 2 * surface.values[1, 1],
    )
    assert second_difference == pytest.approx(pairs.values.tolist(), rel=1e-9)
    mixed = surface.values[2, 2] - surface.values[2, 0] - surface.values[0, 2] + surface.values[0, 0]
    assert mixed == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("fails_after", [-1, 1, 7])
def test_the_weights_are_left_as_they_were(quadratic, fails_after: int) -> None:
    quadratic.fails_after = fails_after
    before = [(p, p.detach().clone(), p.data_ptr(), p._version) for p in quadratic.parameters]
    operator_made_before = HessianOperator(lambda: quadratic.value(quadratic.weights), quadratic.parameters)
    try:
        loss_surface(quadratic, quadratic.parameters, random_directions(8), points=3)
    except ArithmeticError:
        assert fails_after > 0
    else:
        assert fails_after < 0
    for parameter, value, place, version in before:
        assert torch.equal(parameter, value)
        assert (parameter.data_ptr(), parameter._version) == (place, version)
        assert parameter.requires_grad
        assert parameter.grad is None
    vector = torch.randn(8, dtype=torch.float64)
    torch.testing.assert_close(operator_made_before @ vector, quadratic.a @ vector)


def test_directions_of_another_precision_will_do(quadratic) -> None:
    directions = random_directions(8)
    double = loss_surface(quadratic, quadratic.parameters, directions, points=3)
    single = loss_surface(quadratic, quadratic.parameters, directions.float(), points=3)
    np.testing.assert_allclose(single.values, double.values, rtol=1e-5)


def test_random_directions_are_orthonormal_and_come_from_the_seed() -> None:
    directions = random_directions(50, 3, seed=1)
    torch.testing.assert_close(directions @ directions.T, torch.eye(3, dtype=torch.float64))
    assert torch.equal(random_directions(50, 3, seed=1), directions)
    assert not torch.equal(random_directions(50, 3, seed=2), directions)


@pytest.mark.parametrize("shape", [(2, 7), (1, 8), (3, 8), (8,), (8, 2)], ids=str)
def test_directions_that_do_not_fit_are_refused(quadratic, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"directions must be \(2, 8\)"):
        loss_surface(quadratic, quadratic.parameters, torch.ones(shape))


@pytest.mark.parametrize("options", [{"radius": 0}, {"radius": float("nan")}, {"points": 4}, {"points": 1}], ids=str)
def test_a_grid_that_makes_no_sense_is_refused(quadratic, options: dict) -> None:
    with pytest.raises(ValueError, match="a positive one, and an odd number from 3"):
        loss_surface(quadratic, quadratic.parameters, random_directions(8), **options)
