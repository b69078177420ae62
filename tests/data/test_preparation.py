"""Preparing a store: it holds what decoding gives, survives being killed, and refuses to be taken for another."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from ldvd_lib.data import ClipStore, _unfinished, decode, preparation, prepare, prepare_beside, ucf101

SIZE = 16


@pytest.fixture
def make(tree, tmp_path):
    """Prepare the training clips of the small tree."""

    def make(directory="store", **options):
        options = {"image_size": SIZE, "progress": False} | options
        return prepare(ucf101.index(tree), tmp_path / directory, **options)

    return make


def contents(directory):
    """Every file of a directory with its bytes."""
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def damage(path):
    path.write_bytes(path.read_bytes()[:-600])  # most of the frames, which are few and small


@pytest.mark.parametrize("stride", [1, 2])
def test_the_store_holds_what_decoding_gives(make, tree, stride):
    clips = make(stride=stride)
    index = ucf101.index(tree)
    assert clips.names == [clip.name for clip in index.clips]
    assert clips.labels.tolist() == [clip.label for clip in index.clips]
    assert clips.class_names == index.class_names
    assert clips.fps.tolist() == [25 / stride] * len(clips)
    assert clips.image_size == SIZE
    for i, clip in enumerate(index.clips):
        assert np.array_equal(clips[i], decode.decode(clip.path, image_size=SIZE, stride=stride))
    assert np.array_equal(np.concatenate(list(clips)), clips.frames)


def test_numpy_alone_can_read_it_and_nobody_can_spoil_it(make, tmp_path):
    clips = make()
    frames = np.load(tmp_path / "store" / "frames.npy", mmap_mode="r")
    assert np.array_equal(frames, clips.frames)
    assert sorted(contents(tmp_path / "store")) == ["frames.npy", "index.json"]
    with pytest.raises(ValueError, match="read-only"):
        clips[0][:] = 0


def test_the_index_names_the_sources_with_their_hashes(make, tree, tmp_path):
    make()
    entry = json.loads((tmp_path / "store" / "index.json").read_text())["clips"][0]
    source = tree / "UCF-101" / entry["source"]["file"]
    assert entry["source"] == _unfinished.fingerprint(source)
    assert entry["source"]["size"] == source.stat().st_size


def test_the_number_of_workers_changes_nothing(make, tmp_path):
    for workers in (1, 5):
        make(f"by_{workers}", workers=workers)
    assert contents(tmp_path / "by_1") == contents(tmp_path / "by_5")


def test_preparing_again_decodes_nothing(make, monkeypatch):
    first = make()
    monkeypatch.setattr(preparation, "_decode_clip", Mock(side_effect=AssertionError("a clip was decoded")))
    assert np.array_equal(make().frames, first.frames)


def test_other_parameters_are_refused(make, tmp_path):
    make()
    directory = tmp_path / "store"
    assert len(ClipStore.open(directory, image_size=SIZE, subset="train", fold=1, stride=1)) == 6
    with pytest.raises(ValueError, match="image_size=16, not image_size=32"):
        ClipStore.open(directory, image_size=32)
    with pytest.raises(ValueError, match="stride=1, not stride=2"):
        make(stride=2)
    with pytest.raises(ValueError, match="no parameter size; it has image_size"):
        ClipStore.open(directory, size=SIZE)


def test_a_changed_source_is_noticed(make, tree):
    make()
    path = sorted((tree / "UCF-101" / "YoYo").iterdir())[0]
    data = bytearray(path.read_bytes())
    os.utime(path, (1, 1))
    make()  # another time of modification, but the same content
    data[-40] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="1 changed: v_YoYo_g01_c01"):
        make()
    path.write_bytes(data[:-1])
    with pytest.raises(ValueError, match="1 changed: v_YoYo_g01_c01"):
        make()
    path.unlink()
    with pytest.raises(ValueError, match="1 gone: v_YoYo_g01_c01"):
        make()


def test_a_clip_that_cannot_be_decoded_never_costs_the_others(make, tree, tmp_path, caplog):
    whole = make("whole")
    damage(tree / "UCF-101" / "YoYo" / "v_YoYo_g01_c01.avi")
    index = ucf101.index(tree, check=False)
    clips = prepare(index, tmp_path / "checked_late", image_size=SIZE, progress=False)
    assert clips.names == [name for name in whole.names if name != "v_YoYo_g01_c01"]
    assert all(np.array_equal(clips[i], whole[whole.names.index(name)]) for i, name in enumerate(clips.names))
    assert [entry["name"] for entry in clips.skipped] == ["v_YoYo_g01_c01"]
    assert "truncated" in clips.skipped[0]["reason"]
    assert "v_YoYo_g01_c01" in caplog.text
    assert "skipped: 1 (v_YoYo_g01_c01)" in clips.summary()
    prepare(index, tmp_path / "checked_late", image_size=SIZE, progress=False)  # the same files: still the same store


def test_clips_that_the_index_leaves_out_are_named_too(tree, tmp_path):
    damage(tree / "UCF-101" / "YoYo" / "v_YoYo_g01_c01.avi")
    clips = prepare(ucf101.index(tree, min_frames=10), tmp_path / "store", image_size=SIZE, progress=False)
    reasons = {entry["name"]: entry["reason"] for entry in clips.skipped}
    assert set(reasons) == {"v_YoYo_g01_c01", "v_ApplyEyeMakeup_g01_c01", "v_HandStandPushups_g01_c01"}
    assert reasons["v_ApplyEyeMakeup_g01_c01"] == "9 frames, 10 needed"


def test_nothing_to_prepare_is_an_error(tree, tmp_path):
    for path in (tree / "UCF-101").glob("*/*.avi"):
        damage(path)
    with pytest.raises(ValueError, match="nothing to prepare"):
        prepare(ucf101.index(tree), tmp_path / "store", image_size=SIZE, progress=False)
    with pytest.raises(ValueError, match=r"not one clip could be decoded(.|\n)*v_YoYo_g02_c01"):
        prepare(ucf101.index(tree, check=False), tmp_path / "store", image_size=SIZE, progress=False)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("option", [{"image_size": 0}, {"stride": 0}, {"workers": 0}])
def test_options_out_of_range_are_refused(make, option):
    with pytest.raises(ValueError, match=next(iter(option))):
        make(**option)


@pytest.mark.parametrize("decoded", range(6))
def test_an_interrupted_run_is_continued(make, tmp_path, monkeypatch, decoded):
    make("whole")
    real, calls = preparation._decode_clip, []

    def interrupted(clip, **options):
        calls.append(clip.name)
        if len(calls) > decoded:
            raise KeyboardInterrupt
        return real(clip, **options)

    monkeypatch.setattr(preparation, "_decode_clip", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(workers=1)
    assert not (tmp_path / "store").exists()
    with pytest.raises(FileNotFoundError, match="unfinished"):
        ClipStore.open(tmp_path / "store")

    calls.clear()
    monkeypatch.setattr(
        preparation, "_decode_clip", lambda clip, **options: calls.append(clip) or real(clip, **options)
    )
    make(workers=1)
    assert len(calls) < 6 or decoded == 0
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")
    assert not (tmp_path / "store.partial").exists()


def test_a_run_interrupted_before_the_last_step_is_continued(make, tmp_path, monkeypatch):
    make("whole")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(preparation, "move_into_place", Mock(side_effect=KeyboardInterrupt))
        make()
    monkeypatch.setattr(preparation, "_decode_clip", Mock(side_effect=AssertionError("a clip was decoded")))
    make()
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


@pytest.mark.parametrize("half_written", [b"", b'{"name": "v_YoYo_g0', b"\n", b"\0\0\0\0"])
def test_whatever_follows_the_journal_is_cut_off(make, tree, tmp_path, half_written):
    make("whole")
    index = ucf101.index(tree)
    parameters = {"image_size": SIZE, "stride": 1, "subset": "train", "fold": 1}
    partial = tmp_path / "store.partial"
    partial.mkdir()
    with _unfinished.UnfinishedStore(partial, parameters, index.clips) as unfinished:
        for clip in index.clips[:2]:
            unfinished.append(*preparation._decode_clip(clip, image_size=SIZE, stride=1))
    for name, rest in (("frames.npy", b"\1" * 1000), ("journal.jsonl", half_written)):
        with (partial / name).open("ab") as file:
            file.write(rest)
    make()
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


def test_work_on_changed_files_or_for_other_parameters_is_not_continued(
    make, tree, tmp_path, write_video, moving_square
):
    def begin(image_size):
        parameters = {"image_size": image_size, "stride": 1, "subset": "train", "fold": 1}
        clips = ucf101.index(tree).clips
        (tmp_path / "store.partial").mkdir()
        with _unfinished.UnfinishedStore(tmp_path / "store.partial", parameters, clips) as unfinished:
            for clip in clips[:4]:
                unfinished.append(*preparation._decode_clip(clip, image_size=image_size, stride=1))

    begin(image_size=8)
    make()
    make("whole")
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")

    shutil.rmtree(tmp_path / "store")
    begin(image_size=SIZE)
    write_video(ucf101.index(tree).clips[1].path, moving_square(12, seed=99))
    make()
    make("new")
    assert contents(tmp_path / "store") == contents(tmp_path / "new") != contents(tmp_path / "whole")


def test_nothing_gets_its_name_before_it_is_on_the_disk(make, unsafe_moves):
    make()
    assert unsafe_moves == []


def test_the_journal_claims_only_frames_that_are_on_the_disk(make, tmp_path, monkeypatch):
    monkeypatch.setattr(_unfinished, "_SECONDS_BETWEEN_COMMITS", -1.0)
    partial, fsync = tmp_path / "store.partial", os.fsync
    safe, counts = [0], []

    def checking(handle):
        fsync(handle)
        if not partial.exists():  # renamed, for it is finished
            return
        if os.path.samestat(os.fstat(handle), (partial / "frames.npy").stat()):
            safe.append(os.fstat(handle).st_size)
        records = [json.loads(line) for line in (partial / "journal.jsonl").read_text().splitlines()[1:]]
        counts.append(len(records))
        assert sum(record["length"] for record in records) * SIZE * SIZE * 3 <= safe[-1]

    monkeypatch.setattr(os, "fsync", checking)
    make()
    assert set(counts) == set(range(7)), "every clip was entered by itself"


def test_lines_of_other_parameters_cannot_come_back_below_a_new_heading(tree, tmp_path, monkeypatch):
    clips = ucf101.index(tree).clips

    def begin(size):
        parameters = {"image_size": size, "stride": 1, "subset": "train", "fold": 1}
        with _unfinished.UnfinishedStore(tmp_path, parameters, clips) as unfinished:
            unfinished.append(*preparation._decode_clip(clips[0], image_size=size, stride=1))

    begin(8)
    fsync, lengths = os.fsync, []
    monkeypatch.setattr(os, "fsync", lambda handle: fsync(handle) or lengths.append(os.fstat(handle).st_size))
    begin(SIZE)
    assert lengths[0] == 0, "the old journal is gone from the disk before anything new is written"


KILLED = """
import sys, time
from pathlib import Path
from ldvd_lib.data import _unfinished, preparation, prepare, ucf101

