"""The videos of a data set decoded into a store, each once, whatever is wrong with some or stops the process."""

import contextlib
import logging
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from tqdm.auto import tqdm

from ldvd_lib._kit.checks import whole_number
from ldvd_lib._kit.files import behind_link, writing
from ldvd_lib._kit.lock import making
from ldvd_lib._kit.machine import cores
from ldvd_lib.data import decode
from ldvd_lib.data._unfinished import JOURNAL, UnfinishedStore, fingerprint, is_unchanged
from ldvd_lib.data.clips import Clip, ClipIndex
from ldvd_lib.data.indexing import index_clips
from ldvd_lib.data.store import FRAMES, ClipStore, first_names, make_way, move_into_place, partial_of, read_index

logger = logging.getLogger(__name__)

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def prepare(
    index: ClipIndex,
    directory: str | Path,
    *,
    image_size: int,
    stride: int = 1,
    workers: int | None = None,
    progress: bool = True,
) -> ClipStore:
    """Decode the clips of an index into a store, or open the store if it is there already.

    A run that was interrupted, even killed, is continued by the next; if another process is at it, this one waits. A
    clip that cannot be decoded is skipped, logged and named in the store's index; it never costs the others.

    Args:
        index: the clips, from `index_clips`.
        directory: where to put the store. A symbolic link leads to where it is put.
        image_size: height and width of the stored frames in pixels (centre crop, antialiased resize).
        stride: keep every stride-th frame of each clip.
        workers: clips decoded at the same time; None for one per core that this process may use. They are threads:
            decoding, conversion and resizing run outside Python's lock, and threads work the same in a notebook and in
            a script.
        progress: show a progress bar.

    Returns:
        The opened store. If it was there already, nothing is written: it may lie in a place that is read-only.

    Raises:
        ValueError: a number is not a whole one above 0; no clip can be used; or there is a store already, which is
            damaged, or made with other parameters or from files that have changed since.
        OSError: the disk has too little space.
    """
    workers = cores() if workers is None else workers
    for name, value in (("image_size", image_size), ("stride", stride), ("workers", workers)):
        whole_number(name, value, least=1)
    if not index.clips:
        raise ValueError(f"there is nothing to prepare. {index.summary()}")
    directory = Path(directory)
    parameters = {"image_size": image_size, "stride": stride, "subset": index.subset, "fold": index.fold}
    is_new = False
    if not ClipStore.is_at(directory):
        with making(behind_link(directory)):
            if not ClipStore.is_at(directory):
                _build(index, behind_link(directory), parameters, workers, progress)
                is_new = True
    with contextlib.suppress(OSError):  # nothing reads it any more, so that a read-only place may keep it
        (directory / JOURNAL).unlink()
    store = ClipStore.open(directory, **parameters)
    if not is_new:
        _check_sources(directory, index.clips)
    return store


def prepare_beside(
    root: str | Path, *, image_size: int, subset: str = "train", fold: int = 1, progress: bool = True
) -> ClipStore:
    """Index a data set and prepare a subset of it into a store beside it, or open that store.

    Args:
        root: a data set that `index_clips` knows; the store of ``data/actions`` at 32 px is ``data/actions-32``, also
            where ``data/actions`` is a symbolic link.
        image_size: height and width of the stored frames in pixels.
        subset: "train", "test" or "all"; the name of the store of any but the first ends in it.
        fold: which of the data set's splits; the name of the store of any but the first says which.
        progress: show a progress bar.

    Returns:
        The store.

    Raises:
        FileNotFoundError, ValueError, OSError: as `index_clips` and `prepare`.
    """
    # A name for "." and ".."; but links stay, since they may lead to a shared disk where one must not write.
    root = Path(os.path.abspath(root))  # noqa: PTH100 - `resolve` would follow links
    suffix = ("" if fold == 1 else f"-fold{fold}") + ("" if subset == "train" else f"-{subset}")
    directory = root.with_name(f"{root.name}-{image_size}{suffix}")
    # Not checked first: decoding finds what cannot be read, and that is one pass over the files instead of two.
    index = index_clips(root, subset=subset, fold=fold, check=False)
    return prepare(index, directory, image_size=image_size, progress=progress)


