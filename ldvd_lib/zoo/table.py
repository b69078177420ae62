"""The models of the zoo as a table, with their parameters."""

from dataclasses import dataclass

import torch
from torch import nn

from ldvd_lib._kit.tables import InColumns
from ldvd_lib.zoo import registry
from ldvd_lib.zoo.building import PRESETS, build


@dataclass(frozen=True)
class Row:
    """A line of the table of `list_models`."""

    name: str
    source: str
    counted: str
    paper: str
    ours: int
    lite: int
    note: str


class Table(InColumns, list[Row]):
    """The rows of `list_models`; prints as text, shows as HTML in a notebook."""

    HEADINGS = ("name", "where", "counted", "paper", "ours", "lite", "note")
    FIGURES = (3, 4, 5)

    def cells(self) -> list[tuple[str, ...]]:
        """A line of text for each model, under `HEADINGS`."""
        return [(r.name, r.source, r.counted, r.paper or "–", f"{r.ours:,}", f"{r.lite:,}", r.note) for r in self]


def list_models(match: str = "") -> Table:
    """The models of the zoo with their parameters, ours and the paper's.

    Args:
        match: only names that contain this.

    Returns:
        A table; each `Row` has name, place in the paper, what is counted, the paper's figure, ours at the paper's
        scale, ours at lite scale, and a note where the two disagree.
    """
    rows = Table()
    for entry in registry.ENTRIES.values():
        if match not in entry.name:
            continue
        counts = {}
        for preset in PRESETS:
            with torch.device("meta"):
                gan = build(entry.name, preset)
            counted: nn.Module = gan.discriminators if entry.counted == "D" else gan
            counts[preset] = sum(parameter.numel() for parameter in counted.parameters())
        paper, ours, lite = entry.paper_parameters, counts["paper"], counts["lite"]
        rows.append(Row(entry.name, entry.source, entry.counted, paper, ours, lite, entry.note))
    return rows
