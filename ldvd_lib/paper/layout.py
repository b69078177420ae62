"""What a table of the paper is made of: values, columns, rows."""

from dataclasses import dataclass

from ldvd_lib import zoo
from ldvd_lib._tables import as_html, as_text

# Of models that the zoo does not have.
_PRINTED_PARAMETERS = {"TGANv2, 16×192×192": "200M"}


@dataclass(frozen=True)
class Value:
    """A reported figure.

    Attributes:
        mean: the figure.
        deviation: its ±; None where none is given.
        text: both, with as many digits as are printed.
    """

    mean: float
    deviation: float | None
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Column:
    """A kind of figure.

    Attributes:
        key: its name in a row's values, and in results of ours.
        title: its heading.
        better: ``"higher"``, ``"lower"``, or empty where neither is.
    """

    key: str
    title: str
    better: str = ""

    @property
    def heading(self) -> str:
        """The title, and which way is better."""
        return f"{self.title} ({self.better} is better)" if self.better else self.title


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
        label: as the paper calls it, or in a few words more.
        model: our name of it (`ldvd_lib.zoo`); empty where we have none.
        values: a `Value` for each key of a column, or None where the paper has none.
        origin: where it comes from, if not from this table.
    """

    label: str
    model: str
    values: dict[str, Value | None]
    origin: str = ""

    @property
    def parameters(self) -> str:
        """How many, as the paper prints it in one table or another; empty where it does not."""
        return zoo.ENTRIES[self.model].paper_parameters if self.model else _PRINTED_PARAMETERS.get(self.label, "")

    @property
    def heading(self) -> str:
        """The label, and the origin where it is another."""
        return f"{self.label} ({self.origin})" if self.origin else self.label


@dataclass(frozen=True)
class Table:
    """A table of the paper; prints as text, shows as HTML in a notebook.

    Attributes:
        number: the paper's, as `table` takes it.
        title: what it is about.
        columns, rows: its figures.
        note: what to know before comparing anything with it.
        counted: whose parameters are told: ``"D"`` the discriminators', ``"G + D"`` everything's, or nothing's.
    """

    number: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str
    counted: str = "D"

    @property
    def heading(self) -> str:
        """Number and title."""
        return f"Table {self.number}: {self.title}" if self.number[0].isdigit() else self.title

    def best(self, key: str) -> Row | None:
        """The row with the best value of a column; None where no direction is better.

        Raises:
            ValueError: if there is no such column.
        """
        column = self.column(key)
        rows = [row for row in self.rows if row.values[key]]
        if not column.better or not rows:
            return None
        return (max if column.better == "higher" else min)(rows, key=lambda row: row.values[key].mean)

    def column(self, key: str) -> Column:
        """The column of a key.

        Raises:
            ValueError: if there is none, listing those there are.
        """
        for column in self.columns:
            if column.key == key:
                return column
        raise ValueError(f"table {self.number} has no column {key!r}: it has {[column.key for column in self.columns]}")

    def row(self, model: str) -> Row:
        """The row of a name of the zoo.

        Raises:
            ValueError: if there is none, listing those there are.
        """
        for row in self.rows:
            if model and row.model == model:
                return row
        models = [row.model for row in self.rows if row.model]
        raise ValueError(f"table {self.number} has no row of {model!r}: it has {models}")

    def _lines(self) -> list[list[str]]:
        """Headings and rows as text; the best value of a column bears a star."""
        headings = ["", *(column.heading for column in self.columns)]
        lines = [[row.heading, *(self._cell(row, column.key) for column in self.columns)] for row in self.rows]
        if self.counted:
            headings.append(f"parameters of {self.counted}")
            for line, row in zip(lines, self.rows, strict=True):
                line.append(row.parameters or "–")
        return [headings, *lines]

    @property
    def legend(self) -> str:
        """What the star means, where there is one, and the note."""
        has_star = any(column.better for column in self.columns)
        return f"{'★ the best of its column. ' if has_star else ''}{self.note}"

    def _cell(self, row: Row, key: str) -> str:
        star = " ★" if row is self.best(key) else ""
        return f"{row.values[key]}{star}" if row.values[key] else "–"

    def __str__(self) -> str:
        headings, *lines = self._lines()
        return "\n".join([self.heading, "", as_text(headings, lines, right=range(1, len(headings))), "", self.legend])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        headings, *lines = self._lines()
        return as_html(headings, lines, right=range(1, len(headings)), caption=self.heading, note=self.legend)
