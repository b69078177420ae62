"""How good are generated videos? Scores of class probabilities and distances between features, with their errors."""

import importlib

from ldvd_lib.metrics.frechet import GaussianStatistics, frechet_distance
from ldvd_lib.metrics.inception_score import inception_score
from ldvd_lib.metrics.kernel import SubsetEstimate, kernel_distance, kernel_distance_of_subsets, polynomial_kernel
from ldvd_lib.metrics.neighbours import NeighbourMetrics, neighbour_metrics
from ldvd_lib.metrics.resampling import (
    Extrapolation,
    Resampled,
    SampleSizeCurve,
    bootstrap,
    jackknife,
    sample_size_curve,
)

# torchmetrics takes seconds to import, so it is, like the networks, when somebody asks.
_LATER = {
    "C3D": "ldvd_lib.metrics.c3d",
    "Evaluation": "ldvd_lib.metrics.evaluation",
    "Features": "ldvd_lib.metrics.evaluation",
    "FrechetDistance": "ldvd_lib.metrics.accumulators",
    "I3D": "ldvd_lib.metrics.i3d",
    "InceptionScore": "ldvd_lib.metrics.accumulators",
    "Judge": "ldvd_lib.metrics.protocol",
    "PROTOCOLS": "ldvd_lib.metrics.protocol",
    "Protocol": "ldvd_lib.metrics.protocol",
    "ScriptedI3D": "ldvd_lib.metrics.i3d",
    "TorchvisionFeatures": "ldvd_lib.metrics.torchvision_features",
    "accuracy": "ldvd_lib.metrics.classifier",
    "evaluate": "ldvd_lib.metrics.evaluation",
    "extract": "ldvd_lib.metrics.evaluation",
    "from_generator": "ldvd_lib.metrics.sources",
    "from_store": "ldvd_lib.metrics.sources",
    "open_judge": "ldvd_lib.metrics.protocol",
    "train_classifier": "ldvd_lib.metrics.classifier",
}

__all__ = [
    "C3D",
    "I3D",
    "PROTOCOLS",
    "Evaluation",
    "Extrapolation",
    "Features",
    "FrechetDistance",
    "GaussianStatistics",
    "InceptionScore",
    "Judge",
    "NeighbourMetrics",
    "Protocol",
    "Resampled",
    "SampleSizeCurve",
    "ScriptedI3D",
    "SubsetEstimate",
    "TorchvisionFeatures",
    "accuracy",
    "bootstrap",
    "evaluate",
    "extract",
    "frechet_distance",
    "from_generator",
    "from_store",
    "inception_score",
    "jackknife",
    "kernel_distance",
    "kernel_distance_of_subsets",
    "neighbour_metrics",
    "open_judge",
    "polynomial_kernel",
    "sample_size_curve",
    "train_classifier",
]


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module 'ldvd_lib.metrics' has no attribute {name!r}: it has {__all__}")
    return getattr(importlib.import_module(_LATER[name]), name)
