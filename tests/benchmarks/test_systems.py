"""The benchmark of the systems: what it prints and writes, in miniature."""

import importlib
import json
import re
import statistics
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_it_times_a_step_of_each_against_tgan(repository, tmp_path):
    out, models = tmp_path / "steps.json", ["tgan-f", "provgan", "ssw-gan-2"]
    options = ["--steps", "2", "--batch", "2", "--out", out, "--models", *models]
    command = [sys.executable, "benchmarks/systems.py", *options]
    printed = subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True).stdout
    measured = json.loads(out.read_text())
    assert measured["batch_size"] == 2
    assert list(measured["seconds"]) == ["tgan", *models], "the reference comes first, asked for or not"
    assert all(len(steps) == 2 and min(steps) > 0 for steps in measured["seconds"].values())
    medians = {name: statistics.median(steps) for name, steps in measured["seconds"].items()}
    told = re.findall(r"(?m)^ *(\S+) +([\d.]+) s \(.*?\) +([\d.]+) × tgan$", printed)
    assert [name for name, *_ in told] == list(medians)
    for name, seconds, ratio in told:
        assert float(seconds) == pytest.approx(medians[name], abs=6e-4)
        assert float(ratio) == pytest.approx(medians[name] / medians["tgan"], abs=6e-3)


def test_what_grows_is_timed_when_it_has_grown(repository, monkeypatch):
    """Else a step of ProVGAN would be one of four pixels."""
    monkeypatch.syspath_prepend(repository / "benchmarks")
    systems = importlib.import_module("systems")
    gan = systems.zoo.build("provgan", batch_size=2)
    monkeypatch.setattr(systems.zoo, "build", lambda *_, **__: gan)
    gan.set_step(0)
    next(systems.steps_of("provgan", 2))
    assert (gan.generator.stage, gan.generator.share) == (gan.generator.growth.last, 1.0)
