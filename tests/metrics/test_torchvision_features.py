"""torchvision's video models as feature networks and judges, with random weights."""

import hashlib
import os
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from ldvd_lib._kit.torchvision import torchvision
from ldvd_lib.metrics import TorchvisionFeatures, extract, open_judge
from ldvd_lib.metrics.torchvision_features import video_networks, weights_file

WIDTHS = {"s3d": 1024, "mvit_v1_b": 768, "mvit_v2_s": 768, "swin3d_t": 768, "swin3d_s": 768, "swin3d_b": 1024}


@pytest.mark.parametrize("name", video_networks())
def test_the_features_are_what_the_last_layer_takes(name: str) -> None:
    with torch.device("meta"):
        network = TorchvisionFeatures(name)
        size = network.image_size
        activations = network.activations(network.prepare(torch.empty(2, 3, 16, 64, 64)))
    assert size in (112, 224)
    assert {key: tuple(value.shape) for key, value in activations.items()} == {
        "features": (2, WIDTHS.get(name, 512)),
        "logits": (2, 400),
        "prob": (2, 400),
    }


def test_the_last_layer_makes_the_logits_of_the_features() -> None:
    torch.manual_seed(0)
    network = TorchvisionFeatures("mc3_18")
    videos = torch.randn(2, 3, 2, 16, 16)
    with torch.no_grad():
        activations = network.activations(videos)
        torch.testing.assert_close(network.model.fc(activations["features"]), activations["logits"])
        torch.testing.assert_close(network.model(videos), activations["logits"])
    torch.testing.assert_close(activations["prob"].sum(1), torch.ones(2))
    assert not network.training


def test_local_weights_are_checked_and_loaded(tmp_path) -> None:
    path = tmp_path / "mc3_18.pth"
    with pytest.raises(FileNotFoundError, match="weights of torchvision's mc3_18"):
        TorchvisionFeatures("mc3_18", path)
    model = torchvision.models.get_model("mc3_18", weights=None)
    torch.save(model.state_dict(), path)
    assert torch.equal(TorchvisionFeatures("mc3_18", path).model.fc.weight, model.fc.weight)
    model.fc = nn.Linear(512, 3)
    torch.save(model.state_dict(), path)
    with pytest.raises(ValueError, match=r"fc.weight has shape \(3, 512\), expected \(400, 512\)"):
        TorchvisionFeatures("mc3_18", path)


def test_the_colours_are_those_of_training() -> None:
    with torch.device("meta"):
        network = TorchvisionFeatures("r3d_18")
    network.mean = torch.tensor([0.43216, 0.394666, 0.37645]).view(3, 1, 1, 1)
    network.deviation = torch.tensor([0.22803, 0.22145, 0.216989]).view(3, 1, 1, 1)
    grey = network.prepare(torch.zeros(1, 3, 2, 32, 32))
    assert grey.shape == (1, 3, 2, 112, 112)
    assert grey[0, :, 0, 50, 50].tolist() == pytest.approx([0.2975, 0.4757, 0.5694], abs=1e-3)


def test_other_names_are_refused() -> None:
    with pytest.raises(ValueError, match=r"video network 'resnet18' is unknown: .*r2plus1d_18"):
        TorchvisionFeatures("resnet18")


def test_loading_weights_uses_up_no_random_numbers(tmp_path) -> None:
    path = saved("mc3_18", tmp_path / "mc3_18.pth")
    state = torch.get_rng_state()
    network = TorchvisionFeatures("mc3_18", path)
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(tensor.is_meta for tensor in (*network.parameters(), *network.buffers()))


def saved(name: str, path: Path) -> Path:
    """A file of random weights of a network."""
    torch.manual_seed(0)
    weights = torchvision.models.get_model(name, weights=None).state_dict()
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(weights, path)
    else:
        torch.save(weights, path)
    return path


