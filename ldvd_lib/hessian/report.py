"""A GAN's curvature at one moment: eigenvalues, density and loss surface of every discriminator."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ldvd_lib.gan import VideoGAN
from ldvd_lib.hessian.density import SpectralDensity, spectral_density
from ldvd_lib.hessian.lanczos import Eigenpairs, lanczos
from ldvd_lib.hessian.objective import objective_of
from ldvd_lib.hessian.operator import HessianOperator
from ldvd_lib.hessian.surface import LossSurface, loss_surface, random_directions


@dataclass(frozen=True, eq=False)
class CurvatureReport:
    """The curvature of what one discriminator minimises.

    Attributes:
        title: model, step and discriminator.
        loss: what it minimises, here.
        parameters: how many it has.
        eigenpairs: the leading ones.
        density: of all eigenvalues, if asked for.
        surfaces: the loss along the first two eigenvectors and along two random directions, if asked for.
    """

    title: str
    loss: float
    parameters: int
    eigenpairs: Eigenpairs
    density: SpectralDensity | None = None
    surfaces: dict[str, LossSurface] | None = None

    def __str__(self) -> str:
        pairs = self.eigenpairs
        lines = [
            f"{self.title}: {self.parameters:,} parameters, loss {self.loss:.4g}",
            f"  from {pairs.smallest:.4g} to {pairs.largest:.4g}; {pairs.products} Hessian-vector products",
            "      eigenvalue   residual",
        ]
        for rank, (value, residual) in enumerate(zip(pairs.values, pairs.residuals, strict=True), start=1):
            lines.append(f"  {rank:2d}  {value:10.4g}   {residual:8.1e}")
        if not pairs.converged:
            lines.append(
                "  not converged: within the residual of each value there is an eigenvalue, but a leading one may be "
                "missing; allow more products, or a larger tolerance"
            )
        if self.density:
            mean, error = self.density.mean()
            lines.append(f"  mean of all eigenvalues {mean:.3g} ± {error:.1g}")
        return "\n".join(lines)

    def record(self) -> dict[str, Any]:
        """The same as plain values."""
        own = {"title": self.title, "loss": self.loss, "parameters": self.parameters}
        return own | self.eigenpairs.record()


def measure(
    gan: VideoGAN,
    videos: Tensor,
    labels: Tensor | None = None,
    *,
    step: int = 0,
    k: int = 10,
    which: str = "magnitude",
    tolerance: float = 1e-3,
    max_products: int = 300,
    density: bool = False,
    surface: bool = False,
    seed: int = 0,
    progress: bool = False,
) -> list[CurvatureReport]:
    """Measure every discriminator of a GAN.

    Args:
        gan: the networks; they are left unchanged.
        videos, labels: real ones; see `ldvd_lib.hessian.objective_of`.
        step: for the titles.
        k, which, tolerance, max_products: see `ldvd_lib.hessian.lanczos`.
        density: estimate the density of all eigenvalues.
        surface: evaluate the loss on two planes through the weights.
        seed: of latents and random vectors.
        progress: show progress bars.

    Returns:
        A report for each discriminator.

    Raises:
        ValueError: for a surface with fewer than two eigenvalues, or what `ldvd_lib.hessian.lanczos` cannot do.
    """
    if surface and k < 2:
        raise ValueError(f"a loss surface needs two eigenvectors: ask for 2 eigenvalues or more, not {k}")
    reports = []
    for name in gan.discriminators:
        objective = objective_of(gan, name, videos, labels=labels, seed=seed)
        operator = HessianOperator(objective, objective.parameters)
        pairs = lanczos(
            operator,
            k,
            which=which,
            tolerance=tolerance,
            max_products=max_products,
            vectors=surface,
            seed=seed,
        )
        surfaces = None
        if pairs.vectors is not None:
            planes = {
                "top two eigenvectors": pairs.vectors[:2],
                "two random directions": random_directions(operator.shape[0], seed=seed),
            }
            surfaces = {
                label: loss_surface(objective, objective.parameters, plane, radius=1.0, points=15, progress=progress)
                for label, plane in planes.items()
            }
        reports.append(
            CurvatureReport(
                title=f"{gan.config.name} ({gan.config.preset}), step {step}, {name} discriminator",
                loss=operator.loss,
                parameters=operator.shape[0],
                eigenpairs=pairs,
                density=spectral_density(operator, seed=seed) if density else None,
                surfaces=surfaces,
            )
        )
    return reports
