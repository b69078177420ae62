"""The checks of 13 pass right answers, however they are written, and say what is wrong with the others."""

import dataclasses
import math

import pytest
import torch

from ldvd_lib.classroom import check
from ldvd_lib.classroom.capstone import BRIEF, Design, Entry
from ldvd_lib.classroom.exercises import find
from ldvd_lib.classroom.leaderboard import Board, baselines


def frames_seen(kinds, *, kernel=3, shift=2, doubling=2):
    seen, step = 1, 1
    for kind in kinds:
        if kind in ("3d", "2+1d"):
            seen, step = seen + kernel * step, step * doubling
        elif kind == "shift":
            seen += shift * step
    return seen


def stride_first(kinds):
    seen, step = 1, 1
    for kind in kinds:
        step *= 2 if kind in ("3d", "2+1d") else 1
        seen += {"3d": 3, "2+1d": 3, "shift": 2, "2d": 0}[kind] * step
    return seen


def seeds_needed(difference, noise, *, factor=8):
    return math.ceil(factor * (noise / difference) ** 2)


SMALL = Design("small", ("2+1d", "2+1d", "shift", "2d"), {"base_channels": 8})
RIGHT = [
    ("13.1", SMALL),
    ("13.1", Design("short", ("2+1d", "2+1d", "2+1d"), {"base_channels": 12})),
    ("13.2", frames_seen),
    ("13.2", lambda kinds: torch.tensor(frames_seen(kinds))),
    ("13.3", seeds_needed),
]
WRONG = [
    ("13.1", Design("TGAN-F", ("2+1d", "2+1d", "2d", "2d")), "parameters should be at most 100,000"),
    ("13.1", Design("shifts", ("shift", "shift", "shift"), {"base_channels": 12}), "multiply-adds should be at most"),
    ("13.1", Design("short-sighted", ("2+1d", "2+1d", "2d", "2d"), {"base_channels": 8}), "sees 10 frames: it should"),
    ("13.1", ("2+1d", "2+1d"), "a capstone.Design was expected"),
    ("13.2", lambda kinds: frames_seen(kinds, doubling=1), "did not move the neighbours"),
    ("13.2", lambda kinds: frames_seen(kinds, kernel=4), "it adds three"),
    ("13.2", lambda kinds: frames_seen(kinds, shift=1), "one side only"),
    ("13.2", stride_first, "the stride came before the kernel"),
    ("13.2", lambda kinds: min(16, frames_seen(kinds)), "has only 16 frames"),
    ("13.2", lambda kinds: 5, "should be"),
    ("13.3", lambda difference, noise: seeds_needed(difference, noise, factor=4), "you counted one"),
    ("13.3", lambda difference, noise: seeds_needed(difference, noise, factor=2), "twice its error"),
    ("13.3", lambda difference, noise: math.ceil(8 * noise / difference), "comes in squared"),
    ("13.3", lambda difference, noise: math.floor(8 * (noise / difference) ** 2), "not quite clear"),
    ("13.3", lambda difference, noise: 8 * (noise / difference) ** 2, "round up"),
    ("13.3", lambda difference, noise: 0, "should be 20, and is 0"),
    ("13.4", SMALL, "an entry was expected"),
]
STUBS = {"13.1": ..., "13.2": lambda kinds: None, "13.3": lambda difference, noise: None, "13.4": ...}


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answers_pass(name, answer):
    result = check(name, answer)
    assert result.passed, result.message


@pytest.mark.parametrize(("name", "answer", "message"), WRONG)
def test_wrong_answers_are_told_why(name, answer, message):
    result = check(name, answer)
    assert result.status == "not yet"
    assert message.lower() in result.message.lower(), result.message


@pytest.mark.parametrize("name", STUBS)
def test_stubs_are_not_attempted(name):
    assert check(name, STUBS[name]).status == "not attempted yet"
    assert len(find(name).hints) == 3


@pytest.fixture
def entry() -> Entry:
    """An entry that no run has earned."""
    costs = SMALL.anatomy()
    return dataclasses.replace(
        baselines()[0],
        design=SMALL,
        parameters=costs.parameters,
        multiply_adds=costs.multiply_adds,
        curvatures=(5.0, 5.0),
        seeds=(0, 1),
        scores=(1.0, 1.0),
    )


def test_an_entry_passes_once_it_is_on_the_board(entry):
    assert "is not on the board yet" in check("13.4", entry).message
    Board().add(entry)
    result = check("13.4", entry)
    assert result.passed and "clearly better than" in result.message and "frame by frame" in result.message
    assert check("13.4", [entry, ["run"]]).passed, "with its runs, as score gives it"


def test_a_bad_entry_passes_and_is_told_how_it_stands(entry):
    bad = dataclasses.replace(entry, scores=(9e9, 9e9))
    Board().add(bad)
    result = check("13.4", bad)
    assert result.passed and "clearly better than nobody yet" in result.message


def test_a_quick_entry_passes_without_being_compared(entry):
    quick = dataclasses.replace(entry, steps=10, samples=64, budget="quick", curvatures=(1e6,) * len(entry.seeds))
    Board().add(quick)
    result = check("13.4", quick)
    assert result.passed and "not compared" in result.message


def test_an_entry_that_breaks_the_brief_is_told_what(entry):
    sharp = dataclasses.replace(entry, curvatures=(BRIEF.curvature * 2,) * len(entry.seeds))
    Board().add(sharp)
    assert "breaks the brief: curvature 80.0 over the limit" in check("13.4", sharp).message


def test_a_baseline_is_not_ones_own(entry):
    baseline = next(entry for entry in baselines() if not BRIEF.violations(entry))
    Board().add(baseline)
    assert f"this is {baseline.design.name}".lower() in check("13.4", baseline).message.lower()
