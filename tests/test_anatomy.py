"""What networks cost and see."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from ldvd_lib import anatomy, zoo
from ldvd_lib.blocks import TemporalShift
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


def multiply_adds_by_hand(network: nn.Module, *shape: int) -> int:
    """Every element of an output costs a kernel's length, or of the input where the kernel is transposed."""
    counts = []

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.GRUCell):
            counts.append(len(output) * (module.weight_ih.numel() + module.weight_hh.numel()))
        elif isinstance(module, nn.Linear):
            counts.append(output.numel() * module.in_features)
        else:
            strided, channels = (inputs[0], module.out_channels) if module.transposed else (output, module.in_channels)
            counts.append(strided.numel() * channels * torch.Size(module.kernel_size).numel())

    for module in network.modules():
        if isinstance(module, nn.GRUCell | nn.Linear | nn.modules.conv._ConvNd):
            module.register_forward_hook(count)
    network(torch.zeros(2, *shape))
    return sum(counts) // 2


@pytest.mark.parametrize("name", ["tgan", "tgan-f", "tgan-tsm", "mocogan", "mocogan-f-sn", "mocogan-categories"])
def test_multiply_adds_equal_those_counted_by_hand(name: str) -> None:
    with torch.device("meta"):
        gan = zoo.build(name, "paper")
        for network in (*gan.discriminators.values(), gan.generator):
            table = anatomy.dissect(network)
            assert table.multiply_adds == multiply_adds_by_hand(network, *table.input_shape)


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


def test_the_table() -> None:
    table = anatomy.dissect(stack("shift"), name="TSM")
    assert [row.kind for row in table.rows] == ["shift", "shift", "2d", "pooled"]
    assert f"{table.parameters:,}" in repr(table)
    assert table._repr_html_().count("<tr>") == 6


class Critic(nn.Module):
    """A discriminator whose layers are a part, and whose score is their mean."""

    def __init__(self, *layers: nn.Module, num_frames: int = 16, image_size: int = 16) -> None:
        super().__init__()
        self.in_channels, self.num_frames, self.image_size = 3, num_frames, image_size
        self.layers = nn.Sequential(*layers)

    def forward(self, videos: Tensor) -> Tensor:
        return self.layers(videos).flatten(1).mean(1)


class Residual(nn.Module):
    """A residual block, averaged down by two."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first = nn.Conv3d(before, after, 3, padding=1)
        self.norm = nn.BatchNorm3d(after)
        self.second = nn.Conv3d(after, after, 3, padding=1)
        self.skip = nn.Conv3d(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        deep = self.second(functional.leaky_relu(self.norm(self.first(x)), 0.2))
        deep += self.skip(x)
        return functional.avg_pool3d(deep, 2)


class FrameByFrame(nn.Module):
    """A 2D convolution on every frame, frames being folded into the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Conv2d(3, 4, 5, padding=2, padding_mode="reflect")

    def forward(self, x: Tensor) -> Tensor:
        n, t = x.shape[0], x.shape[2]
        return self.image(x.transpose(1, 2).flatten(0, 1)).unflatten(0, (n, t)).transpose(1, 2)


class Differences(nn.Module):
    """The differences of neighbouring frames, weighed by a parameter of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3, 1, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv3d(x[:, :, 1:] - x[:, :, :-1], self.weight * 0.5, padding=(0, 1, 1))


class ShiftedPart(nn.Module):
    """Shifted channels are joined with others that are not, and then seen by one group each."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = TemporalShift(0.25, 2)
        self.grouped = nn.Conv3d(12, 12, (1, 3, 3), groups=4)

    def forward(self, x: Tensor) -> Tensor:
        wide = torch.cat([x, -x, x, x * 2], dim=1)
        return self.grouped(torch.cat([self.shift(wide[:, :8]), wide[:, 8:]], dim=1))


# Layers; frames and pixels that a place of their last map depends on, counted on paper.
NETWORKS: dict[str, tuple[Callable[[], list[nn.Module]], tuple[int, int]]] = {
    "residual": (lambda: [Residual(3, 4), Residual(4, 6)], (16, 16)),
    "maximum": (
        lambda: [nn.Conv3d(3, 4, 3), nn.MaxPool3d(3, 2, 1), nn.ReLU(), nn.Conv3d(4, 4, 2, dilation=3)],
        (11, 11),
    ),
    "frame by frame": (lambda: [FrameByFrame(), nn.Tanh(), nn.Conv3d(4, 4, (3, 1, 1))], (3, 5)),
    "differences": (lambda: [Differences(), nn.GroupNorm(2, 4), nn.SiLU(), nn.Conv3d(4, 4, 3, 2, 1)], (4, 5)),
    "shifted part": (lambda: [ShiftedPart()], (5, 3)),
    "upsampled": (lambda: [nn.Conv3d(3, 4, 2, 2), nn.ConvTranspose3d(4, 4, 4, 2, 1), nn.Conv3d(4, 4, 3)], (6, 6)),
}


