"""Weights of files from elsewhere: nothing is run, and what does not fit is named."""

import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ldvd_lib.metrics.weights import match_weights, read_npz, read_tensors


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_plain_arrays_are_read(tmp_path) -> None:
    arrays = {"conv/W": np.arange(6.0).reshape(2, 3), "b": np.array(3)}
    np.savez_compressed(tmp_path / "x.npz", **arrays)
    loaded = read_npz(tmp_path / "x.npz", what="weights")
    assert loaded.keys() == arrays.keys()
    assert all(np.array_equal(loaded[name], arrays[name]) for name in arrays)


def test_a_missing_archive_is_described(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"x.npz; expected there: the weights of somebody"):
        read_npz(tmp_path / "x.npz", what="the weights of somebody")


def test_objects_are_not_unpickled(tmp_path) -> None:
    bomb = Bomb(str(tmp_path / "exploded"))
    np.savez(tmp_path / "x.npz", W=np.array([bomb], dtype=object))
    torch.save({"W": bomb}, tmp_path / "x.pt")
    with pytest.raises(ValueError, match="cannot be read"):
        read_npz(tmp_path / "x.npz", what="weights")
    with pytest.raises(ValueError, match="cannot be read"):
        read_tensors(tmp_path / "x.pt", what="weights")
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("keep", [0, 10, 300, -40])
def test_a_truncated_archive(tmp_path, keep: int) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, W=np.random.default_rng(0).random(1_000))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"x.npz cannot be read"):
        read_npz(path, what="weights")


def test_a_damaged_archive(tmp_path) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, W=np.random.default_rng(0).random(1_000))
    content = bytearray(path.read_bytes())
    content[2_000:2_100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"x.npz cannot be read"):
        read_npz(path, what="weights")


@pytest.mark.parametrize(
    "arrays",
    [
        {"W": np.array(["a", "b"])},
        {"W": np.zeros(2, dtype=">f4")},
        {"W": np.zeros(2, dtype="datetime64[s]")},
        {"W": np.zeros(2, dtype=[("a", "f4")])},
    ],
)
def test_arrays_of_something_else_than_numbers(tmp_path, arrays) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(ValueError, match=r"x\.npz cannot be read as an archive of arrays .*; expected: weights"):
        read_npz(tmp_path / "x.npz", what="weights")


def test_archives_of_other_kinds(tmp_path) -> None:
    path = tmp_path / "x.npz"
    with path.open("wb") as file:  # a lone array, not an archive
        np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match=r"x\.npz cannot be read"):
        read_npz(path, what="weights")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("W", b"no array")
    with pytest.raises(ValueError, match=r"x\.npz cannot be read"):
        read_npz(path, what="weights")
    np.savez(path, W=np.zeros(3))
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(signature) + offset] = 97  # a compression that nobody has
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.npz cannot be read"):
        read_npz(path, what="weights")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_tensors_without_numbers_of_their_own(tmp_path) -> None:
    for tensor in (
        torch.ones(3).to_sparse(),
        torch.ones(3, device="meta"),
        torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
    ):
        torch.save({"a": tensor}, tmp_path / "x.pt")
        with pytest.raises(ValueError, match=r"x\.pt (does not hold named tensors|cannot be read as weights)"):
            read_tensors(tmp_path / "x.pt", what="weights")


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".safetensors"])
def test_tensors_of_either_kind(tmp_path, suffix: str) -> None:
    path, weights = tmp_path / f"x{suffix}", {"a": torch.randn(3), "b": torch.ones(2, 2)}
    (save_file if suffix == ".safetensors" else torch.save)(weights, path)
    loaded = read_tensors(path, what="weights")
    assert all(torch.equal(loaded[name], weights[name]) for name in weights)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ValueError, match="cannot be read as weights"):
        read_tensors(path, what="weights")


def test_weights_that_have_changed_on_the_disk(tmp_path) -> None:
    """PyTorch itself does not look at the checksums of its archives."""
    path, weights = tmp_path / "x.pt", {"a": torch.arange(1000.0)}
    torch.save(weights, path)
    content = bytearray(path.read_bytes())
    content[content.index(weights["a"].numpy().tobytes()) + 1003] ^= 1
    path.write_bytes(content)
    assert not torch.equal(torch.load(path, weights_only=True)["a"], weights["a"])
    with pytest.raises(ValueError, match=r"x\.pt cannot be read as weights \(.*checksum"):
        read_tensors(path, what="weights")


def test_weights_of_the_format_before_archives(tmp_path) -> None:
    torch.save({"a": torch.arange(3.0)}, tmp_path / "x.pt", _use_new_zipfile_serialization=False)
    assert read_tensors(tmp_path / "x.pt", what="weights")["a"].tolist() == [0, 1, 2]


def test_a_file_of_something_else(tmp_path) -> None:
    torch.save({"epoch": 3, "state_dict": {"a": torch.ones(1)}}, tmp_path / "x.pt")
    with pytest.raises(ValueError, match="does not hold named tensors"):
        read_tensors(tmp_path / "x.pt", what="weights")


def test_weights_that_fit_become_float32() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    tensors = {
        name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in network.state_dict().items()
    }
    matched = match_weights(network, tensors, where="here")
    network.load_state_dict(matched)
    assert {tensor.dtype for tensor in matched.values()} == {torch.float32, torch.int64}


def test_all_that_does_not_fit_is_named() -> None:
    network = nn.Linear(2, 3)
    tensors = {"weight": torch.zeros(3, 3), "extra": torch.zeros(1)}
    with pytest.raises(ValueError) as caught:
        match_weights(network, tensors, where="here.npz")
    for part in (
        "here.npz does not hold the weights of Linear",
        "bias is missing",
        "extra is not part of the network",
        "weight has shape (3, 3), expected (3, 2)",
    ):
        assert part in str(caught.value)
    for dtype in (torch.int64, torch.complex64, torch.bool):
        with pytest.raises(ValueError, match=f"weight is of type {dtype}, expected torch.float32"):
            match_weights(network, {**network.state_dict(), "weight": torch.zeros(3, 2, dtype=dtype)}, where="here")
    with pytest.raises(ValueError, match="weight is not finite"):  # in float32
        match_weights(
            network, {**network.state_dict(), "weight": torch.full((3, 2), 1e300, dtype=torch.float64)}, where="here"
        )
    with pytest.raises(ValueError, match="bias is not finite"):
        match_weights(network, {"weight": torch.zeros(3, 2), "bias": torch.tensor([0, 1, torch.inf])}, where="here")
