"""Curvature against quality: does the calmer critic teach better?"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ldvd_lib.paper import Point, correlation
from ldvd_lib.paper.answer import living
from ldvd_lib.paper.question import CURVATURES, KINDS_IN_WORDS, QUALITIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = dict(zip(KINDS_IN_WORDS, "so^v<DP", strict=True))
COLOURS = {"free": "#d55e00", "svc": "#0072b2", "sn": "#009e73"}  # colour-blind readers can tell them apart, too
WORDS = {"free": "free", "svc": "singular values clipped", "sn": "spectral norm"}


def plot_question(
    points: Iterable[Point], curvatures: Iterable[str] = ("leading", "step_leading"), quality: str = "fid"
) -> "Figure":
    """A panel for each measure of curvature: a marker for each critic, at the median of its trainings.

    Bars reach from the lowest to the highest training. What collapsed is left out.

    Args:
        points: trainings of the question, of two critics or more.
        curvatures: keys of `ldvd_lib.paper.question.CURVATURES`.
        quality: a key of its `QUALITIES`.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    points, curvatures = list(points), list(curvatures)
    figure = Figure(figsize=(4.4 * len(curvatures) + 2.2, 4.4), layout="constrained")
    panels = figure.subplots(1, len(curvatures), sharey=True, squeeze=False)[0]
    for panel, curvature in zip(panels, curvatures, strict=True):
        _scatter(panel, points, curvature, quality)
    panels[0].set_ylabel(f"{QUALITIES[quality]} (lower is better)")
    shown = list(living(points).values())
    kinds = [kind for kind in MARKERS if any(own[0].kind == kind for own in shown)]
    constraints = [constraint for constraint in COLOURS if any(own[0].constraint == constraint for own in shown)]
    handles = [
        *(Line2D([], [], ls="", marker=MARKERS[kind], color="0.35", label=KINDS_IN_WORDS[kind]) for kind in kinds),
        *(Line2D([], [], ls="-", lw=4, color=COLOURS[name], label=WORDS[name]) for name in constraints),
    ]
    figure.legend(handles=handles, loc="outside right center", frameon=False, fontsize=9)
    return figure


def _scatter(panel: "Axes", points: list[Point], curvature: str, quality: str) -> None:
    from matplotlib.ticker import LogLocator

    for own in living(points).values():
        x, y = (np.array([getattr(point, key) for point in own]) for key in (curvature, quality))
        middle = np.median(x), np.median(y)
        colour = COLOURS[own[0].constraint]
        reach = [
            [[centre - values.min()], [values.max() - centre]] for centre, values in zip(middle, (x, y), strict=True)
        ]
        panel.errorbar(*middle, xerr=reach[0], yerr=reach[1], color=colour, linewidth=1, alpha=0.4)
        panel.plot(*middle, MARKERS[own[0].kind], color=colour, markersize=9, markeredgecolor="white", zorder=3)
    found = correlation(points, curvature, quality)
    if found:
        panel.set_title(f"rank correlation over {found.critics} critics (95 %): {found}", fontsize=9)
    if curvature.startswith("step"):
        panel.axvline(2, color="0.5", linestyle=":", linewidth=1)
        panel.annotate(
            " where λ > 0, a step overshoots",
            (2, 0.98),
            xycoords=("data", "axes fraction"),
            va="top",
            fontsize=8,
            color="0.4",
        )
    panel.set(xscale="log", yscale="log", xlabel=CURVATURES[curvature])
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("")
    panel.grid(alpha=0.25, which="both")
