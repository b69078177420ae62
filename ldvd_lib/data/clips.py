"""The clips of a data set, as every data set lists them: what each shows, how it is read, and which cannot be used."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from ldvd_lib._kit.machine import cores
from ldvd_lib.data import decode

SUBSETS = ("train", "test", "all")


@dataclass(frozen=True)
class Clip:
    """One clip of a data set; here it is a video file, and a data set of other files says how these are read.

    `group` says which clips belong together: of UCF-101 those cut from one source video, which share people and
    scenery, of Weizmann those of one person. No split divides a group. `number` is the clip's place in it. `label`
    counts from 0, in the order of the class list. `num_frames` is None if the file has not been looked into.
    """

    name: str
    class_name: str
    group: int
    number: int
    label: int
    path: Path
    num_frames: int | None = None

    def probe(self) -> decode.VideoInfo:
        """Its number of frames, frame rate and size in pixels; raises what `decode.probe` does."""
        return decode.probe(self.path)

    def decode(self, *, image_size: int, stride: int = 1) -> np.ndarray:
        """Every stride-th frame, (T, image_size, image_size, 3) uint8; raises what `decode.decode` does."""
        return decode.decode(self.path, image_size=image_size, stride=stride)


@dataclass(frozen=True)
class ClipIndex:
    """The usable clips of a subset, and by name everything that keeps the others from being used."""

    data_set: str
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
            f"{self.data_set} at {self.root}, subset {self.subset!r}, fold {self.fold}: {len(self.clips):,} of "
            f"{listed:,} listed clips can be used, from {classes} of {len(self.class_names)} classes"
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


def look_into(clips: Sequence[Clip], min_frames: int) -> tuple[list[Clip], list[str], list[str]]:
    """Open every clip.

    Args:
        clips: of a data set.
        min_frames: those with fewer are too short.

    Returns:
        The clips that can be used, with their number of frames; and the unreadable and the too short ones as lines of
        a name and the reason.
    """

    def length_or_reason(clip: Clip) -> int | str:
        try:
            return clip.probe().num_frames
        except (decode.DecodeError, OSError) as error:
            return str(error).removeprefix(f"{clip.path}: ")

    usable: list[Clip] = []
    unreadable: list[str] = []
    too_short: list[str] = []
    # FFmpeg works outside Python's lock, so threads use every core.
    with ThreadPoolExecutor(cores()) as pool:
        results = pool.map(length_or_reason, clips)
        bar = tqdm(results, "Checking clips", len(clips), unit="clip", leave=False, delay=2)
        for clip, result in zip(clips, bar, strict=True):
            if isinstance(result, str):
                unreadable.append(f"{clip.name}: {result}")
            elif result < min_frames:
                too_short.append(f"{clip.name}: {result} frames, {min_frames} needed")
            else:
                usable.append(replace(clip, num_frames=result))
    return usable, unreadable, too_short
