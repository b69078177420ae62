"""UCF-101 on disk: which clips the official lists name, which are there, and what is wrong with the rest."""

import codecs
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from ldvd_lib._kit.checks import one_of
from ldvd_lib.data.clips import SUBSETS, Clip, ClipIndex, look_into

FOLDS = (1, 2, 3)
_SPLIT_DIRECTORY = "ucfTrainTestlist"
_SUFFIXES = {".avi", ".mp4", ".mkv", ".mov", ".mpg", ".webm"}  # official files are AVI; mirrors re-encode
_CLASS = re.compile(r"(\d{1,6})\s+(\S.*)")
_NAME = re.compile(r"v_.+_g\d+_c\d+", re.IGNORECASE)
# How far below a root clips and lists are looked for: class folders are one or two below, and each archive that was
# unpacked into a folder of its own puts one more between.
_LEVELS = 5


class UCF101Error(ValueError):
    """A tree that differs from the official lists; `index` holds what was found all the same."""

    def __init__(self, index: ClipIndex) -> None:
        super().__init__(f"{index.summary()}\n{index.report()}")
        self.index = index


def read_classes(split_directory: str | Path) -> list[str]:
    """Read the class list, classInd.txt.

    Args:
        split_directory: the directory `ucfTrainTestlist` of the official split archive.

    Returns:
        Class names in the order of their labels: the class that the file numbers 1 comes first.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is not a number and a name, one of these is there twice, or the list is empty.
    """
    path = Path(split_directory) / "classInd.txt"
    numbered: dict[int, str] = {}
    seen: dict[int | str, int] = {}
    for line_number, line in _lines(path):
        entry = _CLASS.fullmatch(line)
        if entry is None:
            raise ValueError(f"{path}, line {line_number}: expected lines like '1 ApplyEyeMakeup', found {line!r}")
        number, name = int(entry[1]), entry[2]
        _once(number, path, line_number, seen)
        _once(name.lower(), path, line_number, seen)
        numbered[number] = name
    if sorted(numbered) != list(range(1, len(numbered) + 1)):
        raise ValueError(
            f"{path}: expected classes numbered 1 to {len(numbered)} without gaps, found {sorted(numbered)}"
        )
    if not numbered:
        raise ValueError(f"{path}: the class list is empty; expected lines like '1 ApplyEyeMakeup'")
    return [numbered[number] for number in sorted(numbered)]


def read_split(split_directory: str | Path, subset: str = "train", fold: int = 1) -> list[str]:
    """Read one official split file.

    Args:
        split_directory: the directory `ucfTrainTestlist` of the official split archive.
        subset: "train" or "test".
        fold: which of the three official splits: 1, 2 or 3.

    Returns:
        Clip names such as "v_ApplyEyeMakeup_g08_c01", in the order of the file. A file may list none, if a comment
        (a line that begins with #) says so; an empty one has lost its content.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line does not name a clip, or one that is listed already; or the file is empty.
    """
    one_of("subset", subset, ("train", "test"))
    one_of("fold", fold, FOLDS)
    path = Path(split_directory) / f"{subset}list{fold:02d}.txt"
    # Lines read "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1"; the test lists leave the label out.
    names: list[str] = []
    seen: dict[int | str, int] = {}
    lines = _lines(path)
    labelled = any(len(line.split()) > 1 for _, line in lines)
    for line_number, line in lines:
        file, *label = line.split()
        clip = Path(file.replace("\\", "/"))
        # The suffix, and a label if other lines have one: without them, this may be all that is left of a longer line.
        if not _is_clip(clip.name) or not _NAME.fullmatch(clip.stem) or len(label) != labelled:
            example = f"ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi{' 1' if labelled else ''}"
            raise ValueError(f"{path}, line {line_number}: expected clips named like {example!r}, found {line!r}")
        _once(clip.stem.lower(), path, line_number, seen)
        names.append(clip.stem)
    return names


