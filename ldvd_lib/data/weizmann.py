"""The Weizmann actions as MoCoGAN uses them: nine people who wave, jump and bend before a camera that stands still.

MoCoGAN's repository has them under ``data/actions``: a folder for each of four actions, and in it a picture for each
clip, its frames side by side in one strip. Every second file is the exact mirror image of the one before; of what is
left, the first clip of a folder shows the first person, and so on.

    from ldvd_lib.data import weizmann

    store = weizmann.load("MoCoGAN/data/actions")                  # the clips of seven people, to train on
    held_out = weizmann.load("MoCoGAN/data/actions", subset="test")

Sources: Gorelick, Blank, Shechtman, Irani and Basri, "Actions as Space-Time Shapes", PAMI 2007; Tulyakov, Liu, Yang and
Kautz, "MoCoGAN: Decomposing Motion and Content for Video Generation", CVPR 2018, and its code.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from ldvd_lib._kit.checks import one_of, whole_number
from ldvd_lib.data import decode
from ldvd_lib.data.store import ClipStore
from ldvd_lib.data.ucf101 import SUBSETS

logger = logging.getLogger(__name__)

# Folder → action, as MoCoGAN numbers them; it has no folder 2.
FOLDERS = {"0": "wave1", "1": "wave2", "3": "jack", "4": "bend"}
CLASSES = tuple(FOLDERS.values())
FRAME_RATE = 25.0  # at which the published films play
TEST_PEOPLE = (7, 8)

_SUFFIXES = {".jpg", ".jpeg", ".png"}


class WeizmannError(ValueError):
    """A file of the data set that is not what it should be; the message names the file and says what is wrong."""


@dataclass(frozen=True)
class Strip:
    """One file of the data set before it is read.

    `person` counts from 0, and is the same one in every action. `mirrored` is whether the file is the mirror image of
    the one before.
    """

    path: Path
    class_name: str
    person: int
    mirrored: bool

    @property
    def name(self) -> str:
        """As UCF-101 names clips, who does it being the group: ``v_wave1_g01_c01``; mirror images are ``c02``."""
        return f"v_{self.class_name}_g{self.person + 1:02d}_c{1 + self.mirrored:02d}"


def strips(root: str | Path) -> list[Strip]:
    """List the files of the data set: who does what, and which are mirror images. None is opened.

    Args:
        root: the directory that holds ``actions/``, or ``actions`` itself.

    Returns:
        The files in the order of the classes, then of their numbers.

    Raises:
        FileNotFoundError: there is no such directory, a folder is missing, or one has no pictures.
        WeizmannError: a folder has an odd number of pictures, so that one of them has no mirror image.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(
            f"{root}: no such directory; expected one that contains actions/, with folders {_folders_in_words()}"
        )
    directory = root / "actions" if (root / "actions").is_dir() else root
    listed = []
    for folder, class_name in FOLDERS.items():
        if not (directory / folder).is_dir():
            raise FileNotFoundError(
                f"{directory / folder}: no such folder; expected folders {_folders_in_words()} in {directory}"
            )
        paths = [path for path in (directory / folder).iterdir() if path.suffix.lower() in _SUFFIXES]
        # Files that are not numbered are not from there; they sort by their names, after those that are.
        paths.sort(key=lambda path: (int(path.stem) if path.stem.isdecimal() else float("inf"), path.name))
        if not paths:
            raise FileNotFoundError(
                f"{directory / folder}: no pictures there; expected a strip of frames for each clip"
            )
        if len(paths) % 2:
            raise WeizmannError(
                f"{directory / folder} has {len(paths)} pictures, the last {paths[-1].name}: expected pairs of a clip "
                "and its mirror image. Fetch what is missing, or take away what does not belong there"
            )
        listed += [Strip(path, class_name, number // 2, bool(number % 2)) for number, path in enumerate(paths)]
    return listed


def load(
    root: str | Path,
    *,
    image_size: int = 64,
    subset: str = "train",
    test_people: Collection[int] = TEST_PEOPLE,
    mirrored: bool = False,
) -> ClipStore:
    """Read the Weizmann actions into a store in memory.

    A file that is no strip of square frames is skipped, logged and named in the store; it never costs the others.

    Args:
        root: the directory that holds ``actions/``, or ``actions`` itself; 36 clips and their mirror images, 64×64.
        image_size: height and width of the stored frames in pixels; resized as `ldvd_lib.data.prepare` does.
        subset: "train", "test", or "all" for both together.
        test_people: who is kept for testing, numbers from 0 to 8. Clips are split by person, as a mirror image or
            another action of somebody seen in training would be no test.
        mirrored: with the mirror images. Left out by default, since a sampler with ``flip`` makes them.

    Returns:
        The store, with a group of clips for each person, in the order of the classes.

    Raises:
        FileNotFoundError: there is no such directory, a folder is missing, or one has no pictures.
        WeizmannError: a folder has an odd number of files, or not one file can be read.
        ValueError: an option is not of the kind above, or leaves no clip.
    """
    one_of("subset", subset, SUBSETS)
    whole_number("image_size", image_size, least=1)
    listed = strips(root)
    people = sorted({strip.person for strip in listed})
    test = sorted({one_of("a person in test_people", person, people) for person in test_people})
    wanted = [
        strip
        for strip in listed
        if (mirrored or not strip.mirrored) and (subset == "all" or (strip.person in test) == (subset == "test"))
    ]
    if not wanted:
        raise ValueError(f"the subset {subset!r} is empty: of the people {people}, test_people has {test}")
    clips, read, skipped = [], [], []
    for strip in wanted:
        try:
            clips.append(_read(strip.path, image_size))
            read.append(strip)
        except WeizmannError as error:
            logger.warning("skipped %s: %s", strip.name, error)
            skipped.append({"name": strip.name, "reason": str(error)})
    if not clips:
        raise WeizmannError(f"{root}: not one of {len(wanted)} strips can be read; the first: {skipped[0]['reason']}")
    store = ClipStore.from_clips(
        clips,
        labels=[CLASSES.index(strip.class_name) for strip in read],
        class_names=CLASSES,
        fps=FRAME_RATE,
        names=[strip.name for strip in read],
        parameters={
            "image_size": image_size,
            "stride": 1,
            "subset": subset,
            "fold": 1,
            "source": "weizmann",
            "test_people": test,
            "mirrored": mirrored,
        },
    )
    return replace(store, skipped=skipped)


def _read(path: Path, image_size: int) -> np.ndarray:
    """The frames of a strip, (T, image_size, image_size, 3) uint8."""
    if not path.is_file():  # a link that leads nowhere, a directory, or a pipe, which one would wait for without end
        raise WeizmannError(f"{path}: not a file; fetch it again")
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as picture:
            strip = np.array(picture.convert("RGB"))
    except Exception as error:  # of a damaged picture, Pillow raises nearly anything
        reason = "not a JPEG or PNG picture" if isinstance(error, Image.UnidentifiedImageError) else str(error)
        raise WeizmannError(f"{path}: cannot be read ({reason}); fetch it again") from error
    height, width, _ = strip.shape
    if width % height:
        raise WeizmannError(
            f"{path}: {width}×{height} pixels are no strip of square frames; expected a width that is a multiple of "
            "the height. Fetch it again, or take it away with its mirror image"
        )
    frames = strip.reshape(height, width // height, height, 3).swapaxes(0, 1)
    return np.ascontiguousarray(frames) if height == image_size else decode.resize(frames, image_size)


def _folders_in_words() -> str:
    return ", ".join(f"{folder} ({class_name})" for folder, class_name in FOLDERS.items())
