"""How far a training has got: read from its directory each time, so that nothing else has to be stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ldvd_lib.metrics import Evaluation
from ldvd_lib.reproduce.plan import QUESTION, Training
from ldvd_lib.runs import Run, scores
from ldvd_lib.runs.files import CONFIG, EVALUATION

DIVERGED = "diverged.txt"  # why a run was given up, in its directory


@dataclass(frozen=True)
class Progress:
    """How far a training has got.

    Attributes:
        step: of its newest checkpoint; 0 if there is none.
        is_trained: whether it has done its steps.
        is_complete: whether it has done its steps and, if it is to be judged, was judged; or was given up.
        diverged: why it was given up; empty if it was not.
    """

    step: int
    is_trained: bool
    is_complete: bool
    diverged: str = ""

    @classmethod
    def of(cls, training: Training, directory: Path) -> "Progress":
        """Look it up in the directory of a reproduction.

        Raises:
            ValueError: if a file of the training is damaged.
        """
        home = directory / training.directory
        run = Run.open(home) if (home / CONFIG).is_file() else None
        step = run.newest_step if run and run.checkpoints else 0
        if (home / DIVERGED).is_file():
            why = (home / DIVERGED).read_text(errors="replace").strip()
            if not why:
                raise ValueError(f"{home / DIVERGED} is empty: delete it, and the training is tried again")
            return cls(step, False, True, why)
        is_trained = step >= training.steps
        return cls(step, is_trained, is_trained and _is_judged(training, home))

    def __str__(self) -> str:
        if self.diverged:
            return "diverged"
        if self.is_complete:
            return "complete"
        if self.is_trained:
            return "trained, not judged yet"
        return f"at step {self.step:,}" if self.step else "not begun"


def _is_judged(training: Training, home: Path) -> bool:
    if training.protocol is None:
        return True
    path = scores.evaluation_directory(home, training.protocol, training.steps, training.samples) / EVALUATION
    if training.study == QUESTION and not scores.flicker_file(home, training.steps).is_file():
        return False
    return path.is_file() and len(Evaluation.load(path).seeds) >= training.repeats


@dataclass(frozen=True)
class Counts:
    """How far a plan has got: trainings in all, complete ones, and ones given up because they diverged."""

    all: int
    complete: int
    diverged: int

    @classmethod
    def of(cls, trainings: Sequence[Training], directory: Path) -> "Counts":
        """Look them up in the directory of a reproduction."""
        progress = [Progress.of(training, directory) for training in trainings]
        diverged = sum(bool(state.diverged) for state in progress)
        return cls(len(progress), sum(state.is_complete for state in progress) - diverged, diverged)

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.complete + self.diverged == self.all

    def __str__(self) -> str:
        given_up = f", {self.diverged} given up, which diverged" if self.diverged else ""
        return f"{self.complete} of {self.all} trainings complete{given_up}"
