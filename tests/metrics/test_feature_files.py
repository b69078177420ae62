"""Features in files: never taken for whole unless they are, and kept whatever ends the writing of them."""

import json
import math
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ldvd_lib.metrics import feature_files
from ldvd_lib.metrics.feature_files import LOG, FeatureWriter, read_features

NAMES = ("features", "probabilities")
COUNT = 18
RECORD = {"protocol": "actions-v1", "weights": "0123", "videos": "noise", "seed": 0, "count": COUNT}


def rows(first: int, last: int) -> dict[str, Tensor]:
    """Any part of two arrays whose rows are all different."""
    numbers = torch.arange(1.0, 1 + COUNT)[first:last, None]
    return {"features": numbers.sin() + torch.arange(5), "probabilities": numbers.cos().expand(-1, 3)}


def write(directory: Path, *, until: int = COUNT, at_once: int = 4) -> None:
    with FeatureWriter(directory, NAMES, RECORD) as writer:
        for first in range(writer.done, until, at_once):
            writer.append(rows(first, min(first + at_once, until)))


def read(directory: Path) -> dict[str, np.ndarray] | None:
    return read_features(directory, NAMES, RECORD)


def is_right(arrays: dict[str, np.ndarray] | None) -> bool:
    expected = rows(0, COUNT)
    return arrays is not None and all(np.array_equal(arrays[name], expected[name]) for name in NAMES)


def as_written_once(directory: Path, *, done: int = COUNT) -> None:
    """Arrays of full length from the beginning, zeros where nothing is written yet, and a log without hashes."""
    directory.mkdir()
    for name, values in rows(0, done).items():
        array = np.lib.format.open_memmap(
            directory / f"{name}.npy", mode="w+", dtype=np.float32, shape=(COUNT, values.shape[1])
        )
        array[:done] = values
        array.flush()
    (directory / LOG).write_text(json.dumps({**RECORD, "done": done}))


def test_what_is_written_is_read(tmp_path) -> None:
    assert read(tmp_path) is None
    write(tmp_path, until=8)
    assert read(tmp_path) is None
    write(tmp_path)
    assert is_right(read(tmp_path))
    for name in NAMES:
        assert np.array_equal(np.load(tmp_path / f"{name}.npy"), rows(0, COUNT)[name])


@pytest.mark.parametrize("done", [8, COUNT])
def test_files_without_hashes_are_read_and_continued(tmp_path, done: int) -> None:
    as_written_once(tmp_path / "old", done=done)
    assert (read(tmp_path / "old") is None) == (done < COUNT)
    write(tmp_path / "old")
    assert is_right(read(tmp_path / "old"))


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def cut_by_a_row(content: bytes) -> bytes:
    return content[:-20]


def cut_and_grown(content: bytes) -> bytes:
    """What a map of the file, opened for writing, makes of one that was cut."""
    return cut(content) + bytes(len(content) - len(cut(content)))


def lengthened(content: bytes) -> bytes:
    return content + bytes(20)


def emptied(content: bytes) -> bytes:
    return b""


def not_finite(content: bytes) -> bytes:
    return content[:-4] + np.float32(math.nan).tobytes()


def of_doubles(content: bytes) -> bytes:
    return content.replace(b"'<f4'", b"'<f8'")


def of_other_shape(content: bytes) -> bytes:
    return content.replace(b"(18,", b"(17,")


def endless_header(content: bytes) -> bytes:
    return content.replace(b"{", b"(" * 3)


def changed(content: bytes) -> bytes:
    return content[:-8] + bytes([content[-8] ^ 1]) + content[-7:]


DAMAGE = [cut, cut_by_a_row, cut_and_grown, lengthened, emptied, not_finite, of_doubles, of_other_shape, endless_header]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("make", "damage"),
    [*((as_written_once, damage) for damage in DAMAGE), *((write, damage) for damage in [*DAMAGE, changed])],
)
def test_damaged_features_are_refused_by_name(tmp_path, make, damage, name: str) -> None:
    make(tmp_path / "there")
    path = tmp_path / "there" / f"{name}.npy"
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    said = rf"{name}\.npy is damaged .*: delete {re.escape(str(path.parent))}, and the features are computed again"
    with pytest.raises(ValueError, match=said):
        read(path.parent)
    assert path.read_bytes() == before


@pytest.mark.parametrize("make", [as_written_once, lambda directory, done: write(directory, until=done)])
@pytest.mark.parametrize("damage", [cut, emptied, of_other_shape])
def test_damaged_features_are_not_continued(tmp_path, make, damage) -> None:
    make(tmp_path / "there", done=12)
    path = tmp_path / "there" / "features.npy"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"features\.npy is damaged"):
        write(path.parent)


