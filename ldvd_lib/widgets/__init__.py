"""Widgets to play with inside a notebook."""

from ldvd_lib.widgets.sample_browser import SampleBrowser

__all__ = ["SampleBrowser"]
