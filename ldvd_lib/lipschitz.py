"""Keeping a discriminator's layers 1-Lipschitz, and reporting how far they are from it.

A WGAN's critic must not be steeper than 1. TGAN enforces that layer by layer: a kernel, flattened to a matrix with a
row per output channel, may not stretch any vector: no singular value may pass 1 (Saito et al. 2017, section 4).
The matrix is a stand-in: the *operator* norm of a strided convolution can be larger, because input patches overlap.
`operator_norm` measures that.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

# A clipped matrix, rounded to float32, has norms up to about 1 + 1e-7. Below this tolerance nothing is clipped again,
# so that clipping twice gives exactly the same as clipping once.
TOLERANCE = 1e-6
MIN_GAMMA = 0.01  # of the running standard deviation: a normalisation layer is never switched off


def as_matrix(weight: Tensor) -> Tensor:
    """A convolution's weight ``(out, in, ...)`` as the matrix ``(out, in·...)`` whose singular values are clipped."""
    return weight.reshape(weight.shape[0], -1)


def singular_values(weight: Tensor) -> Tensor:
    """All singular values of a weight as a matrix, largest first.

    Args:
        weight: ``(out, ...)`` of any floating dtype.

    Returns:
        float64 tensor ``(min(out, rest),)`` on the weight's device; on the CPU for a weight on MPS (Apple's GPUs),
        which has no float64.
    """
    if weight.device.type == "mps":
        weight = weight.cpu()
    return torch.linalg.svdvals(as_matrix(weight.detach()).double())


@torch.no_grad()
def clip_matrix_(weight: Tensor) -> Tensor:
    """Set the singular values of a weight, as a matrix, that pass 1 to 1; in place.

    Exact, and cheaper than a singular value decomposition: the eigenvectors of the small Gram matrix (W Wᵀ, or WᵀW
    where W is tall) are the singular vectors on its side, and projecting the excess away needs no others.

    Elsewhere than on a CPU no value is read back to decide anything, so that the device does not wait for Python: a
    weight that holds NaN or infinity is left as it is there, and whoever looks at losses or weights meets it. MPS
    (Apple's GPUs) has no float64: such a weight is clipped on the CPU, as one that lives there, and copied back.

    Args:
        weight: ``(out, ...)``, any floating dtype, any device; changed only if some singular value passes 1.

    Returns:
        The same tensor.

    Raises:
        ValueError: if the weight holds NaN or infinity, and is on a CPU or MPS.

    Source: Saito et al. 2017, Algorithm 1.
    """
    if weight.device.type == "mps":
        return weight.copy_(clip_matrix_(weight.cpu()))
    if weight.device.type != "cpu":
        return _clip_without_reading_(weight)
    matrix = as_matrix(weight).to(torch.promote_types(weight.dtype, torch.float32))
    tall = matrix.shape[0] > matrix.shape[1]
    if tall:
        matrix = matrix.T
    eigenvalues, vectors = _gram_eigenvectors(matrix)
    if not torch.isfinite(eigenvalues[-1]):
        raise ValueError(f"cannot clip the singular values of a {tuple(weight.shape)} weight: it holds NaN or infinity")
    excess = eigenvalues > (1 + TOLERANCE) ** 2
    if not excess.any():
        return weight
    vectors = vectors[:, excess]
    shrink = 1 - eigenvalues[excess].rsqrt()
    vectors, shrunk = vectors.to(matrix.dtype), (vectors * shrink).to(matrix.dtype)
    clipped = matrix - shrunk @ (vectors.T @ matrix)
    weight.copy_((clipped.T if tall else clipped).reshape(weight.shape))
    return weight


def _clip_without_reading_(weight: Tensor) -> Tensor:
    """`clip_matrix_` without a decision that depends on a value: masks instead of branches, for any device.

    Everything is computed in float64, where no size of the values needs another way (see `_gram_eigenvectors`), and
    where no device rounds the factors of a product (TF32). What is not to change is written back as it was, to the bit.
    """
    matrix = as_matrix(weight).double()
    tall = matrix.shape[0] > matrix.shape[1]
    if tall:
        matrix = matrix.T
    gram = matrix @ matrix.T
    finite = torch.isfinite(gram).all()
    gram = torch.where(finite, gram, torch.eye(len(gram), dtype=gram.dtype, device=gram.device))
    # The one place that waits for the device: on CUDA, eigh itself looks whether its iteration has converged.
    eigenvalues, vectors = torch.linalg.eigh(gram)
    excess = eigenvalues > (1 + TOLERANCE) ** 2
    shrink = torch.where(excess, 1 - eigenvalues.clamp(min=1).rsqrt(), 0)
    clipped = matrix - (vectors * shrink) @ (vectors.T @ matrix)
    clipped = torch.where(finite & excess.any(), clipped, matrix)
    return weight.copy_((clipped.T if tall else clipped).reshape(weight.shape))


