"""The capstone of the course: a brief, and designs that are trained and scored by it (notebook 13).

    design = capstone.Design("mine", ("3d", "2+1d", "shift", "2d"))
    design.anatomy()                             # what it costs and what it sees
    capstone.BRIEF.violations(design.anatomy())  # the limits that it breaks, in words; nothing is trained for this
    entry, runs = capstone.score(design, store(32))  # trains it from several seeds, probes and judges it
    leaderboard.Board().add(entry)               # a table with the baselines, kept in leaderboard.json

The score is the Fréchet distance of the protocol ``actions``, from fewer samples: the lower, the better.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch

from ldvd_lib import anatomy, zoo
from ldvd_lib._kit.configuration import to_dict
from ldvd_lib.classroom.environment import budget, repeats, version, workspace
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.gan import DISCRIMINATORS, VideoGANConfig
from ldvd_lib.runs import Run
from ldvd_lib.training import SpectrumProbe, Trainer

# The options of a discriminator that the clips decide, and the values of a recipe that do not change what is seen.
FIXED = ("kinds", "image_size", "num_frames", "in_channels", "num_categories")
FREE = ("generator_rate", "discriminator_rate", "loss", "optimizer", "betas", "weight_decay", "svc_every", "average")


@dataclass(frozen=True)
class Brief:
    """What is asked for.

    Attributes:
        parameters: at most so many in the discriminator, at lite scale.
        multiply_adds: at most so many in a forward pass of one clip.
        curvature: the leading eigenvalue's magnitude, the median of a run's probes, is at most this.
        steps, seeds: how long, and from how many seeds, a design is trained.
        samples: generated clips that are judged; they are compared with twice as many real ones.
        probes: of the spectrum in a run, evenly spread.
    """

    parameters: int = 200_000
    multiply_adds: int = 21_000_000
    curvature: float = 40.0
    steps: int = 300
    seeds: int = 2
    samples: int = 512
    probes: int = 4

    def violations(self, measured: "anatomy.Anatomy | Entry") -> tuple[str, ...]:
        """The limits that an anatomy or an entry breaks, in words; empty if none."""
        return tuple(
            f"{label} {getattr(measured, name):,.{digits}f} over the limit of {getattr(self, name):,.{digits}f}"
            for name, label, digits in (
                ("parameters", "parameters", 0),
                ("multiply_adds", "multiply-adds", 0),
                ("curvature", "curvature", 1),
            )
            if getattr(measured, name, 0) > getattr(self, name)
        )


BRIEF = Brief()


@dataclass(frozen=True)
class Design:
    """A discriminator that a learner has thought up, and how it is to be trained.

    Attributes:
        name: what the board calls it.
        kinds: the kind of each layer.
        options: further arguments of `VideoDiscriminator`, on top of those of the zoo's lite TGAN.
        recipe: changes of the recipe; the zoo's rates for such a stack by default.

    Raises:
        ValueError: for an option or a value of the recipe that a learner cannot choose, or an impossible stack.
    """

    name: str
    kinds: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinds", tuple(self.kinds))
        if fixed := sorted(set(self.options) & set(FIXED)):
            raise ValueError(
                f"{fixed} cannot be among the options: the clips are given, and kinds is a field of its own"
            )
        if unknown := sorted(set(self.recipe) - set(FREE)):
            raise ValueError(
                f"{unknown} of the recipe cannot be changed here: all designs see the same data; free are {FREE}"
            )
        self.anatomy()

    def config(self) -> VideoGANConfig:
        """The lite TGAN with this discriminator in place of its own."""
        # Not under its own name: a design that is renamed is not trained again.
        return zoo.with_kinds(self.kinds, name="capstone", **self.options).with_recipe(**self.recipe)

    def anatomy(self) -> anatomy.Anatomy:
        """What it costs and what it sees."""
        with torch.device("meta"):
            network = self.config().discriminators["video"].build(DISCRIMINATORS)
        return anatomy.dissect(network, name=self.name)


@dataclass(frozen=True)
class Entry:
    """A design that has been trained and judged, with everything that its score depends on.

    Attributes:
        design: what was trained.
        parameters, multiply_adds, activation_bytes: of the discriminator, the latter two for one clip.
        frames: how many frames a place of the last map sees.
        seeds: of the runs.
        scores: one for each seed: the Fréchet distance, lower is better.
        curvatures: one for each seed: the leading eigenvalue's magnitude, the median of the run's probes.
        seconds: the median time of a training step on the machine that it ran on; 0 for the baselines.
        steps, samples, protocol, real: how it was trained and judged.
        budget: "full", "short" or "quick".
        version: of the course.
        date: when, ISO 8601; empty for the baselines.
    """

    design: Design
    parameters: int
    multiply_adds: int
    activation_bytes: int
    frames: int
    seeds: tuple[int, ...]
    scores: tuple[float, ...]
    curvatures: tuple[float, ...]
    seconds: float
    steps: int
    samples: int
    protocol: str
    real: str
    budget: str
    version: str = ""
    date: str = ""

    @property
    def score(self) -> float:
        """Mean over the seeds."""
        return float(np.mean(self.scores))

    @property
    def curvature(self) -> float:
        """Mean over the seeds."""
        return float(np.mean(self.curvatures))

    @property
    def key(self) -> str:
        """The same for the same design trained and judged for as long, whatever its name."""
        return json.dumps([_digest(self.design.config()), self.steps, self.samples, self.budget])


def score(
    design: Design,
    clips: ClipStore,
    *,
    steps: int = BRIEF.steps,
    seeds: Sequence[int] = range(BRIEF.seeds),
    samples: int = BRIEF.samples,
    progress: bool = True,
) -> tuple[Entry, list[Run]]:
    """Train a design and judge what its generator makes.

    Runs stay in ``runs/capstone``, and those that are already there are not trained again. Under the quick budget
    the spectrum is probed once.

    Args:
        design: what to train.
        clips: the training clips, of 32 px.
        steps, seeds, samples: instead of the brief's; a board compares only entries of the brief's steps and samples.
        progress: show progress bars.

    Returns:
        The entry, and the runs that it sums up.
    """
    # Imported here, since metrics take a while to import.
    from ldvd_lib.metrics import open_judge
    from ldvd_lib.runs import scores
    from ldvd_lib.runs.sources import describe_store

    config, costs = design.config(), design.anatomy()
    judge, home = open_judge("actions"), workspace() / "runs" / "capstone"
    features = home / f"real-{hashlib.sha256(describe_store(clips).encode()).hexdigest()[:8]}-{2 * samples}"
    real = scores.real_features(judge, clips, samples=2 * samples, seed=100, directory=features, progress=False)
    runs, evaluations = [], []
    for seed in seeds:
        directory = home / f"{_digest(config)}-{steps}-seed-{seed}"
        gan = config.build(seed=seed)
        probe = SpectrumProbe(every=max(1, steps // repeats(BRIEF.probes)), k=4)
        trainer = Trainer(
            gan,
            WindowSampler.for_gan(gan, clips, seed=seed),
            directory,
            seed=seed,
            resume=True,
            callbacks=[probe],
            progress=progress,
        )
        run = trainer.run(steps)
        if trainer.interrupted:
            raise RuntimeError(
                f"stopped at step {trainer.step} of {steps}; run the cell again, and it goes on from there"
            )
        evaluation, _ = scores.judge_run(run, judge, real, samples=samples, repeats=1, progress=False)
        runs.append(run)
        evaluations.append(evaluation)
    spectra = [run.spectrum()["video"]["eigenvalues"] for run in runs]
    entry = Entry(
        design=design,
        parameters=costs.parameters,
        multiply_adds=costs.multiply_adds,
        activation_bytes=costs.activation_bytes,
        frames=frames_seen(costs),
        seeds=tuple(seeds),
        scores=tuple(round(evaluation.values["fid"][0], 2) for evaluation in evaluations),
        curvatures=tuple(round(float(np.median(np.abs(spectrum).max(axis=1))), 2) for spectrum in spectra),
        seconds=round(float(np.median([run.seconds_of_a_step() for run in runs])), 4),
        steps=steps,
        samples=samples,
        protocol=judge.protocol.identity,
        real=evaluations[0].real,
        budget=budget(),
        version=version("ldvd-course"),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return entry, runs


def frames_seen(costs: anatomy.Anatomy) -> int:
    """How many frames a place of a discriminator's last map sees."""
    field = costs.receptive_field
    return 0 if field is None else field[0]


def _digest(config: VideoGANConfig) -> str:
    return hashlib.sha256(json.dumps(to_dict(config), sort_keys=True).encode()).hexdigest()[:12]
