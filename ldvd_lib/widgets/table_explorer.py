"""The paper's tables, with the learner's results beside them, to explore inside a notebook."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import traitlets

from ldvd_lib import paper, zoo
from ldvd_lib._table_figure import draw
from ldvd_lib.paper import Column, Measured, Result, Table, compare
from ldvd_lib.paper.results import by_condition, measured
from ldvd_lib.training import Run
from ldvd_lib.widgets._course_widget import CourseWidget, png, script, style

__all__ = ["TableExplorer"]

Source = Run | str | Path
Figures = dict[str, dict[str, Measured]]  # model → metric → figure


class TableExplorer(CourseWidget):
    """The paper's tables to browse and sort, a picture of a column, and results of one's own beside them.

    Scores of small runs are not on the paper's scale: another judge, smaller pictures, fewer steps. Ours therefore have
    a column and an axis of their own, and what is compared is the order of the models and their ratios. Results are
    shown together only if they were measured under one `ldvd_lib.paper.Condition`.

    All numbers travel to the web browser once: choosing and sorting never wait for the kernel. Where no kernel answers,
    such as on GitHub, a picture of the table stands in.

    Args:
        runs: a `Run`, its directory, or a report file (see `ldvd_lib.paper.results`), or label → one of these; nothing
            to browse the paper's tables alone. A run is judged by ``ldvd evaluate``; one that is not is named in the
            status line.
        table: number of the table to begin with, see `ldvd_lib.paper.tables`.
        whose: who the runs belong to, in the widget's words: ``"your"`` or ``"our"``.

    Attributes:
        table: number of the table on screen.
        metric: key of the column in the picture, for example ``"is"``.
        sort: what the rows are sorted by: ``""`` the paper's order, ``"label"``, ``"parameters"``, the key of a column,
            or ``"ours:"`` and the key for one's own.
        descending: whether the largest come first.
        condition: which of ``conditions`` one's own results are of; empty without results.
        conditions: name → model → metric → `Measured`.

    Raises:
        ValueError: an unknown table, a file that is no report, or runs that are none of the above.
        FileNotFoundError: a directory that is no run.
    """

    _esm = script("table_chart.js", "table_explorer.js")
    _css = style("table_explorer.css")

    table = traitlets.Unicode().tag(sync=True)
    metric = traitlets.Unicode().tag(sync=True)
    sort = traitlets.Unicode("").tag(sync=True)
    descending = traitlets.Bool(False).tag(sync=True)
    condition = traitlets.Unicode("").tag(sync=True)
    _tables = traitlets.List().tag(sync=True)  # every figure of the paper, for the web browser
    _conditions = traitlets.List().tag(sync=True)  # and every one of ours
    _whose = traitlets.Unicode("your").tag(sync=True)

    def __init__(
        self, runs: Source | Mapping[str, Source] | None = None, *, table: str = "5a", whose: str = "your"
    ) -> None:
        opened = paper.table(table)
        sources = _labelled(runs)
        self.results = {label: _results(source) for label, source in sources.items()}
        grouped = by_condition(result for results in self.results.values() for result in results)
        self.conditions: dict[str, Figures] = {}
        sent = []
        for condition, models in grouped.items():
            name = str(condition)
            while name in self.conditions:  # only the judge's weights or the real clips differ
                name += "′"
            self.conditions[name] = {model: measured(trainings) for model, trainings in models.items()}
            sent.append(self._plain_condition(name, condition.unlike_the_paper(), models, f"{whose} runs"))
        super().__init__(
            table=table,
            _whose=whose,
            metric=opened.columns[0].key,
            condition=_fullest(self.conditions, opened) or next(iter(self.conditions), ""),
            _tables=[_plain_table(one, _fullest(self.conditions, one)) for one in paper.tables()],
            _conditions=sent,
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
        """One's own figures on screen: model → metric → `Measured`."""
        return self.conditions.get(self.condition, {})

    def _settle(self, change: dict[str, Any]) -> None:
        """After a table that was chosen in Python, bring the rest in line; the browser's choices come complete."""
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
        if proposal["value"] not in known:
            raise traitlets.TraitError(
                f"{name} is {proposal['value']!r}, but for table {self.table} there are {known}."
            )
        return proposal["value"]

    @traitlets.validate("condition")
    def _check_condition(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] not in (self.conditions or {"": {}}):
            raise traitlets.TraitError(
                f"condition is {proposal['value']!r}, but the results are of {list(self.conditions)}."
            )
        return proposal["value"]

    def _plain_condition(
        self, name: str, reasons: list[str], models: dict[str, list[Result]], runs: str
    ) -> dict[str, Any]:
        """What the web browser needs to know of a condition."""
        figures, labels = self.conditions[name], {model: self._labels_of(models[model]) for model in models}
        told = Counter(labels.values())
        tables = {model: [t.number for t in paper.tables() if model in {r.model for r in t.rows}] for model in models}
        return {
            "name": name,
            "reasons": reasons,
            "comparisons": _plain_comparisons(figures, runs),
            "models": [
                {
                    "model": model,
                    # The learner's own name of it, unless it is that of several.
                    "label": labels[model] if told[labels[model]] == 1 else model,
                    "about": ", with ".join(filter(None, (labels[model], trainings[0].changes_in_words))),
                    "isOwn": model not in zoo.ENTRIES,
                    "tables": tables[model],
                    "values": {
                        key: {**_plain(figure), "about": figure.about} for key, figure in figures[model].items()
                    },
                }
                for model, trainings in models.items()
            ],
        }

    def _labels_of(self, trainings: list[Result]) -> str:
        """The labels that some results were given under."""
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
        """What is to be said of the results on screen."""
        lines = []
        for row in table.rows:
            figures = {key: self.measured.get(row.model, {}).get(key) for key in _keys(table)}
            if any(figures.values()):
                lines.append(f"{row.label}: {_in_words(figures, table.columns)}")
        own = [model for model in self.measured if model not in zoo.ENTRIES] if lines else []
        lines += [f"{model} ({self._whose}s): {_in_words(self.measured[model], table.columns)}" for model in own]
        runs = f"{self._whose} runs"
        found = [compare(table, self.measured, column.key, whose=runs) for column in table.columns]
        lines += [comparison.sentence for comparison in found if comparison]
        return [f"{runs.capitalize()} ({self.condition}), on a scale of their own.", *lines] if lines else []

    def _still_picture(self) -> tuple[bytes, str]:
        table = paper.table(self.table)
        picture = png(draw(table, self.measured, self.condition, whose=f"{self._whose}s"), dpi=100)
        rows = [f"{row.heading}: {_in_words(row.values, table.columns)}" for row in table.rows]
        return picture, " ".join([f"{table.heading}.", *rows, *self._comparisons(table)])


