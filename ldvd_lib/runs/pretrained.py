"""Models that we trained, with what their training logged: found, verified, loaded.

    pretrained.list_models()           what there is
    pretrained.load("tgan-f")          a generator, to draw samples from
    pretrained.open_run("tgan-f")      its training: losses, eigenvalues, scores
    pretrained.load_gan("tgan-f")      with its discriminators, to measure curvature
    pretrained.reproduction()          our results beside the paper's: the files of a report

Each model is a run directory in ``pretrained/``, with the weights of one step and histories thinned, so that every
tool for runs takes it: `ldvd_lib.figures`, `SpectrumExplorer`, `TableExplorer`, ``ldvd sample``, ``ldvd evaluate``.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ldvd_lib import zoo
from ldvd_lib._kit.checks import suggestion
from ldvd_lib._kit.configuration import from_dict
from ldvd_lib._kit.shelf import INDEX, directory, entries, entry, verified, weights_file
from ldvd_lib._kit.tables import InColumns
from ldvd_lib.gan import VideoGAN
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.runs.checkpoint import list_checkpoints
from ldvd_lib.runs.run import Run

__all__ = ["directory", "list_models", "load", "load_gan", "open_run", "reproduction"]

logger = logging.getLogger(__name__)

REPRODUCTION = "reproduction"  # the directory of the reports
FIRST_CHOICE = {"data": "actions", "preset": "lite"}  # if nothing else is asked for


def load(name: str, *, data: str | None = None, preset: str | None = None) -> VideoGenerator:
    """The generator of a trained model, on the CPU, in evaluation mode, in float32.

    Args:
        name: of the zoo (``"tgan-f"``), or one that `list_models` shows (``"tgan-f-actions-32"``).
        data: what it was trained on, ``"actions"``, ``"weizmann"`` or ``"ucf101"``; by default actions if there is one.
        preset: ``"lite"`` or ``"paper"``; by default lite, if there is one.

    Returns:
        The generator that samples are drawn from: the average over the last steps if the recipe keeps one. If the model
        was trained only on other data or with another preset, you get that one, and a warning says so.

    Raises:
        FileNotFoundError: if ``pretrained/`` or the file is missing.
        ValueError: if the name is unknown or was not trained, or if the file's hash is not the index's.
    """
    return open_run(name, data=data, preset=preset).generator()


def load_gan(name: str, *, data: str | None = None, preset: str | None = None) -> VideoGAN:
    """Generator and discriminators of a trained model as they were after its last step, on the CPU.

    Args and errors are those of `load`; a `ValueError` is also raised if this model was kept without its
    discriminators. Of several trainings that suit, you get one that has them.
    """
    model = _find(name, networks="discriminators", data=data, preset=preset)
    models = _models()
    if "discriminators" not in models[model].networks:
        complete = [other for other, record in models.items() if "discriminators" in record.networks]
        raise ValueError(f"{model} was kept without its discriminators; with them there are {complete}")
    return open_run(model).gan()


def open_run(name: str, *, data: str | None = None, preset: str | None = None) -> Run:
    """The training of a model, its weights verified: `Run.metrics`, `Run.spectrum`, evaluations, `Run.generator`.

    Args and errors are those of `load`.
    """
    model = _find(name, data=data, preset=preset)
    checkpoint = verified(model).parent
    run = Run.open(directory() / model)
    if checkpoint not in list_checkpoints(run.directory):
        raise ValueError(f"{directory() / INDEX}: the file of {model!r} is not in a checkpoint of {run.directory}")
    return Run(run.directory, run.config, [checkpoint])  # and no other, whatever else lies beside it


def reproduction(data: str = "actions") -> Path:
    """The directory of our ``ldvd reproduce`` report on a data set, to be read and set beside your own.

    In it are ``claims.json``, for `ldvd_lib.paper.read_findings`, and, where tables were trained, ``report.json``,
    for `TableExplorer` and `ldvd_lib.runs.read_results`; ``longer.json`` has the scores of some longer trainings, all
    with the same recipe, in the same format. The repository also has ``report.md`` and its figures.

    Args:
        data: the training data, ``"actions"`` or ``"ucf101"``; or ``"question"`` for the trainings that
            `ldvd_lib.paper.question` is about, with ``question.json`` for `ldvd_lib.paper.read_points`; or
            ``"tganv2"`` for its ablation, at equal steps (``report.json``) and at equal time (``equal-time.json``),
            with histories under R1 and under singular value clipping, run directories without weights, in ``r1-svc``;
            or ``"held-out"`` for what judges say of real clips that no generator has seen, to be read with
            `ldvd_lib.metrics.Evaluation.load`; or ``"systems"`` for what training steps of the systems took
            (``steps.json`` of ``benchmarks/systems.py``).

    Raises:
        FileNotFoundError: if there is no report on that data.
    """
    reports = directory() / REPRODUCTION
    path = reports / data
    if not path.is_dir():
        names = sorted(report.name for report in reports.glob("*"))
        raise FileNotFoundError(
            f"there is no {path}: reports of ours are on {names}; `ldvd reproduce` makes one of your own, on any data"
        )
    return path


@dataclass(frozen=True)
class _Scores:
    """What is used of an evaluation in an entry."""

    protocol: str
    values: dict[str, tuple[float, ...]]

    def __post_init__(self) -> None:
        if not all(self.values.values()):
            raise ValueError("a metric has no value")

    def __str__(self) -> str:
        """The first two, those that papers report."""
        first = tuple(self.values.items())[:2]
        return f"{', '.join(f'{name} {sum(some) / len(some):.4g}' for name, some in first)} ({self.protocol})"


@dataclass(frozen=True)
class _Model:
    """What is used of the entry of a trained GAN."""

    file: str
    model: str
    preset: str
    data: str
    clips: str
    steps: int
    networks: tuple[str, ...]
    metrics: tuple[dict[str, Any], ...]  # evaluations

    @classmethod
    def of(cls, record: dict[str, Any], where: str) -> "_Model":
        return from_dict(cls, {key: value for key, value in record.items() if key in cls.__annotations__}, where=where)

    def scores(self, where: str) -> str:
        """In words."""
        scores = []
        for evaluation in self.metrics:
            known = {key: evaluation[key] for key in _Scores.__annotations__ if key in evaluation}
            scores.append(str(from_dict(_Scores, known, where=f"{where}, metrics")))
        return "; ".join(scores) or "not evaluated"


def _models() -> dict[str, _Model]:
    """The entries that are trained GANs, and not the judge's."""
    return {name: _Model.of(record, _where(name)) for name, record in entries().items() if record.get("kind") == "gan"}