_unfinished._SECONDS_BETWEEN_COMMITS = 0.02
decode_clip = preparation._decode_clip

def slowly(clip, **options):
    time.sleep(0.05)
    return decode_clip(clip, **options)

preparation._decode_clip = slowly
prepare(ucf101.index(sys.argv[1]), sys.argv[2], image_size=16, workers=2, progress=False)
"""


@pytest.mark.slow
def test_a_run_killed_again_and_again_gives_the_same_bytes(make_tree, tmp_path):
    tree = make_tree(clips_per_class=21)
    prepare(ucf101.index(tree), tmp_path / "whole", image_size=SIZE, progress=False)
    journal = tmp_path / "store.partial" / "journal.jsonl"

    def journalled():
        return journal.read_bytes().count(b'"name"') if journal.exists() else 0

    chance = random.Random(0)
    done = 0
    for _ in range(4):
        command = [sys.executable, "-c", KILLED, str(tree), str(tmp_path / "store")]
        with subprocess.Popen(command) as process:
            wanted = done + chance.randint(1, 11)
            while journalled() < wanted and process.poll() is None:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.05))
            process.kill()
        assert process.returncode == -signal.SIGKILL, "it finished before it could be killed"
        assert journalled() >= wanted, "work that was safe is lost"
        done = journalled()
    prepare(ucf101.index(tree), tmp_path / "store", image_size=SIZE, progress=False)
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


def test_two_that_prepare_the_same_store_make_it_once(make, tmp_path, monkeypatch, caplog):
    make("whole")
    monkeypatch.setattr("ldvd_lib._kit.lock._SILENCE", 0.0)
    at_work, real, decoded, stores = threading.Event(), preparation._decode_clip, [], []

    def slowly(clip, **options):
        at_work.set()
        while "being made by another process" not in caplog.text:  # the other has come, and waits
            time.sleep(0.01)
        decoded.append(clip.name)
        return real(clip, **options)

    monkeypatch.setattr(preparation, "_decode_clip", slowly)
    threads = [threading.Thread(target=lambda: stores.append(make())) for _ in range(2)]
    threads[0].start()
    assert at_work.wait(timeout=30)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert len(stores) == 2 and len(decoded) == 6
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


def test_too_little_space_is_noticed_before_decoding(make, monkeypatch):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(preparation, "_decode_clip", Mock(side_effect=AssertionError("a clip was decoded")))
    monkeypatch.setattr(preparation.shutil, "disk_usage", lambda path: usage(free=1000))
    with pytest.raises(OSError, match="GB free"):
        make()


def test_a_directory_with_something_else_is_left_alone(make, tmp_path):
    (tmp_path / "store").mkdir()
    make()  # empty: may be used
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "holiday.jpg").write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="photos"):
        make("photos")
    assert contents(tmp_path / "photos") == {"holiday.jpg": b"precious"}


def test_real_footage_goes_through(ucf101_mini, tmp_path):
    clips = prepare(ucf101.index(ucf101_mini, subset="all"), tmp_path / "store", image_size=32, progress=False)
    assert len(clips) == 146
    assert clips.frames.shape == (3871, 32, 32, 3)
    assert set(clips.lengths.tolist()) == {25, 107, 164}
    assert 40 < clips.frames.mean() < 160


def replace_file(path, kind):
    """Put something in a clip's place that cannot be read as a file."""
    path.unlink()
    if kind == "dangling link":
        path.symlink_to(path.with_name("gone.avi"))
    elif kind == "directory":
        path.mkdir()
    else:
        os.mkfifo(path)


