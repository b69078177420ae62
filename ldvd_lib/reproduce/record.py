"""What the directory of a reproduction holds, read from its files: orders, trainings, runs, results, spectra."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from ldvd_lib import zoo
from ldvd_lib.metrics import Evaluation
from ldvd_lib.paper.claims import Curvature, Findings, curvatures_of, examine
from ldvd_lib.paper.question import CRITICS, Point, point_of
from ldvd_lib.reproduce.plan import CURVATURE, PLAN, QUESTION, RUNS, Order, Plan, Training, make_plan, recall
from ldvd_lib.reproduce.progress import Counts, Progress
from ldvd_lib.reproduce.work import hardware_of
from ldvd_lib.runs import Condition, Measured, Result, Run, results_of_run
from ldvd_lib.runs.files import CONFIG, EVALUATION
from ldvd_lib.runs.results import by_condition, measured
from ldvd_lib.runs.scores import evaluation_directory

FIGURES = "figures"


@dataclass(frozen=True, eq=False)
class Record:
    """The contents of the directory of a reproduction.

    Attributes:
        directory: its path.
        orders: what was asked for.
        plan: of those orders.
        progress: of each training of the plan.
        runs: relative path → run, of every run that was begun.
        results: of the runs that were judged.
        probed: the claims' runs that have done their steps.
        curvatures: seed → discriminator → curvature, of these runs.
        points: of the question's runs that are complete.
    """

    directory: Path
    orders: tuple[Order, ...]
    plan: Plan
    progress: tuple[Progress, ...]
    runs: dict[str, Run]
    results: list[Result]
    probed: list[Run]
    curvatures: dict[int, dict[str, Curvature]]
    points: list[Point]

    @classmethod
    def read(cls, directory: str | Path) -> "Record":
        """Read a directory.

        Raises:
            FileNotFoundError: if it holds no order.
            ValueError: if a file is damaged.
        """
        directory = Path(directory)
        orders = tuple(recall(directory))
        if not orders:
            raise FileNotFoundError(
                f"{directory} holds no reproduction ({PLAN} has no order): begin one with `ldvd reproduce TABLE`"
            )
        plan = make_plan(*orders)
        progress = tuple(Progress.of(training, directory) for training in plan.trainings)
        runs = {
            path.parent.relative_to(directory).as_posix(): Run.open(path.parent)
            for study in (RUNS, CURVATURE, QUESTION)
            for path in sorted(filter(_is_ours, directory.glob(f"{study}/seed-*/*/{CONFIG}")), key=_by_seed)
        }
        results = [
            replace(result, hardware=hardware_of(run))
            for name, run in runs.items()
            if name.startswith(f"{RUNS}/")
            for result in results_of_run(run)
        ]
        probed = [
            runs[training.directory.as_posix()]
            for training, done in zip(plan.trainings, progress, strict=True)
            if training.study == CURVATURE and done.is_trained
        ]
        points = [
            _point(runs[training.directory.as_posix()], training)
            for training, done in zip(plan.trainings, progress, strict=True)
            if training.study == QUESTION and done.is_complete and not done.diverged
        ]
        return cls(directory, orders, plan, progress, runs, results, probed, curvatures_of(probed), points)

    @property
    def targets(self) -> list[str]:
        """The tables that were asked for, in the paper's order, then the claims and the question."""
        return sorted(target for order in self.orders for target in order.targets)

    @property
    def counts(self) -> Counts:
        """How far the plan has got."""
        return Counts.of(self.plan.trainings, self.directory)

    @property
    def findings(self) -> Findings:
        """Whether the claims hold."""
        return examine(self.curvatures)

    def conditions(self) -> dict[Condition, dict[str, dict[str, Measured]]]:
        """Condition → model → metric → figure, the longest trainings first."""
        grouped = by_condition(self.results)
        return {
            condition: {model: measured(results) for model, results in grouped[condition].items()}
            for condition in sorted(grouped, key=lambda condition: (-condition.steps, str(condition)))
        }

    def trainings(self, study: str = "") -> list[tuple[Training, Progress]]:
        """The plan's trainings, of one study or of all, and how far they have got."""
        pairs = zip(self.plan.trainings, self.progress, strict=True)
        return [(training, done) for training, done in pairs if study in ("", training.study)]


def _is_ours(path: Path) -> bool:
    """Whether a run's directory is called as a training's is, and not as a user's copy of it."""
    return re.fullmatch("seed--?[0-9]+", path.parent.parent.name) is not None and (
        path.parent.name in CRITICS if path.parts[-4] == QUESTION else path.parent.name in zoo.ENTRIES
    )


def _point(run: Run, training: Training) -> Point:
    if training.protocol is None:
        raise ValueError(f"{training} is not to be judged, so that it answers nothing")
    home = evaluation_directory(run.directory, training.protocol, training.steps, training.samples)
    return point_of(run, Evaluation.load(home / EVALUATION), training.steps)


def _by_seed(path: Path) -> tuple[int, str]:
    return int(path.parent.parent.name.removeprefix("seed-")), path.parent.name
