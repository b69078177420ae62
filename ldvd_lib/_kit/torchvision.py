"""The only way to import torchvision here: ``from ldvd_lib._kit.torchvision import torchvision``.

torchvision's wheels contain compiled operators built for CUDA. With a CPU build of torch they do not load, and
``import torchvision`` then fails with "operator torchvision::nms does not exist", although nothing that this
library uses needs them. torchvision registers fake kernels for two operators; if these two are declared, it can be
imported. Calling one of them still fails, as it should.
"""

import importlib.util
from pathlib import Path

import torch

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def _load_compiled_operators() -> None:
    """Load torchvision's compiled operators if they can be loaded, without importing torchvision."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return
    for library in sorted(Path(spec.origin).parent.glob("_C.*")):
        try:
            torch.ops.load_library(str(library))
        except OSError:
            continue  # built for another torch: the schemas above are declared instead


def _declare_missing_operators() -> torch.library.Library | None:
    missing = [name for name in _SCHEMAS if not hasattr(torch.ops.torchvision, name)]
    if not missing:
        return None
    fragment = torch.library.Library("torchvision", "FRAGMENT")
    for name in missing:
        fragment.define(_SCHEMAS[name])
    return fragment


_load_compiled_operators()
# Kept for the life of the process: the declarations disappear with the object.
_fragment = _declare_missing_operators()

import torchvision  # noqa: E402

__all__ = ["torchvision"]
