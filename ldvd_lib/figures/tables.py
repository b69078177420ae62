"""A picture of a table: its figures as numbers and as dots, the reader's own beside the paper's."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ldvd_lib.paper import Table, compare
from ldvd_lib.runs import Measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAPER, OURS = "#0072b2", "#d55e00"  # colour-blind readers can tell them apart too


def draw_table(
    table: Table, measured: Mapping[str, Mapping[str, Measured]], condition: str, *, whose: str = "yours"
) -> "Figure":
    """A panel for each column of a table, and below them one for each column that was measured, too.

    Args:
        table: of the paper.
        measured: model → metric → measured figure.
        condition: under which they were measured, in words.
        whose: what the measured figures are called.
    """
    from matplotlib.figure import Figure

    columns = [column for column in table.columns if column.key != "frames"]
    measured_columns = [
        column for column in columns if any(column.key in measured.get(row.model, {}) for row in table.rows)
    ]
    count, bands = len(table.rows), 2 if measured_columns else 1
    figure = Figure(figsize=(4.1 + 2.9 * len(columns), bands * (0.34 * count + 1.1) + 0.3), layout="constrained")
    figure.suptitle(table.heading, fontsize=11)
    for band in range(bands):
        for number, column in enumerate(columns):
            panel = figure.add_subplot(bands, len(columns), band * len(columns) + number + 1)
            values = [
                measured.get(row.model, {}).get(column.key) if band else row.values[column.key] for row in table.rows
            ]
            source = f"{whose}, on its own scale" if band else "the paper"
            _dots(panel, values, OURS if band else PAPER, "D" if band else "o", column.better)
            panel.set_title(f"{column.heading}: {source}", fontsize=9)
            labels = [
                row.heading + (f"  {row.parameters}" if table.counted and row.parameters else "") for row in table.rows
            ]
            panel.set_yticks(range(count), labels if number == 0 else [""] * count, fontsize=9)
    comparisons = {column.title: compare(table, measured, column.key) for column in measured_columns}
    pairs = [
        f"{title}, pairs of models: {comparison.agreeing} in the paper's order, {comparison.disagreeing} in the other, "
        f"{comparison.open} too close to call"
        for title, comparison in comparisons.items()
        if comparison
    ]
    if measured_columns:
        figure.supxlabel("\n".join([f"{whose}: {condition}", *pairs]), fontsize=8)
    return figure


def _dots(panel: "Axes", values: list[Any], colour: str, marker: str, better: str) -> None:
    """In each row that has a value, a dot with its deviation and its number; a star marks the best."""
    means = [value.mean for value in values if value]
    best = (max if better == "higher" else min)(means) if better and len(means) > 1 else None
    for row, value in enumerate(values):
        star = " ★" if value and value.mean == best else ""
        if value:
            panel.errorbar(
                value.mean, row, xerr=value.deviation or 0, fmt=marker, color=colour, markersize=5, capsize=3
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