def test_a_missing_array_is_named(tmp_path) -> None:
    write(tmp_path)
    (tmp_path / "probabilities.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"no file .*probabilities\.npy, though progress\.json"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"done": -1}, r"'done' is -1, and must be a number from 0 to 18"),
        ({"done": COUNT + 1}, "'done' is 19"),
        ({"done": 3.0}, "'done' is 3.0"),
        ({"done": True}, "'done' is True"),
        ({"done": None}, "'done' is None"),
        ({"done": "18"}, "'done' is '18'"),
        ({"sha256": ["0" * 64]}, "'sha256' is"),
        ({"sha256": {"features": "0" * 64}}, "its numbers are not those"),
        ({"sha256": {"features": 3}}, "its numbers are not those"),
        ({"seed": [0]}, r"holds other features \(seed: \[0\] there, 0 now\)"),
        ({"videos": None}, "holds other features"),
    ],
)
def test_a_damaged_log_is_named(tmp_path, changes, said: str) -> None:
    write(tmp_path)
    log = json.loads((tmp_path / LOG).read_text())
    (tmp_path / LOG).write_text(json.dumps({**log, **changes}))
    with pytest.raises(ValueError, match=rf"{re.escape(str(tmp_path))}.*{said}"):
        read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b"{", b"\xff\xfe{}", b"[" * 100_000, b'{"done": 18'])
def test_a_log_that_is_none_is_named(tmp_path, content: bytes) -> None:
    write(tmp_path)
    (tmp_path / LOG).write_bytes(content)
    with pytest.raises(ValueError, match=r"progress\.json"):
        read(tmp_path)


def test_what_the_log_counts_is_on_the_disk(tmp_path, monkeypatch) -> None:
    """Each array is synchronised, then the log is written: never the other way round."""
    monkeypatch.setattr(feature_files, "SECONDS_BETWEEN_LOGS", 0.0)
    events: list[str] = []
    fsync, replacing = os.fsync, feature_files.replacing

    def synchronised(handle: int) -> None:
        events.append(f"sync {Path(f'/proc/self/fd/{handle}').readlink().name}")
        fsync(handle)

    def replaced(path: Path):
        events.append(f"write {path.name}")
        return replacing(path)

    monkeypatch.setattr(os, "fsync", synchronised)
    monkeypatch.setattr(feature_files, "replacing", replaced)
    write(tmp_path / "new")
    events = [event for event in events if event.endswith((".npy", f" {LOG}")) or event == "sync new"]
    assert events[:2] == ["sync new", "sync new"]  # the names of the two files, in their directory
    logged = [event for event in events if event != "sync new"]
    assert logged == 5 * ["sync features.npy", "sync probabilities.npy", f"write {LOG}"]


def test_fast_batches_do_not_wait_for_the_disk(tmp_path, monkeypatch) -> None:
    logged: list[Path] = []
    replacing = feature_files.replacing
    monkeypatch.setattr(feature_files, "replacing", lambda path: (logged.append(path), replacing(path))[1])
    clock = iter(range(1000))
    monkeypatch.setattr(feature_files.time, "monotonic", lambda: next(clock))
    write(tmp_path, at_once=1)  # 18 batches, each a second after the last
    assert 3 <= len(logged) <= 5
    assert json.loads((tmp_path / LOG).read_text())["done"] == COUNT


def test_rows_that_a_kill_left_unlogged_are_written_again(tmp_path) -> None:
    write(tmp_path, until=8)
    log = (tmp_path / LOG).read_bytes()
    write(tmp_path, until=14)
    with (tmp_path / "features.npy").open("ab") as file:
        file.write(bytes(7))  # and part of a row
    (tmp_path / LOG).write_bytes(log)
    write(tmp_path)
    assert is_right(read(tmp_path))


def test_rows_that_are_not_finite_are_not_kept(tmp_path) -> None:
    write(tmp_path, until=8)
    spoilt = rows(8, 12)
    spoilt["probabilities"] = spoilt["probabilities"].clone()
    spoilt["probabilities"][2, 1] = math.nan
    with (
        pytest.raises(ValueError, match=r"probabilities in a video that are not finite .* after 8 videos"),
        FeatureWriter(tmp_path, NAMES, RECORD) as writer,
    ):
        writer.append(spoilt)
    write(tmp_path)
    assert is_right(read(tmp_path))


# Of 400 bytes, the features' header takes 128, and a row 20; the log takes 283.
@pytest.mark.parametrize(("size", "kept"), [(400, 12), (250, 0), (130, 0), (100, 0), (0, 0)])
def test_where_there_is_no_room_the_file_is_named_and_the_next_run_goes_on(
    tmp_path, full_disk, size: int, kept: int
) -> None:
    directory = tmp_path / "new"
    with full_disk(size), pytest.raises(OSError, match=r"free some space.*features\.npy"):
        write(directory)
    assert (json.loads((directory / LOG).read_text())["done"] if kept else (directory / LOG).exists()) == kept
    assert sorted(path.suffix for path in directory.iterdir()) == [".json"][:kept] + [".npy"] * (1 + (size > 130))
    write(directory)
    assert is_right(read(directory))
