"""The layers that discriminators and generators are built from.

Videos are ``(N, C, T, H, W)``. Convolutions run fastest with the channels innermost in memory (on two CPU cores up to
twice as fast, and on tensor cores too), so modules keep their weights in a channels-last format and hand it on.
"""

from ldvd_lib.blocks.attention import SelfAttention
from ldvd_lib.blocks.conditional import ConditionalBatchNorm
from ldvd_lib.blocks.equalized import he_normal_
from ldvd_lib.blocks.growing import Growth, MinibatchDeviation, PixelNorm, enlarge, shrink, stage_channels
from ldvd_lib.blocks.initialization import INITIALIZATIONS, glorot_, initialize_, lecun_
from ldvd_lib.blocks.noise import InstanceNoise, noise_from
from ldvd_lib.blocks.recurrent import ConvGRU, ConvLSTM, ConvLSTMCell
from ldvd_lib.blocks.resampling import between_frames, coarse
from ldvd_lib.blocks.residual import DownBlock, TimeBlock, UpBlock, halved
from ldvd_lib.blocks.shapes import check_video, doublings
from ldvd_lib.blocks.shift import TemporalShift
from ldvd_lib.blocks.slices import Slices
from ldvd_lib.blocks.spectral import settle_, spectral_
from ldvd_lib.blocks.strided import LAYER_KINDS, LEAKY_SLOPE, LayerGeometry, strided_layer

__all__ = [
    "INITIALIZATIONS",
    "LAYER_KINDS",
    "LEAKY_SLOPE",
    "ConditionalBatchNorm",
    "ConvGRU",
    "ConvLSTM",
    "ConvLSTMCell",
    "DownBlock",
    "Growth",
    "InstanceNoise",
    "LayerGeometry",
    "MinibatchDeviation",
    "PixelNorm",
    "SelfAttention",
    "Slices",
    "TemporalShift",
    "TimeBlock",
    "UpBlock",
    "between_frames",
    "check_video",
    "coarse",
    "doublings",
    "enlarge",
    "glorot_",
    "halved",
    "he_normal_",
    "initialize_",
    "lecun_",
    "noise_from",
    "settle_",
    "shrink",
    "spectral_",
    "stage_channels",
    "strided_layer",
]
