"""Reading the published weights of feature networks: nothing is unpickled, and names and shapes are checked."""

import zipfile
import zlib
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


def read_npz(path: str | Path, *, what: str) -> dict[str, np.ndarray]:
    """The arrays of a NumPy archive; object arrays, which would have to be unpickled, are refused.

    Raises:
        FileNotFoundError: if the file is not there, saying what it should be.
        ValueError: if it cannot be read as plain arrays.
    """
    path = require_file(path, what=what)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} cannot be read as an archive of arrays ({error}); expected: {what}") from error


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
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a pickle's many ways to fail, and safetensors' own error class
        problem = str(error).splitlines()[0]
        raise ValueError(f"{path} cannot be read as weights ({problem}); expected: {what}") from error
    if not isinstance(tensors, Mapping) or not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise ValueError(f"{path} does not hold named tensors; expected: {what}")
    return dict(tensors)


def match_weights(network: nn.Module, tensors: Mapping[str, Tensor], *, where: str | Path) -> dict[str, Tensor]:
    """Weights that fit a network exactly, as float32.

    Args:
        network: may be on the meta device.
        tensors: name → tensor; `network`'s own names.
        where: the file, for messages.

    Raises:
        ValueError: listing what is missing, unexpected, of another shape, or not finite.
    """
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    problems = [f"{name} is missing" for name in expected if name not in tensors]
    problems += [f"{name} is not part of the network" for name in tensors if name not in expected]
    for name in expected.keys() & tensors.keys():
        if tuple(tensors[name].shape) != expected[name]:
            problems.append(f"{name} has shape {tuple(tensors[name].shape)}, expected {expected[name]}")
        elif tensors[name].is_floating_point() and not tensors[name].isfinite().all():
            problems.append(f"{name} is not finite")
    if problems:
        shown = "; ".join(sorted(problems)[:6]) + (f"; and {len(problems) - 6} more" if len(problems) > 6 else "")
        raise ValueError(f"{where} does not hold the weights of {type(network).__name__}: {shown}")
    return {
        name: tensors[name].to(torch.float32) if tensors[name].is_floating_point() else tensors[name]
        for name in expected
    }
