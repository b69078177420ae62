"""Figures of generators with several levels."""

import numpy as np
import pytest
import torch

from ldvd_lib import anatomy, figures
from ldvd_lib.anatomy import Anatomy
from ldvd_lib.generators import TGANv2Generator


@pytest.fixture(scope="module")
def tables() -> dict[str, Anatomy]:
    """A small generator that leaves out nothing, or both."""
    return {subsampling: dissected(subsampling=subsampling) for subsampling in ("none", "both")}


def dissected(**options: object) -> Anatomy:
    small = {"map_size": 4, "recurrent_channels": 8, "base_channels": 4, "levels": 2}
    return anatomy.dissect(TGANv2Generator(16, 8, 5, **small | options))


def test_stages_add_up_to_the_whole(tables) -> None:
    parameters, arithmetic, kept = figures.plot_stages(tables).axes
    wanted = {
        arithmetic: [table.multiply_adds / 1e9 for table in tables.values()],
        kept: [table.activation_bytes / 2**20 for table in tables.values()],
        parameters: [tables["none"].parameters / 1e6],  # the same in both, and drawn once
    }
    for panel, totals in wanted.items():
        drawn = [sum(bar.get_width() for bar in bars) for bars in panel.containers]
        assert drawn == pytest.approx(totals)
    stages = [text.get_text().split()[0] for text in parameters.get_yticklabels()]
    assert stages == ["start.0", "recurrent.cells", "blocks.0", "blocks.1", "renderings.0", "renderings.1"]
    assert parameters.yaxis_inverted()
    assert [text.get_text() for text in kept.get_legend().get_texts()] == ["none", "both"]


def test_unequal_parameters_are_drawn_of_each(tables) -> None:
    parameters = figures.plot_stages({"narrow": tables["none"], "wide": dissected(base_channels=8)}).axes[0]
    assert len(parameters.containers) == 2
    with pytest.raises(ValueError, match="'narrow', 'deep' have different rows"):
        figures.plot_stages({"narrow": tables["none"], "deep": dissected(recurrent_layers=2)})


def test_growth_is_drawn_on_logarithmic_axes_beside_two_powers() -> None:
    costs = {"none": [8.0, 64.0, 512.0], "both": [8.0, 16.0, 32.0]}
    (panel,) = figures.plot_growth([8, 16, 32], costs, quantity="MiB").axes
    assert (panel.get_xscale(), panel.get_yscale(), panel.get_ylabel()) == ("log", "log", "MiB")
    linear, cube, none, both = (line.get_ydata() for line in panel.lines)
    assert list(linear) == list(both) == [8, 16, 32]
    assert list(cube) == list(none) == [8, 64, 512]
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["none", "both"]


def test_every_frame_is_below_its_moment_and_gaps_are_empty() -> None:
    coarse = torch.linspace(-1, 1, 4)[None, :, None, None].expand(3, 4, 2, 2)
    fine = coarse[:, 1::2].repeat_interleave(2, -1).repeat_interleave(2, -2)
    figure = figures.draw_levels({"coarse": (coarse, range(4)), "fine": (fine, (1, 3))})
    panels = np.array(figure.axes).reshape(2, 4)
    assert [panel.get_title() for panel in panels[0]] == ["0", "1", "2", "3"]
    assert [bool(panel.images) for panel in panels[1]] == [False, True, False, True]
    for frame in (1, 3):
        above, below = (np.asarray(panels[row, frame].images[0].get_array()) for row in (0, 1))
        assert above.shape == (2, 2, 3)
        assert below.shape == (4, 4, 3)
        assert (above[0, 0] == below[0, 0]).all()


def test_frames_without_numbers_are_not_drawn() -> None:
    with pytest.raises(ValueError, match="'a' has 4 frames, and numbers for 3"):
        figures.draw_levels({"a": (torch.zeros(3, 4, 2, 2), range(3))})


def test_an_ablation_has_a_dot_for_every_training() -> None:
    panels = {"published": {"all": [22.7], "none": [12.1]}, "ours": {"all": [3.0, 5.0], "none": [2.0]}}
    figure = figures.plot_ablation(panels, "IS", deviations={"published": {"all": 0.2}}, collapsed=[("ours", "none")])
    published, ours = figure.axes
    assert [panel.get_title() for panel in figure.axes] == ["published", "ours"]
    means, dots = (
        [list(line.get_xdata()) for line in ours.lines if (line.get_marker() == "o") == is_dots]
        for is_dots in (False, True)
    )
    assert means == [[4, 4], [2, 2]]
    assert dots == [[3, 5], [2]]
    assert ours.lines[-1].get_markerfacecolor() == "white"
    assert [text.get_text() for text in published.get_yticklabels()] == ["all", "none"]
    (bar,) = [bars for bars in published.collections if len(bars.get_segments()[0])]
    assert bar.get_segments()[0][:, 0].tolist() == pytest.approx([22.5, 22.9])
