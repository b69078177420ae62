"""What a reproduction consists of: the trainings behind the rows of tables, each once, in the order of work."""

import math
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ldvd_lib import paper, zoo
from ldvd_lib._kit.checks import suggestion, whole_number
from ldvd_lib._kit.configuration import load_records, save_json
from ldvd_lib._kit.lock import locked
from ldvd_lib.gan import VideoGANConfig
from ldvd_lib.metrics import Protocol
from ldvd_lib.metrics.protocol import get as get_protocol
from ldvd_lib.paper import question
from ldvd_lib.paper.claims import MODELS as CLAIMED
from ldvd_lib.paper.claims import PROBE_EVERY
from ldvd_lib.paper.claims import STEPS as CLAIM_STEPS
from ldvd_lib.recipe import Recipe

CURVATURE, QUESTION = "curvature", "question"  # what is no table; their trainings are in directories of these names
RUNS = "runs"  # the directory of the tables' trainings
PLAN, LOCKS = "plan.json", ".locks"
TABLES = ("2", "3a", "5a", "5b", "6a", "6b", "8", "9", "tganv2")
TARGETS = {**{name: (name,) for name in TABLES}, "3": ("3a",), "5": ("5a", "5b"), "6": ("6a", "6b")}


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Attributes:
        targets: tables of the paper, ``"5a"`` for example (``"5"`` is 5a and 5b), or of TGANv2's (``"tganv2"``, what
            subsampling is worth); ``"curvature"``, or ``"question"`` (see `ldvd_lib.paper.question`).
        rows: names in the zoo, or of critics of the question; empty for all.
        preset: of the tables' models, ``"lite"`` or ``"paper"``; those of the claims and the question are always lite.
        seeds: of the trainings.
        steps: of a training; None for the recipe's number, for 150 in the claims, and for 500 in the question.
        changes: to every recipe but the claims': ``frame_stride``, ``precision``, ``compile`` and the like.
        short: what happens to clips that are too short for a window, ``"error"`` or ``"loop"``.
        protocol, samples, repeats: how generators are judged; None for the protocol's own numbers, and in the question
            for 512 samples, once.
        probe_every: steps between two measurements of the spectrum; None for no measurements, for 50 in the claims
            and in the question.
    """

    targets: tuple[str, ...]
    rows: tuple[str, ...] = ()
    preset: str = "lite"
    seeds: tuple[int, ...] = (0,)
    steps: int | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    short: str = "error"
    protocol: str = "actions"
    samples: int | None = None
    repeats: int | None = None
    probe_every: int | None = None

    def __post_init__(self) -> None:
        known = [*TARGETS, CURVATURE, QUESTION]
        if wrong := [target for target in self.targets if target not in known]:
            raise ValueError(
                f"{wrong[0]!r} cannot be reproduced: {suggestion(wrong[0], known)} "
                "(Table 7 is of the data alone: benchmarks/data_scores.py; Table 10 asks people)"
            )
        if not self.targets or not self.seeds:
            raise ValueError("at least one table and one seed must be asked for")
        for name in ("steps", "samples", "repeats", "probe_every"):
            if getattr(self, name) is not None:
                whole_number(name, getattr(self, name), least=1)
        targets = [name for target in self.targets for name in TARGETS.get(target, (target,))]
        object.__setattr__(self, "targets", tuple(dict.fromkeys(targets)))
        if self.probe_every and self.changes.get("compile") and not set(self.targets) <= {CURVATURE, QUESTION}:
            Recipe(compile=True).require_second_derivatives("--probe-every")
        rows = tuple(
            dict.fromkeys(row if row in question.CRITICS else zoo.config(row, self.preset).name for row in self.rows)
        )
        models = list(dict.fromkeys(model for target in self.targets for model in models_of(target)))
        if missing := [row for row in rows if row not in models]:
            raise ValueError(
                f"{' and '.join(self.targets)} have no row of {missing[0]!r}: {suggestion(missing[0], models)}"
            )
        object.__setattr__(self, "rows", rows)

    def wants(self, model: str) -> bool:
        """Whether a model is among the rows asked for."""
        return not self.rows or model in self.rows


def models_of(target: str) -> list[str]:
    """The models that a table, the claims or the question need, in the order of its rows."""
    if target in (CURVATURE, QUESTION):
        return list(CLAIMED if target == CURVATURE else question.CRITICS)
    return [row.model for row in paper.table(target).rows if row.model]


@dataclass(frozen=True)
class Training:
    """One training, and what is to be done with it.

    Attributes:
        study: the directory that contains it, ``"runs"``, ``"curvature"`` or ``"question"``.
        config: model and recipe.
        seed, steps: of the training.
        short: see `Order`.
        probe_every: steps between two probes of the spectrum; None for none.
        protocol: how its generator is judged; None if it is not.
        samples, repeats: in the judging.
    """

    study: str
    config: VideoGANConfig
    seed: int
    steps: int
    short: str
    probe_every: int | None
    protocol: Protocol | None = None
    samples: int = 0
    repeats: int = 0

    @property
    def directory(self) -> Path:
        """Where it is, relative to the directory of the reproduction."""
        return Path(self.study) / f"seed-{self.seed}" / self.config.name

    def __str__(self) -> str:
        return f"{self.config.name}, seed {self.seed}" + (f", {self.study}" if self.study != RUNS else "")


@dataclass(frozen=True)
class Plan:
    """Trainings in the order in which they are done: every model with the first seed, then every model with the next.

    Attributes:
        trainings: each once, even if several tables have it.
        left_out: table → label of a row → why it is not trained.
    """

    trainings: tuple[Training, ...]
    left_out: dict[str, dict[str, str]]


def make_plan(*orders: Order) -> Plan:
    """The plan of one order or more.

    Raises:
        ValueError: for a protocol, or a change of the recipe, that does not exist.
    """
    trainings: dict[tuple[int, str], Training] = {}
    left_out: dict[str, dict[str, str]] = {}
    for order in orders:
        same = _same_as(order)
        for target in order.targets:
            left_out[target] = dict(_left_out(target, same))
        for seed in order.seeds:
            for target in order.targets:
                for model in models_of(target):
                    if order.wants(model) and model not in same:
                        training = _training(order, target, model, seed)
                        trainings.setdefault((seed, str(training.directory)), training)
    # Stable: within a seed the order of the tables.
    return Plan(tuple(sorted(trainings.values(), key=lambda training: training.seed)), left_out)


def _training(order: Order, target: str, model: str, seed: int) -> Training:
    if target == CURVATURE:
        # The same frame rate for both data sets, and one with which clips of 25 frames are long enough.
        config = zoo.config(model, "lite").with_recipe(frame_stride=1, **CLAIMED[model])
        steps, every = order.steps or CLAIM_STEPS, order.probe_every or PROBE_EVERY
        return Training(CURVATURE, config, seed, steps, "loop", every)
    protocol = get_protocol(order.protocol)
    if target == QUESTION:
        if protocol.network == "i3d":
            raise ValueError(f"the question sets an FID and a KID against curvature, and {protocol.name} gives neither")
        # Its probes need second derivatives, which compiled networks do not have.
        config = question.configuration(model, **order.changes | {"compile": False})
        steps, every = order.steps or question.STEPS, order.probe_every or question.PROBE_EVERY
        samples, repeats = order.samples or question.SAMPLES, order.repeats or question.REPEATS
        return Training(QUESTION, config, seed, steps, order.short, every, protocol, samples, repeats)
    config = zoo.config(model, order.preset).with_recipe(**order.changes)
    steps = order.steps or config.recipe.iterations
    samples, repeats = order.samples or protocol.samples, order.repeats or protocol.repeats
    return Training(RUNS, config, seed, steps, order.short, order.probe_every, protocol, samples, repeats)


def _same_as(order: Order) -> dict[str, str]:
    """Model of a table → earlier model that it is equal to, with these changes to the recipe."""
    seen: list[VideoGANConfig] = []
    same = {}
    for target in order.targets:
        for model in models_of(target) if target in TABLES else []:
            config = zoo.config(model, order.preset).with_recipe(**order.changes)
            twin = next((c for c in seen if replace(c, name=config.name) == config and c.name != model), None)
            if twin is None:
                seen.append(config)
            else:
                same[model] = twin.name
    return same


def _left_out(target: str, same: dict[str, str]) -> list[tuple[str, str]]:
    if target not in TABLES:
        return []
    rows = paper.table(target).rows
    return [
        (row.heading, f"with these settings it is {same[row.model]}" if row.model else "no model of the zoo")
        for row in rows
        if not row.model or row.model in same
    ]


def remember(order: Order, directory: str | Path) -> list[Order]:
    """Write an order into the directory of a reproduction; returns all orders in it.

    For a table that was asked for before, the new order replaces the earlier one; other tables stay, so that one report
    covers all.
    """
    lock, busy = Path(directory) / LOCKS / "plan.lock", f"another process is writing {Path(directory) / PLAN}"
    with locked(lock, busy=busy, patience=math.inf):  # if two begin at the same time, both orders must be kept
        earlier = [
            replace(previous, targets=targets)
            for previous in recall(directory)
            if (targets := tuple(target for target in previous.targets if target not in order.targets))
        ]
        orders = [*earlier, order]
        save_json([asdict(order) for order in orders], Path(directory) / PLAN)
    return orders


def recall(directory: str | Path) -> list[Order]:
    """The orders that a directory holds; none if it is not one of a reproduction.

    Raises:
        ValueError: if the file is damaged, or has an order that cannot be carried out.
    """
    path = Path(directory) / PLAN
    if not path.is_file():
        return []
    orders = load_records(Order, path, called="order")
    try:
        make_plan(*orders)
    except ValueError as error:
        raise ValueError(f"{path} has an order that cannot be carried out: {error}") from error
    return orders
