"""The leading eigenvalues of a symmetric operator: Lanczos with full re-orthogonalisation and thick restarts.

The Krylov space of a start vector q, spanned by q, Hq, H²q, ..., contains good approximations of the eigenvectors at
both ends of the spectrum long before it fills the whole space. `Krylov` builds an orthonormal basis of it, one product
at a time; the eigenvalues of H restricted to it are the Ritz values, and each comes with a bound: within its residual
‖Hx − θx‖ of θ there is an eigenvalue of H.

That an eigenvalue is near does not say that it leads: a larger one, of which the start vector holds little, may not
have appeared yet. Two more tests tell. The next direction of the basis is p(H) q, with a polynomial p: it holds |p(λ)|
times what q holds of an eigenvector at λ, and its length is 1. So an eigenvalue can hide only where |p| is small, or if
a random q holds next to nothing of its eigenvector, which has a known, small probability. And the values must stand
still for a while: so long as a group of eigenvalues looks like one, they move.

Sources: Parlett 1998, "The Symmetric Eigenvalue Problem"; Wu & Simon 2000 (thick restart); Daniel et al. 1976 (when to
orthogonalise twice); van Dorsselaer, Hochstenbach & van der Vorst 2000, "Computing Probabilistic Bounds for Extreme
Eigenvalues of Symmetric Matrices with the Lanczos Method" (where an eigenvalue can hide).
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ldvd_lib._kit.checks import one_of

WHICH = ("magnitude", "ends")
CHANCE = 1e-4  # that a leading eigenvalue is missed because the random start holds next to nothing of it
SINGLE_ONLY = ("mps",)  # kinds of devices that have no double precision


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
        converged: whether every residual is within the tolerance, and these are the leading ones: `lanczos` says what
            that promises.
        products: how many products with the operator it took.
        largest, smallest: the extreme Ritz values, whether among `values` or not; no eigenvalue's magnitude is
            overstated by them.
        vectors: ``(k, P)`` orthonormal Ritz vectors, if asked for.
    """

    values: Tensor
    residuals: Tensor
    converged: bool
    products: int
    largest: float
    smallest: float
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
        capacity: how many vectors to hold at most.
        random: draws start vectors, on the CPU, so that they are the same on every device.

    Attributes:
        basis: ``(capacity + 1, P)`` on the operator's device; the first `size` rows are the basis, the next the
            direction in which it will grow.
        size: vectors in the basis.
        fresh: how many there were when a direction first had to be drawn at random; 0 if that has not happened.
        fresh_since: after how many products that was.
        beta: the coupling of the basis to the rest of the space; 0 if it is invariant.
        log_couplings: the logarithm of the product of all betas.
        dropped: Ritz values that restarts have forgotten.
        products: products with the operator.
    """

    def __init__(self, operator: SymmetricOperator, *, capacity: int, random: torch.Generator):
        self.operator, self.random, self.capacity = operator, random, capacity
        self.basis = torch.empty(capacity + 1, operator.shape[0], dtype=operator.dtype, device=operator.device)
        self.restricted = torch.zeros(capacity, capacity, dtype=torch.float64)
        self.size = self.fresh = self.fresh_since = self.products = 0
        self.beta = self.log_couplings = 0.0
        self.dropped = torch.zeros(0, dtype=torch.float64)
        self.basis[0] = self._random_vector()

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
        diagonal = (_where_double(vector).double() @ _where_double(product).double()).item()
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
            self.beta, self.log_couplings = 0.0, -math.inf  # the basis is the whole space
            return
        if self.beta < 0.7 * before:
            # What is left is small compared with what was taken away, but the errors of that are not.
            self._orthogonalize_(product, self.size)
            self.beta = norm(product)
        noise = 10 * torch.finfo(self.basis.dtype).eps * max(self.restricted.abs().max().item(), before)
        if self.beta <= noise:
            # An invariant space: the operator does not lead out of it, so any direction will do.
            self.fresh, self.fresh_since = self.fresh or self.size, self.fresh_since or self.products
            self.beta, product = 0.0, self._random_vector()
            for _ in range(2):
                self._orthogonalize_(product, self.size)
        self.log_couplings += math.log(self.beta) if self.beta else -math.inf
        self.basis[self.size] = product / norm(product)

    def ritz(self) -> tuple[Tensor, Tensor, Tensor]:
        """Ritz values in rising order ``(size,)``, their coordinates in the basis ``(size, size)``, residuals."""
        values, coordinates = torch.linalg.eigh(self.restricted[: self.size, : self.size])
        return values, coordinates, (self.beta * coordinates[-1]).abs()

    def log_growth(self, points: Tensor, ritz_values: Tensor) -> Tensor:
        """ln |p| at each point, of the polynomial p with p(H) · start = the next direction.

        Its zeros are the Ritz values, all of them, with those that were dropped; its leading coefficient is 1 over the
        product of the couplings.
        """
        zeros = torch.cat([ritz_values, self.dropped])
        return (points[:, None] - zeros).abs().log().sum(1) - self.log_couplings

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

    def restart(self, kept: Tensor) -> None:
        """Keep the Ritz pairs at these positions and the next direction; forget the rest of the basis."""
        values, coordinates, _ = self.ritz()
        others = torch.ones(self.size, dtype=torch.bool).index_fill(0, kept, False)
        self.dropped = torch.cat([self.dropped, values[others]])
        values, coordinates = values[kept], coordinates[:, kept]
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
        return coefficients.cpu().double()

    def _random_vector(self) -> Tensor:
        vector = torch.randn(self.basis.shape[1], generator=self.random, dtype=torch.float64)
        return (vector / norm(vector)).to(self.basis)


def norm(vector: Tensor) -> float:
    """The Euclidean norm, summed in double precision."""
    return torch.linalg.vector_norm(_where_double(vector), dtype=torch.float64).item()


def _where_double(vector: Tensor) -> Tensor:
    """The vector where there is double precision: on its own device, or else on the CPU."""
    return vector.cpu() if vector.device.type in SINGLE_ONLY else vector


class StoppingRule:
    """When the leading Ritz values of a `Krylov` space have become the operator's leading eigenvalues.

    Args:
        k, which, tolerance: see `lanczos`.
    """

    def __init__(self, k: int, which: str, tolerance: float) -> None:
        self.k, self.which, self.tolerance = k, which, tolerance
        self._history: list[Tensor] = []  # the leading values after each product, so far as there were k

    def met(self, krylov: Krylov, values: Tensor, residuals: Tensor) -> tuple[Tensor, bool]:
        """Ask after each product, from the k-th on.

        Args:
            krylov: the space.
            values, residuals: all of its Ritz values, rising, and their residuals.

        Returns:
            ``(k,)`` positions of the leading values, and whether the search may stop.
        """
        size, chosen = krylov.operator.shape[0], _leading(values, self.k, self.which)
        leading = values[chosen]
        self._history.append(leading)
        # What is lost in the rounding noise of the largest cannot be told any better.
        noise = 50 * torch.finfo(krylov.operator.dtype).eps * values.abs().max()
        if (residuals[chosen] > (self.tolerance * leading.abs()).clamp(min=noise)).any():
            return chosen, False
        if krylov.size == size:
            return chosen, True
        if krylov.fresh:
            # An invariant space: its values are exact. What the fresh direction leads to must still be looked at.
            return chosen, krylov.products - krylov.fresh_since >= min(2 * self.k, size - krylov.fresh)
        # The stricter, the closer a group may be that still comes out right: `benchmarks/leading_eigenvalues.py`.
        margins = (self.tolerance / 4 * leading.abs()).clamp(min=noise)
        return chosen, self._steady(krylov.products, margins) and self._none_hides(krylov, values, leading, margins)

    def _steady(self, products: int, margins: Tensor) -> bool:
        """Whether the values have moved by no more than the margins over the last fifth of all products."""
        past = products // 5 + 2
        if len(self._history) <= past:
            return False
        now, before = self._history[-1], self._history[-1 - past]
        if self.which == "magnitude":  # of two that differ in sign alone, either may come first
            now, before = now.abs(), before.abs()
        return bool(((now - before).abs() <= margins).all())

    def _none_hides(self, krylov: Krylov, values: Tensor, leading: Tensor, margins: Tensor) -> bool:
        """Whether every eigenvalue that leads is within the margin of one of these, but for a chance of `CHANCE`."""
        if self.which == "magnitude":
            high = leading[-1].abs() + margins[-1]
            low = -high
        else:
            top = (self.k + 1) // 2
            high = leading[top - 1] + margins[top - 1]
            low = leading[top] - margins[top] if self.k > 1 else torch.full_like(high, -math.inf)
        # Between two of its zeros, ln |p| is concave: it is large throughout a gap if it is so at the ends of the gap.
        ends = torch.cat([leading - margins, leading + margins, torch.stack([low, high])])
        ends = ends[((ends <= low) | (ends >= high)) & ends.isfinite()]
        ends = ends[((ends[:, None] - leading).abs() > 0.9 * margins).all(1)]
        # A random unit vector holds less than h of a given direction with a probability of at most h · √(2 P / π).
        enough = math.log(self.k / CHANCE) + 0.5 * math.log(2 * krylov.operator.shape[0] / math.pi)
        return bool((krylov.log_growth(ends, values) > enough).all())


def lanczos(
    operator: SymmetricOperator,
    k: int = 10,
    *,
    which: str = "magnitude",
    tolerance: float = 1e-3,
    max_products: int = 300,
    vectors: bool = False,
    memory: int = 4 * 2**30,
    seed: int = 0,
) -> Eigenpairs:
    """The k leading eigenvalues of a symmetric operator.

    Stops as soon as the residual of each is at most `tolerance` times its magnitude (or lost in the rounding noise of
    the largest), no larger eigenvalue can hide, and the values stand still. That is what `converged` promises:

    - there is an eigenvalue within the residual of each value, for certain;
    - every eigenvalue that leads the last value by more than the tolerance is within the tolerance of one of the
      values, but for a chance of about 1 in 10,000: that of a random start that holds next to nothing of an
      eigenvector. No tolerance is finer than the rounding noise of the largest, 50 times the precision of its dtype;
    - how many there are in a group that is narrower than the tolerance is not promised: they count once or more. Values
      that stand still make it likely that none is left out. An eigenvalue that occurs several times, exactly, is such
      a group.

    The basis takes ``(m + 1) · P`` numbers after m products, and never more than `memory`: when that is full it
    restarts from its best vectors.

    Args:
        operator: a `HessianOperator`, or a symmetric tensor ``(P, P)``.
        k: how many.
        which: ``"magnitude"``: the largest in absolute value; ``"ends"``: half of them (rounded up) the largest, half
            the smallest.
        tolerance: of the residuals, relative.
        max_products: give up after so many products; the result then says that it has not converged.
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
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance is {tolerance}, but must be between 0 and 1")
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
    krylov = Krylov(operator, capacity=capacity, random=random)
    rule = StoppingRule(k, which, tolerance)
    while True:
        krylov.grow()
        if krylov.size < k:
            continue
        values, coordinates, residuals = krylov.ritz()
        chosen, converged = rule.met(krylov, values, residuals)
        if converged or krylov.size == size or krylov.products >= max_products:
            break
        if krylov.size == capacity:
            krylov.restart(_leading(values, kept, which))
    ritz_vectors = krylov.vectors(coordinates[:, chosen]) if vectors else None
    return Eigenpairs(
        values=values[chosen],
        residuals=residuals[chosen],
        converged=converged,
        products=krylov.products,
        largest=values[-1].item(),
        smallest=values[0].item(),
        vectors=ritz_vectors,
    )


def _leading(values: Tensor, k: int, which: str) -> Tensor:
    """Positions of the k leading ones among rising values, in the order in which they are reported."""
    if which == "magnitude":
        return values.abs().argsort(descending=True)[:k]
    top, bottom = (k + 1) // 2, k // 2
    rising = torch.cat([torch.arange(bottom), torch.arange(len(values) - top, len(values))])
    return rising.flip(0)
