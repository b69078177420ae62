"""What every metric does with what it is given, before it computes anything."""

import pytest
import torch
from torch import Tensor

from ldvd_lib.metrics import GaussianStatistics, frechet_distance, inception_score, kernel_distance, neighbour_metrics


class OnMPS(Tensor):
    """Behaves as a tensor on Apple's GPU: it has no float64 until it is moved away."""

    @property
    def device(self) -> torch.device:
        return torch.device("mps")

    def double(self) -> Tensor:
        raise TypeError("Cannot convert a MPS Tensor to float64 dtype")

    def to(self, *arguments: object) -> Tensor:
        assert arguments == (torch.device("cpu"),), "only moved"
        return self.as_subclass(Tensor)


def sets() -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    return torch.randn(30, 4, generator=random), torch.randn(20, 4, generator=random)


@pytest.mark.parametrize(
    "metric",
    [
        frechet_distance,
        kernel_distance,
        neighbour_metrics,
        lambda first, second: GaussianStatistics.of(first).covariance.tolist(),
        lambda first, second: inception_score(first.softmax(1)),
    ],
)
def test_a_device_without_double_precision_makes_no_difference(metric) -> None:
    first, second = sets()
    expected = metric(first, second)
    assert metric(first.as_subclass(OnMPS), second.as_subclass(OnMPS)) == expected
    assert metric(first, second.as_subclass(OnMPS)) == expected
    assert metric(first.as_subclass(OnMPS), second) == expected
