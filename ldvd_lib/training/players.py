"""The players of a game: networks with their optimisers. Weights change here and nowhere else."""

from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ldvd_lib.gan import GENERATOR, VideoGAN
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.lipschitz import clip_singular_values_
from ldvd_lib.training.sampling import calibrate_
from ldvd_lib.views import view_of


class Players:
    """The networks of a video GAN, each with an optimiser, and the average of the generator if the recipe keeps one.

    Args:
        gan: networks and recipe, on the device where they shall stay.

    Attributes:
        generator: the networks' generator.
        discriminators: by name.
        views: what each discriminator sees.
        optimizers: by player; the generator is called ``"generator"``.
        average: of the generator's weights, or None.
    """

    def __init__(self, gan: VideoGAN) -> None:
        self._gan = gan
        self.generator, self.discriminators, self.recipe = gan.generator, gan.discriminators, gan.recipe
        self.device = gan.device
        self.views = {name: view_of(network, gan.num_frames) for name, network in gan.discriminators.items()}
        rates = dict.fromkeys(gan.discriminators, self.recipe.discriminator_rate)
        self._rates = {GENERATOR: self.recipe.generator_rate, **rates}
        self.optimizers = {
            name: self.recipe.make_optimizer(self.parameters(name), rate) for name, rate in self._rates.items()
        }
        decay = self.recipe.average
        self.average = AveragedModel(gan.generator, multi_avg_fn=get_ema_multi_avg_fn(decay)) if decay else None
        self._calibrated = False  # whether the average's statistics are those of its weights as they are now

    def parameters(self, name: str) -> list[nn.Parameter]:
        """What a player learns."""
        return [parameter for parameter in self._gan.networks[name].parameters() if parameter.requires_grad]

    def autocast(self) -> torch.autocast:
        """The recipe's precision, as a context."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.recipe.precision == "bfloat16")

    def latents(self, n: int, random: torch.Generator) -> Tensor:
        """`n` fresh latents on the device."""
        return self.generator.sample_latents(n, generator=random)

    def set_step(self, step: int) -> None:
        """Tell networks that may grow, and learning rates that may fall, how many steps are done."""
        self._gan.set_step(step)
        for name, rate in self._rates.items():
            for group in self.optimizers[name].param_groups:
                group["lr"] = rate * self.recipe.rate_factor(step)
        if self.average is not None:
            cast(VideoGenerator, self.average.module).set_step(step)
            self._calibrated = False

    def prepare(self, names: Iterable[str]) -> None:
        """Forget the gradients of some players, who are about to learn."""
        for name in names:
            self.optimizers[name].zero_grad(set_to_none=True)

    def move(self, name: str) -> None:
        """Change a player's weights by the gradients that it has."""
        self.optimizers[name].step()

    def finish(self, step: int) -> None:
        """After a step: clip the discriminators' singular values if it is time, and follow the generator's average.

        Args:
            step: steps done.

        Raises:
            ValueError: if a weight to be clipped is not finite.
        """
        if self.recipe.svc_every and step % self.recipe.svc_every == 0:
            for discriminator in self.discriminators.values():
                clip_singular_values_(discriminator)
        if self.average is not None:
            self.average.update_parameters(self.generator)
            self._calibrated = False

    def sampling_generator(self) -> VideoGenerator:
        """The generator that samples are drawn from: the average if there is one, else the generator itself."""
        if self.average is None:
            return self.generator
        average = cast(VideoGenerator, self.average.module)
        if not self._calibrated:  # a step that is sampled and saved asks twice
            calibrate_(average)
            self._calibrated = True
        return average

    # A run goes on from this -----------------------------------------------------------------------------------------

    def networks(self) -> nn.ModuleDict:
        """All whose weights and buffers count, as one module."""
        parts: dict[str, nn.Module] = {GENERATOR: self.generator, "discriminators": self.discriminators}
        if self.average is not None:
            parts["average"] = self.average
        return nn.ModuleDict(parts)

    def state_dict(self) -> dict[str, Any]:
        """What the optimisers remember."""
        return {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Let the optimisers remember it."""
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state[name])


def step_sizes(optimizer: torch.optim.Optimizer) -> Tensor:
    """How far an optimiser's next step moves each parameter for each unit of its gradient: rate / (√v + ε).

    v is the running mean of the squared gradients that RMSprop and Adam divide by (corrected for its start at zero, as
    Adam does). Momentum and weight decay are left aside.

    Args:
        optimizer: from `Recipe.make_optimizer`, after its first step.

    Returns:
        ``(P,)``, in the order of the optimiser's parameters, each flattened; 0 for one that never had a gradient.

    Raises:
        ValueError: if it has not made a step, or is of another kind.
    """
    sizes = []
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            state = optimizer.state.get(parameter, {})
            if "square_avg" in state:  # RMSprop
                mean = state["square_avg"]
            elif "exp_avg_sq" in state:  # Adam
                mean = state["exp_avg_sq"] / (1 - group["betas"][1] ** float(state["step"]))
            elif optimizer.state and not state:
                mean = torch.full_like(parameter, torch.inf)
            else:
                raise ValueError(
                    "only RMSprop and Adam say how far their steps go, and after the first step: train for one at least"
                )
            sizes.append((group["lr"] / (mean.detach().sqrt() + group["eps"])).reshape(-1))
    return torch.cat(sizes)
