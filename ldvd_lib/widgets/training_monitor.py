"""A run that trains beside the notebook: to start, pause, stop, and watch by losses, eigenvalues and samples."""

import atexit
import contextvars
import json
import math
import threading
import time
from pathlib import Path
from typing import Any

import traitlets

from ldvd_lib._checks import whole_number
from ldvd_lib.hessian import SPECTRUM, SpectrumProbe
from ldvd_lib.training import Run, SampleGrid, Trainer, TrainingDiverged
from ldvd_lib.training.run import METRICS
from ldvd_lib.widgets._course_widget import CourseWidget, png, say, script, style
from ldvd_lib.widgets._training_figure import draw, draw_text

__all__ = ["TrainingMonitor"]

_NEWS_SECONDS = 0.5  # between two messages to the browser
_EXIT_SECONDS = 20  # that a program's end waits for the step and its checkpoint

Series = dict[str, Any]  # "names" of n quantities, and "rows" of a step and n numbers


def _copied(series: dict[str, Series], widget: Any) -> dict[str, Series]:
    """What a page gets that opens late; lists of its own, since training goes on adding to them."""
    return {key: {name: list(values) for name, values in some.items()} for key, some in series.items()}


class TrainingMonitor(CourseWidget):
    """Start, pause and stop a run from the notebook, and watch it. The kernel stays free for other cells.

    Training goes on in a thread of its own, which other cells and their interrupts do not disturb; on two CPU cores
    they share the machine, so both become slower. Numbers go on arriving while a long cell runs; a button pressed
    meanwhile is heard after it at the latest.

    Pausing and stopping both wait for the end of the step and write a checkpoint; a run that was paused equals one that
    was not. While it runs, take networks from `run` (of its last checkpoint): those of the trainer are just changing,
    and calling one in a cell may change the run.

    Args:
        trainer: what trains. Its callbacks decide what there is to see: a `SampleGrid` gives samples, a `SpectrumProbe`
            eigenvalues.
        steps: train until so many steps are done in all.
        autostart: start at once, without waiting for the button.

    Attributes:
        state: ``"ready"``, ``"running"``, ``"stopping"`` (until the step is done), ``"paused"``, ``"finished"`` (all
            steps are done, or it was stopped) or ``"failed"``. Observers of it are called in the thread that trains.
        step: steps done.
        steps: can be set while it does not run; a finished run goes on when there are more.
        seconds: trained so far.
        rate: steps per second since the last start, or None.
        eta: seconds that are left at this rate, or None.
        error: what made the run fail, or None.
        status: the line under the widget.

    Raises:
        ValueError: `trainer` is no `Trainer`, or `steps` is no positive whole number.
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
    # All rows so far. They are added to in place, which sends nothing: an open page is sent the new ones alone.
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
        self._lock = threading.RLock()  # buttons are heard in one thread, steps done in another
        self._metrics_file = _NewRecords(trainer.directory / METRICS)
        self._spectrum_file = _NewRecords(trainer.directory / SPECTRUM)
        self._watch = _Watch(self)
        self._wish = ""  # "pause" or "stop", once asked for
        self._next_news = 0.0
        self._began: tuple[float, int] | None = None  # when the first step since the start was done, and which
        series = {key: {"names": [], "rows": []} for key in ("losses", "eigenvalues")}
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

    # What one asks of it ---------------------------------------------------------------------------------------------

    @property
    def run(self) -> Run | None:
        """The run as it lies on disk, or None before anything of it is saved."""
        run = Run.open(self.trainer.directory)
        metrics = self.trainer.directory / METRICS
        is_begun = run.checkpoints or (metrics.is_file() and metrics.stat().st_size)
        return run if is_begun else None

    def start(self) -> None:
        """Start, or go on; nothing changes where it runs already.

        Raises:
            RuntimeError: there is nothing to do, or it cannot be done now, saying why.
        """
        with self._lock:
            if self.state == "running":
                return
            self._check_startable()
            self.set_trait("step", self.trainer.step)
            self._wish, self._began, self._next_news = "", None, 0.0
            # With the context of whoever started it: what the thread should print belongs to that cell, and does not
            # turn up in another.
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
        """Hold after the current step, with a checkpoint written; `start` goes on. Returns at once: see `wait`."""
        with self._lock:
            if self.state in ("running", "stopping"):
                self._wish = "pause"
                self._set("stopping", "Pausing after this step …")

    def stop(self) -> None:
        """End after the current step, with a checkpoint written. Returns at once: see `wait`."""
        with self._lock:
            if self.state in ("running", "stopping"):
                self._wish = "stop"
                self._set("stopping", "Stopping after this step …")
            elif self.state == "paused":
                self._wish = "stop"
                self._settle()

    def wait(self, timeout: float | None = None) -> str:
        """Wait until it does not run any more, or so many seconds. For scripts; an interrupt ends the waiting alone.

        Returns:
            The state.
        """
        if self._thread is not None:
            self._thread.join(timeout)
        return self.state

    def close(self) -> None:
        """Stop the run, which nobody could stop any more, and close the widget."""
        if self._thread is not None:
            self.stop()
        super().close()

    # The thread that trains ------------------------------------------------------------------------------------------

    def _train(self, steps: int) -> None:
        trainer, error = self.trainer, None
        progress, trainer.progress = trainer.progress, False
        trainer.callbacks.append(self._watch)
        try:
            trainer.run(steps)
        except Exception as caught:
            error = caught
        finally:
            trainer.callbacks.remove(self._watch)
            trainer.progress = progress
            atexit.unregister(self._leave)
        with self._lock, self.hold_sync():
            self.error = error
            self._look()
            self._settle()
            self.send_state("_series")  # whole: whoever keeps states (nbclient, say) does not see the messages

    def _on_step(self) -> None:
        """After every step: heed what was asked for, and tell the browser now and then."""
        with self._lock:
            now, step = time.monotonic(), self.trainer.step
            if self._wish:
                self.trainer.stop()
            if self._began is None:  # the first step is slower than the rest, and not counted
                self._began = now, step
            if now < self._next_news:
                return
            self._next_news = now + _NEWS_SECONDS
            began, first = self._began
            rate = (step - first) / (now - began) if step > first else None
            with self.hold_sync():
                self.set_trait("rate", rate)
                self.set_trait("eta", (self.steps - step) / rate if rate else None)
                self._look()

    def _look(self) -> None:
        """Take in what is new in the run's directory."""
        self.set_trait("step", self.trainer.step)
        self.set_trait("seconds", float(self.trainer.seconds))
        lengths = {key: len(series["rows"]) for key, series in self._series.items()}
        self._take_in(self._series)
        new = {
            key: {"first": lengths[key], "names": series["names"], "rows": series["rows"][lengths[key] :]}
            for key, series in self._series.items()
            if len(series["rows"]) > lengths[key]
        }
        if new:
            self.send({"type": "rows", "series": new})
        grids = {int(path.stem.removeprefix("step_")): path for path in Run.open(self.trainer.directory).sample_files}
        newest = max((step for step in grids if step <= self.step), default=0)
        if newest > self._sampled_step:
            self._samples, self._sampled_step = grids[newest].read_bytes(), newest

    def _take_in(self, series: dict[str, Series]) -> None:
        """Add what was logged since the last time."""
        _add_metrics(series["losses"], self._metrics_file())
        _add_eigenvalues(series["eigenvalues"], self._spectrum_file())

    def _leave(self) -> None:
        """At the program's end: leave a checkpoint of what was reached."""
        self.stop()
        self._thread.join(_EXIT_SECONDS)

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
        """Say in which state it is while it does not run."""
        with self._lock:
            self.set_trait("eta", None)
            run = Run.open(self.trainer.directory)
            saved = f" Saved in {run.checkpoints[-1]}." if run.checkpoints else ""
            if isinstance(self.error, TrainingDiverged):
                self._set("failed", f"Failed: {self.error}.", failed=True)  # which says at which step, and what is kept
            elif self.error is not None:
                kept = f"The last checkpoint is {run.checkpoints[-1]}." if saved else "There is no checkpoint yet."
                self._set("failed", f"Failed at {self._count}. {say(self.error)}. {kept}", failed=True)
            elif self.step >= self.steps:
                self._set("finished", f"Finished: {self._count}.{saved}")
            elif self.step == 0:
                self._set("ready", "Not started. It trains in the background: other cells can be run meanwhile.")
            elif self._wish == "stop":
                self._set("finished", f"Stopped at {self._count}.{saved}")
            else:
                self._set("paused", f"Paused at {self._count}.{saved}")

    def _check_startable(self) -> None:
        if self.state == "stopping":
            raise RuntimeError("the run is just about to stop: wait until it has (`wait()`), then start it again.")
        if self.state == "failed":
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
            figure = draw(Run.open(self.trainer.directory), self._samples, self._sampled_step)
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
                ends = zip(probed["names"], probed["rows"][-1][1:], strict=True)
                alt += f" Eigenvalues at step {probed['rows'][-1][0]:,}: {', '.join(f'{n} {v}' for n, v in ends)}."
            if self._samples:
                alt += f" One frame of the samples of step {self._sampled_step:,}."
        return png(figure), alt


