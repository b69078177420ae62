"""Figures of training runs."""

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ldvd_lib.training import Run


def smooth(values: np.ndarray, window: int = 5) -> np.ndarray:
    """The running median over `window` neighbours, shorter at the ends: ``(N,)`` → ``(N,)``."""
    half = window // 2
    return np.array([np.median(values[max(0, i - half) : i + half + 1]) for i in range(len(values))])


def plot_training(runs: "Run | dict[str, Run]", *, window: int = 5) -> "Figure":
    """Losses and scores over the steps of one run, or of several side by side in the same axes.

    Args:
        runs: a run, or label → run.
        window: logged values that the running median takes together; the raw values stay visible, faintly.

    Returns:
        A figure of two panels: the losses of all players; the mean scores of real and generated videos.
    """
    from matplotlib.figure import Figure

    runs = runs if isinstance(runs, dict) else {"": runs}
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for (label, run), style in zip(runs.items(), itertools.cycle(("-", "--", ":", "-.")), strict=False):
        metrics = run.metrics()
        for axes, kind in ((left, "loss"), (right, "score")):
            names = sorted(name for name in metrics if name.endswith(kind))
            for colour, name in enumerate(names):
                axes.plot(metrics["step"], metrics[name], color=f"C{colour}", alpha=0.2, linewidth=0.8)
                text = name.replace("_", " ") + (f", {label}" if label else "")
                axes.plot(metrics["step"], smooth(metrics[name], window), style, color=f"C{colour}", label=text)
    for axes, title in ((left, "losses"), (right, "mean scores")):
        axes.set(xlabel="step", title=title)
        axes.grid(alpha=0.25)
        axes.legend(fontsize=8)
    return figure
