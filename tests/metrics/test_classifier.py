"""The small classifier: what is saved comes back, and ours comes with the course."""

import json

import pytest
import torch

from ldvd_lib._kit import shelf
from ldvd_lib.data import actions, weizmann
from ldvd_lib.metrics import C3D, PROTOCOLS
from ldvd_lib.metrics.classifier import CLASSIFIERS, IMAGE_SIZE, SMALL, load_classifier, save_classifier


@pytest.mark.parametrize("data", CLASSIFIERS)
def test_what_is_saved_is_the_same_network(data, tmp_path, monkeypatch) -> None:
    network = C3D(2, **SMALL).eval()
    path = save_classifier(network, tmp_path, classes=["A", "B"], name=CLASSIFIERS[data], steps=1)
    monkeypatch.setattr(shelf, "directory", lambda: tmp_path)
    loaded, digest = load_classifier(data)
    entry = shelf.entry(path.parent.name)
    assert digest == entry["sha256"]
    assert entry["network"] == {"num_classes": 2, **SMALL, "channels": list(SMALL["channels"])}
    assert (entry["classes"], entry["steps"]) == (["A", "B"], 1)
    assert not loaded.training
    videos = torch.randn(2, 3, 16, IMAGE_SIZE, IMAGE_SIZE)
    assert torch.equal(loaded(videos), network(videos))


@pytest.mark.parametrize("network", [None, 3, [], {"channels": [1, 2]}, {"colour": 1}, {"num_classes": "two"}])
def test_an_index_that_describes_no_network_is_named(tmp_path, monkeypatch, network) -> None:
    save_classifier(C3D(2, **SMALL), tmp_path, classes=["A", "B"])
    index = json.loads((tmp_path / shelf.INDEX).read_text())
    index["c3d-actions-32"]["network"] = network
    (tmp_path / shelf.INDEX).write_text(json.dumps(index))
    monkeypatch.setattr(shelf, "directory", lambda: tmp_path)
    with pytest.raises(
        ValueError, match=r"index\.json describes no network|weights\.safetensors does not hold the weights"
    ):
        load_classifier()


def test_ours_has_a_class_for_each_of_the_built_in_actions() -> None:
    network, _ = load_classifier()
    assert shelf.entry("c3d-actions-32")["classes"] == sorted(actions.CLASSES)
    assert network.num_classes == len(actions.CLASSES)


def test_ours_has_a_class_for_each_of_the_weizmann_actions() -> None:
    network, digest = load_classifier("weizmann")
    entry = shelf.entry("c3d-weizmann-32")
    assert entry["classes"] == list(weizmann.CLASSES) and network.num_classes == 4
    assert entry["frame_stride"] == PROTOCOLS["weizmann"].frame_stride
    assert digest != load_classifier("actions")[1]
    with pytest.raises(ValueError, match="data 'weizman' is unknown: did you mean 'weizmann'"):
        load_classifier("weizman")
