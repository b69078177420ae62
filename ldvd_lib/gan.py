"""A video GAN: a generator, one or more discriminators, and the recipe that trains them.

A `VideoGANConfig` is all of that as values: it goes to a run's ``config.json`` and comes back as the same networks.
"""

import inspect
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from ldvd_lib import losses
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.discriminators import VideoDiscriminator
from ldvd_lib.generators import MoCoGANGenerator, TGANGenerator

GENERATORS: dict[str, type[nn.Module]] = {"mocogan": MoCoGANGenerator, "tgan": TGANGenerator}
DISCRIMINATORS: dict[str, type[nn.Module]] = {"stack": VideoDiscriminator}
OPTIMIZERS = ("rmsprop", "adam")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Recipe:
    """How a video GAN is trained.

    The defaults are TGAN's published ones (MODELS §4).

    Attributes:
        game: the step that updates the players; a key of `ldvd_lib.training.steps.STEPS`.
        loss: a name in `ldvd_lib.losses.LOSSES`.
        optimizer: ``"rmsprop"`` (alpha 0.99) or ``"adam"`` (with `betas`), for every player.
        generator_rate, discriminator_rate: learning rates.
        betas: Adam's.
        weight_decay: L2 coefficient of either optimiser.
        batch_size: videos in a batch.
        svc_every: singular values of the discriminators are clipped every so many steps; 0 for never.
        frame_stride: a training clip takes every so manieth frame of the footage.
        flip: training clips are mirrored at random.
        average: decay of the exponential moving average of the generator that samples are drawn from; 0 for none.
        precision: ``"float32"``, or ``"bfloat16"`` for autocast.
        compile: run both networks through ``torch.compile``.
        iterations: the steps of a full run.
    """

    game: str = "tgan"
    loss: str = "wasserstein"
    optimizer: str = "rmsprop"
    generator_rate: float = 5e-5
    discriminator_rate: float = 5e-5
    betas: tuple[float, float] = (0.5, 0.999)
    weight_decay: float = 0.0
    batch_size: int = 32
    svc_every: int = 5
    frame_stride: int = 1
    flip: bool = False
    average: float = 0.0
    precision: str = "float32"
    compile: bool = False
    iterations: int = 100_000

    def __post_init__(self) -> None:
        losses.get(self.loss)
        choices = (("optimizer", self.optimizer, OPTIMIZERS), ("precision", self.precision, PRECISIONS))
        for name, value, known in choices:
            if value not in known:
                raise ValueError(f"{name} is {value!r}, but must be one of {known}")
        for name in ("generator_rate", "discriminator_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, but must be positive")
        for name in ("batch_size", "frame_stride", "iterations"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but must be at least 1")
        if self.batch_size < 2:
            raise ValueError("batch_size is 1, but batch normalisation needs at least 2 videos")
        if self.svc_every < 0 or self.weight_decay < 0:
            raise ValueError("svc_every and weight_decay must not be negative (0 turns them off)")
        if not 0 <= self.average < 1:
            raise ValueError(f"average is {self.average}, but a decay lies in [0, 1) (0 turns averaging off)")

    def make_optimizer(self, parameters: list[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """The recipe's optimiser over those of the parameters that are to be learnt."""
        parameters = [parameter for parameter in parameters if parameter.requires_grad]
        if self.optimizer == "rmsprop":
            return torch.optim.RMSprop(parameters, rate, alpha=0.99, eps=1e-8, weight_decay=self.weight_decay)
        return torch.optim.Adam(parameters, rate, betas=self.betas, weight_decay=self.weight_decay)


@dataclass(frozen=True)
class NetworkConfig:
    """A network as values: a key of `GENERATORS` or `DISCRIMINATORS` and its arguments."""

    kind: str
    options: dict[str, Any] = field(default_factory=dict)

    def build(self, registry: dict[str, type[nn.Module]]) -> nn.Module:
        """Build it.

        Raises:
            ValueError: for an unknown kind or option, naming the known ones.
        """
        if self.kind not in registry:
            raise ValueError(f"network kind {self.kind!r} is unknown: choose one of {sorted(registry)}")
        cls = registry[self.kind]
        known = list(inspect.signature(cls).parameters)
        unknown = sorted(set(self.options) - set(known))
        if unknown:
            raise ValueError(f"{cls.__name__} has no option(s) {unknown}: its options are {known}")
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in self.options.items()})


@dataclass(frozen=True)
class VideoGANConfig:
    """Everything that defines a video GAN and its training."""

    name: str
    preset: str
    generator: NetworkConfig
    discriminators: dict[str, NetworkConfig]
    recipe: Recipe = field(default_factory=Recipe)

    def __post_init__(self) -> None:
        if not self.discriminators:
            raise ValueError(f"{self.name}: a GAN needs at least one discriminator")

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
        unknown = sorted(set(changes) - set(known))
        if unknown:
            raise ValueError(f"a recipe has no value(s) {unknown}: it has {known}")
        return replace(self, recipe=replace(self.recipe, **changes))


class VideoGAN(nn.Module):
    """A generator and its discriminators, with the configuration that they were built from."""

    def __init__(self, config: VideoGANConfig, generator: nn.Module, discriminators: dict[str, nn.Module]) -> None:
        super().__init__()
        self.config = config
        self.generator = generator
        self.discriminators = nn.ModuleDict(discriminators)

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
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    def forward(self, latents: Tensor) -> Tensor:
        """Latents ``(N, latent_dim)`` → videos ``(N, 3, T, H, W)`` in [-1, 1]."""
        return self.generator(latents)

    def sampler(
        self, store: ClipStore, *, short: str = "error", device: str | torch.device = "cpu", seed: int = 0
    ) -> WindowSampler:
        """Real clips as this GAN is trained on them: batches of the recipe's size, frame stride and flips.

        Args:
            store: clips of its image size.
            short, device, seed: see `ldvd_lib.data.WindowSampler`.
        """
        return WindowSampler(
            store,
            batch_size=self.recipe.batch_size,
            num_frames=self.num_frames,
            stride=self.recipe.frame_stride,
            flip=self.recipe.flip,
            short=short,
            device=device,
            seed=seed,
        )
