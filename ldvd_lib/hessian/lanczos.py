"""The leading eigenvalues of a symmetric operator: Lanczos with full re-orthogonalisation and thick restarts.

The Krylov space of a start vector q, spanned by q, Hq, H²q, ..., contains good approximations of the eigenvectors at
both ends of the spectrum long before it fills the whole space. `Krylov` builds an orthonormal basis of it, one product
at a time; the eigenvalues of H restricted to it are the Ritz values, and each comes with a bound: within its residual
‖Hx − θx‖ of θ there is an eigenvalue of H.

Sources: Parlett 1998, "The Symmetric Eigenvalue Problem"; Wu & Simon 2000 (thick restart); Daniel et al. 1976 (when to
orthogonalise twice).
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ldvd_lib._kit.checks import one_of

WHICH = ("magnitude", "ends")


class SymmetricOperator(Protocol):
    """A square, symmetric matrix or what acts like one: a `HessianOperator`, or a tensor ``(P, P)``."""

    shape: tuple[int, int]
    dtype: torch.dtype
    device: torch.device

    def __matmul__(self, vector: Tensor) -> Tensor:
        """Its product with a vector ``(P,)``."""


@dataclass(frozen=True, eq=False)
class Eigenpairs:
    """Approximate eigenvalues of a symmetric operator.

    Attributes:
        values: ``(k,)`` float64 on the CPU, in falling order of magnitude (of value, for ``which="ends"``).
        residuals: ``(k,)`` float64: ‖Hx − θx‖ of each Ritz pair, so within that distance of each value there is an
            eigenvalue.
        converged: whether every residual is within the tolerance.
        products: how many products with the operator it took.
        largest, smallest: the extreme Ritz values, whether among `values` or not; no eigenvalue's magnitude is
            overstated by them.
        start: ``(P,)``, the normalised sum of the Ritz vectors: where to start on a matrix that is nearly the same.
        vectors: ``(k, P)`` orthonormal Ritz vectors, if asked for.
    """

    values: Tensor
    residuals: Tensor
    converged: bool
    products: int
    largest: float
    smallest: float
    start: Tensor
    vectors: Tensor | None = None

    def record(self) -> dict[str, Any]:
        """Values, residuals and cost as plain values, for JSON."""
        return {
            "eigenvalues": self.values.tolist(),
            "residuals": self.residuals.tolist(),
            "largest": self.largest,
            "smallest": self.smallest,
            "converged": self.converged,
            "products": self.products,
        }


class Krylov:
    """An orthonormal basis of a Krylov space, grown one product at a time, and the operator restricted to it.

    Args:
        operator: symmetric.
        start: ``(P,)``, not zero; default drawn from `random`.
        capacity: how many vectors to hold at most.
        random: draws start vectors, on the CPU, so that they are the same on every device.

    Attributes:
        basis: ``(capacity + 1, P)`` on the operator's device; the first `size` rows are the basis, the next the
            direction in which it will grow.
        size: vectors in the basis.
        fresh: how many there were when a direction first had to be drawn at random; 0 if that has not happened.
        beta: the coupling of the basis to the rest of the space; 0 if it is invariant.
        products: products with the operator.
    """

    def __init__(self, operator: SymmetricOperator, *, capacity: int, start: Tensor | None, random: torch.Generator):
        self.operator, self.random, self.capacity = operator, random, capacity
        self.basis = torch.empty(capacity + 1, operator.shape[0], dtype=operator.dtype, device=operator.device)
        self.restricted = torch.zeros(capacity, capacity, dtype=torch.float64)
        self.size = self.fresh = self.products = 0
        self.beta = 0.0
        self.basis[0] = self._random_vector() if start is None else start / norm(start)

    def grow(self) -> None:
        """Compute one product, and add one vector to the basis.

        Raises:
            ValueError: if the product is not finite.
        """
        j = self.size
        vector = self.basis[j]
        product = (self.operator @ vector).clone()  # ours to change, even if an operator returns what it was given
        self.products += 1
        # The diagonal and the norm are sums over millions of entries, and everything else is computed from them.
        diagonal = (vector.double() @ product.double()).item()
        if not math.isfinite(diagonal):
            raise ValueError("a product of the operator with a vector is not finite: are loss and weights?")
        # The components that are known are subtracted first: if they were projected out with the basis, a definite
        # spectrum would magnify the errors of the basis at every step.
        product.add_(vector, alpha=-diagonal)
        if self.beta:
            product.add_(self.basis[j - 1], alpha=-self.beta)
        before = norm(product)
        coefficients = self._orthogonalize_(product, j + 1)
        coefficients[j] = diagonal
        if self.beta:
            coefficients[j - 1] += self.beta
        self.restricted[: j + 1, j] = self.restricted[j, : j + 1] = coefficients
        self.size = j + 1
        self.beta = norm(product)
        if self.size == self.basis.shape[1]:
            self.beta = 0.0  # the basis is the whole space
            return
        if self.beta < 0.7 * before:
            # What is left is small compared with what was taken away, but the errors of that are not.
            self._orthogonalize_(product, self.size)
            self.beta = norm(product)
        noise = 10 * torch.finfo(self.basis.dtype).eps * max(self.restricted.abs().max().item(), before)
        if self.beta <= noise:
            # An invariant space: the operator does not lead out of it, so any direction will do.
            self.beta, self.fresh, product = 0.0, self.fresh or self.size, self._random_vector()
            for _ in range(2):
                self._orthogonalize_(product, self.size)
        self.basis[self.size] = product / norm(product)

    def ritz(self) -> tuple[Tensor, Tensor, Tensor]:
        """Ritz values in rising order ``(size,)``, their coordinates in the basis ``(size, size)``, residuals."""
        values, coordinates = torch.linalg.eigh(self.restricted[: self.size, : self.size])
        return values, coordinates, (self.beta * coordinates[-1]).abs()

    def vectors(self, coordinates: Tensor, out: Tensor | None = None) -> Tensor:
        """Combinations of the basis: ``(size, n)`` → ``(n, P)``."""
        n = coordinates.shape[1]
        rotation = coordinates.T.to(self.basis)
        out = (
            torch.empty(n, self.basis.shape[1], dtype=self.basis.dtype, device=self.basis.device)
            if out is None
            else out
        )
        for start in range(0, self.basis.shape[1], 1 << 16):  # in pieces, so that `out` can be the basis itself
            columns = slice(start, start + (1 << 16))
            out[:n, columns] = rotation @ self.basis[: self.size, columns]
        return out

    def restart(self, values: Tensor, coordinates: Tensor) -> None:
        """Keep the given Ritz pairs and the next direction; forget the rest of the basis."""
        n, following = len(values), self.basis[self.size].clone()
        self.vectors(coordinates, out=self.basis)
        self.basis[n] = following
        # The coupling of the kept pairs to the next direction comes out of the next product by itself.
        self.restricted.zero_()
        self.restricted.diagonal()[:n] = values
        self.size, self.fresh, self.beta = n, min(self.fresh, n), 0.0

    def _orthogonalize_(self, vector: Tensor, count: int) -> Tensor:
        """Take the first `count` vectors' share out of a vector, in place; returns the coefficients, float64."""
        basis = self.basis[:count]
        coefficients = basis @ vector
        vector.addmv_(basis.T, coefficients, alpha=-1)
        return coefficients.double().cpu()

    def _random_vector(self) -> Tensor:
        vector = torch.randn(self.basis.shape[1], generator=self.random, dtype=torch.float64)
        return (vector / norm(vector)).to(self.basis)


