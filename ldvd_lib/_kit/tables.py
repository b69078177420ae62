"""Tables that print as text and show as HTML in a notebook: one look for all of the library's."""

from collections.abc import Collection, Sequence
from html import escape
from typing import ClassVar

Cells = Sequence[str]


class InColumns:
    """A sequence of rows that prints as text and shows as HTML in a notebook; inherit from it before the sequence.

    Attributes:
        HEADINGS: of the columns.
        FIGURES: numbers of the columns that hold figures.
    """

    HEADINGS: ClassVar[Cells]
    FIGURES: ClassVar[Collection[int]] = ()

    def cells(self) -> Sequence[Cells]:
        """A line of text for each row, under `HEADINGS`."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return as_text(self.HEADINGS, self.cells(), right=self.FIGURES)

    def _repr_html_(self) -> str:
        return as_html(self.HEADINGS, self.cells(), right=self.FIGURES)


def as_text(headings: Cells, rows: Sequence[Cells], *, right: Collection[int] = ()) -> str:
    """Columns of text under their headings; those whose numbers are in `right` are aligned right, as figures are."""
    lines = [headings, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
        for cells in lines
    )


def as_html(
    headings: Cells, rows: Sequence[Cells], *, right: Collection[int] = (), caption: str = "", note: str = ""
) -> str:
    """The same as HTML, with a caption above and a note below; a row's first cell is its heading."""

    def cell(tag: str, column: int, text: str) -> str:
        side = "right" if column in right else "left"
        return f'<{tag} style="text-align:{side}">{escape(text)}</{tag.partition(" ")[0]}>'

    head = "".join(cell('th scope="col"', column, text) for column, text in enumerate(headings))
    body = "".join(
        "<tr>"
        + "".join(cell("td" if column else 'th scope="row"', column, text) for column, text in enumerate(cells))
        + "</tr>"
        for cells in rows
    )
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    below = f"<p>{escape(note)}</p>" if note else ""
    return f"<table>{above}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"
