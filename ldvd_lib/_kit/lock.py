"""One at a time: a lock on a file that the system frees when the process that holds it ends, however it ends."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

logger = logging.getLogger(__name__)

_SILENCE = 2.0  # seconds that one waits without a word


@contextlib.contextmanager
def locked(path: str | Path, *, busy: str, patience: float = 0.0) -> Iterator[None]:
    """Hold a lock within the block. Where files cannot be locked or written, a warning says so and the block runs.

    Args:
        path: of the lock file; its directory is made. The file stays: to delete it would let two in at a time.
        busy: what to say when another holds it, in words: ``"runs/a is being trained already"``, say.
        patience: seconds to wait for the other; ``math.inf`` for as long as it takes.

    Raises:
        BlockingIOError: if another process, or another thread of this one, holds it for longer than that.
    """
    path = Path(path)
    lock = FileLock(path, thread_local=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=min(patience, _SILENCE))
        except Timeout:
            if patience <= _SILENCE:
                raise
            logger.warning("%s: waiting for it", busy)
            lock.acquire(timeout=-1 if patience == float("inf") else patience - _SILENCE)
    except Timeout:
        raise BlockingIOError(f"{busy}: wait until that is done, or stop it") from None
    except (OSError, NotImplementedError) as error:  # a read-only place, or a file system without locks
        logger.warning("%s cannot be locked (%s): see to it that nothing else writes there", path, error)
        yield
        return
    try:
        yield
    finally:
        lock.release()


def making(directory: Path) -> contextlib.AbstractContextManager[None]:
    """A lock to hold while a directory is made: others wait, and then find it made (look again within the block).

    Its file lies beside the directory, ``.NAME.lock``, since the directory itself appears only when it is whole.
    """
    busy = f"{directory} is being made by another process, or in another thread"
    return locked(directory.with_name(f".{directory.name}.lock"), busy=busy, patience=float("inf"))
