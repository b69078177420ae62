"""The board: order, ties, what is not ranked, and the file behind it."""

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ldvd_lib.classroom import capstone
from ldvd_lib.classroom.capstone import BRIEF, Design, Entry
from ldvd_lib.classroom.leaderboard import Board, baselines, seed_noise


def entry(name: str, *scores: float, channels: int = 8, **changes) -> Entry:
    """An entry with these scores, of a small design; designs differ in their channels."""
    design = Design(name, ("2+1d", "2+1d", "2d"), {"base_channels": channels})
    values = {
        "parameters": 50_000,
        "multiply_adds": 5_000_000,
        "activation_bytes": 1_000,
        "frames": 10,
        "seeds": tuple(range(len(scores))),
        "scores": scores,
        "curvatures": (5.0,) * len(scores),
        "seconds": 0.1,
        "steps": BRIEF.steps,
        "samples": BRIEF.samples,
        "protocol": "actions-v1",
        "real": "windows",
        "budget": "full",
    }
    return Entry(design=design, **(values | changes))


# The noise of these entries is 10 %: their scores deviate by a tenth from the mean.
REFERENCE = [entry("good", 90.0, 100.0, 110.0, channels=3), entry("bad", 900.0, 1000.0, 1100.0, channels=4)]


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path / "leaderboard.json", reference=REFERENCE)


def _places(board: Board) -> dict[str, tuple[int | None, int | None]]:
    return {place.entry.design.name: (place.first, place.last) for place in board.places()}


def test_the_noise_is_pooled_over_designs():
    assert seed_noise(REFERENCE) == pytest.approx(0.1)
    assert seed_noise([*REFERENCE, entry("one seed says nothing", 3.0)]) == pytest.approx(0.1)


def test_entries_come_in_order_of_their_score(board):
    board.add(entry("middling", 400.0, 400.0, channels=5)).add(entry("worst", 5000.0, 5000.0, channels=6))
    assert _places(board) == {"good": (1, 1), "middling": (2, 2), "bad": (3, 3), "worst": (4, 4)}


def test_who_is_not_clearly_better_shares_places(board):
    board.add(entry("a little better", 95.0, 95.0, channels=5))
    assert _places(board) == {"a little better": (1, 2), "good": (1, 2), "bad": (3, 3)}
    shown = str(board).splitlines()
    assert shown[1].startswith("1–2") and shown[3].startswith("3 ")


def test_more_seeds_make_the_error_smaller(board):
    single, quadruple = entry("one", 100.0), entry("four", 100.0, 100.0, 100.0, 100.0)
    assert board.error(single) == pytest.approx(10) and board.error(quadruple) == pytest.approx(5)
    rival = entry("rival", 83.0, 83.0, 83.0, 83.0)
    assert board.clearly_better(rival, quadruple) and not board.clearly_better(rival, single)


def test_equal_scores_share_their_places(board):
    board.add(entry("twin", 90.0, 100.0, 110.0, channels=5))
    assert _places(board)["twin"] == _places(board)["good"] == (1, 2)


def test_what_breaks_the_brief_is_shown_with_the_reason_and_not_ranked(board):
    board.add(entry("large", 1.0, channels=5, parameters=812_000, curvatures=(1e6,)))
    place = board.places()[-1]
    assert (place.entry.design.name, place.first) == ("large", None)
    assert "parameters 812,000 over the limit of 200,000" in place.remark and "curvature 1,000,000.0" in place.remark
    assert _places(board)["good"] == (1, 1)


def test_quick_entries_come_last_and_are_not_compared(board):
    board.add(entry("hasty", 1.0, channels=5, budget="quick", steps=10, samples=64))
    place = board.places()[-1]
    assert (place.entry.design.name, place.first) == ("hasty", None) and "quick budget" in place.remark
    assert _places(board)["good"] == (1, 1)


def test_the_same_design_takes_its_own_place(board):
    board.add(entry("first name", 300.0, channels=5)).add(entry("second name", 300.0, 310.0, channels=5))
    assert [stored.design.name for stored in board.entries()] == ["second name"]
    board.add(entry("good, again", 80.0, 90.0, channels=3))
    assert "good" not in _places(board) and "good, again" in _places(board), "the learner's own run of a baseline"


def test_entries_last_and_merge(board, tmp_path):
    other = Board(tmp_path / "leaderboard.json", reference=REFERENCE)
    board.add(entry("mine", 300.0, channels=5))
    other.add(entry("theirs", 400.0, channels=6))
    assert [stored.design.name for stored in board.entries()] == ["mine", "theirs"]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda channels: board.add(entry(f"n{channels}", 1.0, channels=channels)), range(7, 23)))
    assert len(board.entries()) == 18


