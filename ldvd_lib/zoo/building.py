"""From a name to a configuration, to networks, and back."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from torch import nn

from ldvd_lib._kit.checks import one_of, suggestion
from ldvd_lib._kit.configuration import to_dict
from ldvd_lib.gan import DISCRIMINATORS, GENERATORS, NetworkConfig, VideoGAN, VideoGANConfig
from ldvd_lib.recipe import Recipe
from ldvd_lib.zoo import registry

PRESETS = ("lite", "paper")


def config(name: str, preset: str = "lite", **overrides: Any) -> VideoGANConfig:
    """The configuration of a named model.

    Args:
        name: of the zoo, for example ``"tgan-f"``; `list_models` shows them. ``"tgan-c0-c1"`` is ``"tgan-f"``.
        preset: ``"lite"`` (half the pixels along each side, a quarter of the channels: a laptop's) or ``"paper"`` (as
            published).
        overrides: values of the recipe, or options of networks, that shall be others. An option goes to the generator
            and to each discriminator that has the same value there: with ``num_frames=8`` a discriminator of whole
            clips sees 8 frames, and one of single frames still one.

    Returns:
        A configuration; build it with `VideoGANConfig.build`.

    Raises:
        ValueError: for an unknown name or option (suggesting the nearest), an unknown preset, or a value out of bounds.
    """
    entry = registry.find(name)
    one_of("preset", preset, PRESETS)
    generator, discriminators, recipe = entry.configure(preset)
    model = VideoGANConfig(entry.name, preset, generator, discriminators, recipe)
    return _overridden(model, overrides)


def build(name: str, preset: str = "lite", *, seed: int = 0, **overrides: Any) -> VideoGAN:
    """Build a named model with weights drawn from a seed; see `config` for the arguments and errors."""
    return config(name, preset, **overrides).build(seed=seed)


def compare(model: VideoGANConfig) -> tuple[bool, dict[str, Any]]:
    """Whether a configuration is one of the zoo.

    Args:
        model: perhaps read back from a run, perhaps with other rates.

    Returns:
        Whether its networks are those that the zoo has under its name and preset, with as many categories as its data
        have classes; and which values of its recipe are not the zoo's, but for how long it goes on (empty if the name
        is none of the zoo's).
    """
    if model.name not in registry.ENTRIES or model.preset not in PRESETS:
        return False, {}
    published = config(model.name, model.preset)
    if published.generator.options.get("num_categories") and (number := model.generator.options.get("num_categories")):
        published = config(model.name, model.preset, num_categories=number)
    # As JSON has them, where a tuple is a list: configurations of runs have been there.
    ours, theirs = (json.loads(json.dumps(to_dict(one))) for one in (published, model))
    recipe = ours.pop("recipe")
    changes = {key: value for key, value in theirs.pop("recipe").items() if value != recipe[key]}
    changes.pop("iterations", None)
    return ours == theirs, changes


def _overridden(model: VideoGANConfig, overrides: Mapping[str, Any]) -> VideoGANConfig:
    recipe = {value.name for value in fields(Recipe)}
    model = model.with_recipe(**{name: value for name, value in overrides.items() if name in recipe})
    for name, value in overrides.items():
        if name not in recipe:
            model = _with_option(model, name, value)
    return model


def _with_option(model: VideoGANConfig, name: str, value: Any) -> VideoGANConfig:
    """The same with one option of its networks changed, wherever it has the value that it has in the generator."""
    has_it = [network for network, kinds in _networks(model) if network.has(name, kinds)]
    if not has_it:
        known = [field.name for field in fields(Recipe)]
        known += [argument for network, kinds in _networks(model) for argument in network.arguments(kinds)]
        raise ValueError(f"{model.name} has no option or value {name!r}: {suggestion(name, dict.fromkeys(known))}")
    of_generator = model.generator in has_it
    before = model.generator.option(name, GENERATORS) if of_generator else None

    def changed(network: NetworkConfig) -> NetworkConfig:
        if network not in has_it or (of_generator and network.option(name, DISCRIMINATORS) != before):
            return network
        return _set(network, name, value)

    generator = _set(model.generator, name, value) if of_generator else model.generator
    discriminators = {key: changed(network) for key, network in model.discriminators.items()}
    return replace(model, generator=generator, discriminators=discriminators)


def _set(network: NetworkConfig, name: str, value: Any) -> NetworkConfig:
    return replace(network, options=network.options | {name: value})


def _networks(model: VideoGANConfig) -> list[tuple[NetworkConfig, Mapping[str, type[nn.Module]]]]:
    return [(model.generator, GENERATORS), *((network, DISCRIMINATORS) for network in model.discriminators.values())]
