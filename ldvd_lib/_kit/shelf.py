"""The shelf of trained weights: the checkout's ``pretrained/``, or the installed copy of it.

Each name has a directory with its weights and a card; ``index.json`` lists the files of weights with their SHA-256,
what they are and how they were made.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from ldvd_lib._kit.checks import suggestion
from ldvd_lib._kit.configuration import load_json
from ldvd_lib._kit.files import file_sha256, replacing, save_tensors

INDEX = "index.json"
WEIGHTS = "weights.safetensors"
CARD = "README.md"


def directory() -> Path:
    """Where the weights are: ``pretrained/`` of the checkout that the library is in, or else the installed copy."""
    checkout = Path(__file__).resolve().parents[2] / "pretrained"
    return checkout if (checkout / INDEX).is_file() else Path(sys.prefix) / "share" / "ldvd-course" / "pretrained"


def entries() -> dict[str, dict[str, Any]]:
    """The index: name → entry.

    Raises:
        FileNotFoundError: if there is no index, because the library was copied here without the weights.
    """
    path = directory() / INDEX
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no {path}: trained weights come with the repository, so install the course from a checkout "
            "(pip install --editable .)"
        )
    return load_json(path)


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


def verified(name: str) -> Path:
    """The file with the weights of a name, after its hash was compared with the one in the index.

    Raises:
        FileNotFoundError: if the index or the file is missing.
        ValueError: for an unknown name, or a file whose hash is not the index's.
    """
    record = entry(name)
    path = directory() / record["file"]
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: restore it with `git checkout pretrained`, or install anew")
    if file_sha256(path) != record["sha256"]:
        raise ValueError(
            f"{path} is not the file that the index describes (its SHA-256 differs): restore it with "
            "`git checkout pretrained`, or install anew"
        )
    return path


def load_weights(name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The verified tensors of a name, and its entry in the index; raises what `verified` does."""
    return load_file(verified(name)), entry(name)


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
    index = load_json(index_path) if index_path.is_file() else {}
    index[name] = {"file": path.relative_to(shelf).as_posix(), "sha256": file_sha256(path), **details}
    with replacing(index_path) as temporary:
        temporary.write_text(json.dumps(index, indent=1) + "\n")
