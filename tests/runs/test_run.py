"""Run directories, read back."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from ldvd_lib.runs import Run
from ldvd_lib.runs.run import RunConfig, read_jsonl
from ldvd_lib.training import Trainer, sample_videos


@pytest.fixture
def run(tmp_path, tiny_config, make_sampler) -> Run:
    trainer = Trainer(
        tiny_config.build(), make_sampler(), tmp_path / "run", device="cpu", callbacks=[], progress=False, log_every=2
    )
    trainer.run(3)
    trainer.run(5)
    return trainer.run(5)


def test_a_pause_does_not_count_as_time_of_a_step(run) -> None:
    lines = [{"step": step, "seconds": seconds} for step, seconds in ((10, 2.0), (20, 4.0), (30, 106.0), (40, 108.0))]
    (run.directory / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run.seconds_of_a_step() == pytest.approx(0.2)
    (run.directory / "metrics.jsonl").unlink()
    assert run.seconds_of_a_step() is None


def test_metrics_are_arrays_over_the_logged_steps(run) -> None:
    metrics = run.metrics()
    assert metrics["step"].tolist() == [2, 3, 4, 5]
    assert set(metrics) == {"step", "seconds", "generator_loss", "video_loss", "video_real_score", "video_fake_score"}
    assert (metrics["video_loss"] == metrics["video_fake_score"] - metrics["video_real_score"]).all() or (
        abs(metrics["video_loss"] - (metrics["video_fake_score"] - metrics["video_real_score"])).max() < 1e-5
    )


def test_a_number_larger_than_a_computers_whole_ones_is_a_number(run) -> None:
    lines = [{"step": step, "seconds": step / 10, "video_loss": 10**30 if step == 1 else 0.5} for step in (1, 2)]
    (run.directory / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    metrics = run.metrics()
    assert metrics["video_loss"].dtype == np.float64
    assert metrics["video_loss"].tolist() == [1e30, 0.5]


def test_the_spectrum_is_arrays_over_the_probes_of_each_discriminator(run, configs) -> None:
    assert run.spectrum() == {}
    run = Run(run.directory, RunConfig(configs["mocogan"]))
    records = [
        {"step": 10, "discriminator": "image", "eigenvalues": [3.0, -2.0], "largest": 3.0, "converged": True},
        {"step": 10, "discriminator": "video", "eigenvalues": [-9.0, 1.0], "largest": 1.5, "converged": False},
        {"step": 20, "discriminator": "image", "eigenvalues": [-5.0, 4.0], "largest": 4.0, "converged": False},
    ]
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (run.directory / "spectrum.jsonl").write_text(lines + '{"step": 20, "discr')  # killed while writing
    spectrum = run.spectrum()
    assert list(spectrum) == ["image", "video"]
    assert set(spectrum["image"]) == {"step", "eigenvalues", "largest", "converged"}
    assert spectrum["image"]["step"].tolist() == [10, 20]
    assert spectrum["image"]["eigenvalues"].tolist() == [[3, -2], [-5, 4]]
    assert spectrum["image"]["converged"].tolist() == [True, False]
    assert spectrum["video"]["eigenvalues"].shape == (1, 2)
    assert spectrum["video"]["largest"].tolist() == [1.5]


def test_a_spectrum_probed_for_fewer_values_later_on_has_those(run) -> None:
    values = [2.0, 1.0, 0.5]
    records = [
        {"step": n, "discriminator": "video", "eigenvalues": values[:k], "largest": 2.0} for n, k in ((10, 3), (20, 2))
    ]
    (run.directory / "spectrum.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert run.spectrum()["video"]["eigenvalues"].tolist() == [[2, 1], [2, 1]]


def test_networks_come_back_from_any_checkpoint(run, tiny_config) -> None:
    assert [path.name for path in run.checkpoints] == ["step_0000003", "step_0000005"]
    early, late = run.gan(3), run.gan()
    assert early.config == tiny_config
    assert not torch.equal(early.generator.image.layers[0].weight, late.generator.image.layers[0].weight)
    with pytest.raises(FileNotFoundError, match=r"no checkpoint of step 4: it has \[3, 5\]"):
        run.gan(4)


def test_a_directory_without_a_run_is_named(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="is not a run directory"):
        Run.open(tmp_path)


def test_unknown_configuration_is_refused(run) -> None:
    path = run.directory / "config.json"
    values = json.loads(path.read_text())
    values["model"]["recipe"]["momentum"] = 0.9
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match=r"config\.json\.model\.recipe has unknown key\(s\) \['momentum'\]"):
        Run.open(run.directory)


def test_damaged_weights_are_named(run) -> None:
    path = run.checkpoints[-1] / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"weights\.safetensors cannot be read"):
        run.generator()


def test_a_line_cut_short_by_a_kill_is_left_out(tmp_path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"ste')
    assert [record["step"] for record in read_jsonl(path)] == [1, 2]
    path.write_text('{"step": 1}\n{"ste\n{"step": 3}\n')
    with pytest.raises(ValueError, match="line 2"):
        read_jsonl(path)


def test_a_sample_does_not_depend_on_its_batch(run) -> None:
    generator = run.generator()
    videos = sample_videos(generator, 6, seed=4)
    assert videos.shape == (6, 3, 4, 8, 8)
    torch.testing.assert_close(sample_videos(generator, 6, seed=4, batch_size=1), videos, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(sample_videos(generator, 2, seed=4), videos[:2], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(sample_videos(generator, 2, seed=5), videos[:2], atol=1e-3)
    with pytest.raises(ValueError, match="n is 0"):
        sample_videos(generator, 0)


def test_a_run_of_the_first_version_speaks_todays_names_and_goes_on(run, make_sampler, tiny_config) -> None:
    """Its config.json has no version, and its log bears the names of that time."""
    metrics = run.metrics()
    config = run.directory / "config.json"
    values = json.loads(config.read_text())
    assert values.pop("version") == 2
    for name in ("r1", "gradient_penalty"):
        assert values["model"]["recipe"].pop(name) == 0
    config.write_text(json.dumps(values))
    log = run.directory / "metrics.jsonl"
    log.write_text(
        log.read_text()
        .replace("video_loss", "discriminator_loss")
        .replace("video_real", "real")
        .replace("video_fake", "fake")
    )
    old = Run.open(run.directory)
    assert old.config.version == 1
    assert old.metrics().keys() == metrics.keys()
    assert all((old.metrics()[name] == metrics[name]).all() for name in metrics)

    trainer = Trainer(
        tiny_config.build(), make_sampler(), run.directory, device="cpu", callbacks=[], progress=False, resume=True
    )
    trainer.log_every = 1
    renewed = trainer.run(6)
    assert renewed.config.version == 2
    assert renewed.metrics().keys() == metrics.keys()
    assert renewed.metrics()["step"].tolist() == [2, 3, 4, 5, 6]


def test_a_run_knows_what_its_classes_are_called_and_an_older_one_learns_it(run, make_sampler, tiny_config) -> None:
    names = tuple(make_sampler().store.class_names)
    assert run.config.class_names == run.generator().class_names == names
    config = run.directory / "config.json"
    values = json.loads(config.read_text())
    assert values.pop("class_names") == list(names)
    config.write_text(json.dumps(values))
    assert Run.open(run.directory).generator().class_names == ()
    again = {"device": "cpu", "callbacks": [], "progress": False, "resume": True}
    assert Trainer(tiny_config.build(), make_sampler(), run.directory, **again).run(6).generator().class_names == names


def test_a_run_of_a_later_version_is_refused(run) -> None:
    path = run.directory / "config.json"
    path.write_text(path.read_text().replace('"version": 2', '"version": 3'))
    with pytest.raises(ValueError, match=r"config\.json: the run is of version 3, and this library reads up to 2"):
        Run.open(run.directory)


def test_an_average_of_which_the_configuration_has_lost_the_word_is_not_passed_over(run) -> None:
    path = run.directory / "config.json"
    values = json.loads(path.read_text())
    del values["model"]["recipe"]["average"]  # by default there is none
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match=r"weights\.safetensors has an average over training, of which .*config\.json"):
        Run.open(run.directory).generator()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("flip", "no", "flip is 'no', a str, but must be of type bool"),
        ("iterations", 10.5, "iterations is 10.5, a float"),
        ("game", "nonsense", "game 'nonsense' is unknown"),
    ],
)
def test_impossible_values_are_named_with_the_file(run, name: str, value: object, message: str) -> None:
    path = run.directory / "config.json"
    values = json.loads(path.read_text())
    values["model"]["recipe"][name] = value
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match=rf"config\.json.*{message}"):
        Run.open(run.directory)


@pytest.mark.parametrize(
    ("number", "change", "message"),
    [
        (2, lambda line: line.replace('"seconds"', '"second"'), r"line 2 of .*metrics\.jsonl lacks 'seconds'"),
        (1, lambda line: line.replace('"seconds"', '"second"'), r"line 1 of .*metrics\.jsonl lacks 'seconds'"),
        (
            3,
            lambda line: line.replace('"step": 4', '"step": "4"'),
            r"line 3 of .*metrics\.jsonl is no record of a step",
        ),
        (
            3,
            lambda line: line.replace('"step": 4', '"step": 3'),
            r"line 3 of .*metrics\.jsonl is of step 3, after one of",
        ),
        (
            2,
            lambda line: line.replace('"video_loss": ', '"video_loss": NaN, "x": '),
            "line 2 of .* has 'nan' as 'video_l",
        ),
        (
            2,
            lambda line: line.replace('"video_loss": ', '"video_loss": 1e999, "x": '),
            "line 2 of .* has 'inf' as 'vid",
        ),
        (
            1,
            lambda line: line.replace('"video_loss": ', '"video_loss": "a", "x": '),
            "line 1 of .* has 'a' as 'video_l",
        ),
        (1, lambda line: "[]", r"line 1 of .*metrics\.jsonl is no record of a step"),
        (4, lambda line: "\xff", r"line 4 of .*metrics\.jsonl is not JSON"),
        (2, lambda line: "[" * 100_000, r"line 2 of .*metrics\.jsonl is not JSON"),
        (
            3,
            lambda line: line.replace('"video_loss": ', f'"video_loss": {"[" * 500 + "]" * 500}, "x": '),
            "line 3 of .* as",
        ),
        (2, lambda line: "", r"line 2 of .*metrics\.jsonl is not JSON"),
    ],
)
def test_a_line_that_no_training_writes_is_named_by_its_number(run, number: int, change, message: str) -> None:
    path = run.directory / "metrics.jsonl"
    lines = path.read_text().splitlines()
    lines[number - 1] = change(lines[number - 1])
    path.write_text("\n".join(lines) + "\n", encoding="latin-1")
    with pytest.raises(ValueError, match=message):
        run.metrics()


def test_an_odd_line_of_a_spectrum_is_named_by_its_number(run) -> None:
    good = {"step": 1, "discriminator": "video", "eigenvalues": [2.0, 1.0], "residuals": [0.1, 0.1], "largest": 2.0}
    changes = [
        ({"eigenvalues": [2.0]}, "has lists of several lengths"),
        ({"eigenvalues": []}, "as 'eigenvalues'"),
        ({"largest": [2.0]}, "as 'largest'"),
        ({"discriminator": 3}, "has '3' as 'discriminator'"),
        ({"discriminator": "vide"}, "is of a discriminator 'vide', which the run does not have"),
        ({"residuals": [0.1, None]}, "as 'residuals'"),
    ]
    for change, message in changes:
        lines = [json.dumps(good | {"step": step} | (change if step == 2 else {})) + "\n" for step in (1, 2, 3)]
        (run.directory / "spectrum.jsonl").write_text("".join(lines))
        with pytest.raises(ValueError, match=rf"line 2 of .*spectrum\.jsonl .*{message}"):
            run.spectrum()


def test_zeros_at_the_end_of_a_log_are_left_out(tmp_path) -> None:
    path = tmp_path / "m.jsonl"
    for tail in (bytes(100), b'{"step": 3, "los' + bytes(100), bytes(20) + b"}\n"):
        path.write_bytes(b'{"step": 1}\n{"step": 2}\n' + tail)
        assert read_jsonl(path) == [{"step": 1}, {"step": 2}]
    for other in (b"nonsense\n", b"GIF89a", b"{}}\n"):  # which neither a kill nor a power cut writes
        path.write_bytes(b'{"step": 1}\n' + other)
        with pytest.raises(ValueError, match="line 2"):
            read_jsonl(path)


def change_weights(run: Run, change) -> None:
    """Write the newest weights anew, as a version would that writes no hashes."""
    path = run.checkpoints[-1] / "weights.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    (path.parent / "SHA256SUMS").unlink()


KEY = "average.module.image.layers.0.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda tensors: tensors[KEY].view(-1)[0].fill_(torch.nan),
            rf"cannot be used: {KEY} has values that are not f",
        ),
        (
            lambda tensors: tensors.pop(KEY),
            r"does not fit the networks of config\.json: image\.layers\.0\.weight is missing there",
        ),
        (
            lambda tensors: tensors.update({KEY: torch.ones(3)}),
            r"image\.layers\.0\.weight is 3 of float there, and .*x",
        ),
        (lambda tensors: tensors.update({KEY: tensors[KEY].int()}), "of torch.int32 there"),
        (
            lambda tensors: tensors.update({"average.module.x": torch.ones(())}),
            "x is one of float there, and missing in",
        ),
    ],
)
def test_weights_that_are_not_the_networks_are_named_with_their_file(run, change, message: str) -> None:
    change_weights(run, change)
    with pytest.raises(ValueError, match=rf"step_0000005/weights\.safetensors .*{message}"):
        run.generator()


def test_a_configuration_that_asks_for_more_than_there_is_costs_no_memory(run) -> None:
    path = run.directory / "config.json"
    values = json.loads(path.read_text())
    values["model"]["generator"]["options"]["image_channels"] = 2**20
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match=r"weights\.safetensors does not fit the networks of config\.json: image"):
        Run.open(run.directory).generator()
    values["model"]["generator"]["options"]["image_channels"] = -8
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match=r"the networks that .*config\.json describes cannot be built"):
        Run.open(run.directory).generator()


def test_what_a_configuration_says_of_the_data_is_checked(run) -> None:
    path = run.directory / "config.json"
    values = json.loads(path.read_text())
    values["data"]["clips"] = "many"
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match=r"config\.json: data\.clips is 'many', a str"):
        Run.open(run.directory)
