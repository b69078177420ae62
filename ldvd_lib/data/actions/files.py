"""The built-in data set on disk: clips, class list and splits in UCF-101's layout, and the factors in a file beside."""

import contextlib
import json
import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from ldvd_lib._kit.configuration import from_dict, load_json
from ldvd_lib._kit.files import behind_link, replacing, to_disk
from ldvd_lib._kit.lock import making
from ldvd_lib._kit.machine import cores
from ldvd_lib._kit.packages import needed
from ldvd_lib.data.actions.clip import render_clip
from ldvd_lib.data.actions.factors import CLASSES, FRAME_RATE, PLACES, Content, Motion
from ldvd_lib.data.actions.solids import HEIGHT, WIDTH

logger = logging.getLogger(__name__)

FACTORS = "factors.json"
FORMAT = 1  # goes up whenever the same seed gives other pictures
NUM_GROUPS = 25  # as UCF-101 has, of which each fold tests on seven
_QUANTISER = 2  # of MPEG-4, 1…31; the smallest with which files stay reasonably small
_PURPOSE = "to write video files (actions.render_store makes a store of the same clips without it)"


@dataclass(frozen=True)
class ClipPlan:
    """One clip of the data set before it is rendered.

    Args:
        name: As UCF-101 names clips, "v_Walking_g01_c01".
        group: Who and where: the same number is the same person in the same place, in every class.
        content, motion: What to render.
    """

    name: str
    group: int
    content: Content
    motion: Motion

    @property
    def file(self) -> str:
        """Where the clip lies under ``UCF-101/``."""
        return f"{self.motion.class_name}/{self.name}.avi"


def plan(clips_per_class: int, seed: int) -> list[ClipPlan]:
    """Draw the factors of every clip, in the order of the split files.

    A clip's factors depend on the seed and on its class, group and number alone: a larger data set contains the
    smaller one's contents and motions.

    Args:
        clips_per_class: How many clips each class has, spread evenly over at most 25 groups.
        seed: Seed of the whole data set.
    """
    num_groups = min(NUM_GROUPS, clips_per_class)
    # Every place comes up equally often, and the groups of any fold's test set see many.
    places = np.random.default_rng([seed, 0]).permutation(len(PLACES))
    contents = {
        group: Content.draw(np.random.default_rng([seed, 0, group]), PLACES[places[group % len(PLACES)]])
        for group in range(1, num_groups + 1)
    }
    plans = []
    for label, class_name in enumerate(CLASSES, start=1):
        for group in contents:
            for number in range(1, len(range(group, clips_per_class + 1, num_groups)) + 1):
                motion = Motion.draw(np.random.default_rng([seed, label, group, number]), class_name)
                plans.append(ClipPlan(f"v_{class_name}_g{group:02d}_c{number:02d}", group, contents[group], motion))
    return plans