@pytest.mark.parametrize("kind", ["dangling link", "directory", "pipe"])
def test_a_clip_that_cannot_be_opened_is_the_same_until_it_can_be(tree, tmp_path, kind):
    clip = ucf101.index(tree).clips[2]
    data = clip.path.read_bytes()
    replace_file(clip.path, kind)

    def again():
        return prepare(ucf101.index(tree, check=False), tmp_path / "store", image_size=SIZE, progress=False)

    assert clip.name not in again().names
    for _ in range(2):
        assert [entry["name"] for entry in again().skipped] == [clip.name]
    clip.path.rmdir() if kind == "directory" else clip.path.unlink()
    prepare(ucf101.index(tree, check=False), tmp_path / "store", image_size=SIZE, progress=False)  # and without it
    clip.path.write_bytes(data)
    with pytest.raises(ValueError, match=rf"\(1 skipped then and usable now: {clip.name}\). Remove that directory"):
        again()
    shutil.rmtree(tmp_path / "store")
    assert clip.name in again().names and again().skipped == []


def test_a_clip_that_cannot_be_opened_does_not_stop_a_resumed_run(make, tree, tmp_path, monkeypatch):
    replace_file(ucf101.index(tree).clips[0].path, "dangling link")
    index = ucf101.index(tree, check=False)
    parameters = {"image_size": SIZE, "stride": 1, "subset": "train", "fold": 1}
    (tmp_path / "store.partial").mkdir()
    with _unfinished.UnfinishedStore(tmp_path / "store.partial", parameters, index.clips) as unfinished:
        for clip in index.clips[:4]:
            unfinished.append(*preparation._decode_clip(clip, image_size=SIZE, stride=1))
    real, calls = preparation._decode_clip, []
    monkeypatch.setattr(
        preparation, "_decode_clip", lambda clip, **options: calls.append(clip) or real(clip, **options)
    )
    clips = prepare(index, tmp_path / "store", image_size=SIZE, workers=1, progress=False)
    assert calls == index.clips[4:]
    assert clips.names == [clip.name for clip in index.clips[1:]]


