"""Video files to batches: list the clips, decode them once into a store, draw random windows from it."""

from ldvd_lib.data.clips import Clip, ClipIndex
from ldvd_lib.data.decode import DecodeError, VideoInfo
from ldvd_lib.data.indexing import index_clips
from ldvd_lib.data.preparation import prepare, prepare_beside
from ldvd_lib.data.sample import WindowDataset, Windows, WindowSampler
from ldvd_lib.data.store import ClipStore
from ldvd_lib.data.ucf101 import UCF101Error

__all__ = [
    "Clip",
    "ClipIndex",
    "ClipStore",
    "DecodeError",
    "UCF101Error",
    "VideoInfo",
    "WindowDataset",
    "WindowSampler",
    "Windows",
    "index_clips",
    "prepare",
    "prepare_beside",
]
