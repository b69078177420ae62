"""Video files to batches: list the clips, decode them once into a store, draw random windows from it."""

from ldvd_lib.data.decode import DecodeError, VideoInfo
from ldvd_lib.data.preparation import prepare, prepare_beside
from ldvd_lib.data.sample import WindowDataset, Windows, WindowSampler
from ldvd_lib.data.store import ClipStore
from ldvd_lib.data.ucf101 import Clip, UCF101Error, UCF101Index

__all__ = [
    "Clip",
    "ClipStore",
    "DecodeError",
    "UCF101Error",
    "UCF101Index",
    "VideoInfo",
    "WindowDataset",
    "WindowSampler",
    "Windows",
    "prepare",
    "prepare_beside",
]