def test_a_clip_that_the_index_left_out_makes_no_other_store_of_it(tree, tmp_path):
    clip = ucf101.index(tree).clips[2]
    damage(clip.path)
    checked, unchecked = ucf101.index(tree), ucf101.index(tree, check=False)
    assert len(unchecked.clips) == len(checked.clips) + 1
    for first, second in ((checked, unchecked), (unchecked, checked)):
        clips = prepare(first, tmp_path / "store", image_size=SIZE, progress=False)
        assert prepare(second, tmp_path / "store", image_size=SIZE, progress=False).names == clips.names
        shutil.rmtree(tmp_path / "store")


RECORDS = {
    "a number": lambda record: 7,
    "a list": lambda record: list(record),
    "no source": lambda record: {key: value for key, value in record.items() if key != "source"},
    "a source that is none": lambda record: record | {"source": "v_YoYo_g01_c01.avi"},
    "a source without its parts": lambda record: record | {"source": {}},
    "a size that is no number": lambda record: record | {"source": record["source"] | {"size": float("nan")}},
    "another clip": lambda record: record | {"name": "v_YoYo_g02_c01"},
    "another place": lambda record: record | {"offset": record["offset"] - 1},
    "a negative length": lambda record: record | {"length": -5},
    "no frames": lambda record: record | {"length": 0},
    "a length in words": lambda record: record | {"length": "five"},
    "another label": lambda record: record | {"label": -1},
    "no rate": lambda record: record | {"fps": float("nan")},
    "neither frames nor a reason": lambda record: {"name": record["name"], "source": record["source"]},
}


