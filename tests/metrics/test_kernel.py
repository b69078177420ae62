"""The kernel distance against a plain double loop and torch-fidelity's, and its lack of bias."""

import pytest
import torch
from torch import Tensor

from ldvd_lib.metrics import kernel, kernel_distance, kernel_distance_of_subsets


def features(n: int, d: int, *, seed: int = 0, shift: float = 0.0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def by_double_loop(first: Tensor, second: Tensor) -> float:
    """Bińkowski et al. 2018: the definition, pair by pair."""

    def k(x: Tensor, y: Tensor) -> float:
        return (sum((x * y).tolist()) / len(x) + 1) ** 3

    n, m = len(first), len(second)
    total = sum(k(first[i], first[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    total += sum(k(second[i], second[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return total - 2 * sum(k(x, y) for x in first for y in second) / (n * m)


@pytest.mark.parametrize(("n", "m", "d"), [(12, 9, 5), (2, 2, 1), (3, 15, 40)])
@pytest.mark.parametrize("rows", [4, 1024])
def test_it_is_the_double_loops(n, m, d, rows, monkeypatch):
    monkeypatch.setattr(kernel, "_ROWS", rows)
    first, second = features(n, d), features(m, d, seed=1, shift=0.4)
    assert kernel_distance(first, second) == pytest.approx(by_double_loop(first, second), rel=1e-11, abs=1e-12)


def test_it_is_torch_fidelitys():
    from ldvd_lib._kit.torchvision import torchvision  # noqa: F401

    reference = pytest.importorskip("torch_fidelity.metric_kid", reason="pip install torch-fidelity to compare with it")
    first, second = features(80, 16), features(80, 16, seed=1, shift=0.3)
    theirs = reference.kernel_mmd(first.numpy(), second.numpy())
    assert kernel_distance(first, second) == pytest.approx(theirs, rel=1e-10)


def test_few_samples_of_one_distribution_give_zero_on_average():
    values = torch.tensor(
        [kernel_distance(features(20, 8, seed=i), features(20, 8, seed=1000 + i)) for i in range(300)]
    )
    error = values.std() / 300**0.5
    assert abs(values.mean()) < 3 * error
    assert (values < 0).any()


def test_fewer_samples_are_less_certain_but_not_biased():
    """Unlike the Fréchet distance: ten and two hundred samples agree on average."""
    few, many = (
        torch.tensor(
            [kernel_distance(features(n, 4, seed=i), features(n, 4, seed=500 + i, shift=0.5)) for i in range(100)]
        )
        for n in (10, 100)
    )
    assert abs(few.mean() - many.mean()) < 3 * (few.var() / 100 + many.var() / 100).sqrt()
    assert few.std() > 2 * many.std()


def test_order_does_not_matter_and_it_is_symmetric():
    first, second = features(30, 6), features(20, 6, seed=1, shift=1)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    distance = kernel_distance(first, second)
    assert kernel_distance(first[order], second) == pytest.approx(distance, rel=1e-11)
    assert kernel_distance(second, first) == pytest.approx(distance, rel=1e-11)


def test_subsets_scatter_about_the_distance():
    first, second = features(200, 6), features(150, 6, seed=1, shift=0.5)
    estimate = kernel_distance_of_subsets(first, second, subset_size=50, num_subsets=40, seed=2)
    assert estimate.values.shape == (40,)
    assert estimate.value == pytest.approx(estimate.values.mean().item())
    assert estimate.deviation == pytest.approx(estimate.values.std().item())
    assert abs(estimate.value - kernel_distance(first, second)) < 3 * estimate.deviation / 40**0.5
    again = kernel_distance_of_subsets(first, second, subset_size=50, num_subsets=40, seed=2)
    assert torch.equal(again.values, estimate.values)


def test_a_subset_of_all_samples_is_the_distance_itself():
    first, second = features(20, 6), features(20, 6, seed=1)
    estimate = kernel_distance_of_subsets(first, second, subset_size=20, num_subsets=2)
    assert estimate.value == pytest.approx(kernel_distance(first, second), rel=1e-9)
    assert estimate.deviation == pytest.approx(0, abs=1e-12)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="first has 3 features and second has 4"):
        kernel_distance(features(5, 3), features(5, 4))
    with pytest.raises(ValueError, match="second needs 2 samples"):
        kernel_distance(features(5, 3), features(1, 3))
    with pytest.raises(ValueError, match=r"subset_size.*2 to 5.*1000"):
        kernel_distance_of_subsets(features(5, 3), features(9, 3))
