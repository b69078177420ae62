"""What a notebook talks to its learner with: checks, hints, progress, data, and how long things may take.

check("01.1", my_function)   # ✓ or ✗, with what was found and what was expected; never raises
hint("01.1")                 # a nudge; hint("01.1", level=3) nearly gives it away
progress()                   # what is done, in all notebooks so far; progress(reset=True) starts over
store(image_size=32)         # the clips that the course trains on, rendered and decoded on first use
steps(600)                   # 600, or a few when the time budget is "quick"
"""

import contextlib
import html
import itertools
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch

from ldvd_lib import exercises
from ldvd_lib._shared_file import SharedFile
from ldvd_lib.data import ClipStore, actions, prepare_beside
from ldvd_lib.environment import EnvironmentReport, budget, environment_report, workspace

__all__ = [
    "CheckResult",
    "EnvironmentReport",
    "Hint",
    "Progress",
    "budget",
    "check",
    "environment_report",
    "footage",
    "hint",
    "progress",
    "repeats",
    "steps",
    "store",
    "workspace",
]

Status = Literal["passed", "not yet", "not attempted yet"]

# A sign and a word carry each status; the colour only repeats them, and reads on white and on black.
_SIGNS: dict[Status, str] = {"passed": "✓", "not yet": "✗", "not attempted yet": "○"}
_COLOURS: dict[Status, str] = {"passed": "#2e9e5b", "not yet": "#d9822b", "not attempted yet": "#8a8f98"}
_HINT_COLOUR = "#4a90d9"

_LIBRARY = Path(__file__).resolve().parent

# From worst to best; the best that a learner ever got is what counts.
_RANKS: tuple[Status, ...] = ("not attempted yet", "not yet", "passed")

# The best status of each exercise in this session, whatever becomes of the file.
_statuses: dict[str, Status] = {}


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

    def _headline(self) -> str:
        return " ".join(part for part in (_SIGNS[self.status], self.name, self.title) if part) + f": {self.status}"

    def __repr__(self) -> str:
        return f"{self._headline()}. {self.message}".rstrip()

    def _repr_html_(self) -> str:
        return _card(self._headline(), self.message, _COLOURS[self.status])


@dataclass(frozen=True)
class Hint:
    """One hint; shows itself in a notebook."""

    headline: str
    message: str

    def __repr__(self) -> str:
        return f"{self.headline}. {self.message}"

    def _repr_html_(self) -> str:
        return _card(self.headline, self.message, _HINT_COLOUR)


