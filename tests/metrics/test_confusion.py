"""Whether clips are named what they should be."""

import pytest
import torch

from ldvd_lib.metrics import Confusion, confusion

NAMES = ("run", "jump", "sit")


def test_counts_are_those_of_a_loop() -> None:
    random = torch.Generator().manual_seed(0)
    probabilities, labels = torch.rand(50, 3, generator=random), torch.arange(50) % 3
    counts = [[0] * 3 for _ in NAMES]
    for row, label in zip(probabilities.tolist(), labels.tolist(), strict=True):
        counts[label][row.index(max(row))] += 1
    assert confusion(probabilities, labels, NAMES).counts == tuple(map(tuple, counts))


def test_accuracy_is_the_mean_over_classes_however_many_clips_each_has() -> None:
    found = Confusion(NAMES, ((8, 2, 0), (0, 1, 0), (2, 2, 0)))
    assert found.accuracies == {"run": 0.8, "jump": 1.0, "sit": 0.0}
    assert found.accuracy == pytest.approx(0.6)


def test_it_says_what_a_class_is_taken_for() -> None:
    text = repr(Confusion(NAMES, ((8, 2, 0), (0, 1, 0), (1, 3, 0))))
    run, jump, sit, everything = text.splitlines()[1:]
    assert run.split() == ["run", "80%", "jump", "20%"]
    assert jump.split() == ["jump", "100%", "–"]
    assert sit.split() == ["sit", "0%", "jump", "75%"]
    assert everything.split() == ["all", "60%"]


@pytest.mark.parametrize(
    "counts", [((1, 0), (0, 1)), ((1, 0, 0), (0, 1, 0), (0, 0, 0)), ((1, 0, -1), (0, 1, 0), (0, 0, 1))]
)
def test_counts_that_fit_no_classes_are_refused(counts: tuple) -> None:
    with pytest.raises(ValueError, match="class"):
        Confusion(NAMES, counts)


def test_probabilities_of_other_classes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"5 labels and 3 classes take probabilities of shape \(5, 3\), got \(5, 4\)"):
        confusion(torch.rand(5, 4), torch.zeros(5, dtype=torch.int64), NAMES)
    with pytest.raises(ValueError, match="'sit' has"):
        confusion(torch.eye(3)[:2], torch.arange(2), NAMES)
