"""Clips decoded once: every frame of a subset in one memory-mapped uint8 array, with an index beside it.

A store is a directory of two files. `frames.npy` holds the frames of all clips one after the other, (total, H, W, 3);
numpy reads it with `np.load("frames.npy", mmap_mode="r")`. `index.json` says where each clip lies in it, what it shows,
which file it came from and how it was made. The store is built as `<directory>.partial`, and renamed when it is whole
and on the disk: a store under its proper name is complete.
"""

import json
import logging
import operator
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, SupportsIndex, TypeVar

import numpy as np
from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from ldvd_lib._kit.checks import whole_number
from ldvd_lib._kit.files import to_disk
from ldvd_lib.data import decode, ucf101
from ldvd_lib.data._unfinished import FORMAT, FRAMES, INDEX, JOURNAL, UnfinishedStore, fingerprint, is_unchanged
from ldvd_lib.data.ucf101 import Clip, UCF101Index

logger = logging.getLogger(__name__)

_LOCK = "lock"

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False)
class ClipStore:
    """The clips of a subset as arrays. `len(store)` counts them; `store[i]` is clip i, (T, H, W, 3) uint8.

    Attributes:
        frames: (total, H, W, 3) uint8, all clips one after the other; read-only where it is memory-mapped.
        offsets: (num_clips,) int64, where each clip begins in `frames`.
        lengths: (num_clips,) int64, how many frames it has.
        labels: (num_clips,) int64, its class, an index into `class_names`.
        fps: (num_clips,) float64, its stored frames per second.
        names: its name in UCF-101.
        class_names: the class list.
        parameters: what the store was made with: image_size, stride, subset, fold.
        skipped: a dictionary with "name" and "reason" for each clip that could not be used.
        directory: where it is on disk; None for a store in memory.
    """

    frames: np.ndarray
    offsets: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray
    fps: np.ndarray
    names: list[str]
    class_names: list[str]
    parameters: dict[str, Any]
    skipped: list[dict[str, Any]]
    directory: Path | None = None

    @classmethod
    def open(cls, directory: str | Path, **expected: Any) -> "ClipStore":
        """Open a store, memory-mapped and read-only.

        Args:
            directory: the directory that `prepare` wrote.
            expected: parameters that the store must have been made with, such as image_size=64 or subset="train".

        Returns:
            The store.

        Raises:
            FileNotFoundError: there is no finished store.
            ValueError: it was made with other parameters, or is damaged.
        """
        directory = Path(directory)
        document = _read_index(directory)
        _check_parameters(directory, document["parameters"], expected)
        frames = np.load(directory / FRAMES, mmap_mode="r")
        if list(frames.shape) != document["shape"]:
            raise ValueError(f"{directory / FRAMES} is {list(frames.shape)}, its index says {document['shape']}")

        def column(key: str, dtype: type) -> np.ndarray:
            return np.array([clip[key] for clip in document["clips"]], dtype=dtype)

        return cls(
            frames=frames,
            offsets=column("offset", np.int64),
            lengths=column("length", np.int64),
            labels=column("label", np.int64),
            fps=column("fps", np.float64),
            names=[clip["name"] for clip in document["clips"]],
            class_names=document["class_names"],
            parameters=document["parameters"],
            skipped=document["skipped"],
            directory=directory,
        )

    @classmethod
    def from_clips(
        cls,
        clips: Sequence[np.ndarray],
        *,
        labels: Sequence[int] | None = None,
        class_names: Sequence[str] = ("clip",),
        fps: float = 25.0,
    ) -> "ClipStore":
        """Make a store in memory from arrays.

        Args:
            clips: each (T, H, W, 3) uint8; lengths may differ, heights and widths may not.
            labels: the class of each, an index into `class_names`; default 0.
            class_names: the class list.
            fps: their frames per second.

        Returns:
            The store; its frames are copies.

        Raises:
            ValueError: there is no clip, one has another shape or dtype, or the labels do not fit.
        """
        if not len(clips):
            raise ValueError("clips is empty: a store needs at least one clip")
        size = np.shape(clips[0])[1:]
        for number, clip in enumerate(clips):
            if (
                clip.ndim != 4
                or clip.dtype != np.uint8
                or clip.shape[1:] != size
                or clip.shape[-1] != 3
                or not len(clip)
            ):
                raise ValueError(
                    f"clip {number} is {clip.dtype} of shape {clip.shape}: every clip must be uint8 (T, H, W, 3), "
                    "with the height and width of the first"
                )
        column = np.asarray([0] * len(clips) if labels is None else labels, dtype=np.int64)
        if column.shape != (len(clips),) or column.min() < 0 or column.max() >= len(class_names):
            raise ValueError(
                f"labels must be {len(clips)} indices into the {len(class_names)} class_names, got {column.tolist()}"
            )
        lengths = np.array([len(clip) for clip in clips], dtype=np.int64)
        return cls(
            frames=np.concatenate(clips),
            offsets=np.cumsum(lengths) - lengths,
            lengths=lengths,
            labels=column,
            fps=np.full(len(clips), float(fps)),
            names=[f"v_{class_names[label]}_g{number:02}_c01" for number, label in enumerate(column)],
            class_names=list(class_names),
            parameters={"image_size": size[0]},
            skipped=[],
        )

    @classmethod
    def is_at(cls, directory: str | Path) -> bool:
        """Whether a directory holds a finished store, which `open` opens."""
        return (Path(directory) / INDEX).is_file()

    def save(self, directory: str | Path) -> "ClipStore":
        """Write the store into a directory of its own, whole or not at all.

        Args:
            directory: where to put it; it must not be there yet, or be empty. The directory above it is made.

        Returns:
            The store as `open` opens it: from the disk, memory-mapped and read-only.

        Raises:
            FileExistsError: the directory holds something.
        """
        directory = Path(directory)
        _make_way(directory)
        directory.parent.mkdir(parents=True, exist_ok=True)
        columns = (self.names, self.labels, self.fps, self.offsets, self.lengths)
        document = {
            "format": FORMAT,
            "parameters": self.parameters,
            "shape": list(self.frames.shape),
            "class_names": self.class_names,
            "clips": [
                {
                    "name": name,
                    "source": None,  # not made from a file of its own
                    "label": int(label),
                    "fps": float(fps),
                    "offset": int(offset),
                    "length": int(length),
                }
                for name, label, fps, offset, length in zip(*columns, strict=True)
            ],
            "skipped": self.skipped,
        }
        # A name of its own, and not that of an unfinished store: another process may be preparing one there.
        with tempfile.TemporaryDirectory(prefix=f".{directory.name}-", dir=directory.parent) as space:
            building = Path(space) / directory.name
            building.mkdir()
            np.save(building / FRAMES, self.frames)
            (building / INDEX).write_text(json.dumps(document, indent=1) + "\n")
            for path in (building / FRAMES, building / INDEX, building):
                to_disk(path)
            building.replace(directory)
        to_disk(directory.parent)
        return ClipStore.open(directory)

    @property
    def image_size(self) -> int:
        """Height and width of a stored frame in pixels."""
        return self.frames.shape[1]

    def summary(self) -> str:
        """Say in a few lines what the store holds."""
        made_with = ", ".join(f"{name} {value}" for name, value in self.parameters.items())
        lines = [
            f"{len(self):,} clips of {len(set(self.labels.tolist()))} classes, {len(self.frames):,} frames "
            f"({self.frames.nbytes / 1e6:,.1f} MB) made with {made_with}",
            f"  lengths: {self.lengths.min()} to {self.lengths.max()} frames, median {np.median(self.lengths):.0f}",
        ]
        if self.skipped:
            lines.append(
                f"  skipped: {len(self.skipped):,} ({_first_names([entry['name'] for entry in self.skipped])})"
            )
        return "\n".join(lines)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, i: int) -> np.ndarray:
        """Clip i, (T, H, W, 3) uint8: a view, nothing is copied."""
        i = operator.index(i)
        if not -len(self) <= i < len(self):
            raise IndexError(f"the store has {len(self)} clips, asked for clip {i}")
        return self.frames[self.offsets[i] : self.offsets[i] + self.lengths[i]]

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        # Another process opens the files itself: pickling a memory map would send every frame through a pipe.
        return super().__reduce_ex__(protocol) if self.directory is None else (ClipStore.open, (self.directory,))


