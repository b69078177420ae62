"""The Python side of the spectrum explorer; its other side is driven in tests/browser/test_spectrum_explorer.py."""

import base64
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from ldvd_lib import zoo
from ldvd_lib._kit.configuration import save_json, to_dict
from ldvd_lib.hessian import SpectralDensity, spectral_density
from ldvd_lib.runs import Run
from ldvd_lib.runs.run import RunConfig
from ldvd_lib.widgets import SpectrumExplorer


def record(step: int, values: list[float], *, discriminator: str = "video") -> dict:
    return {
        "step": step,
        "discriminator": discriminator,
        "eigenvalues": values,
        "residuals": [abs(value) / 100 for value in values],
        "largest": max(values),
        "smallest": min(values),
        "converged": True,
        "products": 30,
        "seconds": 0.1,
        "loss": 0.0,
    }


def write_run(directory: Path, records: list[dict]) -> Run:
    directory.mkdir()
    save_json(to_dict(RunConfig(zoo.config("mocogan"))), directory / "config.json")
    (directory / "spectrum.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return Run.open(directory)


@pytest.fixture
def tgan(tmp_path) -> Run:
    return write_run(tmp_path / "tgan", [record(10, [4.0, -3.0, 2.0]), record(20, [-6.0, 5.0, 1.0])])


@pytest.fixture
def mocogan(tmp_path) -> Run:
    records = [record(step, [3.0, -1.0], discriminator=name) for step in (14, 30) for name in ("image", "video")]
    return write_run(tmp_path / "mocogan", records)


@pytest.fixture
def density() -> SpectralDensity:
    return spectral_density(torch.diag(torch.linspace(-6, 5, 30)), samples=3, steps=8)


# What it opens with


def test_a_single_run_is_shown_at_its_last_step_under_its_directorys_name(tgan):
    for runs in (tgan, tgan.directory, str(tgan.directory), {"tgan": tgan.directory}):
        explorer = SpectrumExplorer(runs)
        assert (explorer.run, explorer.discriminator, explorer.step) == ("tgan", "video", 20)
        assert (explorer.compare_run, explorer.compare_discriminator) == (None, None)
        assert (explorer.num_eigenvalues, explorer.scale, explorer.density) == (3, "symlog", False)


def test_the_numbers_are_those_recorded_leading_first(tmp_path):
    shuffled = record(5, [1.0, -7.0, 3.0]) | {"residuals": [0.1, 0.7, 0.3]}
    explorer = SpectrumExplorer(write_run(tmp_path / "run", [shuffled]))
    spectrum = explorer.spectra["run"]["video"]
    assert spectrum["eigenvalues"].tolist() == [[-7, 3, 1]]
    assert spectrum["residuals"].tolist() == [[0.7, 0.3, 0.1]], "a residual stays with its eigenvalue"
    (numbers,) = explorer._spectra[0]["discriminators"]
    assert numbers["eigenvalues"] == [[-7, 3, 1]] and numbers["residuals"] == [[0.7, 0.3, 0.1]]
    assert (numbers["largest"], numbers["smallest"], numbers["step"]) == ([3], [-7], [5])


def test_of_two_probes_of_a_step_the_later_one_counts(tmp_path):
    records = [record(10, [1.0]), record(20, [2.0]), record(20, [3.0])]
    explorer = SpectrumExplorer(write_run(tmp_path / "run", records))
    assert explorer.spectra["run"]["video"]["step"].tolist() == [10, 20]
    assert explorer.spectra["run"]["video"]["eigenvalues"].tolist() == [[1], [3]]


def test_what_no_probe_writes_is_refused_by_its_line(tmp_path):
    back = [record(20, [1.0]), record(10, [2.0])]
    broken = [record(1, [1.0, 2.0]) | {"residuals": [math.nan, math.inf]}]
    for name, records, message in (
        ("a", back, r"line 2 of .*spectrum\.jsonl is of step 10, after one of step 20"),
        ("b", broken, r"line 1 of .*spectrum\.jsonl has '\[nan, inf\]' as 'residuals'"),
    ):
        with pytest.raises(ValueError, match=message):
            SpectrumExplorer(write_run(tmp_path / name, records))


# Choosing


def test_choices_that_hang_together_follow(tgan, mocogan):
    explorer = SpectrumExplorer({"tgan": tgan, "mocogan": mocogan})
    explorer.run = "mocogan"
    assert (explorer.discriminator, explorer.step, explorer.steps) == ("video", 14, [14, 30])
    explorer.compare_run = "mocogan"
    assert explorer.shown == [("mocogan", "video"), ("mocogan", "image")], "beside itself, its other discriminator"
    explorer.compare_run = "tgan"
    assert explorer.compare_discriminator == "video"
    assert explorer.steps == [10, 14, 20, 30]
    explorer.step = 10
    explorer.compare_run = None
    assert (explorer.compare_discriminator, explorer.step) == (None, 14)


def test_the_constructor_can_open_a_comparison(tgan, mocogan):
    explorer = SpectrumExplorer({"tgan": tgan, "mocogan": mocogan}, compare_run="mocogan")
    assert explorer.shown == [("tgan", "video"), ("mocogan", "video")], "the same discriminator, where there is one"


def test_a_choice_of_the_browser_arrives_whole_and_python_answers_nothing(tgan, mocogan, monkeypatch):
    explorer = SpectrumExplorer({"tgan": tgan, "mocogan": mocogan})
    sent = []
    monkeypatch.setattr(explorer.comm, "send", lambda data, **options: sent.append(data["method"]))
    explorer.set_state({"run": "mocogan", "discriminator": "video", "step": 30})
    explorer.set_state({"compare_run": "tgan", "compare_discriminator": "video", "step": 20})
    explorer.set_state({"scale": "linear", "num_eigenvalues": 2})
    assert explorer.shown == [("mocogan", "video"), ("tgan", "video")]
    assert explorer.step == 20
    assert "update" not in sent


def test_choices_made_while_the_kernel_was_busy_arrive_in_one_message_and_stand(tgan, mocogan):
    explorer = SpectrumExplorer({"tgan": tgan, "mocogan": mocogan})
    explorer.set_state({"run": "mocogan", "discriminator": "video", "step": 30})
    explorer.set_state({"compare_run": "mocogan", "compare_discriminator": "image", "discriminator": "image"})
    assert explorer.shown == [("mocogan", "image"), ("mocogan", "image")]
    explorer.compare_run = "tgan"
    assert explorer.compare_discriminator == "video", "Python's choices are completed again"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("run", "gan", r"run 'gan' is unknown: did you mean 'tgan'\? The choices are \['tgan'\]"),
        ("compare_run", "gan", "compare_run 'gan' is unknown"),
        ("discriminator", "image", r"run 'tgan' has \['video'\]"),
        ("step", 11, r"step is 11, but the runs were probed at \[10, 20\]"),
        ("num_eigenvalues", 0, "0"),
        ("num_eigenvalues", 4, "but 3 were recorded"),
        ("scale", "log", "symlog"),
        ("density", True, "no density to show"),
    ],
)
def test_what_is_not_there_cannot_be_chosen(tgan, name, value, message):
    explorer = SpectrumExplorer({"tgan": tgan})
    before = getattr(explorer, name)
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before


