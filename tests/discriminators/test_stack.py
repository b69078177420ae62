"""The stack discriminator."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ldvd_lib import losses
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
        ({"kinds": ("3d", "4d")}, "layer c1: layer kind '4d' is unknown"),
        ({"num_frames": 4}, r"layer c2 \('3d'\) needs more frames than the 1 that reach it"),
        ({"image_size": 8}, r"layer c3 \('3d'\) needs more pixels than the 1 that reach it"),
        ({"aggregation": "median"}, "'median' is unknown"),
        ({"kinds": ("shift", "2d"), "num_frames": 1}, r"layer c0 \('shift'\) moves channels by 1 of the 1 frames"),
        ({"kinds": ("3d", "3d", "3d", "shift"), "shift_distance": 2}, r"layer c3 .* by 2 of the 2 frames"),
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


FACTORIZED = "2+1d"


@pytest.mark.parametrize(
    ("kinds", "with_bias", "without", "last"),
    [
        (("3d",) * 4, 11_033_281, 11_032_320, 1),
        ((FACTORIZED, "2d", "2d", "2d"), 2_782_977, 2_781_952, 8),
        ((FACTORIZED,) * 2 + ("2d",) * 2, 2_848_641, 2_847_488, 4),
        ((FACTORIZED,) * 3 + ("2d",), 3_111_041, 3_109_632, 2),
        ((FACTORIZED,) * 4, 4_160_129, 4_158_208, 1),
        (("shift", "2d", "2d", "2d"), 2_766_529, 2_765_568, 16),
        (("shift",) * 3 + ("2d",), 2_766_529, 2_765_568, 16),
    ],
    ids=str,
)
def test_parameters_and_shapes_of_the_tgan_family(kinds, with_bias: int, without: int, last: int) -> None:
    with torch.device("meta"):
        assert count(VideoDiscriminator(kinds, bias=True)) == with_bias
        discriminator = VideoDiscriminator(kinds)
        assert count(discriminator) == without
        assert discriminator.features(torch.zeros(1, 3, 16, 64, 64))[-1].shape == (1, 512, last, 4, 4)


def test_the_papers_reductions() -> None:
    with torch.device("meta"):
        tgan, factorized, shifted = (
            count(VideoDiscriminator(kinds))
            for kinds in (("3d",) * 4, (FACTORIZED,) * 2 + ("2d",) * 2, ("shift",) * 3 + ("2d",))
        )
    assert round(100 * (1 - factorized / tgan), 2) == 74.19
    assert round(100 * (1 - shifted / tgan), 2) == 74.93


def test_a_patch_head_scores_a_map() -> None:
    video = VideoDiscriminator(("3d",) * 3, 32, 16, base_channels=4, time=(4, 1, 0), head="patch")
    assert video(torch.zeros(2, 3, 16, 32, 32)).shape == (2, 7, 4, 4)
    assert isinstance(video.layers[-1][-1], nn.Conv3d)  # neither normalisation nor activation on the scores
    image = VideoDiscriminator(("2d",) * 2, 16, 1, base_channels=4, head="patch")
    assert image(torch.zeros(2, 3, 1, 16, 16)).shape == (2, 1, 4, 4)
    assert "TemporalShift" not in str(VideoDiscriminator(("2d", "shift"), 16, 8, base_channels=4, head="patch"))


def test_the_logistic_loss_of_a_two_way_head_is_the_cross_entropy_of_its_softmax() -> None:
    """VGAN's published form: an output for "real", another for "generated"."""
    discriminator = small(head="two-way", norm_eps=1e-3).eval()
    videos = torch.randn(4, 3, 8, 16, 16)
    outputs = discriminator.head(discriminator.features(videos)[-1]).flatten(1)
    assert outputs.shape == (4, 2)
    scores, loss = discriminator(videos), losses.get("non-saturating")
    for is_real, value in ((True, loss.real(scores)), (False, loss.fake(scores))):
        classes = torch.full((4,), 0 if is_real else 1)
        torch.testing.assert_close(value, nn.functional.cross_entropy(outputs, classes))
    torch.testing.assert_close(loss.generator(scores), nn.functional.cross_entropy(outputs, torch.zeros(4).long()))
    norms = [layer for layer in discriminator.modules() if isinstance(layer, nn.BatchNorm3d)]
    assert norms
    assert all(norm.eps == 1e-3 for norm in norms)


@pytest.mark.parametrize("head", ["pooled", "volume", "two-way", "patch"])
def test_categories_come_beside_the_score(head: str) -> None:
    discriminator = small(head=head, num_categories=5, time=(4, 1, 0)).eval()
    videos = torch.randn(2, 3, 8, 16, 16)
    scores, categories = discriminator.scores_and_categories(videos)
    assert torch.equal(discriminator(videos), scores)
    assert categories.shape == (2, 5, *scores.shape[1:])


def test_spectral_normalisation_bounds_every_convolution() -> None:
    discriminator = small(spectral=True)
    videos = torch.randn(2, 3, 8, 16, 16)
    for _ in range(15):  # a power iteration each
        discriminator(videos)
    convolutions = [m for m in discriminator.modules() if isinstance(m, nn.Conv2d | nn.Conv3d)]
    assert len(convolutions) == 3
    for convolution in convolutions:
        assert torch.linalg.matrix_norm(convolution.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)
    assert count(discriminator) == count(small())


def test_noise_stands_before_every_layer() -> None:
    discriminator = small(noise=0.1)
    videos = torch.randn(2, 3, 8, 16, 16)
    assert not torch.equal(discriminator(videos), discriminator(videos))
    discriminator.eval()
    assert torch.equal(discriminator(videos), discriminator(videos))


def test_any_mixture_of_kinds_can_be_differentiated_twice() -> None:
    torch.manual_seed(0)
    kinds = ("shift", FACTORIZED, "3d", "2d")
    discriminator = VideoDiscriminator(kinds, 32, 8, base_channels=2, init="xavier", spectral=True).double()
    videos = torch.randn(2, 3, 8, 32, 32, dtype=torch.float64)
    parameters = list(discriminator.parameters())
    gradient = torch.autograd.grad(discriminator(videos).square().sum(), parameters, create_graph=True)
    second = torch.autograd.grad(sum(g.square().sum() for g in gradient), parameters, allow_unused=True)
    assert any(g is not None and g.abs().max() > 0 for g in second)


def temporal_reach(discriminator: VideoDiscriminator) -> int:
    """How many frames one time step of the last layer depends on, by gradient."""
    videos = torch.randn(1, 3, 16, 64, 64, dtype=torch.float64, requires_grad=True)
    features = discriminator.double().eval().features(videos)[-1]
    (gradient,) = torch.autograd.grad(features[:, :, features.shape[2] // 2].square().sum(), videos)
    return int((gradient.abs().amax((0, 1, 3, 4)) > 0).sum())


@pytest.mark.parametrize(("shifts", "frames"), [(1, 3), (2, 5), (3, 7)])
def test_temporal_receptive_field_of_shifts(shifts: int, frames: int) -> None:
    kinds = ("shift",) * shifts + ("2d",) * (4 - shifts)
    assert temporal_reach(VideoDiscriminator(kinds, base_channels=4, init="xavier")) == frames
