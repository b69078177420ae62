"""The adversarial losses, on scores (logits) of any shape, and penalties on how steep a discriminator is.

A `Loss` is two functions: what the discriminator minimises and what the generator minimises.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from ldvd_lib._kit.checks import one_of
from ldvd_lib.batch import Batch


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
    return LOSSES[one_of("loss", name, LOSSES)]


def squared_gradient(scores: Tensor, videos: Sequence[Tensor]) -> Tensor:
    """R1: the squared norm of the gradient of a video's score by its pixels, averaged over the batch.

    Args:
        scores: ``(N,)``, or maps of patches ``(N, …)``, of which a video's mean counts.
        videos: what they are scores of, requiring gradients; one tensor, or one for each level, whose squares add up.
            The average is over the videos of the first.

    Returns:
        A scalar that can be differentiated.

    Source: Mescheder et al. 2018, equation 9, without the factor ½.
    """
    gradients = _gradients(scores, videos)
    return torch.stack([gradient.square().sum() for gradient in gradients]).sum() / len(videos[0])


def steepness(scores: Tensor, videos: Sequence[Tensor], target: float = 1.0) -> Tensor:
    """How far a critic's steepness is from a target: (norm of the gradient of a video's score - target)², averaged.

    Args and result are those of `squared_gradient`; the norm is over all levels of a video.

    Source: Gulrajani et al. 2017, equation 3, with a target of 1.
    """
    return (gradient_norms(scores, videos) - target).square().mean()


def gradient_norms(scores: Tensor, videos: Sequence[Tensor]) -> Tensor:
    """How steep a critic is at each video: the norm of the gradient of its score by its pixels.

    Args:
        scores, videos: as of `squared_gradient`; the norm is over all levels of a video.

    Returns:
        ``(N,)``, which can be differentiated. No critic whose norms pass 1 somewhere is 1-Lipschitz.
    """
    squares = torch.zeros(len(videos[0]), dtype=scores.dtype, device=scores.device)
    step = 1
    for gradient in _gradients(scores, videos):
        # Each level has every second video of the one before.
        while len(squares[::step]) > len(gradient):
            step *= 2
        squares[::step] += gradient.to(squares).flatten(1).square().sum(1)
    return (squares + 1e-12).sqrt()


def mix(real: Batch, fake: Batch, random: torch.Generator) -> Batch:
    """Clips on the straight lines between real and generated ones, at a place drawn uniformly for each.

    Labels and context are those of the real clips.
    """
    mixed = []
    for one, other in zip(real.levels, fake.levels, strict=True):
        share = torch.rand(len(one), generator=random, device=random.device).to(one)
        mixed.append(other.lerp(one, share.view(-1, *[1] * (one.ndim - 1))))
    return real._replace(videos=tuple(mixed) if isinstance(real.videos, tuple) else mixed[0])


def _gradients(scores: Tensor, videos: Sequence[Tensor]) -> tuple[Tensor, ...]:
    # The sum over the batch: a video's score depends on that video (but for batch normalisation, as everywhere).
    return torch.autograd.grad(
        scores.flatten(1).mean(1).sum() if scores.ndim > 1 else scores.sum(), videos, create_graph=True
    )