def norm(vector: Tensor) -> float:
    """The Euclidean norm, summed in double precision."""
    return torch.linalg.vector_norm(vector, dtype=torch.float64).item()


def lanczos(
    operator: SymmetricOperator,
    k: int = 10,
    *,
    which: str = "magnitude",
    tolerance: float = 1e-3,
    max_products: int = 300,
    start: Tensor | None = None,
    vectors: bool = False,
    memory: int = 4 * 2**30,
    seed: int = 0,
) -> Eigenpairs:
    """The k leading eigenvalues of a symmetric operator.

    Stops as soon as the residual of each is at most `tolerance` times its magnitude (or lost in the rounding noise of
    the largest). The basis takes ``(m + 1) · P`` numbers after m products, and never more than `memory`: when that is
    full it restarts from its best vectors. An eigenvalue that occurs several times, exactly, counts once or more.

    Args:
        operator: a `HessianOperator`, or a symmetric tensor ``(P, P)``.
        k: how many.
        which: ``"magnitude"``: the largest in absolute value; ``"ends"``: half of them (rounded up) the largest, half
            the smallest.
        tolerance: of the residuals, relative.
        max_products: give up after so many products; the result then says that it has not converged, and how far off
            each value may be.
        start: ``(P,)`` a vector to start from, as `Eigenpairs.start` of a matrix nearby; default random.
        vectors: return the eigenvectors too.
        memory: bytes that the basis may take.
        seed: of all random vectors.

    Returns:
        Values, residuals, cost.

    Raises:
        ValueError: for an argument out of range, too little memory for k vectors, or a product that is not finite.
    """
    size = operator.shape[0]
    one_of("which", which, WHICH)
    if not 1 <= k <= size:
        raise ValueError(f"k is {k}, but a {size}×{size} operator has 1 to {size} eigenvalues")
    if not tolerance > 0:
        raise ValueError(f"tolerance is {tolerance}, but must be positive")
    kept = min(size, k + max(k // 2, 4))  # more than asked for: the others speed up the search for these
    least = min(size, kept + 4)
    if max_products < least:
        raise ValueError(f"max_products is {max_products}, but {k} eigenvalues of this operator need at least {least}")
    row = size * torch.finfo(operator.dtype).bits // 8
    capacity = min(size, max_products, memory // row - 1)
    if capacity < least:
        raise ValueError(
            f"memory is {memory} bytes, but {k} eigenvalues of a {size}×{size} operator need a basis of {least + 1} "
            f"vectors, {(least + 1) * row} bytes: allow more, or ask for fewer"
        )
    random = torch.Generator().manual_seed(seed)
    if start is not None:
        # With a little of every direction: one that the old vectors lack entirely could not be found from them.
        other = torch.randn(size, generator=random, dtype=torch.float64).to(start)
        start = start.to(operator.device, operator.dtype) / norm(start)
        start = start + 0.1 * other.to(start) / norm(other)
    krylov = Krylov(operator, capacity=capacity, start=start, random=random)
    noise = 50 * torch.finfo(operator.dtype).eps

    while True:
        krylov.grow()
        if krylov.size < k:
            continue
        values, coordinates, residuals = krylov.ritz()
        chosen = _leading(values, k, which)
        scale = values.abs().max()
        converged = bool((residuals[chosen] <= (tolerance * values[chosen].abs()).clamp(min=noise * scale)).all())
        # After an invariant space, the directions that the fresh one leads to must be explored before stopping.
        settled = krylov.fresh == 0 or krylov.size - krylov.fresh >= min(2 * k, size - krylov.fresh)
        if (converged and settled) or krylov.size == size or krylov.products >= max_products:
            break
        if krylov.size == capacity:
            best = _leading(values, kept, which)
            krylov.restart(values[best], coordinates[:, best])
    ritz_vectors = krylov.vectors(coordinates[:, chosen]) if vectors else None
    start = krylov.vectors(coordinates[:, chosen].sum(1, keepdim=True))[0]
    return Eigenpairs(
        values=values[chosen],
        residuals=residuals[chosen],
        converged=converged,
        products=krylov.products,
        largest=values[-1].item(),
        smallest=values[0].item(),
        start=start / norm(start),
        vectors=ritz_vectors,
    )


def _leading(values: Tensor, k: int, which: str) -> Tensor:
    """Positions of the k leading ones among rising values, in the order in which they are reported."""
    if which == "magnitude":
        return values.abs().argsort(descending=True)[:k]
    top, bottom = (k + 1) // 2, k // 2
    rising = torch.cat([torch.arange(bottom), torch.arange(len(values) - top, len(values))])
    return rising.flip(0)
