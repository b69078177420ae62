"""What a learner has passed so far, in this session and, by the file ``progress.json``, in those before it.

The same file keeps where the cards of `ldvd_lib.review` are, under names that no renumbering of notebooks changes.
"""

import functools
import html
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ldvd_lib._kit.shared_file import Content, SharedFile
from ldvd_lib.classroom import exercises
from ldvd_lib.classroom.environment import workspace
from ldvd_lib.classroom.leitner import DAYS, Place, answered
from ldvd_lib.classroom.results import STATUSES, CheckResult, Status, better, sentence

# The best status of each exercise in this session, whether or not the file can be written.
session_statuses: dict[str, Status] = {}

# A line for each time that notebooks were renumbered: the old number of each that moved, and its new one. Each line
# makes a new version of the file; a file of an older version is read under the new names.
RENUMBERED: tuple[Mapping[str, str], ...] = (
    {"10": "11"},  # TGANv2 came in before the capstone
    {"11": "12"},  # and DVD-GAN
    {"12": "13"},  # and SSW-GAN
)

_EXERCISES = "exercises"  # in the file: status by exercise
_CARDS = "cards"  # and for each card that was asked its box and the day on which it is due


@dataclass(frozen=True)
class Progress:
    """Every exercise of the course with the learner's best result for it; shows itself by notebook.

    Attributes:
        results: the exercises, in order.
        note: what is wrong with the file that keeps them, if anything.
    """

    results: tuple[CheckResult, ...]
    note: str = ""

    @property
    def statuses(self) -> dict[str, Status]:
        """Status by exercise."""
        return {result.name: result.status for result in self.results}

    def _notebooks(self) -> list[tuple[str, str, list[str]]]:
        """For each notebook its number, how much of it is done, and a line for each exercise."""
        groups = itertools.groupby(self.results, key=lambda result: result.name.partition(".")[0])
        notebooks = [(number, list(results)) for number, results in groups]
        return [
            (number, _share_done(results), [result.headline for result in results]) for number, results in notebooks
        ]

    def _headline(self) -> str:
        return f"{_share_done(self.results)} exercises passed"

    def __repr__(self) -> str:
        lines = [self._headline()]
        for number, share_done, headlines in self._notebooks():
            lines += [f"Notebook {number}, {share_done}", *(f"  {headline}" for headline in headlines)]
        return "\n".join(lines + ([self.note] if self.note else []))

    def _repr_html_(self) -> str:
        left = 'style="text-align:left; vertical-align:top"'
        rows = "".join(
            f'<tr><th scope="row" {left}>{number}</th><td {left}>{share_done}</td>'
            f"<td {left}>{'<br>'.join(map(html.escape, headlines))}</td></tr>"
            for number, share_done, headlines in self._notebooks()
        )
        headings = "".join(f'<th scope="col" {left}>{heading}</th>' for heading in ("notebook", "passed", "exercises"))
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        return f"<table><caption>{self._headline()}</caption><tr>{headings}</tr>{rows}</table>{note}"


def _share_done(results: Sequence[CheckResult]) -> str:
    return f"{sum(result.passed for result in results)} of {len(results)}"


def progress(*, reset: bool = False) -> Progress:
    """How far you are: every exercise of the course with the best status it ever got, in this session or before.

    Args:
        reset: start over: forget all that was passed and every card that was asked, here and in ``progress.json``.
    """
    saved: dict[str, Any] = {}
    if reset:
        session_statuses.clear()
        problem = _progress_file().update(lambda content: {})
    else:
        content, problem = _progress_file().read()
        saved = content.get(_EXERCISES, {})
        problem = problem and f"{problem}: this is what is known without it"
        if odd := [f"{name!r} ({status!r})" for name, status in saved.items() if status not in STATUSES]:
            problem = (
                f"progress.json has records that are left out, since they are none of {STATUSES}: {', '.join(odd)}"
            )
    results = (
        CheckResult(name, exercise.title, better(_status(saved, name), session_statuses.get(name, STATUSES[0])), "")
        for name, exercise in exercises.find_all().items()
    )
    return Progress(tuple(results), sentence(problem))


def keep(result: CheckResult) -> str:
    """Remember a result if it is better than the one before; returns why the file could not be written, or ""."""

    def with_result(content: Content) -> Content:
        saved = content.get(_EXERCISES, {})
        return {**content, _EXERCISES: saved | {result.name: better(_status(saved, result.name), result.status)}}

    if result.status == STATUSES[0]:  # so that running an unsolved notebook writes nothing
        return ""
    session_statuses[result.name] = better(session_statuses.get(result.name, STATUSES[0]), result.status)
    return sentence(_progress_file().update(with_result))


def places() -> tuple[dict[str, Place], str]:
    """Where the cards are that have been asked, by name; and what is wrong with the file that keeps it, or ""."""
    content, problem = _progress_file().read()
    saved = content.get(_CARDS, {})
    found = {name: place for name, record in saved.items() if (place := _place(record))}
    if odd := saved.keys() - found.keys():
        names = ", ".join(sorted(odd))
        problem = f"progress.json has records of cards that are left out, since they make no sense: {names}"
    return found, sentence(problem)


def keep_answer(card: str, right: bool, day: date) -> str:
    """Move a card to where its answer sends it; returns why the file could not be written, or ""."""

    def with_answer(content: Content) -> Content:
        saved = content.get(_CARDS, {})
        place = answered(_place(saved.get(card)), right, day)
        return {**content, _CARDS: saved | {card: record_of(place)}}

    return sentence(_progress_file().update(with_answer))


def record_of(place: Place) -> dict[str, Any]:
    """A place as the file has it."""
    return {"box": place.box, "due": place.due.isoformat()}


def _place(record: Any) -> Place | None:
    """What the file says of a card; None if it says nothing of sense."""
    try:
        box, due = record["box"], date.fromisoformat(record["due"])
    except (TypeError, KeyError, ValueError):
        return None
    return Place(box, due) if type(box) is int and 0 <= box < len(DAYS) else None


def _status(saved: dict[str, Any], name: str) -> Status:
    """The status of an exercise in the file; what somebody wrote there that is none counts as not attempted."""
    status = saved.get(name)
    return status if status in STATUSES else STATUSES[0]


def _progress_file() -> SharedFile:
    def is_valid(content: Content) -> bool:
        return all(isinstance(content.get(key, {}), dict) for key in (_EXERCISES, _CARDS))

    upgrades = [functools.partial(_renumber, numbers) for numbers in RENUMBERED]
    return SharedFile(workspace() / "progress.json", is_valid, upgrades)


def _renumber(numbers: Mapping[str, str], content: Content) -> Content:
    """The file's content with all exercises of renumbered notebooks under their new names."""
    if _EXERCISES not in content:
        return content
    kept: dict[str, Any] = {}
    moved: dict[str, Any] = {}
    for name, status in content[_EXERCISES].items():
        notebook, dot, number = name.partition(".")
        if notebook in numbers:
            moved[f"{numbers[notebook]}{dot}{number}"] = status
        else:
            kept[name] = status
    # In this order, since a name that was somebody's own may be the course's now.
    return {**content, _EXERCISES: kept | moved}
