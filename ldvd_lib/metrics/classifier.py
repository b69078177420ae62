"""The small C3Ds that we trained, so that the metrics mean something without published weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ldvd_lib._kit import shelf
from ldvd_lib._kit.checks import one_of
from ldvd_lib.metrics.c3d import C3D
from ldvd_lib.metrics.weights import match_weights

# What each was trained on → its name on the shelf.
CLASSIFIERS = {
    "actions": "c3d-actions-32",
    "actions-order": "c3d-order-actions-32",
    "weizmann": "c3d-weizmann-32",
}

# What the judge of the order of frames tells apart.
ORDERS = ("forwards", "backwards", "shuffled")

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


def load_classifier(data: str = "actions") -> tuple[C3D, str]:
    """A small C3D that we trained, in evaluation mode, and the SHA-256 of its file.

    Args:
        data: what it was trained on, a key of `CLASSIFIERS`.

    Raises:
        FileNotFoundError, ValueError: see `ldvd_lib._kit.shelf.verified`; or the index describes no network.
    """
    name = CLASSIFIERS[one_of("data", data, list(CLASSIFIERS))]
    weights, entry = shelf.load_weights(name)
    options: Any = entry.get("network")
    try:
        network = C3D(**dict(options))
    except (TypeError, ValueError, RuntimeError) as error:  # an edited index may say anything
        raise ValueError(
            f"{shelf.directory() / shelf.INDEX} describes no network of {name} ({options!r:.200}: {error}): "
            "restore it with `git checkout pretrained`, or install anew"
        ) from error
    network.load_state_dict(match_weights(network, weights, where=shelf.directory() / entry["file"]))
    return network.eval(), entry["sha256"]


def own_classifier(class_names: Sequence[str]) -> str | None:
    """Which of `CLASSIFIERS` was trained to tell these classes apart, and so is the judge of clips of them.

    Args:
        class_names: of a store, all classes of its data set or some.

    Returns:
        Its key, or None if there is none: its inception score of such clips would be about other classes.

    Raises:
        FileNotFoundError, ValueError: see `ldvd_lib._kit.shelf.entries`.
    """
    index = shelf.entries()
    for data, name in CLASSIFIERS.items():
        classes: Any = index.get(name, {}).get("classes")
        if isinstance(classes, list) and all(class_name in classes for class_name in class_names):
            return data
    return None


def classes_of(data: str) -> tuple[str, ...]:
    """What one of `CLASSIFIERS` tells apart, in the order of its probabilities.

    Raises:
        ValueError, FileNotFoundError: for another name, and as `own_classifier`.
    """
    entry = shelf.entries()[CLASSIFIERS[one_of("data", data, list(CLASSIFIERS))]]
    return tuple(entry["classes"])


def save_classifier(
    network: C3D, directory: str | Path, *, classes: Sequence[str], name: str = CLASSIFIERS["actions"], **made: Any
) -> Path:
    """Write such a network and its entry in ``index.json`` into a directory; returns the file.

    Args:
        network: the network.
        directory: where the index is, or will be.
        classes: their names, in the order of its outputs.
        name: the entry's, a value of `CLASSIFIERS`.
        made: what else the entry should say: the data, steps, seed and accuracy.
    """
    options = {"num_classes": network.num_classes, **SMALL}
    entry = {"kind": "classifier", "network": options, "classes": list(classes), **made}
    return shelf.save_weights(directory, name, network.state_dict(), entry)
