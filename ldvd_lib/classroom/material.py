"""The clips that the course trains on, rendered and decoded on first use; other data sets lie beside them."""

from pathlib import Path

from ldvd_lib.classroom.environment import workspace
from ldvd_lib.data import ClipStore, actions, prepare_beside


def footage(name: str = "actions") -> Path:
    """A data set in ``data/``. The built-in one is rendered if it is missing.

    Args:
        name: "actions", or the directory of a data set that you have put in ``data/``, such as "weizmann" or "ucf101".

    Returns:
        Its root, as `ldvd_lib.data.index_clips` takes it.

    Raises:
        FileNotFoundError: There is no such data set; the message says how to get it.
        FileExistsError: There is a set of actions that was rendered with parameters of your own.
    """
    root = workspace() / "data" / name
    if name == "actions":
        return actions.render(root)
    if not root.is_dir():
        raise FileNotFoundError(
            f"{root}: no such directory; expected one that contains UCF-101/ and ucfTrainTestlist/, or the Weizmann "
            f"actions. Download UCF-101 with `python data_scripts/download_ucf101.py {root}`, the Weizmann actions (36 "
            f"MB) with `python data_scripts/download_weizmann.py --out {root}`, or use the built-in data set, "
            '"actions"'
        )
    return root


def store(image_size: int = 32, *, data: str = "actions", subset: str = "train") -> ClipStore:
    """The clips of a data set, decoded and ready for a sampler. Whatever is missing is made first, once.

    If another notebook is at it already, this one waits for it.

    Args:
        image_size: Height and width of the frames, in pixels.
        data: A data set in ``data/``; see `footage`.
        subset: "train", "test" or "all", of the first split.

    Returns:
        The store, which lies beside the data set, where ``ldvd demo`` and ``ldvd train`` find it too.

    Raises:
        FileNotFoundError: There is no such data set.
        ValueError: The data set has changed since the store was made, or the store is damaged.
    """
    return prepare_beside(footage(data), image_size=image_size, subset=subset)