def tested_groups(num_groups: int, fold: int) -> set[int]:
    """Groups that a fold keeps for testing: 1-7, 8-14 and 15-21 of 25, as in UCF-101; of fewer, in proportion.

    Args:
        num_groups: How many groups there are.
        fold: 1, 2 or 3.
    """
    size = max(1, num_groups * 7 // 25)
    return {((fold - 1) * size + index) % num_groups + 1 for index in range(size)}


def render(
    directory: str | Path,
    *,
    clips_per_class: int = 25,
    frames_per_clip: int = 40,
    seed: int = 0,
    workers: int | None = None,
    progress: bool = True,
) -> Path:
    """Render the built-in data set into a directory, in UCF-101's layout.

    The clips are 320×240 MPEG-4 in AVI at 25 fps. If the run is interrupted, the next one continues where it stopped;
    the directory appears only when it is complete; if another process is at it, this one waits. If it exists already,
    made with the same parameters, nothing is done.

    Args:
        directory: Where to write ``UCF-101/``, ``ucfTrainTestlist/`` and ``factors.json``. A symbolic link leads to
            where they are written.
        clips_per_class: At least 2, so that there is one to train and one to test on.
        frames_per_clip: Length of each clip.
        seed: Same seed, same frames.
        workers: Clips rendered at the same time; None for one per core that this process may use. They are threads:
            most of the work releases Python's lock, and threads work both in notebooks and in scripts.
        progress: Whether to show a progress bar.

    Returns:
        The directory, as `ldvd_lib.data.ucf101.index` takes it.

    Raises:
        ValueError: If a parameter makes no sense, or ``factors.json`` is damaged.
        FileExistsError: If the directory holds something else.
        OSError: If it cannot be written there; a full disk, for example.
        MissingPackageError: If PyAV is not installed; `render_store` does without.
    """
    _check_positive(clips_per_class=clips_per_class, frames_per_clip=frames_per_clip)
    if clips_per_class < 2:
        raise ValueError("clips_per_class is 1; give at least 2, one to train and one to test on")
    workers = cores() if workers is None else workers
    _check_positive(workers=workers)
    directory = Path(directory)
    parameters = {
        "format": FORMAT,
        "clips_per_class": clips_per_class,
        "frames_per_clip": frames_per_clip,
        "seed": seed,
    }
    if _is_complete(directory, parameters):
        return directory
    with needed("av", _PURPOSE):  # noticed before anything is written
        import av  # noqa: F401

    with making(behind_link(directory)):
        if not _is_complete(directory, parameters):
            _render(behind_link(directory), parameters, workers, progress)
    return directory


def _render(directory: Path, parameters: dict[str, int], workers: int, progress: bool) -> None:
    plans = plan(parameters["clips_per_class"], parameters["seed"])
    unfinished = directory.with_name(directory.name + ".unfinished")
    _begin(unfinished, parameters)
    # Clips of one group come one after the other, so that their place is painted only once.
    waiting = sorted(
        (clip for clip in plans if not (unfinished / "UCF-101" / clip.file).exists()), key=lambda clip: clip.group
    )
    write = partial(_write_clip, videos=unfinished / "UCF-101", num_frames=parameters["frames_per_clip"])
    with ThreadPoolExecutor(workers) as pool:
        done = pool.map(write, waiting)
        try:
            for _ in tqdm(done, "Rendering actions", len(waiting), unit="clip", disable=not progress):
                pass
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    _write_splits(plans, unfinished / "ucfTrainTestlist")
    _write_factors(plans, parameters, unfinished / FACTORS)
    to_disk(unfinished / "UCF-101")  # whose folders are new; all else was brought there as it was written
    with contextlib.suppress(FileNotFoundError):
        directory.rmdir()  # empty, or _is_complete would have refused
    unfinished.replace(directory)
    to_disk(directory.parent)
    logger.info("rendered %d clips of %d actions into %s", len(plans), len(CLASSES), directory)


def read_factors(directory: str | Path) -> dict[str, tuple[Content, Motion]]:
    """Read what every clip of a rendered data set shows.

    Args:
        directory: As given to `render`.

    Returns:
        Content and motion by name of clip, such as "v_Walking_g01_c01".

    Raises:
        FileNotFoundError: If the directory holds no rendered data set.
        ValueError: If the file of factors is damaged.
    """
    path = Path(directory) / FACTORS
    if not path.is_file():
        raise FileNotFoundError(f"{directory}: no {FACTORS}; give a directory made by ldvd_lib.data.actions.render")
    clips = _read_object(path).get("clips")
    if not isinstance(clips, dict):
        raise ValueError(f"{path} has no clips: was it edited? Remove {directory}, and render it again")
    read = {name: from_dict(_Factors, factors, where=f"{path}, {name}") for name, factors in clips.items()}
    return {name: (factors.content, factors.motion) for name, factors in read.items()}


def write_avi(video: np.ndarray, path: Path) -> None:
    """Write a clip as MPEG-4 in AVI, under a temporary name until it is complete and on the disk.

    Args:
        video: (T, H, W, 3) uint8.
        path: Where to write it.

    Raises:
        MissingPackageError: If PyAV is not installed.
    """
    with needed("av", _PURPOSE):
        import av
    options = {"qmin": str(_QUANTISER), "qmax": str(_QUANTISER), "flags": "+bitexact"}
    with (
        replacing(path) as temporary,
        av.open(str(temporary), "w", format="avi", options={"fflags": "+bitexact"}) as container,
    ):
        stream = container.add_stream("mpeg4", rate=FRAME_RATE, options=options)
        stream.height, stream.width = video.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for frame in video:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def _write_clip(clip: ClipPlan, videos: Path, num_frames: int) -> None:
    write_avi(render_clip(clip.content, clip.motion, num_frames), videos / clip.file)


def _write_splits(plans: list[ClipPlan], directory: Path) -> None:
    """Write class list and splits in the format of the official ones, carriage returns included."""
    labels = {class_name: label for label, class_name in enumerate(CLASSES, start=1)}
    _write_text(directory / "classInd.txt", "".join(f"{label} {name}\n" for name, label in labels.items()))
    num_groups = max(clip.group for clip in plans)
    for fold in (1, 2, 3):
        tested = tested_groups(num_groups, fold)
        train = [f"{clip.file} {labels[clip.motion.class_name]}\r\n" for clip in plans if clip.group not in tested]
        test = [f"{clip.file}\r\n" for clip in plans if clip.group in tested]
        _write_text(directory / f"trainlist{fold:02d}.txt", "".join(train))
        _write_text(directory / f"testlist{fold:02d}.txt", "".join(test))


def _write_factors(plans: list[ClipPlan], parameters: dict, path: Path) -> None:
    clips = {clip.name: {"content": asdict(clip.content), "motion": asdict(clip.motion)} for clip in plans}
    about = {"frame_rate": FRAME_RATE, "height": HEIGHT, "width": WIDTH}
    _write_text(path, json.dumps({"parameters": parameters, "video": about, "clips": clips}, indent=1) + "\n")


def _is_complete(directory: Path, parameters: dict) -> bool:
    """Whether the data set exists, made with these parameters; an error if something else is there."""
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return False
    if not (directory / FACTORS).is_file():
        raise FileExistsError(f"{directory} exists and is no rendered data set; give another directory, or remove it")
    made_with = _read_object(directory / FACTORS).get("parameters")
    if not isinstance(made_with, dict):
        made_with = {}
    if made_with != parameters:
        different = ", ".join(
            f"{name} {made_with.get(name)!r} instead of {value!r}"
            for name, value in parameters.items()
            if made_with.get(name) != value
        )
        raise FileExistsError(
            f"{directory} was made with other parameters ({different}); give another directory, or remove this one"
        )
    return True


def _begin(unfinished: Path, parameters: dict) -> None:
    """Continue an interrupted run with the same parameters, or start afresh."""
    if unfinished.exists() and _parameters_of(unfinished / FACTORS) != parameters:
        shutil.rmtree(unfinished)
    for leftover in unfinished.rglob(".*"):  # the temporary files of a run that was killed
        if leftover.is_file():
            leftover.unlink()
    _write_factors([], parameters, unfinished / FACTORS)


def _parameters_of(path: Path) -> dict | None:
    """What a run that was interrupted was to render; None if its file does not say."""
    try:
        return _read_object(path).get("parameters")
    except (FileNotFoundError, ValueError):
        return None


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode())


def _read_object(path: Path) -> dict[str, Any]:
    document = load_json(path)
    if not isinstance(document, dict):
        raise ValueError(f"{path} must hold an object, got {type(document).__name__}: was it edited?")
    return document


@dataclass(frozen=True)
class _Factors:
    """What a clip shows, as the file of factors has it."""

    content: Content
    motion: Motion


def _check_positive(**parameters: int) -> None:
    for name, value in parameters.items():
        if value < 1:
            raise ValueError(f"{name} is {value}; give at least 1")
