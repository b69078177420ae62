"""A generator of several levels: what it costs, block by block and as it grows, what it paints, what it scores."""

from collections.abc import Collection, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from torch import Tensor

from ldvd_lib import video

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ldvd_lib.anatomy import Anatomy

COLOURS = ("#999999", "#0072b2", "#e69f00", "#009e73")  # colour-blind readers can tell them apart, too
MARKERS, LINES = "soD^", ("-", "-", "-", "--")  # the last may lie on the third
QUANTITIES = {  # attribute of a row → heading, and how many make a unit
    "parameters": ("parameters, M", 1e6),
    "multiply_adds": ("multiply-adds of a clip, G", 1e9),
    "activation_bytes": ("kept of a clip, MiB", 2**20),
}


def plot_stages(anatomies: "Mapping[str, Anatomy]") -> "Figure":
    """What the stages of a generator cost, from the latent down to the pixels: a panel for each quantity.

    A stage is what has the same first two parts in its name: a block, a rendering. Where all have equal parameters,
    these are drawn once.

    Args:
        anatomies: label → the same network under another condition, each with the same rows.

    Returns:
        A figure of three panels: parameters, multiply-adds, activations that are kept for training.

    Raises:
        ValueError: if rows differ.
    """
    from matplotlib.figure import Figure

    first, *others = anatomies.values()
    if any([row.name for row in other.rows] != [row.name for row in first.rows] for other in others):
        raise ValueError(f"{', '.join(map(repr, anatomies))} have different rows, and cannot be drawn stage by stage")
    stages: dict[str, str] = {}  # stage → what comes out of it
    for row in first.rows:
        stages[_stage(row.name)] = "×".join(map(str, row.shape))
    figure = Figure(figsize=(11, 0.36 * len(stages) + 1.1), layout="constrained")
    panels = figure.subplots(1, len(QUANTITIES), sharey=True)
    for panel, (quantity, (heading, unit)) in zip(panels, QUANTITIES.items(), strict=True):
        costs = {label: _by_stage(anatomy, stages, quantity, unit) for label, anatomy in anatomies.items()}
        if quantity == "parameters" and len(set(map(tuple, costs.values()))) == 1:
            costs = {"": next(iter(costs.values()))}
        height = 0.76 / len(costs)
        for number, (label, values) in enumerate(costs.items()):
            places = [place - 0.38 + height * (number + 0.5) for place in range(len(stages))]
            colour = COLOURS[number] if label else "0.35"
            drawn = panel.barh(places, values, height, color=colour, label=label or None)
            panel.bar_label(drawn, [_short(value) for value in values], padding=2, fontsize=7)
        panel.set_title(heading, fontsize=9)
        panel.margins(x=0.16)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_yticks(range(len(stages)), [f"{name}   {shape}" for name, shape in stages.items()], fontsize=8)
    panels[0].invert_yaxis()
    panels[-1].legend(frameon=False, fontsize=8, loc="center right")
    return figure


def _stage(name: str) -> str:
    return ".".join(name.split(".")[:2])


def _by_stage(anatomy: "Anatomy", stages: Mapping[str, str], quantity: str, unit: float) -> list[float]:
    sums = dict.fromkeys(stages, 0.0)
    for row in anatomy.rows:
        sums[_stage(row.name)] += getattr(row, quantity) / unit
    return list(sums.values())


