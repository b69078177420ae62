"""How UCF-101 is laid out on disk: seeing whether it is complete, and putting files in their place safely.

The layout, which everything in :mod:`ldvd_lib.data` reads and writes::

    DIRECTORY/UCF-101/<Class>/v_<Class>_gNN_cNN.avi
    DIRECTORY/ucfTrainTestlist/classInd.txt, trainlist01.txt, testlist01.txt, ...
    DIRECTORY/download.json        what was fetched, from where, and its SHA-256
"""

import logging
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ldvd_lib._kit.configuration import load_json, save_json
from ldvd_lib._kit.files import remove_leftovers, to_disk
from ldvd_lib.data import ucf101
from ldvd_lib.data.archives import ArchiveError
from ldvd_lib.data.transfer import DownloadError

logger = logging.getLogger(__name__)

VIDEOS, SPLITS, RECEIPT = "UCF-101", "ucfTrainTestlist", "download.json"
_WORKSPACE = ".unpacking-"
_CLIP_NAME = re.compile(r"v_\w+_g\d+_c\d+\.avi", re.IGNORECASE)


@dataclass(frozen=True)
class Contents:
    """What a data set must hold to be complete; `unpacked_size` is in bytes, for the check of the disk."""

    num_clips: int
    num_classes: int
    folds: tuple[int, ...]
    unpacked_size: int = 0

    @property
    def split_files(self) -> list[str]:
        return ["classInd.txt", *(f"{part}list{fold:02d}.txt" for fold in self.folds for part in ("train", "test"))]


# Clips, classes and folds as the makers state them. Unpacked, the clips take hardly more than their archive of 6.93 GB.
OFFICIAL = Contents(num_clips=13_320, num_classes=101, folds=(1, 2, 3), unpacked_size=7_100_000_000)


@dataclass(frozen=True)
class Report:
    """How much of a data set is on disk; the lists hold names of files, clips and classes."""

    directory: Path
    expected: Contents
    num_clips: int
    num_classes: int
    missing_splits: list[str]
    faults: list[str]
    missing_classes: list[str]
    missing: list[str]
    empty: list[str]
    extra: list[str]

    @property
    def complete(self) -> bool:
        """Whether every expected clip and every split file is there. Extra clips do no harm."""
        return (
            self.num_clips == self.expected.num_clips
            and self.num_classes == self.expected.num_classes
            and not (self.missing_splits or self.faults or self.missing or self.empty)
        )

    def summary(self, limit: int = 5) -> str:
        """Say in a few lines what is there and what is missing, naming at most `limit` of each kind."""
        lines = [
            f"UCF-101 at {self.directory} is {'complete' if self.complete else 'not complete'}: {self.num_clips:,} of "
            f"{self.expected.num_clips:,} clips, {self.num_classes} of {self.expected.num_classes} classes"
        ]
        for heading, names in {
            "split files missing": self.missing_splits,
            "split files at fault": self.faults,
            "classes without a clip": self.missing_classes,
            "clips missing": self.missing,
            "clips empty, or no files": self.empty,
            "files that no list names": self.extra,
        }.items():
            if names:
                shown = ", ".join(names[:limit]) + (", ..." if len(names) > limit else "")
                lines.append(f"  {heading}: {len(names):,} ({shown})")
        return "\n".join(lines)


def verify(directory: str | Path, contents: Contents = OFFICIAL) -> Report:
    """See which clips and split files are in a directory, by name and size; no video is opened.

    Args:
        directory: the one with ``UCF-101/`` and ``ucfTrainTestlist/``; they need not be there.
        contents: what is expected.

    Returns:
        The report. It can name missing clips and classes only if the split files, which list them, are there.
    """
    directory = Path(directory)
    missing_splits = [name for name in contents.split_files if not (directory / SPLITS / name).is_file()]
    index, clips, class_names, missing, faults = None, [], [], [], []
    # One fold is enough to know the name of every clip.
    if not set(replace(contents, folds=(1,)).split_files) & set(missing_splits):
        try:
            class_names, missing = ucf101.read_classes(directory / SPLITS), listed_clips(directory / SPLITS)
            if not missing_splits:
                check_splits(directory / SPLITS, contents)
        except ValueError as error:
            faults = [str(error)]
    with suppress(FileNotFoundError):  # no clip at all
        try:
            index = ucf101.index(directory, subset="all", check=False) if missing else None
        except ValueError as error:
            missing, faults = [], [*faults, str(error)]
        if index:
            clips, missing = [clip.path for clip in index.clips], index.missing
        else:  # without lists, whatever is named like a clip
            _, paths = ucf101.find_videos(directory)
            clips = list({path.stem.lower(): path for path in paths if _CLIP_NAME.fullmatch(path.name)}.values())
    empty = sorted(path.stem for path in clips if _is_empty(path))
    classes = {path.stem[2:].rsplit("_", 2)[0].lower() for path in clips}
    return Report(
        directory=directory,
        expected=contents,
        num_clips=len(clips) - len(empty),
        num_classes=len(classes),
        missing_splits=missing_splits,
        faults=faults,
        missing_classes=[name for name in class_names if name.lower() not in classes],
        missing=missing,
        empty=empty,
        extra=index.extra if index else [],
    )


