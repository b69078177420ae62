"""One training at a time in a run directory."""

import contextlib
import json
import logging
import os
import platform
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ldvd_lib._kit.files import replacing

LOCK, HOLDER = ".lock", ".training.json"

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def held(directory: Path) -> Iterator[None]:
    """Keep a run directory for oneself within the block; made if absent. What a killed process held is free again.

    Raises:
        RuntimeError: if it is being trained already, saying by whom.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lock = FileLock(directory / LOCK, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RuntimeError(
            f"{directory} is being trained already, {_holder(directory)}: stop that first, or choose another directory"
        ) from None
    except (OSError, NotImplementedError) as error:
        logger.warning("%s cannot be locked (%s): see to it that nothing else trains there", directory, error)
        yield
        return
    try:
        with replacing(directory / HOLDER) as temporary:
            begun = datetime.now().astimezone().isoformat(timespec="seconds")
            temporary.write_text(json.dumps({"process": os.getpid(), "host": platform.node(), "since": begun}))
        yield
    finally:
        with contextlib.suppress(OSError):
            (directory / HOLDER).unlink(missing_ok=True)
        lock.release()


def _holder(directory: Path) -> str:
    """Who has it, in words."""
    try:
        holder = json.loads((directory / HOLDER).read_text())
        who = "this process" if holder["process"] == os.getpid() else f"process {holder['process']}"
        return f"by {who} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "by another process"
