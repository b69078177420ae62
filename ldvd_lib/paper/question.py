"""The question behind the paper, put to the data: does a calmer critic teach a better generator?

The paper shows that discriminators with kernels of fewer dimensions have a calmer loss surface, and that they score
better; that the one is the reason for the other it infers. Here critics that differ in what they see, and in what keeps
them Lipschitz, teach one and the same generator with one and the same loss, optimiser and number of steps. Each run
gives a `Point`: how curved its critics' loss was while it was trained, and how good its generator became.

Source of the idea: LDVD paper, section 3 and the conclusion; none of the numbers is the paper's.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ldvd_lib import zoo
from ldvd_lib._kit.checks import is_finite, one_of
from ldvd_lib._kit.configuration import load_records
from ldvd_lib.gan import NetworkConfig, VideoGANConfig
from ldvd_lib.metrics import Evaluation
from ldvd_lib.runs import Run, collapsed
from ldvd_lib.runs.scores import read_flicker
from ldvd_lib.zoo.scale import ALL_3D, IMAGE, factorized, shifted

STEPS, PROBE_EVERY = 500, 50
SAMPLES, REPEATS = 512, 1  # in judging; another training differs by more than other samples do

# One recipe for all: TGAN's at lite scale, with a loss that needs no constraint, and rates by which all critics learn.
RECIPE: dict[str, Any] = {"loss": "non-saturating", "generator_rate": 1e-3, "discriminator_rate": 5e-3}
_MOCOGAN = {"time": (4, 1, 0), "head": "patch"}
# Kind → discriminators: name → what differs from TGAN's.
KINDS: dict[str, dict[str, dict[str, Any]]] = {
    "3d": {"video": {"kinds": ALL_3D}},
    "c0": {"video": {"kinds": factorized(1)}},
    "c0-c1": {"video": {"kinds": factorized(2)}},
    "c0-c2": {"video": {"kinds": factorized(3)}},
    "shift": {"video": {"kinds": shifted(3)}},
    "frames": {"video": {"kinds": IMAGE, "aggregation": "per-frame"}},
    "mocogan": {
        "image": {"kinds": IMAGE, "num_frames": 1, "head": "patch"},
        "video": {"kinds": ALL_3D, **_MOCOGAN},
    },
}
KINDS_IN_WORDS = {
    "3d": "3D",
    "c0": "factorized c0",
    "c0-c1": "factorized c0-c1",
    "c0-c2": "factorized c0-c2",
    "shift": "shift",
    "frames": "frame by frame",
    "mocogan": "MoCoGAN's two",
}
BLIND = ("frames",)  # kinds that see no two frames together
# Constraint → what differs in the options of a network, and in the recipe.
CONSTRAINTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "free": ({}, {"svc_every": 0}),
    "svc": ({}, {"svc_every": 1}),
    "sn": ({"spectral": True}, {"svc_every": 0}),
}
NORMALIZED = ("3d", "c0-c1", "mocogan")  # the kinds that are trained with spectral normalisation, too
CRITICS = {
    f"{kind}-{constraint}": (kind, constraint)
    for kind in KINDS
    for constraint in CONSTRAINTS
    if constraint != "sn" or kind in NORMALIZED
}


def configuration(critic: str, **changes: Any) -> VideoGANConfig:
    """TGAN's generator at lite scale, with a critic of the question.

    Args:
        critic: a key of `CRITICS`, ``"c0-c1-svc"`` for example: a kind and a constraint.
        changes: to the recipe.

    Raises:
        ValueError: for an unknown critic.
    """
    kind, constraint = CRITICS[one_of("critic", critic, CRITICS)]
    of_network, of_recipe = CONSTRAINTS[constraint]
    tgan = zoo.config("tgan", "lite")
    own = tgan.discriminators["video"]
    networks = {
        name: NetworkConfig(own.kind, own.options | options | of_network) for name, options in KINDS[kind].items()
    }
    recipe = RECIPE | of_recipe | changes
    return replace(tgan, name=critic, discriminators=networks).with_recipe(**recipe)


@dataclass(frozen=True)
class Point:
    """One training: how curved its critics' loss was, and how good its generator became.

    With two critics, whose losses share no weight, the eigenvalues are those of both together.

    Attributes:
        critic: a key of `CRITICS`; ``seed``, ``steps``, ``precision``: of the training.
        fid, kid: of the trained generator; lower is better.
        flicker: of its clips, divided by that of real ones; see `ldvd_lib.metrics.flicker`.
        leading: the largest |λ| of a probe, the median over the probes.
        plus: λ⁺, the largest eigenvalue of any probe.
        step_leading, step_plus: the same of the curvature that the optimiser's step meets. Along an eigenvector with a
            value above 2 a step lands higher than it was, unless what follows it undoes that, as clipping singular
            values may. See `ldvd_lib.hessian.ScaledOperator`.
        steepness: what is seen of the Lipschitz constant, the median over the probes; above 1, the critic is no longer
            1-Lipschitz. See `ldvd_lib.hessian.DiscriminatorObjective.steepness`.
        converged: whether all eigenvalues have converged.
        collapsed: whether a critic did no better than chance at the end, see `ldvd_lib.runs.collapse`.
    """

    critic: str
    seed: int
    steps: int
    precision: str
    fid: float
    kid: float
    flicker: float
    leading: float
    plus: float
    step_leading: float
    step_plus: float
    steepness: float
    converged: bool
    collapsed: bool

    def __post_init__(self) -> None:
        one_of("critic", self.critic, CRITICS)
        for name in (*CURVATURES, "fid", "kid", "flicker"):
            if not is_finite(getattr(self, name)):
                raise ValueError(
                    f"{name} of {self.critic}, seed {self.seed}, is {getattr(self, name)}: it must be finite"
                )
        for name in ("leading", "step_leading", "fid"):  # of which ratios are taken
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} of {self.critic}, seed {self.seed}, is {getattr(self, name)}: not above 0")

    @property
    def kind(self) -> str:
        """A key of `KINDS`."""
        return CRITICS[self.critic][0]

    @property
    def constraint(self) -> str:
        """A key of `CONSTRAINTS`."""
        return CRITICS[self.critic][1]

    @property
    def flicker_off(self) -> float:
        """The factor by which the flicker is more or less than that of real clips; 1 is best."""
        return max(self.flicker, 1 / self.flicker) if self.flicker > 0 else float("inf")


CURVATURES = {
    "leading": "leading |λ|",
    "plus": "λ⁺",
    "step_leading": "leading |λ|, as the step meets it",
    "step_plus": "λ⁺, as the step meets it",
    "steepness": "steepness",
}
QUALITIES = {"fid": "FID", "kid": "KID", "flicker_off": "flicker, off by a factor"}


def point_of(run: Run, evaluation: Evaluation, steps: int) -> Point:
    """A training of the question, from its run directory.

    Args:
        run: trained and probed.
        evaluation: of its generator, with FID and KID.
        steps: after how many steps it was judged, and its flicker measured.

    Raises:
        FileNotFoundError: if its flicker was not measured.
        ValueError: if the run has no probes of the kind that the question asks for, or if one of its files is damaged.
    """
    spectra = list(run.spectrum().values())
    if not spectra or any("step_largest" not in spectrum for spectrum in spectra):
        raise ValueError(
            f"{run.directory} lacks probes that measure the curvature of steps: `ldvd reproduce question` makes them"
        )

    def highest(key: str) -> np.ndarray:
        return np.max([spectrum[key] for spectrum in spectra], axis=0)

    def magnitude(prefix: str) -> float:
        ends = np.maximum(highest(f"{prefix}largest"), -np.min([s[f"{prefix}smallest"] for s in spectra], axis=0))
        return float(np.median(ends))

    return Point(
        critic=run.config.model.name,
        seed=run.config.seed,
        steps=steps,
        precision=run.config.model.recipe.precision,
        fid=float(np.mean(evaluation.values["fid"])),
        kid=float(np.mean(evaluation.values["kid"])),
        flicker=read_flicker(run.directory, steps).ratio,
        leading=magnitude(""),
        plus=float(highest("largest").max()),
        step_leading=magnitude("step_"),
        step_plus=float(highest("step_largest").max()),
        steepness=float(np.median(highest("steepness"))),
        converged=all(spectrum[key].all() for spectrum in spectra for key in ("converged", "step_converged")),
        collapsed=bool(collapsed(run)),
    )


def read_points(path: str | Path) -> list[Point]:
    """The points of a report's ``question.json``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no list of points; the message says which field of which is wrong.
    """
    return load_records(Point, path, called="point")
