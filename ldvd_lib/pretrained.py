"""Weights that we trained, from the checkout's ``pretrained/`` or what was installed of it: found, verified, loaded.

``index.json`` lists each file with its SHA-256, what it is and how it was made; a card beside it tells more.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from ldvd_lib._files import replacing, save_tensors
from ldvd_lib.data.transfer import file_sha256

INDEX = "index.json"


def directory() -> Path:
    """Where the weights are: ``pretrained/`` of the checkout that the library is in, or else what was installed."""
    checkout = Path(__file__).resolve().parents[1] / "pretrained"
    return checkout if (checkout / INDEX).is_file() else Path(sys.prefix) / "share" / "ldvd-course" / "pretrained"


def entry(name: str) -> dict[str, Any]:
    """What the index says of a name.

    Raises:
        FileNotFoundError: if there is no index: the library was copied from elsewhere, without them.
        ValueError: for an unknown name.
    """
    path = directory() / INDEX
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no {path}: trained weights come with the repository, so install the course from a checkout "
            "(pip install --editable .)"
        )
    index = json.loads(path.read_text())
    if name not in index:
        raise ValueError(f"no weights are called {name!r}: there are {sorted(index)}")
    return index[name]


def load_weights(name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a name, verified, and its entry in the index.

    Raises:
        FileNotFoundError: if the index or the file is missing.
        ValueError: for an unknown name, or a file whose hash is not the index's.
    """
    found = entry(name)
    path = directory() / found["file"]
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: restore it with `git checkout pretrained`")
    if file_sha256(path) != found["sha256"]:
        raise ValueError(f"{path} is not the file that the index describes (its SHA-256 differs): restore it from git")
    return load_file(path), found


def save_weights(into: str | Path, name: str, weights: Mapping[str, Tensor], made: Mapping[str, Any]) -> Path:
    """Write tensors under a name, and what the index should say of them; other entries stay.

    Args:
        into: where the index is, or will be.
        name: the file's name without its ending, and the entry's.
        weights: name → tensor.
        made: the entry, to which file and hash are added.

    Returns:
        The file.
    """
    path, index_path = Path(into) / f"{name}.safetensors", Path(into) / INDEX
    save_tensors(path, weights)
    index = json.loads(index_path.read_text()) if index_path.is_file() else {}
    index[name] = {"file": path.name, "sha256": file_sha256(path), **made}
    with replacing(index_path) as temporary:
        temporary.write_text(json.dumps(index, indent=1) + "\n")
    return path
