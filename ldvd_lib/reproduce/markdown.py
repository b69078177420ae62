"""The few forms of Markdown that a report is made of."""

from collections.abc import Sequence
from pathlib import Path


def grid(headings: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
    """A table; the first columns, `texts` of them, are words and stand on the left, the others are figures."""
    rule = ["---"] * texts + ["--:"] * (len(headings) - texts)
    lines = [[cell.replace("|", "\\|") for cell in cells] for cells in (headings, *rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (lines[0], rule, *lines[1:]))


def picture(figure: Path, caption: str, *, directory: Path) -> str:
    """A picture with its caption, which is its alternative text, too; the path is relative to the directory."""
    return f"![{caption}]({figure.relative_to(directory).as_posix()})\n\n*{caption}.*"


def bullets(lines: Sequence[str]) -> str:
    """A list."""
    return "\n".join(f"- {line}" for line in lines)


def enumeration(words: Sequence[object]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *some, last = [str(word) for word in words] or [""]
    return " and ".join(filter(None, [", ".join(some), last]))


def number(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