@dataclass(frozen=True)
class Progress:
    """Every exercise of the course with the best that the learner has got; shows itself by notebook.

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
        return [
            (number, _share_done(some), [result._headline() for result in some])
            for number, group in itertools.groupby(self.results, key=lambda result: result.name.partition(".")[0])
            for some in [list(group)]
        ]

    def _headline(self) -> str:
        return f"{_share_done(self.results)} exercises passed"

    def __repr__(self) -> str:
        lines = [self._headline()]
        for number, done, exercises_of_it in self._notebooks():
            lines += [f"Notebook {number}, {done}", *(f"  {line}" for line in exercises_of_it)]
        return "\n".join(lines + ([self.note] if self.note else []))

    def _repr_html_(self) -> str:
        left = 'style="text-align:left; vertical-align:top"'
        rows = "".join(
            f'<tr><th scope="row" {left}>{number}</th><td {left}>{done}</td>'
            f"<td {left}>{'<br>'.join(map(html.escape, lines))}</td></tr>"
            for number, done, lines in self._notebooks()
        )
        headings = "".join(f'<th scope="col" {left}>{heading}</th>' for heading in ("notebook", "passed", "exercises"))
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        return f"<table><caption>{self._headline()}</caption><tr>{headings}</tr>{rows}</table>{note}"


def _share_done(results: Sequence[CheckResult]) -> str:
    return f"{sum(result.passed for result in results)} of {len(results)}"


def check(name: str, answer: object = None) -> CheckResult:
    """Check an answer and say what was found. Never raises: whatever goes wrong becomes a message.

    The best that an exercise ever got is kept for `progress`, in ``progress.json`` in the workspace.

    The random state of torch is as it was afterwards, so that what follows in a notebook does not depend on whether
    an exercise is solved.

    Args:
        name: The exercise, such as "01.2".
        answer: A value, a function, a module or, where an exercise asks for several things, a tuple of them.
            None and ``...`` (alone or in the tuple) mean that it is not attempted yet.

    Returns:
        The result, which a notebook shows when it is the last thing in its cell.
    """
    try:
        found = exercises.find(name)
    except KeyError as error:
        return CheckResult(str(name), "", "not attempted yet", f"{_sentence(error.args[0])}")
    result = _judge(found, answer)
    problem = _keep(result)
    return replace(result, message=f"{result.message} {problem}".strip()) if problem and result.passed else result


def hint(name: str, level: int = 1) -> Hint:
    """A hint for an exercise. Never raises.

    Args:
        name: The exercise, such as "01.2".
        level: 1 nudges, 2 points the way, 3 nearly gives it away.
    """
    try:
        found = exercises.find(name)
    except KeyError as error:
        return Hint(f"No hint for {name}", _sentence(error.args[0]))
    last = len(found.hints)
    if level not in range(1, last + 1):
        return Hint(f"No hint {level} for {name}", f"Hints go from 1 to {last}.")
    if level < last:
        more = f'For more: hint("{name}", {level + 1}).'
    else:
        more = "That was the last one; the solution is folded up below the check."
    return Hint(f"Hint {level} of {last} for {name}", f"{_sentence(found.hints[level - 1])} {more}")


def progress(*, reset: bool = False) -> Progress:
    """How far you are: every exercise of the course with the best that it ever got, in this session or before.

    Args:
        reset: start over: forget all that was passed, here and in ``progress.json``.
    """
    if reset:
        _statuses.clear()
        kept, problem = {}, _progress_file().update(lambda content: {})
    else:
        content, problem = _progress_file().read()
        kept = content.get(_EXERCISES, {})
        problem = problem and f"{problem}: this is what is known without it"
    results = (
        CheckResult(
            name, known.title, max(kept.get(name, _RANKS[0]), _statuses.get(name, _RANKS[0]), key=_RANKS.index), ""
        )
        for name, known in exercises.find_all().items()
    )
    return Progress(tuple(results), _sentence(problem))


_EXERCISES = "exercises"  # the one key of the file: status by exercise


def _progress_file() -> SharedFile:
    def is_valid(content: dict) -> bool:
        kept = content.get(_EXERCISES, {})
        return isinstance(kept, dict) and all(status in _RANKS for status in kept.values())

    return SharedFile(workspace() / "progress.json", is_valid)


def _keep(result: CheckResult) -> str:
    """Remember a result, if it is better than what was there; what kept the file from being written, in words."""

    def better(statuses: dict[str, Status]) -> dict[str, Status]:
        before = statuses.get(result.name, _RANKS[0])
        return statuses | {result.name: max(before, result.status, key=_RANKS.index)}

    if result.status == _RANKS[0]:  # so that running an unsolved notebook writes nothing
        return ""
    _statuses.update(better(_statuses))
    problem = _progress_file().update(lambda content: {_EXERCISES: better(content.get(_EXERCISES, {}))})
    return _sentence(problem)


def footage(name: str = "actions") -> Path:
    """A data set in ``data/``, in UCF-101's layout. The built-in one is rendered if it is not there yet.

    Args:
        name: "actions", or the directory of a data set that you have put there, such as "ucf101".

    Returns:
        Its root, as `ldvd_lib.data.ucf101.index` takes it.

    Raises:
        FileNotFoundError: There is no such data set; the message says how to get it.
        FileExistsError: There is a set of actions that was rendered with parameters of your own.
    """
    root = workspace() / "data" / name
    if name == "actions":
        return actions.render(root)
    if not root.is_dir():
        raise FileNotFoundError(
            f"{root}: no such directory; expected one that contains UCF-101/ and ucfTrainTestlist/. Download the real "
            f'thing with `python data_scripts/download_ucf101.py {root}`, or use the built-in data set, "actions"'
        )
    return root


def store(image_size: int = 32, *, data: str = "actions", subset: str = "train") -> ClipStore:
    """The clips of a data set, decoded and ready for a sampler. Whatever is missing is made first, once.

    Args:
        image_size: Height and width of the frames, in pixels.
        data: A data set in ``data/``; see `footage`.
        subset: "train", "test" or "all", of the first official split.

    Returns:
        The store, which lies beside the data set, where ``ldvd demo`` and ``ldvd train`` find it too.

    Raises:
        FileNotFoundError: There is no such data set.
        ValueError: The data set has changed since the store was made.
    """
    return prepare_beside(footage(data), image_size=image_size, subset=subset)


def steps(full: int, quick: int | None = None) -> int:
    """How many training steps to take: `full`, or under the quick budget only enough to see that training runs.

    Args:
        full: Steps that teach something.
        quick: Steps under the quick budget; a thirtieth of `full`, at least 2, if not given.
    """
    return _within_budget(full, max(2, full // 30) if quick is None else quick)


def repeats(full: int, quick: int = 1) -> int:
    """How often to repeat a measurement: `full` times, or `quick` times under the quick budget."""
    return _within_budget(full, quick)


def _within_budget(full: int, quick: int) -> int:
    if full < 1 or quick < 1:
        raise ValueError(f"a budget needs counts of at least 1; got full={full}, quick={quick}")
    return min(full, quick) if budget() == "quick" else full


def _judge(exercise: exercises.Exercise, answer: object) -> CheckResult:
    status: Status = "not yet"
    try:
        if _is_stub(answer):
            raise exercises.NotAttempted
        with _own_random_state():
            remark = exercise.check(answer)
        status, message = "passed", remark or ""
    except (exercises.NotAttempted, NotImplementedError):
        status = "not attempted yet"
        message = f'fill in the stub above and run both cells again; stuck? hint("{exercise.name}")'
    except exercises.NotYet as error:
        message = str(error)
    except (Exception, SystemExit) as error:
        message = _explain(error)
    return CheckResult(exercise.name, exercise.title, status, _sentence(message))


def _is_stub(answer: object) -> bool:
    if isinstance(answer, (tuple, list)):
        return any(_is_stub(part) for part in answer)
    return answer is None or answer is ...


@contextlib.contextmanager
def _own_random_state() -> Iterator[None]:
    """The same random numbers for every check, and the notebook's own untouched by them."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def _explain(error: BaseException) -> str:
    """An exception in one or two sentences: what, and at which line of the learner's code if it was there."""
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        ours = Path(frame.filename).resolve().is_relative_to(_LIBRARY)
        installed = "site-packages" in Path(frame.filename).parts
        if not ours and not installed and frame.line:
            return f"your code raised {what} (in {frame.name}, line {frame.lineno}: {frame.line})"
    return f"the answer could not be checked; looking at it raised {what}"


def _sentence(text: str) -> str:
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