def _in_words(values: Mapping[str, Any], columns: tuple[Column, ...]) -> str:
    known = [(column, values.get(column.key)) for column in columns if values.get(column.key)]
    return ", ".join(f"{column.title} {value}" for column, value in known) + "."


def _labelled(runs: Source | Mapping[str, Source] | None) -> dict[str, Source]:
    """Label → source; a single one is called as its directory or file is."""
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
        return paper.read_results(source)
    return paper.results_of_run(source)


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
        "columns": [{"key": c.key, "title": c.title, "better": c.better} for c in table.columns],
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


def _plain_comparisons(figures: Figures, runs: str) -> dict[str, dict[str, Any]]:
    """Table → metric → how it compares, for those with enough models."""
    plain: dict[str, dict[str, Any]] = {}
    for table in paper.tables():
        for column in table.columns:
            found = compare(table, figures, column.key, whose=runs)
            if found is None:
                continue
            plain.setdefault(table.number, {})[column.key] = {
                "sentence": found.sentence,
                "baseline": table.row(found.baseline).label,
                "count": len(found.models),
                "rows": {
                    model: {
                        "paper": {"ratio": f"{found.paper[model]:.2f}", "place": found.paper_places[model]},
                        "ours": {"ratio": f"{found.ours[model]:.2f}", "place": found.our_places[model]},
                    }
                    for model in found.models
                },
            }
    return plain
