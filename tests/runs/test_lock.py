"""One training at a time in a run directory."""

import os
import subprocess
import sys

import pytest

from ldvd_lib.runs.lock import HOLDER, held

HOLD = """
import sys
from pathlib import Path
from ldvd_lib.runs.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_second_process_is_told_who_has_it(tmp_path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(
            BlockingIOError, match=rf"is being trained already, by process {process.pid} on .+ since 20"
        ):
            held(tmp_path).__enter__()
    finally:
        process.communicate("\n", timeout=30)
    with held(tmp_path):
        assert str(os.getpid()) in (tmp_path / HOLDER).read_text()


def test_what_a_killed_process_held_is_free_again(tmp_path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    process.kill()
    process.communicate()
    assert (tmp_path / HOLDER).exists()
    with held(tmp_path):
        pass
    assert not (tmp_path / HOLDER).exists()


def test_one_process_cannot_have_it_twice_and_gets_it_back_after_an_error(tmp_path) -> None:
    with pytest.raises(ArithmeticError), held(tmp_path / "run"):
        with pytest.raises(BlockingIOError, match="by this process"):
            held(tmp_path / "run").__enter__()
        raise ArithmeticError
    with held(tmp_path / "run"):
        pass


def test_a_holder_that_cannot_be_read_is_another_process(tmp_path) -> None:
    with held(tmp_path):
        (tmp_path / HOLDER).write_text("{")
        with pytest.raises(BlockingIOError, match="is being trained already, by another process"):
            held(tmp_path).__enter__()
