"""The clips of a data set, whichever it is."""

from pathlib import Path

from ldvd_lib.data import ucf101, weizmann
from ldvd_lib.data.clips import ClipIndex


def index_clips(
    root: str | Path,
    *,
    subset: str = "train",
    fold: int = 1,
    min_frames: int | None = None,
    check: bool = True,
    strict: bool = False,
) -> ClipIndex:
    """List the clips of a subset of a data set, and what is missing from it or wrong with it.

    Args:
        root: a directory in UCF-101's layout, see `ldvd_lib.data.ucf101.index`; or with the strips of the Weizmann
            actions, see `ldvd_lib.data.weizmann.index`.
        subset: "train", "test", or "all" for both together.
        fold: which of the data set's splits, `ucf101.FOLDS` or `weizmann.FOLDS`.
        min_frames, check, strict: as of these functions.

    Returns:
        The index, as `prepare` takes it.

    Raises:
        FileNotFoundError, ValueError: as these functions.
    """
    if weizmann.is_at(root):
        return weizmann.index(root, subset=subset, fold=fold, min_frames=min_frames, check=check, strict=strict)
    try:
        return ucf101.index(root, subset=subset, fold=fold, min_frames=min_frames, check=check, strict=strict)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error}. Nor are the Weizmann actions there, in actions/0, 1, 3 and 4") from error
