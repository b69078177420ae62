"""Recipes and video GANs as values."""

import json

import numpy as np
import pytest
import torch

from ldvd_lib import zoo
from ldvd_lib.configuration import from_dict, to_dict
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.gan import NetworkConfig, Recipe, VideoGANConfig


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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "wgan"}, "loss 'wgan' is unknown"),
        ({"optimizer": "sgd"}, "optimizer is 'sgd'.*rmsprop"),
        ({"precision": "float16"}, "precision is 'float16'"),
        ({"generator_rate": 0.0}, "generator_rate is 0.0, but must be positive"),
        ({"batch_size": 1}, "batch normalisation needs at least 2"),
        ({"svc_every": -1}, "must not be negative"),
        ({"average": 1.0}, r"decay lies in \[0, 1\)"),
        ({"iterations": 0}, "iterations is 0"),
    ],
)
def test_impossible_recipes_are_explained(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe(**changes)


def test_unknown_recipe_values_and_options_list_the_known() -> None:
    with pytest.raises(ValueError, match=r"\['learning_rate'\].*generator_rate"):
        zoo.config("tgan").with_recipe(learning_rate=1)
    with pytest.raises(ValueError, match=r"no option\(s\) \['depth'\].*kinds"):
        VideoGANConfig("x", "lite", NetworkConfig("tgan"), {"video": NetworkConfig("stack", {"depth": 4})}).build()
    with pytest.raises(ValueError, match="'vgan' is unknown"):
        VideoGANConfig("x", "lite", NetworkConfig("vgan"), {"video": NetworkConfig("stack")}).build()


def test_optimisers_take_the_published_values_and_skip_frozen_parameters() -> None:
    gan = zoo.build("tgan", preset="lite")
    optimizer = Recipe().make_optimizer(list(gan.generator.parameters()), 5e-5)
    (group,) = optimizer.param_groups
    assert isinstance(optimizer, torch.optim.RMSprop)
    assert (group["lr"], group["alpha"], group["eps"], group["weight_decay"]) == (5e-5, 0.99, 1e-8, 0)
    assert len(group["params"]) == sum(p.requires_grad for p in gan.generator.parameters())
    adam = Recipe(optimizer="adam", weight_decay=1e-5).make_optimizer(list(gan.generator.parameters()), 2e-4)
    assert (adam.param_groups[0]["betas"], adam.param_groups[0]["weight_decay"]) == ((0.5, 0.999), 1e-5)


def test_it_samples_clips_as_its_recipe_says() -> None:
    gan = zoo.config("mocogan").with_recipe(batch_size=3, frame_stride=2, flip=True).build()
    clips = np.random.default_rng(0).integers(0, 256, (2, 40, gan.image_size, gan.image_size, 3), dtype=np.uint8)
    store = ClipStore.from_clips(clips)
    expected = WindowSampler(store, batch_size=3, num_frames=gan.num_frames, stride=2, flip=True, seed=7)
    assert torch.equal(gan.sampler(store, seed=7).next_batch(), expected.next_batch())
