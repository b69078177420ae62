"""The sliced Wasserstein distance against SciPy's along each direction, and against what is known of Gaussians."""

import math
from importlib import import_module

import pytest
import torch
from scipy.stats import wasserstein_distance
from torch import Tensor

from ldvd_lib.metrics import frechet_distance, patches, sliced_wasserstein
from ldvd_lib.metrics.sliced_wasserstein import random_directions


def features(n: int, d: int, *, seed: int = 0, shift: float = 0.0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


@pytest.mark.parametrize(("n", "m", "d"), [(30, 30, 5), (40, 17, 3), (2, 9, 1)])
@pytest.mark.parametrize("at_once", [1, 2**22])
def test_along_each_direction_it_is_scipys(n, m, d, at_once, monkeypatch) -> None:
    monkeypatch.setattr(import_module("ldvd_lib.metrics.sliced_wasserstein"), "_VALUES", at_once)
    first, second = features(n, d), features(m, d, seed=1, shift=0.5)
    second[:2] = first[:2]  # ties
    measured = sliced_wasserstein(first, second, num_directions=7, seed=3)
    directions = random_directions(7, d, seed=3)
    expected = [wasserstein_distance(first @ one, second @ one) for one in directions]
    assert measured.values.tolist() == pytest.approx(expected, rel=1e-10)
    assert measured.value == pytest.approx(sum(expected) / 7)
    assert measured.error == pytest.approx(torch.tensor(expected, dtype=torch.float64).std().item() / math.sqrt(7))


def test_a_cloud_that_is_moved_is_as_far_as_the_mean_of_what_directions_see_of_the_shift() -> None:
    """Along θ the distance is |θ·s|; over the sphere its mean is |s| Γ(d/2) / (√π Γ((d + 1)/2))."""
    d, shift = 6, torch.tensor([3.0, -4.0, 0.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    cloud = features(50, d)
    measured = [sliced_wasserstein(cloud, cloud + shift, num_directions=2000, seed=seed) for seed in range(4)]
    torch.testing.assert_close(measured[1].values, (random_directions(2000, d, seed=1) @ shift).abs())
    expected = 5 * math.gamma(d / 2) / (math.sqrt(math.pi) * math.gamma((d + 1) / 2))
    error = math.hypot(*(one.error for one in measured)) / 4
    assert abs(sum(one.value for one in measured) / 4 - expected) < 3 * error < 0.05
    # Two samples of Gaussians that differ by the shift: farther by what the samples differ, and not much.
    samples = sliced_wasserstein(features(1500, d, seed=1), features(1500, d, seed=2) + shift, num_directions=200)
    assert samples.value == pytest.approx(expected, abs=3 * samples.error + 0.05)


def test_the_error_is_that_of_other_directions() -> None:
    first, second = features(60, 8), features(60, 8, seed=1, shift=0.3)
    estimates = [sliced_wasserstein(first, second, num_directions=50, seed=seed) for seed in range(60)]
    scatter = torch.tensor([one.value for one in estimates]).std().item()
    assert scatter == pytest.approx(sum(one.error for one in estimates) / 60, rel=0.3)


def test_few_samples_of_one_distribution_are_apart_and_more_are_less() -> None:
    few, many = (
        sliced_wasserstein(features(n, 4), features(n, 4, seed=1), num_directions=50).value for n in (50, 5000)
    )
    assert few > 5 * many > 0


def test_it_sees_a_shape_that_two_moments_do_not() -> None:
    angles = 2 * math.pi * (torch.arange(400, dtype=torch.float64) / 400)
    ring = torch.stack([angles.cos(), angles.sin()], 1)
    cross = torch.zeros(400, 2, dtype=torch.float64)
    cross[:100, 0], cross[100:200, 0] = math.sqrt(2), -math.sqrt(2)
    cross[200:300, 1], cross[300:, 1] = math.sqrt(2), -math.sqrt(2)
    cross /= math.sqrt(2)
    assert frechet_distance(ring, cross) < 1e-3
    assert sliced_wasserstein(ring, cross).value > 0.05


def test_order_and_sides_do_not_matter_and_the_unit_is_the_features() -> None:
    first, second = features(30, 5), features(20, 5, seed=1, shift=1)
    measured = sliced_wasserstein(first, second, seed=4)
    assert sliced_wasserstein(second.flip(0), first, seed=4).value == pytest.approx(measured.value, rel=1e-12)
    assert sliced_wasserstein(8 * first, 8 * second, seed=4).value == pytest.approx(8 * measured.value, rel=1e-12)
    assert sliced_wasserstein(first, first.flip(0)).value == pytest.approx(0, abs=1e-15)
    assert sliced_wasserstein(first, second, seed=5).value != measured.value


def test_directions_have_length_one_and_no_preference() -> None:
    directions = random_directions(5000, 3, seed=1)
    torch.testing.assert_close(torch.linalg.vector_norm(directions, dim=1), torch.ones(5000, dtype=torch.float64))
    assert directions.mean(0).abs().max() < 0.04
    torch.testing.assert_close(directions.T.cov(), torch.eye(3, dtype=torch.float64) / 3, atol=0.02, rtol=0)


def test_patches_are_blocks_of_their_clips() -> None:
    videos = torch.arange(2 * 3 * 5 * 6 * 7, dtype=torch.float64).view(2, 3, 5, 6, 7)
    blocks = patches(videos, shape=(2, 3, 4), count=10, seed=1)
    assert blocks.shape == (20, 3 * 2 * 3 * 4)
    every_block = videos.unfold(2, 2, 1).unfold(3, 3, 1).unfold(4, 4, 1)  # (N, C, places of each, block)
    for clip, rows in enumerate(blocks.view(2, 10, -1)):
        there = every_block[clip].flatten(1, 3).transpose(0, 1).flatten(1).sort(1).values
        for block in rows.sort(1).values:
            assert (there == block).all(1).any()
    assert len(blocks.unique(dim=0)) > 10
    assert torch.equal(patches(videos, shape=(2, 3, 4), count=10, seed=1), blocks)
    assert not torch.equal(patches(videos, shape=(2, 3, 4), count=10, seed=2), blocks)
    # The whole clip is one block, whatever the seed: with the channels last.
    assert torch.equal(patches(videos, shape=(5, 6, 7), count=1), videos.movedim(1, -1).flatten(1))


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="first has 3 features and second has 4"):
        sliced_wasserstein(features(5, 3), features(5, 4))
    with pytest.raises(ValueError, match="num_directions must be a whole number, 2 or more, got 1"):
        sliced_wasserstein(features(5, 3), features(5, 3), num_directions=1)
    with pytest.raises(ValueError, match=r"\(4, 7, 7\) .* do not fit into clips of \(16, 6, 32\)"):
        patches(torch.zeros(1, 3, 16, 6, 32))
    with pytest.raises(ValueError, match=r"\(N, C, T, H, W\)"):
        patches(torch.zeros(3, 16, 6, 32))
