"""What each player of a video GAN minimises.

Training differentiates it once, the Hessian twice. Nothing else has an idea of its own of what a discriminator sees,
how it scores, or where labels come from.

    objective = Objective(gan.discriminators, gan.recipe)
    objective.discriminator("video", real, fake, random)    # {"real": …, "fake": …, …}; their sum is minimised
    objective.generator("video", fake)

Source: MODELS §4; R1, Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?"; gradient penalty,
Gulrajani et al. 2017, "Improved Training of Wasserstein GANs"; drift, Karras et al. 2018, "Progressive Growing of GANs
for Improved Quality, Stability, and Variation", appendix A.1; class entropy, Tulyakov et al. 2018, section 3.4.
"""

from collections.abc import Mapping
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ldvd_lib import losses
from ldvd_lib._kit.checks import one_of
from ldvd_lib.batch import Batch
from ldvd_lib.discriminators import Discriminator
from ldvd_lib.recipe import Recipe


class Terms(NamedTuple):
    """What a player minimises on a batch.

    Attributes:
        values: name → scalar, weighted; the player minimises their sum.
        scores: of the batch's clips, float32 at least.
    """

    values: dict[str, Tensor]
    scores: Tensor

    @property
    def total(self) -> Tensor:
        """The sum of the terms, a scalar."""
        return add(self.values)


def add(values: Mapping[str, Tensor]) -> Tensor:
    """The sum of named terms, in their order."""
    first, *others = values.values()
    for other in others:
        first = first + other
    return first


def join(on_real: Terms, on_fake: Terms, between: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All terms of a discriminator, in the order in which they are added up: those of the loss first."""
    return {"real": on_real.values["real"], **on_fake.values, **on_real.values, **between}


class Objective:
    """The terms of both players' losses.

    Args:
        discriminators: by name.
        recipe: its loss and the weights of its penalties.

    All batches are what the discriminator's view shows (`ldvd_lib.views`). A `ValueError` is raised for a discriminator
    that is not there, and for clips without labels before a discriminator that tells classes apart.
    """

    def __init__(self, discriminators: Mapping[str, Discriminator] | nn.ModuleDict, recipe: Recipe) -> None:
        self.discriminators = discriminators
        self.loss = losses.get(recipe.loss)
        self.r1, self.drift = recipe.r1, recipe.drift
        self.gradient_penalty, self.gradient_target = recipe.gradient_penalty, recipe.gradient_target

    def real(self, name: str, batch: Batch) -> Terms:
        """What a discriminator minimises on real clips: ``real``; ``class_entropy``, ``drift``, ``r1`` where set."""
        if self.r1:
            batch = batch.leaves()
        scores, logits = self._score(name, batch)
        values = {"real": self.loss.real(scores)}
        if logits is not None:
            values["class_entropy"] = self._class_entropy(name, logits, batch)
        if self.drift:
            values["drift"] = self.drift * scores.square().mean()
        if self.r1:
            values["r1"] = self.r1 * losses.squared_gradient(scores, batch.levels)
        return Terms(values, scores)

    def fake(self, name: str, batch: Batch) -> Terms:
        """What a discriminator minimises on generated clips: ``fake``."""
        scores, _ = self._score(name, batch)
        return Terms({"fake": self.loss.fake(scores)}, scores)

    def between(self, name: str, real: Batch, fake: Batch, random: torch.Generator) -> dict[str, Tensor]:
        """What a discriminator minimises between real and generated clips: ``gradient_penalty``, terms of its own.

        Args:
            name: which discriminator.
            real, fake: as many clips of each.
            random: what the places between them are drawn from.
        """
        values = {}
        if self.gradient_penalty:
            batch = losses.mix(real, fake, random).leaves()
            scores, _ = self._score(name, batch)
            steepness = losses.steepness(scores, batch.levels, self.gradient_target)
            values["gradient_penalty"] = self.gradient_penalty * steepness
        return values | self.network(name).penalty(real, fake, random)

    def discriminator(self, name: str, real: Batch, fake: Batch, random: torch.Generator) -> dict[str, Tensor]:
        """All that a discriminator minimises; generated clips are looked at first, as in training."""
        on_fake, on_real = self.fake(name, fake), self.real(name, real)
        return join(on_real, on_fake, self.between(name, real, fake, random))

    def generator(self, name: str, batch: Batch) -> Terms:
        """What the generator minimises on its clips, before one discriminator: ``adversarial``, ``class_entropy``."""
        scores, logits = self._score(name, batch)
        return self._generator(name, batch, scores, logits)

    def both(self, name: str, batch: Batch) -> tuple[Terms, Terms]:
        """`fake` and `generator` on the same clips, which are looked at once."""
        scores, logits = self._score(name, batch)
        return Terms({"fake": self.loss.fake(scores)}, scores), self._generator(name, batch, scores, logits)

    def is_zero_sum(self, name: str) -> bool:
        """Whether, on generated clips, what the generator minimises is the negative of what the discriminator does."""
        return self.loss.zero_sum and not self.network(name).num_categories

    def network(self, name: str) -> Discriminator:
        """The discriminator of a name.

        Raises:
            ValueError: if there is none, listing those there are.
        """
        return cast(Discriminator, self.discriminators[one_of("discriminator", name, self.discriminators)])

    def _generator(self, name: str, batch: Batch, scores: Tensor, logits: Tensor | None) -> Terms:
        values = {"adversarial": self.loss.generator(scores)}
        if logits is not None:
            values["class_entropy"] = self._class_entropy(name, logits, batch)
        return Terms(values, scores)

    def _score(self, name: str, batch: Batch) -> tuple[Tensor, Tensor | None]:
        scores, logits = self.network(name).score(batch)
        return _at_least_float32(scores), None if logits is None else _at_least_float32(logits)

    def _class_entropy(self, name: str, logits: Tensor, batch: Batch) -> Tensor:
        if batch.labels is None:
            raise ValueError(
                f"discriminator {name!r} tells {logits.shape[1]} classes apart, and these clips have no labels: "
                "give the labels of real clips, and a generator whose latents have a part 'category'"
            )
        return cross_entropy(logits, batch.labels)


def _at_least_float32(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))
