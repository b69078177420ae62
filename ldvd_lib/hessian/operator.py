"""The Hessian of a loss as a linear operator: products with vectors, never the matrix.

For P parameters the Hessian has P² entries (10¹⁴ for TGAN's discriminator). A product with a vector costs a few
gradients.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ldvd_lib.hessian.lanczos import SymmetricOperator

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator


class HessianOperator:
    """H = ∇²L(ψ) of a scalar loss, applied to vectors by double backward: Hv = ∇(∇L · v).

    The loss is evaluated once, here, and the graph of its gradient is kept: everything random or remembered in the
    loss is frozen for the life of the operator, and a product costs one backward pass through that graph. The graph
    takes the memory of a few training steps; it is released with the operator. The parameters must not be changed in
    the meantime. No ``.grad`` is touched.

    Args:
        loss: a function without arguments whose value is a scalar that depends on `parameters`, for example a
            `ldvd_lib.hessian.DiscriminatorObjective`.
        parameters: the tensors ψ, which require gradients and share a device and a dtype. A flat vector holds them one
            after the other.

    Attributes:
        shape: ``(P, P)``.
        dtype, device: of the parameters, and of all vectors.
        loss: the loss's value.
        gradient: its gradient, ``(P,)``.
        products: Hessian-vector products done so far.

    Raises:
        ValueError: if the loss is not a scalar, not finite, or does not depend on the parameters.

    Source: Pearlmutter 1994, "Fast Exact Multiplication by the Hessian".
    """

    def __init__(self, loss: Callable[[], Tensor], parameters: Iterable[Tensor]) -> None:
        self.parameters = list(parameters)
        if not self.parameters or not all(parameter.requires_grad for parameter in self.parameters):
            raise ValueError("parameters must be tensors that require gradients, and at least one")
        kinds = {(parameter.dtype, parameter.device) for parameter in self.parameters}
        if len(kinds) > 1:
            raise ValueError(f"parameters must share a dtype and a device, and these have {sorted(map(str, kinds))}")
        ((self.dtype, self.device),) = kinds
        self._sizes = [parameter.numel() for parameter in self.parameters]
        self.shape = (sum(self._sizes),) * 2
        self.products = 0

        with torch.enable_grad():
            value = loss()
            if not isinstance(value, Tensor) or value.numel() != 1 or not value.requires_grad:
                raise ValueError("the loss must be a scalar tensor that depends on the parameters")
            if not value.isfinite():
                raise ValueError(
                    f"the loss is {value.item()}, so it has no curvature: look for a diverged run, or for videos that "
                    "are not in [-1, 1]"
                )
            derivatives = torch.autograd.grad(value.squeeze(), self.parameters, create_graph=True, allow_unused=True)
            if all(derivative is None for derivative in derivatives):
                raise ValueError("the loss must depend on the parameters, and it depends on none of them")
            gradients = [
                torch.zeros_like(parameter) if derivative is None else derivative
                for parameter, derivative in zip(self.parameters, derivatives, strict=True)
            ]
        self.loss = value.item()
        # Where a gradient is constant in the parameters, the rows of the Hessian are zero, and autograd has no graph.
        self._gradients = [gradient for gradient in gradients if gradient.requires_grad]
        self._curved = [gradient.requires_grad for gradient in gradients]
        self.gradient = self.flatten(gradient.detach() for gradient in gradients)
        if not self.gradient.isfinite().all():
            raise ValueError(
                f"the loss is {self.loss:.6g}, but its gradient is not finite: there is no curvature there"
            )

    def __matmul__(self, vectors: Tensor) -> Tensor:
        """H times a vector ``(P,)`` or a block of vectors ``(P, n)``; returns the same shape.

        Raises:
            ValueError: for another shape.
        """
        if vectors.ndim not in (1, 2) or vectors.shape[0] != self.shape[0]:
            raise ValueError(
                f"a vector of {self.shape[0]} entries, or a block (P, n), is needed; got {tuple(vectors.shape)}"
            )
        if vectors.ndim == 2:
            return torch.stack([self @ vector for vector in vectors.unbind(1)], dim=1)
        self.products += 1
        if not self._gradients:
            return torch.zeros_like(vectors)
        parts = self.unflatten(vectors.to(self.device, self.dtype))
        return self.flatten(
            torch.autograd.grad(
                self._gradients,
                self.parameters,
                [part for part, curved in zip(parts, self._curved, strict=True) if curved],
                retain_graph=True,
                allow_unused=True,
                materialize_grads=True,
            )
        )

    def flatten(self, tensors: Iterable[Tensor]) -> Tensor:
        """One tensor for each parameter → a vector ``(P,)``."""
        return torch.cat([tensor.reshape(-1) for tensor in tensors])

    def unflatten(self, vector: Tensor) -> list[Tensor]:
        """A vector ``(P,)`` → one tensor for each parameter, of its shape."""
        return [
            part.view(parameter.shape)
            for part, parameter in zip(vector.split(self._sizes), self.parameters, strict=True)
        ]

    def linear_operator(self) -> "LinearOperator":
        """The same as SciPy's `LinearOperator`, on float64 numpy vectors, such as for `scipy.sparse.linalg.eigsh`."""

        # Imported here: all of training imports this module, and SciPy takes a tenth of a second.
        from scipy.sparse.linalg import LinearOperator

        def product(vector: np.ndarray) -> np.ndarray:
            flat = torch.from_numpy(vector.copy()).flatten().to(self.device, self.dtype)
            return (self @ flat).cpu().double().numpy()

        return LinearOperator(self.shape, matvec=product, rmatvec=product, dtype=float)


class ScaledOperator:
    """The curvature that an optimiser's step meets: S^½ H S^½, which has the eigenvalues of S H, and is symmetric.

    An optimiser that moves parameter i by sᵢ for each unit of its gradient descends, in the coordinates ψᵢ/√sᵢ, with
    rate 1 a loss of this curvature. Where it is flat the step is short of what it could be; along an eigenvector with a
    value above 2 it goes so far beyond the valley's floor that it lands higher than it was,
    unless what follows a step (clipped singular values, say) undoes that.

    Args:
        operator: H, such as a `HessianOperator`.
        scale: ``(P,)`` the sᵢ, finite and not negative, see `ldvd_lib.training.players.step_sizes`.

    Attributes:
        shape, dtype, device: of `operator`.

    Raises:
        ValueError: for a scale of another shape, or with a value that is negative or not finite.

    Source: Cohen et al. 2022, "Adaptive Gradient Methods at the Edge of Stability" (preconditioned sharpness).
    """

    def __init__(self, operator: SymmetricOperator, scale: Tensor) -> None:
        if scale.shape != operator.shape[:1]:
            raise ValueError(
                f"scale must have the {operator.shape[0]} entries of the operator, got {tuple(scale.shape)}"
            )
        if not scale.isfinite().all() or scale.min() < 0:
            raise ValueError("scale must be finite and not negative: has the optimiser met a gradient that is not?")
        self.shape, self.dtype, self.device = operator.shape, operator.dtype, operator.device
        self._operator, self._root = operator, scale.to(operator.device, operator.dtype).sqrt()

    def __matmul__(self, vector: Tensor) -> Tensor:
        """Its product with a vector ``(P,)``."""
        return self._root * (self._operator @ (self._root * vector))
