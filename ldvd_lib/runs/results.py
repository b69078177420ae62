"""What we measured, as records to be set beside the paper's: read from run directories and from report files.

A report is a JSON list of records, one for each training, with the fields of `Result`:

    [{"model": "tgan-f", "preset": "lite", "seed": 0, "steps": 1200, "data": "216 clips (train), 32 px",
      "protocol": "actions-v1", "weights": "5f0c…", "samples": 1024, "real": "1,024 windows of …",
      "values": {"is": [5.31, 5.28, 5.35], "fid": [40.1, 39.8, 40.6]},
      "changes": {"generator_rate": 0.0005}, "hardware": "2 CPU cores", "seconds": 254.0}]

``changes``, ``hardware``, ``seconds`` and ``collapsed`` can be left out.
"""

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ldvd_lib import zoo
from ldvd_lib._kit.configuration import load_records, save_json
from ldvd_lib.runs.collapse import collapsed
from ldvd_lib.runs.files import EVALUATION
from ldvd_lib.runs.run import Run

PAPER_PROTOCOL, PAPER_SAMPLES, PAPER_STEPS, PAPER_CLIPS = "ldvd-2019", 10_000, 100_000, "9,537 clips"


@dataclass(frozen=True)
class Condition:
    """What two trainings must have in common for their models to be compared; recipes may differ.

    Attributes:
        preset: of the networks, ``"lite"`` or ``"paper"``.
        steps: of training.
        data: the training data, in words.
        protocol: judge, with its version; ``weights``: SHA-256 of its network.
        samples: generated videos in a repetition.
        real: the real clips that distances are measured from, in words.
    """

    preset: str
    steps: int
    data: str
    protocol: str
    weights: str
    samples: int
    real: str

    def __str__(self) -> str:
        return f"{self.preset}, {self.steps:,} steps; {self.protocol}, {self.samples:,} videos; {self.data}"

    def unlike_the_paper(self) -> list[str]:
        """Why scores are not on the paper's scale; empty if no reason is known."""
        reasons = []
        if self.protocol.rpartition("-v")[0] != PAPER_PROTOCOL:
            reasons.append(f"another judge ({self.protocol})")
        elif self.samples != PAPER_SAMPLES:
            reasons.append(f"{self.samples:,} videos instead of {PAPER_SAMPLES:,}")
        if self.preset != "paper":
            reasons.append(f"smaller networks and pictures ({self.preset})")
        if self.steps != PAPER_STEPS:
            reasons.append(f"{self.steps:,} steps instead of {PAPER_STEPS:,}")
        if PAPER_CLIPS not in self.data:
            reasons.append(f"other data ({self.data})")
        return reasons


@dataclass(frozen=True)
class Result:
    """The scores of one training.

    Attributes:
        model: its name in the zoo, or any other name for a model of your own.
        preset, steps, data, protocol, weights, samples, real: see `Condition`.
        seed: of the training.
        values: metric (``"is"``, ``"fid"`` …) → one value for each repetition with other samples.
        changes: settings of the recipe that differ from the zoo's.
        hardware: what it was trained on, in words; empty if not known.
        seconds: that the training took; None if not known.
        collapsed: whether a critic did no better than chance at the end, see `ldvd_lib.runs.collapse`.
    """

    model: str
    preset: str
    seed: int
    steps: int
    data: str
    protocol: str
    weights: str
    samples: int
    real: str
    values: dict[str, tuple[float, ...]]
    changes: dict[str, Any] = field(default_factory=dict)
    hardware: str = ""
    seconds: float | None = None
    collapsed: bool = False

    def __post_init__(self) -> None:
        for metric, values in self.values.items():
            are_numbers = isinstance(values, tuple) and all(isinstance(value, int | float) for value in values)
            if not values or not are_numbers or not all(map(math.isfinite, values)):
                raise ValueError(
                    f"{self.model}, seed {self.seed}: the values of {metric!r} must be finite numbers, one for each "
                    f"repetition, got {values!r}"
                )

    @property
    def condition(self) -> Condition:
        """What it has in common with the results that it can be compared with."""
        return Condition(**{part.name: getattr(self, part.name) for part in fields(Condition)})

    @property
    def changes_in_words(self) -> str:
        """Settings of the recipe that differ from the zoo's, in words; empty if none does."""
        return ", ".join(f"{name}={value}" for name, value in sorted(self.changes.items()))


