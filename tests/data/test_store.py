"""A store of clips: what is saved is opened, and what is damaged, or does not fit together, is not."""

import json
import pickle
import threading
from dataclasses import replace

import numpy as np
import pytest

from ldvd_lib.data import ClipStore, store


def three_clips() -> ClipStore:
    clips = [np.full((length, 6, 6, 3), length, dtype=np.uint8) for length in (3, 5, 4)]
    return ClipStore.from_clips(clips, labels=[1, 0, 1], class_names=["Sit", "Stand"], fps=12.5)


@pytest.fixture
def saved(tmp_path) -> ClipStore:
    return three_clips().save(tmp_path / "clips")


def test_clips_are_counted_from_both_ends_and_no_further() -> None:
    clips = three_clips()
    assert len(clips) == 3
    assert np.array_equal(clips[-1], clips[2])
    for i in (3, -4):
        with pytest.raises(IndexError, match="3 clips"):
            clips[i]


def test_pickling_sends_the_name_of_the_directory_not_the_frames(saved) -> None:
    pickled = pickle.dumps(saved)
    assert len(pickled) < 500
    again = pickle.loads(pickled)
    assert again.names == saved.names
    assert np.array_equal(again.frames, saved.frames)
    in_memory = pickle.loads(pickle.dumps(three_clips()))
    assert np.array_equal(in_memory.frames, saved.frames)


def test_arrays_become_a_store_in_memory() -> None:
    clips = [np.full((length, 4, 4, 3), length, dtype=np.uint8) for length in (5, 3, 7)]
    store = ClipStore.from_clips(clips, labels=[1, 0, 1], class_names=["Run", "Jump"], fps=12)
    assert len(store) == 3
    for number, clip in enumerate(clips):
        np.testing.assert_array_equal(store[number], clip)
    assert store.names == ["v_Jump_g00_c01", "v_Run_g01_c01", "v_Jump_g02_c01"]
    assert (store.image_size, store.labels.tolist(), store.fps.tolist()) == (4, [1, 0, 1], [12.0] * 3)


def test_a_store_in_memory_can_be_saved(tmp_path) -> None:
    in_memory = three_clips()
    saved = in_memory.save(tmp_path / "new" / "clips")
    assert saved.directory == tmp_path / "new" / "clips"
    assert ClipStore.is_at(saved.directory) and not ClipStore.is_at(tmp_path)
    assert [path.name for path in saved.directory.parent.iterdir()] == ["clips"]
    for column in ("frames", "offsets", "lengths", "labels", "fps"):
        ours, theirs = getattr(saved, column), getattr(in_memory, column)
        assert np.array_equal(ours, theirs) and ours.dtype == theirs.dtype, column
    for value in ("names", "class_names", "parameters", "skipped"):
        assert getattr(saved, value) == getattr(in_memory, value), value
    assert not saved.frames.flags.writeable
    assert len(pickle.loads(pickle.dumps(saved))) == 3


def test_saving_never_costs_what_is_there(tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    saved = three_clips().save(tmp_path / "empty")
    with pytest.raises(FileExistsError, match="empty has a store of clips already; open that"):
        three_clips().save(saved.directory)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="mine exists and is not a store of clips; name another directory"):
        three_clips().save(tmp_path / "mine")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "mine"]


def test_a_saved_store_gets_its_name_only_when_it_is_on_the_disk(tmp_path, unsafe_moves) -> None:
    three_clips().save(tmp_path / "clips")
    assert unsafe_moves == []


@pytest.mark.parametrize(
    ("clips", "labels", "message"),
    [
        ([], None, "at least one"),
        ([np.zeros((2, 4, 4, 3))], None, "clip 0 is float64"),
        ([np.zeros((2, 4, 4, 3), np.uint8), np.zeros((2, 5, 4, 3), np.uint8)], None, r"clip 1 .*\(2, 5, 4, 3\)"),
        ([np.zeros((0, 4, 4, 3), np.uint8)], None, "clip 0"),
        ([np.zeros((2, 4, 4, 3), np.uint8)], [1], r"1 class_names, got \[1\]"),
        ([np.zeros((2, 4, 4, 3), np.uint8)], [0, 0], "1 indices"),
    ],
)
def test_arrays_that_are_no_clips(clips, labels, message) -> None:
    with pytest.raises(ValueError, match=message):
        ClipStore.from_clips(clips, labels=labels)


def test_what_is_known_of_arrays_is_kept() -> None:
    clips = np.arange(2 * 3 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 4, 3)
    made = ClipStore.from_clips(clips, names=["here", "there"], parameters={"subset": "train"})
    assert made.names == ["here", "there"] and made.parameters == {"image_size": 4, "subset": "train"}
    assert np.shares_memory(made.frames, clips) and np.array_equal(made[1], clips[1])
    with pytest.raises(ValueError, match="two clips have the same name"):
        ClipStore.from_clips(clips, names=["here", "here"])


