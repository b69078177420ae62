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
from ldvd_lib.runs import Run

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
    """

    plus: float
    minus: float
    median: float
    growth: float
    converged: bool

    @property
    def extreme(self) -> float:
        """The larger of the two ends, as a magnitude."""
        return max(self.plus, -self.minus)

    @property
    def asymmetry(self) -> float:
        """The larger end divided by the smaller: 1 for a symmetric spectrum."""
        return self.extreme / max(min(self.plus, -self.minus), TINY)

    @classmethod
    def of(cls, spectrum: Mapping[str, np.ndarray]) -> "Curvature":
        """From what `ldvd_lib.runs.Run.spectrum` gives for a discriminator."""
        magnitudes = np.abs(spectrum["eigenvalues"])
        return cls(
            plus=float(spectrum["largest"].max()),
            minus=float(spectrum["smallest"].min()),
            median=float(np.median(magnitudes)),
            growth=float(magnitudes[-1].max() / max(magnitudes[0].max(), TINY)),
            converged=bool(spectrum["converged"].all()),
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

    def numbers(self, measure: str, curvatures: Mapping[int, Mapping[str, Curvature]]) -> dict[int, float]:
        """Seed → number, for the seeds that have the discriminators, none of which gives constant scores.

        A constant loss has no curvature; that says nothing about a kind of kernel.
        """
        numbers = {}
        names = [self.first, self.second] if self.second else [self.first]
        for seed, by_name in curvatures.items():
            if all(name in by_name and by_name[name].extreme > SILENT for name in names):
                divisor = max(getattr(by_name[self.second], measure), TINY) if self.second else 1.0
                numbers[seed] = getattr(by_name[self.first], measure) / divisor
        return numbers

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
    Claim(
        "4",
        "more parameters, smoother: twice the channels curve less",
        "mocogan-2x/video",
        "mocogan/video",
        _RATIO,
        1,
    ),
    Claim(
        "5",
        "kernels that even out the parameters keep the order",
        "mocogan-video-k2/video",
        "mocogan-image-k8/image",
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

    @property
    def median(self) -> float:
        """The median of the numbers."""
        return statistics.median(self.numbers)

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
                ", ".join(f"{number:.2f}" for number in finding.numbers),
                f"{finding.median:.2f}",
                f"{finding.held} of {len(finding.numbers)}",
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
        for name, spectrum in run.spectrum().items():
            by_name = curvatures.setdefault(run.config.seed, {})
            by_name[f"{run.config.model.name}/{name}"] = Curvature.of(spectrum)
    return dict(sorted(curvatures.items()))


def examine(curvatures: Mapping[int, Mapping[str, Curvature]]) -> Findings:
    """Every claim for which there is at least one training, in each of its measures."""
    findings = []
    for claim in CLAIMS:
        for measure in claim.measures:
            numbers = claim.numbers(measure, curvatures)
            if numbers:
                findings.append(
                    Finding(
                        claim=claim.number,
                        text=claim.text,
                        first=claim.first,
                        second=claim.second,
                        measure=measure,
                        bound=claim.bound,
                        is_above=claim.is_above,
                        seeds=tuple(numbers),
                        numbers=tuple(numbers.values()),
                        held=sum(map(claim.holds, numbers.values())),
                    )
                )
    return Findings(findings)
