"""The tables of the LDVD paper as data: what it reports, for results of ours to stand beside.

    paper.tables()          all of them, in a line each
    paper.table("5a")       one; prints as text, shows as HTML in a notebook

and what we measured to stand beside them: `Result` is the record of one training, read from runs and report files.

All scores of the tables are of UCF-101 at 16×64×64 unless a row says otherwise. None of them was measured here.

Source: Kahembwe and Ramamoorthy, "Lower Dimensional Kernels for Video Discriminators", Tables 2, 3a and 5 to 10; what
others published is in the table ``"published"``, and TGANv2's own comparison in ``"tganv2"``.
"""

import difflib

from ldvd_lib.paper.comparison import Comparison, compare
from ldvd_lib.paper.layout import Column, Row, Table, Value
from ldvd_lib.paper.reported import TABLES
from ldvd_lib.paper.results import (
    Condition,
    Measured,
    Result,
    by_condition,
    measured,
    read_results,
    results_of_run,
    write_results,
)

__all__ = [
    "Column",
    "Comparison",
    "Condition",
    "Measured",
    "Result",
    "Row",
    "Table",
    "Value",
    "by_condition",
    "compare",
    "measured",
    "read_results",
    "results_of_run",
    "table",
    "tables",
    "write_results",
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
        ValueError: if there is none, listing those there are.
    """
    if number in TABLES:
        return TABLES[number]
    near = difflib.get_close_matches(str(number), TABLES, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(f"there is no table {number!r}: {hint}There are {list(TABLES)}.")
