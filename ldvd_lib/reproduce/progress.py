"""How far a training is: read from its directory each time, so that nothing else has to be kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ldvd_lib import scores
from ldvd_lib.metrics import Evaluation
from ldvd_lib.paper.results import EVALUATION
from ldvd_lib.reproduce.plan import Training
from ldvd_lib.training import Run
from ldvd_lib.training.run import CONFIG

DIVERGED = "diverged.txt"  # in the directory of a run that was given up: why


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        step: of its newest checkpoint; 0 without one.
        is_trained: whether it has done its steps.
        is_complete: whether it has, and was judged if it is to be; or was given up.
        diverged: why it was given up; empty if it was not.
    """

    step: int
    is_trained: bool
    is_complete: bool
    diverged: str = ""

    @classmethod
    def of(cls, training: Training, directory: Path) -> "Progress":
        """Look it up in the directory of a reproduction."""
        home = directory / training.directory
        run = Run.open(home) if (home / CONFIG).is_file() else None
        step = run.newest_step if run and run.checkpoints else 0
        if (home / DIVERGED).is_file():
            return cls(step, False, True, (home / DIVERGED).read_text().strip())
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
    there = scores.evaluation_directory(home, training.protocol, training.steps, training.samples) / EVALUATION
    return there.is_file() and len(Evaluation.load(there).seeds) >= training.repeats


@dataclass(frozen=True)
class Counts:
    """How far a plan is: trainings in all, of them complete, and of them given up since they diverged."""

    all: int
    complete: int
    diverged: int

    @classmethod
    def of(cls, trainings: Sequence[Training], directory: Path) -> "Counts":
        """Look them up in the directory of a reproduction."""
        found = [Progress.of(training, directory) for training in trainings]
        diverged = sum(bool(each.diverged) for each in found)
        return cls(len(found), sum(each.is_complete for each in found) - diverged, diverged)

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.complete + self.diverged == self.all

    def __str__(self) -> str:
        given_up = f", {self.diverged} given up, which diverged" if self.diverged else ""
        return f"{self.complete} of {self.all} trainings complete{given_up}"
