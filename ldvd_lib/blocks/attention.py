"""Self-attention: every place of a map may look at every other.

Source: Zhang et al. 2019, "Self-Attention Generative Adversarial Networks", as in BigGAN's code (Brock et al. 2019).
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d


class SelfAttention(nn.Module):
    """Adds to each place of a map a mean of all places, weighted by how much they answer to it.

    Queries have an eighth of the channels, and so have keys; values have half. Keys and values are of every second row
    and column, of the largest of four places. What is added is scaled by a number that is learnt and begins at 0.

    Args:
        channels: of the maps, at least 8.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        if channels < 8:
            raise ValueError(f"self-attention has queries of channels / 8, and channels is {channels}: use 8 or more")
        self.query = nn.Conv2d(channels, channels // 8, 1, bias=False)
        self.key = nn.Conv2d(channels, channels // 8, 1, bias=False)
        self.value = nn.Conv2d(channels, channels // 2, 1, bias=False)
        self.out = nn.Conv2d(channels // 2, channels, 1, bias=False)
        self.share = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, channels, H, W)``, H and W even → the same shape."""
        query = self.query(x).flatten(2)
        key, value = (max_pool2d(layer(x), 2).flatten(2) for layer in (self.key, self.value))
        weights = (query.transpose(1, 2) @ key).softmax(2)  # (N, H·W, H·W / 4)
        found = (value @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])
        return x + self.share * self.out(found)
