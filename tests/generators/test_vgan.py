"""VGAN's generator."""

import pytest
import torch

from ldvd_lib import zoo
from ldvd_lib.generators import VGANGenerator
from ldvd_lib.views import Frames, Whole


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture
def generator() -> VGANGenerator:
    torch.manual_seed(0)
    return VGANGenerator(16, 8, 6, channels=8, mask_penalty=0.3, init="xavier")


def test_every_part_has_as_many_parameters_as_counted() -> None:
    with torch.device("meta"):
        generator = VGANGenerator()
    assert count(generator.background) == 3_577_667
    assert count(generator.trunk) == 12_651_328
    assert count(generator.foreground) + count(generator.mask) == 16_388
    assert count(generator) == 16_245_383


def test_a_video_is_the_foreground_where_the_mask_is_and_else_the_background(generator) -> None:
    latents = generator.sample_latents(3)
    generator.eval()
    streams, videos = generator.streams(latents), generator(latents)
    assert videos.shape == streams.foreground.shape == (3, 3, 8, 16, 16)
    assert streams.background.shape == (3, 3, 1, 16, 16)
    assert streams.mask.shape == (3, 1, 8, 16, 16)
    assert ((streams.mask > 0) & (streams.mask < 1)).all()
    mask = streams.mask.expand_as(videos)
    assert torch.equal(videos, mask * streams.foreground + (1 - mask) * streams.background.expand_as(videos))
    assert videos.abs().max() <= 1


def test_where_the_mask_is_closed_nothing_moves(generator) -> None:
    with torch.no_grad():
        generator.mask[0].bias.fill_(-1e4)
        videos = generator(generator.sample_latents(2))
    assert torch.equal(videos, videos[:, :, :1].expand_as(videos))
    with torch.no_grad():
        generator.mask[0].bias.fill_(1e4)
        latents = generator.sample_latents(2)
        assert torch.equal(generator.eval()(latents), generator.streams(latents).foreground)


def test_the_penalty_is_the_mean_of_the_mask_times_its_weight(generator) -> None:
    latents, random = generator.sample_latents(3), torch.Generator().manual_seed(0)
    generator.eval()
    fakes = generator.generate(latents, {"video": Whole(), "image": Frames(1)}, random)
    mask = generator.streams(latents).mask
    by_hand = 0.3 * mask.abs().sum() / (3 * 8 * 16 * 16)
    torch.testing.assert_close(fakes.penalty, by_hand)
    assert torch.equal(fakes.seen["video"].video, generator(latents))
    assert fakes.seen["image"].video.shape == (3, 3, 1, 16, 16)
    gradients = torch.autograd.grad(fakes.penalty, list(generator.parameters()), allow_unused=True)
    names = {
        name.split(".")[0]
        for (name, _), g in zip(generator.named_parameters(), gradients, strict=True)
        if g is not None
    }
    assert names == {"trunk", "mask"}


@pytest.mark.parametrize(("size", "frames"), [(64, 32), (32, 16), (32, 32), (64, 16), (8, 2)])
def test_sizes(size: int, frames: int) -> None:
    with torch.device("meta"):
        generator = VGANGenerator(size, frames, channels=64)
        assert generator(generator.sample_latents(2)).shape == (2, 3, frames, size, size)


def test_lite_has_32_frames_on_demand() -> None:
    gan = zoo.build("vgan", num_frames=32)
    videos = gan.generator(gan.generator.sample_latents(2))
    assert videos.shape == (2, 3, 32, 32, 32)
    assert gan.discriminators["video"](videos).shape == (2,)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((64, 24), {}, "num_frames is 24, but frames double as often as pixels, 4 times: use a multiple of 16"),
        ((64, 8), {}, "num_frames is 8"),
        ((48, 32), {}, "image_size is 48"),
        ((64, 32), {"channels": 100}, "channels is 100, but 3 layers halve it: use a multiple of 8"),
    ],
)
def test_an_impossible_generator_is_explained(arguments: tuple, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VGANGenerator(*arguments, **options)


def test_first_weights_are_those_of_the_published_code() -> None:
    torch.manual_seed(0)
    generator = VGANGenerator(channels=64)
    assert generator.trunk[3].weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert not generator.trunk[3].bias.any()
    assert generator.trunk[1].weight.std().item() == pytest.approx(0.02, rel=0.3)
    assert generator.trunk[1].weight.mean().item() == pytest.approx(1, abs=0.01)


def test_latents_of_another_shape_are_refused(generator) -> None:
    with pytest.raises(ValueError, match=r"latents must be \(N, 6\)"):
        generator(torch.zeros(2, 7))
