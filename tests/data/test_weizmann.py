"""The Weizmann actions: who does what, what is a mirror image of what, a split by person, and errors with names."""

import csv
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from ldvd_lib.data import WindowSampler, decode, index_clips, prepare, prepare_beside, weizmann
from ldvd_lib.runs.sources import describe_store, from_store

PEOPLE, SIZE = 9, 16


def strip(frames: np.ndarray) -> Image.Image:
    """Frames (T, H, W, 3) side by side."""
    return Image.fromarray(np.concatenate(frames, axis=1))


def clip(label: int, person: int) -> np.ndarray:
    """Frames (T, 16, 16, 3) that tell who does what, and left from right."""
    frames = np.zeros((4 + label + person, SIZE, SIZE, 3), dtype=np.uint8)
    frames[..., 0] = 40 * label
    frames[..., 1] = 25 * person
    frames[:, :, : SIZE // 2, 2] = 200
    return frames


@pytest.fixture
def root(tmp_path):
    """Nine people, in files that are numbered as MoCoGAN's are, of PNG inside (as some copies are) and so exact."""
    for label, folder in enumerate(weizmann.FOLDERS):
        (tmp_path / "actions" / folder).mkdir(parents=True)
        for person in range(PEOPLE):
            frames = clip(label, person)
            for mirror, picture in enumerate((frames, frames[:, :, ::-1])):
                # The tenth file comes after the ninth, with zeros before its number or without.
                path = tmp_path / "actions" / folder / f"{8 * person + 2 * label + mirror}.jpg"
                strip(picture).save(path, format="PNG")
    return tmp_path


def test_files_become_clips_in_the_order_of_class_and_person(root):
    store = weizmann.load(root, image_size=SIZE, subset="all")
    assert store.class_names == ["wave1", "wave2", "jack", "bend"]
    expected = [(label, person) for label in range(4) for person in range(PEOPLE)]
    assert store.names == [f"v_{weizmann.CLASSES[label]}_g{person + 1:02}_c01" for label, person in expected]
    assert store.labels.tolist() == [label for label, _ in expected]
    for number, (label, person) in enumerate(expected):
        assert np.array_equal(store[number], clip(label, person))
    assert set(store.fps) == {25.0} and store.directory is None and store.skipped == []


def test_the_directory_of_the_folders_may_be_given_itself(root):
    assert weizmann.load(root / "actions", image_size=SIZE).names == weizmann.load(str(root), image_size=SIZE).names


@pytest.mark.parametrize("fold", weizmann.FOLDS)
def test_the_split_is_by_person(root, fold):
    parts = {part: weizmann.index(root, subset=part, fold=fold, check=False) for part in ("train", "test", "all")}
    people = {part: {clip.group for clip in index.clips} for part, index in parts.items()}
    assert people["test"] == ({8, 9} if fold == 1 else {fold - 1})
    assert people["train"] == set(range(1, 10)) - people["test"]
    names = {part: [clip.name for clip in index.clips] for part, index in parts.items()}
    assert sorted(names["train"] + names["test"]) == sorted(names["all"])
    assert all({clip.label for clip in index.clips} == {0, 1, 2, 3} for index in parts.values())


def test_hidden_files_are_no_clips(root):
    expected = [clip.name for clip in weizmann.strips(root)]
    for path in list(root.glob("actions/*/*.jpg")):
        path.with_name(f"._{path.name}").write_bytes(b"left by macOS")
    assert [clip.name for clip in weizmann.strips(root)] == expected


def test_mirror_images_come_only_if_asked_for(root):
    store = weizmann.load(root, subset="all", mirrored=True, image_size=SIZE)
    assert len(store) == 2 * 4 * PEOPLE
    for number in range(0, len(store), 2):
        assert store.names[number + 1] == store.names[number].replace("c01", "c02")
        assert np.array_equal(store[number + 1], store[number][:, :, ::-1])


@pytest.mark.parametrize("size", [8, 24])
def test_other_sizes_are_resized_as_stores_are(root, size):
    store = weizmann.load(root, subset="all", image_size=size)
    assert store.image_size == size == store.parameters["image_size"]
    assert np.array_equal(store[14], decode.resize(clip(1, 5), size))


def test_samplers_and_evaluations_take_the_store(root):
    store = weizmann.load(root, image_size=SIZE)
    sampler = WindowSampler(store, batch_size=3, num_frames=4, flip=True)
    assert sampler.next_batch().videos.shape == (3, 3, 4, SIZE, SIZE)
    described = json.loads(json.dumps(sampler.describe()))
    assert described["subset"] == "train" and described["fold"] == 1 and described["clips"] == 28
    assert "28 clips (train), 16 px" in describe_store(store)
    (windows,) = from_store(store, num_frames=4)(0, 5)
    assert windows.shape == (5, 3, 4, SIZE, SIZE) and windows.dtype == torch.float32
    assert "28 clips of 4 classes" in store.summary()


def test_what_is_missing_is_named(root):
    with pytest.raises(FileNotFoundError, match=r"nowhere: no such directory; .*0 \(wave1\), .*4 \(bend\)"):
        weizmann.load(root / "nowhere")
    folder = root / "actions" / "3"
    paths = sorted(folder.iterdir())
    paths[0].unlink()
    with pytest.raises(weizmann.WeizmannError, match=r"actions.3 has 17 pictures.*mirror image"):
        weizmann.load(root)
    for path in paths[1:]:
        path.unlink()
    (folder / "notes.txt").write_text("nothing to see")
    with pytest.raises(FileNotFoundError, match=r"actions.3: no pictures there"):
        weizmann.load(root)
    (folder / "notes.txt").unlink()
    folder.rmdir()
    with pytest.raises(FileNotFoundError, match=r"actions.3: no such folder"):
        weizmann.load(root)


def test_what_cannot_be_read_is_named_and_never_costs_the_others(root, caplog):
    path = root / "actions" / "1" / "10.jpg"
    options = {"image_size": SIZE}
    whole = weizmann.load(root, **options)
    noise = strip(np.random.default_rng(0).integers(0, 256, (9, SIZE, SIZE, 3), dtype=np.uint8))

    def cut(format):
        noise.save(path, format=format)
        path.write_bytes(path.read_bytes()[:400])

    def link():
        path.unlink()
        path.symlink_to("nowhere")

    for damage, message in (
        (lambda: strip(clip(1, 1)).crop((0, 0, 50, SIZE)).save(path, format="PNG"), "50×16 pixels are no strip"),
        (lambda: strip(clip(1, 1)).crop((0, 0, SIZE, 9 * SIZE)).save(path, format="PNG"), "16×144 pixels are no strip"),
        (lambda: path.write_bytes(b""), "cannot be read (not a JPEG or PNG picture); fetch it again"),
        (lambda: path.write_bytes(b"<html>not found</html>"), "cannot be read (not a JPEG or PNG picture)"),
        (lambda: noise.save(path, format="GIF"), "cannot be read (not a JPEG or PNG picture)"),
        (lambda: cut("JPEG"), "cannot be read ("),
        (lambda: cut("PNG"), "cannot be read ("),
        (link, "not a file; fetch it again"),
    ):
        damage()
        store = weizmann.load(root, **options)
        (skipped,) = store.skipped
        assert skipped["name"] == "v_wave2_g02_c01" and skipped["reason"].startswith(f"{path}: {message}")
        assert f"skipped v_wave2_g02_c01: {path}" in caplog.text
        kept = [i for i, name in enumerate(whole.names) if name != skipped["name"]]
        assert store.names == [whole.names[i] for i in kept]
        assert all(np.array_equal(store[n], whole[i]) for n, i in enumerate(kept))
        assert store.labels.tolist() == whole.labels[kept].tolist()
    for other in (root / "actions").glob("*/*.jpg"):
        other.unlink()
        other.write_text("no picture")
    with pytest.raises(weizmann.WeizmannError, match=r"not one of 28 strips can be read; the first: .*0.0\.jpg"):
        weizmann.load(root, **options)


def test_options_that_make_no_sense_are_refused(root):
    with pytest.raises(ValueError, match="subset 'tests' is unknown: did you mean 'test'"):
        weizmann.load(root, subset="tests")
    with pytest.raises(ValueError, match=r"fold 11 is unknown: .*'1', '2'"):
        weizmann.load(root, fold=11)
    with pytest.raises(ValueError, match="min_frames needs check=True"):
        weizmann.index(root, min_frames=3, check=False)
    with pytest.raises(ValueError, match="image_size must be a whole number"):
        weizmann.load(root, image_size=0)


def test_a_part_of_the_data_set_is_not_taken_for_the_whole(root):
    for path in (root / "actions" / "4").glob("*.jpg"):
        if int(path.stem) >= 8 * 7:
            path.unlink()
    with pytest.raises(
        weizmann.WeizmannError, match=r"actions.4 has clips of 7 people, and 0 of 9: .*download_weizmann"
    ):
        weizmann.strips(root)
    for path in (root / "actions").glob("*/*.jpg"):
        if int(path.stem) >= 8 * 7:
            path.unlink()
    for fold, named in ((1, "person 8 and person 9"), (10, "person 9")):
        with pytest.raises(weizmann.WeizmannError, match=f"fold {fold} holds out {named}, and .* of 7 people"):
            weizmann.index(root, fold=fold)
    assert len(weizmann.index(root, subset="all").clips) == 28 and len(weizmann.index(root, fold=2).clips) == 24


@pytest.mark.parametrize("subset", ["train", "test"])
@pytest.mark.parametrize("size", [SIZE, 8])
def test_a_store_on_the_disk_is_the_one_in_memory(root, tmp_path, subset, size):
    loaded = weizmann.load(root, image_size=size, subset=subset, fold=3)
    index = weizmann.index(root, subset=subset, fold=3)
    prepared = prepare(index, tmp_path / "store", image_size=size, workers=2, progress=False)
    for key in ("frames", "offsets", "lengths", "labels", "fps"):
        assert np.array_equal(getattr(prepared, key), getattr(loaded, key))
    for key in ("names", "class_names", "parameters", "skipped"):
        assert getattr(prepared, key) == getattr(loaded, key)
    assert [clip.num_frames for clip in index.clips] == loaded.lengths.tolist()
    every_other = prepare(index, tmp_path / "every-other", image_size=size, stride=2, progress=False)
    assert np.array_equal(every_other[1], loaded[1][::2]) and set(every_other.fps) == {12.5}


def test_preparing_names_what_is_wrong_and_notices_what_changes(root, tmp_path):
    path = root / "actions" / "1" / "10.jpg"
    whole = path.read_bytes()
    path.write_bytes(whole[:60])
    index = weizmann.index(root)
    assert len(index.clips) == 27 and index.unreadable[0].startswith("v_wave2_g02_c01: cannot be read (")
    assert "27 of 28 listed clips can be used, from 4 of 4 classes" in index.summary()
    with pytest.raises(weizmann.WeizmannError, match=r"unreadable: 1 .*\nunreadable: v_wave2_g02_c01: cannot be read"):
        weizmann.index(root, strict=True)
    store = prepare_beside(root, image_size=SIZE, progress=False)
    assert store.directory == root.with_name(f"{root.name}-{SIZE}")
    assert [entry["name"] for entry in store.skipped] == ["v_wave2_g02_c01"] and len(store) == 27
    path.write_bytes(whole)
    with pytest.raises(ValueError, match="1 changed: v_wave2_g02_c01"):
        prepare_beside(root, image_size=SIZE, progress=False)
    assert len(weizmann.index(root, min_frames=8).too_short) == sum(4 + k + n < 8 for k in range(4) for n in range(7))


def test_a_data_set_is_known_by_what_is_there(root, tiny_actions):
    assert weizmann.is_at(root) and weizmann.is_at(root / "actions")
    assert index_clips(root, check=False).data_set == "Weizmann"
    assert not weizmann.is_at(tiny_actions) and not weizmann.is_at(tiny_actions.parent)
    assert index_clips(tiny_actions, check=False).data_set == "UCF-101"
    for name in ("1", "3", "4"):
        shutil.rmtree(root / "actions" / name)
    with pytest.raises(FileNotFoundError, match=r"1: no such folder; .*download_weizmann"):  # it is half of this one
        index_clips(root)
    for place in (root / "nowhere", root / "actions" / "0"):
        with pytest.raises(FileNotFoundError, match=r"ucfTrainTestlist.*\. Nor are the Weizmann actions there"):
            index_clips(place)


def test_the_real_films(weizmann_root):
    store = weizmann.load(weizmann_root, subset="all")
    assert len(store) == 36 and store.image_size == 64
    assert (store.lengths.min(), store.lengths.max()) == (51, 146)
    assert np.bincount(store.labels).tolist() == [9, 9, 9, 9]
    train, test = (weizmann.load(weizmann_root, subset=subset) for subset in ("train", "test"))
    assert (len(train), len(test)) == (28, 8)


def test_a_real_mirror_image_is_one(weizmann_root):
    store = weizmann.load(weizmann_root, subset="all", mirrored=True)
    assert len(store) == 72
    for number in range(0, len(store), 2):
        original, mirror = store[number].astype(int), store[number + 1].astype(int)
        # Of the same length; and, whatever the pictures were compressed by, much nearer flipped than as it is.
        error = np.abs(original[:, :, ::-1] - mirror).mean()
        assert error < 2 and error < np.abs(original - mirror).mean() / 3


def test_the_order_of_real_files_says_what_the_manifest_says(weizmann_root):
    manifest = weizmann_root / "manifest.csv"
    if not manifest.is_file():
        pytest.skip(f"{weizmann_root} has no manifest.csv; MoCoGAN's own repository has none")
    with manifest.open(newline="") as file:
        rows = {
            row["file"]: (row["action"], int(row["person"]), row["mirrored"] == "1") for row in csv.DictReader(file)
        }
    listed = {
        strip.path.relative_to(weizmann_root).as_posix(): (strip.class_name, strip.person, strip.mirrored)
        for strip in weizmann.strips(weizmann_root)
    }
    assert listed == rows
