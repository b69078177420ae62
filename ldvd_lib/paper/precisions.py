"""Does another precision give another answer? Trainings of the same critics and seeds, in two of them."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ldvd_lib._kit.tables import InColumns, as_html, as_text
from ldvd_lib.paper.answer import contrast, contrasts, correlation, spearman
from ldvd_lib.paper.question import CURVATURES, KINDS, NORMALIZED, QUALITIES, Point


@dataclass(frozen=True)
class Agreement:
    """Trainings of the same critics and seeds in two precisions: do they differ by more than seeds do?

    Attributes:
        measure: a key of `CURVATURES` or of `QUALITIES`.
        pairs: of trainings.
        precisions: the typical factor between the two of a pair (the median, the larger over the smaller).
        seeds: the typical factor between two seeds of one critic in one precision.
        rho: Spearman's rank correlation over the pairs: whether the two precisions put the critics in one order.
        rho_seeds: the same between two seeds in one precision, the median over all two.
    """

    measure: str
    pairs: int
    precisions: float
    seeds: float
    rho: float
    rho_seeds: float


class Agreements(InColumns, tuple[Agreement, ...]):
    """One for each measure; prints as text, shows as HTML in a notebook."""

    HEADINGS = ("measure", "pairs", "another precision", "another seed", "ρ of precisions", "ρ of seeds")
    FIGURES = range(1, len(HEADINGS))

    def cells(self) -> list[tuple[str, ...]]:
        """A line for each measure, under `HEADINGS`."""
        words = CURVATURES | QUALITIES
        return [
            (
                words[one.measure],
                str(one.pairs),
                *(f"× {factor:.2f}" for factor in (one.precisions, one.seeds)),
                *(f"{rho:+.2f}" for rho in (one.rho, one.rho_seeds)),
            )
            for one in self
        ]


def agreements(points: Iterable[Point], others: Iterable[Point]) -> Agreements:
    """Trainings in one precision beside those of the same critics and seeds in another.

    Args:
        points: in one precision, several seeds of each critic.
        others: in the other; what the first lack is left out, and so is what collapsed in either.

    Raises:
        ValueError: if no two trainings are of the same critic and seed, or no critic has two seeds.
    """
    first = {(point.critic, point.seed): point for point in points if not point.collapsed}
    second = {(point.critic, point.seed): point for point in others if not point.collapsed}
    both = [(first[key], other) for key, other in second.items() if key in first]
    critics = {one.critic for one, _ in both}
    seeds = [
        (one, other)
        for one, other in itertools.combinations(first.values(), 2)
        if one.critic == other.critic and one.critic in critics
    ]
    if not both or not seeds:
        raise ValueError("trainings of the same critics and seeds in both precisions are needed, and two seeds of one")
    by_seeds: dict[tuple[int, int], list[tuple[Point, Point]]] = {}
    for one, other in seeds:
        by_seeds.setdefault((one.seed, other.seed), []).append((one, other))
    return Agreements(
        Agreement(
            measure,
            len(both),
            _factor(both, measure),
            _factor(seeds, measure),
            _order(both, measure),
            _median([_order(pairs, measure) for pairs in by_seeds.values()]),
        )
        for measure in (*CURVATURES, *QUALITIES)
    )


def _median(values: Sequence[float]) -> float:
    """Of those that are numbers: two seeds that share a single critic have no order."""
    numbers = [value for value in values if not np.isnan(value)]
    return float(np.median(numbers)) if numbers else np.nan


def _order(pairs: Sequence[tuple[Point, Point]], measure: str) -> float:
    return float(spearman(np.array([[getattr(one, measure), getattr(other, measure)] for one, other in pairs])))


def _factor(pairs: Sequence[tuple[Point, Point]], measure: str) -> float:
    ratios = np.array([getattr(one, measure) / getattr(other, measure) for one, other in pairs])
    return float(np.exp(np.median(np.abs(np.log(ratios)))))


# Pairs of critics that each finding rests on: the first of a pair is better.
BETTER = {
    "SVC is better than nothing": tuple((f"{kind}-svc", f"{kind}-free") for kind in KINDS),
    "spectral norm is better than nothing": tuple((f"{kind}-sn", f"{kind}-free") for kind in NORMALIZED),
    "c0-c1 and c0-c2 are better than 3D, with SVC": (("c0-c1-svc", "3d-svc"), ("c0-c2-svc", "3d-svc")),
    "c0-c1 and c0-c2 are better than 3D, without": (("c0-c1-free", "3d-free"), ("c0-c2-free", "3d-free")),
    "c0 and shift are better than 3D, with SVC": (("c0-svc", "3d-svc"), ("shift-svc", "3d-svc")),
    "c0 and shift are better than 3D, without": (("c0-free", "3d-free"), ("shift-free", "3d-free")),
    "frame by frame is better than 3D": (("frames-svc", "3d-svc"), ("frames-free", "3d-free")),
}


@dataclass(frozen=True)
class Verdicts:
    """What several sets of the same trainings say; prints as text, shows as HTML in a notebook.

    Attributes:
        names: of the sets.
        trainings: how many each has.
        answers: what is asked → the answer of each set.
    """

    names: tuple[str, ...]
    trainings: int
    answers: dict[str, tuple[str, ...]]

    def cells(self) -> list[tuple[str, ...]]:
        """A line for each question."""
        return [(asked, *answers) for asked, answers in self.answers.items()]

    def __repr__(self) -> str:
        return as_text(self._headings(), self.cells())

    def _repr_html_(self) -> str:
        return as_html(self._headings(), self.cells())

    def _headings(self) -> tuple[str, ...]:
        return (f"by FID, {self.trainings} trainings each", *self.names)


def verdicts(sets: Mapping[str, Iterable[Point]]) -> Verdicts:
    """The findings of the question from each of several sets of trainings, of those that all have.

    Args:
        sets: name → trainings, in several precisions, say. What one lacks, or what collapsed in one, none has.

    Raises:
        ValueError: if they have no training in common.
    """
    by_key = {
        name: {(point.critic, point.seed): point for point in points if not point.collapsed}
        for name, points in sets.items()
    }
    shared = sorted(set.intersection(*(set(points) for points in by_key.values())))
    if not shared:
        raise ValueError(f"{', '.join(sets)} have no training in common, of a critic and a seed")
    common = {name: [points[key] for key in shared] for name, points in by_key.items()}

    def counted(points: Sequence[Point], pairs: Iterable[tuple[str, str]]) -> str:
        found = [contrast(points, *pair) for pair in pairs]
        return f"{sum(one.better for one in found)} of {sum(len(one.seeds) for one in found)}"

    answers = {
        asked: tuple(counted(points, pairs) for points in common.values())
        for asked, pairs in BETTER.items()
        if any(set(pair) <= {critic for critic, _ in shared} for pair in pairs)
    }
    for measure, curvature in (("curvatures", "leading"), ("steps", "step_leading")):
        words = CURVATURES[curvature]
        answers[f"the calmer of two is better: {words}"] = tuple(
            "{} of {}".format(*contrasts(points).calmer_is_better(measure)) for points in common.values()
        )
        answers[f"ρ with FID: {words}"] = tuple(
            str(correlation(points, curvature, "fid") or "–") for points in common.values()
        )
    return Verdicts(tuple(sets), len(shared), answers)