def index(
    root: str | Path,
    *,
    subset: str = "train",
    fold: int = 1,
    min_frames: int | None = None,
    check: bool = True,
    strict: bool = False,
) -> ClipIndex:
    """List the clips of a subset of UCF-101, and what is missing from it or wrong with it.

    Nothing stops at the first bad file: every clip is looked at, and the index names each one that cannot be used.
    Names are compared without regard to case, since the class list says "HandstandPushups" where the files say
    "v_HandStandPushups_...".

    Args:
        root: a directory that contains `UCF-101/` and `ucfTrainTestlist/`, or `UCF-101` itself with the lists inside
            or beside it. Clips are known by their names, so it does not matter whether they lie in a folder for each
            class, all in one, or a few folders deeper; links are followed.
        subset: "train", "test", or "all" for both together.
        fold: which of the three official splits: 1, 2 or 3.
        min_frames: clips with fewer frames are listed as too short (needs `check`).
        check: open every file, count its frames and decode the first.
        strict: raise if anything is missing, extra, unreadable or too short.

    Returns:
        The index; its `clips` are in the order of the official lists.

    Raises:
        FileNotFoundError: no videos or no split files at `root`.
        ValueError: a list is damaged, lists a clip for training and for testing, or one of a class that is not listed.
        UCF101Error: with `strict`, naming every clip that is missing, extra, unreadable or too short.
    """
    one_of("subset", subset, SUBSETS)
    if min_frames is not None and not check:
        raise ValueError("min_frames needs check=True: without opening the files their lengths are not known")
    root = Path(root)
    splits = _locate_splits(root)
    class_names = read_classes(splits)
    listed = {part: read_split(splits, part, fold) for part in ("train", "test")}
    labels = _labels(splits, fold, class_names, listed)
    wanted = listed["train"] + listed["test"] if subset == "all" else listed[subset]

    videos, paths = find_videos(root)
    files, extra = _match(paths, set(labels))
    clips = [
        _clip(name, files[name.lower()], class_names, labels[name.lower()]) for name in wanted if name.lower() in files
    ]
    clips, unreadable, too_short = look_into(clips, min_frames or 1) if check else (clips, [], [])
    result = ClipIndex(
        data_set="UCF-101",
        root=root,
        subset=subset,
        fold=fold,
        clips=clips,
        class_names=class_names,
        missing=[name for name in wanted if name.lower() not in files],
        extra=[_printable(path.relative_to(videos)) for path in extra],
        unreadable=unreadable,
        too_short=too_short,
    )
    if strict and result.report():
        raise UCF101Error(result)
    return result


def find_videos(root: str | Path) -> tuple[Path, list[Path]]:
    """Find what is named like a video file in `UCF-101/` or, if no clip is there, anywhere below a root.

    Links are followed, and each directory is looked into once. Hidden files and directories are passed over: halves of
    downloads, and what macOS leaves in archives. Nothing is opened, so that a link to nowhere or a directory of such a
    name is among them, for the one who opens it to say so.

    Args:
        root: a directory that contains `UCF-101/`, or that itself.

    Returns:
        The directory that was looked through, and what is in it, the nearest first.

    Raises:
        FileNotFoundError: nothing is named like a clip of UCF-101.
    """
    for directory in (Path(root) / "UCF-101", Path(root)):
        paths = [
            folder / entry.name for folder, entries in _folders(directory) for entry in entries if _is_clip(entry.name)
        ]
        if any(_NAME.fullmatch(path.stem) for path in paths):
            return directory, paths
    raise FileNotFoundError(
        f"{root}: found no clips in it; expected a directory that contains UCF-101/, with files named like "
        "v_ApplyEyeMakeup_g08_c01.avi"
    )


