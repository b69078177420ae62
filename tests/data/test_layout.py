"""The report tells a complete data set from one that lacks anything, and files come to their place whole."""

import json
import shutil
from pathlib import Path

import pytest

from ldvd_lib.data import layout
from ldvd_lib.data.layout import OFFICIAL, Contents, verify

CONTENTS = Contents(num_clips=18, num_classes=3, folds=(1, 2))
CLASSES = ("Diving", "Typing", "YoYo")
CLIPS = [f"{name}/v_{name}_g0{group}_c0{number}.avi" for name in CLASSES for group in (1, 2) for number in (1, 2, 3)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A complete data set with the contents above."""
    root, splits = tmp_path / "data", tmp_path / "data" / "ucfTrainTestlist"
    splits.mkdir(parents=True)
    (splits / "classInd.txt").write_text("".join(f"{label} {name}\n" for label, name in enumerate(CLASSES, start=1)))
    for fold in (1, 2):
        test = [name for name in CLIPS if f"_g0{fold}_" in name]
        (splits / f"testlist0{fold}.txt").write_text("\n".join(test))
        train = [f"{name} {CLASSES.index(name.split('/')[0]) + 1}" for name in CLIPS if name not in test]
        (splits / f"trainlist0{fold}.txt").write_text("\n".join(train))
    for name in CLIPS:
        (root / "UCF-101" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "UCF-101" / name).write_text(name)
    return root


def test_complete(root: Path):
    report = verify(root, CONTENTS)
    assert report.complete and (report.num_clips, report.num_classes) == (18, 3)
    assert report.summary() == f"UCF-101 at {root} is complete: 18 of 18 clips, 3 of 3 classes"
    assert not verify(root, OFFICIAL).complete
    assert (OFFICIAL.num_clips, OFFICIAL.num_classes, len(OFFICIAL.split_files)) == (13_320, 101, 7)


def test_names_what_is_missing(root: Path, tmp_path: Path):
    (root / "UCF-101" / "Diving" / "v_Diving_g01_c02.avi").unlink()
    (root / "UCF-101" / "Diving" / "v_Diving_g01_c03.avi").write_bytes(b"")
    (root / "UCF-101" / "Diving" / "v_Diving_g99_c01.avi").write_bytes(b"mine")
    (root / "UCF-101" / "YoYo").rename(tmp_path / "YoYo")
    report = verify(root, CONTENTS)
    assert not report.complete
    assert (report.num_clips, report.num_classes) == (10, 2)
    assert report.missing_classes == ["YoYo"] and report.empty == ["v_Diving_g01_c03"]
    assert set(report.missing) == {"v_Diving_g01_c02"} | {Path(name).stem for name in CLIPS if "YoYo" in name}
    assert len(report.extra) == 1 and "g99" in report.extra[0]
    summary = report.summary(limit=2)
    assert "not complete: 10 of 18 clips, 2 of 3 classes" in summary
    assert "clips missing: 7 (v_" in summary and summary.count("v_YoYo") <= 2 and ", ...)" in summary


def test_what_is_named_like_a_clip_and_is_no_file_is_not_counted(root: Path, tmp_path: Path):
    (root / "UCF-101" / "YoYo").rename(tmp_path / "YoYo")
    (root / "UCF-101" / "YoYo").symlink_to(tmp_path / "YoYo")
    linked, nowhere, folder = (root / "UCF-101" / "Diving" / f"v_Diving_g01_c0{number}.avi" for number in (1, 2, 3))
    for path in (linked, nowhere, folder):
        path.unlink()
    linked.symlink_to(root / "UCF-101" / "Diving" / "v_Diving_g02_c01.avi")
    nowhere.symlink_to("nowhere.avi")
    folder.mkdir()
    for _ in range(2):  # with the lists and without
        report = verify(root, CONTENTS)
        assert not report.complete and (report.num_clips, report.num_classes) == (16, 3)
        assert report.empty == ["v_Diving_g01_c02", "v_Diving_g01_c03"]
        shutil.rmtree(root / "ucfTrainTestlist", ignore_errors=True)


def test_without_split_files(root: Path, tmp_path: Path):
    shutil.rmtree(root / "ucfTrainTestlist")
    report = verify(root, CONTENTS)
    assert (report.num_clips, report.num_classes, report.complete) == (18, 3, False)
    assert len(report.missing_splits) == 5
    nothing = verify(tmp_path / "absent", CONTENTS)
    assert (nothing.num_clips, nothing.num_classes, len(nothing.missing_splits)) == (0, 0, 5)


def test_split_files_at_fault(root: Path):
    (root / "ucfTrainTestlist" / "trainlist02.txt").write_text("rubbish\n")
    report = verify(root, CONTENTS)
    assert not report.complete and "split files at fault: 1" in report.summary()
    (root / "ucfTrainTestlist" / "testlist01.txt").write_text(
        (root / "ucfTrainTestlist" / "trainlist01.txt").read_text()
    )
    report = verify(root, CONTENTS)
    assert not report.complete and report.num_clips == 18 and not report.missing
    assert any("for testing" in fault for fault in report.faults)


def test_real_footage_is_recognised(ucf101_mini: Path):
    report = verify(ucf101_mini)
    assert (report.num_clips, report.num_classes) == (146, 2)
    assert len(report.missing) == 13_320 - 146 and len(report.missing_classes) == 99
    assert report.missing_splits == [f"{part}list0{fold}.txt" for fold in (2, 3) for part in ("train", "test")]


def test_illegible_receipt_counts_as_none(tmp_path: Path):
    for text in ("{", "[]", ""):
        (tmp_path / "download.json").write_text(text)
        assert layout.read_receipt(tmp_path) == {}


def test_find_clips(root: Path, tmp_path: Path):
    diving = root / "UCF-101" / "Diving"
    (diving / "._v_Diving_g01_c01.avi").write_text("what a Mac leaves in archives")
    (diving / "notes.avi").write_text("")
    (diving / "v_Diving_g03_c01.avi").symlink_to("/etc/hostname")
    assert list(layout.find_clips(root)) == sorted(CLIPS)
    shutil.copytree(diving, root / "again" / "Diving", symlinks=True)
    with pytest.raises(ValueError, match="is there twice"):
        layout.find_clips(root)


@pytest.mark.parametrize("old", [False, True])
def test_install(tmp_path: Path, old: bool, unsafe_moves: list[Path]):
    (tmp_path / "new").write_text("new")
    (tmp_path / "other").write_text("other")
    target = tmp_path / "target"
    if old:
        (target / "A").mkdir(parents=True)
        (target / "A" / "a").write_text("half")
        (target / "A" / "kept").write_text("kept")
    layout.install({"A/a": tmp_path / "new", "B/b": tmp_path / "other"}, target, tmp_path / "stage")
    assert (target / "A" / "a").read_text() == "new" and (target / "B" / "b").read_text() == "other"
    assert (target / "A" / "kept").exists() == old
    assert not (tmp_path / "stage").exists()
    assert unsafe_moves == [], "no file gets its name before its content is on the disk"


def test_workspace_beside_one_that_is_still_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with layout.workspace(tmp_path / "data") as first:
        (first / "file").write_text("")
        with monkeypatch.context() as patch:
            patch.setattr(shutil, "rmtree", lambda path, ignore_errors: None)  # as if the files came back
            with layout.workspace(tmp_path / "data") as second:
                assert second != first and list(second.iterdir()) == []
    with layout.workspace(tmp_path / "data"):
        pass
    assert list((tmp_path / "data").iterdir()) == []


def test_receipt_keeps_other_entries(tmp_path: Path):
    layout.write_receipt(tmp_path, "splits", {"size": 1})
    layout.write_receipt(tmp_path, "archive", {"size": 2})
    layout.write_receipt(tmp_path, "splits", {"size": 3})
    assert layout.read_receipt(tmp_path) == {"splits": {"size": 3}, "archive": {"size": 2}}
    assert json.loads((tmp_path / "download.json").read_text()) == layout.read_receipt(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["download.json"]