def _gram_eigenvectors(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues (ascending) and eigenvectors of M Mᵀ in float64; NaN where M is not finite.

    Products of float32 in short pieces, summed in float64, are exact to about 1e-7 of the *largest* eigenvalue. If
    that could matter at 1, everything is computed again in float64.
    """
    gram = sum((piece @ piece.T).double() for piece in matrix.split(4096, dim=1))
    if not torch.isfinite(gram).all():
        return torch.full_like(gram[0], torch.nan), gram
    eigenvalues, vectors = torch.linalg.eigh(gram)
    if eigenvalues[-1] > 100 and matrix.dtype != torch.float64:
        eigenvalues, vectors = torch.linalg.eigh(matrix.double() @ matrix.double().T)
    return eigenvalues, vectors


@torch.no_grad()
def clip_gamma_(norm: nn.modules.batchnorm._BatchNorm) -> None:
    """Clip a batch normalisation's gain to [0.01·σ, σ], σ its running standard deviation; in place.

    In evaluation the layer multiplies by γ/σ, so γ ≤ σ makes it 1-Lipschitz. (Source: MODELS §4; Saito et al. 2017.)
    """
    if norm.weight is None or norm.running_var is None:
        return
    sigma = norm.running_var.sqrt().to(norm.weight)
    norm.weight.copy_(norm.weight.clamp(min=MIN_GAMMA * sigma, max=sigma))


def clip_singular_values_(module: nn.Module) -> nn.Module:
    """Singular value clipping (SVC) of a whole discriminator, in place.

    Every weight with at least four dimensions gets spectral norm ≤ 1 as a matrix, every batch normalisation a gain
    within its running standard deviation. Nothing leaves the weights' device, unless that is MPS, and but on a CPU
    nothing is read from it.

    Args:
        module: a discriminator.

    Returns:
        The same module.

    Raises:
        ValueError: if a weight on a CPU or MPS holds NaN or infinity, naming the parameter. Elsewhere it is left as it
            is.

    Source: LDVD paper, section on TGAN; MODELS §4 "SVC".
    """
    for name, parameter in module.named_parameters():
        if parameter.ndim >= 4:
            try:
                clip_matrix_(parameter)
            except ValueError as error:
                raise ValueError(f"parameter {name!r}: {error}") from error
    for layer in module.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            clip_gamma_(layer)
    return module


@dataclass(frozen=True)
class LayerNorm:
    """How much one layer can stretch its input."""

    name: str
    kind: str
    shape: tuple[int, ...]
    norm: float
    """The largest singular value of the weight as a matrix; for a batch normalisation the largest γ/σ."""


@torch.no_grad()
def spectral_norms(module: nn.Module) -> list[LayerNorm]:
    """The norm of every convolution, linear layer and batch normalisation, in the order of `module.modules()`.

    Returns:
        One `LayerNorm` a layer. A product of at most 1 bounds the Lipschitz constant only where the matrix norm is the
        operator norm; see `operator_norm`.
    """
    rows = []
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd):
            norm = singular_values(layer.weight)[0].item()
        elif isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.affine and layer.running_var is not None:
            norm = (layer.weight.abs() / (layer.running_var + layer.eps).sqrt()).max().item()
        else:
            continue
        rows.append(LayerNorm(name, type(layer).__name__, tuple(layer.weight.shape), norm))
    return rows


def operator_norm(
    layer: nn.Linear | nn.modules.conv._ConvNd, input_shape: tuple[int, ...], *, iterations: int = 100, seed: int = 0
) -> float:
    """The largest factor by which a linear layer stretches any input of a given shape, by power iteration.

    Args:
        layer: a convolution or linear layer; its bias does not matter.
        input_shape: shape of one input without the batch, for example ``(3, 16, 64, 64)``.
        iterations: applications of the layer and its transpose; the estimate grows towards the norm from below.
        seed: of the first vector.

    Returns:
        The norm, to about three digits with the default iterations.
    """
    weight = layer.weight
    generator = torch.Generator(weight.device).manual_seed(seed)
    x = torch.randn(1, *input_shape, generator=generator, device=weight.device, dtype=weight.dtype)
    zero = layer(torch.zeros_like(x)).detach()  # what the bias alone gives
    norm = 0.0
    for _ in range(iterations):
        x = (x / x.norm()).requires_grad_()
        y = layer(x) - zero
        norm = y.norm().item()
        (x,) = torch.autograd.grad(y, x, y.detach())
        x = x.detach()
    return norm
