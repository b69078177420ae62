"""The small C3D that we trained, so that the metrics mean something without published weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ldvd_lib._kit import shelf
from ldvd_lib.metrics.c3d import C3D
from ldvd_lib.metrics.weights import match_weights

PRETRAINED = "c3d-actions-32"

IMAGE_SIZE = 32

# Half a million parameters: enough for a dozen classes at 32 px.
SMALL: dict[str, Any] = {
    "channels": (16, 32, 32, 64, 64),
    "hidden": 128,
    "num_frames": 16,
    "image_size": IMAGE_SIZE,
    "batch_norm": True,
    "dropout": 0.0,
}


def load_classifier() -> tuple[C3D, str]:
    """The small C3D that we trained on the built-in actions, in evaluation mode, and the SHA-256 of its file.

    Raises:
        FileNotFoundError, ValueError: see `ldvd_lib._kit.shelf.verified`; or the index describes no network.
    """
    weights, entry = shelf.load_weights(PRETRAINED)
    options: Any = entry.get("network")
    try:
        network = C3D(**dict(options))
    except (TypeError, ValueError, RuntimeError) as error:  # an edited index may say anything
        raise ValueError(
            f"{shelf.directory() / shelf.INDEX} describes no network of {PRETRAINED} ({options!r:.200}: {error}): "
            "restore it with `git checkout pretrained`, or install anew"
        ) from error
    network.load_state_dict(match_weights(network, weights, where=shelf.directory() / entry["file"]))
    return network.eval(), entry["sha256"]


def save_classifier(network: C3D, directory: str | Path, *, classes: Sequence[str], **made: Any) -> Path:
    """Write such a network and its entry in ``index.json`` into a directory; returns the file.

    Args:
        network: the network.
        directory: where the index is, or will be.
        classes: their names, in the order of its outputs.
        made: what else the entry should say: the data, steps, seed and accuracy.
    """
    options = {"num_classes": network.num_classes, **SMALL}
    entry = {"kind": "classifier", "network": options, "classes": list(classes), **made}
    return shelf.save_weights(directory, PRETRAINED, network.state_dict(), entry)
