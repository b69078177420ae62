"""The few forms of Markdown that a report is made of."""

from collections.abc import Sequence
from pathlib import Path


def grid(headings: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
    """A table; the first `texts` columns are words, aligned left; the others are figures, aligned right."""
    rule = ["---"] * texts + ["--:"] * (len(headings) - texts)
    lines = [[cell.replace("|", "\\|") for cell in cells] for cells in (headings, *rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (lines[0], rule, *lines[1:]))


def picture(figure: Path, caption: str, *, directory: Path) -> str:
    """A picture with its caption, which is also its alternative text; its path is relative to the directory."""
    return f"![{caption}]({figure.relative_to(directory).as_posix()})\n\n*{caption}.*"


def bullets(lines: Sequence[str]) -> str:
    """A list."""
    return "\n".join(f"- {line}" for line in lines)


def enumeration(words: Sequence[object]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *others, last = [str(word) for word in words] or [""]
    return " and ".join(filter(None, [", ".join(others), last]))


def number(value: float) -> str:
    """A number with three digits, or with all digits before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
