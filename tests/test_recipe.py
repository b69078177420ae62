"""Recipes: what they refuse, and the optimisers that they make."""

from dataclasses import fields

import pytest
import torch

from ldvd_lib import zoo
from ldvd_lib.recipe import GAMES, Game, Recipe


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"game": "nonsense"}, r"game 'nonsense' is unknown.*'tgan'"),
        ({"loss": "wgan"}, "loss 'wgan' is unknown"),
        ({"optimizer": "sgd"}, "optimizer 'sgd' is unknown.*rmsprop"),
        ({"precision": "float16"}, "precision 'float16' is unknown.*did you mean 'bfloat16'"),
        ({"generator_rate": 0.0}, "generator_rate is 0.0, but must be above 0"),
        ({"discriminator_rate": float("nan")}, "discriminator_rate is nan, but must be finite"),
        ({"batch_size": 1}, "batch_size is 1, but must be at least 2.*batch normalisation"),
        ({"svc_every": -1}, "svc_every is -1, but must be at least 0"),
        ({"average": 1.0}, "average is 1.0, but must be below 1"),
        ({"betas": (0.5, 1.0)}, r"betas is \(0.5, 1.0\), but must be below 1"),
        ({"iterations": 0}, "iterations is 0"),
        ({"rate_decay": "cosine"}, "rate_decay 'cosine' is unknown.*linear"),
        ({"r1": -1.0}, "r1 is -1.0, but must be at least 0"),
    ],
)
def test_impossible_values_are_explained(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flip": "no"}, "flip is 'no', a str, but must be of type bool"),
        ({"compile": "false"}, "compile is 'false', a str"),
        ({"iterations": 10.5}, "iterations is 10.5, a float, but must be of type int"),
        ({"batch_size": True}, "batch_size is True, a bool"),
        ({"generator_rate": "1e-3"}, "generator_rate is '1e-3', a str, but must be of type float"),
        ({"betas": (0.5,)}, r"betas is \(0.5,\)"),
        ({"betas": (0.5, "a")}, r"betas\[1\] is 'a', a str"),
        ({"game": 3}, "game is 3, a int"),
    ],
)
def test_values_of_another_type_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe(**changes)


@pytest.mark.parametrize("penalty", ["r1", "gradient_penalty"])
def test_penalties_on_gradients_refuse_compiled_networks(penalty: str) -> None:
    Recipe(compile=True)
    with pytest.raises(ValueError, match=rf"{penalty}=2 needs second derivatives, which compiled networks do not have"):
        Recipe(compile=True, **{penalty: 2.0})


def test_every_value_is_described() -> None:
    described = Recipe.describe()
    assert list(described) == [value.name for value in fields(Recipe)]
    assert all(described.values())


def test_games_are_checked() -> None:
    with pytest.raises(ValueError, match="batches 'day' is unknown"):
        Game("day")
    with pytest.raises(ValueError, match="discriminator_steps must be a whole number"):
        Game("turn", 0)
    assert {game.batches for game in GAMES.values()} == {"step", "turn", "player"}


def test_optimisers_take_the_published_values_and_skip_frozen_parameters() -> None:
    gan = zoo.build("tgan", preset="lite")
    optimizer = Recipe().make_optimizer(list(gan.generator.parameters()), 5e-5)
    (group,) = optimizer.param_groups
    assert isinstance(optimizer, torch.optim.RMSprop)
    assert (group["lr"], group["alpha"], group["eps"], group["weight_decay"]) == (5e-5, 0.99, 1e-8, 0)
    assert len(group["params"]) == sum(p.requires_grad for p in gan.generator.parameters())
    adam = Recipe(optimizer="adam", weight_decay=1e-5).make_optimizer(list(gan.generator.parameters()), 2e-4)
    assert (adam.param_groups[0]["betas"], adam.param_groups[0]["weight_decay"]) == ((0.5, 0.999), 1e-5)
