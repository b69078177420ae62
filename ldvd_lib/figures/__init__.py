"""Every Matplotlib figure: of trainings, spectra, architectures and tables."""

from ldvd_lib.figures.anatomy import draw_anatomy
from ldvd_lib.figures.curves import (
    NEGATIVE,
    POSITIVE,
    plot_density,
    plot_seeds,
    plot_spectrum,
    plot_surface,
    plot_training,
    save,
    smooth,
)
from ldvd_lib.figures.findings import plot_findings
from ldvd_lib.figures.judges import plot_change, plot_costs, plot_labels, plot_noticed
from ldvd_lib.figures.levels import draw_levels, plot_ablation, plot_growth, plot_stages
from ldvd_lib.figures.measuring import (
    plot_content_bias,
    plot_directions,
    plot_judges,
    plot_nearest,
    plot_protocols,
    plot_sample_sizes,
    plot_trainings,
)
from ldvd_lib.figures.question import plot_question
from ldvd_lib.figures.streams import draw_streams
from ldvd_lib.figures.tables import draw_table
from ldvd_lib.figures.windows import plot_by_length, plot_matches, plot_seams, plot_windows_apart

__all__ = [
    "NEGATIVE",
    "POSITIVE",
    "draw_anatomy",
    "draw_levels",
    "draw_streams",
    "draw_table",
    "plot_ablation",
    "plot_by_length",
    "plot_change",
    "plot_content_bias",
    "plot_costs",
    "plot_density",
    "plot_directions",
    "plot_findings",
    "plot_growth",
    "plot_judges",
    "plot_labels",
    "plot_matches",
    "plot_nearest",
    "plot_noticed",
    "plot_protocols",
    "plot_question",
    "plot_sample_sizes",
    "plot_seams",
    "plot_seeds",
    "plot_spectrum",
    "plot_stages",
    "plot_surface",
    "plot_training",
    "plot_trainings",
    "plot_windows_apart",
    "save",
    "smooth",
]
