"""The paper's tables, with the learner's results beside them, to explore inside a notebook."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import traitlets

from ldvd_lib import paper, zoo
from ldvd_lib.figures import draw_table
from ldvd_lib.paper import Column, Table, compare
from ldvd_lib.runs import (
    Measured,
    Result,
    Run,
    by_condition,
    collapsed_models,
    measured,
    read_results,
    results_of_run,
)
from ldvd_lib.widgets._course_widget import CourseWidget, checked_choice, png, script, style

__all__ = ["TableExplorer"]

Source = Run | str | Path
COLLAPSED = ", whose critic collapsed: compared with nothing"
Figures = dict[str, dict[str, Measured]]  # model → metric → figure


class TableExplorer(CourseWidget):
    """The paper's tables to browse and sort, a picture of a column, and the user's own results beside them.

    Scores of small runs are not on the paper's scale: they have another judge, smaller pictures and fewer steps. Own
    results therefore have their own column and axis, and only the order of the models and their ratios are compared.
    Results are shown together only if they were measured under the same `ldvd_lib.runs.Condition`.

    All numbers are sent to the web browser once: choosing and sorting never wait for the kernel. Without a kernel, such
    as on GitHub, a picture of the table is shown.

    Args:
        runs: a `Run`, its directory, or a report file (see `ldvd_lib.runs.results`), or label → one of these; by
            default only the paper's tables are shown. A run is judged by ``ldvd evaluate``; runs that are not judged
            yet are named in the status line.
        table: number of the table to begin with, see `ldvd_lib.paper.tables`.
        whose: who the runs belong to, in the widget's words: ``"your"`` or ``"our"``.

    Attributes:
        table: number of the table on screen.
        metric: key of the column in the picture, for example ``"is"``.
        sort: what the rows are sorted by: ``""`` for the paper's order, ``"label"``, ``"parameters"``, the key of a
            column, or ``"ours:"`` and the key for the own results.
        descending: whether the largest come first.
        condition: which of ``conditions`` the own results are from; empty without results.
        conditions: name → model → metric → `Measured`.

    Raises:
        ValueError: the table is unknown, a file is not a report, or the runs are none of the above.
        FileNotFoundError: a directory is not a run.
    """

    _esm = script("table_chart.js", "table_explorer.js")
    _css = style("table_explorer.css")

    table = traitlets.Unicode().tag(sync=True)
    metric = traitlets.Unicode().tag(sync=True)
    sort = traitlets.Unicode("").tag(sync=True)
    descending = traitlets.Bool(False).tag(sync=True)
    condition = traitlets.Unicode("").tag(sync=True)
    _tables = traitlets.List(traitlets.Dict()).tag(sync=True)  # every figure of the paper, for the web browser
    _conditions = traitlets.List(traitlets.Dict()).tag(sync=True)  # and every one of the own results
    _whose = traitlets.Unicode("your").tag(sync=True)

    def __init__(
        self, runs: Source | Mapping[str, Source] | None = None, *, table: str = "5a", whose: str = "your"
    ) -> None:
        first_table = paper.table(table)
        sources = _labelled(runs)
        self.results = {label: _results(source) for label, source in sources.items()}
        grouped = by_condition(result for results in self.results.values() for result in results)
        self.conditions: dict[str, Figures] = {}
        self._collapsed: dict[str, tuple[str, ...]] = {}  # name → models that are compared with nothing
        plain_conditions = []
        for condition, models in grouped.items():
            name = str(condition)
            while name in self.conditions:  # only the judge's weights or the real clips differ
                name += "′"
            self.conditions[name] = {model: measured(trainings) for model, trainings in models.items()}
            self._collapsed[name] = collapsed_models(models)
            plain_conditions.append(self._plain_condition(name, condition.unlike_the_paper(), models, f"{whose} runs"))
        super().__init__(
            table=table,
            _whose=whose,
            metric=first_table.columns[0].key,
            condition=_fullest(self.conditions, first_table) or next(iter(self.conditions), ""),
            _tables=[
                _plain_table(paper_table, _fullest(self.conditions, paper_table)) for paper_table in paper.tables()
            ],
            _conditions=plain_conditions,
        )
        self.observe(self._settle, "table")
        unjudged = [label for label, results in self.results.items() if not results]
        if unjudged:
            self._report(
                f"Not judged yet: {', '.join(unjudged)}. Judge a run with `ldvd evaluate RUN --data DATA`, then make "
                "this widget anew."
            )

    @property
    def measured(self) -> Figures:
        """The own results on screen: model → metric → `Measured`."""
        return self.conditions.get(self.condition, {})

    def _settle(self, change: dict[str, Any]) -> None:
        """After a table was chosen in Python, adapt the other choices; the browser's choices are complete."""
        table = paper.table(self.table)
        if self.metric not in _keys(table):
            self.metric = table.columns[0].key
        if self.sort not in _sorts(table):
            self.sort, self.descending = "", False
        if not _shared(self.measured, table):
            self.condition = _fullest(self.conditions, table) or self.condition

    @traitlets.validate("table")
    def _check_table(self, proposal: dict[str, Any]) -> str:
        try:
            return paper.table(proposal["value"]).number
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None

    @traitlets.validate("metric", "sort")
    def _check_column(self, proposal: dict[str, Any]) -> str:
        table, name = paper.table(self.table), proposal["trait"].name
        known = _keys(table) if name == "metric" else _sorts(table)
        return checked_choice(f"for table {self.table} the {name}", proposal["value"], known)

    @traitlets.validate("condition")
    def _check_condition(self, proposal: dict[str, Any]) -> str:
        return checked_choice("condition", proposal["value"], self.conditions or {"": {}})

    def _plain_condition(
        self, name: str, reasons: list[str], models: dict[str, list[Result]], runs: str
    ) -> dict[str, Any]:
        """What the web browser needs to know about a condition."""
        figures, labels = self.conditions[name], {model: self._labels_of(models[model]) for model in models}
        label_counts = Counter(labels.values())
        tables = {
            model: [table.number for table in paper.tables() if model in {row.model for row in table.rows}]
            for model in models
        }
        return {
            "name": name,
            "reasons": reasons,
            "comparisons": _plain_comparisons(figures, runs, self._collapsed[name]),
            "models": [
                {
                    "model": model,
                    # The learner's own name for it, unless several models have that name.
                    "label": labels[model] if label_counts[labels[model]] == 1 else model,
                    "about": ", with ".join(filter(None, (labels[model], trainings[0].changes_in_words))),
                    "isOwn": model not in zoo.ENTRIES,
                    "tables": tables[model],
                    "values": {
                        key: {**_plain(figure), "about": figure.about + COLLAPSED * (model in self._collapsed[name])}
                        for key, figure in figures[model].items()
                    },
                }
                for model, trainings in models.items()
            ],
        }

    def _labels_of(self, trainings: list[Result]) -> str:
        """The labels under which these results were given."""
        labels = [
            label
            for label, results in self.results.items()
            if any(result is training for result in results for training in trainings)
        ]
        return ", ".join(labels)

    def __repr__(self) -> str:
        table = paper.table(self.table)
        return "\n".join([str(table), *self._comparisons(table)])

    def _comparisons(self, table: Table) -> list[str]:
        """Sentences about the results on screen."""
        lines = []
        for row in table.rows:
            figures = {key: self.measured.get(row.model, {}).get(key) for key in _keys(table)}
            if any(figures.values()):
                dead = COLLAPSED * (row.model in self._collapsed[self.condition])
                lines.append(f"{row.label}{dead}: {_in_words(figures, table.columns)}")
        own_models = [model for model in self.measured if model not in zoo.ENTRIES] if lines else []
        lines += [f"{model} ({self._whose}s): {_in_words(self.measured[model], table.columns)}" for model in own_models]
        runs = f"{self._whose} runs"
        without = self._collapsed.get(self.condition, ())
        comparisons = [
            compare(table, self.measured, column.key, whose=runs, without=without) for column in table.columns
        ]
        lines += [comparison.sentence for comparison in comparisons if comparison]
        return [f"{runs.capitalize()} ({self.condition}), on a scale of their own.", *lines] if lines else []

    def _still_picture(self) -> tuple[bytes, str]:
        table = paper.table(self.table)
        dead = self._collapsed.get(self.condition, ())
        figure = draw_table(table, self.measured, self.condition, whose=f"{self._whose}s", collapsed=dead)
        picture = png(figure, dpi=100)
        rows = [f"{row.heading}: {_in_words(row.values, table.columns)}" for row in table.rows]
        return picture, " ".join([f"{table.heading}.", *rows, *self._comparisons(table)])


