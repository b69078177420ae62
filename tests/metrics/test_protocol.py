"""Named protocols, and the networks that they judge with."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from ldvd_lib.metrics import PROTOCOLS, open_judge, protocol
from ldvd_lib.metrics.c3d import C3D
from ldvd_lib.metrics.i3d import I3D, ScriptedI3D
from ldvd_lib.metrics.network import FeatureNetwork, InBfloat16

NARROW = {"channels": (2, 2, 2, 2, 2), "hidden": 3}


def test_what_the_papers_say() -> None:
    fvd = {"fvd-2048", "fvd-2048-pooled", "fvd-2048-bfloat16", "fvd-2048-stride-2"}
    assert PROTOCOLS.keys() == {"tgan-2017", "ldvd-2019", "tganv2-2018", "actions", "actions-order", "weizmann"} | fvd
    table = {name: (p.network, p.layer, p.samples, p.repeats, p.num_frames) for name, p in PROTOCOLS.items()}
    assert table["ldvd-2019"] == ("c3d", "fc7", 10_000, 4, 16)
    assert table["tganv2-2018"] == ("c3d", "fc7", 2_048, 10, 16)
    assert table["fvd-2048"] == table["fvd-2048-bfloat16"] == ("i3d", "logits", 2_048, 1, 16)
    usual, slow = PROTOCOLS["fvd-2048"], PROTOCOLS["fvd-2048-stride-2"]
    assert replace(slow, name=usual.name, frame_stride=1, description=usual.description) == usual
    assert slow.frame_stride == PROTOCOLS["weizmann"].frame_stride == 2
    assert table["fvd-2048-pooled"] == ("i3d", "pooled", 2_048, 1, 16)
    # Whole batches of 48 out of 10,000, as TGAN's code has it.
    assert PROTOCOLS["tgan-2017"].samples == 10_000 // 48 * 48
    assert not PROTOCOLS["fvd-2048"].inception_score
    assert not PROTOCOLS["actions-order"].inception_score, "its classes are not the data's"
    assert table["actions-order"][1:] == table["actions"][1:] == ("fc7", 1_024, 3, 16)


def test_identities_tell_versions_apart() -> None:
    identities = {p.identity for p in PROTOCOLS.values()}
    assert len(identities) == len(PROTOCOLS)
    assert PROTOCOLS["actions"].identity == "actions-v1"


def test_unknown_names_and_missing_weights(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    with pytest.raises(ValueError, match=r"protocol 'fid' is unknown: the choices are .*'actions'.*'torchvision-NAME'"):
        open_judge("fid")
    with pytest.raises(ValueError, match="did you mean 'fvd-2048'"):
        open_judge("fvd-2084")
    with pytest.raises(ValueError, match=r"mean2.npz .*--weights"):
        open_judge("ldvd-2019")
    with pytest.raises(FileNotFoundError, match=r"hub.*`ldvd judges get i3d`;.*i3d_torchscript.pt .*--weights"):
        open_judge("fvd-2048")
    with pytest.raises(FileNotFoundError, match=r"mean2.npz"):
        open_judge("tgan-2017", tmp_path)
    with pytest.raises(FileNotFoundError, match=rf"not in {tmp_path}.*--out {tmp_path}`;.*rgb_imagenet.pt"):
        open_judge("fvd-2048", tmp_path)
    (tmp_path / "i3d_torchscript.pt").touch()  # of which there are logits alone
    with pytest.raises(FileNotFoundError, match=r"'fvd-2048-pooled' judges with I3D.*the logits alone"):
        open_judge("fvd-2048-pooled", tmp_path)


@pytest.mark.parametrize(("name", "classes"), [("actions", 12), ("actions-order", 3), ("weizmann", 4)])
def test_our_own_judges_need_nothing(name: str, classes: int) -> None:
    judge = open_judge(name)
    videos = torch.zeros(2, 3, 16, 64, 64)
    activations = judge.network.activations(judge.prepare(videos))
    assert activations[judge.protocol.layer].shape == (2, 128)
    assert activations["prob"].shape == (2, classes)
    assert not judge.network.training
    assert len(judge.weights) == 64


def test_a_c3d_judge_of_files(tmp_path, monkeypatch) -> None:
    """The published files are a third of a gigabyte; a narrow network's have the same structure."""
    whole = C3D.from_chainer
    monkeypatch.setattr(C3D, "from_chainer", lambda path: whole(path, **NARROW))
    weights = {
        n.replace(".weight", "/W").replace(".bias", "/b"): w.numpy() for n, w in C3D(**NARROW).state_dict().items()
    }
    np.savez(tmp_path / "conv3d_deepnetA_ucf.npz", **weights)
    np.savez(tmp_path / "mean2.npz", mean=np.full((3, 16, 128, 171), 128.0, np.float32))
    judge = open_judge("tgan-2017", tmp_path)
    assert judge.weights == hashlib.sha256((tmp_path / "conv3d_deepnetA_ucf.npz").read_bytes()).hexdigest()
    grey = judge.prepare(torch.zeros(1, 3, 16, 64, 64))
    torch.testing.assert_close(grey, torch.zeros(1, 3, 16, 112, 112), atol=1e-3, rtol=0)
    assert judge.network.activations(grey)["fc7"].shape == (1, 3)


