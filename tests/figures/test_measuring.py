"""The figures of the chapter on measuring show the numbers that they were given."""

import math

import numpy as np
import pytest
import torch

from ldvd_lib import figures
from ldvd_lib.metrics import Extrapolation, SampleSizeCurve
from ldvd_lib.metrics.fvd_protocols import FVDUnder


def points_of(panel, marker: str) -> list[tuple[float, float]]:
    """Where a panel has a marker of this kind, one at a time."""
    lines = [line for line in panel.lines if line.get_marker() == marker and len(line.get_xdata()) == 1]
    return [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in lines]


def test_the_area_is_the_earth_movers_distance_along_the_direction() -> None:
    first = torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 5.0]], dtype=torch.float64)
    moved = first + torch.tensor([3.0, 0.0], dtype=torch.float64)
    angles = torch.arange(4, dtype=torch.float64) * math.pi / 4
    distances = {"moved": 3 * angles.cos().abs()}
    figure = figures.plot_directions(first, {"moved": moved}, distances, shown="moved", degrees=0)
    _, middle, right = figure.axes
    assert "area 3.00" in middle.get_title()
    (label,) = [text.get_text() for text in right.get_legend().get_texts()]
    assert label == f"moved: {distances['moved'].mean():.2f}"
    assert right.lines[0].get_xdata().tolist() == [0, 45, 90, 135]


def test_judges_are_drawn_in_units_of_real_clips() -> None:
    scores = {"one": {"real": [2.0, 4.0], "worse": [30.0, 30.0]}, "other": {"real": [0.5, 0.5], "worse": [1.0, 1.0]}}
    figure = figures.plot_judges(scores, real="real")
    (panel,) = figure.axes
    means = {marker: points_of(panel, marker) for marker in "oD"}
    assert means == {"o": [(1, 0), (10, 1)], "D": [(1, 0), (2, 1)]}
    assert [label.get_text() for label in panel.get_yticklabels()] == ["real", "worse"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["one", "other"]


def test_content_bias_has_a_curve_of_space_a_line_for_each_share_and_a_star_for_both() -> None:
    own = {(0.0, 0.0): 1.0, (0.5, 0.0): 4.0, (0.3, 0.0): 2.0, (0.0, 0.5): 3.0, (0.0, 1.0): 5.0, (0.3, 1.0): 6.0}
    figure = figures.plot_content_bias({"a": own, "b": own}, space="blur")
    for panel in figure.axes:
        curve = panel.lines[0]
        assert (curve.get_xdata().tolist(), curve.get_ydata().tolist()) == ([0, 0.3, 0.5], [1, 2, 4])
        assert [line.get_ydata()[0] for line in panel.lines if line.get_linestyle() == "--"] == [3, 5]
        assert points_of(panel, "*") == [(0.3, 6.0)]
        assert {text.get_text() for text in panel.texts} == {
            "50% of the frames shuffled",
            "100% of the frames shuffled",
        }


def test_scores_against_one_over_n_with_their_limits() -> None:
    curve = SampleSizeCurve((50, 100), torch.tensor([[4.0, 6.0], [3.0, 3.0]], dtype=torch.float64))
    lines = {"biased": {"a": Extrapolation(2.0, 100.0, 0.1)}}
    figure = figures.plot_sample_sizes({"biased": {"a": curve}, "flat": {"a": curve}}, lines)
    biased, flat = figure.axes
    assert biased.get_title() == "biased" and biased.lines[0].get_ydata().tolist() == [5, 3]
    assert biased.lines[0].get_xdata().tolist() == pytest.approx([0.02, 0.01])
    assert biased.lines[-1].get_ydata().tolist() == pytest.approx([2, 2 + 100 / 128])
    assert flat.lines[-1].get_ydata() == [3, 3], "without a line: the score of all"
    assert [label.get_text() for label in flat.get_xticklabels()] == ["∞", "512", "192", "96", "50"]


def test_trainings_with_their_own_deviations_and_the_interval_of_their_mean() -> None:
    scores = {"tgan": [[1.0, 3.0], [5.0, 7.0]], "tgan-f": [[2.0, 2.0], [4.0, 4.0]]}
    figure = figures.plot_trainings(scores, {"tgan": (0.0, 8.0), "tgan-f": (1.0, 5.0)}, metric="FID")
    (panel,) = figure.axes
    means = [line.get_xdata()[0] for line in panel.lines if line.get_color() == "0.35"]
    assert means == [4, 3]
    bands = [
        sorted({round(float(x), 6) for x in band.get_paths()[0].vertices[:, 0]}) for band in panel.collections[:3:2]
    ]
    assert bands[0][0] == 0 and bands[0][-1] == 8
    assert sorted(x for marker in "oD" for x, _ in points_of(panel, marker)) == [2, 2, 4, 6]
    assert panel.get_xlabel() == "FID"


def test_the_share_that_is_nearer() -> None:
    distances = {"pixels": {"held-out": torch.tensor([3.0, 1.0]), "copies": torch.tensor([0.0, 0.0, 2.0, 4.0])}}
    figure = figures.plot_nearest(distances)
    (panel,) = figure.axes
    held_out, copies = panel.lines
    assert (held_out.get_xdata().tolist(), held_out.get_ydata().tolist()) == ([1, 3], [0.5, 1])
    assert copies.get_ydata().tolist() == [0.25, 0.5, 0.75, 1]


def test_protocols_are_compared_with_the_first() -> None:
    rows = [
        FVDUnder("", "as usual", 200.0, 100.0, 8, "m", "j", "w"),
        FVDUnder("split", "against the test split", 300.0, None, 8, "m", "j", "w"),
    ]
    figure = figures.plot_protocols(rows)
    (panel,) = figure.axes
    assert points_of(panel, "D") == [(200, 0), (300, 1)] and points_of(panel, "o") == [(100, 0)]
    assert {text.get_text() for text in panel.texts} == {"200", "300  (× 1.50)"}
    assert [label.get_text() for label in panel.get_yticklabels()] == ["as usual", "split: against the test split"]
    assert np.isfinite(panel.get_xlim()).all()
