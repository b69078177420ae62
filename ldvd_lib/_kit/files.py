"""Writing files so that a reader never sees half of one, not even after a power failure; and hashes of files."""

import contextlib
import errno
import glob
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
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # a full disk, a used up quota, a file larger than is allowed


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path`` to write to; it replaces ``path`` once it is on the disk, or is removed if not.

    It has the suffix of ``path``, since many writers choose the format by it. Missing directories are made.

    Raises:
        OSError: what cannot be written, as `writing` says it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        with writing(path):
            yield temporary
            to_disk(temporary)
            temporary.replace(path)
            to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Around the writing of a file: an `OSError` that names no file gets its name, and a full disk says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            advice = f"{os.strerror(error.errno)}: free some space, then start again; what was whole before still is"
            raise OSError(error.errno, advice, str(path)) from error
        if error.filename is None and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def remove_leftovers(path: str | Path) -> None:
    """Remove the temporary files of `replacing` that killed processes left; only while no other can write `path`."""
    path = Path(path)
    for leftover in path.parent.glob(f".{glob.escape(path.stem)}-{'[0-9a-f]' * 8}{glob.escape(path.suffix)}"):
        leftover.unlink(missing_ok=True)


def behind_link(path: str | Path) -> Path:
    """Where a directory of this name is to be made: the path itself or, of a symbolic link, what it leads to."""
    path = Path(path)
    return path.resolve() if path.is_symlink() else path


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
    from safetensors.torch import save

    with replacing(path) as temporary:
        # safetensors' own `save_file` lets nobody else read the file, and does not say why it cannot be written.
        temporary.write_bytes(save({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, metadata))
    return Path(path)


def load_tensors(path: str | Path) -> "dict[str, Tensor]":
    """The named tensors of a safetensors file, on the CPU.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, or a value in it is not finite.
    """
    from safetensors.torch import load_file

    if not Path(path).is_file():
        raise FileNotFoundError(f"there are no weights at {path}")
    try:
        tensors = load_file(path)
    except MemoryError:  # which is no fault of the file's
        raise
    except Exception as error:  # safetensors raises an error class of its own, which is not public
        raise ValueError(f"{path} cannot be read as safetensors ({error}): was it cut short?") from error
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ValueError(f"{path} cannot be used: {name} has values that are not finite (NaN or infinite)")
    return tensors
