"""A run that trains in the background: start, pause and stop it, and watch its losses, eigenvalues and samples."""

import atexit
import contextvars
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import traitlets

from ldvd_lib._kit.checks import whole_number
from ldvd_lib.figures.training import draw_run, draw_text
from ldvd_lib.runs import Run
from ldvd_lib.runs.checkpoint import list_checkpoints
from ldvd_lib.runs.files import METRICS, SPECTRUM, step_in
from ldvd_lib.runs.run import check_alike, parse_record
from ldvd_lib.training import SampleGrid, SpectrumProbe, Trainer, TrainingDiverged
from ldvd_lib.widgets._course_widget import CourseWidget, png, say, script, style

__all__ = ["TrainingMonitor"]

_NEWS_SECONDS = 0.5  # between two messages to the browser
_EXIT_SECONDS = 20  # how long the end of the program waits for the step and its checkpoint

Series = dict[str, Any]  # "names" of n quantities, and "rows" of a step and n numbers


def _copied(series: dict[str, Series], widget: Any) -> dict[str, Series]:
    """What a page that opens late is sent: copies of the lists, since training continues to add to the originals."""
    return {key: {name: list(values) for name, values in lists.items()} for key, lists in series.items()}


class TrainingMonitor(CourseWidget):
    """Start, pause and stop a run from the notebook, and watch it. The kernel stays free for other cells.

    Training runs in its own thread, which other cells and their interrupts do not disturb; on two CPU cores they share
    the machine, so both become slower. Numbers continue to arrive while a long cell runs; a button that is pressed
    meanwhile has its effect after the cell at the latest.

    Pausing and stopping both wait for the end of the step and write a checkpoint; a run that was paused equals one that
    was not. While it runs, take networks from `run` (of its last checkpoint): those of the trainer are changing, and
    calling one in a cell may change the run.

    Args:
        trainer: what trains. Its callbacks decide what is shown: a `SampleGrid` gives samples, a `SpectrumProbe`
            eigenvalues.
        steps: train until this number of steps is done in all.
        autostart: start at once, without waiting for the button.

    Attributes:
        state: ``"ready"``, ``"running"``, ``"stopping"`` (until the step is done), ``"paused"``, ``"finished"`` (all
            steps are done, or it was stopped) or ``"failed"``. Its observers are called in the thread that trains.
        step: steps done.
        steps: can be set while it does not run; a finished run can continue if they are raised.
        seconds: how long it has trained.
        rate: steps per second since the last start, or None.
        eta: seconds left at this rate, or None.
        error: what made the run fail, or None.
        status: the line under the widget.

    Raises:
        ValueError: `trainer` is not a `Trainer`, or `steps` is not a positive whole number.
    """

    _esm = script("spectrum_plot.js", "line_chart.js", "training_monitor.js")
    _css = style("training_monitor.css")

    state = traitlets.Enum(
        ("ready", "running", "stopping", "paused", "finished", "failed"), "ready", read_only=True
    ).tag(sync=True)
    step = traitlets.Int(0, read_only=True).tag(sync=True)
    steps = traitlets.Int(1, min=1).tag(sync=True)
    seconds = traitlets.Float(0.0, read_only=True).tag(sync=True)
    rate = traitlets.Float(None, allow_none=True, read_only=True).tag(sync=True)
    eta = traitlets.Float(None, allow_none=True, read_only=True).tag(sync=True)
    # All rows so far. New ones are added in place, which sends nothing; open pages are sent only the new rows.
    _series = traitlets.Dict().tag(sync=True, to_json=_copied)
    _samples = traitlets.Bytes(b"").tag(sync=True)  # the newest sample grid, a GIF
    _sampled_step = traitlets.Int(0).tag(sync=True)
    _every = traitlets.Dict().tag(sync=True)  # steps between two losses, probes and sample grids; None for never

    _thread: threading.Thread | None = None
    error: Exception | None = None

    def __init__(self, trainer: Trainer, steps: int, *, autostart: bool = False) -> None:
        if not isinstance(trainer, Trainer):
            raise ValueError(f"TrainingMonitor takes a Trainer, got {type(trainer).__name__}.")
        steps = whole_number("steps", steps, least=1)
        self.trainer = trainer
        self._lock = threading.RLock()  # buttons are handled in one thread, and steps are done in another
        self._metrics_file = _NewRecords(trainer.directory / METRICS, numbers=["seconds"])
        self._spectrum_file = _NewRecords(
            trainer.directory / SPECTRUM, numbers=["largest", "smallest"], words=["discriminator"]
        )
        self._watch = _Watch(self)
        self._request = ""  # "pause" or "stop", once one was asked for
        self._next_news = 0.0
        self._began: tuple[float, int] | None = None  # the time of the first step since the start, and its number
        series: dict[str, Series] = {key: {"names": [], "rows": []} for key in ("losses", "eigenvalues")}
        self._take_in(series)
        super().__init__(
            steps=steps,
            _series=series,
            _every={
                "losses": trainer.log_every,
                "eigenvalues": _interval(trainer, SpectrumProbe),
                "samples": _interval(trainer, SampleGrid),
            },
        )
        self._look()
        self._settle()
        self.observe(lambda change: self._settle(), "steps")
        self.on_msg(self._on_message)
        if autostart and self.step < self.steps:
            self.start()

    # Control ---------------------------------------------------------------------------------------------------------

    @property
    def run(self) -> Run | None:
        """The run as it is on disk, or None before anything of it is saved."""
        run = Run.open(self.trainer.directory)
        metrics = self.trainer.directory / METRICS
        is_saved = run.checkpoints or (metrics.is_file() and metrics.stat().st_size)
        return run if is_saved else None

    def start(self) -> None:
        """Start, or continue; nothing changes if it runs already.

        Raises:
            RuntimeError: there is nothing to do, or it cannot start now; the message says why.
        """
        with self._lock:
            if self.state == "running":
                return
            self._check_startable()
            self.set_trait("step", self.trainer.step)
            self._request, self._began, self._next_news = "", None, 0.0
            # It has the context of the cell that started it, so that what it prints appears there and not in another.
            self._thread = threading.Thread(
                target=contextvars.copy_context().run,
                args=(self._train, self.steps),
                name=f"training {self._name}",
                daemon=True,
            )
            self._set("running", f"Training {self._name} …")
            atexit.register(self._leave)
            self._thread.start()

    def pause(self) -> None:
        """Pause after the current step, with a checkpoint; `start` continues. Returns at once: see `wait`."""
        with self._lock:
            if self.state in ("running", "stopping"):
                self._request = "pause"
                self._set("stopping", "Pausing after this step …")

    def stop(self) -> None:
        """Stop after the current step, with a checkpoint. Returns at once: see `wait`."""
        with self._lock:
            if self.state in ("running", "stopping"):
                self._request = "stop"
                self._set("stopping", "Stopping after this step …")
            elif self.state == "paused":
                self._request = "stop"
                self._settle()

    def wait(self, timeout: float | None = None) -> str:
        """Wait until it no longer runs, at most `timeout` seconds. For scripts; an interrupt ends only the waiting.

        Returns:
            The state.
        """
        if self._thread is not None:
            self._thread.join(timeout)
        return self.state

    def close(self) -> None:
        """Close the widget, and stop the run, since nobody could stop it later."""
        if self._thread is not None:
            self.stop()
        super().close()

    # The thread that trains ------------------------------------------------------------------------------------------

    def _train(self, steps: int) -> None:
        trainer: Trainer = self.trainer
        error: Exception | None = None
        progress, trainer.progress = trainer.progress, False
        trainer.callbacks.append(self._watch)
        try:
            trainer.run(steps)
        except Exception as caught:
            error = caught
        except BaseException as caught:  # it ends the thread all the same, and the state must not be "running" then
            error = RuntimeError(f"the training was ended by {type(caught).__name__}")
        finally:
            trainer.callbacks.remove(self._watch)
            trainer.progress = progress
            atexit.unregister(self._leave)
        with self._lock, self.hold_sync():
            try:
                self._look()
            except (OSError, ValueError) as caught:
                error = error or caught
            self.error = error
            self._settle()
            self.send_state("_series")  # all of it, for programs that keep states (such as nbclient) but no messages

    def _on_step(self) -> None:
        """After every step: do what was requested, and send news to the browser from time to time."""
        with self._lock:
            now, step = time.monotonic(), self.trainer.step
            if self._request:
                self.trainer.stop()
            if self._began is None:  # the first step is slower than the others, and not counted
                self._began = now, step
            if now < self._next_news:
                return
            self._next_news = now + _NEWS_SECONDS
            began, first = self._began
            rate = (step - first) / (now - began) if step > first else None
            with self.hold_sync():
                self.set_trait("rate", rate)
                self.set_trait("eta", (self.steps - step) / rate if rate else None)
                try:
                    self._look()
                except (OSError, ValueError) as error:  # what cannot be shown does not stop the training
                    self._report(str(error), failed=True)

    def _look(self) -> None:
        """Read what is new in the run's directory."""
        self.set_trait("step", self.trainer.step)
        self.set_trait("seconds", float(self.trainer.seconds))
        lengths = {key: len(series["rows"]) for key, series in self._series.items()}
        self._take_in(self._series)
        new_rows = {
            key: {"first": lengths[key], "names": series["names"], "rows": series["rows"][lengths[key] :]}
            for key, series in self._series.items()
            if len(series["rows"]) > lengths[key]
        }
        if new_rows:
            self.send({"type": "rows", "series": new_rows})
        grids = {step_in(path.stem) or 0: path for path in Run.open(self.trainer.directory).sample_files}
        newest = max((step for step in grids if step <= self.step), default=0)
        if newest > self._sampled_step:
            self._samples, self._sampled_step = grids[newest].read_bytes(), newest

    def _take_in(self, series: dict[str, Series]) -> None:
        """Add what was logged since the last time."""
        _add_metrics(series["losses"], self._metrics_file())
        _add_eigenvalues(series["eigenvalues"], self._spectrum_file())

    def _leave(self) -> None:
        """At the end of the program: save a checkpoint."""
        self.stop()
        self.wait(_EXIT_SECONDS)

    # Its state -------------------------------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return self.trainer.gan.config.name

    @property
    def _count(self) -> str:
        return f"step {self.step:,} of {self.steps:,}"

    def _set(self, state: str, status: str, *, failed: bool = False) -> None:
        with self.hold_sync():
            self.set_trait("state", state)
            self._report(status, failed=failed)

    def _settle(self) -> None:
        """Set and report the state while it does not run."""
        with self._lock:
            self.set_trait("eta", None)
            checkpoints = list_checkpoints(self.trainer.directory)
            saved = f" Saved in {checkpoints[-1]}." if checkpoints else ""
            if isinstance(self.error, TrainingDiverged):
                # The error says at which step, and what is saved.
                self._set("failed", f"Failed: {self.error}.", failed=True)
            elif self.error is not None:
                advice = f"The last checkpoint is {checkpoints[-1]}." if saved else "There is no checkpoint yet."
                self._set("failed", f"Failed at {self._count}. {say(self.error)}. {advice}", failed=True)
            elif self.step >= self.steps:
                self._set("finished", f"Finished: {self._count}.{saved}")
            elif self.step == 0:
                self._set("ready", "Not started. It trains in the background: other cells can be run meanwhile.")
            elif self._request == "stop":
                self._set("finished", f"Stopped at {self._count}.{saved}")
            else:
                self._set("paused", f"Paused at {self._count}.{saved}")

    def _check_startable(self) -> None:
        if self.state == "stopping":
            raise RuntimeError("the run is just about to stop: wait until it has (`wait()`), then start it again.")
        if self.error is not None:
            raise RuntimeError(
                f"this run has failed ({say(self.error)}): make the Trainer anew, with resume=True to go on from its "
                "last checkpoint, and a monitor for it."
            )
        if self.trainer.running:
            raise RuntimeError("this trainer is running already, in a cell or under another monitor: stop that first.")
        if self.trainer.step >= self.steps:
            raise RuntimeError(f"all {self.steps:,} steps are done: raise `steps` to train further.")

    @traitlets.validate("steps")
    def _check_steps(self, proposal: dict[str, Any]) -> int:
        if self.state in ("running", "stopping"):
            raise traitlets.TraitError("steps cannot change while the run goes on: pause it first.")
        return proposal["value"]

    def _on_message(self, widget: Any, content: dict[str, Any], buffers: Any) -> None:
        requests = {"start": self.start, "pause": self.pause, "stop": self.stop}
        try:
            if content["type"] in requests:
                requests[content["type"]]()
            elif content["type"] == "steps":
                self.steps = content["steps"]
            elif content["type"] == "all":  # a page that missed some rows
                self.send_state("_series")
        except Exception as error:
            self._report(str(error), failed=True)
        self.send({"type": "heard"})

    # Without a browser or a kernel -----------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"TrainingMonitor({self._name!r}, steps={self.steps})"

    def _still_picture(self) -> tuple[bytes, str]:
        rows = self._series["losses"]["rows"]
        if rows:
            figure = draw_run(Run.open(self.trainer.directory), self._samples, self._sampled_step)
        else:
            text = "not started" if self.step == 0 else f"{self._count}, nothing logged yet"
            figure = draw_text(f"{self._name}: {text}")
        state = "not started" if self.state == "ready" else self.state
        alt = f"Training of {self._name}, {self._count}, {state}."
        if rows:
            named = zip(self._series["losses"]["names"], rows[-1][1:], strict=True)
            losses = [f"{name} {value}" for name, value in named if name.endswith("loss")]
            alt += f" Losses at step {rows[-1][0]:,}: {', '.join(losses)}."
            probed = self._series["eigenvalues"]
            if probed["rows"]:
                pairs = zip(probed["names"], probed["rows"][-1][1:], strict=True)
                eigenvalues = ", ".join(f"{name} {value}" for name, value in pairs)
                alt += f" Eigenvalues at step {probed['rows'][-1][0]:,}: {eigenvalues}."
            if self._samples:
                alt += f" One frame of the samples of step {self._sampled_step:,}."
        return png(figure), alt


