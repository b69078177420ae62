"""What one learns on a machine that one has for minutes: written down at once, so that no end comes too early."""

import contextlib
import json
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

JSONL, MARKDOWN = "report.jsonl", "report.md"
TITLES = {
    "0": "The machine and the call",
    "1": "Tests that need CUDA",
    "2": "Correctness against the CPU",
    "3": "Figures",
    "4": "Trainings",
}
LATE = "no time left"
HIDDEN = ("rows", "history", "spectrum")  # of an entry: shown as a table, or left to those who read the JSON


class Skipped(Exception):
    """An item that has no business on this machine; the message says why."""


class OutOfTime(BaseException):
    """An item took too long. No `Exception`: whatever the item calls must not take it for an error of its own."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `OutOfTime` in the block after so many seconds, or as soon as Python has the word again after them."""

    def ring(number: int, frame: Any) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Report:
    """The entries of all parts so far, in ``report.jsonl``, and the same for readers in ``report.md``.

    Args:
        directory: where both are.
        part: what the entries that are added belong to.
        ends: when the part must be over, in seconds since the epoch.
    """

    def __init__(self, directory: Path, part: str, ends: float) -> None:
        self.directory, self.part, self.ends = directory, part, ends

    def left(self) -> float:
        """Seconds that the part still has."""
        return self.ends - time.time()

    def item(
        self, name: str, work: Callable[[], dict[str, Any]], *, seconds: float = 60.0, share: float = 0.5
    ) -> dict[str, Any] | None:
        """Do one thing within so many seconds, and write down what it gives, or why it gives nothing.

        Args:
            name: of the item; the report has one entry for it.
            work: returns plain values; ``rows``, a list of dictionaries, becomes a table.
            seconds: the most it may take; never more than the part has left.
            share: of what the part has left, the most it may take, so that one that hangs does not take it all; but
                five seconds it may have in any case.

        Returns:
            What `work` gave; None if it did not.
        """
        if self.left() <= 0:
            self.add(name, LATE)
            return None
        self._append({"part": self.part, "item": name, "status": "under way"})
        started, values = time.perf_counter(), None
        try:
            with limited(min(seconds, self.left(), max(self.left() * share, 5.0))):
                values = work()
            status, more = "done", values
        except OutOfTime:
            status, more = "out of time", {}
        except Skipped as reason:
            status, more = "skipped", {"reason": str(reason)}
        except Exception as error:
            status = "failed"
            more = {"error": f"{type(error).__name__}: {error}"[:2000], "traceback": traceback.format_exc()[-2000:]}
        self.add(name, status, seconds=round(time.perf_counter() - started, 2), **more)
        return values

    def add(self, name: str, status: str, **values: Any) -> None:
        """Write down an entry."""
        self._append({"part": self.part, "item": name, "status": status, **values})
        print(f"[{self.part}] {name}: {status}{_told(values)}", flush=True)
        temporary = self.directory / f"{MARKDOWN}.new"
        temporary.write_text(markdown(self.entries()))
        temporary.replace(self.directory / MARKDOWN)

    def entries(self) -> list[dict[str, Any]]:
        """Everything that was written down, by whatever part."""
        return read(self.directory)

    def _append(self, entry: dict[str, Any]) -> None:
        with (self.directory / JSONL).open("a") as file:
            file.write(json.dumps(entry, default=str) + "\n")
            file.flush()


def read(directory: Path) -> list[dict[str, Any]]:
    """The entries of a report; a last line that is not whole, as after a kill, is left out."""
    path, entries = directory / JSONL, []
    for line in path.read_text().splitlines() if path.exists() else []:
        with contextlib.suppress(json.JSONDecodeError):
            entries.append(json.loads(line))
    return entries


def markdown(entries: list[dict[str, Any]]) -> str:
    """The entries for readers: a section for each part; neighbours whose rows have the same columns share a table."""
    lines = ["# What a device does with the course's library", ""]
    part, columns = None, None
    late: list[str] = []
    for position, entry in enumerate(entries):
        late_too = entry["status"] == LATE and entry["part"] == part
        if late and not late_too:
            lines += ["", f"- {LATE} for {'; '.join(late)}"]
            late = []
        if late_too:
            late.append(entry["item"])
            columns = None
            continue
        if entry["status"] == "under way":
            if position < len(entries) - 1:  # it has ended: its result is further on
                continue
            entry = entry | {"status": "under way when this was written"}
        if entry["part"] != part:
            part, columns = entry["part"], None
            lines += ["", f"## {part}. {TITLES.get(part, '')}", ""]
        rows = entry.get("rows") or []
        if rows and list(rows[0]) != columns:
            columns = list(rows[0])
            lines += ["", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
        lines += [f"| {' | '.join(_shown(row.get(column, '')) for column in columns)} |" for row in rows]
        others = {k: v for k, v in entry.items() if k not in ("part", "item", "status", "traceback", *HIDDEN)}
        if not rows or entry["status"] != "done" or set(others) - {"seconds"}:
            columns = None
            told = "".join(f"; {name} {_shown(value)}" for name, value in others.items())
            lines += ["", f"- **{entry['item']}**: {entry['status']}{told}"]
    lines += ["", f"- {LATE} for {'; '.join(late)}"] if late else []
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return " ".join(text.split()).replace("|", "\\|")


def _told(values: dict[str, Any]) -> str:
    told = [f"{name} {_shown(value)}" for name, value in values.items() if name not in (*HIDDEN, "traceback")]
    told += [" | ".join(map(_shown, row.values())) for row in values.get("rows") or []]
    return "".join(f"\n      {line}" for line in told)