# Densities


def test_a_density_is_of_the_last_step_unless_one_says_of_which(tgan, density):
    for densities in (density, {20: density}, {"tgan": density}, {("tgan", "video"): {np.int64(20): density}}):
        explorer = SpectrumExplorer(tgan, densities=densities)
        (curve,) = explorer._spectra[0]["discriminators"][0]["densities"]
        assert curve["step"] == 20
        assert explorer.density, "who gives a density wants to see it"
    explorer = SpectrumExplorer({"a": tgan, "b": tgan}, densities={"b": {10: density, 20: density}})
    assert [len(run["discriminators"][0]["densities"]) for run in explorer._spectra] == [0, 2]


def test_the_curve_is_that_of_the_density_and_its_integral_one(tgan, density):
    (curve,) = SpectrumExplorer(tgan, densities=density)._spectra[0]["discriminators"][0]["densities"]
    grid, values, errors = (np.array(curve[key]) for key in ("grid", "values", "errors"))
    _, expected, scatter = density.curve(grid)
    np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(errors, scatter, rtol=1e-3, atol=1e-6)
    assert abs(np.trapezoid(values, grid) - 1) < 1e-3


def test_a_density_of_a_single_sample_has_no_error(tgan):
    single = spectral_density(torch.diag(torch.linspace(-1, 1, 9)), samples=1, steps=4)
    (curve,) = SpectrumExplorer(tgan, densities=single)._spectra[0]["discriminators"][0]["densities"]
    assert set(curve["errors"]) == {None}


