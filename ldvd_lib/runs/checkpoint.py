"""Checkpoints: a directory ``checkpoints/step_0000500/`` that appears at once and holds all that a run continues from.

``weights.safetensors`` has the networks, ``state.pt`` (tensors and plain types, read with ``weights_only=True``) the
optimisers, the random streams and the sampler.
"""

import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ldvd_lib._kit.files import free_path, save_tensors, to_disk
from ldvd_lib.runs.files import CHECKPOINTS

WEIGHTS, STATE = "weights.safetensors", "state.pt"


def list_checkpoints(run: Path) -> list[Path]:
    """The checkpoints of a run directory, oldest first."""
    return sorted((run / CHECKPOINTS).glob("step_[0-9]*"))


def step_of(checkpoint: Path) -> int:
    """The step that a checkpoint is of."""
    return int(checkpoint.name.removeprefix("step_"))


def set_aside(checkpoint: Path) -> str:
    """Give a damaged checkpoint a name under which it is no checkpoint any more; returns the name."""
    return checkpoint.rename(free_path(checkpoint.with_name(f"damaged-{checkpoint.name}"))).name


def save_weights(module: nn.Module, path: Path) -> Path:
    """Write a module's weights and buffers as safetensors, under a temporary name first."""
    return save_tensors(path, module.state_dict())


def load_weights(path: Path, prefix: str = "") -> dict[str, Tensor]:
    """The tensors of a safetensors file whose names begin with a prefix, without it.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged or holds nothing of that prefix.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there are no weights at {path}")
    try:
        tensors = load_file(path)
    except Exception as error:  # safetensors raises an error class of its own, which is not public
        raise ValueError(f"{path} cannot be read as safetensors ({error}): was it cut short?") from error
    chosen = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    if not chosen:
        raise ValueError(f"{path} holds no weights named {prefix}*")
    return chosen


def save_checkpoint(run: Path, step: int, networks: nn.Module, state: dict[str, Any], *, keep: int | None) -> Path:
    """Write a checkpoint and delete the oldest ones beyond `keep`.

    Args:
        run: the run directory.
        step: finished training steps.
        networks: everything whose weights and buffers count, as one module.
        state: tensors, numbers, strings and containers of them.
        keep: how many checkpoints to leave; None for all.

    Returns:
        The checkpoint's directory.
    """
    final = run / CHECKPOINTS / f"step_{step:07d}"
    if final.exists():  # a step of a run has one state
        return final
    temporary = final.with_name(f".{final.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    save_weights(networks, temporary / WEIGHTS)
    torch.save(state, temporary / STATE)
    to_disk(temporary / STATE)
    to_disk(temporary)
    temporary.rename(final)
    to_disk(final.parent)
    if keep is not None:
        for old in list_checkpoints(run)[:-keep]:
            shutil.rmtree(old)
    return final


def load_state(checkpoint: Path) -> dict[str, Any]:
    """What `save_checkpoint` was given as `state`, on the CPU; nothing is unpickled but tensors and plain types.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, naming it.
    """
    path = checkpoint / STATE
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # an empty, a cut and a foreign file each raise something else
        raise ValueError(f"{path} cannot be read ({type(error).__name__}): was it cut short?") from error
