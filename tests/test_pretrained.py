"""Weights that come with the course: what the index says is what is there."""

import json

import pytest
import torch
from safetensors import safe_open

from ldvd_lib import pretrained


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """An empty directory in place of the checkout's."""
    monkeypatch.setattr(pretrained, "directory", lambda: tmp_path)
    return tmp_path


def test_every_file_of_the_checkout_is_the_one_listed() -> None:
    index = json.loads((pretrained.directory() / pretrained.INDEX).read_text())
    listed = {f"{name}{suffix}" for name in index for suffix in (".safetensors", ".md")}
    assert {path.name for path in pretrained.directory().iterdir() if path.suffix in (".safetensors", ".md")} == listed
    for name, entry in index.items():
        weights, found = pretrained.load_weights(name)
        assert found == entry
        assert weights
        card = (pretrained.directory() / f"{name}.md").read_text()
        for share in entry["accuracy"].values():
            assert f"{share:.1%}" in card


def test_what_is_saved_is_loaded(shelf) -> None:
    weights = {"a": torch.randn(3, 2).T, "b": torch.arange(4)}
    path = pretrained.save_weights(shelf, "first", weights, {"steps": 3})
    pretrained.save_weights(shelf, "second", {"c": torch.ones(1)}, {})
    found, entry = pretrained.load_weights("first")
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], weights[name]) for name in weights)
    assert (entry["file"], entry["steps"]) == ("first.safetensors", 3)
    with safe_open(path, framework="pt") as file:
        assert set(file.keys()) == {"a", "b"}
    assert sorted(p.name for p in shelf.iterdir()) == ["first.safetensors", "index.json", "second.safetensors"]


def test_without_a_checkout(shelf) -> None:
    with pytest.raises(FileNotFoundError, match="install the course from a checkout"):
        pretrained.load_weights("first")


def test_what_is_not_as_listed_is_refused(shelf) -> None:
    path = pretrained.save_weights(shelf, "first", {"a": torch.ones(2)}, {})
    with pytest.raises(ValueError, match=r"no weights are called 'frist': there are \['first'\]"):
        pretrained.load_weights("frist")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="SHA-256 differs"):
        pretrained.load_weights("first")
    path.unlink()
    with pytest.raises(FileNotFoundError, match="is missing: restore it"):
        pretrained.load_weights("first")
