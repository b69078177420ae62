"""The Weizmann actions as MoCoGAN uses them: nine people who wave, jump and bend before a camera that stands still.

MoCoGAN's repository has them under ``data/actions``: a folder for each of four actions, and in it a picture for each
clip, its frames side by side in one strip. Every second file is the mirror image of the one before; of what is left,
the first clip of a folder shows the first person, and so on. ``data_scripts/download_weizmann.py`` fetches them.

    from ldvd_lib.data import prepare, weizmann

    store = prepare(weizmann.index("data/weizmann"), "data/weizmann-64", image_size=64)     # seven people, to train on
    held_out = weizmann.load("data/weizmann", subset="test")                                # two more, in memory

Sources: Gorelick, Blank, Shechtman, Irani and Basri, "Actions as Space-Time Shapes", PAMI 2007; Tulyakov, Liu, Yang and
Kautz, "MoCoGAN: Decomposing Motion and Content for Video Generation", CVPR 2018, and its code.
"""

import io
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from ldvd_lib._kit.checks import one_of, whole_number
from ldvd_lib.data import decode
from ldvd_lib.data.clips import SUBSETS, Clip, ClipIndex, look_into
from ldvd_lib.data.store import ClipStore

logger = logging.getLogger(__name__)

# Folder → action, as MoCoGAN numbers them; it has no folder 2.
FOLDERS = {"0": "wave1", "1": "wave2", "3": "jack", "4": "bend"}
CLASSES = tuple(FOLDERS.values())
FRAME_RATE = 25.0  # at which the published films play
# Fold → who is held out for testing, numbers from 0 to 8: two people, or one at a time.
FOLDS = {1: (7, 8)} | {2 + person: (person,) for person in range(9)}

_SUFFIXES = {".jpg", ".jpeg", ".png"}
_REMEDY = "`python data_scripts/download_weizmann.py` fetches what is missing"


class WeizmannError(ValueError):
    """The data set, or a part of it, is not what it should be; the message says what is wrong, and where."""


@dataclass(frozen=True)
class Strip(Clip):
    """One file of the data set. Its `group` is a person, the same one in every action; `number` 2 is a mirror image.

    Names are as in UCF-101: ``v_wave1_g01_c01``, and its mirror image ``v_wave1_g01_c02``.
    """

    @property
    def person(self) -> int:
        """Who it is, counted from 0."""
        return self.group - 1

    @property
    def mirrored(self) -> bool:
        """Whether the file is the mirror image of the one before."""
        return self.number == 2

    def probe(self) -> decode.VideoInfo:
        """Its number of frames, frame rate and size in pixels.

        Raises:
            FileNotFoundError: there is no such file.
            DecodeError: it is no strip of square frames, or is damaged.
        """
        num_frames, height, width, _ = _read(self.path).shape
        return decode.VideoInfo(num_frames, FRAME_RATE, width, height)

    def decode(self, *, image_size: int, stride: int = 1) -> np.ndarray:
        """Every stride-th frame, (T, image_size, image_size, 3) uint8; raises what `probe` does."""
        frames = _read(self.path)[::stride]
        return np.ascontiguousarray(frames) if frames.shape[1] == image_size else decode.resize(frames, image_size)


def is_at(root: str | Path) -> bool:
    """Whether a directory has at least a part of the data set, and not one in UCF-101's layout."""
    directory = _directory(Path(root))
    return any((directory / folder).is_dir() for folder in FOLDERS) and not (Path(root) / "ucfTrainTestlist").is_dir()


