"""What a plan will cost."""

import time
from dataclasses import replace

import pytest

from ldvd_lib.metrics import open_judge
from ldvd_lib.reproduce import Cost, describe, estimate
from ldvd_lib.training import players


def test_hours_are_those_of_steps_probes_and_videos(plan) -> None:
    training = replace(plan.trainings[0], steps=7_200, probe_every=72, samples=1_000, repeats=3)
    cost = Cost(training, step=0.5, probe=36.0, video=0.6)
    assert cost.hours == pytest.approx(1 + 1 + 0.5)
    assert Cost(replace(training, probe_every=None), step=0.5).hours == pytest.approx(1)
    text = describe([cost, cost])
    assert text.splitlines()[1].split() == ["tgan", "0.5", "36", "0.6", "7,200", "2", "5.00"]
    assert text.splitlines()[-1].split() == ["in", "all", "2", "5.00"]


def test_what_is_not_done_at_every_step_is_counted_too(plan, monkeypatch) -> None:
    monkeypatch.setattr(players, "clip_singular_values_", lambda _: time.sleep(0.3))
    training = replace(plan.trainings[0], config=plan.trainings[0].config.with_recipe(svc_every=5))
    (cost,) = estimate([training], steps=5, progress=False)
    assert cost.step >= 0.3 / 5


def test_each_model_is_timed_once_without_data(plan) -> None:
    trainings = [replace(training, seed=seed) for seed in (0, 1) for training in plan.trainings]
    trainings[0] = replace(trainings[0], probe_every=1)
    costs = estimate(trainings, open_judge("actions"), steps=2, progress=False)
    assert [cost.training for cost in costs] == trainings
    assert [cost.step for cost in costs[:2]] == [cost.step for cost in costs[2:]]
    assert all(cost.step > 0 and cost.video > 0 for cost in costs)
