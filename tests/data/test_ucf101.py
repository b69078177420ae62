"""The index: the official splits, the spelling mismatch, and every fault listed by name without stopping."""

import os
import shutil

import numpy as np
import pytest

from ldvd_lib.data import decode, layout, prepare, ucf101


def names(index):
    return [clip.name for clip in index.clips]


def test_train_and_test_are_the_listed_clips(tree):
    train, test = (ucf101.index(tree, subset=subset) for subset in ("train", "test"))
    everything = ucf101.index(tree, subset="all")
    assert names(train) == ucf101.read_split(tree / "ucfTrainTestlist", "train", 1)
    assert names(test) == ucf101.read_split(tree / "ucfTrainTestlist", "test", 1)
    assert names(everything) == names(train) + names(test)
    assert (len(train.clips), len(test.clips)) == (6, 3)
    assert not everything.report()


def test_a_clip_knows_its_class_group_number_and_length(tree):
    clip = ucf101.index(tree, subset="test").clips[1]
    assert (clip.name, clip.class_name, clip.label) == ("v_HandStandPushups_g03_c01", "HandstandPushups", 1)
    assert (clip.group, clip.number, clip.num_frames) == (3, 1, 11)
    assert clip.path.is_file()


def test_labels_follow_the_class_list_not_the_alphabet(tree):
    (tree / "ucfTrainTestlist" / "classInd.txt").write_text("1 YoYo\n2 ApplyEyeMakeup\n3 HandstandPushups\n")
    index = ucf101.index(tree)
    assert index.class_names == ["YoYo", "ApplyEyeMakeup", "HandstandPushups"]
    assert {clip.class_name: clip.label for clip in index.clips} == {
        "YoYo": 0,
        "ApplyEyeMakeup": 1,
        "HandstandPushups": 2,
    }


@pytest.mark.parametrize("spelling", ["HandStandPushups", "HandstandPushups", "handstandpushups"])
def test_the_spelling_of_handstand_pushups_does_not_matter(tree, spelling):
    directory = tree / "UCF-101" / "HandstandPushups"
    for path in directory.iterdir():
        path.rename(path.with_name(path.name.replace("HandStandPushups", spelling)))
    directory.rename(directory.with_name("moving")).rename(directory.with_name(spelling))
    index = ucf101.index(tree, subset="all", strict=True)
    assert sum(clip.class_name == "HandstandPushups" for clip in index.clips) == 3


def test_every_fault_is_listed_and_none_stops_the_rest(tree):
    videos = tree / "UCF-101"
    (videos / "YoYo" / "v_YoYo_g01_c01.avi").unlink()
    damaged = videos / "ApplyEyeMakeup" / "v_ApplyEyeMakeup_g01_c01.avi"
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    shutil.copy(videos / "YoYo" / "v_YoYo_g02_c01.avi", videos / "YoYo" / "v_YoYo_g09_c09.avi")
    shutil.copy(videos / "YoYo" / "v_YoYo_g02_c01.avi", videos / "ApplyEyeMakeup" / "holiday.avi")

    index = ucf101.index(tree, subset="train", min_frames=10)
    assert names(index) == ["v_ApplyEyeMakeup_g02_c01", "v_HandStandPushups_g02_c01", "v_YoYo_g02_c01"]
    assert index.missing == ["v_YoYo_g01_c01"]
    assert index.extra == ["ApplyEyeMakeup/holiday.avi", "YoYo/v_YoYo_g09_c09.avi"]
    assert [line.partition(":")[0] for line in index.unreadable] == ["v_ApplyEyeMakeup_g01_c01"]
    assert index.too_short == ["v_HandStandPushups_g01_c01: 9 frames, 10 needed"]

    with pytest.raises(ucf101.UCF101Error) as error:
        ucf101.index(tree, subset="train", min_frames=10, strict=True)
    for name in (
        "v_YoYo_g01_c01",
        "holiday.avi",
        "v_YoYo_g09_c09",
        "v_ApplyEyeMakeup_g01_c01",
        "v_HandStandPushups_g01",
    ):
        assert name in str(error.value)
    assert names(error.value.index) == names(index)