def prepare(
    index: UCF101Index,
    directory: str | Path,
    *,
    image_size: int,
    stride: int = 1,
    workers: int | None = None,
    progress: bool = True,
) -> ClipStore:
    """Decode the clips of an index into a store, or open the store if it is there already.

    A run that was interrupted, even killed, is continued by the next. A clip that cannot be decoded is skipped, logged
    and named in the store's index; it never costs the others.

    Args:
        index: the clips, from `ucf101.index`.
        directory: where to put the store.
        image_size: height and width of the stored frames in pixels (centre crop, antialiased resize).
        stride: keep every stride-th frame of each clip.
        workers: clips decoded at the same time; None for one per core. They are threads: decoding, conversion and
            resizing run outside Python's lock, and threads work the same in a notebook and in a script.
        progress: show a progress bar.

    Returns:
        The opened store.

    Raises:
        ValueError: a number is not a whole one above 0; no clip can be used; or there is a store already, made with
            other parameters or from files that have changed since.
        OSError: the disk has too little space, or another process is preparing the same store.
    """
    workers = (os.cpu_count() or 1) if workers is None else workers
    for name, value in (("image_size", image_size), ("stride", stride), ("workers", workers)):
        whole_number(name, value, least=1)
    if not index.clips:
        raise ValueError(f"there is nothing to prepare. {index.summary()}")
    directory = Path(directory)
    parameters = {"image_size": image_size, "stride": stride, "subset": index.subset, "fold": index.fold}
    if not ClipStore.is_at(directory):
        _build(index, directory, parameters, workers, progress)
    for leftover in (JOURNAL, _LOCK):
        (directory / leftover).unlink(missing_ok=True)
    store = ClipStore.open(directory, **parameters)
    _check_sources(directory, index.clips)
    return store


