"""The functions that checks are written with: each compares, and says what kind of mistake it sees, not the answer."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from ldvd_lib.classroom.exercises.calls import describe, returned_at
from ldvd_lib.classroom.exercises.diagnoses import diagnose, diagnose_shape
from ldvd_lib.classroom.exercises.registry import NotAttempted, NotYet

# Wrong values, and what each of them is: "this is the mean divergence, and its exponential is asked for".
Mistakes = Iterable[tuple[Any, str]]


def expect(condition: object, message: str) -> None:
    """Raise `NotYet` with the message unless the condition holds."""
    if not bool(condition):
        raise NotYet(message)


def expect_type(got: object, types: type | tuple[type, ...], what: str, wanted: str) -> None:
    """Raise `NotYet` unless the value is of one of the types.

    Args:
        got: The learner's value.
        types: As for isinstance.
        what: What the value is: "the loss".
        wanted: What it should be, in words: "a tensor that can be differentiated".
    """
    if not isinstance(got, types):
        raise NotYet(_at_line(f"{what} should be {wanted}, and is {describe(got)}"))
    if isinstance(got, Tensor) and got.is_meta:
        raise NotYet(
            _at_line(f"{what} lies on the device 'meta', where tensors hold no numbers: stay on that of the arguments")
        )


def expect_number(got: object, what: str) -> float:
    """The learner's one number, whether it is Python's, NumPy's or a tensor of one element; otherwise `NotYet`."""
    if isinstance(got, (Tensor, np.ndarray, np.generic)) and _size(got) == 1:
        expect_type(got, object, what, "one number")
        _expect_real(got, what)
        got = got.item()
    expect_type(got, (int, float), what, "one number")
    return cast(float, got)


def expect_equal(got: object, expected: object, what: str, *, mistakes: Mistakes = (), tell: bool = True) -> None:
    """Compare plain values (numbers, strings, sequences of numbers) exactly.

    Args:
        got: The learner's value. A tensor or array counts as the numbers that it holds, a list as its tuple.
        expected: The right value, which no message tells.
        what: What the value is, for the message: "the number of windows".
        mistakes: Wrong values that have a name; the first that is met is told.
        tell: Whether the message may say by which factor a number is wrong; not where that number is all that is asked
            for.
    """
    if isinstance(expected, (tuple, list)):
        return _expect_equal_sequence(got, tuple(expected), what, mistakes)
    if isinstance(expected, (int, float)):
        number = expect_number(got, what)
        if number == expected:
            return None
        expect(math.isfinite(number), f"{what} is {number}, which is no finite number")
        for wrong, message in mistakes:
            expect(number != wrong, f"{what} is not {number:g}: {message}")
        found = diagnose(
            torch.tensor(number, dtype=torch.float64),
            torch.tensor(expected, dtype=torch.float64),
            tolerance=1e-9,
            counts=isinstance(expected, int),
            tell=tell,
        )
        raise NotYet(f"{what} is not {describe(number)}: {found}")
    expect(got == expected, f"{what} is not {describe(got)}")
    return None


def _expect_equal_sequence(got: Any, expected: tuple, what: str, mistakes: Mistakes) -> None:
    if isinstance(got, (Tensor, np.ndarray)):
        got = got.tolist()
    expect_type(got, (tuple, list), what, "a list")
    got = tuple(got)
    if got == expected:
        return
    for wrong, message in mistakes:
        expect(got != tuple(wrong), f"{what}: {message}; yours is {list(got)}")
    if len(got) != len(expected):
        raise NotYet(f"{what} has {len(got)} entries, which are too {'many' if len(got) > len(expected) else 'few'}")
    if all(isinstance(number, (int, float)) for number in (*got, *expected)):
        found = diagnose(torch.tensor(got).double(), torch.tensor(expected).double(), tolerance=1e-9)
        first = next(place for place, pair in enumerate(zip(got, expected, strict=True)) if pair[0] != pair[1])
        raise NotYet(f"{what} is not {list(got)}: {found or f'entry {first} is the first that is wrong'}")
    raise NotYet(f"{what} is not {list(got)}")


def expect_shape(got: Any, shape: Sequence[int], what: str, *, tell: bool = True) -> None:
    """Compare the shape of a tensor or array.

    Args:
        got: The learner's.
        shape: The right shape.
        what: What it is, for the message.
        tell: Whether the message may give the right shape; not where the shape is what is asked for.
    """
    wanted = f"of shape {tuple(shape)}" if shape else "of no axes: one number"
    expect_type(got, (Tensor, np.ndarray, np.generic), what, f"a tensor {wanted}" if tell else "a tensor")
    if tuple(got.shape) == tuple(shape):
        return
    found = diagnose_shape(got.shape, shape)
    text = (
        f"{what} should have shape {tuple(shape)}, and has {tuple(got.shape)}"
        if tell
        else (f"{what} should not have shape {tuple(got.shape)}")
    )
    raise NotYet(_at_line(f"{text}: {found}" if found else text))


