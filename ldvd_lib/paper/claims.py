"""The paper's five claims about curvature, as ratios of what probes measured while two discriminators were trained.

Source: LDVD paper, Figures 3, 4, 5 and 7; MODELS §6. The paper trains for 100,000 steps at 64 px; what holds at lite
scale need not hold there, nor vice versa.
"""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ldvd_lib._kit.configuration import load_records
from ldvd_lib._kit.tables import InColumns
from ldvd_lib.runs import Run, collapsed

STEPS, PROBE_EVERY, PROBE_BATCH = 150, 50, 8
TINY = 1e-12  # replaces a divisor of 0
SILENT = 1e-6  # a critic whose eigenvalues are all smaller gives the same score to everything

# Model → what differs from its lite recipe. TGAN and TGAN-F are compared while both learn, with the same recipe; with
# the rates that suit only TGAN, TGAN-F's critic becomes constant, and a constant has no curvature.
BOTH_LEARN = {"generator_rate": 5e-4, "discriminator_rate": 1e-2}
MODELS: dict[str, dict[str, Any]] = {
    "tgan": BOTH_LEARN,
    "tgan-f": BOTH_LEARN,
    "tgan-normal": {},
    "mocogan": {},
    "mocogan-2x": {},
    "mocogan-image-k8": {},
    "mocogan-video-k2": {},
}


@dataclass(frozen=True)
class Curvature:
    """The spectrum of one discriminator over one run.

    Attributes:
        plus, minus: λ⁺ and λ⁻, the largest and the smallest eigenvalue of any probe.
        median: of the magnitudes of the leading eigenvalues of all probes; a single outlier does not decide it.
        growth: leading magnitude of the last probe, divided by that of the first.
        converged: whether every value has converged.
        at_chance_from: the logged step from which on the critic did no better than chance (see
            `ldvd_lib.runs.collapse`); None if it did.
    """

    plus: float
    minus: float
    median: float
    growth: float
    converged: bool
    at_chance_from: int | None = None

    @property
    def extreme(self) -> float:
        """The larger of the two ends, as a magnitude."""
        return max(self.plus, -self.minus)

    @property
    def asymmetry(self) -> float:
        """The larger end divided by the smaller: 1 for a symmetric spectrum."""
        return self.extreme / max(min(self.plus, -self.minus), TINY)

    @property
    def is_collapsed(self) -> bool:
        """Whether it is of a critic at chance when its log ended, or of one that gives the same score to everything.

        Such a run is left out whole: what its probes saw before, if anything, is not compared.
        """
        return self.at_chance_from is not None or self.extreme <= SILENT

    @classmethod
    def of(cls, spectrum: Mapping[str, np.ndarray], at_chance_from: int | None = None) -> "Curvature":
        """From what `ldvd_lib.runs.Run.spectrum` gives for a discriminator."""
        magnitudes = np.abs(spectrum["eigenvalues"])
        return cls(
            plus=float(spectrum["largest"].max()),
            minus=float(spectrum["smallest"].min()),
            median=float(np.median(magnitudes)),
            growth=float(magnitudes[-1].max() / max(magnitudes[0].max(), TINY)),
            converged=bool(spectrum["converged"].all()),
            at_chance_from=at_chance_from,
        )


