"""The stack discriminator."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ldvd_lib.discriminators import VideoDiscriminator


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameters_of_tgan() -> None:
    assert count(VideoDiscriminator()) == 11_032_320
    assert count(VideoDiscriminator(bias=True)) == 11_033_281


def test_output_of_the_last_layer() -> None:
    with torch.device("meta"):
        features = VideoDiscriminator().features(torch.zeros(1, 3, 16, 64, 64))
    assert [tuple(f.shape[1:]) for f in features] == [(64, 8, 32, 32), (128, 4, 16, 16), (256, 2, 8, 8), (512, 1, 4, 4)]


def small(**options: object) -> VideoDiscriminator:
    torch.manual_seed(0)
    return VideoDiscriminator(("3d", "2d"), 16, 8, base_channels=4, init="xavier", **options)


def test_equals_its_layers_written_out() -> None:
    discriminator = small(bias=True)
    videos = torch.randn(3, 3, 8, 16, 16)
    first, second = discriminator.layers
    x = F.leaky_relu(F.conv3d(videos, first[0].weight, first[0].bias, 2, 1), 0.2)
    frames = [F.conv2d(frame, second[0].weight[:, :, 0], second[0].bias, 2, 1) for frame in x.unbind(2)]
    x = torch.stack(frames, dim=2)
    x = (x - x.mean((0, 2, 3, 4), keepdim=True)) / (x.var((0, 2, 3, 4), keepdim=True, unbiased=False) + 1e-5).sqrt()
    x = F.leaky_relu(x, 0.2)
    scores = F.conv2d(x.mean(2), discriminator.head.weight, discriminator.head.bias).flatten()
    torch.testing.assert_close(discriminator(videos), scores, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("aggregation", ["mean", "max", "sum", "per-frame"])
def test_aggregations(aggregation: str) -> None:
    discriminator = small(aggregation=aggregation).eval()
    videos = torch.randn(2, 3, 8, 16, 16)
    features = discriminator.features(videos)[-1]
    assert features.shape[2] == 4
    head = lambda x: discriminator.head(x).flatten()  # noqa: E731
    expected = {
        "mean": lambda: head(features.mean(2)),
        "max": lambda: head(features.amax(2)),
        "sum": lambda: head(features.sum(2)),
        "per-frame": lambda: torch.stack([head(f) for f in features.unbind(2)]).mean(0),
    }[aggregation]()
    torch.testing.assert_close(discriminator(videos), expected)
    assert count(discriminator) == count(small())


def test_only_3d_layers_see_the_order_of_frames() -> None:
    videos = torch.randn(2, 3, 8, 16, 16)
    order = torch.tensor([3, 1, 0, 2, 7, 5, 4, 6])
    framewise = VideoDiscriminator(("2d", "2d"), 16, 8, base_channels=4, init="xavier").eval()
    torch.testing.assert_close(framewise(videos[:, :, order]), framewise(videos))
    assert not torch.allclose(small().eval()(videos[:, :, order]), small().eval()(videos), atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kinds": ()}, "kinds is empty"),
        ({"kinds": ("3d", "4d")}, "c1 is of unknown kind '4d'"),
        ({"num_frames": 4}, r"layer c2 \('3d'\) has no time left"),
        ({"image_size": 8}, r"layer c3 \('3d'\) has no space left"),
        ({"aggregation": "median"}, "'median' is unknown"),
    ],
)
def test_impossible_stacks_are_explained(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VideoDiscriminator(**arguments)


@pytest.mark.parametrize("shape", [(2, 3, 8, 16, 8), (2, 8, 3, 16, 16), (3, 8, 16, 16), (2, 3, 4, 16, 16)], ids=str)
def test_a_wrong_video_is_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(N, 3, 8, 16, 16\)"):
        small()(torch.zeros(shape))


def test_integers_are_refused() -> None:
    with pytest.raises(ValueError, match="to_float"):
        small()(torch.zeros(2, 3, 8, 16, 16, dtype=torch.uint8))
