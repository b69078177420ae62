"""Small JSON files that all of a learner's notebooks share.

Several kernels may write one at once, and none loses what another wrote. What is wrong with a file (damaged, not ours
to write) is told in words and never raised: a notebook goes on without it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ldvd_lib._files import replacing

_PATIENCE = 10  # seconds for another kernel to finish its few lines

Content = dict[str, Any]


class SharedFile:
    """A JSON object in a file.

    Args:
        path: where; need not exist.
        is_valid: whether an object is what the file should hold; anything else counts as damage.
    """

    def __init__(self, path: Path, is_valid: Callable[[Content], bool]) -> None:
        self.path, self.is_valid = path, is_valid

    def read(self) -> tuple[Content, str]:
        """What it holds (nothing, where there is no file or no sense to it), and what is wrong with it, if anything."""
        try:
            content = self._parse()
        except OSError as error:
            return {}, f"{self.path.name} cannot be read ({error.strerror or error})"
        if content is None:
            return {}, f"{self.path.name} is damaged"
        return content, ""

    def update(self, change: Callable[[Content], Content]) -> str:
        """Read it, change that, and write it back, while all others wait.

        Args:
            change: from what the file holds to what it shall hold.

        Returns:
            What went wrong, in words; "" if all went well. A damaged file is moved aside and begun anew.
        """
        lock = self.path.with_name(f".{self.path.name}.lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(lock, timeout=_PATIENCE):
                content = self._parse()
                aside = self.path.with_name(f"{self.path.stem}-damaged{self.path.suffix}")
                if content is None:
                    self.path.replace(aside)
                changed = change(content or {})
                if changed != content:
                    with replacing(self.path) as temporary:
                        temporary.write_text(json.dumps(changed, indent=1) + "\n", encoding="utf-8")
                return (
                    f"{self.path.name} was damaged; it is now {aside.name}, and begun anew" if content is None else ""
                )
        except Timeout:
            return f"{self.path.name} is in use elsewhere: remove {lock.name} if it is not"
        except (OSError, NotImplementedError) as error:  # not implemented: a file system that has no locks
            return f"{self.path.name} cannot be written ({getattr(error, 'strerror', None) or error})"

    def _parse(self) -> Content | None:
        """The object in the file, {} if there is no file, None if it is damaged."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) and self.is_valid(content) else None
