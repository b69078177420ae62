"""What `check` and `hint` return: it shows itself as a card in a notebook, and as a line of text elsewhere."""

import html
from dataclasses import dataclass
from typing import Literal

Status = Literal["not attempted yet", "not yet", "passed"]

STATUSES: tuple[Status, ...] = ("not attempted yet", "not yet", "passed")  # from worst to best

# A sign and a word carry each status; the colour only repeats them, and is readable on white and on black.
_SIGNS: dict[Status, str] = {"passed": "✓", "not yet": "✗", "not attempted yet": "○"}
_COLOURS: dict[Status, str] = {"passed": "#2e9e5b", "not yet": "#d9822b", "not attempted yet": "#8a8f98"}
_HINT_COLOUR = "#4a90d9"


@dataclass(frozen=True)
class CheckResult:
    """What `check` found. Shows itself in a notebook; in code, look at `passed` and `message`."""

    name: str
    title: str
    status: Status
    message: str

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.status == "passed"

    @property
    def headline(self) -> str:
        """The exercise and its status in a line."""
        return " ".join(part for part in (_SIGNS[self.status], self.name, self.title) if part) + f": {self.status}"

    def __repr__(self) -> str:
        return f"{self.headline}. {self.message}".rstrip()

    def _repr_html_(self) -> str:
        return _card(self.headline, self.message, _COLOURS[self.status])


@dataclass(frozen=True)
class Hint:
    """One hint; shows itself in a notebook."""

    headline: str
    message: str

    def __repr__(self) -> str:
        return f"{self.headline}. {self.message}"

    def _repr_html_(self) -> str:
        return _card(self.headline, self.message, _HINT_COLOUR)


def better(first: Status, second: Status) -> Status:
    """The better of two statuses."""
    return max(first, second, key=STATUSES.index)


def sentence(text: str) -> str:
    """The text with a capital (unless it begins with a name from code, such as x or num_frames) and a full stop."""
    text = " ".join(str(text).split())
    if not text:
        return ""
    first = text.split()[0]
    if first == "a" or (len(first) > 1 and first.isalpha() and first.islower()):
        text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?" else f"{text}."


def _card(headline: str, message: str, colour: str) -> str:
    return (
        f'<div role="status" style="border-left: 4px solid {colour}; padding: 0.3em 0.8em; margin: 0.3em 0">'
        f"<strong>{html.escape(headline)}</strong>"
        f"{'<br>' if message else ''}{html.escape(message)}</div>"
    )
