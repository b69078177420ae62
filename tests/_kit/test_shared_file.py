"""What goes wrong with a shared file comes back in words, and nothing that it held is lost."""

import json
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


def _twice(content: dict) -> dict:
    return {key: 2 * value for key, value in content.items()}


def _plus_one(content: dict) -> dict:
    return {key: value + 1 for key, value in content.items()}


@pytest.mark.parametrize(("said", "expected"), [({}, 7), ({"version": 1}, 7), ({"version": 2}, 4), ({"version": 3}, 3)])
def test_older_versions_are_upgraded_step_by_step_when_read_and_kept_so_when_written(tmp_path, said, expected):
    file = SharedFile(tmp_path / "notes.json", lambda content: True, upgrades=[_twice, _plus_one])
    text = json.dumps(said | {"a": 3})
    file.path.write_text(text)
    assert file.read() == file.read() == ({"a": expected}, "")
    assert file.update(lambda content: content) == "" and file.path.read_text() == text, "reading changes nothing"
    for number in (1, 2):
        assert file.update(lambda content, number=number: content | {"b": number}) == ""
        assert json.loads(file.path.read_text()) == {"version": 3, "a": expected, "b": number}
    assert file.read() == ({"a": expected, "b": 2}, "")


def test_the_first_version_goes_without_saying(file: SharedFile):
    file.update(lambda content: {"a": 1})
    assert json.loads(file.path.read_text()) == {"a": 1}
    file.path.write_text('{"version": 1, "a": 2}')
    assert file.read() == ({"a": 2}, "")


@pytest.mark.parametrize("upgrades", [(), (_twice,)])
def test_a_file_of_a_newer_library_is_told_of_and_left_alone(tmp_path: Path, upgrades):
    file = SharedFile(tmp_path / "notes.json", lambda content: "odd" not in content, upgrades)
    text = json.dumps({"version": 2 + len(upgrades), "odd": "what was not valid may be so by now"})
    file.path.write_text(text)
    told = f"(version {2 + len(upgrades)} of the file; this one knows up to {1 + len(upgrades)}) and is left as it is"
    for problem in (file.read()[1], file.update(lambda content: {"a": 1})):
        assert problem.startswith("notes.json was written by a newer library") and told in problem
    assert file.read()[0] == {} and file.path.read_text() == text
    assert sorted(path.name for path in tmp_path.iterdir()) == [".notes.json.lock", "notes.json"]


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


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"odd": 1}', "[" * 100_000, "\udcff"]
    + [f'{{"version": {version}}}' for version in ("0", "-1", "1.0", "true", "null", '"1"', "[1]", "NaN")],
)
def test_every_damaged_file_is_moved_aside_and_kept(file: SharedFile, text: str):
    data = text.encode("utf-8", "surrogateescape")
    for number in range(2):
        file.path.write_bytes(data)
        assert file.read() == ({}, "notes.json is damaged")
        name = ("notes-damaged.json", "notes-damaged-2.json")[number]
        assert file.update(lambda content: {"a": 1}) == f"notes.json was damaged; it is now {name}, and begun anew"
        assert file.path.with_name(name).read_bytes() == data
    assert file.read() == ({"a": 1}, "")