def felt_from(layers: nn.Module, *, frames: int, size: int) -> tuple[int, int]:
    """Frames and pixels whose change changes the middle of a map: without gradients, and with the network's weights."""
    layers = layers.double()
    for module in layers.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.eval()
        if isinstance(module, nn.GroupNorm):  # its statistics would depend on everything
            module.forward = lambda x: x
    videos = torch.rand(1, 3, frames, size, size, dtype=torch.float64)

    def middle(clips: Tensor) -> Tensor:
        output = layers(clips)
        return output[(0, slice(None), *(length // 2 for length in output.shape[2:]))]

    def extent(axis: int, length: int) -> int:
        felt = []
        for place in range(length):
            changed = videos.clone()
            changed.select(axis, place).add_(torch.rand_like(changed.select(axis, place)) * 10)
            if not torch.equal(middle(changed), before):
                felt.append(place)
        assert felt[0] > 0 and felt[-1] < length - 1, "cut off at the ends"
        return felt[-1] - felt[0] + 1

    with torch.no_grad():
        before = middle(videos)
        return extent(2, frames), extent(3, size)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_receptive_fields_equal_what_a_change_is_felt_from(name: str) -> None:
    torch.manual_seed(0)
    layers, field = NETWORKS[name]
    critic = Critic(*layers())
    assert anatomy.dissect(critic).receptive_field == field
    assert felt_from(critic.layers, frames=32, size=32) == field


def test_receptive_fields_do_not_depend_on_weights() -> None:
    # With weights below zero every ReLU is dead: by its own gradient this network sees nothing.
    critic = Critic(nn.Conv3d(3, 4, 3), nn.ReLU(), nn.Conv3d(4, 4, 3))
    for parameter in critic.parameters():
        nn.init.constant_(parameter, -1.0)
    assert anatomy.dissect(critic).receptive_field == (5, 5)


def test_what_sees_everything_has_no_receptive_field() -> None:
    class Weighed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = nn.Conv3d(4, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return x * self.gate(x.mean((2, 3, 4), keepdim=True)).sigmoid()

    layers = (nn.Conv3d(3, 4, 4, 2, 1), Weighed(), nn.Conv3d(4, 4, 3), nn.Flatten(), nn.Linear(4 * 6**3, 5))
    table = anatomy.dissect(Critic(*layers))
    assert [(row.frames, row.pixels) for row in table.rows] == [(4, 4), (None, None), (None, None), (None, None)]
    assert table.receptive_field == (4, 4)


@pytest.mark.parametrize("videos", [1, -1])  # a larger clip is refused, or taken for several
def test_in_a_network_for_one_size_only_fields_end_with_the_clip(videos: int) -> None:
    class OneSize(Critic):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x.view(len(x) if videos == 1 else -1, 3, 16, 16, 16))

    layers = [nn.Conv3d(3, 4, 4, 2, 1), nn.Conv3d(4, 4, 4, 2, 1), nn.Conv3d(4, 4, 4, 2, 1)]
    rows = anatomy.dissect(OneSize(*layers)).rows
    assert [(row.frames, row.pixels) for row in rows] == [(4, 4), (10, 10), (15, 15)]  # the last would see 22


class Growing(Critic):
    """A discriminator with a parameter and arithmetic of its own, weights that are tied, and a stage not in use."""

    def __init__(self) -> None:
        super().__init__(nn.Conv3d(3, 3, 3, padding=1), nn.Conv3d(3, 3, 3, padding=1))
        self.layers[1].weight = self.layers[0].weight
        self.later = nn.ModuleList([nn.Conv3d(3, 8, 3), nn.Conv3d(8, 3, 3)])
        self.mixing = nn.Parameter(torch.ones(3, 3))

    def forward(self, videos: Tensor) -> Tensor:
        return super().forward((videos.movedim(1, -1) @ self.mixing).movedim(-1, 1))


def test_what_is_not_run_costs_only_its_parameters() -> None:
    critic = Growing()
    table = anatomy.dissect(critic)
    assert table.parameters == sum(parameter.numel() for parameter in critic.parameters())
    unused = [row for row in table.rows if row.name.startswith("later")]
    assert [(row.kind, row.shape, row.multiply_adds, row.activation_bytes) for row in unused] == [
        ("not run", (), 0, 0)
    ] * 2
    assert [row.parameters for row in unused] == [3 * 8 * 27 + 8, 8 * 3 * 27 + 3]
    assert "not run" in repr(table)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        Growing()(torch.zeros(2, *table.input_shape))
    assert 2 * 2 * table.multiply_adds == counter.get_total_flops()


def test_a_network_that_does_not_say_what_it_takes_is_given_a_shape() -> None:
    network = nn.Sequential(nn.Conv3d(3, 4, 3), nn.Conv3d(4, 1, (1, 3, 3), stride=2))
    with pytest.raises(ValueError, match=r"Sequential does not say what videos it takes .*shape=\(3, 16, 64, 64\)"):
        anatomy.dissect(network)
    found = anatomy.dissect(network, shape=(3, 8, 16, 16))
    assert found.receptive_field == (3, 5)
    assert found.rows[0].shape == (4, 6, 14, 14)


@pytest.mark.parametrize("name", ["vgan", "provgan", "provgan-sw", "dvd-gan", "dvd-gan-1d", "ssw-gan-3"])
def test_networks_that_are_no_stacks_are_dissected_whole(name: str) -> None:
    """Every parameter once; of a network that grows, all stages run and the colours of the last alone."""
    gan = zoo.build(name)
    for network in gan.networks.values():
        table = anatomy.dissect(network)
        assert table.parameters == sum(parameter.numel() for parameter in network.parameters())
        assert table.multiply_adds > 0
        if hasattr(network, "growth"):
            resting = {".".join(row.name.split(".")[:2]) for row in table.rows if row.kind == "not run"}
            colours = "to_rgb" if network is gan.generator else "from_rgb"
            assert resting == {f"{colours}.{pixels}" for pixels in (4, 8, 16)}
            assert not any("Parametrized" in row.kind for row in table.rows)


def test_a_growing_critic_sees_more_from_layer_to_layer() -> None:
    rows = [row for row in anatomy.dissect(zoo.build("provgan").discriminators["video"]).rows if row.frames is not None]
    assert [row.frames for row in rows] == sorted(row.frames for row in rows)
    assert (rows[0].frames, rows[0].pixels) == (1, 1)
