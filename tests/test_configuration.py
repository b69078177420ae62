"""Configurations as JSON."""

import json
from dataclasses import dataclass, field

import pytest

from ldvd_lib.configuration import from_dict, load_json, save_json, to_dict


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
