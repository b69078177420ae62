"""A learner's function is called so that nothing it does stops the notebook, and its own line is told."""

import gc
import signal
import sys
import threading
import time

import numpy as np
import pytest
import torch
from torch import nn

from ldvd_lib.classroom.exercises import NotAttempted, NotYet, attempt, calls


@pytest.fixture(params=["main thread", "other thread"])
def anywhere(request: pytest.FixtureRequest):
    """Calls a function on the main thread, or on another one; returns what it returned or raised."""

    def call(function, *arguments):
        caught = []

        def run():
            try:
                caught.append(attempt(function, *arguments))
            except Exception as error:
                caught.append(error)

        if request.param == "main thread":
            run()
        else:
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
        return caught[0]

    return call


def for_ever(x):
    while True:
        x = x + 1


def for_ever_in_a_line(x):
    while True: pass  # noqa: E701  # fmt: skip


def for_ever_in_a_helper(x):
    return 1 + for_ever(x)


def swallows_exceptions(x):
    while True:
        try:
            x = x + 1
        except Exception:
            x = 0


def swallows_everything(x):
    while True:
        try:
            x = x + 1
        except:  # noqa: E722
            x = 0


@pytest.mark.parametrize(
    "function", [for_ever, for_ever_in_a_line, for_ever_in_a_helper, swallows_exceptions, swallows_everything]
)
def test_what_never_ends_is_stopped_and_what_follows_is_not(function, anywhere, monkeypatch):
    monkeypatch.setattr(calls, "SECONDS", 0.3)
    threads, began = threading.active_count(), time.monotonic()
    error = anywhere(function, 1)
    assert isinstance(error, NotYet)
    assert "was stopped after" in str(error) and "(in " in str(error) and ", line " in str(error)
    assert time.monotonic() - began < 30
    monkeypatch.setattr(calls, "SECONDS", 60.0)
    assert anywhere(lambda x: sum(range(x)), 10_000) == 49_995_000
    assert threading.active_count() == threads


def test_a_sleep_is_ended_on_the_main_thread(monkeypatch):
    monkeypatch.setattr(calls, "SECONDS", 0.3)
    with pytest.raises(NotYet, match=r"time.sleep\(100\)"):
        attempt(lambda: time.sleep(100))


def test_who_has_to_wait_for_others_gets_more_time(anywhere, monkeypatch):
    """Here asleep; on a busy machine, for a processor."""
    monkeypatch.setattr(calls, "SECONDS", 0.3)
    assert anywhere(lambda x: time.sleep(0.6) or x, 1) == 1


def test_a_timer_that_was_running_goes_on(monkeypatch):
    rung = []
    handler = signal.signal(signal.SIGALRM, lambda *_: rung.append(True))
    left, interval = signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        attempt(lambda: 1)
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 0.5
        time.sleep(0.7)
        assert rung
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, left, interval)


def test_a_debugger_keeps_its_trace_and_has_its_time(monkeypatch):
    monkeypatch.setattr(calls, "SECONDS", 0.1)
    seen = []

    def debugger(frame, event, argument):
        seen.append(frame.f_code.co_name)

    def slow():
        time.sleep(0.3)
        return 1

    sys.settrace(debugger)
    try:
        assert attempt(slow) == 1
        assert sys.gettrace() is debugger and "slow" in seen
    finally:
        sys.settrace(None)


def doubles_in_place(values):
    result = values * 1
    values *= 2
    return result


@pytest.mark.parametrize(
    "argument", [torch.ones(3), np.ones(3), nn.Parameter(torch.ones(3), requires_grad=False), torch.ones(3).half()]
)
def test_an_argument_that_is_changed_is_named_with_the_line(argument):
    with pytest.raises(NotYet, match=r"changes values, .* \(in doubles_in_place, line \d+: values \*= 2\)"):
        attempt(doubles_in_place, argument)
    attempt(doubles_in_place, argument, in_place=True)


def test_arguments_within_lists_and_dictionaries_are_watched_as_well():
    def change(parts, names):
        parts[1].zero_()
        return 1

    def shorten(parts, names):
        names.pop("a")
        return 1

    arguments = [torch.ones(2), torch.ones(2)], {"a": 1}
    with pytest.raises(NotYet, match=r"changes parts, .*zero_"):
        attempt(change, *arguments)
    with pytest.raises(NotYet, match="changes names"):
        attempt(shorten, *arguments)


def test_a_change_that_is_undone_is_none():
    assert attempt(lambda x: x.add_(1).sub_(1).sum().item(), torch.ones(2)) == 2


def test_a_function_that_cannot_be_called_so_is_told_what_it_takes():
    def takes_two(a, b): ...

    with pytest.raises(NotYet, match=r"called with 1 argument here.*'b'.*line \d+: def takes_two\(a, b\)"):
        attempt(takes_two, 1)
    with pytest.raises(NotYet, match="a function was expected, and this is 3"):
        attempt(3)
    assert attempt(max, 1, 2) == 2, "not every function tells what it takes"
    assert attempt(nn.Linear(2, 1), torch.ones(1, 2)).shape == (1, 1)


def test_a_stub_is_told_from_what_has_lost_its_result():
    def stub(x):
        """What it does."""

    def another(x, *more, key=0, **keys): ...

    def without_return(x):
        y = x + 1  # noqa: F841

    for function in (stub, another, lambda x: ..., lambda x: None):
        with pytest.raises(NotAttempted):
            attempt(function, 1)
    with pytest.raises(NotYet, match=r"returns nothing: it should end with a return \(in without_return"):
        attempt(without_return, 1)


def test_no_trace_is_left():
    attempt(lambda x: x, 1)
    with pytest.raises(ZeroDivisionError):
        attempt(lambda x: x / 0, 1)
    gc.collect()
    assert sys.gettrace() is None and signal.getsignal(signal.SIGALRM) is not None


def test_the_line_of_the_last_return_is_known_within_one_check_only():
    def choose(x):
        if x:
            return 1
        return 2

    with calls.one_check():
        attempt(choose, True)
        assert calls.returned_at().endswith("return 1)")
        attempt(choose, False)
        assert calls.returned_at().endswith("return 2)")
    assert calls.returned_at() == ""
