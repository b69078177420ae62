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
from ldvd_lib.runs.stages import begin_after

__all__ = [
    "Condition",
    "Measured",
    "Result",
    "Run",
    "RunConfig",
    "begin_after",
    "by_condition",
    "collapsed",
    "collapsed_models",
    "measured",
    "read_results",
    "results_of_run",
    "write_results",
]
