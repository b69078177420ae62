"""A picture of a question with its answers, for pages on which nobody can be asked."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CHARACTERS = 88  # of a line that fits into the picture
_LINE = 0.23  # inches


def draw_card(headline: str, question: str, answers: Sequence[str]) -> "Figure":
    """A question, and its answers in boxes under it.

    Args:
        headline: a line above.
        question: may be of several lines.
        answers: in the order in which they are drawn.
    """
    from matplotlib.figure import Figure

    texts = [textwrap.fill(text, _CHARACTERS) for text in (question, *answers)]
    heights = [_LINE * (text.count("\n") + 1) for text in texts]
    gap = 1.5 * _LINE
    total = 2 * _LINE + sum(heights) + gap * len(texts) + gap
    figure = Figure(figsize=(8, total))
    top = total - 0.6 * gap
    figure.text(0.02, top / total, headline, va="top", fontsize=9, color="0.35")
    top -= _LINE + gap
    for number, (text, height) in enumerate(zip(texts, heights, strict=True)):
        box = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": "0.6"} if number else None
        weight = "normal" if number else "bold"
        left = 0.04 if number else 0.02
        figure.text(left, top / total, text, va="top", fontsize=10, weight=weight, bbox=box, parse_math=False)
        top -= height + gap
    return figure
