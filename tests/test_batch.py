"""Batches."""

import pytest
import torch

from ldvd_lib.batch import Batch


def test_levels_and_sizes() -> None:
    one, two = torch.zeros(4, 3, 2, 8, 8), torch.zeros(2, 3, 1, 16, 16)
    assert Batch(one).levels == (one,)
    assert Batch((one, two)).levels == (one, two)
    assert Batch(one).size == Batch((one, two)).size == 4
    assert Batch(one).video is one
    with pytest.raises(ValueError, match="the batch has 2 levels"):
        _ = Batch((one, two)).video


@pytest.mark.parametrize("levels", [1, 2])
def test_leaves_have_the_same_values_and_gradients_of_their_own(levels: int) -> None:
    weight = torch.ones((), requires_grad=True)
    videos = tuple(weight * torch.rand(2, 3, 1, 2, 2) for _ in range(levels))
    batch = Batch(videos if levels > 1 else videos[0], torch.arange(2), weight * torch.ones(2))
    leaves = batch.leaves()
    assert all(torch.equal(leaf, video) for leaf, video in zip(leaves.levels, batch.levels, strict=True))
    sum(leaf.sum() for leaf in leaves.levels).backward()
    assert weight.grad is None
    assert all((leaf.grad == 1).all() for leaf in leaves.levels)
    assert not leaves.context.requires_grad
    assert leaves.labels is batch.labels


def test_moving_a_batch_moves_all_of_it() -> None:
    batch = Batch((torch.zeros(2, 3, 1, 2, 2), torch.zeros(1, 3, 1, 4, 4)), torch.arange(2), torch.zeros(2))
    moved = batch.to("meta")
    assert all(tensor.is_meta for tensor in (*moved.levels, moved.labels, moved.context))
    assert Batch(torch.zeros(1)).to("meta").labels is None