def _build(index: ClipIndex, directory: Path, parameters: dict[str, Any], workers: int, progress: bool) -> None:
    make_way(directory)
    building = partial_of(directory)
    building.mkdir(parents=True, exist_ok=True)
    with writing(building / FRAMES), UnfinishedStore(building, parameters, index.clips) as unfinished:
        _decode_into(unfinished, index.clips, workers, progress)
        unfinished.finish(index)
    move_into_place(building, directory)


def _decode_into(unfinished: UnfinishedStore, clips: list[Clip], workers: int, progress: bool) -> None:
    image_size, stride = unfinished.parameters["image_size"], unfinished.parameters["stride"]
    done = len(unfinished.records)
    if done:
        logger.info("continuing %s: %d of %d clips are there", unfinished.directory, done, len(clips))
    rest = clips[done:]
    pool = ThreadPoolExecutor(workers)
    bar = tqdm(desc="Decoding clips", total=len(clips), initial=done, unit="clip", disable=not progress)
    try:
        num_frames = sum(-(-frames // stride) for frames in pool.map(_count_frames, rest))
        _check_space(unfinished.directory, num_frames * image_size**2 * 3)
        decode_clip = partial(_decode_clip, image_size=image_size, stride=stride)
        for record, frames in _map_ahead(pool, decode_clip, rest, ahead=2 * workers):
            if frames is None:
                logger.warning("skipped %s: %s", record["name"], record["reason"])
            unfinished.append(record, frames)
            bar.update()
    finally:
        bar.close()
        pool.shutdown(cancel_futures=True)


def _decode_clip(clip: Clip, image_size: int, stride: int) -> tuple[dict[str, Any], np.ndarray | None]:
    """A clip's record and its frames, (T, H, W, 3) uint8, or None where they cannot be decoded."""
    record: dict[str, Any] = {"name": clip.name, "source": None}
    try:
        record["source"] = fingerprint(clip.path)
        info = clip.probe()
        frames = clip.decode(image_size=image_size, stride=stride)
    except (decode.DecodeError, OSError) as error:
        # Too little memory (of PyTorch a RuntimeError), or a disk in trouble, is no fault of the file: try again.
        if not isinstance(error, decode.DecodeError) or isinstance(error.__cause__, MemoryError | RuntimeError):
            record["source"] = None
        return record | {"reason": str(error).removeprefix(f"{clip.path}: ")}, None
    return record | {"label": clip.label, "fps": info.fps / stride}, frames


def _count_frames(clip: Clip) -> int:
    """How many frames a clip has; 0 if it cannot be used."""
    try:
        return clip.num_frames or clip.probe().num_frames
    except (decode.DecodeError, OSError):
        return 0


def _map_ahead(
    pool: ThreadPoolExecutor, function: Callable[[_Item], _Result], items: Iterable[_Item], ahead: int
) -> Iterator[_Result]:
    """Like `pool.map`, but with at most `ahead` results waiting in memory."""
    waiting: deque[Future[_Result]] = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) == ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _check_space(directory: Path, needed: int) -> None:
    free = shutil.disk_usage(directory).free
    if needed > free:
        raise OSError(
            f"the store needs {needed / 1e9:.2f} GB more, and there are {free / 1e9:.2f} GB free at {directory}; make "
            "room, or choose a smaller image_size or a larger stride"
        )


def _check_sources(directory: Path, clips: list[Clip]) -> None:
    """Raise if a store made of these clips now would be another than the one that is there."""
    document = read_index(directory)
    stored = {clip["name"]: clip.get("source") for clip in document["clips"]}
    sources = stored | {clip["name"]: clip.get("source") for clip in document["skipped"]}
    names = {clip.name for clip in clips}
    differences: dict[str, list[str]] = {"gone": [name for name in stored if name not in names]}
    for clip in clips:
        kind = None
        if isinstance(source := sources.get(clip.name), dict):
            kind = None if is_unchanged(source, clip.path) else "changed"
        elif clip.name in stored or clip.name not in sources:
            kind = "new"
        elif _count_frames(clip):  # skipped before it was read: no difference as long as it still cannot be used
            kind = "skipped then and usable now"
        if kind:
            differences.setdefault(kind, []).append(clip.name)
    listed = "; ".join(f"{len(names):,} {kind}: {first_names(names)}" for kind, names in differences.items() if names)
    if listed:
        raise ValueError(
            f"the clips are not those that the store at {directory} was made from ({listed}). Remove that "
            "directory to make it again, or name another"
        )