@pytest.mark.parametrize("kind", RECORDS)
def test_a_line_of_the_journal_that_is_no_record_is_not_believed(make, tree, tmp_path, kind):
    make("whole")
    clips = ucf101.index(tree).clips
    parameters = {"image_size": SIZE, "stride": 1, "subset": "train", "fold": 1}
    (tmp_path / "store.partial").mkdir()
    with _unfinished.UnfinishedStore(tmp_path / "store.partial", parameters, clips) as unfinished:
        for clip in clips[:3]:
            unfinished.append(*preparation._decode_clip(clip, image_size=SIZE, stride=1))
    journal = tmp_path / "store.partial" / "journal.jsonl"
    lines = journal.read_text().splitlines()
    lines[2] = json.dumps(RECORDS[kind](json.loads(lines[2])))
    journal.write_text("".join(f"{line}\n" for line in lines))
    with _unfinished.UnfinishedStore(tmp_path / "store.partial", parameters, clips) as unfinished:
        assert [record["name"] for record in unfinished.records] == [clips[0].name]
    make()
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


@pytest.mark.parametrize("room", [100, 2_000, 20_000])
def test_a_full_disk_is_named_and_the_next_run_goes_on(make, tmp_path, full_disk, room):
    make("whole")
    with full_disk(room), pytest.raises(OSError, match=r"free some space.*store\.partial"):
        make()
    assert not (tmp_path / "store").exists()
    make()
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


