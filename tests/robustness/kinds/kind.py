"""What a kind of file is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Result = Any  # plain values and arrays, nested: compared by `numpy.testing.assert_equal`


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        make: fills a directory; the number decides its content, not its layout.
        use: what the library makes of the directory.
        files: patterns of the files that are damaged, one of them at a time; an error must name one of these.
        is_sound: None where damage must be noticed: the result is the undamaged one's, or an error names the file.
            Where damage may be beyond noticing (a pixel, a loss that could have been so), this says what must still
            hold of a result that differs: it gets both results and returns what is wrong, or "".
        also_named: what an error may name instead.
    """

    make: Callable[[Path, int], object]
    use: Callable[[Path], Result]
    files: tuple[str, ...]
    is_sound: Callable[[Result, Result], str] | None = None
    also_named: tuple[str, ...] = ()


def wrong(**claims: bool) -> str:
    """The claims that do not hold, in words."""
    return ", ".join(f"not {claim.replace('_', ' ')}" for claim, holds in claims.items() if not holds)
