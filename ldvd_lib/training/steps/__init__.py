"""One training step of each game: a function of the trainer that updates every player once and returns its losses."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import Tensor

from ldvd_lib.training.steps import mocogan, tgan

if TYPE_CHECKING:
    from ldvd_lib.training.loop import Trainer

STEPS: dict[str, Callable[["Trainer"], dict[str, Tensor]]] = {"mocogan": mocogan.step, "tgan": tgan.step}
