"""Configurations as JSON."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest

from ldvd_lib._kit.configuration import check_type, from_dict, load_json, save_json, to_dict


@dataclass(frozen=True)
class Inner:
    sizes: tuple[int, ...]
    rate: float = 0.5


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner
    many: dict[str, Inner] = field(default_factory=dict)
    pair: tuple[float, float] | None = None


def test_json_round_trip(tmp_path) -> None:
    before = Outer("a", Inner((1, 2)), {"x": Inner((), 1.0)}, (0.5, 0.9))
    path = save_json(to_dict(before), tmp_path / "c.json")
    assert from_dict(Outer, load_json(path)) == before
    assert [p.name for p in tmp_path.iterdir()] == ["c.json"]


def test_an_unknown_key_is_named_with_its_place() -> None:
    with pytest.raises(ValueError, match=r"config\.inner has unknown key\(s\) \['speed'\].*'rate', 'sizes'"):
        from_dict(Outer, {"name": "a", "inner": {"sizes": [1], "speed": 3}}, where="config")


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ValueError, match=r"lacks the key\(s\) \['inner'\]"):
        from_dict(Outer, {"name": "a"})


def test_a_value_of_the_wrong_shape_is_named() -> None:
    with pytest.raises(ValueError, match=r"Outer\.inner must be an object"):
        from_dict(Outer, {"name": "a", "inner": 3})


def test_damaged_json_names_the_file(tmp_path) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"a": 1})[:-1])
    with pytest.raises(ValueError, match=r"c\.json does not hold JSON"):
        load_json(path)


@pytest.mark.parametrize("content", ["", "{", '{"a": NaN}', "[-Infinity]", "[" * 100_000, "\xff"])
def test_what_is_no_json_names_the_file(tmp_path, content: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=r"c\.json does not hold JSON"):
        load_json(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": 3}, r"config: name is 3, a int, but must be of type str"),
        ({"inner": {"sizes": [1, 2.5]}}, r"config\.inner: sizes\[1\] is 2.5, a float, but must be of type int"),
        ({"inner": {"sizes": [1], "rate": "0.5"}}, r"config\.inner: rate is '0.5', a str"),
        ({"many": {"x": {"sizes": "12"}}}, r"config\.many\.x: sizes is '12', a str"),
        ({"pair": [0.5, 0.9, 1.0]}, r"config: pair is \(0.5, 0.9, 1.0\)"),
    ],
)
def test_a_value_of_another_type_is_named_with_its_place(changes: dict, message: str) -> None:
    good = {"name": "a", "inner": {"sizes": [1]}}
    from_dict(Outer, good, where="config")
    with pytest.raises(ValueError, match=message):
        from_dict(Outer, good | changes, where="config")


@pytest.mark.parametrize(
    ("value", "hint", "fits"),
    [
        (1, float, True),
        (True, float, False),
        (True, int, False),
        (np.float32(1), float, True),
        (np.int64(1), int, True),
        (None, int | None, True),
        ("a", int | None, False),
        ("b", Literal["a", "b"], True),
        ("c", Literal["a", "b"], False),
        ((1, 2, 3), tuple[int, ...], True),
        ([1], tuple[int, ...], False),
        ({"a": (1,)}, dict[str, tuple[int, ...]], True),
        ({1: (1,)}, dict[str, tuple[int, ...]], False),
        (["a"], Sequence[str], True),
        ("a", Sequence[str], False),
        (object(), Any, True),
    ],
)
def test_types_are_checked(value: object, hint: object, fits: bool) -> None:
    with contextlib.nullcontext() if fits else pytest.raises(ValueError, match=r"x.* must be of type"):
        check_type("x", value, hint)


@pytest.mark.parametrize("value", [float("nan"), -float("inf"), np.float32("inf"), 10**400])
def test_a_number_is_finite(value: object) -> None:
    for hint, given in ((float, value), (float | None, value), (tuple[float, ...], (1.0, value))):
        with pytest.raises(ValueError, match=r"x.* must be"):
            check_type("x", given, hint)


def test_what_json_does_not_have_is_not_written(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"scores\.json cannot be written as JSON"):
        save_json({"fid": float("nan")}, tmp_path / "scores.json")
    assert not list(tmp_path.iterdir())
