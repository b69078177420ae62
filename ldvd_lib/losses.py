"""The objectives of the adversarial games, on scores (logits) of any shape.

A `Loss` is two functions: what the discriminator minimises and what the generator minimises.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import relu, softplus


@dataclass(frozen=True)
class Loss:
    """One adversarial objective.

    Attributes:
        name: its key in `LOSSES`.
        real, fake: scores → what the discriminator minimises on real and on generated videos (scalars).
        generator: scores of generated videos → what the generator minimises (scalar).
        zero_sum: the generator's loss is the negative of `fake`, so that one backward pass serves both players.
    """

    name: str
    real: Callable[[Tensor], Tensor]
    fake: Callable[[Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]
    zero_sum: bool = False

    def discriminator(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        """What the discriminator minimises."""
        return self.real(real_scores) + self.fake(fake_scores)


LOSSES = {
    loss.name: loss
    for loss in (
        # Arjovsky et al. 2017: an estimate of the earth mover's distance where the critic is 1-Lipschitz.
        Loss("wasserstein", lambda s: -s.mean(), lambda s: s.mean(), lambda s: -s.mean(), zero_sum=True),
        # Goodfellow et al. 2014: −log σ(s) = softplus(−s). "saturating" is the minimax game itself, whose generator
        # gets no gradient where the discriminator is sure; "non-saturating" is what everybody trains with.
        Loss(
            "non-saturating",
            lambda s: softplus(-s).mean(),
            lambda s: softplus(s).mean(),
            lambda s: softplus(-s).mean(),
        ),
        Loss(
            "saturating",
            lambda s: softplus(-s).mean(),
            lambda s: softplus(s).mean(),
            lambda s: -softplus(s).mean(),
            zero_sum=True,
        ),
        # Lim & Ye 2017; Miyato et al. 2018; DVD-GAN's.
        Loss("hinge", lambda s: relu(1 - s).mean(), lambda s: relu(1 + s).mean(), lambda s: -s.mean()),
    )
}


def get(name: str) -> Loss:
    """The loss of a name: ``"wasserstein"``, ``"non-saturating"``, ``"saturating"`` or ``"hinge"``.

    Raises:
        ValueError: for an unknown name.
    """
    if name not in LOSSES:
        raise ValueError(f"loss {name!r} is unknown: choose one of {sorted(LOSSES)}")
    return LOSSES[name]
