"""The sliced Wasserstein distance of learnt features, in its dual form, as a score.

Source: the form is that of the authors' code (`musikisomorphie/swd`, ``DualSWD`` and ``D_swgan``) for two papers:
Wu et al. 2019, "Sliced Wasserstein Generative Models", and Acharya et al. 2018, "Towards High Resolution Video
Generation with Progressive Growing of Sliced Wasserstein GANs".
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ldvd_lib.blocks.strided import LEAKY_SLOPE


class Slices(nn.Module):
    """Features → the mean of one-dimensional critics, each of which sees them along one direction.

    A critic is f(p) = leaky ReLU(scale · p + offset) of the projection p on its direction, with a scale and an offset
    of its own. How far the mean of all f can tell two sets of features apart is the mean of how far they can be told
    apart in one dimension: the sliced distance, in its dual form.

    Directions are learnt, of length 1, and orthogonal at first. (In the papers they stay orthogonal. The published code
    for videos draws them at random, and keeps neither their lengths nor their angles; it also gives real clips the
    lower scores, where they get the higher ones here.)

    Args:
        features: dimensions of the features, and number of directions.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(nn.init.orthogonal_(torch.empty(features, features)))
        self.scale, self.offset = nn.Parameter(torch.ones(features)), nn.Parameter(torch.zeros(features))

    def project(self, features: Tensor) -> Tensor:
        """``(N, D)`` → what each critic takes the leaky ReLU of, ``(N, D)``: scale · projection + offset."""
        return (
            nn.functional.linear(features, nn.functional.normalize(self.directions, dim=1)) * self.scale + self.offset
        )

    def forward(self, features: Tensor) -> Tensor:
        """``(N, D)`` → scores ``(N,)``."""
        return leaky_relu(self.project(features), LEAKY_SLOPE).mean(1)

    def slopes(self, features: Tensor) -> Tensor:
        """The derivative of each critic at the projections of features: ``(N, D)`` → ``(N, D)``."""
        rising = self.project(features) > 0
        return self.scale * torch.where(rising, 1.0, LEAKY_SLOPE).to(self.scale)
