"""What a learner's notebooks share."""

import json
import os
from datetime import date
from pathlib import Path
from unittest import mock

from kinds.kind import Kind, Result, wrong
from ldvd_lib.classroom import capstone, leaderboard, records
from ldvd_lib.classroom.leitner import DAYS


def _entry(channels: int) -> capstone.Entry:
    design = capstone.Design(f"mine {channels}", ("2+1d", "2d"), {"base_channels": channels})
    costs = {"parameters": 50_000, "multiply_adds": 5_000_000, "activation_bytes": 1_000, "frames": 10}
    measured = {"seeds": (0, 1), "scores": (90.0, 100.0), "curvatures": (5.0, 6.0), "seconds": 0.1}
    judged = {"steps": 300, "samples": 512, "protocol": "actions-v1", "real": "windows", "budget": "full"}
    return capstone.Entry(design=design, **costs, **measured, **judged)


def _board(directory: Path) -> leaderboard.Board:
    return leaderboard.Board(directory / "leaderboard.json", reference=[_entry(2)])


def make_leaderboard(directory: Path, number: int) -> None:
    _board(directory).add(_entry(3 + number)).add(_entry(5))


def use_leaderboard(directory: Path) -> Result:
    """The board is shown, and an entry put on it; a note on the board is its way to name an error."""
    board = _board(directory)
    text = repr(board)
    if board.note:
        raise ValueError(board.note)
    board.add(_entry(6))
    return {"text": text}


def sound_leaderboard(result: Result, expected: Result) -> str:
    return wrong(finite=not {"nan", "inf", "-inf"} & set(result["text"].split()))


def make_progress(directory: Path, number: int) -> None:
    statuses = {"00.1": "passed", "01.1": "passed", "01.2": "failed" if number else "passed"}
    cards = {
        "shuffled-before-flat-kernels": {"box": number, "due": "2026-12-01"},
        "a-keyhole": {"box": 0, "due": "2026-11-28"},
    }
    content = {"version": 1 + number % 2, "exercises": statuses, "cards": cards}
    (directory / "progress.json").write_text(json.dumps(content, indent=1))


def use_progress(directory: Path) -> Result:
    with mock.patch.dict(os.environ, {"LDVD_WORKSPACE": str(directory)}):
        shown = records.progress()
        shown._repr_html_()
        if shown.note:
            raise ValueError(shown.note)
        places, problem = records.places()
        if problem:
            raise ValueError(problem)
        records.keep(next(result for result in shown.results if result.name == "00.2"))
        records.keep_answer("a-keyhole", True, date(2026, 11, 28))
    return {"text": repr(shown), "statuses": shown.statuses, "places": places}


def sound_progress(result: Result, expected: Result) -> str:
    return wrong(
        all_exercises=result["statuses"].keys() == expected["statuses"].keys(),
        boxes_that_there_are=all(0 <= place.box < len(DAYS) for place in result["places"].values()),
    )


KINDS = {
    "leaderboard": Kind(make_leaderboard, use_leaderboard, ("leaderboard.json",), sound_leaderboard),
    "progress": Kind(make_progress, use_progress, ("progress.json",), sound_progress),
}
