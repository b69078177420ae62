"""A picture of a table: its figures as numbers and as dots, the reader's own beside the paper's."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ldvd_lib.paper import Table, compare
from ldvd_lib.runs import Measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAPER, OURS = "#0072b2", "#d55e00"  # colour-blind readers can tell them apart too


def draw_table(
    table: Table,
    measured: Mapping[str, Mapping[str, Measured]],
    condition: str,
    *,
    whose: str = "yours",
    collapsed: Collection[str] = (),
) -> "Figure":
    """A panel for each column of a table, and below them one for each column that was measured, too.

    Figures of several trainings are drawn twice: with bars between samples of one training, which are of the paper's
    kind, and with bars between trainings.

    Args:
        table: of the paper.
        measured: model → metric → measured figure.
        condition: under which they were measured, in words.
        whose: what the measured figures are called.
        collapsed: models whose critic collapsed: shown with an empty marker, and compared with nothing.
    """
    from matplotlib.figure import Figure

    columns = [column for column in table.columns if column.key != "frames"]
    measured_columns = [
        column for column in columns if any(column.key in measured.get(row.model, {}) for row in table.rows)
    ]
    own = {row.model: measured[row.model] for row in table.rows if row.model in measured}
    bands: list[tuple[str, Mapping[str, Mapping[str, Any]]]] = []
    figures = [scores[column.key] for column in measured_columns for scores in own.values() if column.key in scores]
    if any(figure.trainings > 1 and figure.of_samples is not None for figure in figures):
        bands += [(f"{whose}, ± of samples", _of_samples(own)), (f"{whose}, ± of trainings", own)]
    elif measured_columns:
        bands.append((f"{whose}, on its own scale", own))
    count = len(table.rows)
    figure = Figure(
        figsize=(4.1 + 2.9 * len(columns), (1 + len(bands)) * (0.34 * count + 1.1) + 0.3), layout="constrained"
    )
    figure.suptitle(table.heading, fontsize=11)
    for number, column in enumerate(columns):
        panels = []
        for band in range(1 + len(bands)):
            panel = figure.add_subplot(1 + len(bands), len(columns), band * len(columns) + number + 1)
            panels.append(panel)
            source, scores = bands[band - 1] if band else ("the paper", {})
            values = [
                scores.get(row.model, {}).get(column.key) if band else row.values[column.key] for row in table.rows
            ]
            dead = [bool(band) and row.model in collapsed for row in table.rows]
            _dots(panel, values, OURS if band else PAPER, "D" if band else "o", column.better, dead)
            panel.set_title(f"{column.heading}: {source}", fontsize=9)
            labels = [
                row.heading + (f"  {row.parameters}" if table.counted and row.parameters else "") for row in table.rows
            ]
            panel.set_yticks(range(count), labels if number == 0 else [""] * count, fontsize=9)
        if len(bands) > 1:  # so that the lengths of bars can be compared
            panels[1].sharex(panels[2])
    comparisons = {column.title: compare(table, measured, column.key, without=collapsed) for column in measured_columns}
    pairs = [
        f"{title}, pairs of models: {comparison.agreeing} in the paper's order, {comparison.disagreeing} in the other, "
        f"{comparison.open} too close to call"
        for title, comparison in comparisons.items()
        if comparison
    ]
    if measured_columns:
        notes = ["± of samples: between samples of one training, the paper's kind; pairs go by ± of trainings"]
        notes = notes * (len(bands) > 1)
        notes += ["empty markers: a critic collapsed; not among the pairs"] * any(model in collapsed for model in own)
        figure.supxlabel("\n".join([f"{whose}: {condition}", *notes, *pairs]), fontsize=8)
    return figure


def _of_samples(measured: Mapping[str, Mapping[str, Measured]]) -> dict[str, dict[str, Measured]]:
    """The same figures with their deviations between samples."""
    return {
        model: {key: replace(figure, deviation=figure.of_samples) for key, figure in scores.items()}
        for model, scores in measured.items()
    }


def _dots(panel: "Axes", values: list[Any], colour: str, marker: str, better: str, dead: list[bool]) -> None:
    """In each row that has a value, a dot with its deviation and its number; a star marks the best."""
    means = [value.mean for value in values if value]
    alive = [value.mean for value, is_dead in zip(values, dead, strict=True) if value and not is_dead]
    best = (max if better == "higher" else min)(alive) if better and len(alive) > 1 else None
    for row, value in enumerate(values):
        star = " ★" if value and value.mean == best else ""
        if value:
            face = "white" if dead[row] else colour
            panel.errorbar(
                value.mean, row, xerr=value.deviation or 0, fmt=marker, color=colour, mfc=face, markersize=5, capsize=3
            )
        panel.annotate(
            f"{value or '–'}{star}",
            (1.02, row),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
            fontweight="bold" if star else "normal",
            annotation_clip=False,
        )
    panel.set_ylim(len(values) - 0.5, -0.5)
    panel.margins(x=0.12)
    panel.locator_params(axis="x", nbins=5)
    panel.tick_params(axis="x", labelsize=8)
    panel.grid(alpha=0.25)
    if not means:
        panel.set_xticks([])
