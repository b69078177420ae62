"""Figures of training runs."""

import json

import numpy as np
import pytest

from ldvd_lib import figures, zoo
from ldvd_lib._kit.configuration import save_json, to_dict
from ldvd_lib.hessian import LossSurface, SpectralDensity
from ldvd_lib.runs import Run
from ldvd_lib.runs.run import RunConfig


def run_with(tmp_path, name: str, records: list[dict]) -> Run:
    directory = tmp_path / name
    directory.mkdir()
    save_json(to_dict(RunConfig(zoo.config("mocogan"))), directory / "config.json")
    lines = [json.dumps({"seconds": 0.1, **record}) + "\n" for record in records]
    (directory / "metrics.jsonl").write_text("".join(lines))
    return Run.open(directory)


def test_the_running_median_ignores_a_spike_and_keeps_the_length() -> None:
    values = np.array([1.0, 1.0, 50.0, 1.0, 1.0, 2.0])
    assert figures.smooth(values, 3).tolist() == [1, 1, 1, 1, 1, 1.5]


def test_every_loss_and_score_is_drawn_once_a_run(tmp_path) -> None:
    tgan = [
        {"step": s, "generator_loss": s, "video_loss": -s, "video_real_score": 1, "video_fake_score": 0} for s in (1, 2)
    ]
    mocogan = [
        {"step": s, "generator_loss": s, "image_loss": 1, "video_loss": 2, "video_real_score": 3} for s in (1, 2)
    ]
    figure = figures.plot_training({"a": run_with(tmp_path, "a", tgan), "b": run_with(tmp_path, "b", mocogan)})
    left, right = figure.axes
    labels = {text.get_text() for axes in (left, right) for text in axes.get_legend().get_texts()}
    assert labels == {
        "generator loss, a",
        "video loss, a",
        "video real score, a",
        "video fake score, a",
        "generator loss, b",
        "image loss, b",
        "video loss, b",
        "video real score, b",
    }