class _Watch:
    """The callback by which the monitor hears of every step."""

    every = 1

    def __init__(self, monitor: TrainingMonitor) -> None:
        self.monitor = monitor

    def __call__(self, trainer: Trainer) -> None:
        self.monitor._on_step()


class _NewRecords:
    """Calling it gives the records of a JSON-lines file that have come since the last call."""

    def __init__(self, path: Path) -> None:
        self.path, self.read = path, 0

    def __call__(self) -> list[dict[str, Any]]:
        if not self.path.is_file():
            return []
        with self.path.open("rb") as file:
            file.seek(self.read)
            whole, end, _ = file.read().rpartition(b"\n")
        self.read += len(whole + end)
        return [json.loads(line) for line in whole.splitlines()]


def _interval(trainer: Trainer, kind: type) -> int | None:
    """Steps between two calls of the trainer's callback of some kind; None without one."""
    return next((callback.every for callback in trainer.callbacks if isinstance(callback, kind)), None)


def _number(value: float | None) -> float | None:
    """As JSON can say it, with six digits."""
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None


def _add_metrics(series: Series, records: list[dict[str, Any]]) -> None:
    for record in records:
        values = {name.replace("_", " "): value for name, value in record.items() if name not in ("step", "seconds")}
        series["names"] = series["names"] or list(values)
        series["rows"].append([record["step"], *(_number(values.get(name)) for name in series["names"])])


def _add_eigenvalues(series: Series, records: list[dict[str, Any]]) -> None:
    """The ends of every discriminator's spectrum; the discriminators of a GAN are probed at the same steps."""
    names = list(dict.fromkeys(record["discriminator"] for record in records))
    if records and not series["names"]:
        of = [f"{name} " if len(names) > 1 else "" for name in names]
        series["names"] = [f"{name}{end}" for name in of for end in ("λ⁺", "λ⁻")]
    by_step: dict[int, list[float | None]] = {}
    for record in records:
        by_step.setdefault(record["step"], []).extend(_number(record[end]) for end in ("largest", "smallest"))
    series["rows"] += [[step, *values] for step, values in by_step.items() if len(values) == len(series["names"])]
