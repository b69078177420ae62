"""The built-in data set on disk: clips, class list and splits in UCF-101's layout, and the factors in a file beside."""

import json
import logging
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

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
    the directory appears only when it is complete. If it exists already, made with the same parameters, nothing is
    done.

    Args:
        directory: Where to write ``UCF-101/``, ``ucfTrainTestlist/`` and ``factors.json``.
        clips_per_class: At least 2, so that there is one to train and one to test on.
        frames_per_clip: Length of each clip.
        seed: Same seed, same frames.
        workers: Clips rendered at the same time; None for one per core. They are threads: most of the work releases
            Python's lock, and threads work both in notebooks and in scripts.
        progress: Whether to show a progress bar.

    Returns:
        The directory, as `ldvd_lib.data.ucf101.index` takes it.

    Raises:
        ValueError: If a parameter makes no sense.
        FileExistsError: If the directory holds something else.
        MissingPackageError: If PyAV is not installed; `render_store` does without.
    """
    _check_positive(clips_per_class=clips_per_class, frames_per_clip=frames_per_clip)
    if clips_per_class < 2:
        raise ValueError("clips_per_class is 1; give at least 2, one to train and one to test on")
    workers = (os.cpu_count() or 1) if workers is None else workers
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

    plans = plan(clips_per_class, seed)
    unfinished = directory.with_name(directory.name + ".unfinished")
    _begin(unfinished, parameters)
    # Clips of one group come one after the other, so that their place is painted only once.
    waiting = sorted(
        (clip for clip in plans if not (unfinished / "UCF-101" / clip.file).exists()), key=lambda clip: clip.group
    )
    with ThreadPoolExecutor(workers) as pool:
        done = pool.map(lambda clip: _write_clip(clip, unfinished / "UCF-101", frames_per_clip), waiting)
        try:
            for _ in tqdm(done, "Rendering actions", len(waiting), unit="clip", disable=not progress):
                pass
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    _write_splits(plans, unfinished / "ucfTrainTestlist")
    _write_factors(plans, parameters, unfinished / FACTORS)
    if directory.exists():
        directory.rmdir()  # empty, or _is_complete would have refused
    unfinished.replace(directory)
    logger.info("rendered %d clips of %d actions into %s", len(plans), len(CLASSES), directory)
    return directory


def read_factors(directory: str | Path) -> dict[str, tuple[Content, Motion]]:
    """Read what every clip of a rendered data set shows.

    Args:
        directory: As given to `render`.

    Returns:
        Content and motion by name of clip, such as "v_Walking_g01_c01".

    Raises:
        FileNotFoundError: If the directory holds no rendered data set.
    """
    document = _read_json(Path(directory) / FACTORS)
    if document is None:
        raise FileNotFoundError(f"{directory}: no {FACTORS}; give a directory made by ldvd_lib.data.actions.render")
    return {
        name: (Content(**factors["content"]), Motion(**factors["motion"]))
        for name, factors in document["clips"].items()
    }


def write_avi(video: np.ndarray, path: Path) -> None:
    """Write a clip as MPEG-4 in AVI, under a temporary name until it is complete.

    Args:
        video: (T, H, W, 3) uint8.
        path: Where to write it.

    Raises:
        MissingPackageError: If PyAV is not installed.
    """
    with needed("av", _PURPOSE):
        import av
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    options = {"qmin": str(_QUANTISER), "qmax": str(_QUANTISER), "flags": "+bitexact"}
    with av.open(str(temporary), "w", format="avi", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("mpeg4", rate=FRAME_RATE, options=options)
        stream.height, stream.width = video.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for frame in video:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    temporary.replace(path)


def _write_clip(clip: ClipPlan, videos: Path, num_frames: int) -> None:
    path = videos / clip.file
    path.parent.mkdir(parents=True, exist_ok=True)
    write_avi(render_clip(clip.content, clip.motion, num_frames), path)


def _write_splits(plans: list[ClipPlan], directory: Path) -> None:
    """Write class list and splits in the format of the official ones, carriage returns included."""
    directory.mkdir(exist_ok=True)
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
    document = _read_json(directory / FACTORS)
    if document is None:
        raise FileExistsError(f"{directory} exists and is no rendered data set; give another directory, or remove it")
    made_with = document.get("parameters", {})
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
    document = _read_json(unfinished / FACTORS)
    if unfinished.exists() and (document is None or document["parameters"] != parameters):
        shutil.rmtree(unfinished)
    unfinished.mkdir(parents=True, exist_ok=True)
    for leftover in unfinished.rglob("*.part"):
        leftover.unlink()
    _write_factors([], parameters, unfinished / FACTORS)


def _write_text(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(text.encode())
    temporary.replace(path)


def _read_json(path: Path) -> dict | None:
    """The JSON object in a file; None if there is no such file, or it holds something else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _check_positive(**parameters: int) -> None:
    for name, value in parameters.items():
        if value < 1:
            raise ValueError(f"{name} is {value}; give at least 1")