def _short(value: float) -> str:
    """A number to two or three digits; nothing for next to nothing."""
    if value < 0.05:
        return ""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def plot_growth(sizes: Sequence[int], costs: Mapping[str, Sequence[float]], *, quantity: str) -> "Figure":
    """How something grows with the resolution, on logarithmic axes: there a power is a straight line.

    Faint lines show how the first power and the third would grow from the first point of all.

    Args:
        sizes: the resolutions, in pixels along a side.
        costs: label → a positive number for each resolution.
        quantity: what is measured, with its unit.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.8, 3.9), layout="constrained")
    panel = figure.subplots()
    lowest = min(values[0] for values in costs.values())
    for power, name in ((1, "linear"), (3, "cube")):
        guide = [lowest * (size / sizes[0]) ** power for size in sizes]
        panel.plot(sizes, guide, color="0.75", linestyle="--", linewidth=1, zorder=0)
        panel.annotate(name, (sizes[-1], guide[-1]), (4, 0), textcoords="offset points", va="center", color="0.5")
    for (label, values), colour, marker, line in zip(costs.items(), COLOURS, MARKERS, LINES, strict=False):
        panel.plot(sizes, values, line, marker=marker, color=colour, label=label, markersize=5)
    panel.set(xscale="log", yscale="log", xlabel="pixels along a side (frames grow with them)", ylabel=quantity)
    panel.set_xticks(sizes, list(map(str, sizes)))
    panel.minorticks_off()
    panel.margins(x=0.1)
    panel.grid(alpha=0.25)
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(frameon=False, loc="upper left")
    return figure


def draw_levels(rows: Mapping[str, tuple[Tensor, Sequence[int]]]) -> "Figure":
    """Clips in rows, each frame below the moment at which it is seen; where a frame is left out, nothing is.

    All are drawn equally large, so that one pixel of a coarse level is a large square.

    Args:
        rows: label → a clip ``(3, T, H, W)`` in [-1, 1], and the number of each of its frames.

    Raises:
        ValueError: if a clip has not as many frames as there are numbers.
    """
    from matplotlib.figure import Figure

    for label, (clip, frames) in rows.items():
        if clip.shape[1] != len(frames):
            raise ValueError(f"{label!r} has {clip.shape[1]} frames, and numbers for {len(frames)} of them")
    columns = sorted({frame for _, frames in rows.values() for frame in frames})
    side = min(1.1, 11 / len(columns))
    figure = Figure(figsize=(side * len(columns) + 1.4, side * len(rows) + 0.35), layout="constrained")
    panels = figure.subplots(len(rows), len(columns), squeeze=False)
    for line, (label, (clip, frames)) in zip(panels, rows.items(), strict=True):
        pictures = dict(zip(frames, video.frames(clip.detach().cpu().float()), strict=True))
        for panel, frame in zip(line, columns, strict=True):
            panel.set(xticks=[], yticks=[])
            if frame in pictures:
                panel.imshow(pictures[frame], interpolation="nearest")
            panel.spines[:].set_visible(frame in pictures)
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
    for panel, frame in zip(panels[0], columns, strict=True):
        panel.set_title(str(frame), fontsize=8)
    return figure


def plot_ablation(
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    quantity: str,
    *,
    deviations: Mapping[str, Mapping[str, float]] | None = None,
    collapsed: Collection[tuple[str, str]] = (),
) -> "Figure":
    """Scores of the same models under several conditions: a row for each model, a dot for each training.

    A short upright line is the mean of a model's trainings. Panels have scales of their own.

    Args:
        panels: condition → model → its score in each training.
        quantity: what the scores are.
        deviations: condition → model → a deviation that is known of a single figure, drawn as a bar.
        collapsed: (condition, model) of which a critic collapsed: drawn hollow.
    """
    from matplotlib.figure import Figure

    models = list(next(iter(panels.values())))
    figure = Figure(figsize=(11, 0.42 * len(models) + 1.2), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for panel, (condition, scores) in zip(axes, panels.items(), strict=True):
        for row, model in enumerate(models):
            values, colour = scores.get(model, ()), COLOURS[(row + 1) % len(COLOURS)]
            if not values:
                continue
            face = "white" if (condition, model) in collapsed else colour
            panel.plot([fmean(values)] * 2, (row - 0.32, row + 0.32), color=colour, linewidth=1.5)
            deviation = (deviations or {}).get(condition, {}).get(model)
            panel.errorbar(values, [row] * len(values), fmt="o", color=colour, mfc=face, markersize=6, linestyle="")
            if deviation:
                panel.errorbar(fmean(values), row, xerr=deviation, color=colour, capsize=3)
        panel.set(title=condition, xlabel=quantity, ylim=(len(models) - 0.5, -0.5))
        panel.set_yticks(range(len(models)), models)
        panel.margins(x=0.15)
        panel.grid(alpha=0.25, axis="x")
        panel.spines[["top", "right"]].set_visible(False)
    return figure
