"""What is said of an entry that passes the last exercise."""

from answers.notebook_13 import BAD, ENTRY, QUICK

from ldvd_lib.classroom import check
from ldvd_lib.classroom.leaderboard import Board


def test_an_entry_passes_once_it_is_on_the_board():
    assert "is not on the board yet" in check("13.4", ENTRY).message
    Board().add(ENTRY)
    result = check("13.4", ENTRY)
    assert result.passed and "clearly better than" in result.message and "frame by frame" in result.message


def test_a_bad_entry_passes_and_is_told_how_it_stands():
    Board().add(BAD)
    result = check("13.4", BAD)
    assert result.passed and "clearly better than nobody yet" in result.message


def test_a_quick_entry_passes_without_being_compared():
    Board().add(QUICK)
    result = check("13.4", QUICK)
    assert result.passed and "not compared" in result.message