def strips(root: str | Path) -> list[Strip]:
    """List the files of the data set: who does what, and which are mirror images. None is opened.

    Args:
        root: the directory that holds ``actions/``, or ``actions`` itself.

    Returns:
        The files in the order of the classes, then of their numbers.

    Raises:
        FileNotFoundError: there is no such directory, a folder is missing, or one has no pictures.
        WeizmannError: a folder has an odd number of pictures, so that one of them has no mirror image; or fewer than
            another, so that nobody can tell who is missing.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(
            f"{root}: no such directory; expected one that contains actions/, with folders {_folders_in_words()}"
        )
    directory = _directory(root)
    listed: list[Strip] = []
    people: dict[Path, int] = {}
    for label, (name, class_name) in enumerate(FOLDERS.items()):
        folder = directory / name
        if not folder.is_dir():
            raise FileNotFoundError(
                f"{folder}: no such folder; expected folders {_folders_in_words()} in {directory}. {_REMEDY}"
            )
        # Hidden files are what macOS leaves on other disks.
        visible = (path for path in folder.iterdir() if not path.name.startswith("."))
        paths = [path for path in visible if path.suffix.lower() in _SUFFIXES]
        # Files that are not numbered are not from there; they sort by their names, after those that are.
        paths.sort(key=lambda path: (int(path.stem) if path.stem.isdecimal() else float("inf"), path.name))
        if not paths:
            raise FileNotFoundError(f"{folder}: no pictures there; expected a strip of frames for each clip. {_REMEDY}")
        if len(paths) % 2:
            raise WeizmannError(
                f"{folder} has {len(paths)} pictures, the last {paths[-1].name}: expected pairs of a clip and its "
                "mirror image. Fetch what is missing, or take away what does not belong there"
            )
        people[folder] = len(paths) // 2
        for number, path in enumerate(paths):
            group, mirrored = number // 2 + 1, number % 2
            clip_name = f"v_{class_name}_g{group:02d}_c{1 + mirrored:02d}"
            listed.append(Strip(clip_name, class_name, group, 1 + mirrored, label, path))
    fewest, most = min(people, key=people.__getitem__), max(people, key=people.__getitem__)
    if people[fewest] != people[most]:
        raise WeizmannError(
            f"{fewest} has clips of {people[fewest]} people, and {most.name} of {people[most]}: expected the same in "
            f"each folder. {_REMEDY}"
        )
    return listed


def index(
    root: str | Path,
    *,
    subset: str = "train",
    fold: int = 1,
    mirrored: bool = False,
    min_frames: int | None = None,
    check: bool = True,
    strict: bool = False,
) -> ClipIndex:
    """List the clips of a subset, and what is wrong with some, as `ldvd_lib.data.prepare` takes it.

    Args:
        root: the directory that holds ``actions/``, or ``actions`` itself; 36 clips and their mirror images, 64×64.
        subset: "train", "test", or "all" for both together.
        fold: 1 holds out two people for testing, 2 to 10 one person each: fold 2 the first, and so on. Clips are split
            by person, as a mirror image or another action of somebody seen in training would be no test.
        mirrored: with the mirror images. Left out by default, since a sampler with ``flip`` makes them.
        min_frames: clips with fewer frames are listed as too short (needs `check`).
        check: open every file, and count its frames.
        strict: raise if a clip is unreadable or too short.

    Returns:
        The index, in the order of the classes, then of the people.

    Raises:
        FileNotFoundError: there is no such directory, a folder is missing, or one has no pictures.
        WeizmannError: as `strips`; the people of the fold are not there; or `strict`, with each clip's name.
        ValueError: an option is not of the kind above.
    """
    one_of("subset", subset, SUBSETS)
    one_of("fold", fold, tuple(FOLDS))
    if min_frames is not None and not check:
        raise ValueError("min_frames needs check=True: without opening the files their lengths are not known")
    listed, held_out = strips(root), FOLDS[fold]
    people = {strip.person for strip in listed}
    if subset != "all" and not set(held_out) < people:
        raise WeizmannError(
            f"fold {fold} holds out {_people_in_words(held_out)}, and {root} has clips of {len(people)} people: "
            'choose another fold, or subset "all"'
        )
    clips: list[Clip] = [
        strip
        for strip in listed
        if (mirrored or not strip.mirrored) and (subset == "all" or (strip.person in held_out) == (subset == "test"))
    ]
    usable, unreadable, too_short = look_into(clips, min_frames or 1) if check else (clips, [], [])
    result = ClipIndex(
        data_set="Weizmann",
        root=Path(root),
        subset=subset,
        fold=fold,
        clips=usable,
        class_names=list(CLASSES),
        missing=[],
        extra=[],
        unreadable=unreadable,
        too_short=too_short,
    )
    if strict and result.report():
        raise WeizmannError(f"{result.summary()}\n{result.report()}")
    return result


def load(
    root: str | Path, *, image_size: int = 64, subset: str = "train", fold: int = 1, mirrored: bool = False
) -> ClipStore:
    """Read the clips of a subset into a store in memory: the same that `ldvd_lib.data.prepare` makes on the disk.

    A file that is no strip of square frames is skipped, logged and named in the store; it never costs the others.

    Args:
        root, subset, fold, mirrored: as of `index`.
        image_size: height and width of the stored frames in pixels.

    Returns:
        The store.

    Raises:
        FileNotFoundError, WeizmannError, ValueError: as `index`; or not one file can be read.
    """
    whole_number("image_size", image_size, least=1)
    wanted = index(root, subset=subset, fold=fold, mirrored=mirrored, check=False).clips
    frames, read, skipped = [], [], []
    for clip in wanted:
        try:
            frames.append(clip.decode(image_size=image_size))
            read.append(clip)
        except (decode.DecodeError, OSError) as error:
            logger.warning("skipped %s: %s", clip.name, error)
            skipped.append({"name": clip.name, "reason": str(error)})
    if not frames:
        raise WeizmannError(f"{root}: not one of {len(wanted)} strips can be read; the first: {skipped[0]['reason']}")
    store = ClipStore.from_clips(
        frames,
        labels=[clip.label for clip in read],
        class_names=CLASSES,
        fps=FRAME_RATE,
        names=[clip.name for clip in read],
        parameters={"image_size": image_size, "stride": 1, "subset": subset, "fold": fold},
    )
    return replace(store, skipped=skipped)


def _read(path: Path) -> np.ndarray:
    """The frames of a strip, (T, H, H, 3) uint8: a view."""
    if not path.is_file():  # a link that leads nowhere, a directory, or a pipe, which one would wait for without end
        raise FileNotFoundError(f"{path}: not a file; fetch it again")
    data = path.read_bytes()  # before the picture is looked at: trouble of the disk is no fault of the file
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
            strip = np.array(picture.convert("RGB"))
    except Exception as error:  # of a damaged picture, Pillow raises nearly anything
        reason = "not a JPEG or PNG picture" if isinstance(error, Image.UnidentifiedImageError) else str(error)
        raise decode.DecodeError(f"{path}: cannot be read ({reason}); fetch it again") from error
    height, width, _ = strip.shape
    if width % height:
        raise decode.DecodeError(
            f"{path}: {width}×{height} pixels are no strip of square frames; expected a width that is a multiple of "
            "the height. Fetch it again, or take it away with its mirror image"
        )
    return strip.reshape(height, width // height, height, 3).swapaxes(0, 1)


def _directory(root: Path) -> Path:
    """Where the folders of the actions are."""
    return root / "actions" if (root / "actions").is_dir() else root


def _folders_in_words() -> str:
    return ", ".join(f"{folder} ({class_name})" for folder, class_name in FOLDERS.items())


def _people_in_words(people: tuple[int, ...]) -> str:
    return " and ".join(f"person {person + 1}" for person in people)
