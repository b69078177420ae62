"""The density of all eigenvalues, by stochastic Lanczos quadrature.

A random vector v of unit length meets every eigenvector about equally: the Ritz values of its Krylov space, weighted by
the squares of their first coordinates, are the nodes of the Gauss quadrature of the density that v sees. The mean over
several random vectors estimates the true density, and their scatter tells how well.

Sources: Golub & Welsch 1969; Ubaru, Chen & Saad 2017; Ghorbani, Krishnan & Xiao 2019 (for networks).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ldvd_lib.hessian.lanczos import Krylov, SymmetricOperator


@dataclass(frozen=True, eq=False)
class SpectralDensity:
    """An estimate of the density of a symmetric operator's eigenvalues.

    Attributes:
        nodes, weights: ``(samples, steps)`` float64; for each random vector, the nodes of its quadrature and their
            weights, which sum to 1.
        size: P, how many eigenvalues there are.
        products: how many products with the operator it took.
    """

    nodes: np.ndarray
    weights: np.ndarray
    size: int
    products: int

    def mean(
        self, function: Callable[[np.ndarray], np.ndarray] = lambda eigenvalues: eigenvalues
    ) -> tuple[float, float]:
        """The mean over all eigenvalues of a function of them, and its standard error.

        The function takes and returns arrays; without one it is the mean eigenvalue, trace / P. For polynomials of
        degree below 2 · steps, the only error comes from the random vectors.
        """
        means = (self.weights * function(self.nodes)).sum(1)  # one for each random vector
        return means.mean().item(), _standard_error(means).item()

    def curve(
        self, grid: np.ndarray | None = None, *, width: float | None = None, points: int = 500
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The density as a curve, each node smeared out into a Gaussian.

        Args:
            grid: eigenvalues at which to evaluate it; default evenly spaced over the whole spectrum.
            width: standard deviation of the Gaussians; default 1 % of the range of the nodes.
            points: length of the default grid.

        Returns:
            The grid, the density there (its integral is 1), and its standard error; each ``(points,)``.
        """
        low, high = self.nodes.min(), self.nodes.max()
        # If all nodes are the same, the width is relative to their size; if all are zero, it is arbitrary.
        width = width or 0.01 * (max(high - low, 1e-12 * max(abs(low), abs(high))) or 1.0)
        grid = np.linspace(low - 4 * width, high + 4 * width, points) if grid is None else np.asarray(grid, float)
        curves = np.stack(
            [
                np.exp(-0.5 * ((grid[:, None] - nodes) / width) ** 2) @ weights / (width * np.sqrt(2 * np.pi))
                for nodes, weights in zip(self.nodes, self.weights, strict=True)
            ]
        )
        return grid, curves.mean(0), _standard_error(curves)


def spectral_density(
    operator: SymmetricOperator, *, samples: int = 5, steps: int = 40, seed: int = 0
) -> SpectralDensity:
    """Estimate the density of an operator's eigenvalues.

    Args:
        operator: a `HessianOperator`, or a symmetric tensor ``(P, P)``.
        samples: number of random vectors; the error falls with its square root.
        steps: products for each, so ``samples · steps`` in all; more resolve finer detail. The basis takes
            ``(steps + 1) · P`` numbers.
        seed: of the random vectors.

    Raises:
        ValueError: if there is not at least one sample and one step, or a product is not finite.
    """
    if samples < 1 or steps < 1:
        raise ValueError(f"samples is {samples} and steps is {steps}, but each must be at least 1")
    size = operator.shape[0]
    steps = min(steps, size)
    random = torch.Generator().manual_seed(seed)
    nodes, weights, products = np.zeros((samples, steps)), np.zeros((samples, steps)), 0
    for sample in range(samples):
        krylov = Krylov(operator, capacity=steps, random=random)
        while krylov.size < steps:
            krylov.grow()
            if krylov.beta == 0:  # an invariant space: the quadrature is exact
                break
        values, coordinates, _ = krylov.ritz()
        nodes[sample, : krylov.size], weights[sample, : krylov.size] = values, coordinates[0] ** 2
        nodes[sample, krylov.size :] = values[-1]  # they have no weight
        products += krylov.products
    return SpectralDensity(nodes, weights, size, products)


def _standard_error(samples: np.ndarray) -> np.ndarray:
    """The standard error of the mean over the first axis; not a number for a single sample, which has no scatter."""
    if len(samples) < 2:
        return np.full(samples.shape[1:], np.nan)
    return samples.std(0, ddof=1) / np.sqrt(len(samples))
