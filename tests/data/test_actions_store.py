"""The built-in data set as a store without files: what rendering, writing, reading and decoding give, but for loss."""

import json
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from ldvd_lib._kit.lock import locked
from ldvd_lib.data import ClipStore, WindowSampler, actions, prepare, ucf101
from ldvd_lib.runs.sources import describe_store

OPTIONS = {"image_size": 32, "clips_per_class": 3, "frames_per_clip": 5, "progress": False}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    options = {name: value for name, value in OPTIONS.items() if name != "image_size"}
    return actions.render(tmp_path_factory.mktemp("data") / "actions", **options)


@pytest.fixture(scope="module")
def everything():
    return actions.render_store(**OPTIONS, subset="all", workers=1)


@pytest.mark.parametrize(("subset", "fold"), [("train", 1), ("test", 1), ("all", 1), ("train", 3)])
def test_it_is_the_store_of_the_decoded_files_but_for_what_the_codec_loses(root, tmp_path, subset, fold):
    index = ucf101.index(root, subset=subset, fold=fold, check=False)
    decoded = prepare(index, tmp_path / "decoded", image_size=32, workers=1, progress=False)
    rendered = actions.render_store(**OPTIONS, subset=subset, fold=fold, workers=1)
    assert rendered.names == decoded.names
    assert rendered.class_names == decoded.class_names
    assert rendered.skipped == decoded.skipped == []
    for column in ("offsets", "lengths", "labels", "fps"):
        ours, theirs = getattr(rendered, column), getattr(decoded, column)
        assert np.array_equal(ours, theirs) and ours.dtype == theirs.dtype, column
    assert decoded.parameters.items() <= rendered.parameters.items()
    assert rendered.frames.shape == decoded.frames.shape and rendered.frames.dtype == decoded.frames.dtype
    difference = np.abs(rendered.frames.astype(int) - decoded.frames).mean(axis=(1, 2, 3))
    assert difference.max() < 4  # of 255, in every single frame


def test_more_workers_give_the_same_bytes(everything):
    several = actions.render_store(**OPTIONS, subset="all", workers=2)
    assert np.array_equal(several.frames, everything.frames)
    assert (several.names, several.parameters) == (everything.names, everything.parameters)


def test_another_seed_gives_other_clips(everything):
    other = actions.render_store(**OPTIONS | {"frames_per_clip": 1}, seed=1, workers=1)
    assert other.parameters["seed"] == 1
    first = [everything.names.index(name) for name in other.names]
    assert not any(np.array_equal(other[i][0], everything[j][0]) for i, j in enumerate(first))


def test_on_disk_it_is_a_store_like_any_other(everything, tmp_path, monkeypatch):
    directory = tmp_path / "new" / "actions-32"
    written = actions.render_store(directory, **OPTIONS, subset="all", workers=1)
    assert written.directory == directory
    assert isinstance(written.frames, np.memmap) and not written.frames.flags.writeable
    opened = ClipStore.open(directory, image_size=32, subset="all", seed=0)
    assert np.array_equal(opened.frames, everything.frames)
    assert opened.names == everything.names
    assert sorted(path.name for path in directory.parent.iterdir()) == [".actions-32.lock", "actions-32"]

    def render_again(*_):
        raise AssertionError("it is there already")

    monkeypatch.setattr("ldvd_lib.data.actions.stores.plan", render_again)
    assert actions.render_store(directory, **OPTIONS, subset="all").names == everything.names
    with pytest.raises(ValueError, match="made with seed=0, not seed=5; prepare another directory"):
        actions.render_store(directory, **OPTIONS, subset="all", seed=5)


def test_two_that_render_the_same_store_do_it_once(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("ldvd_lib._kit.lock._SILENCE", 0.0)
    at_work, pieces, written = threading.Event(), [], []

    def slowly(task):
        at_work.set()
        while "being made by another process" not in caplog.text:  # the other has come, and waits
            time.sleep(0.01)
        pieces.append(task)
        plans, num_frames, size = task
        return np.zeros((len(plans), num_frames, size, size, 3), dtype=np.uint8)

    def write():
        written.append(actions.render_store(tmp_path / "store", **OPTIONS, subset="all", workers=1))

    monkeypatch.setattr("ldvd_lib.data.actions.stores._render_piece", slowly)
    threads = [threading.Thread(target=write) for _ in range(2)]
    threads[0].start()
    assert at_work.wait(timeout=30)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert [len(store) for store in written] == [36, 36]
    assert sum(len(plans) for plans, _, _ in pieces) == 36


def test_a_directory_with_something_else_is_left_alone_and_nothing_rendered(tmp_path, monkeypatch):
    monkeypatch.setattr("ldvd_lib.data.actions.stores.plan", None)
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not a store of clips"):
        actions.render_store(tmp_path, **OPTIONS, workers=1)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_samplers_and_evaluations_take_the_store(everything):
    described = json.loads(json.dumps(WindowSampler(everything, batch_size=2, num_frames=4).describe()))
    assert described["subset"] == "all" and described["clips"] == 36 and described["seed"] == 0
    assert "36 clips (all), 32 px" in describe_store(everything)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"clips_per_class": 1}, "clips_per_class must be a whole number, 2 or more, got 1"),
        ({"frames_per_clip": 0}, "frames_per_clip must be"),
        ({"image_size": 0}, "image_size must be"),
        ({"workers": 0}, "workers must be"),
        ({"seed": -1}, "seed must be"),
        ({"subset": "tests"}, "did you mean 'test'"),
        ({"fold": 4}, "fold 4 is unknown"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        actions.render_store(**OPTIONS | wrong)


KILLED = """
import sys, time
from ldvd_lib.data import actions
from ldvd_lib.data.actions import stores

def wait(task):
    open(sys.argv[2], "a").close()
    time.sleep(60)

stores._render_piece = wait
actions.render_store(sys.argv[1], image_size=8, clips_per_class=3, frames_per_clip=2, workers=2, progress=False)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
def test_the_workers_of_a_killed_process_do_not_keep_its_lock(tmp_path):
    store, begun = tmp_path / "store", tmp_path / "begun"
    with subprocess.Popen([sys.executable, "-c", KILLED, store, begun]) as process:
        while not begun.exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
    with locked(tmp_path / ".store.lock", busy="a worker holds it", patience=30):
        pass
