"""Watching the spectrum while a GAN trains: a callback that measures it every so many steps.

Source: LDVD paper, Figures 3–5 and 7; MODELS §6.
"""

import time
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ldvd_lib.batch import Batch
from ldvd_lib.gan import VideoGAN
from ldvd_lib.hessian import HessianOperator, ScaledOperator, lanczos, objective_of
from ldvd_lib.hessian.lanczos import SymmetricOperator
from ldvd_lib.runs.files import SPECTRUM
from ldvd_lib.runs.run import append_record
from ldvd_lib.training.players import step_sizes

if TYPE_CHECKING:
    from ldvd_lib.training.loop import Trainer


class SpectrumProbe:
    """Leading eigenvalues of every discriminator's Hessian, as lines of ``spectrum.jsonl``.

    All probes of a run are of the same real videos and latents, and start from the same vector, so that what changes
    between them is the networks alone, and a run that is resumed records the same numbers. Training does not notice:
    weights, gradients, statistics and random streams stay as they are.

    Args:
        every: steps between two probes.
        k: eigenvalues.
        batch_size: real videos, and as many generated ones; default the recipe's.
        which, tolerance, max_products: see `ldvd_lib.hessian.lanczos`.
        of_steps: measure the curvature that the optimiser's steps meet, too (see `ldvd_lib.hessian.ScaledOperator`),
            and how steep the critic is.
        seed: of videos, latents and start vectors.
    """

    needs_second_derivatives = True

    def __init__(
        self,
        every: int = 50,
        *,
        k: int = 10,
        batch_size: int | None = None,
        which: str = "magnitude",
        tolerance: float = 1e-2,
        max_products: int = 200,
        of_steps: bool = False,
        seed: int = 0,
    ) -> None:
        self.every, self.k, self.batch_size, self.seed = every, k, batch_size, seed
        self.which, self.tolerance, self.max_products = which, tolerance, max_products
        self.of_steps = of_steps
        self._batch: Batch | None = None

    def __call__(self, trainer: "Trainer") -> None:
        """Measure, and write one line for each discriminator."""
        if self._batch is None:
            self._batch = trainer.sampler.peek(self.batch_size, seed=self.seed).to(trainer.device)
        for name in trainer.gan.discriminators:
            sizes = step_sizes(trainer.players.optimizers[name]) if self.of_steps else None
            record = self.measure(trainer.gan, name, self._batch.video, self._batch.labels, sizes)
            append_record(trainer.directory / SPECTRUM, {"step": trainer.step, **record})

    def measure(
        self,
        gan: VideoGAN,
        name: str,
        videos: Tensor,
        labels: Tensor | None = None,
        sizes: Tensor | None = None,
    ) -> dict:
        """The spectrum of one discriminator as a record of plain values.

        Args:
            gan: the networks.
            name: which discriminator.
            videos: real ones, ``(N, C, T, H, W)`` in [-1, 1], on the networks' device.
            labels: ``(N,)`` their classes, for a discriminator with categories.
            sizes: ``(P,)`` of its optimiser's steps, see `ldvd_lib.training.players.step_sizes`; None to leave out
                what depends on them.

        Returns:
            ``discriminator``, ``eigenvalues``, ``residuals``, ``largest``, ``smallest``, ``converged``, ``products``,
            ``seconds``, ``loss``, ``parameters``, ``batch_size``; with `sizes`, the first six of these but the
            discriminator again, of the curvature that a step meets, under names that begin with ``step_``, and
            ``steepness``, see `ldvd_lib.hessian.DiscriminatorObjective`.
        """
        started = time.perf_counter()
        objective = objective_of(gan, name, videos, labels=labels, seed=self.seed)
        operator = HessianOperator(objective, objective.parameters)
        found = self._spectrum(operator)
        if sizes is not None:
            scaled = self._spectrum(ScaledOperator(operator, sizes))
            found |= {f"step_{key}": value for key, value in scaled.items()} | {"steepness": objective.steepness()}
        if operator.device.type == "cuda":
            torch.cuda.synchronize(operator.device)
        return {
            "discriminator": name,
            **found,
            "seconds": round(time.perf_counter() - started, 3),
            "loss": operator.loss,
            "parameters": operator.shape[0],
            "batch_size": len(videos),
        }

    def _spectrum(self, operator: SymmetricOperator) -> dict[str, Any]:
        pairs = lanczos(
            operator,
            self.k,
            which=self.which,
            tolerance=self.tolerance,
            max_products=self.max_products,
            seed=self.seed,
        )
        return pairs.record()