@pytest.mark.parametrize(
    ("densities", "message"),
    [
        ("density", r"whose they are, label → density; the runs are \['tgan', 'mocogan'\]"),
        ({"gan": "density"}, "the density label 'gan' is unknown: did you mean 'tgan'"),
        ({"mocogan": "density"}, r"discriminators \['image', 'video'\]: use the key \('mocogan', 'image'\)"),
        ({("tgan", "image"): "density"}, r"but run 'tgan' has the discriminators \['video'\]"),
        ({"tgan": 3.0}, "must be a SpectralDensity or step → SpectralDensity, got 3.0"),
    ],
)
def test_densities_of_nothing_are_refused(tgan, mocogan, density, densities, message):
    fill = {"density": density}
    densities = (
        {key: fill.get(value, value) for key, value in densities.items()} if isinstance(densities, dict) else density
    )
    with pytest.raises(ValueError, match=message):
        SpectrumExplorer({"tgan": tgan, "mocogan": mocogan}, densities=densities)


# Errors


def test_a_run_without_a_spectrum_is_named_and_one_learns_how_to_record_it(tmp_path, tgan):
    bare = write_run(tmp_path / "bare", [])
    with pytest.raises(ValueError, match=r"run 'other' \(.*bare\) has no spectrum: train it with .*SpectrumProbe\(\)"):
        SpectrumExplorer({"tgan": tgan, "other": bare})


@pytest.mark.parametrize(
    ("runs", "error", "message"),
    [
        ({}, ValueError, "runs is empty"),
        (3, ValueError, "label → Run or directory, got int"),
        ({"a": 3}, ValueError, "a run must be a Run or the directory of one, got int"),
        ("nowhere", FileNotFoundError, "nowhere is not a run directory"),
    ],
)
def test_what_is_no_run_is_refused(runs, error, message):
    with pytest.raises(error, match=message):
        SpectrumExplorer(runs)


def test_an_unknown_label_to_compare_with_is_refused(tgan):
    with pytest.raises(ValueError, match=r"compare_run 'gan' is unknown: .* choices are \['tgan'\]"):
        SpectrumExplorer({"tgan": tgan}, compare_run="gan")


# Readers without a kernel


def test_the_output_holds_the_widget_and_a_picture_with_alternative_text(tgan, mocogan):
    explorer = SpectrumExplorer({"tgan": tgan, "mocogan": mocogan}, compare_run="mocogan")
    explorer.step = 10
    data, metadata = explorer._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert data["text/plain"] == "SpectrumExplorer(['tgan', 'mocogan'], run='tgan', step=10)"
    alt = metadata["image/png"]["alt"]
    assert "tgan, step 10: λ⁺ 4, λ⁻ -3." in alt
    assert "mocogan video, step 14: λ⁺ 3, λ⁻ -1." in alt
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as image:
        assert image.width > 600
