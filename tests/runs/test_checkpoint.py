"""Checkpoints as files."""

import hashlib

import pytest
import torch
from torch import nn

from ldvd_lib.runs.checkpoint import list_checkpoints, load_state, load_weights, save_checkpoint
from ldvd_lib.runs.files import step_in, step_name


@pytest.mark.parametrize("step", [0, 7, 9_999_999, 10_000_000, 123_456_789])
def test_a_step_is_read_from_its_name(step: int) -> None:
    assert step_in(step_name(step)) == step


@pytest.mark.parametrize(
    "name",
    ["step_1", "step_00000001", "step_0000001-best", "step_0000001 (1)", "xstep_0000001", "step_٠٠٠٠٠٠١", "step_"],
)
def test_no_other_name_is_of_a_step(name: str) -> None:
    assert step_in(name) is None


def test_the_oldest_go_by_their_number_and_not_by_their_name(tmp_path) -> None:
    for step in (9_999_998, 9_999_999, 10_000_000, 10_000_001):
        save_checkpoint(tmp_path, step, nn.Linear(1, 1), {}, keep=2)
    assert [path.name for path in list_checkpoints(tmp_path)] == ["step_10000000", "step_10000001"]
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step_10000000", "step_10000001"]


def test_a_checkpoint_has_the_hashes_of_its_files(tmp_path) -> None:
    checkpoint = save_checkpoint(tmp_path, 3, nn.Linear(2, 1), {"step": 3}, keep=None)
    sums = dict(reversed(line.split("  ")) for line in (checkpoint / "SHA256SUMS").read_text().splitlines())
    assert sums == {
        name: hashlib.sha256((checkpoint / name).read_bytes()).hexdigest()
        for name in ("weights.safetensors", "state.pt")
    }
    content = bytearray((checkpoint / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (checkpoint / "weights.safetensors").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"weights\.safetensors cannot be read \(its hash is not the one in SHA256SUMS\)"
    ):
        load_weights(checkpoint / "weights.safetensors")
    (checkpoint / "SHA256SUMS").write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"state\.pt cannot be read"):
        load_state(checkpoint)
    (checkpoint / "SHA256SUMS").unlink()  # as earlier versions wrote it
    assert load_state(checkpoint) == {"step": 3}
    assert load_weights(checkpoint / "weights.safetensors")["weight"].shape == (1, 2)


def test_a_checkpoint_that_cannot_be_written_leaves_nothing_and_deletes_nothing(tmp_path, monkeypatch) -> None:
    save_checkpoint(tmp_path, 1, nn.Linear(1, 1), {}, keep=1)

    def fail(*_: object) -> None:
        raise ArithmeticError

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(ArithmeticError):
        save_checkpoint(tmp_path, 2, nn.Linear(1, 1), {}, keep=1)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step_0000001"]


def test_a_file_under_the_name_of_a_checkpoint_is_not_taken_for_one(tmp_path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "step_0000002").write_text("mine")
    assert list_checkpoints(tmp_path) == []
    with pytest.raises(OSError, match="step_0000002"):
        save_checkpoint(tmp_path, 2, nn.Linear(1, 1), {}, keep=1)
    assert (tmp_path / "checkpoints" / "step_0000002").read_text() == "mine"
