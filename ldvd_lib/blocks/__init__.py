"""The layers that discriminators and generators are built from.

Videos are ``(N, C, T, H, W)``. Convolutions run fastest with the channels innermost in memory (on two CPU cores up to
twice as fast, and on tensor cores too), so modules keep their weights in a channels-last format and hand it on.
"""

from ldvd_lib.blocks.initialization import INITIALIZATIONS, initialize_
from ldvd_lib.blocks.noise import InstanceNoise, noise_from
from ldvd_lib.blocks.shapes import check_video, doublings
from ldvd_lib.blocks.shift import TemporalShift
from ldvd_lib.blocks.strided import LAYER_KINDS, LEAKY_SLOPE, LayerGeometry, strided_layer

__all__ = [
    "INITIALIZATIONS",
    "LAYER_KINDS",
    "LEAKY_SLOPE",
    "InstanceNoise",
    "LayerGeometry",
    "TemporalShift",
    "check_video",
    "doublings",
    "initialize_",
    "noise_from",
    "strided_layer",
]
