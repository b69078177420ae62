"""Small JSON files that all of a learner's notebooks share.

Several kernels may write to a file at once, and none loses what another wrote. A problem with a file (it is damaged, or
not writable) is returned in words and never raised: a notebook goes on without the file.

A file says under "version" which form its content has, unless it is the first. Older forms are read as the present one;
a newer one, which a later version of the library has written, is left alone.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ldvd_lib._kit.files import free_path, remove_leftovers, replacing
from ldvd_lib._kit.lock import locked

_PATIENCE = 30.0  # seconds to wait for another kernel that is writing

_VERSION = "version"

Content = dict[str, Any]


class _TooNew(Exception):
    """The file has a form that this library does not know."""


class SharedFile:
    """A JSON object in a file.

    Args:
        path: where it is; need not exist.
        is_valid: whether an object is what the file should hold, in any version; anything else counts as damaged.
        upgrades: the first makes content of version 2 out of content of version 1, and so on up to the present one.
    """

    def __init__(
        self, path: Path, is_valid: Callable[[Content], bool], upgrades: Sequence[Callable[[Content], Content]] = ()
    ) -> None:
        self.path, self.is_valid, self.upgrades = path, is_valid, tuple(upgrades)

    @property
    def version(self) -> int:
        """The present version, in which the file is written."""
        return 1 + len(self.upgrades)

    def read(self) -> tuple[Content, str]:
        """Its content (empty if the file is missing or unreadable), and what is wrong with it, if anything.

        The content is that of the present version; which one the file has is not part of it.
        """
        try:
            content = self._parse()
        except _TooNew as error:
            return {}, str(error)
        except OSError as error:
            return {}, f"{self.path.name} cannot be read ({error.strerror or error})"
        if content is None:
            return {}, f"{self.path.name} is damaged"
        return content, ""

    def update(self, change: Callable[[Content], Content]) -> str:
        """Read the content, change it, and write it back, while all other kernels wait.

        Args:
            change: from the present content to the new content.

        Returns:
            What went wrong, in words; "" if all went well. A damaged file is moved aside and a new one begun; one of a
            newer version is left as it is.
        """
        lock = self.path.with_name(f".{self.path.name}.lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with locked(lock, busy=f"{self.path.name} is being written to", patience=_PATIENCE):
                remove_leftovers(self.path)
                content = self._parse()
                aside = free_path(self.path.with_name(f"{self.path.stem}-damaged"), self.path.suffix)
                if content is None:
                    self.path.replace(aside)
                changed = change(content or {})
                if changed != content:
                    version = {_VERSION: self.version} if self.upgrades else {}
                    with replacing(self.path) as temporary:
                        temporary.write_text(json.dumps(version | changed, indent=1) + "\n", encoding="utf-8")
                return (
                    f"{self.path.name} was damaged; it is now {aside.name}, and begun anew" if content is None else ""
                )
        except (BlockingIOError, _TooNew) as error:
            return str(error)
        except OSError as error:
            return f"{self.path.name} cannot be written ({error.strerror or error})"

    def _parse(self) -> Content | None:
        """The object in the file, {} if there is no file, None if it is damaged.

        Raises:
            _TooNew: the file has a later version.
        """
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError):
            return None
        if not isinstance(content, dict):
            return None
        version = content.pop(_VERSION, 1)
        if type(version) is not int or version < 1:
            return None
        if version > self.version:
            raise _TooNew(
                f"{self.path.name} was written by a newer library (version {version} of the file; this one knows up to "
                f"{self.version}) and is left as it is until you update the library"
            )
        if not self.is_valid(content):
            return None
        for upgrade in self.upgrades[version - 1 :]:
            content = upgrade(content)
        return content
