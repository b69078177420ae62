"""The picture of a table: whose bars are of what kind, and what collapsed."""

from matplotlib.figure import Figure

from ldvd_lib import paper
from ldvd_lib.figures import draw_table
from ldvd_lib.runs import Measured


def titles(figure: Figure) -> list[str]:
    return [panel.get_title() for panel in figure.axes]


def measured(trainings: int = 3) -> dict[str, dict[str, Measured]]:
    means = {"mocogan": 3.0, "mocogan-2x": 4.0, "mocogan-video-k2": 9.0}
    return {model: {"is": Measured(mean, 0.5, trainings, 3, 0.1)} for model, mean in means.items()}


def numbers(figure: Figure, title: str) -> list[str]:
    (panel,) = (panel for panel in figure.axes if panel.get_title() == title)
    return [text.get_text() for text in panel.texts if text.get_text() != "–"]


def test_bars_of_samples_and_of_trainings_stand_below_the_papers_on_one_axis() -> None:
    figure = draw_table(paper.table("2"), measured(), "lite", whose="ours")
    own = [title for title in titles(figure) if title.startswith("IS")]
    assert [title.rpartition(": ")[2] for title in own] == ["the paper", "ours, ± of samples", "ours, ± of trainings"]
    assert numbers(figure, own[1]) == ["3.00 ± 0.10", "4.00 ± 0.10", "9.00 ± 0.10 ★"]
    assert numbers(figure, own[2]) == ["3.00 ± 0.50", "4.00 ± 0.50", "9.00 ± 0.50 ★"]
    samples, trainings = (panel for panel in figure.axes if panel.get_title() in own[1:])
    assert samples.get_xlim() == trainings.get_xlim()


def test_of_single_trainings_there_is_one_kind_of_bar() -> None:
    figure = draw_table(paper.table("2"), measured(trainings=1), "lite", whose="ours")
    assert [title for title in titles(figure) if "own scale" in title] == titles(figure)[1::2]
    assert len(draw_table(paper.table("2"), {}, "").axes) == 2


def test_what_collapsed_is_marked_and_neither_best_nor_among_the_pairs() -> None:
    figure = draw_table(paper.table("2"), measured(), "lite", whose="ours", collapsed=("mocogan-video-k2",))
    _, _, own = (title for title in titles(figure) if title.startswith("IS"))
    assert numbers(figure, own) == ["3.00 ± 0.50", "4.00 ± 0.50 ★", "9.00 ± 0.50"]
    (panel,) = (panel for panel in figure.axes if panel.get_title() == own)
    faces = [line.get_markerfacecolor() for line in panel.lines if line.get_marker() == "D"]
    assert [face == "white" for face in faces] == [False, False, True]
    below = figure.get_supxlabel()
    assert "empty markers: a critic collapsed" in below
    assert "IS, pairs of models: 0 in the paper's order, 0 in the other, 1 too close to call" in below
