"""Two judges of one generator: what each notices, what each costs, what a label is worth to it; and what moves."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7")  # colour-blind readers can tell them apart, too
SHAPES = "oDs^"
WHOLE = "0.6"


def plot_noticed(changes: Mapping[str, Mapping[str, tuple[float, float]]], *, unit: str) -> "Figure":
    """How much each judge's mean score changes when clips are spoilt: a row for each way, with standard errors.

    Args:
        changes: judge → way → the change, and its standard error.
        unit: what they are counted in.
    """
    from matplotlib.figure import Figure

    ways = list(next(iter(changes.values())))
    figure = Figure(figsize=(9, 0.31 * len(ways) + 1.2), layout="constrained")
    panel = figure.subplots()
    panel.axvline(0, color="0.4", linewidth=1)
    for number, (judge, own) in enumerate(changes.items()):
        rows = [row + 0.22 * (number - (len(changes) - 1) / 2) for row in range(len(ways))]
        values, errors = zip(*(own[way] for way in ways), strict=True)
        style: dict[str, Any] = {"fmt": SHAPES[number], "color": COLOURS[number], "label": judge, "markersize": 6}
        panel.errorbar(values, rows, xerr=errors, **style)
    panel.set_yticks(range(len(ways)), ways)
    panel.set(ylim=(len(ways) - 0.4, -0.6), xlabel=f"change of the mean score, in {unit}")
    panel.grid(alpha=0.25, axis="x")
    panel.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=len(changes), frameon=False)
    return figure


def plot_costs(costs: Mapping[str, Mapping[str, float]], *, whole: str) -> "Figure":
    """What networks see and cost, as shares of one of them: a panel for each quantity.

    Args:
        costs: network → quantity → amount, the same quantities for all.
        whole: the network that is 100 %.
    """
    from matplotlib.figure import Figure

    quantities = list(costs[whole])
    figure = Figure(figsize=(11, 0.36 * len(costs) + 0.9), layout="constrained")
    panels = figure.subplots(1, len(quantities), sharey=True, squeeze=False)[0]
    colours = [WHOLE if name == whole else COLOURS[number % len(COLOURS)] for number, name in enumerate(costs)]
    for panel, quantity in zip(panels, quantities, strict=True):
        shares = [own[quantity] / costs[whole][quantity] for own in costs.values()]
        bars = panel.barh(range(len(costs)), shares, 0.7, color=colours)
        panel.bar_label(bars, [f"{share:.0%}" for share in shares], padding=2, fontsize=8)
        panel.set_title(quantity, fontsize=9)
        panel.set_xticks([])
        panel.margins(x=0.2)
        panel.spines[["top", "right", "bottom"]].set_visible(False)
    panels[0].set_yticks(range(len(costs)), list(costs))
    panels[0].invert_yaxis()
    return figure


def plot_labels(scores: Mapping[str, Tensor], classes: Sequence[str]) -> "Figure":
    """What clips of each class score under each label: a panel for each judge, blue where a label raises the score.

    Each row is shown without its mean, so that what is left is what the label does.

    Args:
        scores: judge → ``(classes, labels)``, mean scores of the clips of a class that are judged under a label.
        classes: their names.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2 * len(scores) + 0.6, 4.8), layout="constrained")
    panels = figure.subplots(1, len(scores), sharey=True, squeeze=False)[0]
    for panel, (judge, own) in zip(panels, scores.items(), strict=True):
        centred = (own - own.mean(dim=1, keepdim=True)).numpy()
        reach = float(np.abs(centred).max())
        image = panel.imshow(centred, cmap="RdBu", vmin=-reach, vmax=reach)
        panel.set_xticks(range(len(classes)), classes, rotation=45, ha="right", fontsize=8)
        panel.set(title=judge, xlabel="judged as")
        figure.colorbar(image, ax=panel, shrink=0.7)
    panels[0].set_yticks(range(len(classes)), classes, fontsize=8)
    panels[0].set_ylabel("clips of")
    return figure


def plot_change(changes: Mapping[str, Sequence[float] | Tensor], *, quantity: str) -> "Figure":
    """How much something changes from each frame to the next, over time.

    Args:
        changes: label → the change into frame 1, 2, …; not 0.
        quantity: what changes, with its unit.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    panel = figure.subplots()
    for number, (label, values) in enumerate(changes.items()):
        style: dict[str, Any] = {"color": COLOURS[number % 4], "marker": SHAPES[number % 4], "markersize": 4}
        panel.plot(range(1, len(values) + 1), values, label=label, **style)
    panel.set(xlabel="frame", ylabel=quantity, yscale="log")
    panel.grid(alpha=0.25)
    panel.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    return figure
