"""Split and class lists, and stores of clips."""

import contextlib
import math
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import tiny

from kinds.kind import Kind, Result, wrong
from kinds.videos import moving_square, write_video
from ldvd_lib.data import ClipStore, WindowSampler, decode, prepare, ucf101

CLASSES = "ApplyEyeMakeup", "HandstandPushups", "YoYo"


def make_lists(directory: Path, number: int) -> None:
    """A data set of empty files: only their names matter to the lists."""
    lines: dict[str, list[str]] = {"classInd": [f"{label} {name}" for label, name in enumerate(CLASSES, 1)]}
    for label, name in enumerate(CLASSES, 1):
        (directory / "UCF-101" / name).mkdir(parents=True)
        for group in (1, 2, 3, 4):
            clip = f"{name}/v_{name}_g{group:02}_c{number + 1:02}.avi"
            (directory / "UCF-101" / clip).touch()
            is_test = group == 1
            lines.setdefault("testlist01" if is_test else "trainlist01", []).append(clip + f" {label}" * (not is_test))
    (directory / "ucfTrainTestlist").mkdir()
    for name, some in lines.items():
        (directory / "ucfTrainTestlist" / f"{name}.txt").write_text("\n".join(some) + "\n")


def use_lists(directory: Path) -> Result:
    indices = {subset: ucf101.index(directory, subset=subset, check=False) for subset in ("train", "test", "all")}
    return {
        subset: {
            "class_names": index.class_names,
            "clips": [(clip.name, clip.class_name, clip.label) for clip in index.clips],
            "missing": index.missing,
        }
        for subset, index in indices.items()
    }


def sound_lists(result: Result, expected: Result) -> str:
    """A line more or less, or a class by another name, cannot be noticed; what is listed must still make sense."""
    names = {subset: [name for name, _, _ in part["clips"]] for subset, part in result.items()}
    classes = result["train"]["class_names"]
    return wrong(
        each_clip_once=all(len(set(some)) == len(some) for some in names.values()),
        train_apart_from_test=not set(names["train"]) & set(names["test"]),
        classes_once=len({name.lower() for name in classes}) == len(classes) > 0,
        labels_of_their_classes=all(
            classes[label].lower() == clip[2:].rsplit("_", 2)[0].lower()
            for part in result.values()
            for clip, _, label in part["clips"]
        ),
        printable=all(name.isprintable() for name in (*classes, *names["all"])),
    )


def make_store(directory: Path, number: int) -> None:
    store = tiny.store()
    clips = [np.roll(clip, number) for clip in store][number:]
    ClipStore.from_clips(clips, labels=store.labels[number:], class_names=store.class_names).save(directory / "store")


def use_store(directory: Path) -> Result:
    return _contents(ClipStore.open(directory / "store"))


def _contents(store: ClipStore) -> Result:
    batch = WindowSampler(store, batch_size=4, num_frames=tiny.FRAMES, seed=0).next_batch()
    return {
        "summary": store.summary(),
        "clips": [np.array(clip) for clip in store],
        "offsets": store.offsets,
        "labels": store.labels.tolist(),
        "fps": store.fps.tolist(),
        "names": list(store.names),
        "class_names": list(store.class_names),
        "batch": batch.videos.numpy(),
    }


def sound_store(result: Result, expected: Result) -> str:
    """A pixel or a name cannot be noticed; where each clip lies in the file can."""
    return wrong(
        bytes_of_pixels=all(clip.dtype == np.uint8 for clip in result["clips"]),
        the_same_places=[clip.shape for clip in result["clips"]] == [clip.shape for clip in expected["clips"]]
        and result["offsets"].tolist() == expected["offsets"].tolist(),
        labels_of_classes=all(0 <= label < len(result["class_names"]) for label in result["labels"]),
        rates=all(0 < rate < math.inf for rate in result["fps"]),
        text=all(isinstance(name, str) for name in (*result["names"], *result["class_names"])),
        a_name_each=len(set(result["names"])) == len(result["clips"]),
        in_range=bool(np.isfinite(result["batch"]).all()) and abs(result["batch"]).max() <= 1,
    )


def make_unfinished_store(directory: Path, number: int) -> None:
    """A store whose making was interrupted in the fourth of six clips."""
    make_lists(directory, number)
    for path in directory.glob("UCF-101/*/*.avi"):
        write_video(path, moving_square(number, 6))
    decoded, decode_one = iter(range(3)), decode.decode

    def interrupted(*arguments: Any, **options: Any) -> np.ndarray:
        if next(decoded, None) is None:
            raise KeyboardInterrupt
        return decode_one(*arguments, **options)

    with mock.patch.object(decode, "decode", interrupted), contextlib.suppress(KeyboardInterrupt):
        use_unfinished_store(directory)
        raise AssertionError("the store was finished")


def use_unfinished_store(directory: Path) -> Result:
    index = ucf101.index(directory, check=False)
    return _contents(prepare(index, directory / "store", image_size=tiny.SIZE, workers=1, progress=False))


KINDS = {
    "split and class lists": Kind(make_lists, use_lists, ("ucfTrainTestlist/*.txt",), sound_lists),
    "store: index": Kind(make_store, use_store, ("store/index.json",), sound_store, ("frames.npy",)),
    "store: frames": Kind(make_store, use_store, ("store/frames.npy",), sound_store),
    "unfinished store": Kind(
        make_unfinished_store,
        use_unfinished_store,
        ("store.partial/journal.jsonl", "store.partial/frames.npy"),
        sound_store,
    ),
}