def _where(name: str) -> str:
    return f"{directory() / INDEX}, {name}"


def _find(name: str, *, networks: str = "generator", **wanted: str | None) -> str:
    """The name of the entry that suits a name and wishes best; of several, one that has the networks."""
    models = _models()
    model = zoo.ALIASES.get(name, name)
    same = [other for other, record in models.items() if record.model == model]
    candidates = [name] if name in models else same
    if not candidates:
        raise ValueError(_nothing_to_load(name, models))

    def nearness(candidate: str) -> tuple[int, ...]:
        record = models[candidate]
        wishes = [getattr(record, key) == (value or FIRST_CHOICE[key]) for key, value in wanted.items()]
        return *wishes, networks in record.networks, record.steps  # of those that suit, the one trained longest

    best = max(candidates, key=nearness)
    record = models[best]
    missed = {key: value for key, value in wanted.items() if value and getattr(record, key) != value}
    if missed:
        logger.warning(
            "we have no %s with %s: this is %s, with %s. To train the other: %s",
            name,
            _in_words(missed),
            best,
            _in_words({key: getattr(record, key) for key in missed}),
            _command(record.model, wanted["preset"] or record.preset),
        )
    return best


def _in_words(wishes: dict[str, str]) -> str:
    return " and ".join(f"{key}={value!r}" for key, value in wishes.items())


def _command(model: str, preset: str) -> str:
    return f"ldvd train {model} --preset {preset} --data DIRECTORY"


def _nothing_to_load(name: str, models: dict[str, _Model]) -> str:
    choice = f"there are {sorted(models)}" if models else f"{directory() / INDEX} lists none"
    if name in zoo.ENTRIES:
        return f"{name!r} was not trained for the course: {choice}; train it with `{_command(name, 'lite')}`"
    if name in entries():
        return f"{name!r} is no video GAN but a {entry(name).get('kind')}: {choice}"
    return f"no model is called {name!r} ({choice}): {suggestion(name, [*models, *zoo.ENTRIES])}"


@dataclass(frozen=True)
class Row:
    """A line of the table of `list_models`."""

    name: str
    model: str
    preset: str
    data: str
    steps: int
    networks: str
    megabytes: float
    scores: str


class Table(InColumns, tuple[Row, ...]):
    """The rows of `list_models`; prints as text, shows as HTML in a notebook."""

    HEADINGS = ("name", "model", "preset", "data", "steps", "networks", "MB", "scores")
    FIGURES = (4, 6)

    def cells(self) -> tuple[tuple[str, ...], ...]:
        """A line of text for each model, under `HEADINGS`."""
        return tuple(
            (r.name, r.model, r.preset, r.data, f"{r.steps:,}", r.networks, f"{r.megabytes:.1f}", r.scores)
            for r in self
        )


def list_models() -> Table:
    """The models that `load` can load, the longest trainings first: what they are, on what data, and their scores.

    Raises:
        FileNotFoundError: if ``pretrained/`` is missing.
    """
    return Table(
        Row(
            name,
            record.model,
            record.preset,
            f"{record.data}: {record.clips}",
            record.steps,
            " and ".join(record.networks),
            weights_file(name).stat().st_size / 1e6,
            record.scores(_where(name)),
        )
        for name, record in sorted(_models().items(), key=lambda item: -item[1].steps)
    )
