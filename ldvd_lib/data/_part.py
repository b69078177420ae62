"""The unfinished file of a download, and beside it what is known of the copy on the server that it was begun from."""

import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ldvd_lib._kit.configuration import check_types, from_dict, load_json, save_json
from ldvd_lib._kit.files import remove_leftovers, to_disk

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Notes:
    """What ``<name>.part.json`` says of a part.

    Args:
        url: the address that it comes from.
        validator: ETag or date by which the server tells versions of the file apart; None if it gave neither.
        total: bytes of the whole file; None if the server did not say.
        safe_length: bytes of the part that are on the disk for sure.
    """

    url: str
    validator: str | None
    total: int | None
    safe_length: int

    def __post_init__(self) -> None:
        check_types(self)
        if self.safe_length < 0 or (self.total is not None and self.total < 0):
            raise ValueError(f"lengths must not be negative, got {self.safe_length} and {self.total}")
        if self.validator is not None and not is_plain(self.validator):
            raise ValueError(f"the validator {self.validator!r} cannot be sent to a server")


def is_plain(text: str) -> bool:
    """Whether a text can be sent in a header as it is."""
    return text.isascii() and text.isprintable() and text == text.strip()


class Part:
    """``<name>.part``. At most one in a process and one process at a time: whoever makes it holds the target's lock.

    Args:
        target: the file that it is to become.
        url: where it comes from. A part of another address is begun anew, and so is one whose notes are damaged.
    """

    def __init__(self, target: Path, url: str) -> None:
        self.path = target.with_name(target.name + ".part")
        self._notes_path = target.with_name(target.name + ".part.json")
        self._url = url
        self.validator: str | None = None
        self.total: int | None = None
        remove_leftovers(self._notes_path)
        try:
            notes = from_dict(_Notes, load_json(self._notes_path), where=str(self._notes_path))
        except FileNotFoundError:  # a part that the user put there: worth continuing, but without If-Range
            return
        except ValueError as error:
            logger.warning("%s: the download begins anew", error)
            self.restart()
            return
        if notes.url != url:
            self.restart()
            return
        self.validator, self.total = notes.validator, notes.total
        if self.length > notes.safe_length:
            # Nothing says that the rest came to the disk: after a power failure it may be zeros.
            os.truncate(self.path, notes.safe_length)

    @property
    def length(self) -> int:
        """Bytes here so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def restart(self, validator: str | None = None, total: int | None = None) -> None:
        """Begin again from nothing, noting what the server says of its copy."""
        self.path.write_bytes(b"")
        self.validator, self.total = validator, total
        self.note()

    def note(self) -> None:
        """Bring the part to the disk, and only then note how long it is."""
        length = self.length
        to_disk(self.path)
        save_json(asdict(_Notes(self._url, self.validator, self.total, length)), self._notes_path)

    def finish(self, target: Path) -> None:
        """Give the part, which is whole, its name."""
        to_disk(self.path)
        self._notes_path.unlink(missing_ok=True)
        self.path.replace(target)
        to_disk(target.parent)

    def discard(self) -> None:
        """Remove the part and its notes."""
        self.path.unlink(missing_ok=True)
        self._notes_path.unlink(missing_ok=True)