COLUMNS = [
    ({"offsets": np.array([0, 3, 7])}, r"offsets has 7 for clip 2 \(v_Stand_g02_c01\), expected the end"),
    ({"offsets": np.array([0, -41, 8])}, "offsets has -41 for clip 1"),
    ({"lengths": np.array([3, -5, 4])}, "lengths has -5 for clip 1 .*, expected 1 to 12 frames"),
    ({"lengths": np.array([0, 5, 4])}, "lengths has 0 for clip 0"),
    ({"lengths": np.array([3, 5, 2**62])}, "lengths has 4611686018427387904 for clip 2"),
    ({"lengths": np.array([3, 5, 3])}, "the clips have 11 frames, and 12 are there"),
    ({"lengths": np.array([3, 5])}, r"lengths are int64 \(2,\), expected a whole number for each of 3 clips"),
    ({"labels": np.array([1, -1, 1])}, "labels has -1 for clip 1 .*, expected an index into 2 class_names"),
    ({"labels": np.array([1, 0, 2])}, "labels has 2 for clip 2"),
    ({"labels": np.array([1.0, 0.0, 1.0])}, "labels are float64"),
    ({"fps": np.array([12.5, np.nan, 12.5])}, "fps has nan for clip 1 .*, expected a finite number above 0"),
    ({"fps": np.array([12.5, 12.5, 0.0])}, "fps has 0.0 for clip 2"),
    ({"fps": np.array([np.inf, 12.5, 12.5])}, "fps has inf for clip 0"),
    ({"names": ["a", "b", "a"]}, "two clips have the same name"),
    ({"names": []}, "for each of 0 clips, and at least one clip"),
    ({"frames": np.zeros((12, 6, 6, 3), dtype=np.float32)}, "frames are float32 .*, expected uint8"),
    ({"frames": np.zeros((12, 6, 6), dtype=np.uint8)}, r"frames are uint8 \(12, 6, 6\)"),
    ({"frames": np.zeros((11, 6, 6, 3), dtype=np.uint8)}, "the clips have 12 frames, and 11 are there"),
]


@pytest.mark.parametrize(("columns", "message"), COLUMNS)
def test_columns_that_do_not_fit_together_are_refused(columns, message) -> None:
    with pytest.raises(ValueError, match=message):
        replace(three_clips(), **columns)


def set_in_clip(key, value):
    def damage(document):
        document["clips"][1][key] = value

    return damage


def remove(*keys):
    def damage(document):
        for key in keys[:-1]:
            document = document[key]
        del document[keys[-1]]

    return damage


def set_in_index(key, value):
    return lambda document: document.update({key: value})


