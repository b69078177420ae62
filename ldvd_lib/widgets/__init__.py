"""Interactive widgets for notebooks."""

from ldvd_lib.widgets import explorables
from ldvd_lib.widgets.architecture_lab import ArchitectureLab
from ldvd_lib.widgets.review_cards import ReviewCards, review
from ldvd_lib.widgets.sample_browser import SampleBrowser
from ldvd_lib.widgets.spectrum_explorer import SpectrumExplorer
from ldvd_lib.widgets.table_explorer import TableExplorer
from ldvd_lib.widgets.training_monitor import TrainingMonitor

__all__ = [
    "ArchitectureLab",
    "ReviewCards",
    "SampleBrowser",
    "SpectrumExplorer",
    "TableExplorer",
    "TrainingMonitor",
    "explorables",
    "review",
]
