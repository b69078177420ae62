"""Configurations are frozen dataclasses: this module checks their types and strictly converts them to JSON and back."""

import collections.abc
import dataclasses
import itertools
import json
import numbers
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ldvd_lib._kit.checks import is_finite
from ldvd_lib._kit.files import replacing

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def to_dict(configuration: Any) -> dict[str, Any]:
    """A configuration as a dictionary of plain types (tuples become lists when written as JSON)."""
    return dataclasses.asdict(configuration)


def from_dict(cls: type[T], values: dict[str, Any], *, where: str = "") -> T:
    """A configuration from a dictionary; nested dataclasses and dictionaries of them are built too.

    Args:
        cls: the dataclass.
        values: its fields; lists stand for tuples.
        where: what error messages call the place, for example ``"config.json"``.

    Returns:
        An instance of `cls`.

    Raises:
        ValueError: for an unknown or a missing key, or a value of a wrong type, naming it and what was expected.
    """
    where = where or cls.__name__
    if not isinstance(values, dict):
        raise ValueError(f"{where} must be an object with the keys of {cls.__name__}, got {values!r}")
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise ValueError(f"{where} has unknown key(s) {unknown}: known keys are {sorted(fields)}")
    required = {
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    if required - set(values):
        raise ValueError(f"{where} lacks the key(s) {sorted(required - set(values))}")
    converted = {name: _convert(hints[name], value, f"{where}.{name}") for name, value in values.items()}
    try:
        for name, value in converted.items():
            check_type(name, value, hints[name])
        return cls(**converted)
    except ValueError as error:
        # The innermost message names the place already.
        raise error if str(error).startswith(where) else ValueError(f"{where}: {error}") from error


def check_types(configuration: Any) -> None:
    """Check the values of a dataclass against its annotations, to be called in its ``__post_init__``.

    Raises:
        ValueError: as `check_type`, for the first value that does not fit.
    """
    for name, hint in typing.get_type_hints(type(configuration)).items():
        if name in configuration.__dataclass_fields__:
            check_type(name, getattr(configuration, name), hint)


def check_type(name: str, value: Any, hint: Any) -> None:
    """Check a value against an annotation. A whole number is accepted as a float; a bool is not a number, nor is NaN.

    Raises:
        ValueError: if it is of another type or not finite, naming the part that does not fit and what was expected.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or isinstance(hint, typing.TypeVar):
        return
    if origin in (types.UnionType, typing.Union):
        fits = any(_fits(value, argument) for argument in arguments)
    elif origin is typing.Literal:
        fits = value in arguments
    elif hint is float:
        fits = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if fits and not is_finite(value):
            raise ValueError(f"{name} is {value!r:.20}, but must be finite")
    elif hint is int:
        fits = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    else:
        fits = isinstance(value, origin or hint) and not (origin is collections.abc.Sequence and isinstance(value, str))
    if fits and origin is tuple and Ellipsis not in arguments:
        fits = len(value) == len(arguments)
    if not fits:
        expected = hint.__name__ if origin is None else str(hint)
        raise ValueError(f"{name} is {value!r}, a {type(value).__name__}, but must be of type {expected}")
    for part, item, item_hint in _parts(value, origin, arguments):
        check_type(f"{name}{part}", item, item_hint)


def _fits(value: Any, hint: Any) -> bool:
    try:
        check_type("", value, hint)
    except ValueError:
        return False
    return True


def _parts(value: Any, origin: Any, arguments: tuple) -> Iterator[tuple[str, Any, Any]]:
    """The items of a container, each as its position in words, its value and its annotation."""
    if origin is dict:
        for key, item in value.items():
            yield f"[{key!r}]", key, arguments[0]
            yield f"[{key!r}]", item, arguments[1]
    elif origin in (tuple, list, collections.abc.Sequence):
        hints = itertools.repeat(arguments[0]) if origin is not tuple or Ellipsis in arguments else arguments
        for index, (item, hint) in enumerate(zip(value, hints, strict=False)):
            yield f"[{index}]", item, hint


def load_records(cls: type[T], path: str | Path, *, called: str) -> list[T]:
    """Read a JSON file that holds a list of configurations.

    Args:
        cls: the dataclass of each configuration.
        path: of the file.
        called: what error messages call one of them.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a list of them; the message says which key of which one is wrong.
    """
    records = load_json(path)
    if not isinstance(records, list):
        raise ValueError(f"{path} must hold a list of {called}s, got {type(records).__name__}")
    return [from_dict(cls, record, where=f"{path}, {called} {number}") for number, record in enumerate(records)]


def _convert(hint: Any, value: Any, where: str) -> Any:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_dict(hint, value, where=where)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is dict and isinstance(value, dict):
        return {key: _convert(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        is_union = origin in (types.UnionType, typing.Union)
        is_tuple = origin is tuple or (is_union and any(typing.get_origin(member) is tuple for member in arguments))
        return tuple(value) if is_tuple or hint is Any else value
    return value


def save_json(values: Any, path: str | Path) -> Path:
    """Write JSON under a temporary name and rename it, so that no reader ever sees half a file.

    Raises:
        ValueError: for a number that is not finite, which JSON does not have.
    """
    path = Path(path)
    try:
        text = json.dumps(values, indent=2, allow_nan=False)
    except ValueError as error:
        raise ValueError(f"{path} cannot be written as JSON ({error})") from error
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def parse_json(text: str | bytes) -> Any:
    """JSON as values.

    Raises:
        ValueError: if it is none; JSON has no NaN, which Python's own parser would take.
    """

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no number in JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("it has brackets within brackets without end") from error


def load_json(path: str | Path) -> Any:
    """Read JSON.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it does not hold JSON, naming the file.
    """
    path = Path(path)
    try:
        return parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:  # no JSON, or no UTF-8
        raise ValueError(f"{path} does not hold JSON ({error}): was it cut short or edited?") from error
