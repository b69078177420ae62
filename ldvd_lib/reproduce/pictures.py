"""The pictures of a report."""

from collections.abc import Sequence
from pathlib import Path

from ldvd_lib import figures, video
from ldvd_lib.runs import Run
from ldvd_lib.training import sample_videos

# The models of the claims whose spectra are shown side by side.
SPECTRA = {
    "tgan": ("tgan", "tgan-f", "tgan-normal"),
    "mocogan": ("mocogan", "mocogan-2x"),
    "kernels": ("mocogan-image-k8", "mocogan-video-k2"),
}


def save_spectra(runs: Sequence[Run], directory: Path) -> dict[str, Path]:
    """Spectra over training of the first seed's runs; those that the claims compare are in one picture.

    Returns:
        Caption → file.
    """
    files = {}
    for name, models in SPECTRA.items():
        compared = [run for run in runs if run.config.model.name in models]
        shown = {run.config.model.name: run for run in compared if run.config.seed == compared[0].config.seed}
        if shown:
            caption = f"Leading eigenvalues over training, seed {compared[0].config.seed}: {', '.join(shown)}"
            files[caption] = figures.save(figures.plot_spectrum(shown), directory / f"spectrum-{name}.png")
    return files


def save_samples(run: Run, path: Path, *, videos: int = 4) -> Path:
    """A few videos of a run, frame by frame; with latents of seed 0, so that nobody has selected them."""
    drawn = sample_videos(run.generator(), videos, seed=0)
    return video.save_png(video.contact_sheet(drawn, scale=max(1, 64 // drawn.shape[-1])), path)
