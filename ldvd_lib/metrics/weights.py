"""Reading the published weights of feature networks: nothing is unpickled, and names and shapes are checked."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn


def require_file(path: str | Path, *, what: str) -> Path:
    """The path, if there is a file.

    Raises:
        FileNotFoundError: saying what should have been there.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; expected there: {what}")
    return path


def read_npz(path: str | Path, *, what: str) -> dict[str, Tensor]:
    """The arrays of a NumPy archive; object arrays, which would have to be unpickled, are refused.

    Raises:
        FileNotFoundError: if the file is not there, saying what it should be.
        ValueError: if it cannot be read as plain arrays of numbers.
    """
    path = require_file(path, what=what)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: torch.from_numpy(archive[name]) for name in archive.files}
    except Exception as error:  # ZIP, its compressions and NumPy's format have each their ways to fail
        raise ValueError(
            f"{path} cannot be read as an archive of arrays ({_first(error)}); expected: {what}"
        ) from error


def read_tensors(path: str | Path, *, what: str) -> dict[str, Tensor]:
    """The tensors of a safetensors file, or of a PyTorch state dict, read as plain tensors.

    Raises:
        FileNotFoundError: if the file is not there, saying what it should be.
        ValueError: if it cannot be read as named tensors.
    """
    path = require_file(path, what=what)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        if zipfile.is_zipfile(path):  # PyTorch does not look at the checksums
            with zipfile.ZipFile(path) as archive:
                if damaged := archive.testzip():
                    raise ValueError(f"{damaged} in it has another checksum")
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a pickle's many ways to fail, and safetensors' own error class
        raise ValueError(f"{path} cannot be read as weights ({_first(error)}); expected: {what}") from error
    if not isinstance(tensors, Mapping) or not all(map(_is_plain, tensors.values())):
        raise ValueError(f"{path} does not hold named tensors; expected: {what}")
    return dict(tensors)


def _is_plain(tensor: object) -> bool:
    """Whether it is a tensor with numbers of its own: not sparse, not quantised, and not on the meta device."""
    return (
        isinstance(tensor, Tensor)
        and tensor.layout == torch.strided
        and tensor.device.type == "cpu"
        and not tensor.is_quantized
    )


def _first(error: Exception) -> str:
    """The first line of what an error says, or else its kind."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def match_weights(network: nn.Module, tensors: Mapping[str, Tensor], *, where: str | Path) -> dict[str, Tensor]:
    """Weights that fit a network exactly, in its own types.

    Args:
        network: may be on the meta device.
        tensors: name → tensor; `network`'s own names.
        where: the file, for messages.

    Raises:
        ValueError: listing what is missing, unexpected, of another shape or kind of number, or not finite.
    """
    expected = network.state_dict()
    problems = [f"{name} is missing" for name in expected if name not in tensors]
    problems += [f"{name} is not part of the network" for name in tensors if name not in expected]
    matched = {}
    for name in expected.keys() & tensors.keys():
        ours, tensor = expected[name], tensors[name]
        if tensor.shape != ours.shape:
            problems.append(f"{name} has shape {tuple(tensor.shape)}, expected {tuple(ours.shape)}")
        elif tensor.is_floating_point() != ours.is_floating_point() or tensor.is_complex():
            problems.append(f"{name} is of type {tensor.dtype}, expected {ours.dtype}")
        else:
            matched[name] = tensor.to(ours.dtype)
            if not matched[name].isfinite().all():
                problems.append(f"{name} is not finite")
    if problems:
        shown = "; ".join(sorted(problems)[:6]) + (f"; and {len(problems) - 6} more" if len(problems) > 6 else "")
        raise ValueError(f"{where} does not hold the weights of {type(network).__name__}: {shown}")
    return {name: matched[name] for name in expected}