@dataclass(frozen=True)
class Claim:
    """Something that the paper says about curvature, as a bound on a number that each training gives.

    Attributes:
        number: of the claim, with a letter where it has parts.
        text: in words.
        first: discriminator, ``"model/name"``.
        second: the one that it is compared with; empty if it is not.
        measures: attributes of `Curvature` that are looked at, or compared as ratios.
        bound: if the claim holds, the number is below it, or above it if `is_above`.
        is_above: see `bound`.
    """

    number: str
    text: str
    first: str
    second: str
    measures: tuple[str, ...]
    bound: float
    is_above: bool = False

    @property
    def discriminators(self) -> tuple[str, ...]:
        """The one or two that it is about."""
        return (self.first, self.second) if self.second else (self.first,)

    def seeds(self, curvatures: Mapping[int, Mapping[str, Curvature]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The seeds that have the discriminators, and those of them in which one has collapsed.

        What is curved or flat there says nothing about a kind of kernel: such a critic is compared with nothing.
        """
        seeds = [seed for seed, by_name in curvatures.items() if all(name in by_name for name in self.discriminators)]
        dead = [seed for seed in seeds if any(curvatures[seed][name].is_collapsed for name in self.discriminators)]
        return tuple(seed for seed in seeds if seed not in dead), tuple(dead)

    def number_of(self, measure: str, by_name: Mapping[str, Curvature]) -> float:
        """What is looked at, of the discriminators of one seed."""
        divisor = max(getattr(by_name[self.second], measure), TINY) if self.second else 1.0
        return getattr(by_name[self.first], measure) / divisor

    def holds(self, number: float) -> bool:
        """Whether a number is on the right side of the bound."""
        return number > self.bound if self.is_above else number < self.bound


_RATIO = ("extreme", "median")
CLAIMS = (
    Claim(
        "1",
        "the video discriminator is curved about 10 times as much as the image discriminator of the same GAN",
        "mocogan/video",
        "mocogan/image",
        _RATIO,
        3,
        is_above=True,
    ),
    Claim("2a", "TGAN's spectrum is nearly symmetric", "tgan/video", "", ("asymmetry",), 1.5),
    Claim("2b", "without SVC it grows through training", "tgan-normal/video", "", ("growth",), 1, is_above=True),
    Claim("2b", "with SVC it does not grow", "tgan/video", "", ("growth",), 1),
    Claim("3", "TGAN-F's extreme eigenvalues are less than half of TGAN's", "tgan-f/video", "tgan/video", _RATIO, 0.5),
    *(
        Claim(
            "4",
            f"more parameters, smoother: with twice the channels the {kind} discriminator curves less",
            f"mocogan-2x/{kind}",
            f"mocogan/{kind}",
            _RATIO,
            1,
        )
        for kind in ("image", "video")
    ),
    Claim(
        "5",
        "not for their number of weights: with as many, kernels of 4×4×4 curve more than kernels of 8×8",
        "mocogan/video",
        "mocogan-image-k8/image",
        _RATIO,
        1,
        is_above=True,
    ),
    Claim(
        "5",
        "nor do kernels of 2×2×2, before they collapse, curve less than kernels of 4×4×4",
        "mocogan-video-k2/video",
        "mocogan/video",
        _RATIO,
        1,
        is_above=True,
    ),
)
IN_WORDS = {
    "extreme": "largest |λ| of the run",
    "median": "median leading |λ|",
    "asymmetry": "larger end / smaller end",
    "growth": "leading |λ|, last probe / first",
}


@dataclass(frozen=True)
class Finding:
    """Whether a claim holds in one measure.

    Attributes:
        claim: its number; ``text``, ``first``, ``second``, ``bound``, ``is_above``: as of `Claim`.
        measure: which.
        seeds: of the trainings; ``numbers``: one for each.
        held: in how many of them it holds.
        collapsed: seeds of further trainings, in which a critic collapsed, so that there is nothing to compare.
    """

    claim: str
    text: str
    first: str
    second: str
    measure: str
    bound: float
    is_above: bool
    seeds: tuple[int, ...]
    numbers: tuple[float, ...]
    held: int
    collapsed: tuple[int, ...] = ()

    @property
    def median(self) -> float | None:
        """The median of the numbers; None without any."""
        return statistics.median(self.numbers) if self.numbers else None

    @property
    def verdict(self) -> str:
        """In how many of the trainings it holds, in words."""
        words = [f"{self.held} of {len(self.numbers)}"] * bool(self.numbers)
        return ", ".join(words + [f"{len(self.collapsed)} collapsed"] * bool(self.collapsed)) or "–"

    @property
    def about(self) -> str:
        """What is compared, in words."""
        what = f"{self.first} / {self.second}" if self.second else self.first
        return f"{what}: {IN_WORDS[self.measure]}"

    @property
    def expected(self) -> str:
        """The bound, with its sign."""
        return f"{'>' if self.is_above else '<'} {self.bound:g}"


class Findings(InColumns, tuple[Finding, ...]):
    """Findings, in the order of the claims; prints as text, shows as HTML in a notebook."""

    HEADINGS = ("claim", "the paper says", "measured", "should be", "seed by seed", "median", "holds in")
    TEXTS = 3  # the first columns, which are words; the others are figures
    FIGURES = range(TEXTS, len(HEADINGS))

    def cells(self) -> list[tuple[str, ...]]:
        """A line of text for each finding, under `HEADINGS`."""
        return [
            (
                finding.claim,
                finding.text,
                finding.about,
                finding.expected,
                ", ".join(f"{number:.2f}" for number in finding.numbers) or "–",
                "–" if finding.median is None else f"{finding.median:.2f}",
                finding.verdict,
            )
            for finding in self
        ]


def read_findings(path: str | Path) -> Findings:
    """The findings of a report's ``claims.json``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no list of findings; the message says which field of which is wrong.
    """
    return Findings(load_records(Finding, path, called="finding"))


def curvatures_of(runs: Iterable[Run]) -> dict[int, dict[str, Curvature]]:
    """Seed → ``"model/discriminator"`` → its curvature, of the runs that were probed."""
    curvatures: dict[int, dict[str, Curvature]] = {}
    for run in runs:
        at_chance_from = collapsed(run)
        for name, spectrum in run.spectrum().items():
            by_name = curvatures.setdefault(run.config.seed, {})
            by_name[f"{run.config.model.name}/{name}"] = Curvature.of(spectrum, at_chance_from.get(name))
    return dict(sorted(curvatures.items()))


def examine(curvatures: Mapping[int, Mapping[str, Curvature]]) -> Findings:
    """Every claim for which there is at least one training, in each of its measures."""
    findings = []
    for claim in CLAIMS:
        seeds, dead = claim.seeds(curvatures)
        for measure in claim.measures if seeds or dead else ():
            numbers = tuple(claim.number_of(measure, curvatures[seed]) for seed in seeds)
            findings.append(
                Finding(
                    claim=claim.number,
                    text=claim.text,
                    first=claim.first,
                    second=claim.second,
                    measure=measure,
                    bound=claim.bound,
                    is_above=claim.is_above,
                    seeds=seeds,
                    numbers=numbers,
                    held=sum(map(claim.holds, numbers)),
                    collapsed=dead,
                )
            )
    return Findings(findings)
