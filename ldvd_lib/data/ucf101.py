"""UCF-101 on disk: which clips the official lists name, which are there, and what is wrong with the rest."""

import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm.auto import tqdm

from ldvd_lib._kit.checks import one_of
from ldvd_lib.data import decode

SUBSETS = ("train", "test", "all")
FOLDS = (1, 2, 3)
_SPLIT_DIRECTORY = "ucfTrainTestlist"
_SUFFIXES = {".avi", ".mp4", ".mkv", ".mov", ".mpg", ".webm"}  # official files are AVI; mirrors re-encode
_NAME = re.compile(r"v_.+_g\d+_c\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Clip:
    """One clip of UCF-101.

    `group` is the source video the clip was cut from and `number` its place in it: clips of one group share people and
    scenery, which is why the official splits never divide a group. `label` counts from 0, in the order of the class
    list. `num_frames` is None if the file has not been looked into.
    """

    name: str
    class_name: str
    group: int
    number: int
    label: int
    path: Path
    num_frames: int | None = None


@dataclass(frozen=True)
class UCF101Index:
    """The usable clips of a subset, and by name everything that keeps the others from being used."""

    root: Path
    subset: str
    fold: int
    clips: list[Clip]
    class_names: list[str]
    missing: list[str]
    extra: list[str]
    unreadable: list[str]
    too_short: list[str]

    def summary(self) -> str:
        """Say in a few lines what was found and what was not, with the first names of each kind."""
        listed = len(self.clips) + len(self.missing) + len(self.unreadable) + len(self.too_short)
        classes = len({clip.label for clip in self.clips})
        lines = [
            f"UCF-101 at {self.root}, subset {self.subset!r}, fold {self.fold}: {len(self.clips):,} of {listed:,} "
            f"listed clips can be used, from {classes} of {len(self.class_names)} classes"
        ]
        for heading, names in self._problems().items():
            if names:
                first_names = ", ".join(name.partition(":")[0] for name in names[:3])
                lines.append(f"  {heading}: {len(names):,} ({first_names}{', ...' if len(names) > 3 else ''})")
        return "\n".join(lines)

    def report(self) -> str:
        """Name every missing, extra, unreadable and too short clip, one a line; empty if there is none."""
        return "\n".join(f"{heading}: {name}" for heading, names in self._problems().items() for name in names)

    def _problems(self) -> dict[str, list[str]]:
        return {
            "missing": self.missing,
            "extra": self.extra,
            "unreadable": self.unreadable,
            "too short": self.too_short,
        }


class UCF101Error(ValueError):
    """A tree that differs from the official lists; `index` holds what was found all the same."""

    def __init__(self, index: UCF101Index) -> None:
        super().__init__(f"{index.summary()}\n{index.report()}")
        self.index = index


def read_classes(split_directory: str | Path) -> list[str]:
    """Read the class list, classInd.txt.

    Args:
        split_directory: the directory `ucfTrainTestlist` of the official split archive.

    Returns:
        Class names in the order of their labels: the class that the file numbers 1 comes first.
    """
    path = Path(split_directory) / "classInd.txt"
    numbered: dict[int, str] = {}
    for line in _lines(path):
        number, _, name = line.partition(" ")
        if not number.isdigit() or not name:
            raise ValueError(f"{path}: expected lines like '1 ApplyEyeMakeup', found {line!r}")
        numbered[int(number)] = name.strip()
    if sorted(numbered) != list(range(1, len(numbered) + 1)):
        raise ValueError(
            f"{path}: expected classes numbered 1 to {len(numbered)} without gaps, found {sorted(numbered)}"
        )
    return [numbered[number] for number in sorted(numbered)]


def read_split(split_directory: str | Path, subset: str = "train", fold: int = 1) -> list[str]:
    """Read one official split file.

    Args:
        split_directory: the directory `ucfTrainTestlist` of the official split archive.
        subset: "train" or "test".
        fold: which of the three official splits: 1, 2 or 3.

    Returns:
        Clip names such as "v_ApplyEyeMakeup_g08_c01", in the order of the file.
    """
    one_of("subset", subset, ("train", "test"))
    one_of("fold", fold, FOLDS)
    path = Path(split_directory) / f"{subset}list{fold:02d}.txt"
    # Lines read "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1"; the test lists leave the label out.
    names = [Path(line.split()[0].replace("\\", "/")).stem for line in _lines(path)]
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{path}: expected clips named like 'v_ApplyEyeMakeup_g08_c01.avi', found {name!r}")
    return names


def index(
    root: str | Path,
    *,
    subset: str = "train",
    fold: int = 1,
    min_frames: int | None = None,
    check: bool = True,
    strict: bool = False,
) -> UCF101Index:
    """List the clips of a subset of UCF-101, and what is missing from it or wrong with it.

    Nothing stops at the first bad file: every clip is looked at, and the index names each one that cannot be used.
    Names are compared without regard to case, since the class list says "HandstandPushups" where the files say
    "v_HandStandPushups_...".

    Args:
        root: a directory that contains `UCF-101/` and `ucfTrainTestlist/`, or `UCF-101` itself with the lists inside
            or beside it.
        subset: "train", "test", or "all" for both together.
        fold: which of the three official splits: 1, 2 or 3.
        min_frames: clips with fewer frames are listed as too short (needs `check`).
        check: open every file, count its frames and decode the first.
        strict: raise if anything is missing, extra, unreadable or too short.

    Returns:
        The index; its `clips` are in the order of the official lists.

    Raises:
        FileNotFoundError: no videos or no split files at `root`.
        UCF101Error: with `strict`, naming every clip that is missing, extra, unreadable or too short.
    """
    one_of("subset", subset, SUBSETS)
    if min_frames is not None and not check:
        raise ValueError("min_frames needs check=True: without opening the files their lengths are not known")
    root = Path(root)
    videos, splits = _locate(root)
    class_names = read_classes(splits)
    listed = {part: read_split(splits, part, fold) for part in ("train", "test")}
    wanted = listed["train"] + listed["test"] if subset == "all" else listed[subset]

    files, extra = _match(_video_files(videos), {name.lower() for names in listed.values() for name in names})
    labels = {name.lower(): label for label, name in enumerate(class_names)}
    clips = [_clip(name, files[name.lower()], class_names, labels) for name in wanted if name.lower() in files]
    clips, unreadable, too_short = _check(clips, min_frames or 1) if check else (clips, [], [])
    result = UCF101Index(
        root=root,
        subset=subset,
        fold=fold,
        clips=clips,
        class_names=class_names,
        missing=[name for name in wanted if name.lower() not in files],
        extra=[str(path.relative_to(videos)) for path in extra],
        unreadable=unreadable,
        too_short=too_short,
    )
    if strict and result.report():
        raise UCF101Error(result)
    return result


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; unpack UCF101TrainTestSplits-RecognitionTask.zip there")
    return [line.strip() for line in path.read_text().splitlines() if line.strip()]


def _locate(root: Path) -> tuple[Path, Path]:
    """The directory of the class folders and the directory of the split files."""
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such directory; expected one that contains UCF-101/ and ucfTrainTestlist/")
    videos = root / "UCF-101" if (root / "UCF-101").is_dir() else root
    for parent in (root, videos, root.parent):
        if (parent / _SPLIT_DIRECTORY).is_dir():
            return videos, parent / _SPLIT_DIRECTORY
    raise FileNotFoundError(
        f"{root}: found no {_SPLIT_DIRECTORY}/ in or beside it; expected a directory that contains UCF-101/ (the "
        f"clips) and {_SPLIT_DIRECTORY}/ (the official splits and class list)"
    )


def _video_files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.glob("*/*") if path.suffix.lower() in _SUFFIXES)


