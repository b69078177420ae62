"""The pictures of a report."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ldvd_lib import plots, video
from ldvd_lib._table_figure import OURS
from ldvd_lib.reproduce.claims import Finding
from ldvd_lib.training import Run, sample_videos

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The claims' models whose spectra belong side by side.
SPECTRA = {
    "tgan": ("tgan", "tgan-f", "tgan-normal"),
    "mocogan": ("mocogan", "mocogan-2x"),
    "kernels": ("mocogan-image-k8", "mocogan-video-k2"),
}


def plot_findings(findings: Sequence[Finding]) -> "Figure":
    """Each finding as a row: a dot for every training, and the side of the bound on which the claim holds.

    Args:
        findings: at least one.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 0.46 * len(findings) + 1.2), layout="constrained")
    panel = figure.subplots()
    # A logarithm has no place for a curvature of nothing.
    numbers = [number for finding in findings for number in (*finding.numbers, finding.bound) if number > 0]
    low, high = min(numbers) / 1.6, max(numbers) * 1.6
    for row, finding in enumerate(findings):
        ends = (finding.bound, high) if finding.is_above else (low, finding.bound)
        panel.fill_betweenx((row - 0.38, row + 0.38), *ends, color="0.9", linewidth=0)
        panel.plot([finding.bound] * 2, (row - 0.38, row + 0.38), color="0.45", linewidth=1.5)
        panel.plot(finding.numbers, [row] * len(finding.numbers), "D", color=OURS, markersize=5, alpha=0.8)
        held = f"holds in {finding.held} of {len(finding.numbers)}"
        panel.annotate(
            held, (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=9, annotation_clip=False
        )
    labels = [f"{finding.claim}  {finding.about} {finding.expected}" for finding in findings]
    panel.set_yticks(range(len(findings)), labels, fontsize=9)
    panel.set(xscale="log", xlim=(low, high), ylim=(len(findings) - 0.5, -0.5))
    panel.xaxis.set_major_formatter("{x:g}")
    panel.grid(alpha=0.25, axis="x")
    return figure


def save_spectra(runs: Sequence[Run], directory: Path) -> dict[str, Path]:
    """Spectra over training of the first seed's runs, those that the claims compare in one picture.

    Returns:
        Caption → file.
    """
    files = {}
    for name, models in SPECTRA.items():
        found = [run for run in runs if run.config.model.name in models]
        shown = {run.config.model.name: run for run in found if run.config.seed == found[0].config.seed}
        if shown:
            caption = f"Leading eigenvalues over training, seed {found[0].config.seed}: {', '.join(shown)}"
            files[caption] = plots.save(plots.plot_spectrum(shown), directory / f"spectrum-{name}.png")
    return files


def save_samples(run: Run, path: Path, *, videos: int = 4) -> Path:
    """A few videos of a run, frame by frame; seed 0 of the latents, so that no one has chosen them."""
    drawn = sample_videos(run.generator(), videos, seed=0)
    return video.save_png(video.contact_sheet(drawn, scale=max(1, 64 // drawn.shape[-1])), path)