def _in_words(values: Mapping[str, Any], columns: tuple[Column, ...]) -> str:
    present = [(column, values.get(column.key)) for column in columns if values.get(column.key)]
    return ", ".join(f"{column.title} {value}" for column, value in present) + "."


def _labelled(runs: Source | Mapping[str, Source] | None) -> dict[str, Source]:
    """Label → source; the label of a single one is the name of its directory or file."""
    if runs is None:
        return {}
    if isinstance(runs, Run | str | Path):
        path = runs.directory if isinstance(runs, Run) else Path(runs)
        return {path.resolve().stem: runs}
    if not isinstance(runs, Mapping) or not all(isinstance(label, str) for label in runs):
        raise ValueError(
            "runs must be a Run, the directory of one, a report file, or label → one of these, got "
            f"{type(runs).__name__}."
        )
    return dict(runs)


def _results(source: Source) -> list[Result]:
    if not isinstance(source, Run | str | Path):
        raise ValueError(f"a run must be a Run, the directory of one, or a report file, got {type(source).__name__}.")
    if not isinstance(source, Run) and Path(source).suffix == ".json":
        return read_results(source)
    return results_of_run(source)


def _keys(table: Table) -> list[str]:
    return [column.key for column in table.columns]


def _sorts(table: Table) -> list[str]:
    keys = _keys(table)
    return ["", "label", *(["parameters"] if table.counted else []), *keys, *(f"ours:{key}" for key in keys)]


