"""Is a clip of the class that it should be? A judge that tells classes apart is asked.

An inception score is high where classes are clear and all there; it does not ask whether they are the right ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ldvd_lib._kit.checks import whole_number
from ldvd_lib._kit.tables import InColumns


@dataclass(frozen=True, repr=False)
class Confusion(InColumns):
    """How a judge names clips of which one knows what they should be.

    Attributes:
        class_names: of the classes.
        counts: for each class that was asked for, how many of its clips were named which class.

    Raises:
        ValueError: if there is not a row, and in each a count, for every class, or a row is empty.
    """

    class_names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    HEADINGS = ("should be", "named so", "else, most often")
    FIGURES = (1,)

    def __post_init__(self) -> None:
        classes = len(self.class_names)
        if len(self.counts) != classes or any(len(row) != classes for row in self.counts):
            raise ValueError(f"{classes} classes take {classes} rows of {classes} counts, got {self.counts}")
        for name, row in zip(self.class_names, self.counts, strict=True):
            if min(row) < 0 or not sum(row):
                raise ValueError(f"each class needs counts from 0 on, not all of them 0; {name!r} has {row}")

    @property
    def accuracies(self) -> dict[str, float]:
        """Of each class, the share of its clips that the judge names so."""
        rows = enumerate(zip(self.class_names, self.counts, strict=True))
        return {name: row[number] / sum(row) for number, (name, row) in rows}

    @property
    def accuracy(self) -> float:
        """The mean over classes; by chance one over their number."""
        return sum(self.accuracies.values()) / len(self.class_names)

    def cells(self) -> list[tuple[str, str, str]]:
        rows = []
        for asked, (name, row) in enumerate(zip(self.class_names, self.counts, strict=True)):
            others = [(count, self.class_names[other]) for other, count in enumerate(row) if other != asked]
            most, taken_for = max(others)
            rows.append((name, f"{row[asked] / sum(row):.0%}", f"{taken_for} {most / sum(row):.0%}" if most else "–"))
        return [*rows, ("all", f"{self.accuracy:.0%}", "")]


def confusion(probabilities: Tensor, labels: Tensor, class_names: Sequence[str]) -> Confusion:
    """Count which class a judge finds most likely, for clips of each class.

    Args:
        probabilities: ``(n, C)``, or anything that is largest for the class that is named.
        labels: ``(n,)`` int64, what clips should be.
        class_names: C names.

    Raises:
        ValueError: if shapes do not fit, or a class has no clip.
    """
    classes = whole_number("the number of classes", len(class_names), least=2)
    if probabilities.shape != (len(labels), classes):
        raise ValueError(
            f"{len(labels)} labels and {classes} classes take probabilities of shape ({len(labels)}, {classes}), got "
            f"{tuple(probabilities.shape)}"
        )
    named = probabilities.argmax(1)
    counts = torch.bincount(labels * classes + named, minlength=classes**2).view(classes, classes)
    return Confusion(tuple(class_names), tuple(map(tuple, counts.tolist())))
