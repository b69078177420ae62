"""Carrying out a plan: one training after the other, each judged when it is done, and nothing done twice."""

import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from ldvd_lib._kit.configuration import load_json, save_json
from ldvd_lib._kit.files import replacing
from ldvd_lib._kit.lock import locked
from ldvd_lib.classroom.environment import environment_report
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.metrics import Features, Judge
from ldvd_lib.paper.claims import PROBE_BATCH
from ldvd_lib.reproduce.plan import CURVATURE, LOCKS, QUESTION, Plan, Training
from ldvd_lib.reproduce.progress import DIVERGED, Counts, Progress
from ldvd_lib.runs import Run, scores
from ldvd_lib.runs.checkpoint import step_of
from ldvd_lib.runs.files import CONFIG
from ldvd_lib.runs.run import RunConfig
from ldvd_lib.runs.sources import check_length
from ldvd_lib.training import Callback, SampleGrid, SpectrumProbe, Trainer
from ldvd_lib.training.loop import TrainingDiverged

logger = logging.getLogger(__name__)

ENVIRONMENT = "environment.json"
Stores = Callable[[int], ClipStore]  # image size → the training clips


class Budget:
    """Wall-clock time that may be spent.

    Args:
        hours: None for no limit.
    """

    def __init__(self, hours: float | None = None) -> None:
        self.deadline = math.inf if hours is None else time.monotonic() + 3600 * hours

    @property
    def is_spent(self) -> bool:
        """Whether nothing new may begin."""
        return time.monotonic() >= self.deadline


class StopWhenSpent:
    """A callback that ends a training after the step in which the budget runs out."""

    every = 1

    def __init__(self, budget: Budget) -> None:
        self.budget = budget

    def __call__(self, trainer: Trainer) -> None:
        """Look at the clock."""
        if self.budget.is_spent:
            trainer.stop()


