"""What makes a good discriminator for video GANs? The library behind the course.

The names that most notebooks need can be imported from here; each is loaded when it is asked for, so that
``import ldvd_lib`` costs nothing.
"""

import importlib

_HOMES = {
    "ArchitectureLab": "ldvd_lib.widgets",
    "ClipStore": "ldvd_lib.data",
    "HessianOperator": "ldvd_lib.hessian",
    "MoCoGANGenerator": "ldvd_lib.generators",
    "Recipe": "ldvd_lib.gan",
    "Run": "ldvd_lib.training",
    "SampleBrowser": "ldvd_lib.widgets",
    "SpectrumExplorer": "ldvd_lib.widgets",
    "SpectrumProbe": "ldvd_lib.hessian",
    "TGANGenerator": "ldvd_lib.generators",
    "TableExplorer": "ldvd_lib.widgets",
    "Trainer": "ldvd_lib.training",
    "TrainingMonitor": "ldvd_lib.widgets",
    "VideoDiscriminator": "ldvd_lib.discriminators",
    "WindowSampler": "ldvd_lib.data",
    "clip_singular_values_": "ldvd_lib.lipschitz",
    "dissect": "ldvd_lib.anatomy",
    "lanczos": "ldvd_lib.hessian",
    "sample_videos": "ldvd_lib.training",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'ldvd_lib' has no attribute {name!r}: it has {__all__} and its submodules")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
