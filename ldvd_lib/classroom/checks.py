"""Checks of a learner's answers, and hints. Whatever goes wrong becomes a message; nothing raises."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import torch

from ldvd_lib.classroom import exercises
from ldvd_lib.classroom.exercises.calls import learners_line, one_check
from ldvd_lib.classroom.records import keep
from ldvd_lib.classroom.results import CheckResult, Hint, Status, sentence


def check(name: str, answer: object = None) -> CheckResult:
    """Check an answer and say what was found. Never raises: whatever goes wrong becomes a message.

    The best status that an exercise ever got is kept for `progress`, in ``progress.json`` in the workspace.

    The random state of torch is the same before and after, so that what follows in a notebook does not depend on
    whether an exercise is solved.

    Args:
        name: The exercise, such as "01.2".
        answer: A value, a function, a module or, where an exercise asks for several things, a tuple of them.
            None and ``...`` (alone or in the tuple) mean that it is not attempted yet.

    Returns:
        The result, which a notebook shows when it is the last thing in its cell.
    """
    try:
        exercise = exercises.find(name)
    except KeyError as error:
        return CheckResult(str(name), "", "not attempted yet", sentence(error.args[0]))
    result = _judge(exercise, answer)
    problem = keep(result)
    return replace(result, message=f"{result.message} {problem}".strip()) if problem and result.passed else result


def hint(name: str, level: int = 1) -> Hint:
    """A hint for an exercise. Never raises.

    Args:
        name: The exercise, such as "01.2".
        level: 1 nudges, 2 points the way, 3 nearly gives it away.
    """
    try:
        exercise = exercises.find(name)
    except KeyError as error:
        return Hint(f"No hint for {name}", sentence(error.args[0]))
    last = len(exercise.hints)
    if level not in range(1, last + 1):
        return Hint(f"No hint {level} for {name}", f"Hints go from 1 to {last}.")
    if level < last:
        next_step = f'For more: hint("{name}", {level + 1}).'
    else:
        next_step = "That was the last one; the solution is folded up below the check."
    return Hint(f"Hint {level} of {last} for {name}", f"{sentence(exercise.hints[level - 1])} {next_step}")


def _judge(exercise: exercises.Exercise, answer: object) -> CheckResult:
    status: Status = "not yet"
    stub = f'fill in the stub above and run both cells again; stuck? hint("{exercise.name}")'
    try:
        if _is_stub(answer):
            raise exercises.NotAttempted
        with _own_random_state(), one_check():
            remark = exercise.check(answer)
        status, message = "passed", remark or ""
    except exercises.NotAttempted:
        status, message = "not attempted yet", stub
    except exercises.NotYet as error:
        message = str(error)
    except (Exception, SystemExit) as error:
        message = _explain(error)
        if isinstance(error, NotImplementedError) and not error.args:  # PyTorch raises it as well, with a reason
            status, message = "not attempted yet", stub
    return CheckResult(exercise.name, exercise.title, status, sentence(message))


def _is_stub(answer: object) -> bool:
    if isinstance(answer, (tuple, list)):
        return any(_is_stub(part) for part in answer)
    return answer is None or answer is ...


@contextlib.contextmanager
def _own_random_state() -> Iterator[None]:
    """The same random numbers for every check; the notebook's own random state stays as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def _explain(error: BaseException) -> str:
    """An exception in one or two sentences: what it is, and at which line of the learner's code it arose, if there."""
    description = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    where = learners_line(error.__traceback__)
    if where:
        return f"your code raised {description} {where}"
    return f"the answer could not be checked; looking at it raised {description}"
