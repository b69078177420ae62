"""Operations on latent vectors: move them towards the mean, walk between two, give many a part in common, or a class.

Source: spherical walks, White 2016, "Sampling Generative Networks"; the factor ψ, Karras et al. 2019, "A Style-Based
Generator Architecture for Generative Adversarial Networks" (there for intermediate latents).
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ldvd_lib._kit.checks import whole_number

__all__ = ["share_part", "spherical_walk", "straight_walk", "truncate", "walk_between", "with_category"]

Parts = Mapping[str, slice]  # the type of a generator's latent_parts
_CATEGORY = "category"  # the part that is one-hot: a choice, which has no mean to move towards


def truncate(latents: Tensor, psi: float, *, parts: Parts | None = None) -> Tensor:
    """Move latents towards their mean, which is 0, by a factor ψ: likelier videos, and less variety.

    Every latent keeps its direction, so that a video changes without jumps when ψ changes. Uniform latents in [-1, 1]
    become uniform in [-ψ, ψ], and standard normal ones become normal with standard deviation ψ. (BigGAN instead draws
    values beyond a threshold again, which makes other videos at every ψ.)

    Args:
        latents: ``(N, latent_dim)``.
        psi: 0 (the mean: always the same video) to 1 (as they are).
        parts: those of the generator; a ``category``, which is one-hot, stays as it is.

    Returns:
        ``(N, latent_dim)``, a new tensor.

    Raises:
        ValueError: ψ is not from 0 to 1.
    """
    if not 0 <= psi <= 1:
        raise ValueError(f"psi must be from 0 (the mean) to 1 (latents as they are), got {psi!r}.")
    truncated = latents * psi
    if parts is not None and _CATEGORY in parts:
        truncated[:, parts[_CATEGORY]] = latents[:, parts[_CATEGORY]]
    return truncated


def straight_walk(start: Tensor, end: Tensor, num_steps: int) -> Tensor:
    """Evenly spaced points on the line from one latent to another: right where latents are uniform in a cube.

    A cube is convex, so the line never leaves it; a walk along the sphere nearly always does.

    Args:
        start, end: ``(latent_dim,)``.
        num_steps: 2 or more, including both ends.

    Returns:
        ``(num_steps, latent_dim)``, the first row `start` and the last row `end`.
    """
    return torch.stack([torch.lerp(start, end, share) for share in _shares(num_steps)])


def spherical_walk(start: Tensor, end: Tensor, num_steps: int) -> Tensor:
    """Points on the arc from one latent to another ("slerp"): right where latents are standard normal.

    In many dimensions nearly all normal latents have nearly the same length. The middle of a straight line would be far
    inside, where no latent was drawn in training. If the ends are equally long, the points are at equal angles. Latents
    of the same direction (or of opposite ones, which no single arc joins) are joined by a line.

    Args:
        start, end: ``(latent_dim,)``.
        num_steps: 2 or more, including both ends.

    Returns:
        ``(num_steps, latent_dim)``, the first row `start` and the last row `end`.
    """
    lengths = (start.norm() * end.norm()).item()
    cosine = (start * end).sum().item() / lengths if lengths else 1.0
    angle = math.acos(max(-1.0, min(1.0, cosine)))
    sine = math.sin(angle)
    if sine < 1e-3:
        return straight_walk(start, end, num_steps)
    weights = [(math.sin((1 - share) * angle) / sine, math.sin(share * angle) / sine) for share in _shares(num_steps)]
    return torch.stack([start_weight * start + end_weight * end for start_weight, end_weight in weights])


def walk_between(latents: Tensor, first: int, second: int, num_steps: int, *, parts: Parts | None = None) -> Tensor:
    """Walk from one of many drawn latents to another, each part in the way that suits its distribution.

    A part that is in [-1, 1] for all latents (uniform, or a one-hot category) is walked along a line; any other is
    assumed to be normal and walked along the sphere. Each part is walked separately, so one that both ends share stays
    the same.

    Args:
        latents: ``(N, latent_dim)``, as drawn.
        first, second: indices of the ends.
        num_steps: 2 or more, including both ends.
        parts: those of the generator; by default the latent is one part.

    Returns:
        ``(num_steps, latent_dim)``.
    """
    start, end = latents[first], latents[second]
    steps = straight_walk(start, end, num_steps)
    for part in (parts or {"latent": slice(None)}).values():
        if latents[:, part].abs().max() > 1:
            steps[:, part] = spherical_walk(start[part], end[part], num_steps)
    return steps


def share_part(latents: Tensor, part: slice, index: int) -> Tensor:
    """Give a part of one latent to all of them, such as one content to many motions.

    Args:
        latents: ``(N, latent_dim)``.
        part: of a generator's ``latent_parts``.
        index: whose part it is.

    Returns:
        ``(N, latent_dim)``, a new tensor; row `index` is as it was.
    """
    shared = latents.clone()
    shared[:, part] = latents[index, part]
    return shared


def with_category(latents: Tensor, part: slice, category: int | Tensor) -> Tensor:
    """Ask for a class, and leave all else of the latents as it is.

    Args:
        latents: ``(N, latent_dim)``.
        part: the one-hot one, ``latent_parts["category"]``.
        category: the class of all, or ``(N,)`` int64, one for each; from 0.

    Returns:
        ``(N, latent_dim)``, a new tensor.

    Raises:
        ValueError: there is no such class.
    """
    asked = latents.clone()
    count = asked[:, part].shape[1]
    chosen = torch.as_tensor(category, device=latents.device)
    if chosen.min() < 0 or chosen.max() >= count:
        raise ValueError(f"category must be from 0 to {count - 1}, one of {count} classes, got {chosen.tolist()}.")
    asked[:, part] = one_hot(chosen, count).to(latents)
    return asked


def _shares(num_steps: int) -> list[float]:
    whole_number("num_steps", num_steps, least=2)
    return [step / (num_steps - 1) for step in range(num_steps)]
