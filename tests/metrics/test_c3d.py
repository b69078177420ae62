"""C3D against plain code from its description, and the reading of TGAN's weights."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import conv3d

from ldvd_lib.metrics.c3d import C3D

NARROW = {"channels": (2, 3, 4, 3, 2), "hidden": 5, "image_size": 20}
# The keys of TGAN's file, as its code names the layers.
CONVOLUTIONS = ("conv1a", "conv2a", "conv3a", "conv3b", "conv4a", "conv4b", "conv5a", "conv5b")
KEYS = [f"{layer}/{part}" for layer in (*CONVOLUTIONS, "fc6", "fc7", "fc8") for part in "Wb"]


def pool_with_loops(x: np.ndarray, window: tuple[int, int, int]) -> np.ndarray:
    """Largest value of each window, the last ones cut off by the border: what ceiling mode means."""
    shape = [math.ceil(length / size) for length, size in zip(x.shape[2:], window, strict=True)]
    pooled = np.empty((*x.shape[:2], *shape), x.dtype)
    for place in np.ndindex(*shape):
        cut = tuple(slice(at * size, (at + 1) * size) for at, size in zip(place, window, strict=True))
        pooled[(..., *place)] = x[(..., *cut)].max((2, 3, 4))
    return pooled


def plain_c3d(arrays: dict[str, np.ndarray], videos: np.ndarray) -> dict[str, np.ndarray]:
    x = videos
    for layer in CONVOLUTIONS:
        weight, bias = (torch.from_numpy(arrays[f"{layer}/{part}"]) for part in "Wb")
        x = np.maximum(conv3d(torch.from_numpy(x), weight, bias, padding=1).numpy(), 0)
        if layer == "conv1a":
            x = pool_with_loops(x, (1, 2, 2))
        elif layer in ("conv2a", "conv3b", "conv4b", "conv5b"):
            x = pool_with_loops(x, (2, 2, 2))
    activations = {"fc6": np.maximum(x.reshape(len(x), -1) @ arrays["fc6/W"].T + arrays["fc6/b"], 0)}
    activations["fc7"] = np.maximum(activations["fc6"] @ arrays["fc7/W"].T + arrays["fc7/b"], 0)
    activations["logits"] = activations["fc7"] @ arrays["fc8/W"].T + arrays["fc8/b"]
    exponentials = np.exp(activations["logits"])
    return activations | {"prob": exponentials / exponentials.sum(1, keepdims=True)}


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """Weights of a narrow C3D under TGAN's names."""
    random = np.random.default_rng(0)
    names = {
        name.replace(".weight", "/W").replace(".bias", "/b"): w for name, w in C3D(7, **NARROW).state_dict().items()
    }
    return {name: random.normal(0, 0.2, weight.shape).astype(np.float32) for name, weight in names.items()}


@pytest.fixture
def write(tmp_path: Path):
    def write_npz(arrays: dict[str, np.ndarray]) -> Path:
        np.savez(tmp_path / "weights.npz", **arrays)
        return tmp_path / "weights.npz"

    return write_npz


def test_the_published_network_has_its_size() -> None:
    with torch.device("meta"):
        network = C3D().eval()
        activations = network.activations(torch.empty(2, 3, 16, 112, 112))
    assert sum(weight.numel() for weight in network.parameters()) == 78_409_573
    assert network.fc6.in_features == 8_192
    assert {layer: tuple(x.shape) for layer, x in activations.items()} == {
        "fc6": (2, 4096),
        "fc7": (2, 4096),
        "logits": (2, 101),
        "prob": (2, 101),
    }


def test_every_layer_is_what_plain_code_says(arrays, write) -> None:
    network = C3D.from_chainer(write(arrays), num_classes=7, **NARROW)
    videos = np.random.default_rng(1).normal(0, 1, (3, 3, 16, 20, 20)).astype(np.float32)
    activations = network.activations(torch.from_numpy(videos))
    expected = plain_c3d(arrays, videos)
    assert expected["fc7"].any()
    for layer, values in expected.items():
        np.testing.assert_allclose(activations[layer].detach(), values, rtol=2e-4, atol=1e-4 * np.abs(values).max())
    assert torch.equal(network(torch.from_numpy(videos)), activations["logits"])


def test_the_file_has_exactly_the_published_names(arrays) -> None:
    assert sorted(arrays) == sorted(KEYS)


def test_dropout_is_for_training_alone(arrays, write) -> None:
    network = C3D.from_chainer(write(arrays), num_classes=7, **NARROW)
    videos = torch.randn(1, 3, 16, 20, 20)
    assert not network.training
    assert torch.equal(network(videos), network(videos))
    network.train()
    torch.manual_seed(0)
    assert len({network(videos).sum().item() for _ in range(8)}) > 1


@pytest.mark.parametrize("shape", [(1, 3, 8, 20, 20), (1, 3, 16, 20, 22), (1, 1, 16, 20, 20), (3, 16, 20, 20)])
def test_videos_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(N, 3, 16, 20, 20\), got"):
        C3D(7, **NARROW).activations(torch.zeros(shape))


def test_five_groups() -> None:
    with pytest.raises(ValueError, match="4 entries"):
        C3D(channels=(1, 2, 3, 4))


def spoil_name(arrays: dict[str, np.ndarray]) -> None:
    arrays["conv1/W"] = arrays.pop("conv1a/W")


def spoil_shape(arrays: dict[str, np.ndarray]) -> None:
    arrays["fc6/W"] = arrays["fc6/W"].T.copy()


def spoil_number(arrays: dict[str, np.ndarray]) -> None:
    arrays["conv3b/b"][1] = np.nan


@pytest.mark.parametrize(
    ("spoil", "messages"),
    [
        (spoil_name, ["conv1a.weight is missing", "conv1/W|conv1.weight is not part"]),
        (spoil_shape, [r"fc6.weight has shape \(2, 5\), expected \(5, 2\)"]),
        (spoil_number, ["conv3b.bias is not finite"]),
    ],
)
def test_other_weights_are_refused_by_name(arrays, write, spoil, messages: list[str]) -> None:
    spoil(arrays)
    for message in messages:
        with pytest.raises(ValueError, match=message):
            C3D.from_chainer(write(arrays), num_classes=7, **NARROW)


def test_a_narrow_file_is_not_the_published_network(arrays, write) -> None:
    with pytest.raises(ValueError, match=r"does not hold the weights of C3D: .* and \d+ more"):
        C3D.from_chainer(write(arrays))
