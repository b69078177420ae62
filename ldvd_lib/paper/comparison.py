"""Our results beside a table of the paper: the order of models and ratios can be compared."""

import itertools
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from ldvd_lib.paper.layout import Table, Value
from ldvd_lib.runs.results import Measured

DEVIATIONS = 2  # how far two figures must be apart, in standard deviations, for their order to count


@dataclass(frozen=True)
class Comparison:
    """How a column of the paper agrees with ours, for the models that both have.

    Attributes:
        models: in the order of the table.
        baseline: the first of them; ratios are to it.
        paper, ours: model → ratio to the baseline.
        paper_places, our_places: model → place, 1 the best.
        agreeing, disagreeing, open: numbers of pairs of models that are in the same order in both, in the other order,
            or less than two standard deviations apart, in the paper or in ours.
        sentence: all of it in words.
    """

    models: tuple[str, ...]
    baseline: str
    paper: dict[str, float]
    ours: dict[str, float]
    paper_places: dict[str, int]
    our_places: dict[str, int]
    agreeing: int
    disagreeing: int
    open: int
    sentence: str

    @property
    def pairs(self) -> str:
        """How many pairs are in which order, in words."""
        return _in_words({True: self.agreeing, False: self.disagreeing, None: self.open})


def compare(
    table: Table,
    measured: Mapping[str, Mapping[str, Measured]],
    metric: str,
    *,
    whose: str = "your runs",
    without: Collection[str] = (),
    of_samples: bool = False,
) -> Comparison | None:
    """Compare a column with ours.

    Args:
        table: of the paper.
        measured: model → metric → figure, all measured under one condition (`by_condition` of the results).
        metric: key of the column.
        whose: what the sentence calls our results.
        without: models that are left out, such as those whose critic collapsed.
        of_samples: take our deviations between samples of one training, the paper's kind, where there are such.

    Returns:
        The comparison; None if neither direction of the column is better, or fewer than two models are in both.

    Raises:
        ValueError: if the table has no such column.
    """
    column = table.column(metric)
    printed = {row.model: value for row in table.rows if row.model and (value := row.values[metric])}
    models = tuple(model for model in printed if metric in measured.get(model, {}) and model not in without)
    if not column.better or len(models) < 2:
        return None
    reported = {model: printed[model] for model in models}
    own = {model: measured[model][metric] for model in models}
    if of_samples:
        own = {
            model: figure if figure.of_samples is None else replace(figure, deviation=figure.of_samples)
            for model, figure in own.items()
        }
    sides: tuple[Mapping[str, Value | Measured], ...] = (reported, own)
    counts: dict[bool | None, int] = {True: 0, False: 0, None: 0}
    for one, other in itertools.combinations(models, 2):
        orders = [_order(figures[one], figures[other]) for figures in sides]
        counts[None if 0 in orders else orders[0] == orders[1]] += 1
    rankings = [_best_first(figures, column.better) for figures in sides]
    return Comparison(
        models=models,
        baseline=models[0],
        paper={model: value.mean / reported[models[0]].mean for model, value in reported.items()},
        ours={model: value.mean / own[models[0]].mean for model, value in own.items()},
        paper_places={model: place for place, model in enumerate(rankings[0], start=1)},
        our_places={model: place for place, model in enumerate(rankings[1], start=1)},
        agreeing=counts[True],
        disagreeing=counts[False],
        open=counts[None],
        sentence=_sentence(column.title, table, rankings, counts, whose),
    )


def _best_first(figures: Mapping[str, Value | Measured], better: str) -> list[str]:
    return sorted(figures, key=lambda model: figures[model].mean, reverse=better == "higher")


def _order(one: Value | Measured, other: Value | Measured) -> int:
    """1 if the first is larger, -1 if the other is, 0 if too close to call; an unknown deviation counts as 0."""
    apart = one.mean - other.mean
    if abs(apart) <= DEVIATIONS * math.hypot(one.deviation or 0, other.deviation or 0):
        return 0
    return 1 if apart > 0 else -1


def _sentence(title: str, table: Table, rankings: list[list[str]], counts: dict[bool | None, int], whose: str) -> str:
    paper, ours = (", ".join(_unmistakable(table.row(model).label) for model in ranking) for ranking in rankings)
    return f"{title}, best first: in the paper {paper}; in {whose} {ours}. Of {_in_words(counts)}."


def _in_words(counts: Mapping[bool | None, int]) -> str:
    total = sum(counts.values())
    return (
        f"{total} pair{'s' * (total > 1)}, {counts[True]} in the same order, {counts[False]} in the other, "
        f"{counts[None]} too close to call (within {DEVIATIONS} standard deviations)"
    )


def _unmistakable(label: str) -> str:
    """A label as part of a list: in quotation marks if it contains a comma itself."""
    return f"“{label}”" if "," in label else label
