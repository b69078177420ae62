"""One-dimensional critics of learnt features."""

import torch
from torch.nn.functional import leaky_relu

from ldvd_lib.blocks import Slices


def changed(features: int) -> Slices:
    torch.manual_seed(0)
    slices = Slices(features).double()
    with torch.no_grad():
        slices.directions.mul_(3).add_(torch.randn(features, features) / 5)
        slices.scale.copy_(torch.randn(features))
        slices.offset.copy_(torch.randn(features))
    return slices


def test_directions_are_orthogonal_at_first() -> None:
    slices = Slices(6)
    torch.testing.assert_close(slices.directions @ slices.directions.T, torch.eye(6))
    x = torch.randn(4, 6)
    torch.testing.assert_close(slices.project(x).square().sum(1), x.square().sum(1))


def test_the_score_is_the_mean_of_critics_along_directions_of_length_1() -> None:
    slices, x = changed(5), torch.randn(3, 5).double()
    for row, score in zip(x, slices(x), strict=True):
        critics = [
            leaky_relu(scale * (direction / direction.norm() @ row) + offset, 0.2)
            for direction, scale, offset in zip(slices.directions, slices.scale, slices.offset, strict=True)
        ]
        torch.testing.assert_close(score, torch.stack(critics).mean())


def test_slopes_are_the_derivatives_of_the_critics() -> None:
    slices, x = changed(5), torch.randn(3, 5).double()
    unit = slices.directions / slices.directions.norm(dim=1, keepdim=True)
    width = 1e-6
    for number, direction in enumerate(unit):
        step = torch.linalg.pinv(unit)[:, number]  # moves the projection on this direction alone
        rise = (slices(x + width * step) - slices(x - width * step)) * 5 / (2 * width)
        torch.testing.assert_close(slices.slopes(x)[:, number], rise, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(direction @ step, torch.ones(()).double())


def test_a_score_has_derivatives_of_all_orders_that_a_penalty_on_gradients_asks_for() -> None:
    slices, x = changed(4), torch.randn(3, 4).double().requires_grad_()
    assert torch.autograd.gradgradcheck(slices, x)
