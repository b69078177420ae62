"""Checks of arguments that several modules share."""

import difflib
import math
import numbers
from collections.abc import Iterable
from typing import Any


def is_finite(number: float) -> bool:
    """Whether a number is finite, also as a float: 10⁴⁰⁰ is not."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def whole_number(name: str, value: Any, *, least: int, most: int | None = None) -> int:
    """The value as an int.

    Raises:
        ValueError: it is not a whole number or not between the bounds; the message calls it ``name``.
    """
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_whole or not least <= int(value) <= (math.inf if most is None else most):
        bounds = f"{least} or more" if most is None else f"{least} to {most}"
        raise ValueError(f"{name} must be a whole number, {bounds}, got {value!r}.")
    return int(value)


def frames_per_second(fps: Any, *, least: float = 0, most: float = math.inf) -> float:
    """The rate as a float.

    Raises:
        ValueError: it is not a finite number above 0, or not between the bounds.
    """
    is_number = isinstance(fps, numbers.Real) and not isinstance(fps, bool)
    if not is_number or not 0 < float(fps) < math.inf or not least <= float(fps) <= most:
        bounds = "a number above 0" if most == math.inf else f"from {least} to {most}"
        raise ValueError(f"fps (frames per second) must be {bounds}, got {fps!r}.")
    return float(fps)


def one_of(what: str, value: Any, known: Iterable[Any]) -> Any:
    """The value itself.

    Raises:
        ValueError: if it is none of the known ones; the message calls it ``what``, suggests the nearest, and lists all.
    """
    known = tuple(known)
    if value not in known:
        raise ValueError(f"{what} {value!r} is unknown: {suggestion(value, known)}")
    return value


def suggestion(value: Any, known: Iterable[Any]) -> str:
    """What an unknown value may have meant, for an error message: the nearest known one, if one is near, and all."""
    choices = [str(choice) for choice in known]
    nearest = difflib.get_close_matches(str(value), choices, n=1)
    return f"did you mean {nearest[0]!r}? The choices are {choices}" if nearest else f"the choices are {choices}"
