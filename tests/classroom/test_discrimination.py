"""Every check accepts right answers, however they are written, refuses wrong ones, and names most of the mistakes.

The answers are in `answers`, a module for each notebook: STUBS, RIGHT and WRONG, exercise by exercise. A wrong answer
comes with a phrase of the message that names its mistake, or with None where the message says that it is wrong and no
more. PREPARE, in some modules, is what an exercise's answers need in the workspace. The figures are printed last.
"""

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from ldvd_lib.classroom import check
from ldvd_lib.classroom.exercises import calls, expectations, find_all

each_exercise = pytest.mark.parametrize("name", find_all())

MAY_CHANGE_ARGUMENTS = {"03.4"}  # in place is what is asked for


def answers(name: str, table: str) -> Any:
    """What a table has for an exercise; modules are imported when they are needed, since some take time."""
    return getattr(importlib.import_module(f"answers.notebook_{name[:2]}"), table, {}).get(name)


@pytest.fixture
def prepared(name: str, own_progress: Path) -> None:
    """The workspace as the answers of an exercise need it."""
    prepare = answers(name, "PREPARE")
    if prepare:
        prepare()


@each_exercise
def test_a_stub_is_not_attempted_yet(name):
    assert check(name, answers(name, "STUBS")).status == "not attempted yet"


@each_exercise
def test_right_answers_are_accepted_however_they_are_written(name, prepared, count):
    results = [check(name, answer) for answer in answers(name, "RIGHT")]
    accepted = [result.passed for result in results]
    count(name, right=len(accepted), accepted=sum(accepted))
    assert all(accepted), [result.message for result in results if not result.passed]
    assert len(accepted) >= 3


@each_exercise
def test_wrong_answers_are_refused_and_most_are_told_their_mistake(name, prepared, count):
    results = [(check(name, answer), phrase) for answer, phrase in answers(name, "WRONG")]
    refused = [result.status == "not yet" for result, _ in results]
    named = [phrase is not None and _says(result.message, phrase) for result, phrase in results]
    count(name, wrong=len(results), refused=sum(refused), named=sum(named))
    assert all(refused), [phrase for (_, phrase), is_refused in zip(results, refused, strict=True) if not is_refused]
    unlike = [(phrase, result.message) for result, phrase in results if phrase and not _says(result.message, phrase)]
    assert not unlike
    assert len(results) >= 8 and sum(named) >= 0.8 * len(results)


def _says(message: str, phrase: str) -> bool:
    return phrase.lower() in message.lower()


@each_exercise
def test_no_message_gives_the_answer(name, prepared, monkeypatch):
    """The number that something is compared with is in no message, unless the learner or the question has it."""
    compared: list[tuple] = []

    def noting(compare: Callable) -> Callable:
        def noted(got, expected, what, **keywords):
            compared[:] = [(got, expected, what)]
            compare(got, expected, what, **keywords)  # raises if they differ
            compared.clear()

        return noted

    module = importlib.import_module(f"ldvd_lib.classroom.exercises.notebook_{name[:2]}")
    for compare in (expectations.expect_equal, expectations.expect_close):
        if hasattr(module, compare.__name__):
            monkeypatch.setattr(module, compare.__name__, noting(compare))
    for answer, _ in answers(name, "WRONG"):
        compared.clear()
        message = check(name, answer).message
        for got, expected, what in compared:
            if isinstance(expected, (int, float)) and abs(expected) > 3:  # smaller ones are in many sentences
                said = set(_numbers(message)) - set(_numbers(what)) - set(_numbers(str(got)))
                assert float(expected) not in said, message


def _numbers(text: str) -> Iterator[float]:
    return (float(number.replace(",", "")) for number in re.findall(r"-?\d[\d,]*(?:\.\d+)?", text))


# What a function can do wrong, whatever it is for: made of one that is right.


def _never_ends(function):
    def changed(*arguments, **keywords):
        while True:
            arguments = arguments[:]

    return changed


def _raises(function):
    def changed(*arguments, **keywords):
        return function(*arguments, **keywords).there_is_no_such_thing

    return changed


def _returns_words(function):
    def changed(*arguments, **keywords):
        function(*arguments, **keywords)
        return "done"

    return changed


def _returns_nothing(function):
    def changed(*arguments, **keywords):
        function(*arguments, **keywords)

    return changed


def _takes_other_arguments(function):
    def changed(*, nothing_like_it):
        return function

    return changed


def _changes_an_argument(function):
    def changed(*arguments, **keywords):
        result = function(*arguments, **keywords)
        for argument in arguments:
            if isinstance(argument, (Tensor, np.ndarray)):
                argument += 1
        return result

    return changed


def _moves_to_meta(function):
    def changed(*arguments, **keywords):
        result = function(*arguments, **keywords)
        return result.to("meta") if isinstance(result, Tensor) else result

    return changed


# What is said of each, and a piece of the learner's line that is shown with it; either may be one of several.
ACCIDENTS = {
    _never_ends: (("was stopped after",), ("while True:", "arguments[:]")),
    _raises: (("your code raised AttributeError",), (".there_is_no_such_thing",)),
    _returns_words: (("'done'",), ('return "done"',)),
    _returns_nothing: (("returns nothing",), ("function(*arguments",)),
    _takes_other_arguments: (("cannot be (",), ("def changed(",)),
    _changes_an_argument: (("your function changes", "in-place operation"), ("argument += 1",)),
    _moves_to_meta: (("device 'meta'",), ('.to("meta")',)),
}


def _functions(name: str) -> Iterator[Callable[[Callable], object]]:
    """For each function that a right answer consists of: how to hand in another in its place."""
    answer = answers(name, "RIGHT")[0]
    if inspect.isfunction(answer):
        yield lambda change: change(answer)
    elif isinstance(answer, tuple):
        for place, part in enumerate(answer):
            if inspect.isfunction(part):
                yield lambda change, k=place, f=part: (*answer[:k], change(f), *answer[k + 1 :])


@each_exercise
def test_accidents_are_told_in_a_sentence_with_the_learners_own_line(name, monkeypatch, count):
    told = 0
    for hand_in in _functions(name):
        for change, (phrases, lines) in ACCIDENTS.items():
            monkeypatch.setattr(calls, "SECONDS", 0.3 if change is _never_ends else 60.0)
            result = check(name, hand_in(change))
            if change is _changes_an_argument and name in MAY_CHANGE_ARGUMENTS:
                continue
            if result.passed:
                # It is given no tensor that could be changed, or returns none that could be moved.
                assert change in (_changes_an_argument, _moves_to_meta), result
                continue
            assert result.status == "not yet", result
            assert any(_says(result.message, phrase) for phrase in phrases), result.message
            assert ", line " in result.message and any(line in result.message for line in lines), result.message
            told += 1
    for thing in () if told else ("done", object(), print):  # in place of a value
        message = check(name, thing).message
        assert _says(message, "should be") or _says(message, "was expected"), message
        told += 1
    count(name, accidents=told)


def test_a_call_is_stopped_elsewhere_than_on_the_main_thread_too(monkeypatch):
    """As where a notebook's widget calls a check."""
    monkeypatch.setattr(calls, "SECONDS", 0.3)
    right = answers("00.2", "RIGHT")[0]
    with ThreadPoolExecutor(1) as pool:
        for answer, passes in ((_never_ends(right), False), (right, True)):
            result = pool.submit(check, "00.2", answer).result()
            assert result.passed is passes, result
            assert passes or "was stopped after" in result.message
