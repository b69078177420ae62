"""What kind of mistake a wrong value is, in words that do not give the right one away."""

from collections.abc import Iterator, Sequence
from itertools import chain, combinations

import torch
from torch import Tensor

# What the axes of a tensor of so many are called.
_AXES = {5: ("video", "channel", "time", "row", "column"), 4: ("0", "1", "row", "column")}
_LARGEST_FACTOR = 1024
_ROUNDING = "it is right but for rounding: keep the precision that is given"
_RECIPROCAL = "it is the reciprocal, one over what is asked for"


def diagnose(
    got: Tensor, expected: Tensor, *, tolerance: float = 1e-5, counts: bool = False, tell: bool = True
) -> str | None:
    """Say how a wrong value differs from the right one: a phrase with "it" for the subject.

    Args:
        got: The learner's, float64.
        expected: The right one, of the same shape.
        tolerance: The largest absolute difference that counts as none.
        counts: Whether what is asked for are whole numbers.
        tell: Whether it may say more of a number than that it is too large or too small; where one number is all that
            is asked for, a factor would be the answer.

    Returns:
        Such as "it has the wrong sign", or None where the difference is of no kind that is known.
    """
    limit = tolerance if counts else max(tolerance, 1e-6 * float(expected.abs().max()))
    if got.numel() == 1:
        kinds = _of_a_number(got, expected, counts) if tell else iter(())
    else:
        kinds = chain(_of_values(got, expected), _of_axes(expected))
    for wrong, phrase in kinds:
        if got.shape == wrong.shape and torch.allclose(got, wrong, rtol=0 if counts else 1e-6, atol=limit):
            return phrase
    return _of_distance(got, expected) if got.numel() == 1 else _of_places(got, expected, limit)


def diagnose_shape(got: Sequence[int], expected: Sequence[int]) -> str | None:
    """Say how a wrong shape differs from the right one, without its numbers."""
    got, expected = tuple(got), tuple(expected)
    if not expected:
        return "one number is asked for, so take the mean (or the sum) over all of them"
    if sorted(got) == sorted(expected):
        return "its axes are in another order"
    if [size for size in got if size != 1] == [size for size in expected if size != 1]:
        return f"an axis of length 1 is {'missing' if len(got) < len(expected) else 'too many'}"
    if torch.Size(got).numel() == torch.Size(expected).numel():
        return "it holds the right number of values, folded into other axes"
    if len(got) != len(expected):
        return f"it has {'fewer' if len(got) < len(expected) else 'more'} axes than it should"
    differing = [axis for axis in range(len(got)) if got[axis] != expected[axis]]
    if len(differing) == 1:
        (axis,) = differing
        excess = got[axis] - expected[axis]
        size = {1: "one place too long", -1: "one place too short"}.get(
            excess, "too long" if excess > 0 else "too short"
        )
        return f"axis {axis} is {size}"
    return None


def _of_a_number(got: Tensor, expected: Tensor, counts: bool) -> Iterator[tuple[Tensor, str]]:
    """What is often mistaken for a number: pairs of a wrong number and what it is."""
    if not counts:
        yield expected, _ROUNDING
    yield -expected, "it has the wrong sign"
    if counts:
        yield expected + 1, "it is one too many"
        yield expected - 1, "it is one too few"
        if not float(got).is_integer() and abs(float(got - expected)) < 1:
            yield got, "a whole number is asked for: round it the right way"
    yield expected.reciprocal(), _RECIPROCAL
    yield 100 * expected, "it is 100 times too large: a share is asked for, and no percentage"
    yield from _factors(got, expected)
    yield from _functions(expected)
    yield 1 - expected, "it is one minus what is asked for"