@pytest.mark.parametrize(
    ("files", "expected"), [(["rgb_imagenet.pt"], I3D), (["rgb_imagenet.pt", "i3d_torchscript.pt"], ScriptedI3D)]
)
def test_an_i3d_judge_of_either_file(files, expected, tmp_path, monkeypatch) -> None:
    for file in files:
        (tmp_path / file).write_text(file)
    for network in (I3D, ScriptedI3D):
        monkeypatch.setattr(network, "from_file", lambda path, network=network: (network, path))
    judge = open_judge("fvd-2048", tmp_path)
    assert judge.network == (expected, tmp_path / files[-1])
    assert judge.prepare is protocol.for_i3d
    assert judge.weights == hashlib.sha256(files[-1].encode()).hexdigest()


class Linear(FeatureNetwork):
    def activations(self, videos: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": videos.mean((2, 3, 4)) @ torch.eye(3) / 3}


def test_a_judge_in_bfloat16_says_nearly_the_same(tmp_path, monkeypatch) -> None:
    (tmp_path / "rgb_imagenet.pt").touch()
    monkeypatch.setattr(I3D, "from_file", lambda path: Linear())
    videos = torch.rand(4, 3, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    exact, quick = (open_judge(name, tmp_path).network for name in ("fvd-2048", "fvd-2048-bfloat16"))
    expected, logits = (network.activations(videos)["logits"] for network in (exact, quick))
    assert logits.dtype == torch.float32 and not torch.equal(logits, expected)
    assert quick.training == exact.training
    assert not InBfloat16(Linear().eval()).training
    torch.testing.assert_close(logits, expected, rtol=2**-7, atol=0)


def test_every_video_network_of_torchvision_has_a_protocol() -> None:
    for name in ("r3d_18", "mc3_18", "r2plus1d_18", "s3d", "mvit_v2_s", "swin3d_t"):
        judging = protocol.get(f"torchvision-{name}")
        assert judging.identity == f"torchvision-{name}-v1"
        assert (judging.network, judging.layer, judging.num_frames) == (name, "features", 16)
        assert not judging.inception_score
        assert judging == protocol.get(f"torchvision-{name}")
    assert not any(name.startswith("torchvision") for name in PROTOCOLS)
    with pytest.raises(ValueError, match="did you mean 'torchvision-r3d_18'"):
        protocol.get("torchvision-r3d18")
    with pytest.raises(ValueError, match=r"'torchvision-resnet18' is unknown.*'torchvision-s3d'"):
        open_judge("torchvision-resnet18")
