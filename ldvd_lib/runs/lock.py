"""One training at a time in a run directory."""

import contextlib
import json
import os
import platform
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ldvd_lib._kit.configuration import save_json
from ldvd_lib._kit.files import remove_leftovers
from ldvd_lib._kit.lock import locked

LOCK, HOLDER = ".lock", ".training.json"


@contextlib.contextmanager
def held(directory: Path) -> Iterator[None]:
    """Keep a run directory for oneself within the block; made if absent. What a killed process held is free again.

    Raises:
        BlockingIOError: if it is being trained already, saying by whom.
    """
    with locked(directory / LOCK, busy=f"{directory} is being trained already, {_holder(directory)}"):
        holder = directory / HOLDER
        # Only a courtesy to others: the training says itself where it cannot write.
        with contextlib.suppress(OSError):
            remove_leftovers(holder)
            since = datetime.now().astimezone().isoformat(timespec="seconds")
            save_json({"process": os.getpid(), "host": platform.node(), "since": since}, holder)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                holder.unlink(missing_ok=True)


def _holder(directory: Path) -> str:
    """Who has it, in words, if anyone has."""
    try:
        holder = json.loads((directory / HOLDER).read_text())
        who = "this process" if holder["process"] == os.getpid() else f"process {holder['process']}"
        return f"by {who} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "by another process"
