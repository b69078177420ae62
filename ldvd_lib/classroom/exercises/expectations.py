"""The functions that checks are written with: each compares, and says in the learner's terms what differs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ldvd_lib.classroom.exercises.registry import NotAttempted, NotYet


def attempt(function: Callable, *arguments: object, **keywords: object) -> Any:
    """Call the learner's function (or module); a stub that returns nothing counts as not attempted.

    Raises:
        NotAttempted: It returned None or ``...``.
        NotYet: It cannot be called.
    """
    if not callable(function):
        raise NotYet(f"a function was expected, and this is {_describe(function)}")
    result = function(*arguments, **keywords)
    if result is None or result is ...:
        raise NotAttempted
    return result


def expect(condition: object, message: str) -> None:
    """Raise `NotYet` with the message unless the condition holds."""
    if not bool(condition):
        raise NotYet(message)


def expect_equal(got: object, expected: object, what: str) -> None:
    """Compare two plain values (numbers, strings, tuples) exactly.

    Args:
        got: The learner's value. A tensor of one element counts as its number, and a list as its tuple.
        expected: The right value.
        what: What the value is, for the message: "the number of windows".
    """
    if isinstance(got, Tensor) and got.numel() == 1:
        got = got.item()
    if isinstance(got, (list, torch.Size)) and isinstance(expected, tuple):
        got = tuple(got)
    if isinstance(got, (Tensor, np.ndarray)) or not bool(got == expected):
        raise NotYet(f"{what} should be {expected!r}, and is {_describe(got)}")


def expect_shape(got: Any, shape: Sequence[int], what: str) -> None:
    """Compare the shape of a tensor or array; the message gives both."""
    if not hasattr(got, "shape"):
        raise NotYet(f"{what} should be a tensor of shape {tuple(shape)}, and is {_describe(got)}")
    if tuple(got.shape) != tuple(shape):
        raise NotYet(f"{what} should have shape {tuple(shape)}, and has {tuple(got.shape)}")


def expect_close(got: Any, expected: Tensor | float, what: str, *, tolerance: float = 1e-5) -> None:
    """Compare numbers, tensors or arrays: the shape first, then that all values are finite, then the values.

    Args:
        got: The learner's tensor, array or number.
        expected: The right one.
        what: What it is, for the message.
        tolerance: The largest absolute difference that passes.
    """
    expected = torch.as_tensor(expected)
    if isinstance(got, (int, float, np.ndarray, np.generic)):
        got = torch.as_tensor(got)
    expect_shape(got, expected.shape, what)
    # In float64 on the CPU: integers and half precision compare as they are, wherever they were computed.
    got, expected = got.detach().to("cpu", torch.float64), expected.detach().to("cpu", torch.float64)
    if not got.isfinite().all():
        raise NotYet(f"{what} holds {int((~got.isfinite()).sum())} values that are not finite (NaN or infinite)")
    difference = (got - expected).abs()
    if got.numel() == 0 or float(difference.max()) <= tolerance:
        return
    if got.numel() == 1:
        raise NotYet(f"{what} should be {expected.item():.6g}, and is {got.item():.6g}")
    worst = tuple(int(i) for i in torch.unravel_index(difference.argmax(), difference.shape))
    wrong = float((difference > tolerance).double().mean())
    raise NotYet(
        f"{what} has the right shape, and {wrong:.0%} of its values are off by more than {tolerance:g}; "
        f"the worst, at {worst}, should be {expected[worst].item():.6g} and is {got[worst].item():.6g}"
    )


def expect_choices(answer: object, right: Mapping[str, str], choices: Sequence[str], clues: Mapping[str, str]) -> None:
    """End the check unless the right choice stands under every letter; of those that are wrong, tell of the first.

    Args:
        answer: The learner's dictionary: letter → choice.
        right: The right one.
        choices: All that may be chosen.
        clues: Letter → a question that leads to the right choice.

    Raises:
        NotAttempted: A letter is missing, or has None or ``...``.
        NotYet: The answer is no dictionary, or a choice is wrong.
    """
    if not isinstance(answer, dict):
        raise NotYet(f"the answer should be a dictionary, and is a {type(answer).__name__}")
    words = {letter: answer.get(letter, ...) for letter in right}
    if any(word is None or word is ... for word in words.values()):
        raise NotAttempted
    for letter, word in words.items():
        expect(word in choices, f"{letter} is {word!r}, and should be one of {', '.join(map(repr, choices))}")
    wrong = [letter for letter, word in words.items() if word != right[letter]]
    if wrong:
        letter, count = wrong[0], f"{len(right) - len(wrong)} of {len(right)} are right"
        raise NotYet(f"{count}; {letter} is not {words[letter]!r}: {clues[letter]}")


def _describe(value: object) -> str:
    """A short account of any value, for messages."""
    if isinstance(value, (Tensor, np.ndarray)):
        return f"{'a tensor' if isinstance(value, Tensor) else 'an array'} of shape {tuple(value.shape)}"
    text = repr(value)
    if len(text) > 80:
        return f"a {type(value).__name__}"
    return text if isinstance(value, (int, float, str, tuple, list, dict)) else f"{text} ({type(value).__name__})"
