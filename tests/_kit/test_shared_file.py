"""What goes wrong with a shared file comes back in words, and nothing that it held is lost."""

from pathlib import Path

import pytest

from ldvd_lib._kit import shared_file
from ldvd_lib._kit.lock import locked
from ldvd_lib._kit.shared_file import SharedFile


@pytest.fixture
def file(tmp_path: Path) -> SharedFile:
    return SharedFile(tmp_path / "notes.json", lambda content: "odd" not in content)


def test_what_is_written_is_read(file: SharedFile):
    assert file.read() == ({}, "")
    assert file.update(lambda content: content | {"a": 1}) == ""
    assert file.update(lambda content: content | {"b": 2}) == ""
    assert file.read() == ({"a": 1, "b": 2}, "")


def test_a_file_in_use_is_told_of_and_left_alone(file: SharedFile, monkeypatch: pytest.MonkeyPatch):
    file.update(lambda content: {"a": 1})
    monkeypatch.setattr(shared_file, "_PATIENCE", 0.0)
    with locked(file.path.with_name(".notes.json.lock"), busy=""):
        assert file.update(lambda content: {}).startswith("notes.json is being written to: wait")
    assert file.read() == ({"a": 1}, "")


def test_temporary_files_of_killed_processes_are_removed(file: SharedFile):
    file.update(lambda content: {"a": 1})
    file.path.with_name(".notes-0123abcd.json").write_text("{")
    file.path.with_name(".other-0123abcd.json").write_text("{")
    file.update(lambda content: {"a": 2})
    assert sorted(path.name for path in file.path.parent.iterdir()) == [
        ".notes.json.lock",
        ".other-0123abcd.json",
        "notes.json",
    ]


@pytest.mark.parametrize("text", ["", "[]", '{"odd": 1}', "[" * 100_000, "\udcff"])
def test_every_damaged_file_is_moved_aside_and_kept(file: SharedFile, text: str):
    data = text.encode("utf-8", "surrogateescape")
    for number in range(2):
        file.path.write_bytes(data)
        assert file.read() == ({}, "notes.json is damaged")
        name = ("notes-damaged.json", "notes-damaged-2.json")[number]
        assert file.update(lambda content: {"a": 1}) == f"notes.json was damaged; it is now {name}, and begun anew"
        assert file.path.with_name(name).read_bytes() == data
    assert file.read() == ({"a": 1}, "")
