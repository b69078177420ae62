"""Whether a critic has collapsed: it does hardly better than chance, so that next to nothing is learnt from it."""

from collections.abc import Mapping

import numpy as np
import torch

from ldvd_lib import losses
from ldvd_lib.gan import DISCRIMINATORS, NetworkConfig
from ldvd_lib.runs.run import Run

WINDOW = 10  # logged steps that are looked at together
NEAR_CHANCE = 0.9  # of the loss at chance
APART = 0.25  # of mean scores: under losses that have a unit, odds of 56 to 44
RIGHT = 8  # of the logged steps of a window; a coin comes up this often, or more, in 5.5 % of all windows


def at_chance_from(metrics: Mapping[str, np.ndarray], name: str, loss: str, *, is_bounded: bool = False) -> int | None:
    """The logged step from which on a critic was at chance, until the end of the log.

    A critic that gives every clip the same score has the loss of chance: 2 ln 2 for the losses with a logarithm, 2 for
    hinge, 0 for Wasserstein. It is at chance over a window of ten logged steps if, there,

    - its mean loss is not below 90 % of the loss of chance, and
    - real and generated clips are not apart: their mean scores differ by less than ¼, on average. (So a critic in whose
      odds real clips have less than 56 to 44 counts as collapsed, even if it is right at every step.)

    The Wasserstein loss has no unit, and is that difference itself. There it is at chance if the mean score of the real
    clips is the higher one in fewer than eight of the ten. So it is under any loss if the critic's layers are kept from
    stretching: how far apart its scores can get is then a matter of the constraint and of how many layers there are.

    Two players at the game's equilibrium would look the same. In a short training nobody is there.

    Args:
        metrics: of a run, see `Run.metrics`.
        name: of the critic.
        loss: its name in `ldvd_lib.losses`.
        is_bounded: whether singular values are clipped, or spectra normalised.

    Returns:
        The step; None if the critic was not at chance at the end, or if the log is too short to tell.
    """
    columns = [metrics.get(f"{name}_{key}") for key in ("loss", "real_score", "fake_score")]
    if any(column is None or len(column) < WINDOW for column in columns):
        return None
    windows = [np.lib.stride_tricks.sliding_window_view(column, WINDOW) for column in columns if column is not None]
    value, real, fake = windows
    chance = losses.get(loss).discriminator(torch.zeros(1), torch.zeros(1)).item()
    if chance > 0 and not is_bounded:
        is_at_chance = (value.mean(axis=1) >= NEAR_CHANCE * chance) & ((real - fake).mean(axis=1) < APART)
    else:
        is_at_chance = (real > fake).sum(axis=1) < RIGHT
    if not is_at_chance[-1]:
        return None
    better = np.flatnonzero(~is_at_chance)
    return int(metrics["step"][better[-1] + 1 if len(better) else 0])


def collapsed(run: Run, *, until: int | None = None) -> dict[str, int]:
    """The critics of a run that had collapsed at the end of its log: name → step from which on they were at chance.

    Args:
        run: a run directory.
        until: the last step that counts; default all.

    Raises:
        ValueError: if the log is damaged.
    """
    metrics = run.metrics()
    if until is not None and metrics:
        metrics = {name: values[metrics["step"] <= until] for name, values in metrics.items()}
    model = run.config.model
    steps = {
        name: at_chance_from(
            metrics,
            name,
            model.recipe.loss,
            is_bounded=bool(model.recipe.svc_every or _is_spectral(network)),
        )
        for name, network in model.discriminators.items()
    }
    return {name: step for name, step in steps.items() if step is not None}


def _is_spectral(network: NetworkConfig) -> bool:
    """Whether a discriminator's spectra are normalised."""
    return network.has("spectral", DISCRIMINATORS) and bool(network.option("spectral", DISCRIMINATORS))
