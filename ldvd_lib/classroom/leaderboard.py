"""A board of capstone entries, kept in a file; it does not rank differences that other seeds could have reversed.

board = Board()
board.add(entry)    # kept in leaderboard.json
board               # a table, with the baselines
"""

import importlib.resources
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ldvd_lib._kit.configuration import from_dict
from ldvd_lib._kit.shared_file import SharedFile
from ldvd_lib._kit.tables import as_html, as_text
from ldvd_lib.classroom.capstone import BRIEF, Entry
from ldvd_lib.classroom.environment import workspace

BASELINES = "capstone_baselines.json"  # beside this file; benchmarks/capstone_baselines.py writes it


def baselines() -> list[Entry]:
    """The paper's designs and a frame-wise one, as the course's authors scored them."""
    text = (importlib.resources.files("ldvd_lib.classroom") / BASELINES).read_text(encoding="utf-8")
    return [from_dict(Entry, record, where=BASELINES) for record in json.loads(text)["entries"]]


def seed_noise(entries: Sequence[Entry]) -> float:
    """How much a score varies from seed to seed, as a fraction of itself: the deviation, pooled over all designs."""
    repeated = [entry for entry in entries if len(entry.scores) > 1]
    squares = sum(np.var(entry.scores, ddof=1) / entry.score**2 * (len(entry.scores) - 1) for entry in repeated)
    return math.sqrt(squares / sum(len(entry.scores) - 1 for entry in repeated))


def is_comparable(entry: Entry) -> bool:
    """Whether it was trained and judged for as long as the brief says, and not shorter, as under the other budgets."""
    return (entry.steps, entry.samples) == (BRIEF.steps, BRIEF.samples)


def remark_on(entry: Entry) -> str:
    """Why an entry is not ranked; "" if it is."""
    too_short = () if is_comparable(entry) else (f"{entry.budget} budget: not compared",)
    return "; ".join((*too_short, *BRIEF.violations(entry)))


@dataclass(frozen=True)
class Place:
    """A line of the board: an entry, its places (None if it is not ranked), and a remark on it."""

    entry: Entry
    first: int | None
    last: int | None
    error: float
    remark: str

    @property
    def in_words(self) -> str:
        """The places as a range, such as "1–2"; a dash if there are none."""
        if self.first is None or self.last is None:
            return "–"
        return str(self.first) if self.first == self.last else "–".join(map(str, sorted((self.first, self.last))))


class Board:
    """The learner's entries and the baselines; shows itself as a table.

    A score's standard error is the noise of seeds, as measured on the baselines, divided by the root of the number of
    its seeds. One entry is clearly better than another if their difference is more than twice the error of that
    difference. The places of an entry go from just behind all that are clearly better to just ahead of all that are
    clearly worse.

    Args:
        path: the file; default ``leaderboard.json`` in the workspace.
        reference: entries that are shown and compared with, but not kept in the file; default `baselines`.
    """

    def __init__(self, path: Path | None = None, *, reference: Sequence[Entry] | None = None) -> None:
        self._file = SharedFile(
            workspace() / "leaderboard.json" if path is None else path,
            lambda content: isinstance(content.get("entries", []), list),
        )
        self.reference = tuple(baselines() if reference is None else reference)
        self.noise = seed_noise(self.reference)
        self.note = ""  # what is wrong with the file, in words
        self._written = ""  # what went wrong when it was last written

    def add(self, entry: Entry) -> "Board":
        """Put an entry on the board, in place of an earlier one of the same design; returns the board."""

        def with_entry(content: dict[str, Any]) -> dict[str, Any]:
            other_records = [record for record in content.get("entries", []) if _key(record) != entry.key]
            return {**content, "entries": [*other_records, asdict(entry)]}

        self.note = self._written = self._file.update(with_entry)
        return self

    def entries(self) -> list[Entry]:
        """The entries in the file, in the order in which they were added.

        A record that is none stays in the file and is left out here; `note` says which, and why.
        """
        content, problem = self._file.read()
        entries, notes = [], [problem or self._written]
        for number, record in enumerate(content.get("entries", []), start=1):
            try:
                entries.append(_read(record))
            except ValueError as error:
                notes.append(f"{self._file.path.name}, record {number}, is left out: {error}")
        self.note = "\n".join(filter(None, notes))
        return entries

    def places(self) -> list[Place]:
        """All lines, each group by score: first what keeps the brief, then others of full length, then quick ones."""
        own_entries = self.entries()
        keys = {entry.key for entry in own_entries}
        entries = [*(entry for entry in self.reference if entry.key not in keys), *own_entries]
        ranked = [entry for entry in entries if not remark_on(entry)]
        lines = []
        for entry in sorted(entries, key=_order):
            first = last = None
            if entry in ranked:
                first = 1 + sum(self.clearly_better(rival, entry) for rival in ranked)
                last = len(ranked) - sum(self.clearly_better(entry, rival) for rival in ranked)
            lines.append(Place(entry, first, last, self.error(entry), remark_on(entry)))
        return lines

    def error(self, entry: Entry) -> float:
        """The standard error of an entry's score."""
        return entry.score * self.noise / math.sqrt(len(entry.scores))

    def clearly_better(self, first: Entry, second: Entry) -> bool:
        """Whether the first entry's score is lower than the second's by more than twice the error of the difference."""
        return second.score - first.score > 2 * math.hypot(self.error(first), self.error(second))

    HEADINGS = ("place", "design", "layers", "parameters", "multiply-adds", "|λ|", "score", "seeds", "remark")
    _FIGURES = range(3, 8)

    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (
                place.in_words,
                place.entry.design.name,
                "\N{NO-BREAK SPACE}".join(place.entry.design.kinds),
                f"{place.entry.parameters:,}",
                f"{place.entry.multiply_adds / 1e6:.1f} M",
                f"{place.entry.curvature:.0f}",
                f"{place.entry.score:.0f}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{place.error:.0f}",
                str(len(place.entry.seeds)),
                place.remark,
            )
            for place in self.places()
        ]

    def __repr__(self) -> str:
        return "\n".join(filter(None, [as_text(self.HEADINGS, self._cells(), right=self._FIGURES), self.note]))

    def _repr_html_(self) -> str:
        caption = f"Score: Fréchet distance after {BRIEF.steps} steps ± its error over seeds; lower is better"
        cells = self._cells()
        return as_html(self.HEADINGS, cells, right=self._FIGURES, caption=caption, note=self.note)


def _order(entry: Entry) -> tuple[bool, bool, float, str]:
    return not is_comparable(entry), bool(remark_on(entry)), entry.score, entry.design.name


def _read(record: Any) -> Entry:
    """An entry of the file.

    Raises:
        ValueError: the record is not one (any more), or not one that can be compared.
    """
    try:
        json.dumps(record, ensure_ascii=False).encode()  # half a character, which no screen could show
        entry = from_dict(Entry, record)
        if not len(entry.scores) == len(entry.curvatures) == len(entry.seeds) > 0:
            raise ValueError(
                f"{len(entry.seeds)} seeds, {len(entry.scores)} scores, {len(entry.curvatures)} curvatures"
            )
        costs = (entry.parameters, entry.multiply_adds, entry.steps, entry.samples)
        for value in (*entry.scores, *entry.curvatures, *costs):
            if not math.isfinite(value) or value < 0:
                raise ValueError(f"{value} among its numbers, which must be finite and not negative")
    except Exception as error:  # a network of a design that somebody edited can fail in any way
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(reason if len(reason) <= 200 else f"{reason[:200]}…") from error
    return entry


def _key(record: Any) -> str:
    try:
        return _read(record).key
    except ValueError:
        return ""
