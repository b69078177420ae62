"""The index: the official splits, the spelling mismatch, and every fault listed by name without stopping."""

import shutil

import pytest

from ldvd_lib.data import ucf101


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
    (splits / "trainlist01.txt").write_text("ApplyEyeMakeup/something.avi 1\n")
    with pytest.raises(ValueError, match=r"trainlist01\.txt.*something"):
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