def _is_empty(path: Path) -> bool:
    """Whether there is nothing to read at a path: an empty file, a link to nowhere, a directory."""
    return not path.is_file() or path.stat().st_size == 0


def find_clips(tree: Path) -> dict[str, Path]:
    """Clips anywhere in a tree by ``<Class>/<file name>``; links, and files not named like a clip, are left out.

    Raises:
        ArchiveError: a clip is there twice.
    """
    clips: dict[str, Path] = {}
    for path in sorted(tree.rglob("*.avi")):
        if path.is_symlink() or not path.is_file() or not _CLIP_NAME.fullmatch(path.name):
            continue
        name = f"{path.parent.name}/{path.name}"
        if name in clips:
            raise ArchiveError(f"{name} is there twice, as {clips[name]} and as {path}; there must be one of each")
        clips[name] = path
    return clips


def listed_clips(splits: Path, fold: int = 1) -> list[str]:
    """Names of the clips that a fold lists for training or testing, which are all clips of the data set."""
    return ucf101.read_split(splits, "train", fold) + ucf101.read_split(splits, "test", fold)


def check_splits(splits: Path, contents: Contents) -> None:
    """Raise ArchiveError unless the list of classes and each fold have the expected number of different entries."""
    if (count := len(set(ucf101.read_classes(splits)))) != contents.num_classes:
        raise ArchiveError(f"{splits / 'classInd.txt'} lists {count} classes where {contents.num_classes} are expected")
    for fold in contents.folds:
        if (count := len(set(listed_clips(splits, fold)))) != contents.num_clips:
            raise ArchiveError(
                f"fold {fold} in {splits} lists {count:,} clips where {contents.num_clips:,} are expected"
            )


@contextmanager
def workspace(directory: Path) -> Iterator[Path]:
    """A directory to unpack in, on the disk of the data set. It is removed at the end, with those of killed runs.

    One at a time: the caller holds the lock of the data set.
    """

    def clear() -> None:
        for leftover in directory.glob(f"{_WORKSPACE}*"):
            shutil.rmtree(leftover, ignore_errors=True)

    directory.mkdir(parents=True, exist_ok=True)
    clear()
    try:
        # A new name each time: the unpacking program of a run that was killed may still be writing to the old one.
        yield Path(tempfile.mkdtemp(prefix=_WORKSPACE, dir=directory))
    finally:
        clear()


def install(files: dict[str, Path], target: Path, stage: Path) -> None:
    """Move files to ``target/<name>``: all at once, by way of `stage`, if there is no `target` yet; else one by one.

    Either way a kill or a power failure leaves no half-written file there, and installing the same files again
    completes what was broken off.
    """
    destination = target if target.exists() else stage
    for name, source in files.items():
        (destination / name).parent.mkdir(parents=True, exist_ok=True)
        to_disk(source)
        source.replace(destination / name)
    for directory in {(destination / name).parent for name in files} | {destination}:
        to_disk(directory)
    if destination != target:
        destination.replace(target)
    to_disk(target.parent)


def refuse_other_splits(files: dict[str, Path], target: Path) -> None:
    """Raise DownloadError if `target` has split files that differ from `files`: someone may train by them."""
    for name, source in files.items():
        own = target / name
        if own.exists() and own.read_bytes().split() != source.read_bytes().split():
            raise DownloadError(
                f"{own} is there already and lists something else than the file to be put in its place. "
                "Choose another directory, or move that file away."
            )


def read_receipt(directory: Path) -> dict[str, dict[str, Any]]:
    """What :func:`write_receipt` has kept in a directory, by entry; a warning tells of what is not legible."""
    path = directory / RECEIPT
    try:
        receipt = load_json(path)
        if not isinstance(receipt, dict):
            raise ValueError(f"{path} must hold an object, got a {type(receipt).__name__}")
    except FileNotFoundError:
        return {}
    except ValueError as error:
        logger.warning("%s: what was fetched before is not known", error)
        return {}
    for entry, facts in receipt.items():
        if not isinstance(facts, dict):
            logger.warning("%s: %r must be an object, got a %s: it is disregarded", path, entry, type(facts).__name__)
    return {entry: facts for entry, facts in receipt.items() if isinstance(facts, dict)}


def write_receipt(directory: Path, entry: str, facts: dict[str, Any]) -> None:
    """Keep facts about what was fetched under the name `entry`, beside those of other entries."""
    remove_leftovers(directory / RECEIPT)
    save_json({**read_receipt(directory), entry: facts}, directory / RECEIPT)
