"""I3D's blocks against plain code from MODELS' table and TensorFlow's definition of "SAME"."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ldvd_lib._kit.files import file_sha256
from ldvd_lib.metrics import i3d
from ldvd_lib.metrics.i3d import BLOCKS, I3D, Inception, ScriptedI3D, Unit, max_pool_same, pad_same


def windows_of_same(length: int, kernel: int, stride: int) -> list[list[int]]:
    """Which positions each output of a "SAME" layer sees, by TensorFlow's formula; those outside are padding."""
    outputs = math.ceil(length / stride)
    before = max((outputs - 1) * stride + kernel - length, 0) // 2
    return [[output * stride - before + offset for offset in range(kernel)] for output in range(outputs)]


def plain_same(x: np.ndarray, kernel: tuple[int, ...], stride: tuple[int, ...]) -> np.ndarray:
    """Every window of ``(N, C, T, H, W)``, padded with zeros: ``(N, C, T', H', W', kt, kh, kw)``."""
    for axis in range(3):
        chosen = windows_of_same(x.shape[2 + axis], kernel[axis], stride[axis])
        padded = np.concatenate([x, np.zeros_like(x.take([0], 2 + axis))], 2 + axis)
        end = x.shape[2 + axis]
        index = [[p if 0 <= p < end else end for p in window] for window in chosen]
        x = np.moveaxis(padded.take(index, 2 + axis), 3 + axis, -1)
    return x


@pytest.mark.parametrize("size", [(5, 7, 8), (6, 9, 11), (1, 2, 3)])
@pytest.mark.parametrize(
    ("kernel", "stride"),
    [((7, 7, 7), (2, 2, 2)), ((1, 3, 3), (1, 2, 2)), ((3, 3, 3), (2, 2, 2)), ((2, 2, 2), (2, 2, 2))],
)
def test_pooling_pads_as_tensorflow_does(size, kernel, stride) -> None:
    x = np.random.default_rng(0).random((2, 3, *size), dtype=np.float32)
    expected = plain_same(x, kernel, stride).max((-3, -2, -1))
    np.testing.assert_array_equal(max_pool_same(torch.from_numpy(x), kernel, stride), expected)


def test_the_odd_zero_goes_to_the_end() -> None:
    padded = pad_same(torch.ones(1, 1, 1, 1, 4), (1, 1, 3), (1, 1, 2))
    assert padded.flatten().tolist() == [1, 1, 1, 1, 0]


def plain_unit(x: np.ndarray, unit: Unit) -> np.ndarray:
    weight = unit.conv3d.weight.detach().numpy()
    patches = plain_same(x, unit.kernel, unit.stride)
    values = np.einsum("nithwabc,oiabc->nothw", patches, weight)
    mean, variance, scale, shift = (
        t.detach().numpy()[None, :, None, None, None]
        for t in (unit.bn.running_mean, unit.bn.running_var, unit.bn.weight, unit.bn.bias)
    )
    return np.maximum((values - mean) / np.sqrt(variance + 0.001) * scale + shift, 0)


def randomise(network: torch.nn.Module) -> None:
    """Weights and statistics that are all different from what a new network has."""
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand_like(tensor) + 0.5 if "var" in name else torch.randn_like(tensor) * 0.5)


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (7, 2)])
def test_a_unit(kernel: int, stride: int) -> None:
    torch.manual_seed(0)
    unit = Unit(2, 3, kernel, stride).eval()
    randomise(unit)
    x = np.random.default_rng(0).random((2, 2, 5, 6, 7), dtype=np.float32)
    output = unit(torch.from_numpy(x)).detach()
    np.testing.assert_allclose(output, plain_unit(x, unit), rtol=1e-4, atol=1e-4)


def test_a_block_is_four_branches_in_order() -> None:
    torch.manual_seed(0)
    block = Inception(3, (2, 3, 4, 2, 3, 1)).eval()
    randomise(block)
    x = np.random.default_rng(0).random((1, 3, 3, 5, 4), dtype=np.float32)
    pooled = plain_same(x, (3, 3, 3), (1, 1, 1)).max((-3, -2, -1))
    expected = np.concatenate(
        [
            plain_unit(x, block.b0),
            plain_unit(plain_unit(x, block.b1a), block.b1b),
            plain_unit(plain_unit(x, block.b2a), block.b2b),
            plain_unit(pooled, block.b3b),
        ],
        axis=1,
    )
    assert expected.shape[1] == 2 + 4 + 3 + 1
    np.testing.assert_allclose(block(torch.from_numpy(x)).detach(), expected, rtol=1e-4, atol=1e-4)


def test_the_network_has_its_size_and_its_maps() -> None:
    maps: dict[str, tuple[int, ...]] = {}
    with torch.device("meta"):
        network = I3D().eval()
        for name, child in network.named_children():
            child.register_forward_hook(lambda _, __, output, name=name: maps.update({name: tuple(output.shape[1:])}))
        activations = network.activations(torch.empty(2, 3, 16, 224, 224))
    assert sum(weight.numel() for weight in network.parameters()) == 12_697_264
    assert activations["pooled"].shape == (2, 1024)
    assert activations["logits"].shape == (2, 400)
    # Output channels of Inception-v1's table, and the sizes that its strides give.
    assert [maps[name] for name in BLOCKS] == [
        (256, 8, 28, 28),
        (480, 8, 28, 28),
        *[(channels, 4, 14, 14) for channels in (512, 512, 512, 528, 832)],
        *[(channels, 2, 7, 7) for channels in (832, 1024)],
    ]


