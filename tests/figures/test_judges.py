"""Figures of two judges show the numbers that they were given."""

import numpy as np
import pytest
import torch

from ldvd_lib import figures

JUDGES = {
    "D_S": {"shuffled": (0.0, 0.0), "blurred": (-2.0, 0.5)},
    "D_T": {"shuffled": (-1.5, 0.2), "blurred": (0.3, 0.1)},
}


def test_every_way_has_a_dot_and_an_error_of_each_judge() -> None:
    figure = figures.plot_noticed(JUDGES, unit="deviations")
    (panel,) = figure.axes
    assert [text.get_text() for text in panel.get_yticklabels()] == ["shuffled", "blurred"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["D_S", "D_T"]
    for drawn, own in zip(panel.containers, JUDGES.values(), strict=True):
        dots, _, (bars,) = drawn.lines
        assert list(dots.get_xdata()) == [value for value, _ in own.values()]
        assert [round(row) for row in dots.get_ydata()] == [0, 1]
        widths = [(ends[1, 0] - ends[0, 0]) / 2 for ends in bars.get_segments()]
        assert widths == pytest.approx([error for _, error in own.values()])
    assert panel.get_ylim()[0] > panel.get_ylim()[1], "the first row is on top"


def test_costs_are_shares_of_the_whole() -> None:
    costs = {"both": {"pixels": 3.0, "parameters": 8.0}, "one": {"pixels": 4.0, "parameters": 2.0}}
    figure = figures.plot_costs(costs, whole="one")
    drawn = {panel.get_title(): [bar.get_width() for bar in panel.patches] for panel in figure.axes}
    assert drawn == {"pixels": [0.75, 1.0], "parameters": [4.0, 1.0]}
    assert [text.get_text() for text in figure.axes[1].texts] == ["400%", "100%"]


def test_what_a_label_does_is_a_rows_deviation_from_its_mean() -> None:
    own = torch.tensor([[1.0, 3.0], [10.0, 6.0]])
    figure = figures.plot_labels({"D_S": own, "D_T": -own}, ["walk", "run"])
    panels = [panel for panel in figure.axes if panel.get_title()]
    images = [np.asarray(panel.images[0].get_array()) for panel in panels]
    assert images[0].tolist() == [[-1, 1], [2, -2]]
    assert (images[1] == -images[0]).all()
    assert panels[0].images[0].get_clim() == (-2, 2), "white is 0"
    assert [text.get_text() for text in panels[1].get_xticklabels()] == ["walk", "run"]


def test_a_change_stands_at_the_frame_into_which_it_leads() -> None:
    figure = figures.plot_change({"real": [1.0, 2.0, 4.0], "stuck": torch.tensor([1.0, 0.1, 0.01])}, quantity="levels")
    (panel,) = figure.axes
    assert (panel.get_yscale(), panel.get_ylabel()) == ("log", "levels")
    real, stuck = panel.lines
    assert list(real.get_xdata()) == [1, 2, 3]
    assert list(real.get_ydata()) == [1, 2, 4]
    assert list(stuck.get_ydata()) == pytest.approx([1, 0.1, 0.01])
