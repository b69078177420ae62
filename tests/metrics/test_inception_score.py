"""The inception score against the protocol written out, torch-fidelity's, and what is known of it in closed form."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ldvd_lib.metrics import inception_score


def softmax(n: int, classes: int, *, scale: float = 3, seed: int = 0) -> Tensor:
    logits = scale * torch.randn(n, classes, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return logits.softmax(1)


def as_in_the_protocol(probabilities: np.ndarray) -> float:
    """Sample by sample, class by class."""
    mean = probabilities.mean(0)
    divergences = [
        sum(p * (np.log(p + 1e-7) - np.log(q + 1e-7)) for p, q in zip(row, mean, strict=True)) for row in probabilities
    ]
    return float(np.exp(np.mean(divergences)))


@pytest.mark.parametrize("classes", [2, 12, 101])
def test_it_is_the_protocols(classes):
    probabilities = softmax(60, classes)
    assert inception_score(probabilities) == pytest.approx(as_in_the_protocol(probabilities.numpy()), rel=1e-12)


def test_certain_and_balanced_gives_the_number_of_classes():
    assert inception_score(torch.eye(10).repeat(5, 1)) == pytest.approx(10, rel=1e-5)


@pytest.mark.parametrize("row", [[1.0, 0, 0, 0], [0.25, 0.25, 0.25, 0.25], [0.7, 0.1, 0.1, 0.1]])
def test_the_same_answer_for_all_gives_one(row):
    assert inception_score(torch.tensor(row).repeat(30, 1)) == pytest.approx(1, abs=1e-9)


def test_it_is_torch_fidelitys_without_splits_and_epsilon():
    from ldvd_lib._kit.torchvision import torchvision  # noqa: F401

    reference = pytest.importorskip("torch_fidelity.metric_isc", reason="pip install torch-fidelity to compare with it")
    logits = 2 * torch.randn(200, 15, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    theirs = reference.isc_features_to_metric(logits, splits=1)["inception_score_mean"]
    assert inception_score(logits.softmax(1), epsilon=0) == pytest.approx(theirs, rel=1e-10)
    assert inception_score(logits.softmax(1)) == pytest.approx(theirs, rel=1e-4)


def test_the_order_of_samples_and_classes_does_not_matter():
    probabilities = softmax(80, 9)
    random = torch.Generator().manual_seed(3)
    samples, classes = torch.randperm(80, generator=random), torch.randperm(9, generator=random)
    assert inception_score(probabilities[samples][:, classes]) == pytest.approx(
        inception_score(probabilities), rel=1e-12
    )


def test_single_precision_is_summed_in_double():
    """Summed in float32, 200,000 samples would be off by more."""
    probabilities = softmax(1000, 5).float()
    assert inception_score(probabilities.repeat(200, 1)) == pytest.approx(inception_score(probabilities), rel=1e-12)


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        (torch.ones(4, 3) / 3 * torch.tensor([[1.0], [1], [1], [float("nan")]]), "1 of 4 samples hold NaN"),
        (torch.randn(5, 3, generator=torch.Generator().manual_seed(0)), "negative.*softmax"),
        (torch.ones(5, 3), "sum to 1.*off by 2"),
        (torch.ones(1, 3) / 3, "2 samples or more, got 1"),
        (torch.ones(3) / 3, r"\(n, d\).*got \(3,\)"),
        (torch.eye(3, dtype=torch.int64), "floating.*int64"),
        (np.eye(3), "tensor.*ndarray"),
    ],
)
def test_what_is_no_probability_is_refused(probabilities, message):
    with pytest.raises(ValueError, match=message):
        inception_score(probabilities)
