"""Writing files so that a reader never meets half of one."""

import contextlib
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A name beside ``path`` to write under; moved onto ``path`` once all is written, removed if that fails.

    The name keeps the suffix, since many writers choose the format by it. Missing directories are made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def free_path(stem: Path, suffix: str = "") -> Path:
    """``stem`` and suffix; where something of that name is there already, the first of ``stem-2``, … that is free."""
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
