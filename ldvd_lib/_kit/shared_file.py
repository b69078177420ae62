"""Small JSON files that all of a learner's notebooks share.

Several kernels may write to a file at once, and none loses what another wrote. A problem with a file (it is damaged, or
not writable) is returned in words and never raised: a notebook goes on without the file.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ldvd_lib._kit.files import free_path, remove_leftovers, replacing
from ldvd_lib._kit.lock import locked

_PATIENCE = 30.0  # seconds to wait for another kernel that is writing

Content = dict[str, Any]


class SharedFile:
    """A JSON object in a file.

    Args:
        path: where it is; need not exist.
        is_valid: whether an object is what the file should hold; anything else counts as damaged.
    """

    def __init__(self, path: Path, is_valid: Callable[[Content], bool]) -> None:
        self.path, self.is_valid = path, is_valid

    def read(self) -> tuple[Content, str]:
        """Its content (empty if the file is missing or unreadable), and what is wrong with it, if anything."""
        try:
            content = self._parse()
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
            What went wrong, in words; "" if all went well. A damaged file is moved aside and a new one begun.
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
                    with replacing(self.path) as temporary:
                        temporary.write_text(json.dumps(changed, indent=1) + "\n", encoding="utf-8")
                return (
                    f"{self.path.name} was damaged; it is now {aside.name}, and begun anew" if content is None else ""
                )
        except BlockingIOError as error:
            return str(error)
        except OSError as error:
            return f"{self.path.name} cannot be written ({error.strerror or error})"

    def _parse(self) -> Content | None:
        """The object in the file, {} if there is no file, None if it is damaged."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) and self.is_valid(content) else None
