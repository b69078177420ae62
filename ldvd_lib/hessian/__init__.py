"""The curvature of what a discriminator minimises: its Hessian's leading eigenvalues, both ends, and its density."""

from ldvd_lib.hessian.density import SpectralDensity, spectral_density
from ldvd_lib.hessian.lanczos import Eigenpairs, Krylov, lanczos
from ldvd_lib.hessian.objective import DiscriminatorObjective, objective_of, undisturbed
from ldvd_lib.hessian.operator import HessianOperator, ScaledOperator
from ldvd_lib.hessian.report import CurvatureReport, measure
from ldvd_lib.hessian.surface import LossSurface, loss_surface, random_directions

__all__ = [
    "CurvatureReport",
    "DiscriminatorObjective",
    "Eigenpairs",
    "HessianOperator",
    "Krylov",
    "LossSurface",
    "ScaledOperator",
    "SpectralDensity",
    "lanczos",
    "loss_surface",
    "measure",
    "objective_of",
    "random_directions",
    "spectral_density",
    "undisturbed",
]
