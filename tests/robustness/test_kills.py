"""Killed at any moment or out of disk at any place, work goes on and ends as if nothing had happened."""

import itertools
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from jobs import CONTENT, DONE, JOBS, Process
from local_server import LocalServer

pytestmark = pytest.mark.slow

TIMES = 2  # each job is killed, and runs out of room, if no option says otherwise
ROOM = 256 << 20  # bytes, enough for any job


@dataclass(frozen=True)
class Undisturbed:
    """A job that nothing disturbed: what it starts from, its time, what comes of it, the sizes of its files."""

    begun: Path
    seconds: float
    result: Any
    size: int
    largest_file: int


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the file to download is."""
    with LocalServer().running() as server:
        server.files["file.bin"] = CONTENT
        yield server.url("file.bin")


@pytest.fixture(scope="module", params=JOBS)
def job(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def undisturbed(job: str, tmp_path_factory: pytest.TempPathFactory, address: str) -> Undisturbed:
    begun = tmp_path_factory.mktemp("begun") / "work"
    begun.mkdir()
    JOBS[job].begin(begun)
    directory = shutil.copytree(begun, tmp_path_factory.mktemp("undisturbed") / "work")
    process, started = Process(job, directory, address=address), time.perf_counter()
    assert process.outcome() == DONE
    seconds = time.perf_counter() - started
    files = [path for path in directory.rglob("*") if path.is_file()]
    sizes = [path.stat().st_size for path in files if not (begun / path.relative_to(directory)).exists()]
    return Undisturbed(begun, seconds, JOBS[job].result(directory), sum(sizes), max(sizes))


@pytest.fixture
def times(pytestconfig: pytest.Config) -> int:
    return pytestconfig.getoption("kills", None) or TIMES


def test_what_is_killed_goes_on(job, undisturbed, times, tmp_path, address, record_counts) -> None:
    random, kills, runs, problems = Random(job), 0, 0, []
    while kills < times:  # a process that was done before its moment does not count
        runs += 1
        directory = shutil.copytree(undisturbed.begun, tmp_path / str(runs) / "work")
        moments = [random.uniform(0, undisturbed.seconds) for _ in range(random.choice((1, 1, 2)))]
        for moment in moments:
            process = Process(job, directory, address=address)
            time.sleep(moment)
            kills += process.kill()
        problems += [f"killed after {moments} s: {text}" for text in going_on(job, directory, undisturbed, address)]
    record_counts({"kind": f"{job}, killed", "runs": runs, "kills at work": kills, "not equal": len(problems)})
    assert not problems, "\n\n".join(problems)


def test_what_may_not_write_more_goes_on(job, undisturbed, times, tmp_path, address, record_counts) -> None:
    """Files cannot grow beyond a size, as under a quota."""
    outcomes, problems = Counter(), []
    for number, share in zip(range(times), shares(job), strict=False):
        directory = shutil.copytree(undisturbed.begun, tmp_path / str(number) / "work")
        limit = int(share * undisturbed.largest_file)
        verdict, error = Process(job, directory, address=address, largest_file=limit).outcome()
        outcomes[verdict] += 1
        problems += [f"no file of more than {limit:,} bytes: {error}"] if verdict == "escaped" else []
        problems += going_on(job, directory, undisturbed, address)
    record_counts(shortages(f"{job}, files limited", outcomes, problems))
    assert not problems, "\n\n".join(problems)


def test_what_finds_the_disk_full_goes_on(job, undisturbed, times, disk, address, record_counts) -> None:
    outcomes, problems = Counter(), []
    for number, share in zip(range(times), shares(job), strict=False):
        resize(disk, ROOM)
        directory = shutil.copytree(undisturbed.begun, disk / str(number) / "work")
        room = int(share * undisturbed.size)
        resize(disk, shutil.disk_usage(disk).used + room)
        verdict, error = Process(job, directory, address=address).outcome()
        outcomes[verdict] += 1
        problems += [f"{room:,} of {undisturbed.size:,} bytes free: {error}"] if verdict == "escaped" else []
        resize(disk, ROOM)
        problems += going_on(job, directory, undisturbed, address)
        shutil.rmtree(disk / str(number))
    record_counts(shortages(f"{job}, disk full", outcomes, problems))
    assert not problems, "\n\n".join(problems)


def going_on(job: str, directory: Path, undisturbed: Undisturbed, address: str) -> list[str]:
    """Let a job go on to its end; returns what is wrong with that."""
    outcome = Process(job, directory, address=address).outcome()
    if outcome != DONE:
        return [f"it does not go on: {outcome}"]
    try:
        np.testing.assert_equal(JOBS[job].result(directory), undisturbed.result)
    except AssertionError as error:
        return [f"another result: {str(error)[:1000]}"]
    return []


def shortages(kind: str, outcomes: Counter[str], problems: list[str]) -> dict[str, str | int]:
    """A line of the table at the end."""
    done, named = outcomes["done"], outcomes["named error"]
    counts = {"times": outcomes.total(), "had enough": done, "named error": named, "escaped": outcomes["escaped"]}
    return {"kind": kind, **counts, "problems": len(problems)}


def shares(job: str) -> Iterator[float]:
    """Fractions below one, spread as evenly as can be however many are taken."""
    start = Random(job).random()
    return ((start + number * 0.618034) % 1 for number in itertools.count())


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk in memory."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", path], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a disk in memory cannot be mounted here: {mounted.stderr.strip()}")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


def resize(disk: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)
