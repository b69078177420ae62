"""The shelf of trained weights: the checkout's ``pretrained/``, or what was installed of it.

Each name has a directory with its weights and a card; ``index.json`` lists the weights' files with their SHA-256, what
they are and how they were made.
"""

import difflib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from ldvd_lib._files import replacing, save_tensors
from ldvd_lib.configuration import load_json
from ldvd_lib.data.transfer import file_sha256

INDEX = "index.json"
WEIGHTS = "weights.safetensors"
CARD = "README.md"


def directory() -> Path:
    """Where the weights are: ``pretrained/`` of the checkout that the library is in, or else what was installed."""
    checkout = Path(__file__).resolve().parents[1] / "pretrained"
    return checkout if (checkout / INDEX).is_file() else Path(sys.prefix) / "share" / "ldvd-course" / "pretrained"


def entries() -> dict[str, dict[str, Any]]:
    """The index: name → entry.

    Raises:
        FileNotFoundError: if there is none: the library was copied from elsewhere, without the weights.
    """
    path = directory() / INDEX
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no {path}: trained weights come with the repository, so install the course from a checkout "
            "(pip install --editable .)"
        )
    return load_json(path)


def entry(name: str) -> dict[str, Any]:
    """What the index says of a name.

    Raises:
        FileNotFoundError: as `entries`.
        ValueError: for an unknown name.
    """
    index = entries()
    if name not in index:
        near = difflib.get_close_matches(name, index, n=1)
        hint = f"did you mean {near[0]!r}? There are" if near else "there are"
        raise ValueError(f"no weights are called {name!r}: {hint} {sorted(index)}")
    return index[name]


def verified(name: str) -> Path:
    """The file with the weights of a name, whose hash is the one in the index.

    Raises:
        FileNotFoundError: if the index or the file is missing.
        ValueError: for an unknown name, or a file whose hash is not the index's.
    """
    found = entry(name)
    path = directory() / found["file"]
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: restore it with `git checkout pretrained`, or install anew")
    if file_sha256(path) != found["sha256"]:
        raise ValueError(
            f"{path} is not the file that the index describes (its SHA-256 differs): restore it with "
            "`git checkout pretrained`, or install anew"
        )
    return path


def load_weights(name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a name, verified, and its entry in the index; raises what `verified` does."""
    return load_file(verified(name)), entry(name)


def save_weights(into: str | Path, name: str, weights: Mapping[str, Tensor], made: Mapping[str, Any]) -> Path:
    """Write tensors into the directory of a name, and what the index should say of them; see `list_weights`.

    Returns:
        The file.
    """
    path = save_tensors(Path(into) / name / WEIGHTS, weights)
    list_weights(into, name, path, made)
    return path


def list_weights(into: str | Path, name: str, path: Path, made: Mapping[str, Any]) -> None:
    """Set the entry of a name in the index; other entries stay.

    Args:
        into: where the index is, or will be.
        name: the entry's.
        path: the file with the weights, somewhere in `into`.
        made: the entry, to which file and hash are added.
    """
    index_path = Path(into) / INDEX
    index = load_json(index_path) if index_path.is_file() else {}
    index[name] = {"file": path.relative_to(into).as_posix(), "sha256": file_sha256(path), **made}
    with replacing(index_path) as temporary:
        temporary.write_text(json.dumps(index, indent=1) + "\n")
