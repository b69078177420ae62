"""Every Matplotlib figure: of trainings, spectra, architectures and tables."""

from ldvd_lib.figures.anatomy import draw_anatomy
from ldvd_lib.figures.curves import (
    NEGATIVE,
    POSITIVE,
    plot_density,
    plot_spectrum,
    plot_surface,
    plot_training,
    save,
    smooth,
)
from ldvd_lib.figures.findings import plot_findings
from ldvd_lib.figures.question import plot_question
from ldvd_lib.figures.tables import draw_table

__all__ = [
    "NEGATIVE",
    "POSITIVE",
    "draw_anatomy",
    "draw_table",
    "plot_density",
    "plot_findings",
    "plot_question",
    "plot_spectrum",
    "plot_surface",
    "plot_training",
    "save",
    "smooth",
]
