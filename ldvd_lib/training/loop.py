"""The training loop: steps, metrics, samples, checkpoints; interruptible, and resumed bit for bit."""

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ldvd_lib._kit.configuration import save_json, to_dict
from ldvd_lib._kit.files import remove_leftovers, to_disk
from ldvd_lib.batch import Batch
from ldvd_lib.blocks import noise_from
from ldvd_lib.data.sample import WindowSampler, check_fit
from ldvd_lib.gan import VideoGAN
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.objective import Objective
from ldvd_lib.recipe import GAMES
from ldvd_lib.runs import checkpoint
from ldvd_lib.runs.files import CHECKPOINTS, CONFIG, METRICS, SPECTRUM
from ldvd_lib.runs.lock import held
from ldvd_lib.runs.run import Run, RunConfig, append_record, cut_log
from ldvd_lib.training.callbacks import Callback, SampleGrid
from ldvd_lib.training.play import Source, play
from ldvd_lib.training.players import Players

logger = logging.getLogger(__name__)


class TrainingDiverged(RuntimeError):
    """A loss or a weight is no longer a finite number."""


class Trainer:
    """Trains a video GAN on a sampler's clips into a run directory.

    Everything random comes from generators of the run's own: torch's global one is neither used nor changed. So a run
    may go on in a thread of its own (as under `ldvd_lib.widgets.TrainingMonitor`) while others draw what they like.

    Args:
        gan: networks and recipe, from `ldvd_lib.zoo.build`.
        sampler: an `ldvd_lib.data.WindowSampler` whose clips have the size, length and batch size of the GAN.
        directory: the run directory; made if absent. While it is trained, nothing else can train there.
        seed: of everything random in the loop but the data, which the sampler's own seed decides.
        device: where to train; default ``cuda`` if there, else ``cpu``.
        resume: continue the run that `directory` holds. A continued run equals an uninterrupted one, on the CPU bit
            for bit. Without a checkpoint there, the run starts afresh; a checkpoint that is damaged is set aside, and
            the one before it is taken.
        callbacks: what to call every so often; default a `SampleGrid`.
        log_every: steps between two lines of ``metrics.jsonl``.
        checkpoint_every: steps between two checkpoints.
        keep_checkpoints: how many of them to keep; None for all.
        progress: show a progress bar.

    Attributes:
        gan, sampler, recipe, directory, device, callbacks: as given.
        players, objective: who moves, and what they minimise.
        random: what latents, frames and noise are drawn from.
        step, seconds: done so far.
        interrupted: whether the last `run` ended before its time.

    Raises:
        ValueError: if the sampler's clips do not fit the GAN, its generator is to begin after an earlier training and
            has not, a callback needs what compiled networks do not have, or `directory` holds a run and `resume` is
            false, or it holds a run of another configuration, or what is left of a run and cannot be continued.
        BlockingIOError: if something else is training in `directory`.
    """

    def __init__(
        self,
        gan: VideoGAN,
        sampler: WindowSampler,
        directory: str | Path,
        *,
        seed: int = 0,
        device: str | torch.device | None = None,
        resume: bool = False,
        callbacks: Sequence[Callback] | None = None,
        log_every: int = 10,
        checkpoint_every: int = 500,
        keep_checkpoints: int | None = 2,
        progress: bool = True,
    ) -> None:
        check_fit(gan, sampler)
        self.callbacks: list[Callback] = [SampleGrid()] if callbacks is None else list(callbacks)
        for callback in self.callbacks:
            if getattr(callback, "needs_second_derivatives", False):
                gan.recipe.require_second_derivatives(type(callback).__name__)
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.gan, self.sampler, self.recipe = gan.to(self.device).train(), sampler, gan.recipe
        self.directory = Path(directory)
        self.log_every, self.checkpoint_every, self.keep_checkpoints = log_every, checkpoint_every, keep_checkpoints
        self.progress = progress
        self.players = Players(gan)
        self.objective = Objective(gan.discriminators, self.recipe)
        self.random = torch.Generator(self.device).manual_seed(seed)
        self.step = 0
        self.seconds = 0.0
        self.interrupted = False
        self._stop = threading.Event()
        self._busy = threading.Lock()
        self._finite = torch.ones((), dtype=torch.bool, device=self.device)
        self._source = Source(self._real_clips, self.recipe.batch_size, self.random)

        names = tuple(sampler.store.class_names)
        self._config = RunConfig(model=gan.config, data=sampler.describe(), seed=seed, class_names=names)
        with held(self.directory):
            self._open_directory(resume)
        self.players.set_step(self.step)
        if self.recipe.compile:
            for network in (gan.generator, *gan.discriminators.values()):
                network.compile()

    # Running --------------------------------------------------------------------------------------------------------

    def run(self, steps: int) -> Run:
        """Train until `steps` steps are done in all, then write a checkpoint.

        Ctrl-C, a notebook's interrupt or `stop` ends it after the current step, with a checkpoint written and
        `interrupted` set; a second Ctrl-C ends it at once. Calling again continues. In another thread than the main
        one Ctrl-C does not reach it.

        Returns:
            The run, to read back metrics, samples and the generator from.

        Raises:
            TrainingDiverged: if a loss or weight is not finite any more; the last checkpoint is kept.
            RuntimeError: if it is running already, in another thread; or if something else has trained since in its
                directory.
            BlockingIOError: if something else trains in its directory.
            OSError: if something cannot be written, to a full disk, say; the last checkpoint is kept, and a new
                `Trainer` with `resume` goes on from it. (This one would go on without what it could not write.)
        """
        if not self._busy.acquire(blocking=False):
            raise RuntimeError(f"the run in {self.directory} is already going on: stop that first")
        try:
            with held(self.directory):
                self._check_directory()
                self._cut_logs(self._config)  # of what an earlier `run` was about to write when it failed
                return self._run(steps)
        finally:
            self._busy.release()

    @property
    def running(self) -> bool:
        """Whether `run` is at work, in whatever thread."""
        return self._busy.locked()

    def _run(self, steps: int) -> Run:
        self._stop.clear()
        self.interrupted = False
        started, before = time.perf_counter(), self.seconds
        bar = tqdm(total=steps, initial=self.step, unit="step", disable=not self.progress, desc=self.gan.config.name)
        noise = noise_from(self.random, *self.gan.discriminators.values())
        with bar, noise, self._interruptible():
            while self.step < steps and not self._stop.is_set():
                values = self._train_step()
                self.seconds = before + time.perf_counter() - started
                if self.step % self.log_every == 0 or self.step == steps:
                    metrics = self._check_finite(values)
                    record = {"step": self.step, "seconds": round(self.seconds, 3), **metrics}
                    append_record(self.directory / METRICS, record)
                    bar.set_postfix({name: f"{value:.3g}" for name, value in metrics.items()}, refresh=False)
                for callback in self.callbacks:
                    if self.step % callback.every == 0:
                        callback(self)
                if self.step % self.checkpoint_every == 0:
                    self.save_checkpoint()
                bar.update()
            self.interrupted = self.step < steps
            if self.step:
                self.save_checkpoint()
        return Run.open(self.directory)

    def stop(self) -> None:
        """Ask a run, from another thread or a callback, to end after the current step."""
        self._stop.set()

    def sampling_generator(self) -> VideoGenerator:
        """The generator that samples are drawn from: the average if the recipe keeps one, else the generator itself."""
        return self.players.sampling_generator()

    def save_checkpoint(self) -> Path:
        """Write a checkpoint of this moment; training continues from it bit for bit (on the CPU).

        Raises:
            TrainingDiverged: if a weight is not finite; nothing is written then.
        """
        networks = self.players.networks()
        for name, tensor in networks.state_dict().items():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                raise TrainingDiverged(self._divergence(f"weight {name} is not finite"))
        self.players.sampling_generator()  # gives a saved average statistics of its own
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "optimizers": self.players.state_dict(),
            "random": self.random.get_state(),
            "sampler": self.sampler.state_dict(),
        }
        for log in (METRICS, SPECTRUM):  # a run that goes on from here counts on what was logged before
            if (self.directory / log).exists():
                to_disk(self.directory / log)
        return checkpoint.save_checkpoint(self.directory, self.step, networks, state, keep=self.keep_checkpoints)

    # ----------------------------------------------------------------------------------------------------------------

    def _real_clips(self) -> Batch:
        return self.sampler.next_batch().to(self.device)

    def _train_step(self) -> dict[str, Tensor]:
        values = play(GAMES[self.recipe.game], self.objective, self.players, self._source)
        self.step += 1
        # Kept on the device: reading it every step would make a GPU wait.
        self._finite &= torch.stack(list(values.values())).isfinite().all()
        if self.device.type == "cpu":
            self._check_finite(values)
        try:
            self.players.finish(self.step)
        except ValueError as error:
            raise TrainingDiverged(self._divergence(str(error))) from error
        # Now, so that what is probed, sampled and saved of this step is what a checkpoint of it is loaded as.
        self.players.set_step(self.step)
        return values

    def _check_finite(self, values: dict[str, Tensor]) -> dict[str, float]:
        metrics = {name: value.item() for name, value in values.items()}
        if not self._finite:
            bad = [f"{name} = {value}" for name, value in metrics.items()]
            raise TrainingDiverged(self._divergence(f"not every loss is finite ({', '.join(bad)})"))
        return metrics

    def _divergence(self, what: str) -> str:
        kept = checkpoint.list_checkpoints(self.directory)
        where = f"the last good checkpoint is {kept[-1].name}" if kept else "there is no checkpoint yet"
        return (
            f"training diverged at step {self.step}: {what}; {where} in {self.directory}. "
            "Try a lower learning rate, SVC (svc_every=5), or float32 instead of bfloat16"
        )

    # The directory ----------------------------------------------------------------------------------------------------

    def _open_directory(self, resume: bool) -> None:
        path = self.directory / CONFIG
        checkpoints = checkpoint.list_checkpoints(self.directory)
        written_under = Run.open(self.directory).config if path.exists() else self._config
        if path.exists() and checkpoints and not resume:
            raise ValueError(
                f"{self.directory} already holds a run: continue it with resume=True (`--resume`), "
                "or choose another directory"
            )
        if not (path.exists() and checkpoints):
            self._check_forgettable(path)
        if not checkpoints:
            self.gan.generator.check_begun()
        for name in (CONFIG, METRICS, SPECTRUM):
            remove_leftovers(self.directory / name)
        checkpoint.remove_leftovers(self.directory)
        if checkpoints:
            written_under.require_same(self._config, where=path)
            self._load_newest(checkpoints)
        self._cut_logs(written_under)  # before the configuration, which says under what names they were written
        save_json(to_dict(self._config), path)

    def _cut_logs(self, written_under: RunConfig) -> None:
        for name in (METRICS, SPECTRUM):
            cut_log(self.directory / name, self.step, written_under)

    def _check_forgettable(self, config: Path) -> None:
        """Whether nothing is lost if a run begins here: no checkpoints, whatever their names, and no log of another."""
        there = [f"{CHECKPOINTS}/{path.name}" for path in (self.directory / CHECKPOINTS).glob("[!.]*")]
        if not config.exists():
            there += [name for name in (METRICS, SPECTRUM) if (self.directory / name).exists()]
        if there:
            shown = f"{', '.join(sorted(there)[:3])}{' and more' * (len(there) > 3)}"
            lacking = "no checkpoint of the name that training gives" if config.exists() else f"no {CONFIG}"
            raise ValueError(
                f"{self.directory} holds {shown}, and {lacking}, "
                "so it can be neither continued nor begun anew: put back what is missing, or choose another directory"
            )

    def _check_directory(self) -> None:
        """Whether the directory is still as this run left it."""
        Run.open(self.directory).config.require_same(self._config, where=self.directory / CONFIG)
        newer = [
            path.name for path in checkpoint.list_checkpoints(self.directory) if checkpoint.step_of(path) > self.step
        ]
        if newer:
            raise RuntimeError(
                f"{self.directory} has been trained further since, to {newer[-1]}: make the Trainer anew, with "
                "resume=True"
            )

    def _load_newest(self, checkpoints: Sequence[Path]) -> None:
        """Go on from the newest checkpoint that is whole; damaged ones are set aside, and named."""
        damaged: list[str] = []
        for directory in reversed(checkpoints):
            try:
                self._load(directory)
            except (ValueError, FileNotFoundError) as error:
                damaged.append(str(error))
                continue
            for message, other in zip(damaged, reversed(checkpoints), strict=False):
                logger.warning(
                    "%s; it is now %s, and the run goes on from %s",
                    message,
                    checkpoint.set_aside(other),
                    directory.name,
                )
            return
        raise ValueError(f"no checkpoint in {self.directory} can be read: {'; '.join(damaged)}")

    def _load(self, directory: Path) -> None:
        weights = checkpoint.load_weights(directory / checkpoint.WEIGHTS)
        state = checkpoint.load_state(directory)
        networks = self.players.networks()
        checkpoint.check_fit(networks, weights, directory / checkpoint.WEIGHTS)
        networks.load_state_dict(weights)
        try:
            self.players.load_state_dict(state["optimizers"])
            self.step, self.seconds = int(state["step"]), float(state["seconds"])
            self.random.set_state(state["random"])
            self.sampler.load_state_dict(state["sampler"])
            if self.step != checkpoint.step_of(directory):
                raise ValueError(f"it is of step {self.step}")
        except (MemoryError, torch.OutOfMemoryError):  # which is no fault of the file
            raise
        except Exception as error:  # each part says in its own way that it has been given something else
            where = directory / checkpoint.STATE
            raise ValueError(f"{where} is not the state of this run at that step: {error!r}") from error

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Turn the first SIGINT into a request to stop after the step, and say what is kept at the end.

        Only the main thread may do that, and hears of one.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        heard = False

        def handle(number: int, frame: Any) -> None:
            nonlocal heard
            if self._stop.is_set():
                raise KeyboardInterrupt
            heard = True
            self._stop.set()

        previous = signal.signal(signal.SIGINT, handle)
        try:
            yield
        except KeyboardInterrupt:
            kept = checkpoint.list_checkpoints(self.directory)
            logger.warning(
                "ended at once, in or after step %d: %s in %s; the steps since are lost. Continue with resume=True, or "
                "`ldvd train --resume`",
                self.step,
                f"kept is {kept[-1].name}" if kept else "there is no checkpoint yet, so nothing is kept",
                self.directory,
            )
            raise
        finally:
            signal.signal(signal.SIGINT, previous)
        if heard:
            logger.warning(
                "stopped after step %d; everything is in %s: continue with resume=True, or `ldvd train --resume`",
                self.step,
                self.directory,
            )


__all__ = ["Trainer", "TrainingDiverged"]
