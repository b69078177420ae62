"""Figures of the chapter on measuring: what each distance and each judge sees, and what a score depends on."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ldvd_lib.metrics import Extrapolation, SampleSizeCurve
from ldvd_lib.metrics.fvd_protocols import FVDUnder

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor

REAL = "#009e73"
OTHERS = ("#d55e00", "#0072b2", "#cc79a7", "#e69f00", "0.45")  # colour-blind readers can tell them apart, too
SHAPES = "oDs^v"


def plot_directions(
    first: "Tensor", clouds: Mapping[str, "Tensor"], distances: Mapping[str, "Tensor"], *, shown: str, degrees: int
) -> "Figure":
    """Earth mover's distances along directions in the plane: one of them taken apart, and all as curves.

    Args:
        first: ``(n, 2)``, the cloud that others are compared with.
        clouds: name → ``(n, 2)``.
        distances: name → ``(k,)``, along directions evenly spaced from 0 to 180 degrees.
        shown: which of the clouds the first two panels show.
        degrees: along which direction.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.3), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1.25, 1.5))
    direction = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    projections = []
    for points, colour, name in ((first, REAL, "Gaussian"), (clouds[shown], OTHERS[0], shown)):
        left.scatter(*points.T, s=2, color=colour, alpha=0.5)
        projections.append(np.sort(points.numpy() @ direction))
        middle.plot(projections[-1], np.linspace(0, 1, len(points)), color=colour, label=name)
    reach = 1.15 * float(first.abs().max())
    left.annotate("", reach * direction, -reach * direction, arrowprops={"arrowstyle": "->", "color": "0.2"})
    left.set(aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach), title=f"a direction, {degrees}°")
    shares = np.linspace(0, 1, len(first))
    middle.fill_betweenx(shares, *projections, color="0.85")
    area = np.abs(projections[0] - projections[1]).mean()
    middle.set(title=f"shares of points up to here: area {area:.2f}", xlabel="place along the direction", ylim=(0, 1))
    middle.legend(frameon=False, loc="upper left")
    for (name, values), colour in zip(distances.items(), ("0.45", *OTHERS), strict=False):
        angles = np.linspace(0, 180, len(values), endpoint=False)
        right.plot(angles, values, color=colour, label=f"{name}: {values.mean():.2f}")
    right.axvline(degrees, color="0.6", linewidth=1, linestyle=":")
    right.set(title="the area in every direction, and its mean", xlabel="direction, degrees", ylim=(0, None))
    right.set_xticks(range(0, 181, 45))
    right.legend(frameon=False, fontsize=8, loc="upper left")
    right.set_ylim(0, 1.9 * right.get_ylim()[1])
    return figure


def plot_judges(scores: Mapping[str, Mapping[str, Sequence[float]]], *, real: str) -> "Figure":
    """How far each set of clips is, in units of real clips' own distance, for each judge.

    Args:
        scores: judge → set → its distances, one for each draw; all above 0.
        real: the set that is 1, by the mean of its distances.
    """
    from matplotlib.figure import Figure

    names = list(next(iter(scores.values())))
    figure = Figure(figsize=(9, 0.31 * len(names) + 1.3), layout="constrained")
    panel = figure.subplots()
    panel.axvline(1, color=REAL, linewidth=1)
    means = {judge: {name: np.mean(values) for name, values in own.items()} for judge, own in scores.items()}
    for row, name in enumerate(names):
        ends = [own[name] / own[real] for own in means.values()]
        panel.plot([min(ends), max(ends)], [row, row], color="0.8", linewidth=3, zorder=1)
    for number, (judge, own) in enumerate(scores.items()):
        for row, name in enumerate(names):
            relative = np.array(own[name]) / means[judge][real]
            label = judge if row == 0 else None
            style: dict[str, Any] = {"color": OTHERS[1 - number], "marker": SHAPES[number], "linestyle": ""}
            panel.plot(relative, [row] * len(relative), markersize=3, alpha=0.4, **style)
            panel.plot(relative.mean(), row, markersize=8, markeredgecolor="white", label=label, **style)
    panel.set(xscale="log", xlabel=f"Fréchet distance, {real} = 1", ylim=(len(names) - 0.4, -0.6))
    panel.set_yticks(range(len(names)), names)
    panel.xaxis.set_major_formatter("{x:g}")
    panel.grid(alpha=0.25, axis="x")
    figure.legend(loc="outside upper center", ncols=len(scores), frameon=False)
    return figure


