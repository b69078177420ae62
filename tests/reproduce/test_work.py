"""Working plans off: stopping anywhere, going on, and doing nothing twice."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ldvd_lib.metrics import Evaluation, open_judge
from ldvd_lib.paper.question import point_of
from ldvd_lib.reproduce import Budget, Counts, Order, Plan, Progress, Workshop, make_plan, work
from ldvd_lib.runs import Run, scores
from ldvd_lib.training import Trainer
from ldvd_lib.training.loop import TrainingDiverged


@pytest.fixture
def workshop(tmp_path) -> Workshop:
    return Workshop(tmp_path / "out", open_judge("actions"), progress=False)


def states(plan: Plan, workshop: Workshop) -> list[str]:
    return [str(Progress.of(training, workshop.directory)) for training in plan.trainings]


def test_a_plan_is_worked_off_once(plan, stores, workshop, monkeypatch) -> None:
    assert states(plan, workshop) == ["not begun", "not begun"]
    assert workshop.run(plan, stores) == Counts(all=2, complete=2, diverged=0)
    for training in plan.trainings:
        home = workshop.directory / training.directory
        run = Run.open(home)
        assert (run.newest_step, run.config.seed) == (3, 0)
        (file,) = home.glob("evaluations/actions-v1-8-step-3/evaluation.json")
        assert Evaluation.load(file).seeds == (0, 1)
        assert "CPU core" in work.hardware_of(run)

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("this was done before")

    monkeypatch.setattr(work, "Trainer", forbidden)
    monkeypatch.setattr(work.scores, "judge_run", forbidden)
    assert workshop.run(plan, stores, Budget(0)).is_finished


def test_a_budget_of_nothing_begins_nothing(plan, stores, workshop) -> None:
    assert workshop.run(plan, stores, Budget(0)) == Counts(all=2, complete=0, diverged=0)
    assert not workshop.directory.exists()


def test_a_training_ends_where_the_budget_does_and_goes_on_from_there(plan, stores, workshop, monkeypatch) -> None:
    budget, steps = Budget(), []
    train_step = Trainer._train_step

    def counted(trainer: Trainer) -> dict:
        values = train_step(trainer)
        steps.append((trainer.gan.config.name, trainer.step))
        if len(steps) == 2:
            budget.deadline = 0
        return values

    monkeypatch.setattr(Trainer, "_train_step", counted)
    assert workshop.run(plan, stores, budget).complete == 0
    assert states(plan, workshop) == ["at step 2", "not begun"]
    assert workshop.run(plan, stores).is_finished
    assert steps == [(name, step) for name in ("tgan", "tgan-f") for step in (1, 2, 3)]


def test_an_interrupt_is_handed_on_and_loses_nothing(plan, stores, workshop, monkeypatch) -> None:
    train_step = Trainer._train_step

    def interrupted(trainer: Trainer) -> dict:
        trainer.stop()  # what Ctrl-C does
        return train_step(trainer)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "_train_step", interrupted)
        workshop.run(plan, stores)
    assert states(plan, workshop) == ["at step 1", "not begun"]
    assert workshop.run(plan, stores).is_finished
    # log_every is 10, but the last step is always logged.
    assert Run.open(workshop.directory / plan.trainings[0].directory).metrics()["step"].tolist() == [3]


def test_what_is_trained_is_judged_next_time(plan, stores, workshop) -> None:
    Workshop(workshop.directory, progress=False).run(
        Plan(tuple(replace(training, protocol=None) for training in plan.trainings), {}), stores
    )
    assert states(plan, workshop) == ["trained, not judged yet"] * 2
    assert workshop.run(plan, stores).complete == 2
    more = Plan(tuple(replace(training, repeats=3) for training in plan.trainings), {})
    assert workshop.run(more, stores).complete == 2
    assert workshop.run(plan, stores).complete == 2  # its two repetitions are among the three


def test_what_another_process_is_at_is_left_to_it(plan, stores, workshop) -> None:
    first, _ = plan.trainings
    with workshop._claim(first) as is_ours:
        assert is_ours
        # As a second process would: another lock on the same file.
        assert Workshop(workshop.directory, workshop.judge, progress=False).run(plan, stores).complete == 1
        assert states(plan, workshop) == ["not begun", "complete"]
    assert workshop.run(plan, stores).complete == 2


def test_a_training_that_diverges_does_not_cost_the_others(plan, stores, workshop, monkeypatch) -> None:
    run = Trainer.run

    def diverging(trainer: Trainer, steps: int) -> Run:
        if trainer.gan.config.name == "tgan":
            raise TrainingDiverged("training diverged at step 1: not every loss is finite; there is no checkpoint yet")
        return run(trainer, steps)

    monkeypatch.setattr(Trainer, "run", diverging)
    counts = workshop.run(plan, stores)
    assert (counts.complete, counts.diverged, counts.is_finished) == (1, 1, True)
    assert states(plan, workshop) == ["diverged", "complete"]
    assert Progress.of(plan.trainings[0], workshop.directory).diverged.endswith("not every loss is finite")
    (workshop.directory / plan.trainings[0].directory / "diverged.txt").unlink()
    monkeypatch.undo()
    assert workshop.run(plan, stores).complete == 2


def test_what_diverged_with_other_settings_says_nothing_of_these(plan, stores, workshop, monkeypatch) -> None:
    def diverging(trainer: Trainer, steps: int) -> Run:
        raise TrainingDiverged("training diverged at step 1: not every loss is finite; there is no checkpoint yet")

    monkeypatch.setattr(Trainer, "run", diverging)
    assert workshop.run(plan, stores).diverged == 2
    assert workshop.run(plan, stores).diverged == 2, "the same settings are not tried again"
    first, second = plan.trainings
    with pytest.raises(ValueError, match="svc_every: 1 there, 7 now"):
        workshop.run(Plan((replace(first, config=first.config.with_recipe(svc_every=7)), second), {}), stores)


def test_probes_cannot_be_had_of_what_was_trained_without(plan, stores, workshop) -> None:
    workshop.run(plan, stores)
    probed = Plan(tuple(replace(training, probe_every=1) for training in plan.trainings), {})
    with pytest.raises(ValueError, match="trained without probes, and not with one every 1 steps: leave out --probe-"):
        workshop.run(probed, stores)


def test_real_clips_that_do_not_suit_are_told_before_anything_is_trained(plan, stores, workshop, monkeypatch) -> None:
    def refuse(*arguments, **options) -> None:
        raise ValueError("the features are of other clips")

    monkeypatch.setattr("ldvd_lib.reproduce.work.scores.real_features", refuse)
    with pytest.raises(ValueError, match="of other clips"):
        workshop.run(plan, stores)
    assert not list(workshop.directory.glob("runs/*/*"))


def test_probes_of_other_steps_are_not_taken_for_those_of_this_training(plan, stores, workshop) -> None:
    probed = replace(plan.trainings[0], study="curvature", protocol=None, probe_every=2, steps=4)
    assert workshop.run(Plan((probed,), {}), stores).complete == 1
    assert workshop.run(Plan((probed,), {}), stores).complete == 1
    with pytest.raises(
        ValueError, match="trained with a probe every 2, and not with one every 1 steps: ask for --probe-every 2"
    ):
        workshop.run(Plan((replace(probed, probe_every=1),), {}), stores)
    with pytest.raises(ValueError, match="ask for --steps 4"):
        workshop.run(Plan((replace(probed, steps=2),), {}), stores)


def test_a_training_of_the_question_is_probed_judged_and_looked_at_for_flicker(plan, stores, workshop) -> None:
    tiny = plan.trainings[0]
    config = replace(tiny.config, name="3d-svc").with_recipe(average=0.9)
    training = replace(tiny, study="question", config=config, probe_every=1)
    asked = Plan((training,), {})
    assert workshop.run(asked, stores).complete == 1
    run = Run.open(workshop.directory / "question/seed-0/3d-svc")
    (path,) = run.directory.glob("evaluations/actions-v1-8-step-3/evaluation.json")
    evaluation = Evaluation.load(path)
    point = point_of(run, evaluation, 3)
    assert (point.critic, point.seed, point.steps) == ("3d-svc", 0, 3)
    spectrum = run.spectrum()["video"]
    assert point.plus == spectrum["largest"].max()
    assert point.step_plus == spectrum["step_largest"].max()
    assert point.leading == np.median(np.maximum(spectrum["largest"], -spectrum["smallest"]))
    kept = scores.flicker_file(run.directory, 3)
    assert point.flicker == json.loads(kept.read_text())["generated"] / json.loads(kept.read_text())["real"]
    kept.unlink()
    assert states(asked, workshop) == ["trained, not judged yet"]
    assert workshop.run(asked, stores).complete == 1
    assert point_of(run, evaluation, 3) == point
    kept.write_text('{"generated": 1, "real": 0}')
    with pytest.raises(ValueError, match=r"flicker-step-3\.json.*that of real ones 0"):
        point_of(run, evaluation, 3)


def test_every_model_is_compiled_however_many_were_before(plan, stores, workshop, monkeypatch) -> None:
    graphs = []

    def noted(graph: torch.fx.GraphModule, inputs: list) -> Callable:
        graphs.append(graph)
        return graph.forward

    compile_network = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda network: compile_network(network, backend=noted))
    counts = []
    for training in plan.trainings:
        config = training.config.with_recipe(compile=True)
        # As many variants as a discriminator's own step takes, and none to spare.
        with torch._dynamo.config.patch(recompile_limit=1):
            workshop.run(Plan((replace(training, config=config, protocol=None, steps=1),), {}), stores)
        counts.append(len(graphs) - sum(counts))
    assert counts == [2, 2]


def test_what_cannot_be_done_is_said_before_anything_is_trained(plan, stores, workshop) -> None:
    # The clips have 18 frames; 16 of every second take 31.
    mocogan = make_plan(Order(("5b",), rows=("mocogan",), steps=2)).trainings
    with pytest.raises(ValueError, match=r"mocogan, seed 0 .*--frame-stride 1.*12 of 12 clips"):
        workshop.run(Plan((*plan.trainings, *mocogan), {}), stores)
    assert not workshop.directory.exists()


def test_runs_of_other_settings_or_length_are_not_taken_for_these(plan, stores, workshop) -> None:
    first, second = plan.trainings
    workshop.run(Plan((replace(first, protocol=None),), {}), stores)
    other = replace(first, config=first.config.with_recipe(svc_every=7))
    with pytest.raises(ValueError, match="svc_every: 1 there, 7 now"):
        workshop.run(Plan((second, other), {}), stores)
    with pytest.raises(ValueError, match="ask for --steps 3"):
        workshop.run(Plan((second, replace(first, steps=2)), {}), stores)
    assert states(Plan((second,), {}), workshop) == ["not begun"]
