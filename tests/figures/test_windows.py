"""Figures of films and their windows show the numbers that they were given."""

import pytest
import torch

from ldvd_lib import figures


def test_costs_are_drawn_by_length_on_logarithmic_axes() -> None:
    costs = {
        "kept, MiB": {"windows": [4.0, 4.0, 4.0], "all frames": [8.0, 16.0, 32.0]},
        "arithmetic, G": {"windows": [1.0, 1.1, 1.2], "all frames": [1.0, 2.0, 4.0]},
    }
    figure = figures.plot_by_length([16, 32, 64], costs)
    for panel, (quantity, lines) in zip(figure.axes, costs.items(), strict=True):
        assert (panel.get_xscale(), panel.get_yscale(), panel.get_ylabel()) == ("log", "log", quantity)
        assert [text.get_text() for text in panel.get_xticklabels()] == ["16", "32", "64"]
        assert [list(line.get_ydata()) for line in panel.lines] == list(lines.values())
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["windows", "all frames"]


def test_seams_are_bars_between_the_borders_of_windows() -> None:
    apart = {"side by side": torch.tensor([0.0, 0, 1, 2, 0, 0]), "overlapping": [0.0] * 6}
    figure = figures.plot_seams(apart, 3, quantity="levels")
    for panel, (label, values) in zip(figure.axes, apart.items(), strict=True):
        assert panel.get_title(loc="left") == label
        assert [bar.get_height() for bar in panel.patches] == pytest.approx(list(map(float, values)))
        (border,) = panel.lines
        assert border.get_xdata()[0] == 2.5


def test_a_film_stands_over_what_it_was_made_from() -> None:
    pairs = {
        "with it": (torch.tensor([-0.5, 0.5]), torch.tensor([-0.4, 0.6])),
        "without": (torch.tensor([-0.5, 0.5]), torch.tensor([0.1, 0.1])),
    }
    figure = figures.plot_matches(pairs, quantity="mean colour")
    for panel, (label, (plans, films)) in zip(figure.axes, pairs.items(), strict=True):
        assert panel.get_title() == label
        equal, dots = panel.lines
        assert list(equal.get_xdata()) == list(equal.get_ydata())
        assert list(dots.get_xdata()) == plans.tolist()
        assert list(dots.get_ydata()) == films.tolist()
        assert panel.get_xlabel() == "mean colour, plan"
    assert figure.axes[0].get_ylabel() == "mean colour, film"


def test_windows_stand_as_far_apart_as_their_beginnings() -> None:
    distances = {"real": [1.0, 2.0, 2.5], "generated": torch.tensor([1.5, 2.0, 2.0])}
    figure = figures.plot_windows_apart(distances, {"real": 9.0}, 8, quantity="levels of 255")
    (panel,) = figure.axes
    real, others, generated = panel.lines
    assert list(real.get_xdata()) == list(generated.get_xdata()) == [8, 16, 24]
    assert list(real.get_ydata()) == [1, 2, 2.5]
    assert list(generated.get_ydata()) == pytest.approx([1.5, 2, 2])
    assert list(others.get_ydata()) == [9, 9]
    assert others.get_color() == real.get_color()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["real", "generated"]