def test_without_check_no_file_is_opened(tree):
    for path in (tree / "UCF-101").glob("*/*.avi"):
        path.write_bytes(b"not a video")
    index = ucf101.index(tree, subset="all", check=False)
    assert len(index.clips) == 9
    assert all(clip.num_frames is None for clip in index.clips)
    assert len(ucf101.index(tree, subset="all").unreadable) == 9
    with pytest.raises(ValueError, match="check=True"):
        ucf101.index(tree, check=False, min_frames=16)


def test_root_may_be_the_directory_of_the_classes(tree):
    expected = names(ucf101.index(tree))
    assert names(ucf101.index(tree / "UCF-101")) == expected
    (tree / "ucfTrainTestlist").rename(tree / "UCF-101" / "ucfTrainTestlist")
    assert names(ucf101.index(tree / "UCF-101")) == expected
    assert names(ucf101.index(tree)) == expected


def test_what_is_not_there_is_named_with_what_was_expected(tree, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        ucf101.index(tmp_path / "nowhere")
    (tree / "ucfTrainTestlist" / "testlist02.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"testlist02\.txt"):
        ucf101.index(tree, fold=2)
    shutil.rmtree(tree / "ucfTrainTestlist")
    with pytest.raises(FileNotFoundError, match="ucfTrainTestlist"):
        ucf101.index(tree)


@pytest.mark.parametrize("option", [{"subset": "validation"}, {"fold": 4}])
def test_options_out_of_range_are_refused(tree, option):
    with pytest.raises(ValueError, match=next(iter(option))):
        ucf101.index(tree, **option)


def test_malformed_lists_are_named(tree):
    splits = tree / "ucfTrainTestlist"
    (splits / "trainlist01.txt").write_text("\nApplyEyeMakeup/something.avi 1\n")
    with pytest.raises(ValueError, match=r"trainlist01\.txt, line 2: .*something"):
        ucf101.index(tree)
    (splits / "classInd.txt").write_text("1 ApplyEyeMakeup\n3 YoYo\n")
    with pytest.raises(ValueError, match=r"classInd\.txt.*gaps"):
        ucf101.read_classes(splits)
    (splits / "trainlist02.txt").write_text("Fencing/v_Fencing_g01_c01.avi 3\n")
    (splits / "classInd.txt").write_text("1 ApplyEyeMakeup\n2 YoYo\n")
    shutil.copytree(tree / "UCF-101" / "YoYo", tree / "UCF-101" / "Fencing")
    (tree / "UCF-101" / "Fencing" / "v_YoYo_g01_c01.avi").rename(tree / "UCF-101" / "Fencing" / "v_Fencing_g01_c01.avi")
    with pytest.raises(ValueError, match="no 'Fencing'"):
        ucf101.index(tree, fold=2, check=False)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", " \n# a comment\n"])
def test_lists_may_come_from_any_editor(tree, encoding, end):
    splits = tree / "ucfTrainTestlist"
    expected = ucf101.read_classes(splits), *(ucf101.read_split(splits, part) for part in ("train", "test"))
    for path in splits.iterdir():
        text = end.join(["", *path.read_text().split("\n")])
        mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
        path.write_bytes(mark + text.encode(encoding))
    assert expected == (ucf101.read_classes(splits), *(ucf101.read_split(splits, part) for part in ("train", "test")))
    assert len(ucf101.index(tree, subset="all", check=False, strict=True).clips) == 9


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("classInd.txt", b"1 YoYo\n# more\n1 Fencing\n", "line 3: 1 is in line 1 already"),
        ("classInd.txt", b"1 YoYo\n2 yoyo\n", "line 2: 'yoyo' is in line 1 already"),
        ("classInd.txt", b"", "the file is empty"),
        ("classInd.txt", b"# nothing\n", "the class list is empty"),
        ("classInd.txt", b"1 YoYo\n2 \xff\n", "line 2: not a text file"),
        ("classInd.txt", "1 YoYo\n".encode("utf-16-le"), "line 1: expected lines like"),
        ("classInd.txt", b"1 YoYo\n" + b"9" * 5000 + b" Fencing\n", "line 2: expected lines like"),
        ("trainlist01.txt", b"Y/v_YoYo_g01_c01.avi 1\n\nY/v_yoyo_g01_c01.avi 1\n", "line 3: .* is in line 1 already"),
        ("trainlist01.txt", b"Y/v_YoYo_g01_c01.avi 1\nY/v_YoYo_g02_c01.avi", "line 2: .*found 'Y/v_YoYo_g02_c01.avi'"),
        ("trainlist01.txt", b"Y/v_YoYo_g01_c01.avi 1\nY/v_YoYo_g02_c0", "line 2: .*found 'Y/v_YoYo_g02_c0'"),
        ("testlist01.txt", b"Y/v_YoYo_g01_c01.avi\nY/v_YoYo_g02_c0", "line 2: .*found 'Y/v_YoYo_g02_c0'"),
        ("testlist01.txt", b"\n", "the file is empty"),
        ("testlist01.txt", b"Y/v_YoYo_g01_c01.avi\n", "lists 'v_YoYo_g01_c01' for testing"),
        ("testlist01.txt", b"F/v_Fencing_g01_c01.avi\n", "has no 'Fencing'"),
    ],
)
def test_a_list_that_cannot_be_right_is_refused_by_its_line(tree, name, content, message):
    (tree / "ucfTrainTestlist" / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}.*{message}"):
        ucf101.index(tree, check=False)