def plot_content_bias(distances: Mapping[str, Mapping[tuple[float, float], float]], *, space: str) -> "Figure":
    """Distances of clips that are spoilt in space, in time or in both, a panel for each judge.

    Args:
        distances: judge → how much in space (pixels) and which share of the frames is shuffled → distance. Those with
            both at once are Ge et al.'s second set.
        space: what is done in space, in a word.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5 * len(distances), 3.6), layout="constrained")
    for number, (panel, (judge, own)) in enumerate(
        zip(figure.subplots(1, len(distances), squeeze=False)[0], distances.items(), strict=True)
    ):
        colour = OTHERS[1 - number]
        spatial = sorted(amount for amount, share in own if not share)
        panel.plot(spatial, [own[amount, 0.0] for amount in spatial], "-o", color=colour, markersize=5)
        for share in sorted({share for amount, share in own if share and not amount}):
            level = own[0.0, share]
            panel.axhline(level, color="0.35", linewidth=1, linestyle="--")
            panel.annotate(
                f"{share:.0%} of the frames shuffled", (0.01, level), xycoords=("axes fraction", "data"), ha="left",
                va="bottom", fontsize=8, color="0.25",
            )  # fmt: skip
        for amount, share in own:
            if amount and share:
                panel.plot(
                    amount, own[amount, share], "*", markersize=15, color=OTHERS[3], markeredgecolor="0.2", zorder=4,
                    label=f"{space} {amount:g} px and all frames shuffled",
                )  # fmt: skip
        panel.set(title=judge, yscale="log", xlabel=f"{space}, pixels", ylabel="" if number else "Fréchet distance")
        panel.yaxis.set_major_formatter("{x:g}")
        panel.grid(alpha=0.25)
        panel.legend(frameon=False, fontsize=8, loc="upper left")
        low, high = panel.get_ylim()
        panel.set_ylim(low, high * (high / low) ** 0.22)  # room for the legend
    return figure


def plot_sample_sizes(
    curves: Mapping[str, Mapping[str, SampleSizeCurve]], lines: Mapping[str, Mapping[str, Extrapolation]] | None = None
) -> "Figure":
    """Scores against one over the number of samples, a panel for each score, so that infinitely many are at the left.

    Args:
        curves: score → set → its curve; all of the same sizes.
        lines: score → set → the straight line through its largest sizes.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5.4), layout="constrained")
    for panel, (score, own) in zip(figure.subplots(2, -(-len(curves) // 2)).flat, curves.items(), strict=False):
        for (name, curve), colour in zip(own.items(), (REAL, *OTHERS[2:]), strict=False):
            inverse = 1 / np.array(curve.sizes)
            errors = curve.deviations.nan_to_num().numpy()
            panel.errorbar(inverse, curve.means, errors, fmt="o", markersize=4, color=colour, label=name, elinewidth=1)
            if line := (lines or {}).get(score, {}).get(name):
                ends = np.array([0, 1 / 128])
                panel.plot(ends, line.value + line.slope * ends, color=colour, linewidth=1)
            else:
                panel.axhline(curve.means[-1], color=colour, linewidth=1, linestyle=":")
        sizes = (512, 192, 96, min(curve.sizes))
        panel.set(title=score, xlim=(0, None), xlabel="number of windows (evenly in 1/n)")
        panel.set_xticks([0, *(1 / size for size in sizes)], ["∞", *map(str, sizes)])
        panel.grid(alpha=0.25)
        falls = all(curve.means[0] > curve.means[-1] for curve in own.values())  # with more samples
        panel.legend(frameon=False, loc="upper left" if falls else "lower left")
    return figure


def plot_trainings(
    scores: Mapping[str, Sequence[Sequence[float]]], intervals: Mapping[str, tuple[float, float]], *, metric: str
) -> "Figure":
    """Scores of several trainings of some models: each with the deviation of its own samples, and the mean's interval.

    Args:
        scores: model → a sequence of scores, over sets of samples, for each of its trainings.
        intervals: model → where the mean over trainings may lie.
        metric: what the scores are.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 0.62 * len(scores) + 1.1), layout="constrained")
    panel = figure.subplots()
    for row, (model, trainings) in enumerate(scores.items()):
        low, high = intervals[model]
        panel.fill_betweenx((row - 0.36, row + 0.36), low, high, color="0.88", linewidth=0)
        panel.plot([np.mean(list(map(np.mean, trainings)))] * 2, (row - 0.36, row + 0.36), color="0.35", linewidth=1.5)
        for number, values in enumerate(trainings):
            place = row + 0.24 * (number - (len(trainings) - 1) / 2)
            deviation = np.std(values, ddof=1)
            panel.errorbar(
                np.mean(values), place, xerr=deviation, fmt=SHAPES[number % len(SHAPES)], color=OTHERS[0],
                markersize=6, capsize=3, label=f"seed {number}" if row == 0 else None,
            )  # fmt: skip
    panel.set(xlabel=metric, ylim=(len(scores) - 0.5, -0.5))
    panel.set_yticks(range(len(scores)), list(scores))
    panel.grid(alpha=0.25, axis="x")
    panel.legend(frameon=False, title="one training", loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def plot_nearest(distances: Mapping[str, Mapping[str, "Tensor"]]) -> "Figure":
    """Which share of each set is nearer to the training clips than a distance, a panel for each kind of distance.

    Args:
        distances: kind → set → ``(n,)``, to the nearest training clip; the first set is drawn as the yardstick.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2 * len(distances), 3.4), layout="constrained")
    panels = figure.subplots(1, len(distances), sharey=True, squeeze=False)[0]
    for panel, (kind, own) in zip(panels, distances.items(), strict=True):
        for number, ((name, values), colour) in enumerate(zip(own.items(), (REAL, *OTHERS), strict=False)):
            nearest = np.sort(values.numpy())
            shares = np.arange(1, len(nearest) + 1) / len(nearest)
            panel.step(nearest, shares, where="post", color=colour, label=name, linewidth=3.5 if number == 0 else 1.8)
        farthest = max(float(values.max()) for values in own.values())
        panel.set(xlabel=kind, xlim=(-0.02 * farthest, None), ylim=(0, 1.01))
        panel.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        panel.grid(alpha=0.25)
    panels[0].set_ylabel("share of the set that is nearer")
    panels[-1].legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def plot_protocols(measured: Sequence[FVDUnder]) -> "Figure":
    """One and the same model's FVD under several protocols, beside that of real, held-out clips.

    Args:
        measured: the first is what the others are compared with.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 0.44 * len(measured) + 1.2), layout="constrained")
    panel = figure.subplots()
    usual = measured[0].generated
    panel.axvline(usual, color=OTHERS[0], linewidth=1, alpha=0.6)
    for row, one in enumerate(measured):
        if row % 2 == 0:
            panel.axhspan(row - 0.5, row + 0.5, color="0.96", zorder=0)
        label = None if row else "the model"
        panel.plot(one.generated, row, "D", color=OTHERS[0], markersize=8, label=label, zorder=3)
        if one.held_out is not None:
            panel.plot(one.held_out, row, "o", color=REAL, markersize=8, label=None if row else "real, held-out clips")
        _beside(panel, row, f"{one.generated:,.0f}" + (f"  (× {one.generated / usual:.2f})" if row else ""))
    labels = [f"{one.changed}: {one.protocol}" if one.changed else one.protocol for one in measured]
    panel.set_yticks(range(len(measured)), labels)
    panel.set(xlabel="FVD, lower is better", xlim=(0, None), ylim=(len(measured) - 0.5, -0.5))
    panel.grid(alpha=0.25, axis="x")
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def _beside(panel: "Axes", row: int, text: str) -> None:
    """A text at the right of a row."""
    panel.annotate(
        text, (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=9, annotation_clip=False
    )
