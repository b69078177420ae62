"""What the tests of the classroom share: a workspace of their own, and the figures that are printed last."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from ldvd_lib.classroom.records import session_statuses

_COUNTS = "discrimination"


@pytest.fixture(autouse=True)
def own_progress(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A temporary workspace for ``progress.json``; the learner's own file stays as it is."""
    directory = tmp_path_factory.mktemp("workspace")
    monkeypatch.setenv("LDVD_WORKSPACE", str(directory))
    session_statuses.clear()
    return directory


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Take down figures of an exercise: ``count("01.2", wrong=8)``."""
    return lambda name, **counts: record_property(_COUNTS, {"name": name} | counts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How well the checks tell right answers from wrong ones, notebook by notebook."""
    figures: dict[str, Counter] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, counts in getattr(report, "user_properties", ()):
                if name == _COUNTS and report.when == "call":
                    counts = dict(counts)
                    figures.setdefault(counts.pop("name"), Counter()).update(counts)
    if not figures:
        return
    notebooks: dict[str, Counter] = {}
    for name, counts in sorted(figures.items()):
        notebooks.setdefault(f"notebook {name[:2]}", Counter()).update(counts | {"exercises": 1})
    total = sum(notebooks.values(), Counter())
    terminalreporter.section("what the checks tell apart", sep="-")
    columns = ("exercises", "wrong", "refused", "named", "right", "accepted", "accidents")
    terminalreporter.write_line(f"{'':13}" + "".join(f"{column:>12}" for column in columns))
    for title, counts in (*notebooks.items(), ("in all", total)):
        wrong, right = counts["wrong"], counts["right"]
        shares = {
            "refused": f"{counts['refused'] / wrong:.0%}" if wrong else "-",
            "named": f"{counts['named'] / wrong:.0%}" if wrong else "-",
            "accepted": f"{counts['accepted'] / right:.0%}" if right else "-",
        }
        cells = "".join(f"{shares.get(column, counts[column]):>12}" for column in columns)
        terminalreporter.write_line(f"{title:13}{cells}")