class Workshop:
    """Carries out plans in a directory.

    Args:
        directory: of the reproduction.
        judge: of the plans' protocol; None if nothing is judged.
        device: where to train and judge.
        progress: show progress bars.
    """

    def __init__(
        self,
        directory: str | Path,
        judge: Judge | None = None,
        *,
        device: str | torch.device = "cpu",
        progress: bool = True,
    ) -> None:
        self.directory, self.judge, self.device, self.progress = Path(directory), judge, device, progress
        self._real: dict[tuple[int, int], Features] = {}  # image size, samples → features

    def run(self, plan: Plan, stores: Stores, budget: Budget | None = None) -> Counts:
        """Do what is left of a plan, until it is done or the budget is spent.

        A training that another process is working on is left to it, so that several processes can share a plan.

        Args:
            plan: from `make_plan`.
            stores: gives the training clips in the size that a model takes.
            budget: None for no limit.

        Raises:
            ValueError: as `check`, before anything is trained.
            KeyboardInterrupt: after an interrupt; everything is saved.
        """
        budget = budget or Budget()
        self.check(plan, stores)
        left = [training for training in plan.trainings if not Progress.of(training, self.directory).is_complete]
        with tqdm(
            total=len(plan.trainings),
            initial=len(plan.trainings) - len(left),
            unit="training",
            desc="reproduce",
            disable=not self.progress,
        ) as bar:
            for training in left:
                # Nothing begins once the budget is spent; a training that stopped there is continued next time.
                if budget.is_spent:
                    break
                bar.set_postfix_str(str(training))
                if training.protocol:
                    self._real_features(training, stores)  # first, so that unsuitable real clips are reported at once
                with self._claim(training) as is_ours:
                    is_trained = is_ours and self._train(training, stores, budget)
                    if is_trained and training.protocol and not budget.is_spent:
                        self._judge(training, stores)
                bar.update(Progress.of(training, self.directory).is_complete)
        return Counts.of(plan.trainings, self.directory)

    def check(self, plan: Plan, stores: Stores) -> None:
        """Check that every training can be done or continued, before hours are spent on the first.

        Raises:
            ValueError: if clips are too short for a model, or the directory holds a run of other settings or data.
        """
        for training in plan.trainings:
            with torch.device("meta"):
                gan = training.config.build()
            try:
                sampler = WindowSampler.for_gan(gan, stores(gan.image_size), short=training.short)
            except ValueError as error:
                raise ValueError(
                    f"{training} cannot be trained on these clips (for every model, --frame-stride 1 or --short loop "
                    f"may help): {error}"
                ) from error
            if training.protocol:
                check_length(gan.generator, training.protocol.num_frames)
            home = self.directory / training.directory
            run = Run.open(home) if (home / CONFIG).is_file() else None
            done = Progress.of(training, self.directory)
            # A run that diverged may have no checkpoint, but its settings must still be the same.
            if run is None or not (run.checkpoints or done.diverged):
                continue
            run.config.require_same(RunConfig(training.config, sampler.describe(), training.seed), where=home / CONFIG)
            steps = [step_of(path) for path in run.checkpoints]
            is_lost = not done.is_complete and training.steps not in steps
            # The claims and the question are about all probes of a run, also those of later steps.
            if done.step > training.steps and (is_lost or training.study in (CURVATURE, QUESTION)):
                raise ValueError(
                    f"{home} has been trained to step {done.step}, and its step {training.steps} cannot be judged any "
                    f"more: ask for --steps {done.step}, or choose another directory"
                )
            every = _probed_every(run)
            if training.probe_every and done.step >= training.probe_every and every != training.probe_every:
                raise ValueError(
                    f"{home} was trained {f'with a probe every {every}' if every else 'without probes'}, and not with "
                    f"one every {training.probe_every} steps: "
                    f"{f'ask for --probe-every {every}' if every else 'leave out --probe-every'}, or choose another "
                    "directory"
                )

    @contextlib.contextmanager
    def _claim(self, training: Training) -> Iterator[bool]:
        """Lock a training; gives False if another process is working on it, or has completed it."""
        path = self.directory / LOCKS / f"{training.directory.as_posix().replace('/', '-')}.lock"
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(path, busy=f"another process is working on {training}"))
            except BlockingIOError:
                is_ours = False
            else:  # another process may have completed it since the plan was read
                is_ours = not Progress.of(training, self.directory).is_complete
            yield is_ours

    def _train(self, training: Training, stores: Stores, budget: Budget) -> bool:
        """Train, or continue; returns whether the training has done its steps."""
        if Progress.of(training, self.directory).is_trained:
            return True
        home, steps = self.directory / training.directory, training.steps
        gan = training.config.build(seed=training.seed)
        if training.config.recipe.compile:
            # torch compiles at most eight variants of a function in one process, and those of earlier models count.
            torch.compiler.reset()
        callbacks: list[Callback] = [StopWhenSpent(budget)]
        if training.study != CURVATURE:
            callbacks.append(SampleGrid(steps if training.study == QUESTION else max(1, steps // 6)))
        if training.probe_every:
            callbacks.append(probe_of(training))
        trainer = Trainer(
            gan,
            WindowSampler.for_gan(
                gan, stores(gan.image_size), short=training.short, device=self.device, seed=training.seed
            ),
            home,
            seed=training.seed,
            device=self.device,
            resume=True,
            callbacks=callbacks,
            # A power cut costs at most a tenth of a training, and at most a thousand steps of a long one.
            checkpoint_every=min(1_000, max(50, steps // 10)),
            keep_checkpoints=1,
            progress=self.progress,
        )
        _note_hardware(home, self.device)
        try:
            trainer.run(steps)
        except TrainingDiverged as error:
            # This is a finding too, and the other trainings can still be done.
            with replacing(home / DIVERGED) as temporary:
                temporary.write_text(f"{str(error).partition(';')[0]}\n")
            logger.warning("%s is given up: %s", training, error)
            return False
        if trainer.interrupted and not budget.is_spent:
            raise KeyboardInterrupt
        return not trainer.interrupted

    def _real_features(self, training: Training, stores: Stores) -> Features:
        """The features of real clips that its samples are compared with."""
        judge, size = self._judge_of(training), training.config.image_size
        key = size, training.samples
        if key not in self._real:
            self._real[key] = scores.real_features(judge, stores(size), short=training.short, **self._judging(training))
        return self._real[key]

    def _judge_of(self, training: Training) -> Judge:
        if self.judge is None or self.judge.protocol != training.protocol:
            wanted = training.protocol and training.protocol.identity
            raise ValueError(f"{training} is to be judged by {wanted}: open that judge")
        return self.judge

    def _judge(self, training: Training, stores: Stores) -> None:
        real, run = self._real_features(training, stores), Run.open(self.directory / training.directory)
        judge = self._judge_of(training)
        scores.judge_run(run, judge, real, step=training.steps, repeats=training.repeats, **self._judging(training))
        if training.study == QUESTION:
            store = stores(training.config.image_size)
            scores.judge_flicker(run, store, step=training.steps, short=training.short, device=self.device)

    def _judging(self, training: Training) -> dict[str, Any]:
        return {"samples": training.samples, "device": self.device, "progress": self.progress}


def probe_of(training: Training) -> SpectrumProbe:
    """What measures the curvature while a training goes on.

    Raises:
        ValueError: for a training without probes.
    """
    if training.probe_every is None:
        raise ValueError(f"{training} has no probes")
    if training.study == QUESTION:  # the two ends are what it is about, and far cheaper than ten values
        return SpectrumProbe(
            training.probe_every, k=2, which="ends", batch_size=PROBE_BATCH, of_steps=True, seed=training.seed
        )
    return SpectrumProbe(training.probe_every, batch_size=PROBE_BATCH, seed=training.seed)


def _probed_every(run: Run) -> int | None:
    """Steps between a run's probes, which is also the step of the first; None if there is none yet."""
    return next((int(spectrum["step"][0]) for spectrum in run.spectrum().values()), None)


def hardware(device: str | torch.device) -> str:
    """The hardware and the PyTorch version in use, in words."""
    report = environment_report()
    words = [f"{report.cores} CPU core{'s' * (report.cores > 1)}", f"PyTorch {report.torch}"]
    return ", ".join(words if torch.device(device).type == "cpu" else [report.device_name, *words])


def hardware_of(run: Run) -> str:
    """What a run was trained on, in words; empty if not known.

    Raises:
        ValueError: if the file that says so is damaged.
    """
    return "; then ".join(_machines(run.directory))


def _machines(home: Path) -> list[str]:
    path = home / ENVIRONMENT
    machines = load_json(path) if path.is_file() else []
    if not isinstance(machines, list) or not all(isinstance(machine, str) for machine in machines):
        raise ValueError(f"{path} must hold a list of machines in words: delete it if it was edited")
    return machines


def _note_hardware(home: Path, device: str | torch.device) -> None:
    """Write beside a run what it is trained on; if it moves to another machine, both."""
    machines, machine = _machines(home), hardware(device)
    if machine not in machines:
        save_json([*machines, machine], home / ENVIRONMENT)
