"""Writing files so that a reader never sees half of one, not even after a power failure; and hashes of files."""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

if TYPE_CHECKING:
    from torch import Tensor

_HASH_CHUNK = 1 << 20  # bytes


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path`` to write to; it replaces ``path`` once it is on the disk, or is removed if not.

    It has the suffix of ``path``, since many writers choose the format by it. Missing directories are made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        yield temporary
        to_disk(temporary)
        temporary.replace(path)
        to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def to_disk(path: str | Path) -> None:
    """Wait until a file, or the names in a directory, are on the disk and not only in a cache (fsync)."""
    if Path(path).is_dir() and os.name == "nt":  # Windows cannot open directories, and writes names by itself
        return
    handle = os.open(path, os.O_RDONLY if Path(path).is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_sha256(path: str | Path, *, progress: bool = False) -> str:
    """SHA-256 of a file as 64 hexadecimal digits."""
    path, digest = Path(path), hashlib.sha256()
    bar = tqdm(total=path.stat().st_size, unit="B", unit_scale=True, desc=f"checking {path.name}", disable=not progress)
    with path.open("rb") as file, bar:
        while chunk := file.read(_HASH_CHUNK):
            digest.update(chunk)
            bar.update(len(chunk))
    return digest.hexdigest()


def free_path(stem: Path, suffix: str = "") -> Path:
    """The path of ``stem`` and suffix or, if it exists already, the first of ``stem-2``, ``stem-3``, … that is free."""
    path, number = stem.with_name(f"{stem.name}{suffix}"), 2
    while path.exists():
        path, number = stem.with_name(f"{stem.name}-{number}{suffix}"), number + 1
    return path


def save_tensors(path: str | Path, tensors: "Mapping[str, Tensor]", *, metadata: dict[str, str] | None = None) -> Path:
    """Write named tensors of any device and layout as safetensors, whole or not at all; returns the path."""
    from safetensors.torch import save_file

    with replacing(path) as temporary:
        save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, temporary, metadata=metadata)
    return Path(path)
