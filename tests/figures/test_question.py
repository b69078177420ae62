"""The scatter plot of the question."""

from dataclasses import replace

from ldvd_lib.figures import plot_question
from ldvd_lib.paper import Point

POINT = Point("3d-svc", 0, 500, "float32", 300.0, 200.0, 1.5, 9.0, 12.0, 1.1, 2.0, 0.8, True, False)


def test_a_marker_for_each_critic_that_lives_at_the_median_of_its_seeds() -> None:
    trainings = [
        *(replace(POINT, seed=seed, leading=leading, fid=100.0 + seed) for seed, leading in enumerate((1.0, 2.0, 9.0))),
        replace(POINT, critic="frames-free", leading=4.0, fid=500.0),
        replace(POINT, critic="c0-free", collapsed=True),
    ]
    figure = plot_question(trainings)
    assert len(figure.axes) == 2
    markers = [
        (line.get_xdata()[0], line.get_ydata()[0])
        for line in figure.axes[0].lines
        if line.get_marker() in set("so^v<DP") and line.get_linestyle() == "None"
    ]
    assert markers == [(2.0, 101.0), (4.0, 500.0)]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["3D", "frame by frame", "free", "singular values clipped"]
