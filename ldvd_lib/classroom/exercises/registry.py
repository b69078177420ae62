"""Exercises by name."""

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass

HINT_LEVELS = 3

_NAME = re.compile(r"\d{2}\.\d+")
_exercises: dict[str, "Exercise"] = {}


class NotYet(Exception):
    """The answer is not right yet; the message says what was found and what was expected."""


class NotAttempted(Exception):
    """The answer is still the stub."""


@dataclass(frozen=True)
class Exercise:
    """One exercise: its name, what it asks for, three hints from a nudge to nearly the answer, and its check."""

    name: str
    title: str
    hints: tuple[str, ...]
    check: Callable[[object], str | None]

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"an exercise is named NN.k, as in '01.2' (notebook, number); got {self.name!r}")
        if len(self.hints) != HINT_LEVELS:
            raise ValueError(f"exercise {self.name} needs {HINT_LEVELS} hints, from a nudge up; got {len(self.hints)}")


def exercise(name: str, *, title: str, hints: tuple[str, ...]) -> Callable[[Callable], Callable]:
    """Register the decorated function as the check of an exercise.

    Args:
        name: Two digits for the notebook, a dot, and the exercise's number in it: "01.2".
        title: A few words, as in the notebook's heading.
        hints: Three, each of which gives away more than the one before.

    Returns:
        A decorator for a function that takes the learner's answer, raises `NotYet` with a helpful message if the
        answer is wrong, and returns a closing remark or None if it is right.

    Raises:
        ValueError: The name is malformed or the hints are not three.
    """

    def register(check: Callable[[object], str | None]) -> Callable[[object], str | None]:
        _exercises[name] = Exercise(name=name, title=title, hints=tuple(hints), check=check)
        return check

    return register


def find(name: str) -> Exercise:
    """Return the exercise of that name, importing its notebook's module if need be.

    Raises:
        KeyError: There is no such exercise; the message lists those of that notebook.
    """
    notebook = str(name).partition(".")[0]
    if name not in _exercises and re.fullmatch(r"\d{2}", notebook):
        module = f"ldvd_lib.classroom.exercises.notebook_{notebook}"
        if importlib.util.find_spec(module) is not None:
            importlib.import_module(module)
    if name not in _exercises:
        names = [other_name for other_name in registered() if other_name.startswith(f"{notebook}.")]
        raise KeyError(f"there is no exercise {name!r}; notebook {notebook} has {', '.join(names) or 'none'}")
    return _exercises[name]


def find_all() -> dict[str, Exercise]:
    """All exercises of the course, in order."""
    for module in _modules():
        importlib.import_module(module)
    return registered()


def _modules() -> list[str]:
    package = importlib.import_module("ldvd_lib.classroom.exercises")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return [f"{package.__name__}.{name}" for name in names if name.startswith("notebook_")]


def registered() -> dict[str, Exercise]:
    """The exercises registered so far (those of the notebooks used in this session), in order."""
    return dict(sorted(_exercises.items(), key=lambda item: tuple(map(int, item[0].split(".")))))
