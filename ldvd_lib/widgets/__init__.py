"""Widgets to play with inside a notebook."""

from ldvd_lib.widgets.sample_browser import SampleBrowser
from ldvd_lib.widgets.spectrum_explorer import SpectrumExplorer

__all__ = ["SampleBrowser", "SpectrumExplorer"]
