"""The built-in data set rendered straight into a store of clips: no video files, hence no codec and no PyAV."""

import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from ldvd_lib._kit.checks import one_of, whole_number
from ldvd_lib._kit.files import behind_link
from ldvd_lib._kit.lock import making
from ldvd_lib._kit.machine import cores
from ldvd_lib.data import decode
from ldvd_lib.data.actions.clip import render_clip
from ldvd_lib.data.actions.factors import CLASSES, FRAME_RATE
from ldvd_lib.data.actions.files import FORMAT, ClipPlan, plan, tested_groups
from ldvd_lib.data.clips import SUBSETS
from ldvd_lib.data.store import ClipStore, make_way
from ldvd_lib.data.ucf101 import FOLDS

_PIECE = 6  # clips of one group rendered one after the other: their place is painted once, which costs as much as three


def render_store(
    directory: str | Path | None = None,
    *,
    image_size: int = 64,
    clips_per_class: int = 25,
    frames_per_clip: int = 40,
    subset: str = "train",
    fold: int = 1,
    seed: int = 0,
    workers: int | None = None,
    progress: bool = True,
) -> ClipStore:
    """Render the built-in data set, or a part of it, into a store of clips.

    The clips are those that `render` writes and `ldvd_lib.data.prepare` decodes: the same names, classes, groups and
    splits, cropped and resized the same way. Their pixels differ by what MPEG-4 loses, so that a store is made one way
    or the other, not in part by each.

    Args:
        directory: where to write the store, as `ClipStore.open` finds it; if it is there already, made with the same
            parameters, it is opened, and if another process is at it, this one waits. None keeps it in memory alone.
        image_size: height and width of the frames in pixels.
        clips_per_class: at least 2, so that there is one to train and one to test on.
        frames_per_clip: length of each clip.
        subset: "train", "test", or "all" for both together.
        fold: which of the three splits: 1, 2 or 3.
        seed: same seed, same frames, whatever the number of workers.
        workers: processes that render at the same time; None for one per core that this process may use. With 1,
            none is started. On macOS and Windows, a script that starts some calls this function below
            ``if __name__ == "__main__":``.
        progress: whether to show a progress bar.

    Returns:
        The store.

    Raises:
        ValueError: a parameter makes no sense, or the directory has a store that was made with others.
        FileExistsError: the directory holds something else.
    """
    one_of("subset", subset, SUBSETS)
    one_of("fold", fold, FOLDS)
    workers = cores() if workers is None else workers
    for name, value, least in (
        ("image_size", image_size, 1),
        ("clips_per_class", clips_per_class, 2),
        ("frames_per_clip", frames_per_clip, 1),
        ("seed", seed, 0),
        ("workers", workers, 1),
    ):
        whole_number(name, value, least=least)
    parameters: dict[str, Any] = {
        "image_size": image_size,
        "stride": 1,
        "subset": subset,
        "fold": fold,
        "source": "actions",
        "format": FORMAT,
        "clips_per_class": clips_per_class,
        "frames_per_clip": frames_per_clip,
        "seed": seed,
    }
    if directory is None:
        return _render(parameters, workers, progress)
    if not ClipStore.is_at(directory):
        with making(behind_link(directory)):
            if not ClipStore.is_at(directory):
                make_way(behind_link(directory))  # known before the clips are rendered
                _render(parameters, workers, progress).save(directory)
    return ClipStore.open(directory, **parameters)


def _render(parameters: dict[str, Any], workers: int, progress: bool) -> ClipStore:
    frames_per_clip, image_size = parameters["frames_per_clip"], parameters["image_size"]
    plans = plan(parameters["clips_per_class"], parameters["seed"])
    plans = _chosen(plans, parameters["subset"], parameters["fold"])
    frames = np.empty((len(plans), frames_per_clip, image_size, image_size, 3), dtype=np.uint8)
    bar = tqdm(desc="Rendering actions", total=len(plans), unit="clip", disable=not progress)
    with bar:
        for numbers, clips in _rendered(plans, frames_per_clip, image_size, workers):
            frames[numbers] = clips
            bar.update(len(numbers))
    return ClipStore.from_clips(
        frames,
        labels=[CLASSES.index(clip.motion.class_name) for clip in plans],
        class_names=CLASSES,
        fps=FRAME_RATE,
        names=[clip.name for clip in plans],
        parameters=parameters,
    )


def _chosen(plans: list[ClipPlan], subset: str, fold: int) -> list[ClipPlan]:
    """The clips of a subset, in the order in which `ldvd_lib.data.ucf101.index` lists them."""
    tested = tested_groups(max(clip.group for clip in plans), fold)
    parts = {
        "train": [clip for clip in plans if clip.group not in tested],
        "test": [clip for clip in plans if clip.group in tested],
    }
    return parts["train"] + parts["test"] if subset == "all" else parts[subset]


def _rendered(
    plans: list[ClipPlan], num_frames: int, image_size: int, workers: int
) -> Iterator[tuple[list[int], np.ndarray]]:
    """Positions in `plans`, and the clips that belong there, (n, T, H, W, 3) uint8; a few at a time."""
    by_group = sorted(range(len(plans)), key=lambda number: plans[number].group)
    groups = [list(numbers) for _, numbers in groupby(by_group, key=lambda number: plans[number].group)]
    pieces = [numbers[start : start + _PIECE] for numbers in groups for start in range(0, len(numbers), _PIECE)]
    tasks = [([plans[number] for number in piece], num_frames, image_size) for piece in pieces]
    if min(workers, len(tasks)) == 1:
        yield from zip(pieces, map(_render_piece, tasks), strict=True)
        return
    # Forked where that is safe and quick, as PyTorch's own workers are: a script needs no `if __name__ == "__main__"`
    # then. Each has a single thread, since threads of the parent's, which computed for it, are not there in the child.
    method = "fork" if sys.platform == "linux" else "spawn"
    pool = ProcessPoolExecutor(min(workers, len(tasks)), multiprocessing.get_context(method), initializer=_begin_work)
    try:
        yield from zip(pieces, pool.map(_render_piece, tasks), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_work() -> None:
    """Of a worker: a single thread for its work, and another that ends it when its parent is killed.

    A forked worker holds the files that its parent has open, and so its locks.
    """
    torch.set_num_threads(1)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _render_piece(task: tuple[list[ClipPlan], int, int]) -> np.ndarray:
    plans, num_frames, image_size = task
    videos = (render_clip(clip.content, clip.motion, num_frames) for clip in plans)
    return np.stack([decode.resize(decode.centre_square(video), image_size) for video in videos])
