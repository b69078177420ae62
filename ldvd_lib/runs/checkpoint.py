"""Checkpoints: a directory ``checkpoints/step_0000500/`` that appears at once and holds all that a run continues from.

``weights.safetensors`` has the networks, ``state.pt`` (tensors and plain types, read with ``weights_only=True``) the
optimisers, the random streams and the sampler. ``SHA256SUMS``, which ``sha256sum -c`` reads, has the hashes of both;
checkpoints of earlier versions, and those that come with the course, have none.
"""

import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ldvd_lib._kit.files import file_sha256, free_path, load_tensors, save_tensors, to_disk, writing
from ldvd_lib.runs.files import CHECKPOINTS, CONFIG, step_in, step_name

WEIGHTS, STATE, SUMS = "weights.safetensors", "state.pt", "SHA256SUMS"


def list_checkpoints(run: Path) -> list[Path]:
    """The checkpoints of a run directory, oldest first; what has another name than we give is not ours."""
    steps = {step_in(path.name): path for path in (run / CHECKPOINTS).glob("step_*") if path.is_dir()}
    return [steps[step] for step in sorted(step for step in steps if step is not None)]


def step_of(checkpoint: Path) -> int:
    """The step that a checkpoint is of."""
    return int(checkpoint.name.removeprefix("step_"))


def set_aside(checkpoint: Path) -> str:
    """Give a damaged checkpoint a name under which it is no checkpoint any more; returns the name."""
    return checkpoint.rename(free_path(checkpoint.with_name(f"damaged-{checkpoint.name}"))).name


def save_weights(module: nn.Module, path: Path) -> Path:
    """Write a module's weights and buffers as safetensors, under a temporary name first."""
    return save_tensors(path, module.state_dict())


def load_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, is not the one that was written, or has values that are not finite.
    """
    _check_sum(path)
    return load_tensors(path)


def part_of(tensors: Mapping[str, Tensor], prefix: str, path: Path) -> dict[str, Tensor]:
    """Those of the tensors of a file whose names begin with a prefix, without it.

    Raises:
        ValueError: if there are none, naming the file.
    """
    chosen = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    if not chosen:
        raise ValueError(f"{path} holds no weights named {prefix}*")
    return chosen


def check_fit(module: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Whether weights are those of a module, by their names, shapes and kinds.

    Args:
        module: on any device, also on ``"meta"``.
        weights: of the module.
        path: where they come from.

    Raises:
        ValueError: if they are not, naming the file and the first that is wrong.
    """
    own = module.state_dict()
    for name in sorted(own.keys() | weights.keys()):
        there, here = (_described(tensors.get(name)) for tensors in (weights, own))
        if there != here:
            raise ValueError(
                f"{path} does not fit the networks of {CONFIG}: {name} is {there} there, and {here} in them"
            )


def _described(tensor: Tensor | None) -> str:
    """Shape and kind of a tensor; floating point numbers of any precision are one kind."""
    if tensor is None:
        return "missing"
    return f"{'x'.join(map(str, tensor.shape)) or 'one'} of {'float' if tensor.is_floating_point() else tensor.dtype}"


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

    Raises:
        OSError: if it cannot be written, to a full disk, say; then nothing of it stays, and nothing is deleted.
    """
    final = run / CHECKPOINTS / step_name(step)
    if final.is_dir():  # a step of a run has one state
        return final
    temporary = _unfinished(final)
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with writing(final):
            temporary.mkdir(parents=True)
            save_weights(networks, temporary / WEIGHTS)
            buffer = io.BytesIO()  # where a disk is full, torch.save would not say so
            torch.save(state, buffer)
            (temporary / STATE).write_bytes(buffer.getbuffer())
            sums = [f"{file_sha256(temporary / name)}  {name}\n" for name in (WEIGHTS, STATE)]
            (temporary / SUMS).write_text("".join(sums))
            for path in (temporary / STATE, temporary / SUMS, temporary):
                to_disk(path)
            temporary.rename(final)
            to_disk(final.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    if keep is not None:
        for old in list_checkpoints(run)[:-keep]:
            # Renamed first, so that a checkpoint that is deleted in part never has the name of one.
            shutil.rmtree(old.rename(_unfinished(old)))
    return final


def remove_leftovers(run: Path) -> None:
    """Delete what killed processes left of writing and deleting checkpoints; only where nothing else trains."""
    for path in (run / CHECKPOINTS).glob(".step_*.tmp"):
        if step_in(path.name.removeprefix(".").removesuffix(".tmp")) is not None:
            shutil.rmtree(path, ignore_errors=True)


def _unfinished(checkpoint: Path) -> Path:
    return checkpoint.with_name(f".{checkpoint.name}.tmp")


def load_state(checkpoint: Path) -> dict[str, Any]:
    """What `save_checkpoint` was given as `state`, on the CPU; nothing is unpickled but tensors and plain types.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged or not the one that was written, naming it.
    """
    path = checkpoint / STATE
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}")
    _check_sum(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # an empty, a cut and a foreign file each raise something else
        raise ValueError(f"{path} cannot be read ({type(error).__name__}): was it cut short?") from error


def _check_sum(path: Path) -> None:
    """Whether a file of a checkpoint is the one that was written, where there are sums to tell by."""
    sums = path.with_name(SUMS)
    if not path.is_file() or not sums.is_file():
        return
    if f"{file_sha256(path)}  {path.name}" not in sums.read_text(errors="replace").splitlines():
        raise ValueError(f"{path} cannot be read (its hash is not the one in {SUMS}): was it cut short or changed?")