class _Watch:
    """The callback that tells the monitor of every step."""

    every = 1

    def __init__(self, monitor: TrainingMonitor) -> None:
        self.monitor = monitor

    def __call__(self, trainer: Trainer) -> None:
        self.monitor._on_step()


class _NewRecords:
    """Calling it returns the records that were added to a log since the last call; all have these numbers and words."""

    def __init__(self, path: Path, *, numbers: Sequence[str], words: Sequence[str] = ()) -> None:
        self.path, self.numbers, self.words = path, numbers, words
        self.position = self.lines = 0

    def __call__(self) -> list[dict[str, Any]]:
        if not self.path.is_file():
            return []
        with self.path.open("rb") as file:
            file.seek(self.position)
            lines, newline, _ = file.read().rpartition(b"\n")
        self.position += len(lines + newline)
        self.lines, first = self.lines + lines.count(b"\n") + len(newline), self.lines + 1
        records = [parse_record(line, n, self.path) for n, line in enumerate(lines.splitlines(), start=first)]
        check_alike(records, self.path, numbers=self.numbers, words=self.words, first=first)
        return records


def _interval(trainer: Trainer, kind: type) -> int | None:
    """Steps between two calls of the trainer's callback of a kind; None without one."""
    return next((callback.every for callback in trainer.callbacks if isinstance(callback, kind)), None)


def _number(value: float | None) -> float | None:
    """The value with six digits; None where there is none."""
    return None if value is None else float(f"{value:.6g}")


def _add_metrics(series: Series, records: list[dict[str, Any]]) -> None:
    for record in records:
        values = {name.replace("_", " "): value for name, value in record.items() if name not in ("step", "seconds")}
        series["names"] = series["names"] or list(values)
        series["rows"].append([record["step"], *(_number(values.get(name)) for name in series["names"])])


def _add_eigenvalues(series: Series, records: list[dict[str, Any]]) -> None:
    """Add the ends of every discriminator's spectrum; all discriminators of a GAN are probed at the same steps."""
    names = list(dict.fromkeys(record["discriminator"] for record in records))
    if records and not series["names"]:
        prefixes = [f"{name} " if len(names) > 1 else "" for name in names]
        series["names"] = [f"{prefix}{symbol}" for prefix in prefixes for symbol in ("λ⁺", "λ⁻")]
    by_step: dict[int, list[float | None]] = {}
    for record in records:
        by_step.setdefault(record["step"], []).extend(_number(record[key]) for key in ("largest", "smallest"))
    series["rows"] += [[step, *values] for step, values in by_step.items() if len(values) == len(series["names"])]
