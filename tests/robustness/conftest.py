"""Options of the tests that damage files and kill processes, and their counts at the end."""

import sys
from collections.abc import Callable

import pytest

# They limit what a process may do, mount disks and ask /proc.
collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]

_COUNTS = "counts"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known where pytest is called on this directory; elsewhere the defaults hold."""
    group = parser.getgroup("robustness")
    group.addoption("--mutations", type=int, help="damaged files of each kind (default: as many as take a moment)")
    group.addoption("--first-seed", type=int, default=0, help="of the damage; with --mutations 1, the only one")
    group.addoption("--kills", type=int, help="times that each job is killed, and runs out of room (default: two)")


@pytest.fixture
def record_counts(record_property: Callable[[str, object], None]) -> Callable[[dict[str, str | int]], None]:
    """Keeps a line of the table that is printed at the end: heading → entry, the first of them "kind"."""
    return lambda counts: record_property(_COUNTS, counts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What came of it, kind by kind: a table for each set of columns."""
    rows = [
        counts
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, counts in getattr(report, "user_properties", ())
        if name == _COUNTS and report.when == "call"
    ]
    for columns in dict.fromkeys(tuple(row) for row in rows):
        table = [row for row in rows if tuple(row) == columns]
        sums = {name: sum(row[name] for row in table) for name in columns if name != "kind"}
        terminalreporter.section("damaged, killed, out of room", sep="-")
        for row in ({name: name for name in columns}, *table, {"kind": "in all"} | sums):
            terminalreporter.write_line(f"{row['kind']:28}" + "".join(f"{row[name]:>14}" for name in sums))
