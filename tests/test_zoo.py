"""Named models."""

import pytest
import torch

from ldvd_lib import zoo


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_tgan_as_published() -> None:
    config = zoo.config("tgan", "paper")
    recipe = config.recipe
    assert (recipe.loss, recipe.optimizer, recipe.batch_size, recipe.svc_every) == ("wasserstein", "rmsprop", 32, 5)
    assert (recipe.generator_rate, recipe.discriminator_rate, recipe.iterations) == (5e-5, 5e-5, 100_000)
    assert (recipe.average, recipe.frame_stride, recipe.flip, recipe.compile) == (0, 1, False, False)
    with torch.device("meta"):
        gan = config.build()
    assert count(gan.generator) == 4_449_159
    assert count(gan.discriminators["video"]) == 11_032_320


@pytest.mark.parametrize("preset", zoo.PRESETS)
@pytest.mark.parametrize("name", sorted(zoo.ENTRIES))
def test_every_model_scores_what_it_generates(name: str, preset: str) -> None:
    with torch.device("meta"):
        gan = zoo.build(name, preset)
        videos = gan(gan.generator.sample_latents(2))
        assert videos.shape == (2, 3, gan.num_frames, gan.image_size, gan.image_size)
        for discriminator in gan.discriminators.values():
            assert discriminator(videos).shape == (2,)


def test_lite_is_a_quarter_as_wide_at_32_pixels() -> None:
    lite, paper = zoo.build("tgan", "lite"), zoo.build("tgan", "paper")
    assert (lite.image_size, paper.image_size) == (32, 64)
    assert lite.generator.image.channels * 4 == paper.generator.image.channels
    pair = (lite.discriminators["video"].layers[0][0], paper.discriminators["video"].layers[0][0])
    assert pair[0].out_channels * 4 == pair[1].out_channels


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'tgan'"):
        zoo.build("tgann")
    with pytest.raises(ValueError, match="the zoo has"):
        zoo.build("zzzzzz")
    with pytest.raises(ValueError, match=r"preset 'hd'.*lite"):
        zoo.build("tgan", "hd")
