"""How a video GAN is trained, as values."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import nn

from ldvd_lib import losses
from ldvd_lib._kit.checks import one_of, whole_number
from ldvd_lib._kit.configuration import check_types

OPTIMIZERS = ("rmsprop", "adam")
PRECISIONS = ("float32", "bfloat16")
DECAYS = ("none", "linear")
BATCHES = ("step", "turn", "player")


@dataclass(frozen=True)
class Game:
    """Who moves when, and on which clips.

    Attributes:
        batches: ``"step"``: one batch, of real and of generated clips, serves the generator and the first move of the
            discriminators, all of which answer to the others as they were before (TGAN, TGANv2); further moves of the
            discriminators have batches of their own, whose fakes are of the generator after its move. ``"turn"``: one
            batch for all discriminators, and a new one for the generator, which answers to the discriminators as they
            are by then (DVD-GAN). ``"player"``: a batch for each discriminator, and one for each of them again when the
            generator moves (MoCoGAN).
        discriminator_steps: moves of the discriminators for each of the generator.
    """

    batches: str
    discriminator_steps: int = 1

    def __post_init__(self) -> None:
        one_of("batches", self.batches, BATCHES)
        whole_number("discriminator_steps", self.discriminator_steps, least=1)


# Here and not where games are played: a recipe that names a game there is not is refused when it is made.
GAMES = {
    "tgan": Game("step"),
    "tganv2": Game("step", discriminator_steps=3),
    "mocogan": Game("player"),
    "dvd-gan": Game("turn", discriminator_steps=2),
    "provgan": Game("turn"),
}


def _value(
    default: Any,
    about: str,
    *,
    choices: Iterable[str] | None = None,
    least: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> Any:
    """A value of the recipe: its default, what it is, and what it may be. All that asks for recipes goes by this."""
    bounds = {"choices": choices, "least": least, "above": above, "below": below}
    return field(default=default, metadata={"about": about, **bounds})


@dataclass(frozen=True)
class Recipe:
    """How a video GAN is trained. The defaults are TGAN's published ones (MODELS §4).

    `describe` says what each value is. Types and bounds are checked.

    Raises:
        ValueError: if a value is of another type or out of bounds, or if two do not go together.
    """

    game: str = _value("tgan", "who moves when, and on which clips: a name in `GAMES`", choices=GAMES)
    loss: str = _value("wasserstein", "a name in `ldvd_lib.losses.LOSSES`", choices=losses.LOSSES)
    optimizer: str = _value("rmsprop", "rmsprop (alpha 0.99) or adam, for every player", choices=OPTIMIZERS)
    generator_rate: float = _value(5e-5, "the generator's learning rate", above=0)
    discriminator_rate: float = _value(5e-5, "the discriminators' learning rate", above=0)
    rate_decay: str = _value(
        "none", "of both rates: none, or linear (in a line to 0, where the recipe's iterations end)", choices=DECAYS
    )
    betas: tuple[float, float] = _value((0.5, 0.999), "Adam's decay rates of the two moments", least=0, below=1)
    weight_decay: float = _value(0.0, "L2 coefficient of either optimiser; 0 for none", least=0)
    batch_size: int = _value(32, "videos in a batch; batch normalisation needs at least 2", least=2)
    svc_every: int = _value(5, "clip the discriminators' singular values every so many steps; 0 for never", least=0)
    r1: float = _value(
        0.0, "weight of the mean squared norm of a discriminator's gradient at real clips; 0 for none", least=0
    )
    gradient_penalty: float = _value(
        0.0, "weight of (norm of a discriminator's gradient - 1)² between real and generated clips; 0 for none", least=0
    )
    gradient_target: float = _value(1.0, "what stands for that 1: the norm that the gradient penalty asks for", least=0)
    drift: float = _value(0.0, "weight of the mean squared score of real clips, which keeps it near 0", least=0)
    frame_stride: int = _value(1, "a training clip takes every N-th frame of the footage", least=1)
    flip: bool = _value(False, "mirror training clips at random")
    average: float = _value(
        0.0, "decay of the generator's moving average (EMA), which samples come from; 0 for none", least=0, below=1
    )
    precision: str = _value(
        "float32", "of the networks' arithmetic: float32, or bfloat16 (autocast)", choices=PRECISIONS
    )
    compile: bool = _value(False, "run the networks through torch.compile")
    iterations: int = _value(100_000, "the steps of a full run", least=1)

    def __post_init__(self) -> None:
        check_types(self)
        for value in fields(self):
            _check_bounds(value.name, getattr(self, value.name), **value.metadata)
        for penalty in ("r1", "gradient_penalty"):
            if getattr(self, penalty):
                self.require_second_derivatives(f"{penalty}={getattr(self, penalty):g}")

    def require_second_derivatives(self, who: str) -> None:
        """Refuse `compile` where somebody needs derivatives of gradients, which compiled networks do not have.

        Args:
            who: needs them, for the message.

        Raises:
            ValueError: if the recipe compiles.
        """
        if self.compile:
            raise ValueError(
                f"{who} needs second derivatives, which compiled networks do not have: leave out compile=True "
                "(`--compile`), or the other"
            )

    @classmethod
    def describe(cls) -> dict[str, str]:
        """What each value is: name → words."""
        return {value.name: value.metadata["about"] for value in fields(cls)}

    def rate_factor(self, step: int) -> float:
        """What learning rates are multiplied by when so many steps are done: 1 if they do not decay."""
        return 1.0 if self.rate_decay == "none" else max(0.0, 1 - step / self.iterations)

    def make_optimizer(self, parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """The recipe's optimiser over those of the parameters that are to be learnt."""
        learnt = [parameter for parameter in parameters if parameter.requires_grad]
        if self.optimizer == "rmsprop":
            return torch.optim.RMSprop(learnt, rate, alpha=0.99, eps=1e-8, weight_decay=self.weight_decay)
        return torch.optim.Adam(learnt, rate, betas=self.betas, weight_decay=self.weight_decay)


def _check_bounds(
    name: str,
    value: Any,
    *,
    about: str,
    choices: Iterable[str] | None,
    least: float | None,
    above: float | None,
    below: float | None,
) -> None:
    if choices is not None:
        one_of(name, value, choices)
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, str):
            continue
        finite = math.isfinite(number)
        if not finite or (least is not None and number < least) or (above is not None and number <= above):
            limit = f"at least {least:g}" if above is None else f"above {above:g}"
            raise ValueError(f"{name} is {value}, but must be {limit if finite else 'finite'} ({about})")
        if below is not None and number >= below:
            raise ValueError(f"{name} is {value}, but must be below {below:g} ({about})")
