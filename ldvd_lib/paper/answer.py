"""The answer: does what is flatter teach better? Rank correlations over critics, and pairs of like critics.

A correlation over critics says what goes with what, and not why: critics differ in what they see and in how they are
constrained, and either may be the reason. Pairs that differ only in their kind, or only in their constraint, say more.
See `ldvd_lib.paper.question`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ldvd_lib._kit.tables import InColumns
from ldvd_lib.paper.question import BLIND, CRITICS, CURVATURES, KINDS, NORMALIZED, QUALITIES, Point

GROUPS = {
    "all": tuple(CRITICS),
    "that see time": tuple(name for name, (kind, _) in CRITICS.items() if kind not in BLIND),
    "free": tuple(name for name, (_, constraint) in CRITICS.items() if constraint == "free"),
    "clipped or normalised": tuple(name for name, (_, constraint) in CRITICS.items() if constraint != "free"),
}


def living(points: Iterable[Point]) -> dict[str, list[Point]]:
    """Critic → its trainings, in the order of `CRITICS`, without those in which a critic collapsed."""
    points = [point for point in points if not point.collapsed]
    grouped = {critic: [point for point in points if point.critic == critic] for critic in CRITICS}
    return {critic: own for critic, own in grouped.items() if own}


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation over critics, each with the median over its seeds.

    Attributes:
        curvature, quality: keys of `CURVATURES` and `QUALITIES`.
        group: a key of `GROUPS`; ``critics``: how many it has here.
        rho: from -1 to 1; positive: the more curved, the worse.
        low, high: a 95 % interval, by bootstrap over critics, and over seeds within them. It takes the critics for
            independent ones, and some share a kind; of few critics in perfect order it says less than it seems to.
    """

    curvature: str
    quality: str
    group: str
    critics: int
    rho: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.rho:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


LEAST_CRITICS = 6  # fewer have no order to speak of


def correlation(
    points: Iterable[Point], curvature: str, quality: str, group: str = "all", *, draws: int = 2_000, seed: int = 0
) -> Correlation | None:
    """Whether critics whose loss is more curved have worse generators.

    Args:
        points: trainings; those that collapsed are left out.
        curvature, quality, group: see `Correlation`.
        draws: of the bootstrap.
        seed: of the draws.

    Returns:
        The correlation; None of fewer than six critics, and where all are equal in one of the two.
    """
    own = {critic: some for critic, some in living(points).items() if critic in GROUPS[group]}
    if len(own) < LEAST_CRITICS:
        return None
    trainings = [
        np.array([[getattr(point, curvature), getattr(point, quality)] for point in some]) for some in own.values()
    ]
    rho = spearman(np.array([np.median(some, axis=0) for some in trainings]))
    if np.isnan(rho):
        return None
    random = np.random.default_rng(seed)
    chosen = random.integers(len(trainings), size=(draws, len(trainings)))
    medians = np.empty((*chosen.shape, 2))
    for number, some in enumerate(trainings):
        places = chosen == number  # each has seeds of its own
        seeds = random.integers(len(some), size=(np.count_nonzero(places), len(some)))
        medians[places] = np.median(some[seeds], axis=1)
    low, high = np.nanquantile(spearman(medians), (0.025, 0.975))  # a draw of one critic alone has no order
    return Correlation(curvature, quality, group, len(own), float(rho), float(low), float(high))


def spearman(pairs: np.ndarray) -> np.ndarray:
    """Spearman's ρ of two columns ``(…, n, 2)``; ties share their ranks' mean; not a number of a constant column."""
    # Imported here: all that reads the paper's tables imports this module, and SciPy's statistics take a while.
    from scipy.stats import rankdata

    ranks = rankdata(pairs, axis=-2)
    centred = ranks - ranks.mean(axis=-2, keepdims=True)
    norms = np.sqrt((centred**2).sum(axis=-2).prod(axis=-1))
    return np.divide(centred.prod(axis=-1).sum(axis=-1), norms, out=np.full_like(norms, np.nan), where=norms > 0)


class Correlations(InColumns, tuple[Correlation, ...]):
    """Every measure of curvature in some groups of critics; prints as text, shows as HTML in a notebook."""

    HEADINGS = ("curvature", "critics", "of", *(f"ρ with {words}" for words in QUALITIES.values()))
    FIGURES = range(2, len(HEADINGS))

    def cells(self) -> list[tuple[str, ...]]:
        """A line for each measure and group, under `HEADINGS`."""
        lines: dict[tuple[str, str], dict[str, Correlation]] = {}
        for one in self:
            lines.setdefault((one.curvature, one.group), {})[one.quality] = one
        return [
            (
                CURVATURES[curvature],
                group,
                str(next(iter(by_quality.values())).critics),
                *(str(by_quality[quality]) if quality in by_quality else "–" for quality in QUALITIES),
            )
            for (curvature, group), by_quality in lines.items()
        ]


