"""Any of torchvision's video classifiers as a feature network."""

import contextlib
import http.client
import io
import pickle
import re
import sys
from pathlib import Path
from urllib.parse import urlparse

import torch
from torch import Tensor, nn

from ldvd_lib._kit.checks import one_of
from ldvd_lib._kit.files import file_sha256
from ldvd_lib._kit.torchvision import torchvision
from ldvd_lib.metrics.network import FeatureNetwork
from ldvd_lib.metrics.preparation import as_float32, resize
from ldvd_lib.metrics.weights import match_weights, read_tensors

_HASH = re.compile(r"-([0-9a-f]{8,})\.")  # in the names of published files: how their SHA-256 begins


class TorchvisionFeatures(FeatureNetwork):
    """A video classifier of torchvision, and what reaches its last layer.

    Args:
        name: as `torchvision.models` lists it: r3d_18, mc3_18, r2plus1d_18, s3d, mvit_v2_s, swin3d_t, …
        weights: a local file of its published weights (Kinetics-400), ``.pth`` or ``.safetensors``; None leaves the
            network as it is initialised.

    Attributes:
        image_size: pixels that the published weights were evaluated at.

    Raises:
        ValueError: for another name, or a file that holds other weights.
        FileNotFoundError: if there is no such file.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str, weights: str | Path | None = None) -> None:
        super().__init__()
        one_of("torchvision's video network", name, video_networks())
        if weights is None:
            self.model = torchvision.models.get_model(name, weights=None)
        else:
            tensors = read_tensors(weights, what=f"weights of torchvision's {name}")
            # No time is spent on random weights, and nobody's random numbers are used up by them.
            with torch.device("meta"):
                self.model = torchvision.models.get_model(name, weights=None)
            self.model.load_state_dict(match_weights(self.model, tensors, where=weights), assign=True)
        published = torchvision.models.get_model_weights(name).DEFAULT.transforms()
        (self.image_size,) = set(published.crop_size)
        self.register_buffer("mean", torch.tensor(published.mean).view(3, 1, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(published.std).view(3, 1, 1, 1), persistent=False)
        # The classifier's own layer is the last that has weights, whatever the architecture calls it.
        self._last = [layer for layer in self.model.modules() if isinstance(layer, nn.Linear | nn.Conv3d)][-1]
        self.eval()

    def prepare(self, videos: Tensor) -> Tensor:
        """``(N, 3, T, H, W)`` in [-1, 1] → `image_size`, bilinear, each colour normalised as in training."""
        return (resize((as_float32(videos) + 1) / 2, self.image_size, "bilinear") - self.mean) / self.deviation

    def activations(self, videos: Tensor) -> dict[str, Tensor]:
        """Prepared videos → ``features`` ``(N, d)``, ``logits`` and ``prob`` ``(N, num_classes)``."""
        reached: list[Tensor] = []
        hook = self._last.register_forward_pre_hook(lambda _, inputs: reached.append(inputs[0]))
        try:
            logits = self.model(videos)
        finally:
            hook.remove()
        # s3d classifies every place of its last map, and takes the mean of that.
        return {
            "features": reached[0].flatten(2).mean(2) if reached[0].ndim > 2 else reached[0],
            "logits": logits,
            "prob": logits.softmax(1),
        }


def video_networks() -> list[str]:
    """The names of torchvision's video networks."""
    return torchvision.models.list_models(module=torchvision.models.video)


def weights_file(name: str, place: str | Path | None = None, *, progress: bool = True) -> Path:
    """The file of a network's published weights.

    Args:
        name: one of `video_networks`.
        place: the file, or a directory that holds it as ``NAME.safetensors``, ``NAME.pth`` or under its published name;
            None: in torch.hub's cache, where torchvision puts it if it is not there yet.
        progress: show a progress bar while it is fetched.

    Raises:
        FileNotFoundError: if it is not there, or cannot be fetched, saying where to get it.
        ValueError: if the file has the published one's name, and is another.
    """
    url = torchvision.models.get_model_weights(name).DEFAULT.url
    published = Path(urlparse(url).path).name
    if place is None:
        return _fetched(name, Path(torch.hub.get_dir()) / "checkpoints" / published, progress)
    place = Path(place)
    names = (f"{name}.safetensors", f"{name}.pth", published)
    candidates = [place / file for file in names] if place.is_dir() else [place]
    for path in candidates:
        if path.is_file():
            return _verified(path) if path.name == published else path
    expected = f"{place} holds none of {', '.join(names)}" if place.is_dir() else f"there is no file {place}"
    raise FileNotFoundError(
        f"{expected}, the weights of torchvision's {name}: download them from {url}; or do not say where they are "
        "(without --weights), and they are fetched where there is internet"
    )


def _fetched(name: str, path: Path, progress: bool) -> Path:
    """The file in torch.hub's cache, which torchvision fetches if it is not there."""
    weights = torchvision.models.get_model_weights(name).DEFAULT
    if not path.is_file():
        # torch.hub says on the standard output what it downloads, where the results are to be.
        elsewhere = contextlib.redirect_stdout(sys.stderr if progress else io.StringIO())
        try:
            with elsewhere:
                # Without weights_only, what the file says would be run.
                weights.get_state_dict(
                    model_dir=str(path.parent),
                    check_hash=True,
                    progress=progress,
                    weights_only=True,
                    map_location="cpu",
                )
        # Its ways to fail: no connection, no such page, a full disk; an answer cut short; another hash; no weights.
        except (OSError, http.client.HTTPException, RuntimeError, pickle.UnpicklingError) as error:
            if not path.is_file():
                raise FileNotFoundError(
                    f"torchvision's {name} judges with weights that are not part of the course, and nothing could be "
                    f"fetched ({error}): download {weights.url} where there is internet, and say where the file is "
                    "(--weights)"
                ) from error
    return _verified(path)  # torch.hub looks at the hash of what it downloads, but not of what is there already


def _verified(path: Path) -> Path:
    """The published file, if it has the SHA-256 in its name."""
    begins = _HASH.search(path.name)
    if begins and not file_sha256(path).startswith(begins[1]):
        raise ValueError(
            f"{path} is not the file that torchvision publishes (its SHA-256 does not begin with {begins[1]}): "
            "delete it, and download it again"
        )
    return path