def with_spectrum(run: Run, spectra: dict[str, list[list[float]]]) -> Run:
    """The run, with eigenvalues for each discriminator: a list for every tenth step."""
    lines = [
        {
            "step": 10 * number,
            "discriminator": name,
            "eigenvalues": values,
            "largest": max(values) + 0.5,
            "smallest": min(values) - 0.5,
        }
        for name, probes in spectra.items()
        for number, values in enumerate(probes, start=1)
    ]
    (run.directory / "spectrum.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run


PROBES = [[8.0, -3.0, 1.0], [-40.0, 12.0, 2.0], [20.0, -6.0, 0.0]]


def dots(panel) -> set[tuple[float, float]]:
    """Step and value of every dot."""
    return {tuple(point) for collection in panel.collections for point in collection.get_offsets().tolist()}


def test_every_eigenvalue_is_a_dot_and_the_ends_of_the_run_are_named(tmp_path) -> None:
    figure = figures.plot_spectrum(with_spectrum(run_with(tmp_path, "a", []), {"video": PROBES}))
    (panel,) = figure.axes
    assert dots(panel) == {(10.0 * n, value) for n, values in enumerate(PROBES, start=1) for value in values}
    above, below = (np.array(collection.get_offsets())[:, 1] for collection in panel.collections)
    assert (above > 0).all()
    assert (below <= 0).all()
    texts = {text.get_text(): text.xy for text in panel.texts}
    assert texts == {"λ⁺ = 20.5": (30, 20.5), "λ⁻ = -40.5": (20, -40.5)}
    assert panel.get_title() == "video"
    assert panel.get_yscale() == "symlog"
    low, high = panel.get_ylim()
    assert low < -40.5 < 20.5 < high


def test_every_discriminator_of_every_run_has_a_panel_on_the_same_axis(tmp_path) -> None:
    both = with_spectrum(run_with(tmp_path, "both", []), {"image": PROBES, "video": [[1000.0, -1.0]]})
    run = with_spectrum(run_with(tmp_path, "one", []), {"video": PROBES})
    figure = figures.plot_spectrum({"MoCoGAN": both, "TGAN": run}, scale="linear")
    assert [panel.get_title() for panel in figure.axes] == ["MoCoGAN: image", "MoCoGAN: video", "TGAN"]
    assert len({panel.get_ylim() for panel in figure.axes}) == 1
    assert {panel.get_yscale() for panel in figure.axes} == {"linear"}
    assert [panel.get_title() for panel in figures.plot_spectrum(both).axes] == ["image", "video"]


def test_a_missing_spectrum_says_which_run_and_what_to_do(tmp_path) -> None:
    run = with_spectrum(run_with(tmp_path, "there", []), {"video": PROBES})
    with pytest.raises(ValueError, match=r"missing has no spectrum.*SpectrumProbe.*ldvd hessian"):
        figures.plot_spectrum({"a": run, "b": run_with(tmp_path, "missing", [])})


def test_a_spectrum_of_zeros_can_be_drawn(tmp_path) -> None:
    run = with_spectrum(run_with(tmp_path, "a", []), {"video": [[0.0, 0.0]]})
    path = figures.save(figures.plot_spectrum(run), tmp_path / "figure.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a", "figure.png"]  # nothing half-written is left


def test_a_density_is_drawn_with_its_band_unless_there_is_none() -> None:
    nodes, weights = np.array([[0.0, 1.0], [0.1, 0.9]]), np.full((2, 2), 0.5)
    pooled, single = SpectralDensity(nodes, weights, 10, 4), SpectralDensity(nodes[:1], weights[:1], 10, 2)
    (panel,) = figures.plot_density({"TGAN": pooled, "TGAN-F": single}).axes
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["TGAN", "TGAN-F"]
    assert len(panel.collections) == 1  # a single sample has no error
    for line, density in zip(panel.lines, (pooled, single), strict=True):
        grid, values, _ = density.curve()
        assert line.get_xdata().tolist() == grid.tolist()
        assert line.get_ydata().tolist() == values.tolist()
    low, high = panel.get_ylim()
    assert panel.get_yscale() == "log"
    assert 0 < low < max(line.get_ydata().max() for line in panel.lines) < high
    assert figures.plot_density(pooled).axes[0].get_legend() is None


def test_surfaces_share_their_colours_and_stand_the_right_way_up() -> None:
    offsets = np.linspace(-1, 1, 5)
    along_first = np.repeat(offsets[:, None] ** 2, 5, axis=1)  # curved only along the first direction
    surfaces = {"a": LossSurface(offsets, 7 + along_first), "b": LossSurface(offsets, -10 * along_first)}
    figure = figures.plot_surface(surfaces, axes=("first", "second"))
    *panels, bar = figure.axes
    assert [panel.get_title() for panel in panels] == ["a", "b"]
    for panel in panels:
        assert (panel.get_xlabel(), panel.get_ylabel()) == ("first", "second")
    filled = [panel.collections[0] for panel in panels]
    assert {contours.get_clim() for contours in filled} == {filled[0].get_clim()}
    assert filled[0].get_clim() == pytest.approx((-10, 10))
    assert "loss" in bar.get_ylabel()
    outlines = [path.vertices for part in panels[0].collections for path in part.get_paths() if len(path.vertices)]
    assert outlines
    for vertices in outlines:  # a function of x alone has level lines that run along y, from end to end
        for x in np.unique(vertices[:, 0].round(6)):
            assert np.ptp(vertices[vertices[:, 0].round(6) == x, 1]) == pytest.approx(2)


def test_a_flat_surface_is_drawn_without_lines() -> None:
    flat = LossSurface(np.linspace(-1, 1, 3), np.ones((3, 3)))
    assert figures.plot_surface(flat).axes[0].get_title() == ""


def test_every_training_of_a_model_is_a_line_without_its_penalty(tmp_path) -> None:
    def training(name: str, penalty: float) -> Run:
        records = [
            {
                "step": s,
                "video_loss": 5 + penalty,
                "video_real_score": 3 * s,
                "video_fake_score": s,
                "generator_loss": 1,
            }
            | ({"video_r1": penalty} if penalty else {})
            for s in (1, 2)
        ]
        return with_spectrum(run_with(tmp_path, name, records), {"video": PROBES})

    runs = {"R1": [training("a", 2.0), training("b", 4.0)], "SVC": [training("c", 0.0)]}
    loss, scores, curvature = figures.plot_seeds(runs, "video").axes
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["R1, seed 0", "R1, seed 0", "SVC, seed 0"]
    for line in loss.lines:
        assert list(line.get_ydata()) == [5, 5]
    for line in scores.lines:
        assert list(line.get_ydata()) in ([2, 4], [3, 3])  # as logged, and the running median
    assert [list(line.get_ydata()) for line in curvature.lines] == [[8.5, 12.5, 20.5]] * 3
    assert curvature.get_yscale() == "log"
    assert len({line.get_color() for line in curvature.lines}) == 2
    with pytest.raises(ValueError, match="no spectrum of 'image'"):
        figures.plot_seeds(runs, "image")
