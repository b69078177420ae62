"""``ldvd reproduce``, as a shell would call it."""

import argparse
import time

import pytest

from ldvd_lib import cli
from ldvd_lib.cli.reproduce import hours, seeds
from ldvd_lib.reproduce import Workshop


def ldvd(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def test_seeds_are_a_number_or_a_list() -> None:
    assert [seeds(text) for text in ("3", "1", "0,4", "7,")] == [(0, 1, 2), (0,), (0, 4), (7,)]
    for text in ("0", "-1", "two", ",", "1,-2"):
        with pytest.raises(argparse.ArgumentTypeError, match="number of seeds"):
            seeds(text)
    assert hours("0.5") == 0.5
    for text in ("-1", "nan", "long"):
        with pytest.raises(argparse.ArgumentTypeError, match="number of hours"):
            hours(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("4", "--data", "."), "'4' cannot be reproduced"),
        (("--data", "."), "at least one table"),
        (("5a",), "--data is missing"),
        (("5a", "--rows", "tgann", "--data", "."), "did you mean 'tgan'"),
        (("5a", "--data", ".", "--protocol", "fid"), "the choices are ['actions'"),
        (("5a", "--data", ".", "--protocol", "ldvd-2019"), "--weights"),
        (("5a", "--data", "nowhere"), "nowhere"),
        (("--report-only",), "holds no reproduction"),
    ],
)
def test_errors_are_one_message_and_leave_nothing(arguments, message, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ldvd("reproduce", *arguments, "--quiet") == 1
    error = capsys.readouterr().err
    assert error.startswith("ldvd reproduce: ")
    assert message in error
    assert list(tmp_path.iterdir()) == []


def test_the_budget_is_spent_on_preparing_clips_too(tiny_actions, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(Workshop, "check", lambda *_: time.sleep(0.1))
    command = ("reproduce", "5a", "--data", tiny_actions, "--out", tmp_path / "out", "--device", "cpu", "--quiet")
    assert ldvd(*command, "--budget", 0.1 / 3600) == 0
    assert "0 of 5 trainings complete\nthe budget is spent" in capsys.readouterr().out


def test_an_interrupt_leaves_a_report_and_says_how_to_go_on(tiny_actions, tmp_path, capsys, monkeypatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Workshop, "run", interrupt)
    assert (
        ldvd("reproduce", "5a", "--data", tiny_actions, "--out", tmp_path / "out", "--device", "cpu", "--quiet") == 130
    )
    assert "run the same command again to go on" in capsys.readouterr().err
    text = (tmp_path / "out" / "report.md").read_text()
    assert "0 of 5 trainings complete" in text
    assert "ldvd reproduce 5a --seeds 0, --data DATA --out OUT" in text
