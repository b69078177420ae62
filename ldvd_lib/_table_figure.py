"""A picture of a table: its figures as numbers and as dots, one's own beside the paper's."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ldvd_lib.paper import Measured, Table, compare

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAPER, OURS = "#0072b2", "#d55e00"  # apart for the colour-blind, too


def draw(
    table: Table, measured: Mapping[str, Mapping[str, Measured]], condition: str, *, whose: str = "yours"
) -> "Figure":
    """A panel for each column of a table, and below it one for each column that we have measured, too.

    Args:
        table: of the paper.
        measured: model → metric → figure of ours.
        condition: that ours were measured under, in words.
        whose: how ours are called.
    """
    from matplotlib.figure import Figure

    columns = [column for column in table.columns if column.key != "frames"]
    ours = [column for column in columns if any(column.key in measured.get(row.model, {}) for row in table.rows)]
    count, bands = len(table.rows), 2 if ours else 1
    figure = Figure(figsize=(4.1 + 2.9 * len(columns), bands * (0.34 * count + 1.1) + 0.3), layout="constrained")
    figure.suptitle(table.heading, fontsize=11)
    for band in range(bands):
        for number, column in enumerate(columns):
            panel = figure.add_subplot(bands, len(columns), band * len(columns) + number + 1)
            values = [measured.get(r.model, {}).get(column.key) if band else r.values[column.key] for r in table.rows]
            who = f"{whose}, on its own scale" if band else "the paper"
            _dots(panel, values, OURS if band else PAPER, "D" if band else "o", column.better)
            panel.set_title(f"{column.heading}: {who}", fontsize=9)
            labels = [
                row.heading + (f"  {row.parameters}" if table.counted and row.parameters else "") for row in table.rows
            ]
            panel.set_yticks(range(count), labels if number == 0 else [""] * count, fontsize=9)
    comparisons = [compare(table, measured, column.key) for column in ours]
    pairs = [
        f"{column.title}, pairs of models: {c.agreeing} in the paper's order, {c.disagreeing} in the other, "
        f"{c.open} too close to call"
        for column, c in zip(ours, comparisons, strict=True)
        if c
    ]
    if ours:
        figure.supxlabel("\n".join([f"{whose}: {condition}", *pairs]), fontsize=8)
    return figure


def _dots(panel: "Axes", values: list[Any], colour: str, marker: str, better: str) -> None:
    """A dot with its deviation and its number in each row that has one; the best is starred."""
    known = [value.mean for value in values if value]
    best = (max if better == "higher" else min)(known) if better and len(known) > 1 else None
    for row, value in enumerate(values):
        star = " ★" if value and value.mean == best else ""
        if value:
            panel.errorbar(
                value.mean, row, xerr=value.deviation or 0, fmt=marker, color=colour, markersize=5, capsize=3
            )
        style = {"fontweight": "bold" if star else "normal", "fontsize": 8, "va": "center", "annotation_clip": False}
        panel.annotate(f"{value or '–'}{star}", (1.02, row), xycoords=("axes fraction", "data"), **style)
    panel.set_ylim(len(values) - 0.5, -0.5)
    panel.margins(x=0.12)
    panel.locator_params(axis="x", nbins=5)
    panel.tick_params(axis="x", labelsize=8)
    panel.grid(alpha=0.25)
    if not known:
        panel.set_xticks([])
