"""Recipes and video GANs as values."""

import json

import numpy as np
import pytest
import torch

from ldvd_lib import zoo
from ldvd_lib._kit.configuration import from_dict, to_dict
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.gan import DISCRIMINATORS, GENERATORS, NetworkConfig, VideoGANConfig


def weights(gan) -> list[torch.Tensor]:
    return list(gan.state_dict().values())


def test_a_configuration_survives_json_and_builds_the_same_networks() -> None:
    before = zoo.config("tgan")
    after = from_dict(VideoGANConfig, json.loads(json.dumps(to_dict(before))))
    assert after.recipe == before.recipe
    pairs = zip(weights(before.build(seed=3)), weights(after.build(seed=3)), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_the_seed_decides_the_weights_and_leaves_the_global_stream_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    one, two = zoo.build("tgan", seed=1), zoo.build("tgan", seed=2)
    assert torch.equal(torch.rand(3), expected)
    again = zoo.build("tgan", seed=1)
    assert all(torch.equal(a, b) for a, b in zip(weights(one), weights(again), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(weights(one), weights(two), strict=True))


def test_unknown_recipe_values_and_options_list_the_known() -> None:
    with pytest.raises(ValueError, match=r"\['learning_rate'\].*generator_rate"):
        zoo.config("tgan").with_recipe(learning_rate=1)
    with pytest.raises(ValueError, match=r"no option\(s\) \['depth'\].*kinds"):
        VideoGANConfig("x", "lite", NetworkConfig("tgan"), {"video": NetworkConfig("stack", {"depth": 4})}).build()
    with pytest.raises(ValueError, match="network kind 'stylegan-v' is unknown"):
        VideoGANConfig("x", "lite", NetworkConfig("stylegan-v"), {"video": NetworkConfig("stack")}).build()


def test_it_samples_clips_as_its_recipe_says() -> None:
    gan = zoo.config("mocogan").with_recipe(batch_size=3, frame_stride=2, flip=True).build()
    clips = np.random.default_rng(0).integers(0, 256, (2, 40, gan.image_size, gan.image_size, 3), dtype=np.uint8)
    store = ClipStore.from_clips(clips)
    expected = WindowSampler(store, batch_size=3, num_frames=gan.num_frames, stride=2, flip=True, seed=7)
    assert torch.equal(WindowSampler.for_gan(gan, store, seed=7).next_batch().videos, expected.next_batch().videos)


def test_sizes_are_known_when_they_are_left_to_their_defaults() -> None:
    config = VideoGANConfig("x", "paper", NetworkConfig("tgan"), {"video": NetworkConfig("stack")})
    assert (config.image_size, config.num_frames) == (64, 16)
    assert config.discriminators["video"].option("base_channels", DISCRIMINATORS) == 64
    with pytest.raises(ValueError, match="has no default for the option 'depth'"):
        config.generator.option("depth", GENERATORS)


@pytest.mark.parametrize(
    ("generator", "discriminators", "message"),
    [
        ({}, {}, "at least one discriminator"),
        ({"image_size": "32"}, {"video": {}}, "image_size is '32', a str, but must be of type int"),
        ({"temporal_channels": [8, 1.5]}, {"video": {}}, r"temporal_channels\[1\] is 1.5, a float"),
        ({}, {"video": {"bias": 1}}, "bias is 1, a int, but must be of type bool"),
        ({}, {"generator": {}}, "'generator' cannot be the name of a discriminator"),
        ({}, {"my critic": {}}, "'my critic' cannot be the name of a discriminator"),
    ],
)
def test_impossible_configurations_are_refused_when_they_are_made(generator, discriminators, message: str) -> None:
    stacks = {name: NetworkConfig("stack", options) for name, options in discriminators.items()}
    with pytest.raises(ValueError, match=message):
        VideoGANConfig("x", "lite", NetworkConfig("tgan", generator), stacks)


def test_networks_are_there_by_name() -> None:
    gan = zoo.build("mocogan")
    assert list(gan.networks) == ["generator", "image", "video"]
    assert gan.networks["video"] is gan.discriminators["video"]
    assert (gan.num_categories, zoo.build("mocogan-categories").num_categories) == (0, 12)
