"""Rank correlations and pairs, on trainings whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from ldvd_lib.paper import Point, contrast, contrasts, correlation, correlations
from ldvd_lib.paper.answer import GROUPS, PAIRS, spearman
from ldvd_lib.paper.question import CRITICS, CURVATURES

POINT = Point("3d-svc", 0, 500, "float32", 300.0, 200.0, 1.5, 9.0, 12.0, 1.1, 2.0, 0.8, True, False)


def points(quality_of, *, seeds: int = 3, noise: float = 0.0) -> list[Point]:
    """Critics whose curvature rises in the order of `CRITICS`, and whose FID is a function of it, but for noise."""
    random = np.random.default_rng(0)
    return [
        replace(
            POINT,
            critic=critic,
            seed=seed,
            leading=(curvature := (2.0 + place) * np.exp(noise * random.normal())),
            fid=quality_of(2.0 + place) * np.exp(noise * random.normal()),
            step_leading=1 / curvature,
        )
        for place, critic in enumerate(CRITICS)
        for seed in range(seeds)
    ]


@pytest.mark.parametrize("ties", [False, True])
def test_ranks_are_correlated_as_scipy_does(ties: bool) -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        pairs = random.normal(size=(12, 2))
        pairs = pairs.round() if ties else pairs
        assert spearman(pairs) == pytest.approx(spearmanr(pairs).statistic, nan_ok=True)


def test_what_rises_together_has_one_and_what_falls_minus_one() -> None:
    rising = points(lambda curvature: 100 * curvature)
    found = correlation(rising, "leading", "fid")
    assert (found.rho, found.low, found.high, found.critics) == (
        pytest.approx(1),
        pytest.approx(1),
        pytest.approx(1),
        17,
    )
    assert correlation(rising, "step_leading", "fid").rho == pytest.approx(-1)


def test_the_interval_is_wide_where_nothing_goes_with_anything_and_narrows_with_what_does() -> None:
    random = np.random.default_rng(2)
    nothing = [replace(point, fid=float(random.uniform(100, 900))) for point in points(lambda _: 1.0)]
    found = correlation(nothing, "leading", "fid")
    assert found.low < 0 < found.high
    related = correlation(points(lambda curvature: 100 * curvature, noise=0.1), "leading", "fid")
    assert 0.7 < related.low < related.rho <= related.high
    assert related.high - related.low < (found.high - found.low) / 2


def test_what_collapsed_is_compared_with_nothing() -> None:
    rising = points(lambda curvature: 100 * curvature)
    dead = [replace(point, fid=1.0, collapsed=True) if point.critic == "mocogan-sn" else point for point in rising]
    found = correlation(dead, "leading", "fid")
    assert (found.critics, found.rho) == (16, pytest.approx(1))
    assert contrast(dead, "mocogan-sn", "mocogan-free").seeds == ()
    assert all("mocogan-sn" not in (one.first, one.second) for one in contrasts(dead))


def test_groups_that_are_too_small_have_no_correlation() -> None:
    few = [point for point in points(lambda curvature: curvature) if point.critic in list(CRITICS)[:3]]
    assert correlation(few, "leading", "fid") is None
    assert correlations(few) == ()


def test_a_table_has_a_line_for_each_measure_and_group_that_has_an_order() -> None:
    table = correlations(points(lambda curvature: 100 * curvature), ("all", "free"))
    assert [cells[:2] for cells in table.cells()] == [
        (CURVATURES[measure], group) for group in ("all", "free") for measure in ("leading", "step_leading")
    ]
    (line,) = [cells for cells in table.cells() if cells[:2] == ("leading |λ|", "free")]
    assert line[2:4] == (str(len(GROUPS["free"])), "+1.00 [+1.00, +1.00]")


def test_a_contrast_counts_where_the_calmer_is_better() -> None:
    trainings = [
        replace(POINT, critic="3d-svc", seed=0, leading=1.0, fid=100.0, step_leading=4.0),
        replace(POINT, critic="3d-free", seed=0, leading=2.0, fid=200.0, step_leading=2.0),
        replace(POINT, critic="3d-svc", seed=1, leading=1.0, fid=300.0, step_leading=4.0),
        replace(POINT, critic="3d-free", seed=1, leading=4.0, fid=200.0, step_leading=2.0),
        replace(POINT, critic="3d-svc", seed=2),
    ]
    (one,) = contrasts(trainings)
    assert (one.first, one.second) == ("3d-svc", "3d-free")
    assert one.seeds == (0, 1)
    assert (one.curvatures, one.fids) == ((0.5, 0.25), (0.5, 1.5))
    assert (one.better, one.calmer_is_better(one.curvatures), one.calmer_is_better(one.steps)) == (1, 1, 1)
    assert contrasts(trainings).calmer_is_better() == (1, 2)
    assert contrasts(trainings).cells() == [("3d-svc", "3d-free", "× 0.38", "× 2.00", "× 1.00", "1 of 2", "1 of 2")]


def test_of_two_that_are_alike_in_either_none_is_the_calmer_and_better() -> None:
    first, second = replace(POINT, leading=1.0), replace(POINT, critic="3d-free", leading=2.0)
    for one, other in ((first, second), (replace(second, critic="3d-svc", fid=1.0), second)):
        (pair,) = contrasts([one, other])
        assert pair.calmer_is_better(pair.curvatures) == 0


def test_where_the_more_curved_is_worse_the_calmer_is_better_in_every_pair() -> None:
    pairs = contrasts(points(lambda curvature: 100 * curvature))
    assert len(pairs) == len(PAIRS)
    assert pairs.calmer_is_better() == (3 * len(PAIRS), 3 * len(PAIRS))
    assert pairs.calmer_is_better("steps") == (0, 3 * len(PAIRS))
