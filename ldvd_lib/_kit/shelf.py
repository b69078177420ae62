"""The shelf of trained weights: the checkout's ``pretrained/``, or the installed copy of it.

Each name has a directory with its weights and a card; ``index.json`` lists the files of weights with their SHA-256,
what they are and how they were made.
"""

import json
import math
import re
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from torch import Tensor

from ldvd_lib._kit.checks import suggestion
from ldvd_lib._kit.configuration import load_json
from ldvd_lib._kit.files import file_sha256, load_tensors, replacing, save_tensors
from ldvd_lib._kit.lock import locked

INDEX = "index.json"
WEIGHTS = "weights.safetensors"
CARD = "README.md"
_RESTORE = "`git checkout pretrained`, or install anew"


def directory() -> Path:
    """Where the weights are: ``pretrained/`` of the checkout that the library is in, or else the installed copy."""
    checkout = Path(__file__).resolve().parents[2] / "pretrained"
    return checkout if (checkout / INDEX).is_file() else Path(sys.prefix) / "share" / "ldvd-course" / "pretrained"


def entries() -> dict[str, dict[str, Any]]:
    """The index: name → entry.

    Raises:
        FileNotFoundError: if there is no index, because the library was copied here without the weights.
        ValueError: if the index is damaged.
    """
    path = directory() / INDEX
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no {path}: trained weights come with the repository, so install the course from a checkout "
            "(pip install --editable .)"
        )
    index = load_json(path)
    if not isinstance(index, dict):
        raise ValueError(f"{path} must be an object of entries, got {type(index).__name__}: restore it ({_RESTORE})")
    for name, record in index.items():
        file, digest = (record.get(key) for key in ("file", "sha256")) if isinstance(record, dict) else (None, None)
        is_inside = isinstance(file, str) and PurePosixPath(file).parts[:1] == (name,) and ".." not in file.split("/")
        if not is_inside or not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
            raise ValueError(
                f"{path}: the entry {name!r} must have a 'file' in the directory {name}/ and its 'sha256': restore it "
                f"({_RESTORE})"
            )
    return index


def entry(name: str) -> dict[str, Any]:
    """The entry of a name in the index.

    Raises:
        FileNotFoundError: as `entries`.
        ValueError: for an unknown name.
    """
    index = entries()
    if name not in index:
        raise ValueError(f"no weights are called {name!r}: {suggestion(name, sorted(index))}")
    return index[name]


def weights_file(name: str) -> Path:
    """The file with the weights of a name, as it is.

    Raises:
        FileNotFoundError: if the index or the file is missing.
        ValueError: for an unknown name.
    """
    path = directory() / entry(name)["file"]
    if not path.is_file():
        raise FileNotFoundError(f"{path}, which {INDEX} lists, is missing: restore it ({_RESTORE})")
    return path


def verified(name: str) -> Path:
    """The file with the weights of a name, after its hash was compared with the one in the index.

    Raises:
        FileNotFoundError: if the index or the file is missing.
        ValueError: for an unknown name, or a file whose hash is not the index's.
    """
    path = weights_file(name)
    if file_sha256(path) != entry(name)["sha256"]:
        raise ValueError(
            f"{path} is not the file that the index describes (its SHA-256 differs): restore it ({_RESTORE})"
        )
    return path


def load_weights(name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The verified tensors of a name, and its entry in the index; raises what `verified` does."""
    return load_tensors(verified(name)), entry(name)


def save_weights(shelf: str | Path, name: str, weights: Mapping[str, Tensor], details: Mapping[str, Any]) -> Path:
    """Write tensors into the directory of a name, and their entry into the index; see `list_weights`.

    Returns:
        The file.
    """
    path = save_tensors(Path(shelf) / name / WEIGHTS, weights)
    list_weights(shelf, name, path, details)
    return path


def list_weights(shelf: str | Path, name: str, path: Path, details: Mapping[str, Any]) -> None:
    """Set the entry of a name in the index; other entries stay.

    Args:
        shelf: the directory where the index is, or will be.
        name: the entry's.
        path: the file with the weights, somewhere in `shelf`.
        details: the entry, to which file and hash are added.
    """
    index_path = Path(shelf) / INDEX
    record = {"file": path.relative_to(shelf).as_posix(), "sha256": file_sha256(path), **details}
    # Another process may add another entry at the same time.
    with locked(index_path.with_name(f".{INDEX}.lock"), busy=f"{index_path} is being written", patience=math.inf):
        index = load_json(index_path) if index_path.is_file() else {}
        index[name] = record
        with replacing(index_path) as temporary:
            temporary.write_text(json.dumps(index, indent=1) + "\n")
