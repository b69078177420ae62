"""Training: a loop that plays a recipe's game, and what happens beside it."""

from ldvd_lib.training.callbacks import Callback, SampleGrid
from ldvd_lib.training.classifier import train_classifier
from ldvd_lib.training.loop import Trainer, TrainingDiverged
from ldvd_lib.training.play import Source, play
from ldvd_lib.training.players import Players
from ldvd_lib.training.probe import SpectrumProbe
from ldvd_lib.training.sampling import calibrate_, latents_of_each_class, sample_videos

__all__ = [
    "Callback",
    "Players",
    "SampleGrid",
    "Source",
    "SpectrumProbe",
    "Trainer",
    "TrainingDiverged",
    "calibrate_",
    "latents_of_each_class",
    "play",
    "sample_videos",
    "train_classifier",
]