@pytest.fixture(scope="module")
def s3d(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the smallest network."""
    return saved("s3d", tmp_path_factory.mktemp("weights") / "s3d.pth")


def test_weights_are_found_as_a_file_or_in_a_directory(tmp_path, s3d) -> None:
    assert weights_file("s3d", s3d) == weights_file("s3d", s3d.parent) == s3d
    for name in ("s3d.pth", "s3d.safetensors"):
        (tmp_path / name).touch()
        assert weights_file("s3d", tmp_path) == tmp_path / name


def test_a_file_of_the_published_name_is_the_published_file(published, s3d) -> None:
    path = published()
    path.parent.mkdir(parents=True)
    path.write_bytes(s3d.read_bytes())
    assert weights_file("s3d", path) == weights_file("s3d", path.parent) == path
    path.write_bytes(s3d.read_bytes()[:-1])
    for place in (path, path.parent):
        with pytest.raises(ValueError, match=rf"{path.name} is not the file that torchvision publishes .*delete it"):
            weights_file("s3d", place)


def test_videos_are_prepared_in_single_precision_whatever_theirs() -> None:
    network = TorchvisionFeatures("s3d")
    videos = torch.rand(1, 3, 2, 20, 20, generator=torch.Generator().manual_seed(0))
    assert torch.equal(network.prepare(videos.double()), network.prepare(videos))
    assert network.prepare(videos.half()).dtype == torch.float32
    with pytest.raises(ValueError, match=r"got torch\.uint8"):
        network.prepare(videos.byte())


@pytest.mark.parametrize(("place", "what"), [(".", r"holds none of r3d_18.safetensors, r3d_18.pth"), ("x", "no file")])
def test_weights_that_are_not_there_can_be_got_somewhere(tmp_path, place: str, what: str) -> None:
    url = "https://download.pytorch.org/models/r3d_18-b3b3357e.pth"
    with pytest.raises(FileNotFoundError, match=rf"{what}.*torchvision's r3d_18: download them from {url}"):
        open_judge("torchvision-r3d_18", tmp_path / place)


def test_a_judge_of_a_file(s3d, tmp_path) -> None:
    judge = open_judge("torchvision-s3d", s3d.parent)
    assert judge.protocol.identity == "torchvision-s3d-v1"
    assert judge.weights == hashlib.sha256(s3d.read_bytes()).hexdigest()

    def source(seed: int, count: int, start: int):
        yield torch.rand(count - start, 3, 16, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1

    extracted = extract(judge, source, tmp_path, videos="noise", seed=0, count=2, progress=False)
    assert extracted.features.shape == (2, 1024)
    assert extracted.probabilities is None  # of classes that the data do not have
    with torch.no_grad():
        expected = judge.network.activations(judge.prepare(next(source(0, 2, 0))))["features"]
    torch.testing.assert_close(extracted.features, expected, rtol=1e-3, atol=1e-4)


def test_safetensors_are_as_good(s3d, tmp_path) -> None:
    judge = open_judge("torchvision-s3d", saved("s3d", tmp_path / "s3d.safetensors"))
    weight = open_judge("torchvision-s3d", s3d).network.model.classifier[1].weight
    assert torch.equal(judge.network.model.classifier[1].weight, weight)


@pytest.fixture
def published(s3d, tmp_path, monkeypatch) -> Callable[..., Path]:
    """Puts a file on the server of torchvision's s3d, and empties torch.hub's cache; returns the file's place in it."""

    def publish(content: Path = s3d, *, digest: str | None = None) -> Path:
        digest = digest or hashlib.sha256(content.read_bytes()).hexdigest()[:8]
        name = f"s3d-{digest}.pth"
        server = tmp_path / "server"
        server.mkdir()
        (server / name).write_bytes(content.read_bytes())
        weights = torchvision.models.get_model_weights("s3d").DEFAULT
        monkeypatch.setattr(type(weights), "url", (server / name).as_uri())
        return tmp_path / "hub" / "checkpoints" / name

    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    return publish


def test_published_weights_are_fetched_once(published, s3d, monkeypatch, capsys) -> None:
    cached = published()
    judge = open_judge("torchvision-s3d", progress=False)
    assert judge.weights == hashlib.sha256(cached.read_bytes()).hexdigest()
    assert cached.read_bytes() == s3d.read_bytes()
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(torch.hub, "download_url_to_file", None)
    assert open_judge("torchvision-s3d").weights == judge.weights


def test_without_the_internet_one_is_told_what_to_do(published, monkeypatch) -> None:
    cached = published()

    def offline(*_: object, **__: object) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(torch.hub, "urlopen", offline)
    message = r"nothing could be fetched \(.*not known.*\): download file:.*s3d-\w+.pth .*--weights"
    with pytest.raises(FileNotFoundError, match=message):
        open_judge("torchvision-s3d", progress=False)
    assert not cached.exists()


def test_another_file_than_the_published_one_is_not_used(published) -> None:
    cached = published(digest="0123abcd")
    with pytest.raises(FileNotFoundError, match=r"nothing could be fetched \(invalid hash value"):
        open_judge("torchvision-s3d", progress=False)
    assert not cached.exists()


def test_a_damaged_cache_is_noticed(published) -> None:
    cached = published()
    open_judge("torchvision-s3d", progress=False)
    cached.write_bytes(cached.read_bytes()[:-1000])
    with pytest.raises(ValueError, match=r"is not the file that torchvision publishes .*delete it"):
        open_judge("torchvision-s3d", progress=False)


class MakesDirectory:
    """Makes a directory if it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_nothing_in_a_fetched_file_is_run(published, tmp_path) -> None:
    torch.save({"weight": MakesDirectory(tmp_path / "made")}, tmp_path / "attack.pth")
    published(tmp_path / "attack.pth")
    with pytest.raises(ValueError, match="cannot be read as weights"):
        open_judge("torchvision-s3d", progress=False)
    assert not (tmp_path / "made").exists()