def test_a_narrower_network_is_a_whole_fraction_of_it() -> None:
    with torch.device("meta"):
        assert I3D(5, divisor=8).eval().activations(torch.empty(1, 3, 9, 224, 224))["pooled"].shape == (1, 128)
        with pytest.raises(ValueError, match=r"divisor 3 is unknown: .*'1', '2', '4', '8'"):
            I3D(divisor=3)


@pytest.mark.parametrize("frames", [9, 16, 25])
def test_any_number_of_frames_from_nine_on(frames: int) -> None:
    with torch.device("meta"):
        assert I3D(5).eval()(torch.empty(1, 3, frames, 224, 224)).shape == (1, 5)


@pytest.mark.parametrize("shape", [(1, 3, 8, 224, 224), (1, 3, 16, 112, 112), (1, 1, 16, 224, 224), (3, 16, 224, 224)])
def test_videos_of_another_shape_are_refused(shape) -> None:
    with torch.device("meta"), pytest.raises(ValueError, match="got"):
        I3D(5).activations(torch.empty(shape))


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> tuple[dict[str, Tensor], Path]:
    """A state dict of the published structure, without batch counters as old files are, and a file of it."""
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in I3D().state_dict().items()}
    random = torch.Generator().manual_seed(0)
    weights = {name: torch.rand(shape, generator=random) for name, shape in shapes.items() if "num_batches" not in name}
    path = tmp_path_factory.mktemp("i3d") / "rgb_imagenet.pt"
    torch.save(weights, path)
    return weights, path


def test_published_weights_load_and_are_kept_as_safetensors(published, tmp_path) -> None:
    weights, path = published
    network = I3D.from_file(path)
    assert not network.training
    again = I3D.from_file(network.save(tmp_path / "i3d.safetensors"))
    for name, tensor in weights.items():
        assert torch.equal(network.state_dict()[name], tensor)
        assert torch.equal(again.state_dict()[name], tensor)


def test_files_of_other_content_are_refused(published, tmp_path) -> None:
    weights, whole = published
    path = tmp_path / "weights.pt"
    with pytest.raises(FileNotFoundError, match="Kinetics-400"):
        I3D.from_file(path)
    path.write_bytes(whole.read_bytes()[:10_000])
    with pytest.raises(ValueError, match="cannot be read as weights"):
        I3D.from_file(path)
    few = {name: tensor for name, tensor in weights.items() if not name.startswith("Mixed")}
    torch.save(few, path)
    with pytest.raises(ValueError, match=r"Mixed_3b.b0.bn.bias is missing"):
        I3D.from_file(path)
    torch.save({**weights, "logits.conv3d.bias": torch.zeros(101)}, path)
    with pytest.raises(ValueError, match=r"logits.conv3d.bias has shape \(101,\), expected \(400,\)"):
        I3D.from_file(path)
    torch.save({**weights, "logits.conv3d.bias": torch.full((400,), torch.nan)}, path)
    with pytest.raises(ValueError, match=r"logits.conv3d.bias is not finite"):
        I3D.from_file(path)
    torch.save(Inception(1, (1,) * 6), path)  # a whole module would run code when it is read
    with pytest.raises(ValueError, match="cannot be read as weights"):
        I3D.from_file(path)


class Published(torch.nn.Module):
    """With the interface of the TorchScript file."""

    def forward(self, x: Tensor, rescale: bool = True, resize: bool = True, return_features: bool = False) -> Tensor:
        if rescale or resize or not return_features:
            return x
        return x.mean((2, 3, 4))


class Overwrites(torch.nn.Module):
    """Writes a file when it is opened."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    @torch.jit.export
    def __getstate__(self) -> tuple[str, bool]:
        return self.path, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[str, bool]) -> None:
        self.path, self.training = state
        torch.save(torch.zeros(1), self.path)

    def forward(self, x: Tensor) -> Tensor:
        return x


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_the_torchscript_file(tmp_path, monkeypatch) -> None:
    path = tmp_path / "i3d_torchscript.pt"
    with pytest.raises(FileNotFoundError, match="TorchScript"):
        ScriptedI3D.from_file(path)
    torch.jit.script(Published()).save(path)
    monkeypatch.setattr(i3d, "SCRIPT_SHA256", file_sha256(path))
    videos = torch.rand(2, 3, 4, 5, 5)
    assert torch.equal(ScriptedI3D.from_file(path).activations(videos)["logits"], videos.mean((2, 3, 4)))


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning", "ignore:.*TorchScript archive:UserWarning")
def test_no_other_torchscript_file_is_opened(tmp_path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "i3d_torchscript.pt"
    torch.jit.script(Overwrites(str(victim))).save(path)
    with pytest.raises(ValueError, match=r"i3d_torchscript\.pt is not the I3D .* SHA-256 .*dropbox.*rgb_imagenet\.pt"):
        ScriptedI3D.from_file(path)
    with pytest.raises(ValueError, match="cannot be read as weights"):
        I3D.from_file(path)
    assert not victim.exists()
    torch.jit.load(path)
    assert victim.exists(), "it would have been overwritten"
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="0 bytes"):
        ScriptedI3D.from_file(path)
