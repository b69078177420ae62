"""Figures of training runs."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ldvd_lib._kit.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ldvd_lib.hessian import LossSurface, SpectralDensity
    from ldvd_lib.runs import Run


def save(figure: "Figure", path: str | Path, *, dpi: int = 120) -> Path:
    """Write a figure to a file; the suffix decides the format. Returns the path."""
    path = Path(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=dpi)
    return path


def smooth(values: np.ndarray, window: int = 5) -> np.ndarray:
    """The running median over `window` neighbours, fewer at the ends: ``(N,)`` → ``(N,)``."""
    half = window // 2
    return np.array([np.median(values[max(0, index - half) : index + half + 1]) for index in range(len(values))])


def plot_training(runs: "Run | dict[str, Run]", *, window: int = 5) -> "Figure":
    """Losses and scores over the steps of one run, or of several side by side in the same axes.

    Args:
        runs: a run, or label → run.
        window: how many logged values the running median is taken over; the raw values stay visible, faintly.

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


def plot_seeds(runs: "Mapping[str, Sequence[Run]]", discriminator: str, *, window: int = 5) -> "Figure":
    """Several trainings of some models: a colour for each model, a line for each training.

    Args:
        runs: label → trainings of one model, which differ in nothing but their seed, each with a ``spectrum.jsonl``.
        discriminator: its name, the same in all.
        window: how many logged values the running median is taken over.

    Returns:
        A figure of three panels: the discriminator's loss without its penalties; how far the mean score of real videos
        is above that of generated ones; the largest eigenvalue of its Hessian.

    Raises:
        ValueError: if a run has no spectrum of it, naming the run.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    figure = Figure(figsize=(11, 3.3), layout="constrained")
    panels = figure.subplots(1, 3)
    for number, (label, trainings) in enumerate(runs.items()):
        for run, line in zip(trainings, itertools.cycle(("-", "--", ":", "-.")), strict=False):
            metrics, spectrum = run.metrics(), run.spectrum().get(discriminator)
            if spectrum is None:
                raise ValueError(f"{run.directory} has no spectrum of {discriminator!r}: see `ldvd hessian`")
            own = {
                name.removeprefix(f"{discriminator}_"): values
                for name, values in metrics.items()
                if name.startswith(f"{discriminator}_")
            }
            real, fake, loss = own.pop("real_score"), own.pop("fake_score"), own.pop("loss")
            style = {"color": f"C{number}", "linestyle": line}
            for panel, values in ((panels[0], loss - sum(own.values())), (panels[1], real - fake)):
                panel.plot(metrics["step"], values, color=f"C{number}", alpha=0.2, linewidth=0.8)
                name = f"{label}, seed {run.config.seed}"
                panel.plot(metrics["step"], smooth(values, window), **style, label=name)
            panels[2].plot(spectrum["step"], spectrum["largest"], marker="o", markersize=4, **style)
    panels[2].set_yscale("log")
    panels[2].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panels[2].yaxis.set_major_formatter("{x:g}")
    panels[2].yaxis.set_minor_formatter("")
    titles = ("loss of the critic, without penalties", "score of real − of generated clips", "largest eigenvalue λ⁺")
    for panel, title in zip(panels, titles, strict=True):
        panel.set(xlabel="step", title=title)
        panel.grid(alpha=0.25)
    panels[0].legend(fontsize=8)
    return figure


POSITIVE, NEGATIVE = "#d55e00", "#0072b2"  # colour-blind readers can tell them apart too


def plot_spectrum(
    runs: "Run | dict[str, Run]", *, scale: str = "symlog", linear_below: float | None = None
) -> "Figure":
    """Leading eigenvalues over the steps of runs, as in the paper's Figures 3–5 and 7.

    Every probe is a column of k dots, positive ones above zero and negative ones below; λ⁺ and λ⁻, the largest and the
    smallest of the whole run, are marked and named. One panel for each discriminator, all on the same axis.

    Args:
        runs: a run, or label → run; each with a ``spectrum.jsonl``.
        scale: ``"symlog"`` (logarithmic both ways from around zero) or ``"linear"``.
        linear_below: magnitude below which a symlog axis is linear; by default one dot in twenty is below it.

    Raises:
        ValueError: if a run has no spectrum, naming it.
    """
    from matplotlib.figure import Figure

    runs = runs if isinstance(runs, dict) else {"": runs}
    spectra = {}
    for label, run in runs.items():
        run_spectra = run.spectrum()
        if not run_spectra:
            raise ValueError(
                f"{run.directory} has no spectrum: train it with the callback SpectrumProbe(), or probe what it has "
                "with `ldvd hessian`"
            )
        for name, spectrum in run_spectra.items():
            title = label if len(run_spectra) == 1 else f"{label}: {name}" if label else name
            spectra[title or name] = spectrum
    figure = Figure(figsize=(max(5.5, 3.6 * len(spectra)), 3.6), layout="constrained")
    panels = figure.subplots(1, len(spectra), sharey=True, squeeze=False)[0]
    magnitudes = np.abs(np.concatenate([spectrum["eigenvalues"].ravel() for spectrum in spectra.values()]))
    linear_below = linear_below or np.quantile(magnitudes[magnitudes > 0], 0.05) if magnitudes.any() else 1.0
    for panel, (title, spectrum) in zip(panels, spectra.items(), strict=True):
        steps = np.repeat(spectrum["step"], spectrum["eigenvalues"].shape[1])
        values = spectrum["eigenvalues"].ravel()
        for mask, colour in ((values > 0, POSITIVE), (values <= 0, NEGATIVE)):
            panel.scatter(steps[mask], values[mask], s=9, color=colour, alpha=0.55, linewidths=0)
        extremes = (("largest", np.argmax, "⁺", POSITIVE, 6), ("smallest", np.argmin, "⁻", NEGATIVE, -6))
        for key, find_extreme, sign, colour, offset in extremes:
            panel.plot(spectrum["step"], spectrum[key], color=colour, linewidth=1, alpha=0.8)
            index = find_extreme(spectrum[key])
            step, value = spectrum["step"][index], spectrum[key][index]
            panel.plot(step, value, "o", mfc="none", color=colour, markersize=8)
            is_late = index >= len(spectrum["step"]) / 2
            panel.annotate(
                f"λ{sign} = {value:.3g}",
                (step, value),
                (-6 if is_late else 6, offset),
                textcoords="offset points",
                ha="right" if is_late else "left",
                va="bottom" if offset > 0 else "top",
                color=colour,
            )
        panel.axhline(0, color="0.6", linewidth=0.8)
        if scale == "symlog":
            panel.set_yscale("symlog", linthresh=linear_below)
        panel.margins(y=0.18)
        panel.set(xlabel="step", title=title)
        panel.grid(alpha=0.25)
    panels[0].set_ylabel("leading eigenvalues")
    return figure


def plot_density(densities: "SpectralDensity | dict[str, SpectralDensity]") -> "Figure":
    """Spectral densities on a logarithmic axis, with a band of two standard errors.

    Args:
        densities: a density, or label → density.
    """
    from matplotlib.figure import Figure

    densities = densities if isinstance(densities, dict) else {"": densities}
    figure = Figure(figsize=(6.5, 3.4), layout="constrained")
    panel = figure.subplots()
    peak = 0.0
    for number, (label, density) in enumerate(densities.items()):
        grid, values, errors = density.curve()
        peak = max(peak, float(values.max()))
        panel.plot(grid, values, color=f"C{number}", label=label, linewidth=1.2)
        if np.isfinite(errors).all():
            low, high = (np.maximum(values + sign * 2 * errors, 0) for sign in (-1, 1))
            panel.fill_between(grid, low, high, color=f"C{number}", alpha=0.25, linewidth=0)
    # A single one of P eigenvalues is far below the bulk: these seven decades show it.
    panel.set(xlabel="eigenvalue", ylabel="density", yscale="log", ylim=(peak * 1e-7, peak * 3))
    panel.grid(alpha=0.25)
    if any(densities):
        panel.legend()
    return figure


def plot_surface(surfaces: "LossSurface | dict[str, LossSurface]", *, axes: tuple[str, str] = ("", "")) -> "Figure":
    """Losses on planes through the weights: filled contours on one scale of colours; a cross marks the weights.

    Args:
        surfaces: a surface, or label → surface.
        axes: names of the first and the second direction.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    surfaces = surfaces if isinstance(surfaces, dict) else {"": surfaces}
    figure = Figure(figsize=(4.2 * len(surfaces) + 0.8, 3.8), layout="constrained")
    panels = figure.subplots(1, len(surfaces), squeeze=False)[0]
    # Relative to the loss at the weights, so that panels can be compared.
    relative = {}
    for label, surface in surfaces.items():
        middle = len(surface.offsets) // 2
        relative[label] = surface.values - surface.values[middle, middle]
    reach = max(np.abs(values).max() for values in relative.values()) or 1.0
    for panel, (label, values) in zip(panels, relative.items(), strict=True):
        offsets = surfaces[label].offsets
        contours = panel.contourf(offsets, offsets, values.T, levels=np.linspace(-reach, reach, 31), cmap="RdBu_r")
        if np.ptp(values):  # a constant loss has no contour lines
            panel.contour(
                offsets,
                offsets,
                values.T,
                levels=np.linspace(values.min(), values.max(), 12),
                colors="0.25",
                linewidths=0.5,
            )
        panel.plot(0, 0, "k+", markersize=9)
        panel.set(title=label, xlabel=axes[0], ylabel=axes[1], aspect="equal")
        panel.locator_params(nbins=5)  # more labels would overlap
    figure.colorbar(contours, ax=panels.tolist(), label="loss − loss at the weights", ticks=MaxNLocator(7))
    return figure