def _match(paths: Iterable[Path], known: set[str]) -> tuple[dict[str, Path], list[Path]]:
    """Files by lower-case clip name, and the files that no list names or that repeat another."""
    files: dict[str, Path] = {}
    extra: list[Path] = []
    for path in paths:
        key = path.stem.lower()
        if key in known and key not in files:
            files[key] = path
        else:
            extra.append(path)
    return files, extra


def _clip(name: str, path: Path, class_names: list[str], labels: dict[str, int]) -> Clip:
    class_name, group, number = name[2:].rsplit("_", 2)  # read_split lets no name through that is of another form
    label = labels.get(class_name.lower())
    if label is None:
        raise ValueError(f"the split files name {name!r}, but the class list has no {class_name!r}")
    return Clip(name, class_names[label], int(group[1:]), int(number[1:]), label, path)


def _check(clips: list[Clip], min_frames: int) -> tuple[list[Clip], list[str], list[str]]:
    """Open every clip. Returns those that can be used, and with the reason the unreadable and the too short ones."""

    def length_or_reason(path: Path) -> int | str:
        try:
            return decode.probe(path).num_frames
        except (decode.DecodeError, OSError) as error:
            return str(error).removeprefix(f"{path}: ")

    usable: list[Clip] = []
    unreadable: list[str] = []
    too_short: list[str] = []
    # FFmpeg works outside Python's lock, so threads use every core.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(length_or_reason, [clip.path for clip in clips])
        bar = tqdm(results, "Checking clips", len(clips), unit="clip", leave=False, delay=2)
        for clip, result in zip(clips, bar, strict=True):
            if isinstance(result, str):
                unreadable.append(f"{clip.name}: {result}")
            elif result < min_frames:
                too_short.append(f"{clip.name}: {result} frames, {min_frames} needed")
            else:
                usable.append(replace(clip, num_frames=result))
    return usable, unreadable, too_short