@pytest.mark.parametrize("content", ["", "[]", '{"entries": 3}', '{"entries": [{'])
def test_a_damaged_file_is_told_moved_aside_and_begun_anew(board, tmp_path, content):
    path = tmp_path / "leaderboard.json"
    path.write_text(content)
    assert len(board.places()) == len(REFERENCE)
    assert "leaderboard.json is damaged" in str(board) and "is damaged" in board._repr_html_()
    assert "leaderboard-damaged.json" in str(board.add(entry("mine", 300.0, channels=5)))
    assert (tmp_path / "leaderboard-damaged.json").read_text() == content
    assert [stored.design.name for stored in board.entries()] == ["mine"]


GOOD = json.loads(json.dumps(dataclasses.asdict(entry("mine", 300.0, 310.0, channels=5))))
ODD = {
    "of another version": {"of": "another version"},
    "a number": 3,
    "null": None,
    "an unknown kind of layer": GOOD | {"design": GOOD["design"] | {"kinds": ["7d"]}},
    "no layers": GOOD | {"design": GOOD["design"] | {"kinds": []}},
    "an option of another type": GOOD | {"design": GOOD["design"] | {"options": {"base_channels": "many"}}},
    "an option that no network has": GOOD | {"design": GOOD["design"] | {"options": {"colour": "red"}}},
    "no channels": GOOD | {"design": GOOD["design"] | {"options": {"base_channels": 0}}},
    "no scores": GOOD | {"scores": [], "seeds": [], "curvatures": []},
    "a score less than seeds": GOOD | {"scores": [300.0]},
    "a score in words": GOOD | {"scores": ["good", "better"]},
    "a score that is not finite": GOOD | {"scores": [300.0, float("nan")]},
    "a negative score": GOOD | {"scores": [300.0, -5.0]},
    "a curvature that is not finite": GOOD | {"curvatures": [5.0, float("inf")]},
    "a number beyond all bounds": GOOD | {"parameters": 10**400},
    "half a character": GOOD | {"design": GOOD["design"] | {"name": "\ud83d"}},
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_a_record_that_is_no_entry_is_named_and_hides_no_other(board, tmp_path, odd):
    path = tmp_path / "leaderboard.json"
    path.write_text(json.dumps({"entries": [odd, GOOD], "remark": "the learner's own"}))
    shown = str(board), board._repr_html_()
    for text in shown:
        assert "mine" in text and "good" in text and "leaderboard.json, record 1, is left out: " in text
        assert text.encode()
    board.add(entry("new", 300.0, channels=6))
    assert [stored.design.name for stored in board.entries()] == ["mine", "new"]
    stored = json.loads(path.read_text())
    # As text, in which NaN equals NaN.
    assert json.dumps(stored["entries"][:2]) == json.dumps([odd, GOOD]), "nothing is thrown away"
    assert stored["remark"] == "the learner's own"
    path.write_text(json.dumps({"entries": [GOOD]}))
    assert "left out" not in str(board), "and a record that is mended is no longer told of"


def test_files_that_were_damaged_before_are_kept(board, tmp_path):
    for number in range(3):
        (tmp_path / "leaderboard.json").write_text(f"damaged {number}")
        board.add(entry("mine", 300.0, channels=5))
    kept = sorted(path.read_text() for path in tmp_path.glob("leaderboard-damaged*.json"))
    assert kept == ["damaged 0", "damaged 1", "damaged 2"]


def test_a_board_without_a_file_to_write_goes_on(tmp_path):
    (tmp_path / "file").touch()
    board = Board(tmp_path / "file" / "leaderboard.json", reference=REFERENCE)
    assert "cannot be" in str(board.add(entry("mine", 300.0, channels=5)))


def test_names_are_escaped(board):
    assert "<b>" not in board.add(entry("<b>", 300.0, channels=5))._repr_html_()


def test_the_board_is_the_workspaces(tmp_path, monkeypatch):
    monkeypatch.setenv("LDVD_WORKSPACE", str(tmp_path))
    Board(reference=REFERENCE).add(entry("mine", 300.0, channels=5))
    assert (tmp_path / "leaderboard.json").is_file()


def test_the_baselines_are_of_this_brief():
    entries = baselines()
    assert len(entries) >= 4 and seed_noise(entries) > 0
    for baseline in entries:
        assert (baseline.steps, baseline.samples, baseline.budget) == (BRIEF.steps, BRIEF.samples, "full")
        assert len(baseline.seeds) >= 3
        assert baseline.parameters == baseline.design.anatomy().parameters
    assert [baseline.design.name for baseline in entries if not BRIEF.violations(baseline)], "somebody keeps the brief"
    assert capstone.Design("TGAN-F", ("2+1d", "2+1d", "2d", "2d")).config().discriminators in [
        baseline.design.config().discriminators for baseline in entries
    ]