def expect_close(
    got: Any,
    expected: Tensor | float,
    what: str,
    *,
    tolerance: float = 1e-5,
    mistakes: Mistakes = (),
    tell: bool = True,
) -> None:
    """Compare numbers, tensors or arrays: the shape first, then that all values are finite, then the values.

    Args:
        got: The learner's tensor, array, number or list of numbers.
        expected: The right one, which no message tells.
        what: What it is, for the message.
        tolerance: The largest absolute difference that passes.
        mistakes: Wrong values, of any shape, that have a name; the first that is met is told.
        tell: Whether the message may give the right shape.
    """
    counts = not torch.as_tensor(expected).is_floating_point()
    expected = _plain(torch.as_tensor(expected))
    got = as_tensor(got)
    wanted = f"a tensor of shape {tuple(expected.shape)}" if expected.ndim else "one number"
    expect_type(got, Tensor, what, wanted if tell else "a tensor")
    _expect_real(got, what)
    plain = _plain(got)
    if _close(plain, expected, tolerance):
        return
    for wrong, message in mistakes:
        wrong = _plain(torch.as_tensor(wrong))
        is_this = plain.shape == wrong.shape and torch.allclose(plain, wrong, rtol=1e-4, atol=tolerance)
        expect(not is_this, f"{what.rstrip(',')}: {message}")
    expect_shape(got, expected.shape, what, tell=tell)
    if not plain.isfinite().all():
        count = int((~plain.isfinite()).sum())
        raise NotYet(f"{what} holds {count} value{'s' * (count > 1)} that are not finite (NaN or infinite)")
    found = diagnose(plain, expected, tolerance=tolerance, counts=counts)
    if plain.numel() == 1:
        raise NotYet(f"{what} is not {plain.item():.6g}: {found}")
    difference = (plain - expected).abs()
    worst = tuple(int(i) for i in torch.unravel_index(difference.argmax(), difference.shape))
    wrong_share = float((difference > tolerance).double().mean())
    raise NotYet(
        f"{what} has the right shape, and {wrong_share:.0%} of its values are off by more than {tolerance:g}"
        + (f": {found}" if found else f"; the worst is at {worst}, where you have {plain[worst].item():.6g}")
    )


def expect_choices(answer: Any, right: Mapping[str, str], choices: Sequence[str], clues: Mapping[str, str]) -> None:
    """Compare a dictionary of choices with the right ones; of those that are wrong, the first gets its clue.

    Args:
        answer: The learner's, letter → choice; it is not attempted as long as one is None or ``...``.
        right: The right choice for each letter.
        choices: What there is to choose from.
        clues: What to think of, for each letter.
    """
    expect_type(answer, dict, "the answer", f"a dictionary with the keys {', '.join(map(repr, right))}")
    words = {letter: answer.get(letter, ...) for letter in right}
    if any(word is None or word is ... for word in words.values()):
        raise NotAttempted
    for letter, word in words.items():
        expect(word in choices, f"{letter} is {word!r}, and should be one of {', '.join(map(repr, choices))}")
    wrong = [letter for letter, word in words.items() if word != right[letter]]
    if wrong:
        letter = wrong[0]
        count = f"{len(right) - len(wrong)} of {len(right)} are right"
        raise NotYet(f"{count}; {letter} is not {words[letter]!r}: {clues[letter]}")


def as_tensor(got: Any) -> Any:
    """Numbers, arrays, and lists of numbers or tensors as a tensor; anything else as it is."""
    if isinstance(got, (tuple, list)) and got and all(isinstance(part, (Tensor, np.ndarray)) for part in got):
        got = [torch.as_tensor(part) for part in got]
        return torch.stack(got) if len({part.shape for part in got}) == 1 else got
    try:
        return torch.as_tensor(got) if isinstance(got, (int, float, tuple, list, np.ndarray, np.generic)) else got
    except (TypeError, ValueError, RuntimeError):  # not numbers, or lists of several lengths
        return got


def _size(value: Any) -> int:
    return value.numel() if isinstance(value, Tensor) else value.size


def _expect_real(got: Any, what: str) -> None:
    if torch.is_complex(got) if isinstance(got, Tensor) else np.iscomplexobj(got):
        raise NotYet(_at_line(f"{what} is complex, and should be real: take the .real of what is real in theory"))


def _plain(value: Tensor) -> Tensor:
    # In float64 on the CPU: integers and half precision compare as they are, wherever they were computed.
    return value.detach().to("cpu", torch.float64)


def _close(one: Tensor, other: Tensor, tolerance: float) -> bool:
    return one.shape == other.shape and (one.numel() == 0 or float((one - other).abs().max()) <= tolerance)


def _at_line(message: str) -> str:
    return f"{message} {returned_at()}".rstrip()
