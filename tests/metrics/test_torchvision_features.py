"""torchvision's video models as feature networks, with random weights."""

import pytest
import torch
from torch import nn

from ldvd_lib._torchvision import torchvision
from ldvd_lib.metrics import TorchvisionFeatures


@pytest.mark.parametrize(
    ("name", "width"), [("r2plus1d_18", 512), ("s3d", 1024), ("mvit_v2_s", 768), ("swin3d_t", 768)]
)
def test_the_features_are_what_the_last_layer_takes(name: str, width: int) -> None:
    with torch.device("meta"):
        network = TorchvisionFeatures(name)
        size = network.image_size
        found = network.activations(network.prepare(torch.empty(2, 3, 16, 64, 64)))
    assert size in (112, 224)
    assert {key: tuple(value.shape) for key, value in found.items()} == {
        "features": (2, width),
        "logits": (2, 400),
        "prob": (2, 400),
    }


def test_the_last_layer_makes_the_logits_of_the_features() -> None:
    torch.manual_seed(0)
    network = TorchvisionFeatures("mc3_18")
    videos = torch.randn(2, 3, 2, 16, 16)
    with torch.no_grad():
        found = network.activations(videos)
        torch.testing.assert_close(network.model.fc(found["features"]), found["logits"])
        torch.testing.assert_close(network.model(videos), found["logits"])
    torch.testing.assert_close(found["prob"].sum(1), torch.ones(2))
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
    with pytest.raises(ValueError, match=r"no video model 'resnet18': it has .*r2plus1d_18"):
        TorchvisionFeatures("resnet18")
