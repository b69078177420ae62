"""The tables of the LDVD paper as data: what it reports, to be set beside our own results.

    paper.tables()          all of them, one line each
    paper.table("5a")       one; prints as text, shows as HTML in a notebook

and its claims about curvature, examined on runs: `examine`; and the question behind it, whether a calmer critic teaches
better: `read_points`, `correlations`, `contrasts`. Our own results come from `ldvd_lib.runs`.

All scores of the tables are of UCF-101 at 16×64×64 unless a row says otherwise. None of them was measured here.

Source: Kahembwe and Ramamoorthy, "Lower Dimensional Kernels for Video Discriminators", Tables 2, 3a and 5 to 10; what
others published is in the table ``"published"``, with where it was read, and TGANv2's own comparison in ``"tganv2"``.
"""

from ldvd_lib._kit.checks import suggestion
from ldvd_lib.paper.answer import (
    Contrast,
    Contrasts,
    Correlation,
    Correlations,
    contrast,
    contrasts,
    correlation,
    correlations,
)
from ldvd_lib.paper.claims import Claim, Curvature, Finding, Findings, curvatures_of, examine, read_findings
from ldvd_lib.paper.comparison import Comparison, compare
from ldvd_lib.paper.layout import Column, Row, Table, Value
from ldvd_lib.paper.precisions import Agreement, Agreements, Verdicts, agreements, verdicts
from ldvd_lib.paper.question import Point, read_points
from ldvd_lib.paper.reported import TABLES

__all__ = [
    "Agreement",
    "Agreements",
    "Claim",
    "Column",
    "Comparison",
    "Contrast",
    "Contrasts",
    "Correlation",
    "Correlations",
    "Curvature",
    "Finding",
    "Findings",
    "Point",
    "Row",
    "Table",
    "Value",
    "Verdicts",
    "agreements",
    "compare",
    "contrast",
    "contrasts",
    "correlation",
    "correlations",
    "curvatures_of",
    "examine",
    "read_findings",
    "read_points",
    "table",
    "tables",
    "verdicts",
]


class Tables(tuple[Table, ...]):
    """What `tables` gives; prints as a list of titles."""

    def __repr__(self) -> str:
        return "\n".join(f"{table.number:10} {table.title}" for table in self)


def tables() -> Tables:
    """All tables, in the paper's order, and then what others published."""
    return Tables(TABLES.values())


def table(number: str) -> Table:
    """One table.

    Args:
        number: as the paper has it, ``"5a"`` for example; `tables` lists them.

    Raises:
        ValueError: if there is no such table; the message lists all.
    """
    if number not in TABLES:
        raise ValueError(f"there is no table {number!r}: {suggestion(number, TABLES)}")
    return TABLES[number]