def _shared(figures: Figures, table: Table) -> int:
    """How many figures a table and results have in common."""
    return sum(key in figures.get(row.model, {}) for row in table.rows for key in _keys(table))


def _fullest(conditions: Mapping[str, Figures], table: Table) -> str:
    """The condition with most figures for a table; empty if none has any."""
    best = max(conditions, key=lambda name: _shared(conditions[name], table), default="")
    return best if best and _shared(conditions[best], table) else ""


def _plain_table(table: Table, condition: str) -> dict[str, Any]:
    return {
        "number": table.number,
        "heading": table.heading,
        "legend": table.legend,
        "counted": table.counted,
        "condition": condition,
        "columns": [{"key": column.key, "title": column.title, "better": column.better} for column in table.columns],
        "rows": [
            {
                "label": row.label,
                "heading": row.heading,
                "model": row.model,
                "parameters": row.parameters if table.counted else "",
                "values": {key: _plain(value) for key, value in row.values.items() if value},
            }
            for row in table.rows
        ],
    }


def _plain(value: Any) -> dict[str, Any]:
    return {"mean": value.mean, "deviation": value.deviation, "text": str(value)}


def _plain_comparisons(figures: Figures, runs: str, without: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Table → metric → comparison with the paper, for those with enough models."""
    plain: dict[str, dict[str, Any]] = {}
    for table in paper.tables():
        for column in table.columns:
            comparison = compare(table, figures, column.key, whose=runs, without=without)
            if comparison is None:
                continue
            plain.setdefault(table.number, {})[column.key] = {
                "sentence": comparison.sentence,
                "baseline": table.row(comparison.baseline).label,
                "count": len(comparison.models),
                "rows": {
                    model: {
                        "paper": {"ratio": f"{comparison.paper[model]:.2f}", "place": comparison.paper_places[model]},
                        "ours": {"ratio": f"{comparison.ours[model]:.2f}", "place": comparison.our_places[model]},
                    }
                    for model in comparison.models
                },
            }
    return plain
