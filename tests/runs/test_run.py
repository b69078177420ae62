"""Run directories, read back."""

import json

import pytest
import torch

from ldvd_lib.runs import Run
from ldvd_lib.runs.run import read_jsonl
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


def test_the_spectrum_is_arrays_over_the_probes_of_each_discriminator(run) -> None:
    assert run.spectrum() == {}
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
    records = [{"step": n, "discriminator": "video", "eigenvalues": [2.0, 1.0, 0.5][:k]} for n, k in ((10, 3), (20, 2))]
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


def test_a_run_of_a_later_version_is_refused(run) -> None:
    path = run.directory / "config.json"
    path.write_text(path.read_text().replace('"version": 2', '"version": 3'))
    with pytest.raises(ValueError, match=r"config\.json: the run is of version 3, and this library reads up to 2"):
        Run.open(run.directory)


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