def prepare_beside(root: str | Path, *, image_size: int, subset: str = "train", progress: bool = True) -> ClipStore:
    """Index a data set and prepare a subset of its first split into a store beside it, or open that store.

    Args:
        root: a directory in UCF-101's layout; the store of ``data/actions`` at 32 px is ``data/actions-32``.
        image_size: height and width of the stored frames in pixels.
        subset: "train", "test" or "all"; the name of the store of any but the first ends in it.
        progress: show a progress bar.

    Returns:
        The store.

    Raises:
        FileNotFoundError, ValueError, OSError: as `ucf101.index` and `prepare`.
    """
    root = Path(root).resolve()
    suffix = "" if subset == "train" else f"-{subset}"
    directory = root.with_name(f"{root.name}-{image_size}{suffix}")
    # Not checked first: decoding finds what cannot be read, and that is one pass over the files instead of two.
    return prepare(ucf101.index(root, subset=subset, check=False), directory, image_size=image_size, progress=progress)


def _build(index: UCF101Index, directory: Path, parameters: dict[str, Any], workers: int, progress: bool) -> None:
    _make_way(directory)
    building = _partial(directory)
    building.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(building / _LOCK, timeout=0), UnfinishedStore(building, parameters, index.clips) as unfinished:
            _decode_into(unfinished, index.clips, workers, progress)
            unfinished.finish(index)
    except Timeout:
        raise BlockingIOError(f"another process is preparing {directory}; wait for it to finish") from None
    to_disk(building)
    building.replace(directory)
    to_disk(directory.parent)


def _make_way(directory: Path) -> None:
    """Remove an empty directory where a store is to be; refuse to touch another."""
    if ClipStore.is_at(directory):
        raise FileExistsError(f"{directory} has a store of clips already; open that, or name another directory")
    if directory.exists():
        if not directory.is_dir() or any(directory.iterdir()):
            raise FileExistsError(f"{directory} exists and is not a store of clips; name another directory")
        directory.rmdir()


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
        info = decode.probe(clip.path)
        frames = decode.decode(clip.path, image_size=image_size, stride=stride)
    except (decode.DecodeError, OSError) as error:
        return record | {"reason": str(error).removeprefix(f"{clip.path}: ")}, None
    return record | {"label": clip.label, "fps": info.fps / stride}, frames


def _count_frames(clip: Clip) -> int:
    try:
        return clip.num_frames or decode.probe(clip.path).num_frames
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
    """Raise if the clips are not the ones that the store was made from."""
    document = _read_index(directory)
    entries = document["clips"] + document["skipped"]
    sources = {entry["name"]: entry["source"] for entry in entries if entry.get("source")}
    names = {clip.name for clip in clips}
    differences = {
        "new": [clip.name for clip in clips if clip.name not in sources],
        "gone": [name for name in sources if name not in names],
        "changed": [
            clip.name for clip in clips if clip.name in sources and not is_unchanged(sources[clip.name], clip.path)
        ],
    }
    if any(differences.values()):
        listed = "; ".join(
            f"{len(names):,} {kind}: {_first_names(names)}" for kind, names in differences.items() if names
        )
        raise ValueError(
            f"the clips are not those that the store at {directory} was made from ({listed}). Remove that "
            "directory to make it again, or name another"
        )


def _first_names(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _check_parameters(directory: Path, made_with: dict[str, Any], expected: dict[str, Any]) -> None:
    unknown = sorted(expected.keys() - made_with.keys())
    if unknown:
        raise ValueError(f"a store has no parameter {', '.join(unknown)}; it has {', '.join(made_with)}")
    differing = [name for name, value in expected.items() if made_with[name] != value]
    if differing:
        has = ", ".join(f"{name}={made_with[name]!r}" for name in differing)
        wanted = ", ".join(f"{name}={expected[name]!r}" for name in differing)
        raise ValueError(f"the store at {directory} was made with {has}, not {wanted}; prepare another directory")


def _read_index(directory: Path) -> dict[str, Any]:
    path = directory / INDEX
    if not path.is_file():
        hint = "it is unfinished: prepare it again to go on" if _partial(directory).is_dir() else "prepare it first"
        raise FileNotFoundError(f"{directory}: no store of clips there; {hint}")
    document: dict[str, Any] = json.loads(path.read_text())
    if document.get("format") != FORMAT:
        raise ValueError(f"{path} has format {document.get('format')!r}, expected {FORMAT}; prepare it again")
    return document


def _partial(directory: Path) -> Path:
    return directory.with_name(directory.name + ".partial")
