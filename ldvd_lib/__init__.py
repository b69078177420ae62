"""What makes a good discriminator for video GANs? The library behind the course.

The names that most notebooks need can be imported from here, and every part of the library is an attribute
(``ldvd_lib.zoo``). Each is loaded when it is asked for, so that ``import ldvd_lib`` costs nothing.
"""

import importlib
import pkgutil

_HOMES = {
    "ArchitectureLab": "ldvd_lib.widgets",
    "ClipStore": "ldvd_lib.data",
    "HessianOperator": "ldvd_lib.hessian",
    "MoCoGANGenerator": "ldvd_lib.generators",
    "Recipe": "ldvd_lib.recipe",
    "ReviewCards": "ldvd_lib.widgets",
    "Run": "ldvd_lib.runs",
    "SampleBrowser": "ldvd_lib.widgets",
    "SpectrumExplorer": "ldvd_lib.widgets",
    "SpectrumProbe": "ldvd_lib.training",
    "TGANGenerator": "ldvd_lib.generators",
    "TableExplorer": "ldvd_lib.widgets",
    "Trainer": "ldvd_lib.training",
    "TrainingMonitor": "ldvd_lib.widgets",
    "VideoDiscriminator": "ldvd_lib.discriminators",
    "WindowSampler": "ldvd_lib.data",
    "clip_singular_values_": "ldvd_lib.lipschitz",
    "dissect": "ldvd_lib.anatomy",
    "lanczos": "ldvd_lib.hessian",
    "review": "ldvd_lib.widgets",
    "sample_videos": "ldvd_lib.training",
}
_ROOMS = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))

__all__ = sorted({*_HOMES, *_ROOMS})


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _ROOMS:
        return importlib.import_module(f"ldvd_lib.{name}")
    raise AttributeError(f"module 'ldvd_lib' has no attribute {name!r}: it has {__all__}")


def __dir__() -> list[str]:
    return __all__
