"""A video GAN: a generator, one or more discriminators, and the recipe that trains them.

A `VideoGANConfig` is all of that as values: it goes to a run's ``config.json`` and comes back as the same networks.
"""

import inspect
import keyword
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from ldvd_lib._kit.checks import one_of, suggestion
from ldvd_lib._kit.configuration import check_type, check_types
from ldvd_lib.discriminators import (
    Discriminator,
    DVDGANDiscriminator,
    GrowingDiscriminator,
    LevelsDiscriminator,
    MatchingDiscriminator,
    ResNetDiscriminator,
    VideoDiscriminator,
)
from ldvd_lib.generators import (
    DVDGANGenerator,
    MoCoGANGenerator,
    ProVGANGenerator,
    SSWGANGenerator,
    TGANGenerator,
    TGANv2Generator,
    VGANGenerator,
    VideoGenerator,
)
from ldvd_lib.recipe import Recipe

# Kind → class. `ldvd_lib.zoo.register` adds to these.
GENERATORS: dict[str, type[VideoGenerator]] = {
    "dvd-gan": DVDGANGenerator,
    "mocogan": MoCoGANGenerator,
    "provgan": ProVGANGenerator,
    "ssw-gan": SSWGANGenerator,
    "tgan": TGANGenerator,
    "tganv2": TGANv2Generator,
    "vgan": VGANGenerator,
}
DISCRIMINATORS: dict[str, type[Discriminator]] = {
    "dvd-gan": DVDGANDiscriminator,
    "growing": GrowingDiscriminator,
    "levels": LevelsDiscriminator,
    "matching": MatchingDiscriminator,
    "resnet": ResNetDiscriminator,
    "stack": VideoDiscriminator,
}

Network = TypeVar("Network", bound=nn.Module)

GENERATOR = "generator"  # this player's name; all others are discriminators


@dataclass(frozen=True)
class NetworkConfig:
    """A network as values: a key of `GENERATORS` or `DISCRIMINATORS`, and arguments of its class."""

    kind: str
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_types(self)

    def check(self, registry: Mapping[str, type[nn.Module]]) -> None:
        """See whether there is such a network.

        Raises:
            ValueError: for an unknown kind or option, naming the known ones, or for an option of another type.
        """
        one_of("network kind", self.kind, registry)
        known = self.arguments(registry)
        for name, value in self.options.items():
            if name not in known:
                raise ValueError(f"{registry[self.kind].__name__} has no option(s) {[name]}: {suggestion(name, known)}")
            check_type(name, _as_tuple(value), known[name])

    def build(self, registry: Mapping[str, type[Network]]) -> Network:
        """Build it; raises what `check` does, and what the network's class does."""
        self.check(registry)
        return registry[self.kind](**{name: _as_tuple(value) for name, value in self.options.items()})

    def option(self, name: str, registry: Mapping[str, type[nn.Module]]) -> Any:
        """The value of an option: the one given, or the default of the network's class."""
        if name in self.options:
            return self.options[name]
        parameter = inspect.signature(registry[self.kind]).parameters.get(name)
        if parameter is None or parameter.default is inspect.Parameter.empty:
            raise ValueError(f"{registry[self.kind].__name__} has no default for the option {name!r}: give it")
        return parameter.default

    def has(self, name: str, registry: Mapping[str, type[nn.Module]]) -> bool:
        """Whether the network's class has such an option."""
        return name in self.arguments(registry)

    def arguments(self, registry: Mapping[str, type[nn.Module]]) -> dict[str, Any]:
        """The options that there are: name → annotation."""
        network = registry[self.kind]
        hints = typing.get_type_hints(network.__init__)
        return {name: hints.get(name, Any) for name in inspect.signature(network).parameters}


def _as_tuple(value: Any) -> Any:
    return tuple(map(_as_tuple, value)) if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class VideoGANConfig:
    """Everything that defines a video GAN and its training.

    Attributes:
        name, preset: as the zoo has them, or of one's own.
        generator: of videos.
        discriminators: by name, at least one.
        recipe: how it is trained.

    Raises:
        ValueError: if it has no discriminator, or if a network or one of its options is not known.
    """

    name: str
    preset: str
    generator: NetworkConfig
    discriminators: dict[str, NetworkConfig]
    recipe: Recipe = field(default_factory=Recipe)

    def __post_init__(self) -> None:
        check_types(self)
        if not self.discriminators:
            raise ValueError(f"{self.name}: a GAN needs at least one discriminator")
        self.generator.check(GENERATORS)
        for name, discriminator in self.discriminators.items():
            if not name.isidentifier() or keyword.iskeyword(name) or name == GENERATOR:
                raise ValueError(f"{name!r} cannot be the name of a discriminator: use a word such as 'video'")
            discriminator.check(DISCRIMINATORS)

    @property
    def image_size(self) -> int:
        """Height and width of its videos in pixels."""
        return self.generator.option("image_size", GENERATORS)

    @property
    def num_frames(self) -> int:
        """Frames of its videos."""
        return self.generator.option("num_frames", GENERATORS)

    def build(self, *, seed: int = 0) -> "VideoGAN":
        """Build the networks with weights drawn from a seed; torch's global generator is left as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            generator = self.generator.build(GENERATORS)
            discriminators = {name: d.build(DISCRIMINATORS) for name, d in self.discriminators.items()}
        return VideoGAN(self, generator, discriminators)

    def with_recipe(self, **changes: Any) -> "VideoGANConfig":
        """The same with some values of the recipe changed."""
        known = list(Recipe.__dataclass_fields__)
        for name in changes:
            if name not in known:
                raise ValueError(f"a recipe has no value(s) {[name]}: {suggestion(name, known)}")
        return replace(self, recipe=replace(self.recipe, **changes))


class VideoGAN(nn.Module):
    """A generator and its discriminators, with the configuration that they were built from."""

    def __init__(
        self, config: VideoGANConfig, generator: VideoGenerator, discriminators: dict[str, Discriminator]
    ) -> None:
        super().__init__()
        self.config = config
        self.generator: VideoGenerator = generator
        self.discriminators = nn.ModuleDict(discriminators)

    @property
    def networks(self) -> dict[str, VideoGenerator | Discriminator]:
        """All of them by name: the generator is ``"generator"``."""
        return {GENERATOR: self.generator, **cast(dict[str, Discriminator], dict(self.discriminators.items()))}

    @property
    def recipe(self) -> Recipe:
        """How it is trained."""
        return self.config.recipe

    @property
    def image_size(self) -> int:
        """Height and width of its videos in pixels."""
        return self.generator.image_size

    @property
    def num_frames(self) -> int:
        """Frames of its videos."""
        return self.generator.num_frames

    @property
    def num_categories(self) -> int:
        """Classes that its generator paints on demand or its discriminators tell apart; 0 for none."""
        return max(getattr(network, "num_categories", 0) for network in self.networks.values())

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    def forward(self, latents: Tensor) -> Tensor:
        """Latents ``(N, latent_dim)`` → videos ``(N, 3, T, H, W)`` in [-1, 1]."""
        return self.generator(latents)

    def set_step(self, step: int) -> None:
        """Tell all networks, some of which may grow, how many steps of training are done."""
        for network in self.networks.values():
            network.set_step(step)
