"""How a check calls the learner's function: watched, so that what goes wrong is told with the line it happened in."""

import contextlib
import ctypes
import inspect
import linecache
import signal
import sys
import sysconfig
import textwrap
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ldvd_lib.classroom.exercises.registry import NotAttempted, NotYet

SECONDS = 5.0  # that one call may take; a right answer takes milliseconds
_BUSY = 6  # so many times as long it may take where it gets little of a processor, since others use the machine, too
_LINES_WITH_ARRAYS = 100
_INTERVAL = 0.1  # after which a call that does not stop is told so again

# Where code lies that is not the learner's: the library, Python's own modules, and what is installed.
_OTHERS = (
    Path(__file__).resolve().parents[2],
    *map(Path, {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")}),
)

_returned_at: ContextVar[str | None] = ContextVar("_returned_at", default=None)  # None where no check is made


class _OutOfTime(BaseException):
    """The call takes too long. No `Exception`, so that ``except Exception`` in the learner's loop lets it through."""


def attempt(function: Callable, *arguments: object, in_place: bool = False, **keywords: object) -> Any:
    """Call the learner's function (or module), which has a few seconds and may not change what it is given.

    Args:
        function: The learner's.
        arguments, keywords: What it is called with.
        in_place: Whether it may change its arguments.

    Returns:
        What it returned.

    Raises:
        NotAttempted: It is a stub: it returned ``...``, or None without having done anything.
        NotYet: It cannot be called like this, does not end, returns nothing, or has changed an argument.
    """
    if not callable(function):
        raise NotYet(f"a function was expected, and this is {describe(function)}")
    names = _names(function, arguments, keywords)
    before = _copy(arguments)
    watch, clock = _Watch(_code(function), list(_leaves(arguments))), _Clock()
    try:
        with _time_limit(clock), _traced(watch):
            result = function(*arguments, **keywords)
    except _OutOfTime as error:
        where = learners_line(error.__traceback__)
        raise NotYet(
            f"your code was stopped after {clock.seconds:.1f} seconds, while it was still at work: is there a loop "
            f"that never ends? {where}".rstrip()
        ) from None
    if _returned_at.get() is not None:
        _returned_at.set(watch.returned_at)
    if result is ... or (result is None and _is_empty(_code(function))):
        raise NotAttempted
    if result is None:
        raise NotYet(f"your function returns nothing: it should end with a return {watch.returned_at}".rstrip())
    for name, value, original in zip(names, arguments, before, strict=False):
        if not in_place and not _same(value, original):
            raise NotYet(
                f"your function changes {name}, which still belongs to whoever called it: work on a copy, such as "
                f"clone() makes of a tensor and copy() of an array {watch.changed_at}".rstrip()
            )
    return result


@contextlib.contextmanager
def one_check() -> Iterator[None]:
    """Within this, `returned_at` speaks of the calls of one check alone."""
    token = _returned_at.set("")
    try:
        yield
    finally:
        _returned_at.reset(token)


def returned_at() -> str:
    """The line at which the learner's function returned last, "(in f, line 3: return x)", or ""."""
    return _returned_at.get() or ""


def learners_line(trace: TracebackType | None) -> str:
    """The innermost line of the learner's in a traceback, "(in f, line 3: x / 0)", or "" where there is none."""
    where = ""
    while trace is not None:
        if _is_learners(trace.tb_frame.f_code.co_filename):
            where = _place(trace.tb_frame.f_code, trace.tb_lineno)
        trace = trace.tb_next
    return where


def describe(value: object) -> str:
    """A short account of any value, for messages."""
    if isinstance(value, (Tensor, np.ndarray)):
        return f"{'a tensor' if isinstance(value, Tensor) else 'an array'} of shape {tuple(value.shape)}"
    text = repr(value)
    if inspect.isgenerator(value) or len(text) > 80:
        return f"a {type(value).__name__}"
    return text if isinstance(value, (int, float, str, tuple, list, dict)) else f"{text} ({type(value).__name__})"


def _place(code: CodeType, line: int) -> str:
    text = textwrap.shorten(linecache.getline(code.co_filename, line), 90, placeholder=" …")
    return f"(in {code.co_name}, line {line}: {text})" if text else f"(in {code.co_name}, line {line})"


@cache
def _is_learners(filename: str) -> bool:
    if filename.startswith("<frozen"):
        return False
    path = Path(filename).resolve()
    if {"site-packages", "dist-packages"} & set(path.parts):
        return False
    return not any(path.is_relative_to(place) for place in _OTHERS)


def _code(function: Callable) -> CodeType | None:
    """The code that the learner wrote, below decorators such as torch.no_grad()."""
    return getattr(inspect.unwrap(function), "__code__", None)


def _is_empty(code: CodeType | None) -> bool:
    """Whether a function is a stub still: it names nothing, and so has done nothing."""
    if code is None:
        return True
    starred = [bool(code.co_flags & flag) for flag in (inspect.CO_VARARGS, inspect.CO_VARKEYWORDS)]
    return not (
        code.co_names or code.co_freevars
    ) and code.co_nlocals == code.co_argcount + code.co_kwonlyargcount + sum(starred)


def _names(function: Callable, arguments: tuple[object, ...], keywords: dict[str, object]) -> list[str]:
    """What the function calls the arguments, one for each.

    Raises:
        NotYet: It does not take so many.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some of those that are written in C have none
        return ["an argument"] * len(arguments)
    try:
        signature.bind(*arguments, **keywords)
    except TypeError as error:
        code = _code(function)
        where = _place(code, code.co_firstlineno) if code else ""
        count = len(arguments) + len(keywords)
        raise NotYet(
            f"your function is called with {count} argument{'s' * (count != 1)} here, and cannot be ({error}): keep "
            f"the arguments of the stub, and their defaults {where}".rstrip()
        ) from None
    names: list[str] = []
    for parameter in signature.parameters.values():
        starred = parameter.kind is inspect.Parameter.VAR_POSITIONAL
        names += [f"{parameter.name}[{k}]" for k in range(len(arguments) - len(names))] if starred else [parameter.name]
    return names


class _Watch:
    """A trace function: follows the learner's lines, and notes where one returns and where an argument changes."""

    def __init__(self, code: CodeType | None, arguments: list[object]) -> None:
        self.returned_at = self.changed_at = ""
        self._code, self._line, self._lines = code, 0, 0
        self._tensors = [value for value in arguments if isinstance(value, Tensor) and not value.is_inference()]
        self._arrays = [value for value in arguments if isinstance(value, np.ndarray)]
        self._state = self._fingerprint()

    def __call__(self, frame: FrameType, event: str, argument: object) -> "_Watch | None":
        if frame.f_code is self._code:
            # A line is told of before it runs: what has changed by now, the line before has done.
            if not self.changed_at and event != "call" and self._fingerprint() != self._state:
                self.changed_at = _place(frame.f_code, self._line)
            self._line, self._lines = frame.f_lineno, self._lines + 1
            if event == "return":
                self.returned_at = _place(frame.f_code, frame.f_lineno)
        return self if _is_learners(frame.f_code.co_filename) else None

    def _fingerprint(self) -> list[int]:
        # Tensors count their changes. To read arrays takes time, so a long loop is not watched to its end.
        if self._lines < _LINES_WITH_ARRAYS:
            self._sums = [zlib.crc32(array.tobytes()) for array in self._arrays]
        return [tensor._version for tensor in self._tensors] + self._sums


@contextlib.contextmanager
def _traced(watch: _Watch) -> Iterator[None]:
    """Trace this thread, unless somebody does already: breakpoints of a debugger go on working."""
    if sys.gettrace() is not None:
        yield
        return
    sys.settrace(watch)
    try:
        yield
    finally:
        sys.settrace(None)


class _Clock:
    """How long a call has taken."""

    def __init__(self) -> None:
        self._began, self._worked = time.monotonic(), time.process_time()

    @property
    def seconds(self) -> float:
        """On the wall."""
        return time.monotonic() - self._began

    @property
    def is_over(self) -> bool:
        """Whether the time is up: most of it has been spent at work, or very much of it has gone by."""
        worked = time.process_time() - self._worked
        return self.seconds >= SECONDS and (worked >= SECONDS / 2 or self.seconds >= _BUSY * SECONDS)


def _time_limit(clock: _Clock) -> contextlib.AbstractContextManager[None]:
    """Raise `_OutOfTime` in what runs for too long, again and again in case that a bare ``except:`` swallows it.

    A timer's signal ends even time.sleep(). Only the main thread gets it (a kernel runs cells there), and Windows has
    none. Elsewhere another thread keeps watch. Whoever debugs may take any time.
    """
    if sys.gettrace() is not None:
        return contextlib.nullcontext()
    is_main = threading.current_thread() is threading.main_thread()
    return _timer(clock) if is_main and hasattr(signal, "setitimer") else _watchdog(clock)


@contextlib.contextmanager
def _timer(clock: _Clock) -> Iterator[None]:
    running = True

    def stop(number: int, frame: FrameType | None) -> None:
        if running and clock.is_over:
            raise _OutOfTime

    handler = signal.signal(signal.SIGALRM, stop)
    left, interval = signal.setitimer(signal.ITIMER_REAL, SECONDS, _INTERVAL)
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler or signal.SIG_DFL)
        if left:  # another timer was running, such as pytest's
            signal.setitimer(signal.ITIMER_REAL, max(left - clock.seconds, 0.001), interval)


@contextlib.contextmanager
def _watchdog(clock: _Clock) -> Iterator[None]:
    done, watched = threading.Event(), ctypes.c_ulong(threading.get_ident())

    def bark() -> None:
        patience = SECONDS
        while not done.wait(patience):
            if clock.is_over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(watched, ctypes.py_object(_OutOfTime))
            patience = _INTERVAL

    dog = threading.Thread(target=bark, daemon=True)
    dog.start()
    try:
        yield
    finally:
        while dog.is_alive():
            with contextlib.suppress(_OutOfTime):  # a last bark may still arrive
                done.set()
                dog.join()


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        for part in value:
            yield from _leaves(part)
    else:
        yield value


def _copy(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: _copy(part) for key, part in value.items()}
    return type(value)(map(_copy, value)) if type(value) in (tuple, list) else value


def _same(value: Any, copy: Any) -> bool:
    if isinstance(value, Tensor):
        return value.shape == copy.shape and torch.equal(value.detach(), copy)
    if isinstance(value, np.ndarray):
        return np.array_equal(value, copy)
    if isinstance(value, dict):
        return value.keys() == copy.keys() and all(_same(part, copy[key]) for key, part in value.items())
    if type(value) in (tuple, list):
        return len(value) == len(copy) and all(map(_same, value, copy))
    return value is copy