def test_a_list_may_say_that_it_lists_nothing(tree):
    (tree / "ucfTrainTestlist" / "testlist01.txt").write_text("# none\n")
    assert ucf101.read_split(tree / "ucfTrainTestlist", "test") == []
    assert len(ucf101.index(tree).clips) == 6


PLACES = {
    "flat": lambda path: f"UCF-101/{path.name}",
    "flat, in the root": lambda path: path.name,
    "nested": lambda path: f"UCF-101/UCF-101/{path.parent.name}/{path.name}",
    "a folder too many": lambda path: f"UCF101/UCF-101/{path.parent.name}/{path.name}",
    "two too many": lambda path: f"UCF101/UCF101/UCF-101/{path.parent.name}/{path.name}",
    "beside an empty UCF-101": lambda path: f"videos/{path.parent.name}/{path.name}",
}


@pytest.mark.parametrize("place", PLACES)
def test_clips_are_found_wherever_they_lie(tree, tmp_path, place):
    expected = names(ucf101.index(tree, subset="all"))
    contents = layout.Contents(num_clips=9, num_classes=3, folds=(1, 2, 3))
    (tree / "UCF-101").rename(tmp_path / "before")
    if "beside" in place:
        (tree / "UCF-101").mkdir()
    for path in sorted((tmp_path / "before").rglob("*.avi")):
        target = tree / PLACES[place](path)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    index = ucf101.index(tree, subset="all", strict=True)
    assert names(index) == expected
    assert [clip.class_name for clip in index.clips] == [
        ucf101.read_classes(tree / "ucfTrainTestlist")[clip.label] for clip in index.clips
    ]
    report = layout.verify(tree, contents)
    assert report.complete and (report.num_clips, report.num_classes) == (9, 3)


def test_lists_are_found_a_folder_deeper_too(tree):
    expected = names(ucf101.index(tree))
    deeper = tree / "UCF101TrainTestSplits-RecognitionTask"
    deeper.mkdir()
    (tree / "ucfTrainTestlist").rename(deeper / "ucfTrainTestlist")
    assert names(ucf101.index(tree)) == expected
    assert names(ucf101.index(tree.parent)) == expected, "the data set's own folder may be the one too many"


def test_of_two_data_sets_none_is_taken_in_silence(tree):
    shutil.copytree(tree, tree.parent / "another")
    with pytest.raises(ValueError, match=r"holds several data sets: choose the folder of one"):
        ucf101.index(tree.parent)
    assert ucf101.index(tree).clips


@pytest.mark.parametrize("linked", ["clips", "classes", "UCF-101", "root"])
def test_links_to_another_disk_are_followed_and_circles_are_not(tree, tmp_path, linked):
    expected = names(ucf101.index(tree, subset="all"))
    disk, videos = tmp_path / "disk", tree / "UCF-101"
    disk.mkdir()
    moved = {"clips": videos.glob("*/*"), "classes": videos.iterdir(), "UCF-101": [videos], "root": [tree]}[linked]
    for path in sorted(moved):
        path.rename(disk / path.name).exists()
        path.symlink_to(disk / path.name)
    (videos / "again").symlink_to(videos, target_is_directory=True)
    (videos / "loop").symlink_to("loop")
    assert names(ucf101.index(tree, subset="all", strict=True)) == expected
    assert layout.verify(tree, layout.Contents(9, 3, (1, 2, 3))).complete