def _folders(root: Path) -> Iterator[tuple[Path, list[os.DirEntry[str]]]]:
    """A directory and those below it, the nearest first, each with what is in it by name; hidden entries left out."""
    waiting, seen = deque([(root, 0)]), set()
    while waiting:
        folder, level = waiting.popleft()
        try:
            status = folder.stat()
            with os.scandir(folder) as listing:
                entries = sorted((entry for entry in listing if entry.name[0] != "."), key=lambda entry: entry.name)
        except OSError:  # no permission, or a link that leads in circles: the clips in there are missing
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        yield folder, entries
        if level < _LEVELS:
            waiting += [(folder / entry.name, level + 1) for entry in entries if _is_folder(entry)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir() and not _is_clip(entry.name)
    except OSError:
        return False


def _is_clip(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in _SUFFIXES  # noqa: PTH122  (13,320 times; a Path takes far longer)


def _lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a list, stripped, with their numbers; empty ones and comments are left out."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; unpack UCF101TrainTestSplits-RecognitionTask.zip there")
    data = path.read_bytes()
    # Editors on Windows write UTF-16, or UTF-8 with a mark before it.
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line_number = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}, line {line_number}: not a text file ({error.reason}); fetch the list again"
        ) from error
    if not text.strip():
        raise ValueError(f"{path}: the file is empty; fetch the list again")
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def _once(entry: int | str, path: Path, line_number: int, seen: dict[int | str, int]) -> None:
    """Note in which line of a list an entry was seen; raise if it was in an earlier one."""
    if entry in seen:
        raise ValueError(
            f"{path}, line {line_number}: {entry!r} is in line {seen[entry]} already; take out one of them"
        )
    seen[entry] = line_number


def _labels(splits: Path, fold: int, class_names: list[str], listed: dict[str, list[str]]) -> dict[str, int]:
    """The label of each clip that a fold lists, by its name in lower case."""
    known = {name.lower(): label for label, name in enumerate(class_names)}
    labels: dict[str, int] = {}
    for part, names in listed.items():
        path = splits / f"{part}list{fold:02d}.txt"
        for name in names:
            class_name = name[2:].rsplit("_", 2)[0]  # read_split lets no name through that is of another form
            if class_name.lower() not in known:
                raise ValueError(f"{path} lists {name!r}, but {splits / 'classInd.txt'} has no {class_name!r}")
            if name.lower() in labels:
                raise ValueError(
                    f"{path} lists {name!r} for testing, which trainlist{fold:02d}.txt lists for training; take it out "
                    "of one of them"
                )
            labels[name.lower()] = known[class_name.lower()]
    return labels


def _locate_splits(root: Path) -> Path:
    """The directory of the split files."""
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such directory; expected one that contains UCF-101/ and ucfTrainTestlist/")
    for parent in (root, root / "UCF-101"):
        if (parent / _SPLIT_DIRECTORY).is_dir():
            return parent / _SPLIT_DIRECTORY
    below = [folder / _SPLIT_DIRECTORY for folder, _ in _folders(root) if (folder / _SPLIT_DIRECTORY).is_dir()]
    if len(below) > 1:
        raise ValueError(f"{root} holds several data sets: choose the folder of one ({', '.join(map(str, below))})")
    for splits in (*below, root.parent / _SPLIT_DIRECTORY):
        if splits.is_dir():
            return splits
    raise FileNotFoundError(
        f"{root}: found no {_SPLIT_DIRECTORY}/ in or beside it; expected a directory that contains UCF-101/ (the "
        f"clips) and {_SPLIT_DIRECTORY}/ (the official splits and class list)"
    )


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


def _clip(name: str, path: Path, class_names: list[str], label: int) -> Clip:
    _, group, number = name[2:].rsplit("_", 2)
    return Clip(name, class_names[label], int(group[1:]), int(number[1:]), label, path)


def _printable(path: Path) -> str:
    """A path that can be printed, whatever the bytes of its names."""
    return os.fsencode(path).decode(errors="replace")
