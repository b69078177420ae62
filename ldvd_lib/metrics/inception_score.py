"""The inception score: are videos recognisable one by one, and varied all together?

With p(c | x) a classifier's probabilities for a video x, and p(c) their mean over all videos, the score is the
exponential of the mean divergence KL(p(c | x) ‖ p(c)): 1 if all videos get the same answer, the number of classes if
each gets one with certainty and all classes are met equally often.

Protocol: TGAN's ``calc_inception.py`` adds 1e-7 inside the logarithms, and takes p(c) over all samples at once (others
average over ten splits, which gives other numbers).

Sources: Salimans et al. 2016, section 4; Saito et al. 2017, section 6.
"""

import torch
from torch import Tensor

from ldvd_lib.metrics._arguments import probabilities_of

EPSILON = 1e-7


def inception_score(probabilities: Tensor, *, epsilon: float = EPSILON) -> float:
    """The inception score of samples, from their class probabilities.

    Args:
        probabilities: ``(n, num_classes)``, rows that sum to 1, any floating dtype.
        epsilon: added inside the logarithms.

    Returns:
        Between 1 and the number of classes, up to `epsilon`; computed in float64.

    Raises:
        ValueError: if the rows are not finite distributions, or fewer than two.

    Source: Salimans et al. 2016; `epsilon` and the lack of splits: TGAN's ``calc_inception.py``.
    """
    probabilities = probabilities_of(probabilities)
    mean = probabilities.sum(0) / len(probabilities)
    negative_entropy = (probabilities * (probabilities + epsilon).log()).sum() / len(probabilities)
    # p(c) does not depend on the sample, so the mean of Σ_c p(c | x) log p(c) is Σ_c p(c) log p(c).
    return torch.exp(negative_entropy - (mean * (mean + epsilon).log()).sum()).item()
