"""Residual blocks."""

import pytest
import torch
from torch.nn import functional as F

from ldvd_lib.blocks import DownBlock, UpBlock, halved


def test_an_up_block_equals_its_layers_written_out() -> None:
    torch.manual_seed(0)
    block = UpBlock(4, 3).double()
    x = torch.randn(2, 4, 5, 5, dtype=torch.float64)

    def normal(maps: torch.Tensor) -> torch.Tensor:
        return (maps - maps.mean((0, 2, 3), keepdim=True)) / (
            maps.var((0, 2, 3), correction=0, keepdim=True) + 1e-5
        ).sqrt()

    def twice(maps: torch.Tensor) -> torch.Tensor:
        return maps.repeat_interleave(2, 2).repeat_interleave(2, 3)

    into, out = block.residual[3], block.residual[6]
    expected = out(F.relu(normal(into(twice(F.relu(normal(x))))))) + block.shortcut(twice(x))
    torch.testing.assert_close(block(x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((4, 6, 8), (2, 3, 4)), ((1, 6, 6), (1, 3, 3)), ((2, 3, 3), (1, 2, 2)), ((1, 1, 1), (1, 1, 1))],
)
def test_what_is_longer_than_one_is_halved(shape: tuple, expected: tuple) -> None:
    assert halved(torch.zeros(1, 2, *shape)).shape[2:] == expected


def test_no_end_of_an_odd_length_is_lost() -> None:
    line = torch.tensor([1.0, 2.0, 4.0]).view(1, 1, 1, 1, 3)
    assert halved(line).flatten().tolist() == [0.5, 3.0]
    assert halved(torch.ones(1, 1, 1, 1, 4)).flatten().tolist() == [1, 1]


@pytest.mark.parametrize(("first", "shape"), [(True, (4, 3, 3)), (False, (2, 3, 3))])
def test_a_down_block_halves_space_and_but_for_the_first_time(first: bool, shape: tuple) -> None:
    block = DownBlock(3, 5, first=first)
    x = torch.randn(2, 3, 4, 6, 6)
    before = x.clone()
    assert block(x).shape == (2, 5, *shape)
    assert torch.equal(x, before)  # ReLUs in place touch nothing of the input
    assert (block.into.out_channels, block.out.out_channels) == ((5, 5) if first else (3, 5))


def test_third_derivatives_are_right() -> None:
    """The curvature of a penalty on gradients needs them."""
    torch.manual_seed(0)
    block = DownBlock(2, 2).double()
    x = torch.randn(1, 2, 3, 3, 2, dtype=torch.float64, requires_grad=True)

    def slope(x: torch.Tensor) -> torch.Tensor:
        (gradient,) = torch.autograd.grad(block(x).square().sum(), x, create_graph=True)
        return gradient.square().sum()

    assert torch.autograd.gradgradcheck(slope, x)
