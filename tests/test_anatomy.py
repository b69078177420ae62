"""What networks cost and see."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ldvd_lib import anatomy, zoo
from ldvd_lib.discriminators import VideoDiscriminator

STACKS = {
    "3d": {"kinds": ("3d",) * 3},
    "mocogan": {"kinds": ("3d",) * 3, "time": (4, 1, 0), "head": "patch"},
    "factorized": {"kinds": ("2+1d", "2+1d", "2d")},
    "shift": {"kinds": ("shift", "shift", "2d")},
    "mixture": {"kinds": ("shift", "3d", "2+1d"), "shift_distance": 2, "head": "volume"},
}


def stack(name: str, **options: object) -> VideoDiscriminator:
    torch.manual_seed(0)
    return VideoDiscriminator(**{"image_size": 64, "base_channels": 4, "init": "xavier", **STACKS[name], **options})


@pytest.mark.parametrize("name", ["tgan", "tgan-f", "tgan-tsm", "mocogan", "mocogan-f-sn", "mocogan-categories"])
def test_multiply_adds_equal_pytorchs_flop_counter(name: str) -> None:
    with torch.device("meta"):
        gan = zoo.build(name, "paper")
        for network in (*gan.discriminators.values(), gan.generator):
            table = anatomy.dissect(network)
            with FlopCounterMode(display=False) as counter:
                network(torch.zeros(2, *table.input_shape))
            assert 2 * 2 * table.multiply_adds == counter.get_total_flops()


@pytest.mark.parametrize("name", ["tgan", "mocogan", "mocogan-f-sn"])
def test_rows_hold_every_parameter(name: str) -> None:
    gan = zoo.build(name, "lite")
    for network in (*gan.discriminators.values(), gan.generator):
        assert anatomy.dissect(network).parameters == sum(p.numel() for p in network.parameters())


def reach(discriminator: VideoDiscriminator) -> tuple[int, int]:
    """Frames and pixels on which the central element of the last layer depends, by gradient."""
    size, frames = discriminator.image_size, discriminator.num_frames
    videos = torch.randn(1, 3, frames, size, size, dtype=torch.float64, requires_grad=True)
    features = discriminator.double().eval().features(videos)[-1]
    t, h = features.shape[2] // 2, features.shape[3] // 2
    (gradient,) = torch.autograd.grad(features[:, :, t, h, h].square().sum(), videos)
    seen = gradient.abs().amax((0, 1)) > 0
    return int(seen.any(2).any(1).sum()), int(seen.any(2).any(0).sum())


@pytest.mark.parametrize("name", sorted(STACKS))
def test_receptive_fields_equal_what_gradients_reach(name: str) -> None:
    # Room enough on every side that nothing is cut off.
    discriminator = stack(name, num_frames=64)
    assert anatomy.dissect(discriminator).receptive_field == reach(discriminator)


def test_receptive_fields_of_the_papers_table_6() -> None:
    def frames(name: str) -> int:
        return anatomy.dissect(zoo.build(name, "paper").discriminators["video"]).receptive_field[0]

    assert [frames(name) for name in ("tgan-tsm-c0", "tgan-tsm-c0-c1", "tgan-tsm")] == [3, 5, 7]
    # The paper's 22 for both originals is what three layers of kernel 4 and stride 2 see.
    tgan = anatomy.dissect(zoo.build("tgan", "paper").discriminators["video"])
    assert [row.frames for row in tgan.rows[:4]] == [4, 10, 22, 46]
    assert frames("mocogan-video") == 13
    assert tgan.receptive_field[1] == 46


@pytest.mark.parametrize("name", sorted(STACKS))
def test_activations_equal_what_autograd_keeps(name: str) -> None:
    """On real tensors: the bytes of the distinct storages that a forward pass saves, without the weights."""
    discriminator = stack(name, num_frames=16).train()
    weights = {t.untyped_storage().data_ptr() for t in (*discriminator.parameters(), *discriminator.buffers())}
    kept: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage
        return tensor

    table = anatomy.dissect(discriminator)
    videos = torch.randn(2, *table.input_shape).contiguous(memory_format=torch.channels_last_3d)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        scores = discriminator(videos)
    assert scores.requires_grad
    measured = sum(storage.nbytes() for storage in kept.values()) / 2
    assert table.activation_bytes == pytest.approx(measured, rel=0.02)


def test_dissecting_changes_nothing() -> None:
    discriminator = stack("factorized").eval()
    before = {name: tensor.clone() for name, tensor in discriminator.state_dict().items()}
    anatomy.dissect(discriminator)
    assert not discriminator.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in discriminator.state_dict().items())


def test_the_table_and_the_drawing() -> None:
    table = anatomy.dissect(stack("shift"), name="TSM")
    assert [row.kind for row in table.rows] == ["shift", "shift", "2d", "pooled"]
    assert f"{table.parameters:,}" in repr(table)
    assert table._repr_html_().count("<tr>") == 6
    figure = table.draw()
    assert len(figure.axes) == 2
    with pytest.raises(ValueError, match="draw works on discriminators"):
        anatomy.dissect(zoo.build("tgan").generator).draw()
