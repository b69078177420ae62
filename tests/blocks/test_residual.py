"""Residual blocks."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ldvd_lib.blocks import ConditionalBatchNorm, DownBlock, TimeBlock, UpBlock, halved


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


class Told(nn.Module):
    """Stands for a normalisation that is told something: adds it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        assert x.shape[1] == self.channels
        return x + condition


def test_what_its_normalisations_are_told_comes_to_both() -> None:
    torch.manual_seed(0)
    block, x, told = UpBlock(3, 5, norm=Told, scale=1), torch.randn(2, 3, 4, 4), torch.tensor(0.3)
    into, out = block.residual[3], block.residual[6]
    expected = out(F.relu(into(F.relu(x + told)) + told)) + block.shortcut(x)
    torch.testing.assert_close(block(x, told), expected)
    assert block(x, told).shape == (2, 5, 4, 4)


def test_what_stays_as_it_is_has_nothing_learnt_beside_it() -> None:
    blocks = (UpBlock(3, 3, scale=1), DownBlock(3, 3, halves=(False, False)))
    assert not [parameter for block in blocks for parameter in block.shortcut.parameters()]
    learns = (UpBlock(3, 3), UpBlock(3, 4, scale=1), DownBlock(3, 3), DownBlock(3, 4, halves=(False, False)))
    assert all(list(block.shortcut.parameters()) for block in learns)


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


@pytest.mark.parametrize(("time", "space"), [(True, False), (False, True), (False, False), (True, True)])
@pytest.mark.parametrize("first", [True, False])
def test_a_down_block_halves_what_it_is_told_to(time: bool, space: bool, first: bool) -> None:
    block = DownBlock(3, 5, first=first, hidden_channels=7, halves=(time, space))
    assert block(torch.randn(2, 3, 4, 6, 6)).shape == (2, 5, 2 if time else 4, *[3 if space else 6] * 2)
    assert (block.into.out_channels, block.out.in_channels) == (7, 7)


def test_without_kernels_over_time_each_frame_is_alone() -> None:
    torch.manual_seed(0)
    block, x = DownBlock(3, 5, over_time=False, halves=(False, True)), torch.randn(2, 3, 4, 6, 6)
    alone = torch.cat([block(frame) for frame in x.split(1, dim=2)], dim=2)
    torch.testing.assert_close(block(x), alone)
    assert block.into.kernel_size == block.out.kernel_size == (1, 3, 3)


def test_third_derivatives_are_right() -> None:
    """The curvature of a penalty on gradients needs them."""
    torch.manual_seed(0)
    block = DownBlock(2, 2).double()
    x = torch.randn(1, 2, 3, 3, 2, dtype=torch.float64, requires_grad=True)

    def slope(x: torch.Tensor) -> torch.Tensor:
        (gradient,) = torch.autograd.grad(block(x).square().sum(), x, create_graph=True)
        return gradient.square().sum()

    assert torch.autograd.gradgradcheck(slope, x)


def test_a_time_block_equals_its_layers_written_out_and_reaches_two_frames_far() -> None:
    torch.manual_seed(0)
    block = TimeBlock(4, lambda channels: ConditionalBatchNorm(channels, 3, None)).double()
    x, condition = (torch.randn(*shape, dtype=torch.float64) for shape in ((2 * 7, 4, 5, 5), (2, 1, 3)))
    block(x, condition)
    block.eval()
    learnt = x
    for norm, convolution in zip(block.norms, block.convolutions, strict=True):
        assert convolution.kernel_size == (3, 3, 3)
        videos = F.relu(norm(learnt, condition)).view(2, 7, 4, 5, 5).permute(0, 2, 1, 3, 4)
        videos = torch.cat([videos[:, :, :1], videos, videos[:, :, -1:]], 2)  # the ends once more
        learnt = convolution(videos).permute(0, 2, 1, 3, 4).reshape(14, 4, 5, 5)
    output = block(x, condition)
    torch.testing.assert_close(output, x + learnt, rtol=0, atol=1e-12)
    changed = x.clone()
    changed[3] += 1  # of the first video the frame in the middle
    moved = (block(changed, condition) - output).abs().amax((1, 2, 3)) > 1e-12
    assert moved.nonzero().flatten().tolist() == [1, 2, 3, 4, 5]
    assert TimeBlock.REACH == 2
    still = block(x[:7][:1].repeat(7, 1, 1, 1), condition[:1])  # a video in which nothing moves has no ends either
    torch.testing.assert_close(still, still[:1].expand_as(still), rtol=0, atol=1e-12)
