"""A store of clips: every frame of a subset in one memory-mapped uint8 array, with an index beside it.

A store is a directory of two files. `frames.npy` holds the frames of all clips one after the other, (total, H, W, 3);
numpy reads it with `np.load("frames.npy", mmap_mode="r")`. `index.json` says where each clip lies in it, what it shows,
which file it came from and how it was made. A store is built under another name, and renamed when it is whole and on
the disk: a store under its proper name is complete.

Opening one checks that its index is sound, and that the frames have the length and the shape that the index says: what
was cut short, exchanged or badly edited is refused. Frames are not read for that, and have no hash: a pixel that a
failing disk has changed, or one valid label instead of another, is not noticed.
"""

import contextlib
import json
import operator
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, SupportsIndex

import numpy as np

from ldvd_lib._kit.configuration import check_type, load_json
from ldvd_lib._kit.files import behind_link, to_disk, writing

FORMAT = 1
FRAMES, INDEX = "frames.npy", "index.json"

_REMEDY = "was it cut short or edited? Remove the store, and make it again"


@dataclass(frozen=True, eq=False)
class ClipStore:
    """The clips of a subset as arrays. `len(store)` counts them; `store[i]` is clip i, (T, H, W, 3) uint8.

    Attributes:
        frames: (total, H, W, 3) uint8, all clips one after the other; read-only where it is memory-mapped.
        offsets: (num_clips,) int64, where each clip begins in `frames`.
        lengths: (num_clips,) int64, how many frames it has.
        labels: (num_clips,) int64, its class, an index into `class_names`.
        fps: (num_clips,) float64, its stored frames per second.
        names: its name in UCF-101; no two are alike.
        class_names: the class list.
        parameters: what the store was made with: image_size, stride, subset, fold.
        skipped: a dictionary with "name" and "reason" for each clip that could not be used.
        directory: where it is on disk; None for a store in memory.

    Raises:
        ValueError: the columns do not fit together, naming the first clip that is wrong.
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

    def __post_init__(self) -> None:
        total, classes = len(self.frames), len(self.class_names)
        if self.frames.dtype != np.uint8 or self.frames.ndim != 4 or self.frames.shape[-1] != 3 or not self.frames.size:
            raise ValueError(f"frames are {self.frames.dtype} {self.frames.shape}, expected uint8 (total, H, W, 3)")
        columns = {key: getattr(self, key) for key in ("offsets", "lengths", "labels", "fps")}
        for key, column in columns.items():
            kinds, number = ("iuf", "number") if key == "fps" else ("iu", "whole number")
            if column.shape != (len(self.names),) or not column.size or column.dtype.kind not in kinds:
                expected = f"a {number} for each of {len(self.names)} clips, and at least one clip"
                raise ValueError(f"{key} are {column.dtype} {column.shape}, expected {expected}")
        if len(set(self.names)) < len(self.names):
            raise ValueError("two clips have the same name")
        self._require("lengths", (self.lengths >= 1) & (self.lengths <= total), f"1 to {total} frames")
        # Within the frames alone is not enough: a wrong place among them is another clip's.
        self._require("offsets", self.offsets == np.cumsum(self.lengths) - self.lengths, "the end of the clip before")
        if self.lengths.sum() != total:
            raise ValueError(f"the clips have {self.lengths.sum()} frames, and {total} are there")
        self._require("labels", (self.labels >= 0) & (self.labels < classes), f"an index into {classes} class_names")
        self._require("fps", np.isfinite(self.fps) & (self.fps > 0), "a finite number above 0")

    def _require(self, key: str, fits: np.ndarray, expected: str) -> None:
        if not fits.all():
            first = int(fits.argmin())
            value = getattr(self, key)[first]
            raise ValueError(f"{key} has {value} for clip {first} ({self.names[first]}), expected {expected}")

    @classmethod
    def open(cls, directory: str | Path, **expected: Any) -> "ClipStore":
        """Open a store, memory-mapped and read-only. Nothing is written: it may lie in a place that is read-only.

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
        document = read_index(directory)
        _check_parameters(directory, document["parameters"], expected)
        frames = _open_frames(directory / FRAMES, document["shape"])

        def column(key: str, *types: type) -> list:
            values = [clip[key] for clip in document["clips"]]
            if not set(map(type, values)) <= set(types):
                raise ValueError(f"{key} must be {types[-1].__name__} for every clip")
            return values

        try:
            return cls(
                frames=frames,
                offsets=np.array(column("offset", int), dtype=np.int64),
                lengths=np.array(column("length", int), dtype=np.int64),
                labels=np.array(column("label", int), dtype=np.int64),
                fps=np.array(column("fps", int, float), dtype=np.float64),
                names=column("name", str),
                class_names=document["class_names"],
                parameters=document["parameters"],
                skipped=document["skipped"],
                directory=directory,
            )
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            reason = f"a clip has no {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"{directory / INDEX}: {reason}; {_REMEDY}") from error

    @classmethod
    def from_clips(
        cls,
        clips: Sequence[np.ndarray] | np.ndarray,
        *,
        labels: Sequence[int] | None = None,
        class_names: Sequence[str] = ("clip",),
        fps: float = 25.0,
        names: Sequence[str] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> "ClipStore":
        """Make a store in memory from arrays.

        Args:
            clips: each (T, H, W, 3) uint8; lengths may differ, heights and widths may not.
            labels: the class of each, an index into `class_names`; default 0.
            class_names: the class list.
            fps: their frames per second.
            names: of the clips, no two alike; default such as UCF-101 has, by class and number.
            parameters: what the clips were made with, besides their image_size.

        Returns:
            The store. Its frames are copies, or those of `clips` itself if that is one array, (N, T, H, W, 3).

        Raises:
            ValueError: there is no clip, one has another shape or dtype, or the labels or names do not fit.
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
        if names is None:
            names = [f"v_{class_names[label]}_g{number:02}_c01" for number, label in enumerate(column)]
        lengths = np.array([len(clip) for clip in clips], dtype=np.int64)
        return cls(
            frames=clips.reshape(-1, *size) if isinstance(clips, np.ndarray) else np.concatenate(clips),
            offsets=np.cumsum(lengths) - lengths,
            lengths=lengths,
            labels=column,
            fps=np.full(len(clips), float(fps)),
            names=list(names),
            class_names=list(class_names),
            parameters={"image_size": size[0], **(parameters or {})},
            skipped=[],
        )

    @classmethod
    def is_at(cls, directory: str | Path) -> bool:
        """Whether a directory holds a finished store, which `open` opens."""
        return (Path(directory) / INDEX).is_file()

    def save(self, directory: str | Path) -> "ClipStore":
        """Write the store into a directory of its own, whole or not at all.

        Args:
            directory: where to put it; it must not be there yet, or be empty. The directory above it is made. A
                symbolic link leads to where it is put.

        Returns:
            The store as `open` opens it: from the disk, memory-mapped and read-only.

        Raises:
            FileExistsError: the directory holds something.
            OSError: it cannot be written there; a full disk, for example.
        """
        place = behind_link(directory)
        make_way(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        columns = (self.names, self.labels.tolist(), self.fps.tolist(), self.offsets.tolist(), self.lengths.tolist())
        clips = [  # no source: they were not made from a file each
            {"name": name, "source": None, "label": label, "fps": fps, "offset": offset, "length": length}
            for name, label, fps, offset, length in zip(*columns, strict=True)
        ]
        # A name of its own, and not that of an unfinished store: another process may be preparing one there.
        with writing(place), tempfile.TemporaryDirectory(prefix=f".{place.name}-", dir=place.parent) as space:
            building = Path(space) / place.name
            building.mkdir()
            with (building / FRAMES).open("wb") as file:
                write_header(file, self.frames.shape)
                file.write(np.ascontiguousarray(self.frames).data)
            to_disk(building / FRAMES)
            write_index(building, self.frames.shape, self.parameters, self.class_names, clips, self.skipped)
            try:
                move_into_place(building, place)
            except OSError:
                make_way(place)  # says so if another has put something there meanwhile
                raise
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
            lines.append(f"  skipped: {len(self.skipped):,} ({first_names([entry['name'] for entry in self.skipped])})")
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


def read_index(directory: Path) -> dict[str, Any]:
    """The index of a store. Its clips are a list of anything: `ClipStore.open` looks at them, column by column.

    Raises:
        FileNotFoundError: there is no finished store.
        ValueError: the index is damaged, or of another format.
    """
    path = directory / INDEX
    if not path.is_file():
        hint = "it is unfinished: prepare it again to go on" if partial_of(directory).is_dir() else "prepare it first"
        raise FileNotFoundError(f"{directory}: no store of clips there; {hint}")
    document = load_json(path)
    found = document.get("format") if isinstance(document, dict) else None
    if found != FORMAT:
        raise ValueError(f"{path} has format {found!r}, expected {FORMAT}; prepare it again")
    try:
        check_type("parameters", document.get("parameters"), dict[str, Any])
        check_type("shape", document.get("shape"), list[int])
        check_type("class_names", document.get("class_names"), list[str])
        for key in ("clips", "skipped"):
            if not isinstance(document.get(key), list):
                raise ValueError(f"{key} must be a list")
        for entry in document["skipped"]:
            check_type("skipped", entry, dict[str, Any])
            for key in ("name", "reason"):
                check_type(f"{key} of a skipped clip", entry.get(key), str)
        if document["parameters"].get("image_size") not in document["shape"][1:2]:
            raise ValueError("image_size is not that of the frames")
    except ValueError as error:
        raise ValueError(f"{path}: {error}; {_REMEDY}") from error
    return document


def write_index(
    directory: Path,
    shape: Sequence[int],
    parameters: dict[str, Any],
    class_names: list[str],
    clips: list[dict[str, Any]],
    skipped: list[dict[str, Any]],
) -> None:
    """Write the index of a store, and bring it to the disk."""
    document = {
        "format": FORMAT,
        "parameters": parameters,
        "shape": list(shape),
        "class_names": class_names,
        "clips": clips,
        "skipped": skipped,
    }
    (directory / INDEX).write_text(json.dumps(document, indent=1) + "\n")
    to_disk(directory / INDEX)


def write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Write the .npy header of frames, the same number of bytes whatever their number."""
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def make_way(directory: Path) -> None:
    """Remove an empty directory where a store is to be; refuse to touch another.

    Raises:
        FileExistsError: it holds a store, or something else.
    """
    if ClipStore.is_at(directory):
        raise FileExistsError(f"{directory} has a store of clips already; open that, or name another directory")
    with contextlib.suppress(FileNotFoundError):  # it need not be there, and another may remove it first
        if directory.exists():
            if not directory.is_dir() or any(directory.iterdir()):
                raise FileExistsError(f"{directory} exists and is not a store of clips; name another directory")
            directory.rmdir()


def move_into_place(building: Path, directory: Path) -> None:
    """Give a finished directory its name, once all of it is on the disk."""
    to_disk(building)
    building.replace(directory)
    to_disk(directory.parent)


def partial_of(directory: Path) -> Path:
    """Where a store is while `prepare` builds it."""
    place = behind_link(directory)
    return place.with_name(place.name + ".partial")


def first_names(names: list[str]) -> str:
    """The first three, for a message."""
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _open_frames(path: Path, shape: list[int]) -> np.ndarray:
    """The frames, mapped read-only: only a file as long as its header and the index say is one."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file beside the index; remove the store, and make it again")
    try:
        frames = np.lib.format.open_memmap(path, mode="r")
    except OSError:
        raise
    except Exception as error:  # of a damaged header, NumPy raises nearly anything
        raise ValueError(f"{path} cannot be read as an array ({error}): {_REMEDY}") from error
    # Written in another order, the same bytes would be other pictures.
    if frames.dtype != np.uint8 or list(frames.shape) != shape or not frames.flags.c_contiguous:
        raise ValueError(f"{path} is {frames.dtype} {list(frames.shape)}, its index says uint8 {shape}; {_REMEDY}")
    expected, found = frames.offset + frames.nbytes, path.stat().st_size
    if found != expected:
        raise ValueError(f"{path} has {found:,} bytes, expected {expected:,}; {_REMEDY}")
    return frames


def _check_parameters(directory: Path, made_with: dict[str, Any], expected: dict[str, Any]) -> None:
    unknown = sorted(expected.keys() - made_with.keys())
    if unknown:
        raise ValueError(f"a store has no parameter {', '.join(unknown)}; it has {', '.join(made_with)}")
    differing = [name for name, value in expected.items() if made_with[name] != value]
    if differing:
        has = ", ".join(f"{name}={made_with[name]!r}" for name in differing)
        wanted = ", ".join(f"{name}={expected[name]!r}" for name in differing)
        raise ValueError(f"the store at {directory} was made with {has}, not {wanted}; prepare another directory")
