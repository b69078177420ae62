"""Training: a loop that runs a recipe, and the run directories that it leaves."""

from ldvd_lib.training.callbacks import Callback, SampleGrid
from ldvd_lib.training.loop import Trainer, TrainingDiverged
from ldvd_lib.training.run import Run
from ldvd_lib.training.sampling import calibrate_, sample_videos

__all__ = ["Callback", "Run", "SampleGrid", "Trainer", "TrainingDiverged", "calibrate_", "sample_videos"]