DAMAGES = [
    (set_in_clip("offset", -41), "offsets has -41 for clip 1"),
    (set_in_clip("offset", 2), "offsets has 2 for clip 1"),  # within the frames, and another clip's
    (set_in_clip("offset", 3.0), "offset must be int for every clip"),
    (set_in_clip("offset", 2**70), "too large"),
    (set_in_clip("length", 6), "offsets has 8 for clip 2"),
    (set_in_clip("label", -1), "labels has -1 for clip 1"),
    (set_in_clip("label", True), "label must be int for every clip"),
    (set_in_clip("fps", "25"), "fps must be float for every clip"),
    (set_in_clip("fps", float("nan")), "NaN|nan"),
    (set_in_clip("name", None), "name must be str for every clip"),
    (set_in_clip("name", "v_Stand_g00_c01"), "two clips have the same name"),
    (remove("clips", 1, "label"), "a clip has no 'label'"),
    (remove("clips", 1), "offsets has 8 for clip 1"),
    (remove("clips", 2), "the clips have 8 frames, and 12 are there"),
    (remove("clips"), "clips must be a list"),
    (set_in_index("clips", []), "for each of 0 clips, and at least one clip"),
    (set_in_index("clips", [1, 2, 3]), "not subscriptable"),
    (set_in_index("class_names", ["Sit"]), "labels has 1 for clip 0"),
    (set_in_index("class_names", [1, 2]), "class_names.* must be of type str"),
    (set_in_index("parameters", None), "parameters is None"),
    (set_in_index("parameters", {"image_size": 7}), "image_size is not that of the frames"),
    (set_in_index("shape", "all"), "shape is 'all'"),
    (set_in_index("shape", [11, 6, 6, 3]), r"frames.npy is uint8 \[12, 6, 6, 3\], its index says"),
    (set_in_index("skipped", [{"name": "v_Sit_g09_c01"}]), "reason of a skipped clip is None"),
    (set_in_index("skipped", ["v_Sit_g09_c01"]), "skipped is 'v_Sit_g09_c01'"),
    (set_in_index("format", 99), "format 99"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGES)
def test_a_damaged_index_is_named_and_not_believed(saved, damage, message) -> None:
    path = saved.directory / "index.json"
    document = json.loads(path.read_text())
    damage(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=message) as raised:
        ClipStore.open(saved.directory)
    assert str(saved.directory) in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe{}", b"[" * 100_000])
def test_an_index_that_is_none_is_named(saved, content) -> None:
    path = saved.directory / "index.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"clips.index\.json"):
        ClipStore.open(saved.directory)


def rewrite(frames):
    """Frames of another kind, in the file's place."""

    def damage(path):
        with path.open("wb") as file:
            np.save(file, frames(np.array(three_clips().frames)))

    return damage


FILES = {
    "empty": (lambda path: path.write_bytes(b""), "cannot be read as an array"),
    "cut in its frames": (lambda path: path.write_bytes(path.read_bytes()[:-1]), "cannot be read as an array"),
    "cut in its header": (lambda path: path.write_bytes(path.read_bytes()[:60]), "cannot be read as an array"),
    "longer": (lambda path: path.write_bytes(path.read_bytes() + b"\0"), "has 1,425 bytes, expected 1,424"),
    "no array": (lambda path: path.write_text("<html>not found</html>" * 99), "cannot be read as an array"),
    "an archive": (lambda path: np.savez(path.open("wb"), np.zeros(3)), "cannot be read as an array"),
    "pickled": (rewrite(lambda frames: frames.astype(object)), "cannot be read as an array"),
    "floats": (rewrite(lambda frames: frames.astype(np.float32)), "is float32 .*, its index says uint8"),
    "fewer": (rewrite(lambda frames: frames[:-1]), r"is uint8 \[11, 6, 6, 3\], its index says uint8 \[12, 6, 6, 3\]"),
    "in another order": (rewrite(np.asfortranarray), "its index says"),
}


@pytest.mark.parametrize("kind", FILES)
def test_frames_that_are_not_whole_are_named_and_left_as_they_are(saved, kind) -> None:
    damage, message = FILES[kind]
    path = saved.directory / "frames.npy"
    damage(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=rf"clips.frames\.npy .*{message}|clips.frames\.npy {message}"):
        ClipStore.open(saved.directory)
    assert path.read_bytes() == before


def test_what_is_not_there_is_said_in_words(saved, tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="no store of clips there; prepare it first"):
        ClipStore.open(tmp_path / "elsewhere")
    (tmp_path / "elsewhere.partial").mkdir()
    with pytest.raises(FileNotFoundError, match="it is unfinished: prepare it again to go on"):
        ClipStore.open(tmp_path / "elsewhere")
    (saved.directory / "frames.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"frames\.npy: no such file beside the index"):
        ClipStore.open(saved.directory)


def test_opening_writes_nothing(saved) -> None:
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in saved.directory.parent.rglob("*.*")}
    ClipStore.open(saved.directory)[0].sum()
    assert before == {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in saved.directory.parent.rglob("*.*")
    }
    with pytest.raises(ValueError, match="read-only"):
        saved[0][:] = 0


def test_a_link_leads_to_where_a_store_is_saved(tmp_path) -> None:
    (tmp_path / "disk" / "empty").mkdir(parents=True)
    for target in ("empty", "not there yet"):
        link = tmp_path / f"link to {target}"
        link.symlink_to(tmp_path / "disk" / target)
        assert three_clips().save(link).directory == link
        assert link.is_symlink() and ClipStore.is_at(tmp_path / "disk" / target)
        with pytest.raises(FileExistsError, match="has a store of clips already"):
            three_clips().save(link)


@pytest.mark.parametrize("is_there", [False, True])
def test_of_two_that_save_in_one_place_one_wins(tmp_path, monkeypatch, is_there) -> None:
    if is_there:
        (tmp_path / "clips").mkdir()
    both, write, saved, refused = threading.Barrier(2), store.write_index, [], []

    def write_together(*arguments):
        write(*arguments)
        both.wait(timeout=30)  # both have found the place free

    def save(value):
        clips = ClipStore.from_clips([np.full((3, 6, 6, 3), value, dtype=np.uint8)])
        try:
            saved.append((value, clips.save(tmp_path / "clips")))
        except FileExistsError as error:
            refused.append(str(error))

    monkeypatch.setattr(store, "write_index", write_together)
    threads = [threading.Thread(target=save, args=(value,)) for value in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ((value, winner),) = saved
    assert (winner.frames == value).all()
    assert len(refused) == 1 and "has a store of clips already" in refused[0]
    assert [path.name for path in tmp_path.iterdir()] == ["clips"]


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path, full_disk) -> None:
    clips = ClipStore.from_clips(np.zeros((4, 16, 32, 32, 3), dtype=np.uint8))
    with full_disk(100_000), pytest.raises(OSError, match=r"free some space.*clips"):
        clips.save(tmp_path / "clips")
    assert not any(tmp_path.iterdir())
    assert len(clips.save(tmp_path / "clips")) == 4
