"""Tries damaged files in a process of its own, so that neither a crash nor a hang ends the run."""

import logging
import multiprocessing
import resource
import shutil
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from kinds import KINDS
from mutations import damage, was_unpickled

PATIENCE = 60.0  # seconds for one file; each takes well under one, but the first waits for imports
MEMORY = 2 << 30  # bytes that a process may claim on top of what it has at its start
VERDICTS = ("equal", "sound", "named error", "escaped")
# What takes seconds to import is imported once, in the process that all others are forked from.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["av", "requests", "torch._dynamo", "ldvd_lib.reproduce", "ldvd_lib.classroom.capstone"])


@dataclass(frozen=True)
class Trial:
    """What came of one damaged file."""

    kind: str
    seed: int
    damage: str
    verdict: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}, seed {self.seed} ({self.damage}): {self.detail}"


def run(kind: str, samples: tuple[Path, Path], seeds: Iterable[int]) -> Iterator[Trial]:
    """Damage the first sample by each seed and use it; the second one lends its parts."""
    worker = None
    for seed in seeds:
        worker = worker or _Worker(kind, samples)
        trial = worker.try_(seed)
        yield trial
        if trial.detail.startswith("the process"):
            worker = None
    if worker:
        worker.end()


class _Worker:
    """A process that tries one seed after the other."""

    def __init__(self, kind: str, samples: tuple[Path, Path]) -> None:
        self.kind = kind
        self.pipe, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=_serve, args=(theirs, kind, samples), daemon=True)
        self.process.start()
        theirs.close()

    def try_(self, seed: int) -> Trial:
        self.pipe.send(seed)
        with suppress(EOFError):
            if self.pipe.poll(PATIENCE):
                return self.pipe.recv()
            self.end()
            return Trial(self.kind, seed, "?", "escaped", f"the process gave no answer in {PATIENCE:.0f} s")
        self.process.join()
        return Trial(self.kind, seed, "?", "escaped", f"the process died (exit code {self.process.exitcode})")

    def end(self) -> None:
        self.process.kill()
        self.process.join()


def _serve(pipe: Any, kind_name: str, samples: tuple[Path, Path]) -> None:
    logging.disable()
    kind = KINDS[kind_name]
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with _copy(samples[0]) as directory:
        expected = kind.use(directory)
    while True:
        pipe.send(_try(kind_name, samples, pipe.recv(), expected))


@contextmanager
def _copy(sample: Path) -> Iterator[Path]:
    """A copy of a sample for a while."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as space:
        yield shutil.copytree(sample, Path(space) / "sample")


def _try(kind_name: str, samples: tuple[Path, Path], seed: int, expected: Any) -> Trial:
    kind, random = KINDS[kind_name], Random(f"{kind_name} {seed}")
    with _copy(samples[0]) as directory:
        files = sorted({path for pattern in kind.files for path in directory.glob(pattern)})
        path = random.choice(files)
        how = f"{path.relative_to(directory)}: {damage(path, samples[1] / path.relative_to(directory), random)}"
        names = {file.name for file in files} | set(kind.also_named)
        try:
            verdict, detail = _judge(kind.use(directory), expected, kind.is_sound)
        except Exception as error:
            verdict, detail = judge_error(error, names)
    if was_unpickled():
        verdict, detail = "escaped", "something was unpickled"
    return Trial(kind_name, seed, how, verdict, detail)


def _judge(result: Any, expected: Any, is_sound: Any) -> tuple[str, str]:
    with suppress(AssertionError):
        np.testing.assert_equal(result, expected)
        return "equal", ""
    if is_sound is None:
        return "escaped", "another result, and no error"
    problem = is_sound(result, expected)
    return ("escaped", f"an unsound result, and no error: {problem}") if problem else ("sound", "")


def judge_error(error: Exception, names: set[str]) -> tuple[str, str]:
    """An error of ours, or of Python's own kinds, with the name of a file in it; anything else has escaped."""
    is_ours = type(error).__module__.partition(".")[0] in ("builtins", "ldvd_lib")
    is_expected = isinstance(error, ValueError | OSError | RuntimeError) and not isinstance(error, RecursionError)
    if is_ours and is_expected and any(name in str(error) for name in names):
        return "named error", str(error)
    return "escaped", "".join(traceback.format_exception(error)[-6:])