def test_hidden_files_are_nobodys_clips(tree):
    clip = tree / "UCF-101" / "YoYo" / "v_YoYo_g01_c01.avi"
    clip.with_name(f"._{clip.name}").write_bytes(b"what macOS leaves in archives")
    (tree / ".unpacking-1").mkdir()
    shutil.copy(clip, tree / ".unpacking-1")
    assert not ucf101.index(tree, subset="all", strict=True).extra


def test_no_clips_at_all_are_a_file_not_found(tree):
    for path in (tree / "UCF-101").glob("*/*"):
        path.unlink()
    for _ in range(2):
        with pytest.raises(FileNotFoundError, match=r"no clips.*UCF-101/"):
            ucf101.index(tree)
        report = layout.verify(tree, layout.Contents(9, 3, (1, 2, 3)))
        assert (report.num_clips, len(report.missing), len(report.missing_classes)) == (0, 9, 3)
        shutil.rmtree(tree / "UCF-101", ignore_errors=True)


def test_one_file_of_each_odd_kind_stops_nothing(make_tree, write_video, moving_square, tmp_path):
    """The sound clips are in the store, and every other one is listed with a reason: after `index` and without it."""
    tree = make_tree(clips_per_class=5)
    train = ucf101.index(tree).clips
    frames = moving_square(20)
    write_video(train[0].path, frames, title="Caf_")
    train[0].path.write_bytes(train[0].path.read_bytes().replace(b"Caf_", "Café".encode("latin-1")))
    unknown, cut, empty, folder, link, pipe, huge, text = (clip.path for clip in train[1:9])
    unknown.write_bytes(unknown.read_bytes().replace(b"FMP4", b"ZZZZ"))
    cut.write_bytes(write_video(tmp_path / "cut.mkv", frames).read_bytes()[:2000])
    for path in (folder, link, pipe):
        path.unlink()
    empty.write_bytes(b"")
    folder.mkdir()
    link.symlink_to("nowhere.avi")
    os.mkfifo(pipe)
    size = np.array([64, 48], "<u4").tobytes()
    data = write_video(tmp_path / "huge.avi", frames, codec="ffv1").read_bytes()
    huge.write_bytes(data.replace(size, np.array([30_000, 30_000], "<u4").tobytes()))
    text.write_text("<html>404 Not Found</html>")
    (tree / "UCF-101" / os.fsdecode(b"caf\xe9.avi")).write_bytes(b"")

    index = ucf101.index(tree)
    odd = {clip.name for clip in train[1:9]}
    sound = [clip.name for clip in train if clip.name not in odd]
    assert names(index) == sound
    assert {line.partition(": ")[0] for line in index.unreadable} == odd
    assert all(line.partition(": ")[2] for line in index.unreadable)
    print(index.summary(), index.report(), layout.verify(tree).summary())  # whatever bytes a name is of
    for number, clips in enumerate((index, ucf101.index(tree, check=False))):
        store = prepare(clips, tmp_path / f"store-{number}", image_size=8, progress=False)
        assert store.names == sound
        assert {entry["name"] for entry in store.skipped} == odd and all(entry["reason"] for entry in store.skipped)
        assert np.array_equal(store[0], decode.decode(train[0].path, image_size=8))
        assert len(prepare(clips, tmp_path / f"store-{number}", image_size=8, progress=False)) == len(sound)


def test_the_official_lists_and_the_real_footage(ucf101_mini):
    splits = ucf101_mini / "ucfTrainTestlist"
    assert len(ucf101.read_classes(splits)) == 101
    train, test = (ucf101.index(ucf101_mini, subset=subset) for subset in ("train", "test"))
    assert len(train.clips) + len(train.missing) == 9537
    assert len(test.clips) + len(test.missing) == 3783
    assert (len(train.clips), len(test.clips)) == (101, 45)
    assert not train.extra + train.unreadable + test.extra + test.unreadable
    # Thousands are missing, and the summary is still something to read.
    assert len(train.summary()) < 500
    assert "9,436" in train.summary()
    handstands = [name for name in train.missing if name.startswith("v_HandStandPushups")]
    assert len(handstands) == 100
