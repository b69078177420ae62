"""Working a plan off: training after training, each judged when it is done, and nothing done twice."""

import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from ldvd_lib import scores
from ldvd_lib.configuration import load_json, save_json
from ldvd_lib.data import ClipStore
from ldvd_lib.environment import environment_report
from ldvd_lib.hessian import SpectrumProbe
from ldvd_lib.metrics import Features, Judge
from ldvd_lib.reproduce.claims import PROBE_BATCH
from ldvd_lib.reproduce.plan import CURVATURE, LOCKS, RUNS, Plan, Training
from ldvd_lib.reproduce.progress import DIVERGED, Counts, Progress
from ldvd_lib.training import Run, SampleGrid, Trainer
from ldvd_lib.training.loop import TrainingDiverged
from ldvd_lib.training.run import CONFIG, RunConfig

logger = logging.getLogger(__name__)

ENVIRONMENT = "environment.json"
Stores = Callable[[int], ClipStore]  # image size → the training clips


class Budget:
    """Wall clock time that may be spent.

    Args:
        hours: None for as long as it takes.
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
    """Works plans off in a directory.

    Args:
        directory: of the reproduction.
        judge: of the plans' protocol; None where nothing is judged.
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

        A training that another process is at is left to that one: so a plan can be worked off by several at once.

        Args:
            plan: from `make_plan`.
            stores: gives the training clips in the size that a model takes.
            budget: None for as long as it takes.

        Raises:
            ValueError: as `check`, before anything is trained.
            KeyboardInterrupt: after an interrupt; everything is saved.
        """
        budget = budget or Budget()
        self.check(plan, stores)
        left = [each for each in plan.trainings if not Progress.of(each, self.directory).is_complete]
        with tqdm(
            total=len(plan.trainings),
            initial=len(plan.trainings) - len(left),
            unit="training",
            desc="reproduce",
            disable=not self.progress,
        ) as bar:
            for training in left:
                # Nothing begins once the budget is spent; what a training left off there is done next time.
                if budget.is_spent:
                    break
                bar.set_postfix_str(str(training))
                if training.protocol:
                    self._real_features(training, stores)  # first: real clips that do not suit are told at once
                with self._claim(training) as is_ours:
                    is_trained = is_ours and self._train(training, stores, budget)
                    if is_trained and training.protocol and not budget.is_spent:
                        self._judge(training, stores)
                bar.update(Progress.of(training, self.directory).is_complete)
        return Counts.of(plan.trainings, self.directory)

    def check(self, plan: Plan, stores: Stores) -> None:
        """Whether every training can be done, or gone on with: to be said before hours are spent on the first.

        Raises:
            ValueError: if clips are too short for a model, or the directory holds a run of other settings or data.
        """
        for training in plan.trainings:
            with torch.device("meta"):
                gan = training.config.build()
            try:
                sampler = gan.sampler(stores(gan.image_size), short=training.short)
            except ValueError as error:
                raise ValueError(
                    f"{training} cannot be trained on these clips (for every model, --frame-stride 1 or --short loop "
                    f"may help): {error}"
                ) from error
            home = self.directory / training.directory
            run = Run.open(home) if (home / CONFIG).is_file() else None
            done = Progress.of(training, self.directory)
            # One that diverged may have no checkpoint, and is of its settings all the same.
            if run is None or not (run.checkpoints or done.diverged):
                continue
            run.config.require_same(RunConfig(training.config, sampler.describe(), training.seed), where=home / CONFIG)
            steps = [int(path.name.removeprefix("step_")) for path in run.checkpoints]
            is_lost = not done.is_complete and training.steps not in steps
            # What the claims are of are all probes of a run, those of later steps too.
            if done.step > training.steps and (is_lost or training.study == CURVATURE):
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
        """Whether no other process is at this training: it is left to that one then, and several share a plan."""
        path = self.directory / LOCKS / f"{training.directory.as_posix().replace('/', '-')}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            held = FileLock(path).acquire(timeout=0)
        except Timeout:
            yield False
            return
        with held:
            # The other one may have been through since the plan was looked at.
            yield not Progress.of(training, self.directory).is_complete

    def _train(self, training: Training, stores: Stores, budget: Budget) -> bool:
        """Train it, or go on; says whether it has done its steps."""
        if Progress.of(training, self.directory).is_trained:
            return True
        home, steps = self.directory / training.directory, training.steps
        gan = training.config.build(seed=training.seed)
        if training.config.recipe.compile:
            # Of one function torch compiles eight variants in a process, then no more; those of earlier models count.
            torch.compiler.reset()
        callbacks = [StopWhenSpent(budget)]
        if training.study == RUNS:
            callbacks.append(SampleGrid(max(1, steps // 6)))
        if training.probe_every:
            callbacks.append(SpectrumProbe(training.probe_every, batch_size=PROBE_BATCH, seed=training.seed))
        trainer = Trainer(
            gan,
            gan.sampler(stores(gan.image_size), short=training.short, device=self.device, seed=training.seed),
            home,
            seed=training.seed,
            device=self.device,
            resume=True,
            callbacks=callbacks,
            # A power cut costs a tenth of a training, and on long ones a thousand steps.
            checkpoint_every=min(1_000, max(50, steps // 10)),
            keep_checkpoints=1,
            progress=self.progress,
        )
        _note_hardware(home, self.device)
        try:
            trainer.run(steps)
        except TrainingDiverged as error:
            # A finding, too; and the other rows are to be had all the same.
            (home / DIVERGED).write_text(f"{str(error).partition(';')[0]}\n")
            logger.warning("%s is given up: %s", training, error)
            return False
        if trainer.interrupted and not budget.is_spent:
            raise KeyboardInterrupt
        return not trainer.interrupted

    def _real_features(self, training: Training, stores: Stores) -> Features:
        """What its samples are compared with."""
        if self.judge is None or self.judge.protocol != training.protocol:
            raise ValueError(f"{training} is to be judged by {training.protocol.identity}: open that judge")
        size = training.config.generator.options["image_size"]
        key = size, training.samples
        if key not in self._real:
            self._real[key] = scores.real_features(
                self.judge, stores(size), short=training.short, **self._judging(training)
            )
        return self._real[key]

    def _judge(self, training: Training, stores: Stores) -> None:
        real, run = self._real_features(training, stores), Run.open(self.directory / training.directory)
        scores.judge_run(
            run, self.judge, real, step=training.steps, repeats=training.repeats, **self._judging(training)
        )

    def _judging(self, training: Training) -> dict[str, Any]:
        return {"samples": training.samples, "device": self.device, "progress": self.progress}


def _probed_every(run: Run) -> int | None:
    """Steps between a run's probes, the first of which comes after so many; None if none has come yet."""
    return next((int(spectrum["step"][0]) for spectrum in run.spectrum().values()), None)


def hardware(device: str | torch.device) -> str:
    """What computes here, in words."""
    report = environment_report()
    words = [f"{report.cores} CPU core{'s' * (report.cores > 1)}", f"PyTorch {report.torch}"]
    return ", ".join(words if torch.device(device).type == "cpu" else [report.device_name, *words])


def hardware_of(run: Run) -> str:
    """What a run was trained on, in words; empty if nobody knows."""
    path = run.directory / ENVIRONMENT
    return "; then ".join(load_json(path)) if path.is_file() else ""


def _note_hardware(home: Path, device: str | torch.device) -> None:
    """Beside a run, what it is trained on; of one that moves to another machine, both."""
    path = home / ENVIRONMENT
    there, here = load_json(path) if path.is_file() else [], hardware(device)
    if here not in there:
        save_json([*there, here], path)