def correlations(points: Iterable[Point], groups: Iterable[str] = tuple(GROUPS)) -> Correlations:
    """`correlation` of each measure of curvature with each of quality, in some groups of critics."""
    points = list(points)
    found = (
        correlation(points, curvature, quality, group)
        for group in groups
        for curvature in CURVATURES
        for quality in QUALITIES
    )
    return Correlations(one for one in found if one is not None)


# Critics that differ in their kind, or in their constraint --------------------------------------------------------


@dataclass(frozen=True)
class Contrast:
    """Two critics, of one kind or under one constraint, seed by seed.

    Attributes:
        first, second: keys of `CRITICS`.
        seeds: in which neither collapsed.
        curvatures: leading |λ| of the first, divided by that of the second; ``steps``: as the optimiser's step meets
            it; ``fids``: the same of the FID.
    """

    first: str
    second: str
    seeds: tuple[int, ...]
    curvatures: tuple[float, ...]
    steps: tuple[float, ...]
    fids: tuple[float, ...]

    @property
    def better(self) -> int:
        """In how many trainings the first has the better FID."""
        return sum(ratio < 1 for ratio in self.fids)

    def calmer_is_better(self, ratios: Sequence[float]) -> int:
        """In how many trainings the calmer of the two has the better FID, by the ratios of a measure of curvature."""
        return sum((curvature - 1) * (fid - 1) > 0 for curvature, fid in zip(ratios, self.fids, strict=True))


def contrast(points: Iterable[Point], first: str, second: str) -> Contrast:
    """Two critics, seed by seed."""
    by_seed: dict[int, dict[str, Point]] = {}
    for point in points:
        if point.critic in (first, second) and not point.collapsed:
            by_seed.setdefault(point.seed, {})[point.critic] = point
    pairs = {seed: (own[first], own[second]) for seed, own in sorted(by_seed.items()) if len(own) == 2}

    def ratios(key: str) -> tuple[float, ...]:
        return tuple(getattr(one, key) / getattr(other, key) for one, other in pairs.values())

    return Contrast(first, second, tuple(pairs), ratios("leading"), ratios("step_leading"), ratios("fid"))


# What is asked of each pair: what the constraint does to a kind, and what fewer dimensions, or no time, do under one.
# MoCoGAN's kind differs in three things: a second critic, of single frames; scores of patches; no strides in time.
PAIRS = (
    *((f"{kind}-svc", f"{kind}-free") for kind in KINDS),
    *((f"{kind}-sn", f"{kind}-free") for kind in NORMALIZED),
    *((f"{kind}-{constraint}", f"3d-{constraint}") for constraint in ("free", "svc") for kind in KINDS if kind != "3d"),
)


class Contrasts(InColumns, tuple[Contrast, ...]):
    """Pairs of critics; prints as text, shows as HTML in a notebook."""

    HEADINGS = ("critic", "against", "leading |λ|", "as the step meets it", "FID", "better", "calmer is better")
    FIGURES = range(2, len(HEADINGS))

    def cells(self) -> list[tuple[str, ...]]:
        """A line for each pair: medians of ratios, and in how many of the trainings."""
        return [
            (
                one.first,
                one.second,
                *(f"× {np.median(ratios):.2f}" for ratios in (one.curvatures, one.steps, one.fids)),
                f"{one.better} of {len(one.seeds)}",
                f"{one.calmer_is_better(one.curvatures)} of {len(one.seeds)}",
            )
            for one in self
        ]

    def calmer_is_better(self, measure: str = "curvatures") -> tuple[int, int]:
        """In how many of all pairs of trainings the calmer critic has the better generator, and of how many.

        If neither had to do with the other, half would be expected, and far from half would be no surprise: the seeds
        of a pair mostly agree, and many pairs share a critic, so that these are not as many independent trials.

        Args:
            measure: ``"curvatures"``, or ``"steps"`` for the curvature that the optimiser's step meets.
        """
        return int(sum(one.calmer_is_better(getattr(one, measure)) for one in self)), sum(
            len(one.seeds) for one in self
        )


def contrasts(points: Iterable[Point]) -> Contrasts:
    """The pairs of critics of one kind, or under one constraint, of which there are trainings."""
    points = list(points)
    found = (contrast(points, first, second) for first, second in PAIRS)
    return Contrasts(one for one in found if one.seeds)
