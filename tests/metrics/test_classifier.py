"""The small classifier: what is saved comes back, and ours comes with the course."""

import json

import pytest
import torch

from ldvd_lib._kit import shelf
from ldvd_lib.data import actions, weizmann
from ldvd_lib.metrics import C3D, PROTOCOLS
from ldvd_lib.metrics.classifier import (
    CLASSIFIERS,
    IMAGE_SIZE,
    ORDERS,
    SMALL,
    load_classifier,
    own_classifier,
    save_classifier,
)
from ldvd_lib.training.classifier import order_accuracy


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


def test_ours_has_a_class_for_each_order_and_tells_shuffled_frames_from_others() -> None:
    network, _ = load_classifier("actions-order")
    entry = shelf.entry("c3d-order-actions-32")
    assert tuple(entry["classes"]) == ORDERS and network.num_classes == 3
    # Of another seed than the clips that it has learnt from.
    clips = actions.render_store(image_size=32, clips_per_class=2, seed=5, progress=False)
    forwards, backwards, shuffled = order_accuracy(network, clips, every=8).mean(0)
    assert shuffled > 0.9
    assert forwards + backwards == pytest.approx(1, abs=0.1), "what is in order is taken for one and the same"
    assert (forwards, backwards) == pytest.approx(tuple(entry["accuracy"]["test"].values())[:2], abs=0.1)


def test_ours_has_a_class_for_each_of_the_weizmann_actions() -> None:
    network, digest = load_classifier("weizmann")
    entry = shelf.entry("c3d-weizmann-32")
    assert entry["classes"] == list(weizmann.CLASSES) and network.num_classes == 4
    assert entry["frame_stride"] == PROTOCOLS["weizmann"].frame_stride
    assert digest != load_classifier("actions")[1]
    with pytest.raises(ValueError, match="data 'weizman' is unknown: did you mean 'weizmann'"):
        load_classifier("weizman")


def test_clips_have_the_judge_that_knows_all_their_classes(tmp_path, monkeypatch) -> None:
    assert own_classifier(actions.CLASSES) == own_classifier(["Walking"]) == "actions"
    assert own_classifier(weizmann.CLASSES) == "weizmann"
    assert own_classifier(["Walking", "bend"]) is own_classifier(["ApplyEyeMakeup"]) is None
    for classes in ("wave1", None, 3):  # an edited index may say anything
        save_classifier(C3D(2, **SMALL), tmp_path, classes=["A", "B"])
        index = json.loads((tmp_path / shelf.INDEX).read_text())
        index["c3d-actions-32"]["classes"] = classes
        (tmp_path / shelf.INDEX).write_text(json.dumps(index))
        monkeypatch.setattr(shelf, "directory", lambda: tmp_path)
        assert own_classifier(["A"]) is None