def _of_values(got: Tensor, expected: Tensor) -> Iterator[tuple[Tensor, str]]:
    """What is often mistaken for a tensor, value by value."""
    yield expected, _ROUNDING
    yield -expected, "it has the wrong sign"
    yield expected.abs(), "its signs are lost"
    if expected.flatten().diff().any():
        offset = (got - expected).flatten()[0]
        yield expected + offset, "it is right up to a constant that is added to all values"
    yield expected.reciprocal(), _RECIPROCAL
    yield 100 * expected, "all values are 100 times too large: shares are asked for, and no percentages"
    yield from _factors(got, expected)
    yield from _functions(expected)
    yield 1 - expected, "it is one minus what is asked for"


def _factors(got: Tensor, expected: Tensor) -> Iterator[tuple[Tensor, str]]:
    size = float(expected.abs().max())
    factor = float(got.abs().max()) / size if size else 0.0
    for number in (round(factor), round(1 / factor) if factor else 0):
        if 2 <= number <= _LARGEST_FACTOR:
            yield (
                number * expected,
                f"it is {number} times too large: is something counted more than once, or not divided?",
            )
            yield expected / number, f"it is {number} times too small: is a factor missing, or divided by too often?"
    if got.numel() > 1 and factor:
        yield factor * expected, "it is right up to a factor, the same for all values"


def _functions(expected: Tensor) -> Iterator[tuple[Tensor, str]]:
    yield expected.square(), "it is squared: take the root"
    yield expected.sqrt(), "it is the root of what is asked for"
    yield expected.log(), "it is the logarithm of what is asked for"
    yield expected.exp(), "it is the exponential of what is asked for"
    yield expected.floor(), "it is rounded down"
    yield expected.ceil(), "it is rounded up"


def _of_axes(expected: Tensor) -> Iterator[tuple[Tensor, str]]:
    """The right values in wrong places."""
    names = _AXES.get(expected.ndim, tuple(map(str, range(expected.ndim))))
    for axis, name in enumerate(names):
        yield expected.flip(axis), f"it runs backwards along axis {_named(axis, name)}"
        yield expected.roll(1, axis), f"along axis {_named(axis, name)} everything is one place too late"
        yield expected.roll(-1, axis), f"along axis {_named(axis, name)} everything is one place too early"
    for one, other in combinations(range(expected.ndim), 2):
        yield expected.transpose(one, other), f"axes {one} and {other} are swapped"
        # What was folded with its axes the wrong way round: rows of frames of videos, read as videos of frames.
        yield (
            expected.transpose(one, other).reshape(expected.shape),
            f"axes {one} and {other} are mixed up by a reshape",
        )
    for inner in range(2, len(expected)):
        if len(expected) % inner == 0:
            mixed = expected.unflatten(0, (inner, -1)).transpose(0, 1).flatten(0, 1)
            yield mixed, "its rows come in another order, as if the two things that axis 0 counts were mixed up"


def _named(axis: int, name: str) -> str:
    return str(axis) if name == str(axis) else f"{axis} ({name})"


def _of_distance(got: Tensor, expected: Tensor) -> str | None:
    larger = float(got) > float(expected)
    size, other = abs(float(got)), abs(float(expected))
    much = "much " if max(size, other) > 10 * min(size, other) else ""
    return f"it is {much}too {'large' if larger else 'small'}"


def _of_places(got: Tensor, expected: Tensor, limit: float) -> str | None:
    """Where a tensor is wrong, if not everywhere."""
    wrong = (got - expected).abs() > limit
    if torch.allclose(got.flatten().sort().values, expected.flatten().sort().values, rtol=1e-6, atol=limit):
        return "the right values are all there, in other places"
    if float(got.abs().max()) == 0:
        return "all of it is zero"
    if torch.equal(got, got.flatten()[0].expand_as(got)):
        return "it has the same value everywhere"
    for axis in range(expected.ndim):
        lines = wrong.movedim(axis, 0).flatten(1).any(1) if wrong.ndim > 1 else wrong
        if len(lines) > 2 and not lines[1:-1].any():
            return f"only the ends of axis {axis} are wrong"
    return None
