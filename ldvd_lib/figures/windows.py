"""A generator that learns on windows of a film: what that saves, where seams would be, and whether the film holds."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")  # colour-blind readers can tell them apart, too
SHAPES = "osD^v"
GUIDE = "0.55"


def plot_by_length(lengths: Sequence[int], costs: Mapping[str, Mapping[str, Sequence[float]]]) -> "Figure":
    """What something costs by the length of the film, on logarithmic axes: a panel for each quantity.

    Args:
        lengths: frames.
        costs: quantity, with its unit → label → a positive number for each length. All have the same labels.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.4 * len(costs) + 1.8, 3.4), layout="constrained")
    panels = figure.subplots(1, len(costs), squeeze=False)[0]
    for panel, (quantity, lines) in zip(panels, costs.items(), strict=True):
        for number, (label, values) in enumerate(lines.items()):
            style: dict[str, Any] = {
                "color": COLOURS[number % len(COLOURS)],
                "marker": SHAPES[number % len(SHAPES)],
                "markersize": 5,
            }
            panel.plot(lengths, values, label=label, **style)
        panel.set(xscale="log", yscale="log", xlabel="frames of the film", ylabel=quantity)
        panel.set_xticks(lengths, list(map(str, lengths)))
        panel.minorticks_off()
        _plain(panel)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper", frameon=False, fontsize=9)
    return figure


def plot_seams(apart: Mapping[str, Sequence[float] | Tensor], window: int, *, quantity: str) -> "Figure":
    """How far a film that was put together of windows is from the film painted in one go, frame by frame.

    Args:
        apart: label → a number for each frame; where it is 0, nothing is drawn.
        window: frames of a window; dotted lines stand where one ends and the next begins.
        quantity: what is drawn, with its unit.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 1.7 * len(apart) + 0.5), layout="constrained")
    panels = figure.subplots(len(apart), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for panel, (label, values) in zip(panels, apart.items(), strict=True):
        panel.bar(range(len(values)), np.asarray(values), 0.8, color=COLOURS[1])
        for border in range(window, len(values), window):
            panel.axvline(border - 0.5, color=GUIDE, linestyle=":", linewidth=1)
        panel.set_title(label, fontsize=9, loc="left")
        panel.set_xlim(-0.7, len(values) - 0.3)
        _plain(panel)
    panels[-1].set_xlabel("frame")
    figure.supylabel(quantity, fontsize=9)
    return figure


def plot_matches(pairs: Mapping[str, tuple[Tensor, Tensor]], *, quantity: str) -> "Figure":
    """A number of films against the same of what each was made from: a panel for each generator, a dot for each pair.

    Args:
        pairs: label → the numbers of what films were made from, and those of the films, in [-1, 1]; on the line drawn
            the two are equal.
        quantity: what the numbers are.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.6 * len(pairs) + 0.4, 3.6), layout="constrained")
    panels = figure.subplots(1, len(pairs), sharey=True, squeeze=False)[0]
    for panel, colour, (label, (plans, films)) in zip(panels, COLOURS, pairs.items(), strict=False):
        panel.plot((-1, 1), (-1, 1), color=GUIDE, linestyle="--", linewidth=1)
        panel.plot(plans.numpy(), films.numpy(), "o", color=colour, markersize=4, alpha=0.6)
        panel.set(title=label, xlabel=f"{quantity}, plan", xlim=(-1, 1), ylim=(-1, 1), aspect="equal")
        _plain(panel)
    panels[0].set_ylabel(f"{quantity}, film")
    return figure


def plot_windows_apart(
    distances: Mapping[str, Sequence[float] | Tensor], others: Mapping[str, float], window: int, *, quantity: str
) -> "Figure":
    """How far windows of a film are from each other, by how many windows lie between their beginnings.

    Args:
        distances: label → the mean distance of neighbours, of next neighbours, and so on.
        others: label → the mean distance of windows of different films, a dashed line of the same colour.
        window: frames of a window.
        quantity: what the distances are, with their unit.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    panel = figure.subplots()
    for number, (label, values) in enumerate(distances.items()):
        colour = COLOURS[number % len(COLOURS)]
        lags = [window * lag for lag in range(1, len(values) + 1)]
        panel.plot(
            lags, np.asarray(values), color=colour, marker=SHAPES[number % len(SHAPES)], markersize=4, label=label
        )
        if label in others:
            panel.axhline(others[label], color=colour, linestyle="--", linewidth=1)
    panel.set(xlabel="frames from one window to the other", ylabel=quantity)
    panel.set_ylim(bottom=0)
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    _plain(panel)
    return figure


def _plain(panel: "Axes") -> None:
    panel.grid(alpha=0.25)
    panel.spines[["top", "right"]].set_visible(False)
