"""Configurations are frozen dataclasses; this turns them into JSON and back, strictly."""

import dataclasses
import json
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from ldvd_lib._files import replacing

T = TypeVar("T")


def to_dict(configuration: Any) -> dict[str, Any]:
    """A configuration as a dictionary of plain types (tuples become lists when written as JSON)."""
    return dataclasses.asdict(configuration)


def from_dict(cls: type[T], values: dict[str, Any], *, where: str = "") -> T:
    """A configuration from a dictionary; nested dataclasses and dictionaries of them are built too.

    Args:
        cls: the dataclass.
        values: its fields; lists stand for tuples.
        where: how error messages call the place, for example ``"config.json"``.

    Returns:
        An instance of `cls`.

    Raises:
        ValueError: for an unknown or a missing key, naming it and the known ones.
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
    return cls(**{name: _convert(hints[name], value, f"{where}.{name}") for name, value in values.items()})


def load_records(cls: type[T], path: str | Path, *, called: str) -> list[T]:
    """Read a JSON file that holds a list of configurations.

    Args:
        cls: the dataclass of each.
        path: of the file.
        called: how error messages call one of them.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no list of them; the message says which key of which is wrong.
    """
    records = load_json(path)
    if not isinstance(records, list):
        raise ValueError(f"{path} must hold a list of {called}s, got {type(records).__name__}")
    return [from_dict(cls, record, where=f"{path}, {called} {number}") for number, record in enumerate(records)]


def _convert(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return from_dict(hint, value, where=where)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is dict and isinstance(value, dict):
        return {key: _convert(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        tuples = origin is tuple or (
            origin in (types.UnionType, typing.Union) and any(typing.get_origin(a) is tuple for a in arguments)
        )
        return tuple(value) if tuples or hint is Any else value
    return value


def save_json(values: Any, path: str | Path) -> Path:
    """Write JSON under a temporary name and rename it, so that no reader ever sees half a file."""
    path = Path(path)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    return path


def load_json(path: str | Path) -> Any:
    """Read JSON.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it does not hold JSON, naming the file.
    """
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} does not hold JSON ({error}): was it cut short or edited?") from error