def test_what_the_system_could_not_write_is_not_called_safe(make, tmp_path, monkeypatch):
    monkeypatch.setattr(_unfinished, "_SECONDS_BETWEEN_COMMITS", -1.0)
    make("whole")
    real, calls = os.fsync, []

    def fail_once(handle):  # as Linux reports a failed write: to the first who asks, and to nobody else
        calls.append(handle)
        if len(calls) == 4:
            raise OSError(5, "Input/output error")
        real(handle)

    with monkeypatch.context() as patch, pytest.raises(OSError, match=r"Input/output error: .*frames\.npy"):
        patch.setattr(os, "fsync", fail_once)
        make()
    assert len(calls) == 4
    make()
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


@pytest.mark.slow
def test_a_finished_store_in_a_read_only_place_is_opened(make, tree, tmp_path):
    whole = make()
    script = f"""
from ldvd_lib.data import ClipStore, prepare, prepare_beside, ucf101
import sys
store = prepare(ucf101.index({str(tree)!r}), sys.argv[1], image_size={SIZE}, progress=False)
print(len(store), len(ClipStore.open(sys.argv[1])))
"""
    place = str(tmp_path)
    command = f'mount --bind "{place}" "{place}" && mount -o remount,ro,bind "{place}" && exec "$@"'
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-m", "sh", "-c", command, "sh", "true"]).returncode
    ):
        pytest.skip("needs a system where a test may mount a place read-only")
    run = ["unshare", "-m", "sh", "-c", command, "sh", sys.executable, "-c", script, str(tmp_path / "store")]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.stdout.split() == [str(len(whole))] * 2, done.stderr


def test_a_finished_store_is_opened_where_nothing_can_be_removed(make, monkeypatch):
    whole = make()

    def refuse(path, missing_ok=False):
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    assert make().names == whole.names


def test_a_store_lies_beside_a_link_to_the_data(tree, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ucf").symlink_to(tree)
    clips = prepare_beside(tmp_path / "data" / "ucf", image_size=SIZE, progress=False)
    assert clips.directory == tmp_path / "data" / f"ucf-{SIZE}"
    monkeypatch.chdir(tmp_path / "data")
    for name in ("ucf", "./ucf/", "../data/ucf"):
        assert prepare_beside(name, image_size=SIZE, progress=False).directory == clips.directory
    monkeypatch.chdir(tree)
    assert prepare_beside(".", image_size=SIZE, progress=False).directory == tree.with_name(f"{tree.name}-{SIZE}")


@pytest.mark.parametrize("target", ["empty", "not there yet"])
def test_a_link_leads_to_where_a_store_is_made(make, tmp_path, target):
    (tmp_path / "disk" / "empty").mkdir(parents=True)
    (tmp_path / "store").symlink_to(tmp_path / "disk" / target)
    assert len(make()) == 6
    assert (tmp_path / "store").is_symlink() and ClipStore.is_at(tmp_path / "disk" / target)
    assert len(make()) == 6


def test_a_clip_for_which_there_was_too_little_memory_is_tried_again(make, monkeypatch):
    resize, calls = decode.resize, []

    def scarce(frames, image_size):
        calls.append(image_size)
        if len(calls) == 1:
            raise RuntimeError("not enough memory: you tried to allocate 1 bytes")
        return resize(frames, image_size)

    monkeypatch.setattr(decode, "resize", scarce)
    store = make(workers=1)
    assert [skipped["source"] for skipped in store.skipped] == [None]
    with pytest.raises(ValueError, match="1 skipped then and usable now"):
        make(workers=1)