@dataclass(frozen=True)
class Measured:
    """A figure that we measured: of one training, or of several with different seeds.

    Attributes:
        mean: of all trainings.
        deviation: between trainings if there are several, otherwise between the repetitions of the only one; None of a
            single value.
        trainings, repetitions: how many.
        of_samples: the deviation between the repetitions of one training, in quadratic mean over the trainings: the
            kind that the paper prints; None if there is one repetition.
    """

    mean: float
    deviation: float | None
    trainings: int
    repetitions: int
    of_samples: float | None = None

    @property
    def about(self) -> str:
        """What the deviation is between, in words."""
        if self.trainings > 1:
            return f"± between {self.trainings} trainings"
        if self.repetitions > 1:
            return f"± between {self.repetitions} repetitions of one training, another may differ by more"
        return "a single value, whose uncertainty is not known"

    def __str__(self) -> str:
        if self.deviation is None:
            return f"{self.mean:.4g}"
        # Two digits of the deviation, and the figure to the same place.
        digits = 1 - math.floor(math.log10(self.deviation)) if self.deviation > 0 else 2
        digits = min(max(digits, 0), 4)
        return f"{self.mean:,.{digits}f} ± {self.deviation:,.{digits}f}"


def by_condition(results: Iterable[Result]) -> dict[Condition, dict[str, list[Result]]]:
    """Results that can be compared: condition → model → its trainings, one for each seed.

    A model that was trained with several recipes under one condition has its own name once, for the zoo's recipe if it
    is among them; the others are named after what was changed. Of two results of one training the later counts.
    """
    grouped: dict[Condition, dict[str, dict[str, dict[int, Result]]]] = {}
    for result in results:
        recipes = grouped.setdefault(result.condition, {}).setdefault(result.model, {})
        recipes.setdefault(result.changes_in_words, {})[result.seed] = result
    named: dict[Condition, dict[str, list[Result]]] = {}
    for condition, models in grouped.items():
        named[condition] = {}
        for model, recipes in models.items():
            main = "" if "" in recipes else next(iter(recipes))
            for changes, trainings in recipes.items():
                name = model if changes == main else f"{model}, {changes or 'as in the zoo'}"
                named[condition][name] = list(trainings.values())
    return named


def measured(results: Iterable[Result]) -> dict[str, Measured]:
    """Metric → figure, of the trainings of one model."""
    results = tuple(results)
    figures = {}
    for metric in results[0].values:
        trainings = [result.values[metric] for result in results if metric in result.values]
        means = [statistics.fmean(repetitions) for repetitions in trainings]
        scattered = means if len(means) > 1 else trainings[0]
        deviation = statistics.stdev(scattered) if len(scattered) > 1 else None
        variances = [statistics.variance(repetitions) for repetitions in trainings if len(repetitions) > 1]
        of_samples = math.sqrt(statistics.fmean(variances)) if variances else None
        figures[metric] = Measured(statistics.fmean(means), deviation, len(means), len(trainings[0]), of_samples)
    return figures


def collapsed_models(trainings: Mapping[str, Iterable[Result]]) -> tuple[str, ...]:
    """The models of which a training collapsed: what they score is compared with nothing."""
    return tuple(model for model, results in trainings.items() if any(result.collapsed for result in results))


def results_of_run(run: Run | str | Path) -> list[Result]:
    """The results that `ldvd evaluate` left in a run directory, one for each protocol and step; perhaps none.

    Raises:
        FileNotFoundError: if it is no run directory.
        ValueError: if a file of it is damaged.
    """
    # Imported here: all of training imports this module, and importing the metrics takes a while.
    from ldvd_lib.metrics import Evaluation

    run = run if isinstance(run, Run) else Run.open(run)
    model = run.config.model
    is_of_zoo, changes = zoo.compare(model)
    name = model.name if is_of_zoo or model.name not in zoo.ENTRIES else f"{model.name} (changed)"
    results = []
    for path in sorted(run.directory.glob(f"evaluations/*-step-*/{EVALUATION}")):
        steps = path.parent.name.rpartition("-step-")[2]
        if not steps.isdecimal():
            continue
        evaluation = Evaluation.load(path)
        results.append(
            Result(
                model=name,
                preset=model.preset,
                seed=run.config.seed,
                steps=int(steps),
                data=trained_on(run),
                protocol=evaluation.protocol,
                weights=evaluation.weights,
                samples=evaluation.samples,
                real=evaluation.real,
                values=evaluation.values,
                changes=changes,
                seconds=_seconds(run, int(steps)),
                collapsed=bool(collapsed(run, until=int(steps))),
            )
        )
    return sorted(results, key=lambda result: result.steps)


def trained_on(run: Run) -> str:
    """What a run was trained on, in words."""
    data = run.config.data
    if "clips" not in data:
        return "unknown data"
    subset, size = (data.get(key, "unknown") for key in ("subset", "image_size"))  # of clips that were made in memory
    return f"{data['clips']:,} clips ({subset}), {size} px"


def _seconds(run: Run, steps: int) -> float | None:
    """How long the training had taken by that step; None if not known."""
    metrics = run.metrics()
    if not metrics:
        return None
    until = metrics["seconds"][metrics["step"] <= steps]
    return float(until[-1]) if len(until) else None


def read_results(path: str | Path) -> list[Result]:
    """The records of a report file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no list of records; the message says which field of which is wrong.
    """
    return load_records(Result, path, called="result")


def write_results(results: Iterable[Result], path: str | Path) -> Path:
    """Write a report file that `read_results` reads; returns its path."""
    return save_json([asdict(result) for result in results], path)
