"""Trainings in two precisions, on trainings whose differences are known."""

from dataclasses import replace

import pytest

from ldvd_lib.paper import Point, agreements, contrasts, correlation, verdicts
from ldvd_lib.paper.question import CRITICS

POINT = Point("3d-svc", 0, 500, "float32", 300.0, 200.0, 1.5, 9.0, 12.0, 1.1, 2.0, 0.8, True, False)


def test_precisions_are_held_against_seeds() -> None:
    exact = [
        replace(POINT, critic=critic, seed=seed, fid=100.0 * (place + 1) * 1.5**seed)
        for place, critic in enumerate(("3d-free", "3d-svc", "c0-svc"))
        for seed in range(2)
    ]
    rough = [replace(point, fid=1.1 * point.fid, precision="bfloat16") for point in exact[:5]]
    dead = [replace(exact[5], fid=1.0, collapsed=True)]
    by_measure = {one.measure: one for one in agreements(exact, rough + dead)}
    fid = by_measure["fid"]
    assert (fid.pairs, fid.rho) == (5, pytest.approx(1))
    assert (fid.precisions, fid.seeds) == (pytest.approx(1.1), pytest.approx(1.5))
    assert fid.rho_seeds == pytest.approx(1)
    assert (by_measure["leading"].precisions, by_measure["leading"].seeds) == (1, 1)
    with pytest.raises(ValueError, match="same critics and seeds"):
        agreements(exact, dead)


def clipped_is_better(seeds: int, *, kinder: bool) -> list[Point]:
    """Trainings in which a critic with SVC is calmer, and better or worse, than any without; 3D ones are the best."""
    return [
        replace(
            POINT,
            critic=critic,
            seed=seed,
            fid=(100.0 if ("svc" in critic) is kinder else 200.0) + (not critic.startswith("3d-")) + place / 100,
            leading=(1.0 if "svc" in critic else 2.0) + place / 100,
            step_leading=2.0 + place,
        )
        for place, critic in enumerate(CRITICS)
        for seed in range(seeds)
    ]


def test_verdicts_are_of_the_trainings_that_all_sets_have() -> None:
    many, few = clipped_is_better(5, kinder=True), clipped_is_better(3, kinder=False)
    few[0] = replace(few[0], collapsed=True)
    found = verdicts({"bfloat16": many, "float32": few})
    kept = {(point.critic, point.seed) for point in few[1:]}
    assert (found.names, found.trainings) == (("bfloat16", "float32"), len(kept))
    assert found.answers["SVC is better than nothing"] == ("20 of 20", "0 of 20"), "3d-free collapsed once"
    assert found.answers["c0-c1 and c0-c2 are better than 3D, with SVC"] == ("0 of 6", "0 of 6")
    for number, points in enumerate((many, few)):
        points = [point for point in points if (point.critic, point.seed) in kept]
        held = "{} of {}".format(*contrasts(points).calmer_is_better())
        assert found.answers["the calmer of two is better: leading |λ|"][number] == held
        assert found.answers["ρ with FID: leading |λ|"][number] == str(correlation(points, "leading", "fid"))
    assert repr(found).splitlines()[0].split("  ")[0] == "by FID, 50 trainings each"
    asked = verdicts({"one": many, "few": [point for point in many if point.critic in ("3d-free", "3d-svc")]}).answers
    assert next(iter(asked)) == "SVC is better than nothing"
    assert not any("c0" in question for question in asked), "nothing is said of critics that are not there"
    with pytest.raises(ValueError, match="bfloat16, float32 have no training in common"):
        verdicts({"bfloat16": many[:1], "float32": few})
