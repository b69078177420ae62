"""What a table of the paper is made of: values, columns, rows."""

from dataclasses import dataclass

from ldvd_lib import zoo
from ldvd_lib._kit.checks import suggestion
from ldvd_lib._kit.tables import as_html, as_text


@dataclass(frozen=True)
class Value:
    """A reported figure.

    Attributes:
        mean: the figure.
        deviation: its ±; None if the paper gives none.
        text: both, with as many digits as the paper prints.
    """

    mean: float
    deviation: float | None
    text: str

    def __str__(self) -> str:
        return self.text


def as_printed(text: str) -> Value | None:
    """``"12.86±.15"`` → a value; empty → None."""
    if not text:
        return None
    numbers = [(float(number), len(number.partition(".")[2])) for number in text.split("±")]
    (mean, _), *deviation = numbers
    printed = " ± ".join(f"{number:,.{digits}f}" for number, digits in numbers)
    return Value(mean, deviation[0][0] if deviation else None, printed)


@dataclass(frozen=True)
class Column:
    """A column of a table: one kind of figure.

    Attributes:
        key: its name in a row's values, and in our results.
        title: its heading.
        better: ``"higher"`` or ``"lower"``; empty if neither is better.
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
        label: the paper's name for it, sometimes with a few words more.
        model: its name in `ldvd_lib.zoo`; empty if it is not there.
        values: a `Value` for each key of a column, or None where the paper has none.
        origin: where the figures come from, if not from this table.
        source: where we read them, if the rows of the table come from many places; such a table shows it.
        second_hand: whether that is somebody else's account of them, and not what their authors wrote.
    """

    label: str
    model: str
    values: dict[str, Value | None]
    origin: str = ""
    source: str = ""
    second_hand: bool = False

    @property
    def parameters(self) -> str:
        """How many, as the paper prints it in some table; empty if it does not."""
        return zoo.ENTRIES[self.model].paper_parameters if self.model else ""

    @property
    def heading(self) -> str:
        """The label, and the origin if it is another."""
        return f"{self.label} ({self.origin})" if self.origin else self.label


@dataclass(frozen=True)
class Table:
    """A table of the paper; prints as text, shows as HTML in a notebook.

    Attributes:
        number: the paper's, as `ldvd_lib.paper.table` takes it.
        title: what it is about.
        columns, rows: its figures.
        note: what to know before comparing anything with it.
        counted: whose parameters are shown: ``"D"`` for the discriminators', ``"G + D"`` for all; empty for none.
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
        """The row with the best value of a column; None if neither direction is better.

        Raises:
            ValueError: if there is no such column.
        """
        column = self.column(key)
        rows = [(value.mean, row) for row in self.rows if (value := row.values[key])]
        if not column.better or not rows:
            return None
        _, best = (max if column.better == "higher" else min)(rows, key=lambda pair: pair[0])
        return best

    def column(self, key: str) -> Column:
        """The column of a key.

        Raises:
            ValueError: if there is none; the message lists all.
        """
        for column in self.columns:
            if column.key == key:
                return column
        keys = [column.key for column in self.columns]
        raise ValueError(f"table {self.number} has no column {key!r}: {suggestion(key, keys)}")

    def row(self, model: str) -> Row:
        """The row of a model, by its name in the zoo.

        Raises:
            ValueError: if there is none; the message lists all.
        """
        for row in self.rows:
            if model and row.model == model:
                return row
        models = [row.model for row in self.rows if row.model]
        raise ValueError(f"table {self.number} has no row of {model!r}: {suggestion(model, models)}")

    def _lines(self) -> list[list[str]]:
        """Headings and rows as text, with a star at the best value of a column."""
        headings = ["", *(column.heading for column in self.columns)]
        lines = [[row.heading, *(self._cell(row, column.key) for column in self.columns)] for row in self.rows]
        if self.counted:
            headings.append(f"parameters of {self.counted}")
            for line, row in zip(lines, self.rows, strict=True):
                line.append(row.parameters or "–")
        if any(row.source for row in self.rows):
            headings += ["read", "where"]
            for line, row in zip(lines, self.rows, strict=True):
                line += ["second-hand" if row.second_hand else "first-hand", row.source]
        return [headings, *lines]

    @property
    def _figures(self) -> range:
        """Which of the lines' columns hold figures."""
        return range(1, 1 + len(self.columns) + bool(self.counted))

    @property
    def legend(self) -> str:
        """What the star means, if there is one, and the note."""
        has_star = any(column.better for column in self.columns)
        return f"{'★ the best of its column. ' if has_star else ''}{self.note}"

    def _cell(self, row: Row, key: str) -> str:
        star = " ★" if row is self.best(key) else ""
        return f"{row.values[key]}{star}" if row.values[key] else "–"

    def __str__(self) -> str:
        headings, *lines = self._lines()
        return "\n".join([self.heading, "", as_text(headings, lines, right=self._figures), "", self.legend])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        headings, *lines = self._lines()
        return as_html(headings, lines, right=self._figures, caption=self.heading, note=self.legend)
