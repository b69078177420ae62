"""Checks of arguments that several modules share."""

import math
import numbers
from typing import Any


def whole_number(name: str, value: Any, *, least: int, most: int | None = None) -> int:
    """The value as an int.

    Raises:
        ValueError: it is not a whole number, or not between the bounds; the message calls it ``name``.
    """
    fits = isinstance(value, numbers.Integral) and not isinstance(value, bool) and value >= least
    if not fits or (most is not None and value > most):
        bounds = f"{least} or more" if most is None else f"{least} to {most}"
        raise ValueError(f"{name} must be a whole number, {bounds}, got {value!r}.")
    return int(value)


def frames_per_second(fps: Any, *, least: float = 0, most: float = math.inf) -> float:
    """The rate as a float.

    Raises:
        ValueError: it is not a finite number above 0, or not between the bounds.
    """
    fits = isinstance(fps, numbers.Real) and not isinstance(fps, bool) and 0 < fps < math.inf
    if not fits or not least <= fps <= most:
        bounds = "a number above 0" if most == math.inf else f"from {least} to {most}"
        raise ValueError(f"fps (frames per second) must be {bounds}, got {fps!r}.")
    return float(fps)
