"""How good are generated videos? Scores of class probabilities and distances between features, with their errors."""

from typing import TYPE_CHECKING

from ldvd_lib.metrics.c3d import C3D
from ldvd_lib.metrics.confusion import Confusion, confusion
from ldvd_lib.metrics.evaluation import Evaluation, Features, evaluate, extract
from ldvd_lib.metrics.flicker import flicker
from ldvd_lib.metrics.frechet import GaussianStatistics, frechet_distance
from ldvd_lib.metrics.i3d import I3D, ScriptedI3D
from ldvd_lib.metrics.inception_score import inception_score
from ldvd_lib.metrics.kernel import SubsetEstimate, kernel_distance, kernel_distance_of_subsets, polynomial_kernel
from ldvd_lib.metrics.memorisation import (
    CopyTest,
    NearestWindows,
    Neighbours,
    copy_test,
    nearest_neighbours,
    nearest_windows,
)
from ldvd_lib.metrics.neighbours import NeighbourMetrics, neighbour_metrics
from ldvd_lib.metrics.network import FeatureNetwork
from ldvd_lib.metrics.protocol import PROTOCOLS, Judge, Protocol, open_judge
from ldvd_lib.metrics.resampling import (
    Extrapolation,
    Resampled,
    SampleSizeCurve,
    bootstrap,
    jackknife,
    sample_size_curve,
)
from ldvd_lib.metrics.sliced_wasserstein import SlicedWasserstein, patches, sliced_wasserstein

if TYPE_CHECKING:
    from ldvd_lib.metrics.torchvision_features import TorchvisionFeatures

__all__ = [
    "C3D",
    "I3D",
    "PROTOCOLS",
    "Confusion",
    "CopyTest",
    "Evaluation",
    "Extrapolation",
    "FeatureNetwork",
    "Features",
    "GaussianStatistics",
    "Judge",
    "NearestWindows",
    "NeighbourMetrics",
    "Neighbours",
    "Protocol",
    "Resampled",
    "SampleSizeCurve",
    "ScriptedI3D",
    "SlicedWasserstein",
    "SubsetEstimate",
    "TorchvisionFeatures",
    "bootstrap",
    "confusion",
    "copy_test",
    "evaluate",
    "extract",
    "flicker",
    "frechet_distance",
    "inception_score",
    "jackknife",
    "kernel_distance",
    "kernel_distance_of_subsets",
    "nearest_neighbours",
    "nearest_windows",
    "neighbour_metrics",
    "open_judge",
    "patches",
    "polynomial_kernel",
    "sample_size_curve",
    "sliced_wasserstein",
]


def __getattr__(name: str) -> object:
    # torchvision takes seconds to import, so it is imported only when somebody asks for it.
    if name == "TorchvisionFeatures":
        from ldvd_lib.metrics.torchvision_features import TorchvisionFeatures

        return TorchvisionFeatures
    raise AttributeError(f"module 'ldvd_lib.metrics' has no attribute {name!r}: it has {__all__}")
