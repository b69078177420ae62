"""What training leaves behind, read and judged: run directories, their scores, and the course's trained models."""

from ldvd_lib.runs.collapse import collapsed
from ldvd_lib.runs.results import (
    Condition,
    Measured,
    Result,
    by_condition,
    collapsed_models,
    measured,
    read_results,
    results_of_run,
    write_results,
)
from ldvd_lib.runs.run import Run, RunConfig

__all__ = [
    "Condition",
    "Measured",
    "Result",
    "Run",
    "RunConfig",
    "by_condition",
    "collapsed",
    "collapsed_models",
    "measured",
    "read_results",
    "results_of_run",
    "write_results",
]
