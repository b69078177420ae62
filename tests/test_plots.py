"""Figures of training runs."""

import json

import numpy as np

from ldvd_lib import plots, zoo
from ldvd_lib.configuration import save_json, to_dict
from ldvd_lib.training import Run
from ldvd_lib.training.run import RunConfig


def run_with(tmp_path, name: str, records: list[dict]) -> Run:
    directory = tmp_path / name
    directory.mkdir()
    save_json(to_dict(RunConfig(zoo.config("tgan"))), directory / "config.json")
    (directory / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return Run.open(directory)


def test_the_running_median_ignores_a_spike_and_keeps_the_length() -> None:
    values = np.array([1.0, 1.0, 50.0, 1.0, 1.0, 2.0])
    assert plots.smooth(values, 3).tolist() == [1, 1, 1, 1, 1, 1.5]


def test_every_loss_and_score_is_drawn_once_a_run(tmp_path) -> None:
    tgan = [
        {"step": s, "generator_loss": s, "discriminator_loss": -s, "real_score": 1, "fake_score": 0} for s in (1, 2)
    ]
    mocogan = [
        {"step": s, "generator_loss": s, "image_loss": 1, "video_loss": 2, "video_real_score": 3} for s in (1, 2)
    ]
    figure = plots.plot_training({"a": run_with(tmp_path, "a", tgan), "b": run_with(tmp_path, "b", mocogan)})
    left, right = figure.axes
    labels = {text.get_text() for axes in (left, right) for text in axes.get_legend().get_texts()}
    assert labels == {
        "generator loss, a",
        "discriminator loss, a",
        "real score, a",
        "fake score, a",
        "generator loss, b",
        "image loss, b",
        "video loss, b",
        "video real score, b",
    }
