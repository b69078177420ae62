"""A picture of the state of a run: its losses, and its eigenvalues, samples or scores."""

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ldvd_lib.figures.curves import NEGATIVE, POSITIVE, smooth
from ldvd_lib.runs import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = ("-", "--", ":", "-.")


def draw_run(run: Run, samples: bytes = b"", sampled_step: int = 0) -> "Figure":
    """Losses; then the leading eigenvalues, if they were probed, and a frame of the newest samples, if there are any.

    If there are neither, the mean scores are beside the losses.

    Args:
        run: with some metrics.
        samples: the newest grid of samples, as a GIF.
        sampled_step: the step of the samples.
    """
    from matplotlib.figure import Figure

    has_spectrum = bool(run.spectrum())
    count = max(2, 1 + has_spectrum + bool(samples))
    figure = Figure(figsize=(5 * count, 3.4), layout="constrained")
    panels = iter(figure.subplots(1, count))
    _metrics(next(panels), run, "loss", "losses")
    if has_spectrum:
        _eigenvalues(next(panels), run)
    if samples:
        _samples(next(panels), samples, sampled_step)
    if not has_spectrum and not samples:
        _metrics(next(panels), run, "score", "mean scores")
    return figure


def draw_text(text: str) -> "Figure":
    """A line of text, for when there is nothing to draw yet."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 1.2), layout="constrained")
    figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=13, color="0.35")
    return figure


def _metrics(panel: "Axes", run: Run, kind: str, title: str) -> None:
    metrics = run.metrics()
    for number, name in enumerate(sorted(name for name in metrics if name.endswith(kind))):
        panel.plot(metrics["step"], metrics[name], color=f"C{number}", alpha=0.2, linewidth=0.8)
        panel.plot(
            metrics["step"],
            smooth(metrics[name]),
            color=f"C{number}",
            linestyle=LINES[number % len(LINES)],
            label=name.replace("_", " "),
        )
    _finish(panel, title)


def _eigenvalues(panel: "Axes", run: Run) -> None:
    """Both ends of every discriminator's spectrum: a colour for each end, a dash pattern for each discriminator."""
    spectra = run.spectrum()
    for (name, spectrum), line in zip(spectra.items(), LINES, strict=False):
        prefix = f"{name} " if len(spectra) > 1 else ""
        for key, sign, colour in (("largest", "⁺", POSITIVE), ("smallest", "⁻", NEGATIVE)):
            panel.plot(
                spectrum["step"],
                spectrum[key],
                color=colour,
                linestyle=line,
                marker="o",
                markersize=3,
                label=f"{prefix}λ{sign}",
            )
    extremes = [spectrum[key] for spectrum in spectra.values() for key in ("largest", "smallest")]
    magnitudes = np.abs(np.concatenate(extremes))
    panel.set_yscale("symlog", linthresh=magnitudes[magnitudes > 0].min() if magnitudes.any() else 1)
    _finish(panel, "leading eigenvalues")


def _samples(panel: "Axes", samples: bytes, step: int) -> None:
    with Image.open(io.BytesIO(samples)) as film:
        film.seek(film.n_frames // 2)
        panel.imshow(film.convert("RGB"), interpolation="nearest")
    panel.set_title(f"samples of step {step:,}, the middle frame")
    panel.axis("off")


def _finish(panel: "Axes", title: str) -> None:
    panel.set(xlabel="step", title=title)
    panel.grid(alpha=0.25)
    panel.legend(fontsize=8)
