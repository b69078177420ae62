import logging
import os
import signal
import subprocess
import sys
import threading

import pytest

from ldvd_lib._kit import lock
from ldvd_lib._kit.lock import locked

HOLD = """
import sys, time
from ldvd_lib._kit.lock import locked
with locked(sys.argv[1], busy="busy"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_one_is_refused_in_the_words_given_and_comes_in_afterwards(tmp_path):
    path = tmp_path / "new" / ".lock"
    with (
        locked(path, busy="the shop is open"),
        pytest.raises(BlockingIOError, match="the shop is open"),
        locked(path, busy="the shop is open"),
    ):
        pass
    with locked(path, busy=""):
        pass


def test_what_a_killed_process_held_is_free(tmp_path):
    path = tmp_path / ".lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError), locked(path, busy="busy"):
            pass
        os.kill(process.pid, signal.SIGKILL)
    with locked(path, busy="busy"):
        pass


def test_the_patient_wait_and_say_that_they_wait(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(lock, "_SILENCE", 0.05)
    path, order, first_is_in = tmp_path / ".lock", [], threading.Event()

    def first():
        with locked(path, busy=""):
            first_is_in.set()
            while "waiting" not in caplog.text:
                threading.Event().wait(0.01)
            order.append("first")

    thread = threading.Thread(target=first)
    with caplog.at_level(logging.WARNING):
        thread.start()
        first_is_in.wait()
        with locked(path, busy="somebody paints", patience=float("inf")):
            order.append("second")
    thread.join()
    assert order == ["first", "second"]
    assert "somebody paints: waiting" in caplog.text


def test_where_nothing_can_be_locked_the_work_goes_on_with_a_warning(tmp_path, caplog):
    (tmp_path / "file").touch()
    entered = False
    with locked(tmp_path / "file" / ".lock", busy=""):  # no directory can be made there
        entered = True
    assert entered
    assert "cannot be locked" in caplog.text
