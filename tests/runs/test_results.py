"""Records of what we measured: from runs, from report files, and together."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ldvd_lib import zoo
from ldvd_lib._kit.configuration import save_json, to_dict
from ldvd_lib.gan import VideoGANConfig
from ldvd_lib.metrics import Evaluation
from ldvd_lib.runs import Measured, Result, collapsed_models, read_results, results_of_run, write_results
from ldvd_lib.runs.results import by_condition, measured
from ldvd_lib.runs.run import RunConfig

DATA = {"image_size": 32, "stride": 1, "subset": "train", "fold": 1, "clips": 1216, "frames": 8640}


def result(model: str = "tgan-f", seed: int = 0, **changed) -> Result:
    values = {
        "model": model,
        "preset": "lite",
        "seed": seed,
        "steps": 1200,
        "data": "216 clips (train), 32 px",
        "protocol": "actions-v1",
        "weights": "abc",
        "samples": 1024,
        "real": "1,024 windows",
        "values": {"is": (5.0, 5.2, 5.4)},
    }
    return Result(**values | changed)


def evaluated(directory: Path, config: VideoGANConfig, *, step: int = 800, seed: int = 3) -> Path:
    """A run directory as `ldvd train` and `ldvd evaluate` leave it, without the weights."""
    save_json(to_dict(RunConfig(config, DATA, seed)), directory / "config.json")
    (directory / "metrics.jsonl").write_text(
        "".join(json.dumps({"step": s, "seconds": s / 10}) + "\n" for s in (400, 800, 1200))
    )
    evaluation = Evaluation("run, step 800", "actions-v1", "abc", 24, "24 windows", (0, 1), {"is": (2.0, 3.0)})
    evaluation.save(directory / "evaluations" / f"actions-v1-24-step-{step}" / "evaluation.json")
    return directory


# Runs


def test_a_run_tells_its_results_with_everything_they_depend_on(tmp_path) -> None:
    run = evaluated(tmp_path, zoo.config("tgan-f"))
    assert results_of_run(run) == [
        Result(
            model="tgan-f",
            preset="lite",
            seed=3,
            steps=800,
            data="1,216 clips (train), 32 px",
            protocol="actions-v1",
            weights="abc",
            samples=24,
            real="24 windows",
            values={"is": (2.0, 3.0)},
            seconds=80.0,
        )
    ]


def test_an_evaluation_without_a_value_is_named(tmp_path) -> None:
    run = evaluated(tmp_path, zoo.config("tgan-f"))
    (path,) = run.glob("evaluations/*/evaluation.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"values": {"is": []}}))
    with pytest.raises(ValueError, match=r"evaluation\.json: is has the values \(\)"):
        results_of_run(run)


def test_clips_made_in_memory_are_of_an_unknown_subset(tmp_path) -> None:
    run = evaluated(tmp_path, zoo.config("tgan-f"))
    data = {key: value for key, value in DATA.items() if key != "subset"}
    save_json(to_dict(RunConfig(zoo.config("tgan-f"), data, 3)), run / "config.json")
    assert [found.data for found in results_of_run(run)] == ["1,216 clips (unknown), 32 px"]


def test_several_steps_come_in_their_order_and_a_bare_run_has_none(tmp_path) -> None:
    for step in (1200, 400):
        evaluated(tmp_path, zoo.config("tgan"), step=step)
    assert [(outcome.steps, outcome.seconds) for outcome in results_of_run(tmp_path)] == [(400, 40.0), (1200, 120.0)]
    save_json(to_dict(RunConfig(zoo.config("tgan"))), tmp_path / "bare" / "config.json")
    assert results_of_run(tmp_path / "bare") == []
    with pytest.raises(FileNotFoundError, match="nowhere is not a run directory"):
        results_of_run(tmp_path / "nowhere")


def test_what_is_not_as_in_the_zoo_is_said(tmp_path) -> None:
    published = zoo.config("tgan-f")
    (outcome,) = results_of_run(evaluated(tmp_path / "a", published.with_recipe(generator_rate=0.1, iterations=7)))
    assert (outcome.model, outcome.changes) == ("tgan-f", {"generator_rate": 0.1}), "how long is no change"
    other = replace(published, discriminators=zoo.config("tgan").discriminators)
    (outcome,) = results_of_run(evaluated(tmp_path / "b", other))
    assert outcome.model == "tgan-f (changed)", "another network under the same name is not the paper's model"
    (outcome,) = results_of_run(evaluated(tmp_path / "c", replace(published, name="mine")))
    assert (outcome.model, outcome.changes) == ("mine", {})


# Report files


def test_a_report_is_read_as_it_was_written(tmp_path) -> None:
    results = [result(changes={"batch_size": 4}, hardware="2 CPU cores", seconds=12.5), result("tgan", 1)]
    path = write_results(results, tmp_path / "report.json")
    assert read_results(path) == results


def test_what_is_optional_can_be_left_out(tmp_path) -> None:
    record = json.loads(write_results([result()], tmp_path / "report.json").read_text())[0]
    for name in ("changes", "hardware", "seconds"):
        del record[name]
    assert read_results(save_json([record], tmp_path / "report.json")) == [result()]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"model": "tgan"}, "must hold a list of results, got dict"),
        ([{"model": "tgan"}], r"result 0 lacks the key\(s\) \['data', 'preset'"),
        ([to_dict(result()) | {"iS": 3}], r"unknown key\(s\) \['iS'\]"),
        ([to_dict(result()) | {"values": {"is": []}}], r"values of 'is' must be finite numbers.*got \(\)"),
        (
            [to_dict(result()) | {"values": {"is": ["5"]}}],
            r"values\['is'\]\[0\] is '5', a str, but must be of type float",
        ),
        ([to_dict(result()) | {"values": {"is": 5.0}}], r"values\['is'\] is 5.0, a float, but must be of type tuple"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path, content, message) -> None:
    with pytest.raises(ValueError, match=message):
        read_results(save_json(content, tmp_path / "report.json"))


# Together


def test_one_training_deviates_between_its_repetitions_and_several_between_each_other() -> None:
    figures = measured([result()])
    assert figures == {"is": Measured(pytest.approx(5.2), pytest.approx(0.2), 1, 3, pytest.approx(0.2))}
    assert "repetitions of one training" in figures["is"].about
    several = [result(seed=seed, values={"is": (mean - 1, mean + 1)}) for seed, mean in enumerate((4.0, 5.0, 6.0))]
    figures = measured(several)
    assert figures == {"is": Measured(pytest.approx(5.0), pytest.approx(1.0), 3, 2, pytest.approx(2**0.5))}
    assert figures["is"].about == "± between 3 trainings"


def test_one_training_that_collapsed_condemns_its_model() -> None:
    trainings = {"tgan": [result("tgan"), result("tgan", seed=1, collapsed=True)], "tgan-f": [result()]}
    assert collapsed_models(trainings) == ("tgan",)


def test_a_run_whose_critic_stood_at_chance_says_so(tmp_path) -> None:
    run = evaluated(tmp_path, zoo.config("tgan-f"))
    assert [result.collapsed for result in results_of_run(run)] == [False]
    scores = {"generator_loss": 0.0, "video_loss": 0.0, "video_real_score": 0.5, "video_fake_score": 0.5}
    lines = [json.dumps({"step": step, "seconds": step / 10} | scores) for step in range(50, 1201, 50)]
    (run / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    assert [result.collapsed for result in results_of_run(run)] == [True]


def test_a_single_value_has_no_deviation() -> None:
    (figure,) = measured([result(values={"is": (1.0,)})]).values()
    assert figure == Measured(1.0, None, 1, 1)
    assert "uncertainty is not known" in figure.about


def test_the_same_training_counts_once() -> None:
    later = result(values={"is": (2.0,)})
    (models,) = by_condition([result(values={"is": (1.0,)}), result(seed=1), later]).values()
    assert models == {"tgan-f": [later, result(seed=1)]}


def test_recipes_of_one_model_are_not_mixed_and_those_of_two_may_differ() -> None:
    slow, fast = {"generator_rate": 1e-4}, {"generator_rate": 1e-2}
    results = [result("tgan-f", changes=slow), result("tgan-f", changes=fast), result("tgan", changes=fast)]
    (models,) = by_condition(results).values()
    assert list(models) == ["tgan-f", "tgan-f, generator_rate=0.01", "tgan"], "the first stands for its model"
    (models,) = by_condition([*results, result("tgan-f")]).values()
    assert models["tgan-f"] == [result("tgan-f")], "the zoo's own recipe, where there is one"
    assert "tgan-f, generator_rate=0.0001" in models


@pytest.mark.parametrize(
    "changed",
    [
        {"preset": "paper"},
        {"steps": 1},
        {"data": "others"},
        {"protocol": "ldvd-2019-v1"},
        {"weights": "xyz"},
        {"samples": 8},
        {"real": "other windows"},
    ],
)
def test_what_was_measured_otherwise_is_kept_apart(changed) -> None:
    assert len(by_condition([result("tgan"), result("tgan-f", **changed)])) == 2


def test_figures_have_two_digits_of_their_deviation() -> None:
    assert str(Measured(5.2345, 0.0123, 1, 3)) == "5.234 ± 0.012"
    assert str(Measured(9127.4, 13.77, 3, 1)) == "9,127 ± 14"
    assert str(Measured(5.2345, None, 1, 1)) == "5.234"
    assert str(Measured(5.2345, 0.0, 1, 2)) == "5.23 ± 0.00"


def test_why_a_condition_is_not_the_papers() -> None:
    reasons = result().condition.unlike_the_paper()
    assert reasons == [
        "another judge (actions-v1)",
        "smaller networks and pictures (lite)",
        "1,200 steps instead of 100,000",
        "other data (216 clips (train), 32 px)",
    ]
    same = result(
        preset="paper", steps=100_000, data="9,537 clips (train), 64 px", protocol="ldvd-2019-v1", samples=10_000
    )
    assert same.condition.unlike_the_paper() == []
    assert replace(same, samples=1_024).condition.unlike_the_paper() == ["1,024 videos instead of 10,000"]
