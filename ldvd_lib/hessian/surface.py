"""The loss on a plane through the weights: what curvature looks like.

Source: Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets"; along eigenvectors, Yao et al. 2020.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm


@dataclass(frozen=True, eq=False)
class LossSurface:
    """A loss on a grid of a plane through the weights.

    Attributes:
        offsets: ``(points,)`` float64, distances from the weights along either direction.
        values: ``(points, points)`` float64; ``values[i, j]`` is the loss ``offsets[i]`` along the first direction and
            ``offsets[j]`` along the second.
    """

    offsets: np.ndarray
    values: np.ndarray


def random_directions(size: int, n: int = 2, *, seed: int = 0) -> Tensor:
    """Random orthonormal directions ``(n, size)``, float64, on the CPU."""
    random = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(size, n, generator=random, dtype=torch.float64)).Q.T


@torch.no_grad()
def loss_surface(
    loss: Callable[[], Tensor],
    parameters: Sequence[Tensor],
    directions: Tensor,
    *,
    radius: float = 1.0,
    points: int = 21,
    progress: bool = False,
) -> LossSurface:
    """Evaluate a loss on a square of the plane that two directions span; the weights are left exactly as they were.

    Args:
        loss: a function without arguments that depends on nothing but the parameters: a `DiscriminatorObjective`.
        parameters: the tensors that are moved; the directions are of all of them, flat, one after the other.
        directions: ``(2, P)``, for example two eigenvectors; each is scaled to unit length.
        radius: how far to go in each of the four directions.
        points: along each direction; odd, so that the weights themselves are on the grid.
        progress: show a progress bar.

    Raises:
        ValueError: if the directions do not fit the parameters, or radius or points are out of range.
    """
    size = sum(parameter.numel() for parameter in parameters)
    if tuple(directions.shape) != (2, size):
        raise ValueError(f"directions must be (2, {size}) for these parameters, got {tuple(directions.shape)}")
    if not radius > 0 or points < 3 or points % 2 == 0:
        raise ValueError(
            f"radius is {radius} and points is {points}: a positive one, and an odd number from 3, are needed"
        )
    first, second = (
        [
            part.view(parameter.shape).to(parameter)
            for part, parameter in zip(direction.split([p.numel() for p in parameters]), parameters, strict=True)
        ]
        for direction in directions / torch.linalg.vector_norm(directions, dim=1, keepdim=True)
    )
    offsets = np.linspace(-radius, radius, points)
    values = np.empty((points, points))
    # The parameters get other tensors, not other values in the same tensors: a `HessianOperator` in use stays valid.
    originals = [parameter.data for parameter in parameters]
    try:
        for i, j in tqdm(list(np.ndindex(points, points)), desc="loss surface", disable=not progress):
            for parameter, original, u, v in zip(parameters, originals, first, second, strict=True):
                parameter.data = original + offsets[i] * u + offsets[j] * v
            values[i, j] = loss().item()
    finally:
        for parameter, original in zip(parameters, originals, strict=True):
            parameter.data = original
    return LossSurface(offsets, values)
