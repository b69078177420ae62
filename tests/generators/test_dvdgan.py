"""DVD-GAN's generator."""

import itertools

import pytest
import torch
from torch import nn

from ldvd_lib import anatomy
from ldvd_lib.blocks import ConditionalBatchNorm
from ldvd_lib.generators import DVDGANGenerator
from ldvd_lib.generators.dvdgan import FRAME_REACHES
from ldvd_lib.latents import share_part, truncate, walk_between
from ldvd_lib.training.sampling import calibrate_, sample_videos

CORES = ("convgru", "tgan")


def small(temporal: str = "convgru", **options: object) -> DVDGANGenerator:
    torch.manual_seed(0)
    sizes = {"noise_dim": 6, "class_dim": 4, "num_categories": 3, "channels": (8, 8, 4), "frame_dim": 5}
    return DVDGANGenerator(16, 4, temporal=temporal, temporal_channels=(4, 4), **sizes | options)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def block(condition: int, before: int, after: int, *, doubles: bool) -> int:
    """A norm, a 3×3 convolution with a bias, both again; beside them 1×1 with a bias, unless nothing changes."""
    norms = 2 * condition * before + 2 * condition * after
    convolutions = (9 * before + 1) * after + (9 * after + 1) * after
    return norms + convolutions + ((before + 1) * after if doubles or before != after else 0)


def parameters(channels: tuple[int, ...], *, noise: int, of_class: int, classes: int, blocks: int = 2) -> int:
    """Of the layers of MODELS §8 with ConvGRUs, written out."""
    condition = noise + of_class
    embedding = classes * of_class
    affine = (condition + 1) * channels[0] * 16
    groups = 0
    for before, after in itertools.pairwise(channels):
        groups += 3 * (9 * 2 * before + 1) * before  # three convolutions of [x; h]
        groups += (blocks - 1) * block(condition, before, before, doubles=False)
        groups += block(condition, before, after, doubles=True)
    rendering = 2 * condition * channels[-1] + (9 * channels[-1] + 1) * 3
    return embedding + affine + groups + rendering


WIDE, WIDER = (1024, 1024, 512, 256, 128), (1024, 1024, 1024, 512, 256, 128)


def test_parameters_are_those_of_the_layers_written_out() -> None:
    published = {"noise": 120, "of_class": 120, "classes": 101}
    with torch.device("meta"):
        assert count(DVDGANGenerator(num_categories=101)) == parameters(WIDE, **published) == 213_510_747
        wider = DVDGANGenerator(128, num_categories=101, channels=WIDER)
        assert count(wider) == parameters(WIDER, **published) == 310_905_435
        without = parameters(WIDE, noise=120, of_class=0, classes=0)
        assert count(DVDGANGenerator(channels=WIDE)) == without
    one = parameters((8, 8, 4), noise=6, of_class=4, classes=3, blocks=1)
    assert count(small(blocks=1)) == one


@pytest.mark.parametrize("temporal", CORES)
@pytest.mark.parametrize("num_categories", [0, 3])
def test_shapes_and_range(temporal: str, num_categories: int) -> None:
    generator = small(temporal, num_categories=num_categories, attention=8)
    videos = generator(generator.sample_latents(3))
    assert videos.shape == (3, 3, 4, 16, 16)
    assert videos.abs().max() <= 1
    assert (generator.classes(generator.sample_latents(3)) is None) == (not num_categories)


def test_latents_are_normal_seeded_and_end_with_the_class() -> None:
    generator = small()
    latents = generator.sample_latents(2000, generator=seeded())
    assert torch.equal(latents, generator.sample_latents(2000, generator=seeded()))
    assert generator.latent_parts == {"noise": slice(0, 6), "category": slice(6, 9)}
    assert latents[:, :6].std() == pytest.approx(1, abs=0.02)
    category = latents[:, 6:]
    assert torch.equal(category.sum(1), torch.ones(2000))
    assert torch.equal(category, category.round())
    assert category.mean(0).min() > 0.3
    assert torch.equal(generator.classes(latents), category.argmax(1))
    assert small(num_categories=0).latent_parts == {"noise": slice(0, 6)}


@pytest.mark.parametrize("temporal", CORES)
def test_noise_and_class_both_change_the_video(temporal: str) -> None:
    generator = small(temporal).eval()
    latents = generator.sample_latents(2, generator=seeded())
    latents[:, 6:] = torch.eye(3)[:2]
    videos = generator(latents)
    noise, category = (slice(0, 6), slice(6, 9))
    same_noise, same_class = (generator(share_part(latents, part, 0)) for part in (noise, category))
    torch.testing.assert_close(same_noise[0], videos[0])
    for other in (same_noise, same_class):
        assert (other[1] - videos[1]).abs().mean() > 1e-3
        assert (other[1] - videos[0]).abs().mean() > 1e-3


@pytest.mark.parametrize("temporal", CORES)
def test_truncation_and_walks_go_on_being_videos_of_the_class(temporal: str) -> None:
    generator = small(temporal)
    calibrate_(generator)
    latents = generator.sample_latents(4, generator=seeded())
    still = truncate(latents, 0.0, parts=generator.latent_parts)
    assert torch.equal(generator.classes(still), generator.classes(latents))
    alike = sample_videos(generator, latents=share_part(still, generator.latent_parts["category"], 0))
    torch.testing.assert_close(alike[1:], alike[:1].expand(3, *alike.shape[1:]))
    walk = walk_between(latents, 0, 1, 5, parts=generator.latent_parts)
    videos = sample_videos(generator, latents=walk)
    ends = sample_videos(generator, latents=latents[:2])
    torch.testing.assert_close(videos[[0, -1]], ends)
    assert videos.isfinite().all()


