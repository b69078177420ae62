"""The measured FVDs under several protocols: a file that reads back, and says what the chapter says of it."""

from dataclasses import asdict

import pytest

from ldvd_lib._kit.configuration import save_json
from ldvd_lib.metrics import PROTOCOLS
from ldvd_lib.metrics.fvd_protocols import FVDUnder, fvd_under_protocols
from ldvd_lib.runs import pretrained


def test_ours_are_of_a_model_and_a_judge_that_exist_and_change_one_thing_each() -> None:
    usual, *others = fvd_under_protocols()
    assert usual.changed == "" and {one.changed for one in others} == {"stride", "resize", "split", "number"}
    assert {one.model for one in [usual, *others]} <= {row.name for row in pretrained.list_models()}
    assert {one.network for one in [usual, *others]} == {PROTOCOLS["fvd-2048-bfloat16"].identity}
    assert {one.weights for one in [usual, *others]} == {usual.weights} and len(usual.weights) == 64
    assert all(one.clips < usual.clips for one in others if one.changed == "number")
    assert all(one.clips == usual.clips for one in others if one.changed != "number")
    assert all(one.generated > (one.held_out or 0) > -1 for one in [usual, *others]), "real clips are better"


def test_what_is_written_is_read(tmp_path) -> None:
    record = FVDUnder("", "as usual", 2.5, None, 8, "tgan-f-actions-32", "fvd-2048-bfloat16-v1", "0" * 64)
    path = save_json([asdict(record)], tmp_path / "measured.json")
    assert fvd_under_protocols(path) == [record]
    save_json([asdict(record) | {"clips": "eight"}], path)
    with pytest.raises(ValueError, match="clips"):
        fvd_under_protocols(path)
    with pytest.raises(FileNotFoundError):
        fvd_under_protocols(tmp_path / "absent.json")