@pytest.mark.parametrize("reach", FRAME_REACHES)
def test_with_tgans_core_a_frame_has_a_latent_of_its_own_and_tells_others_nothing(reach: str) -> None:
    """Also in training: statistics are not shared over time."""
    generator = small("tgan", frame_reaches=reach, spectral=False)  # with which weights of the second pass would differ
    latents = generator.sample_latents(5, generator=seeded())
    frames = generator.temporal(torch.cat([latents[:, :6], generator.embed(latents[:, 6:])], 1)).detach()
    assert frames.shape == (5, 4, 5)
    changed = frames.clone()
    changed[:, 2] = -changed[:, 2]
    videos = []
    for given in (frames, changed):
        handle = generator.temporal.register_forward_hook(lambda module, inputs, output, given=given: given)
        videos.append(generator(latents))
        handle.remove()
    before, after = videos
    assert torch.equal(before[:, :, [0, 1, 3]], after[:, :, [0, 1, 3]])
    assert (before[:, :, 2] - after[:, :, 2]).abs().mean() > 1e-3


def test_a_frames_latent_that_reaches_the_start_only_tells_no_norm_anything() -> None:
    told = {}
    for reach in FRAME_REACHES:
        generator = small("tgan", frame_reaches=reach, spectral=False)
        given: list[torch.Tensor] = []
        for norm in generator.modules():
            if isinstance(norm, ConditionalBatchNorm):
                norm.register_forward_pre_hook(lambda module, inputs, given=given: given.append(inputs[1]))
        generator(generator.sample_latents(2, generator=seeded()))
        told[reach] = given
        # Maps of the start differ from frame to frame all the same.
        start, _ = generator.condition(generator.sample_latents(2, generator=seeded()))
        assert start.shape == (2, 4, 15) and not torch.equal(start[:, 0], start[:, 1])
    assert len(told["start"]) == len(told["norms"]) == 9
    assert all(condition.shape == (2, 1, 10) for condition in told["start"])
    assert all(condition.shape == (2, 4, 15) for condition in told["norms"])


def test_with_convgrus_frames_are_told_the_same_and_differ_by_what_the_grus_remember() -> None:
    generator = small(spectral=False)
    assert generator.temporal is None
    for told in generator.condition(generator.sample_latents(2)):
        assert told.shape == (2, 1, 10)
    generator.eval()  # where every frame is normalised alike, as long as nothing was measured
    videos = generator(generator.sample_latents(2, generator=seeded()))
    assert ((videos[:, :, 1:] - videos[:, :, :-1]).abs().mean((0, 1, 3, 4)) > 1e-4).all()
    for group in generator.groups:  # an update of 0 keeps nothing, and a reset of 0 sees nothing
        with torch.no_grad():
            for gate in (group.recurrent.update, group.recurrent.reset):
                gate.weight.zero_()
                gate.bias.fill_(-1e4)
    videos = generator(generator.sample_latents(2, generator=seeded()))
    torch.testing.assert_close(videos, videos[:, :, :1].expand_as(videos))


@pytest.mark.parametrize("temporal", CORES)
def test_once_calibrated_a_latent_gives_its_video_whatever_else_is_in_the_batch(temporal: str) -> None:
    generator = small(temporal)
    calibrate_(generator)
    latents = generator.sample_latents(6, generator=seeded())
    torch.testing.assert_close(
        sample_videos(generator, latents=latents)[:2], sample_videos(generator, latents=latents[:2])
    )


def test_every_layer_but_the_classes_is_bounded() -> None:
    generator = small("tgan", attention=8)
    calibrate_(generator).eval()
    bounded = {
        name
        for name, layer in generator.named_modules()
        if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd) and hasattr(layer, "parametrizations")
    }
    layers = {name for name, m in generator.named_modules() if isinstance(m, nn.Linear | nn.modules.conv._ConvNd)}
    assert layers - bounded == {"embed"}
    assert not [name for name, _ in small(spectral=False).named_parameters() if "original" in name]


def test_norms_may_start_near_plain_batch_normalisation() -> None:
    condition = torch.randn(64, 1, 10, generator=seeded())
    told = {}
    for norm_std in (None, 0.01):
        generator = small(spectral=False, norm_std=norm_std)
        norms = [part for part in generator.modules() if isinstance(part, ConditionalBatchNorm)]
        told[norm_std] = max(layer(condition).abs().max().item() for n in norms for layer in (n.gain, n.bias))
    assert told[0.01] < 0.2 < 1 < told[None]


def test_bfloat16_paints_what_float32_does() -> None:
    generator = small().eval()
    latents = generator.sample_latents(2, generator=seeded())
    exact = generator(latents)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = generator(latents)
    assert (rounded.float() - exact).abs().max() < 0.1


def test_its_anatomy_has_a_row_for_each_group() -> None:
    generator = small("tgan")
    table = anatomy.dissect(generator)
    assert table.parameters == count(generator)
    assert [row.shape for row in table.rows if row.kind == "Group"] == [(4, 8, 8, 8), (4, 4, 16, 16)]
    assert not any(row.kind == "not run" for row in table.rows)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temporal": "gru"}, "temporal"),
        ({"channels": (8, 4)}, r"16 pixels take 2 groups, and so 3 channels, .* got \(8, 4\)"),
        ({"attention": 12}, r"attention is 12, but groups end at \[8, 16\] pixels"),
        ({"blocks": 0}, "blocks must be a whole number"),
        ({"norm_std": 0.02}, "norm_std is 0.02, but spectral normalisation sets how large weights are"),
    ],
)
def test_an_impossible_generator_is_explained(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**options)


def test_latents_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"latents must be \(N, 9\)"):
        small()(torch.zeros(2, 6))
