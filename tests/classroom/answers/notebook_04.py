"""Right and wrong answers to the exercises of 04, with a phrase of the message that names what is wrong."""

import numpy as np
import torch

from ldvd_lib.metrics import GaussianStatistics, frechet_distance, inception_score

EPSILON = 1e-7
FAILURES = {"A": "few clips", "B": "blurred", "C": "memorised", "D": "few classes"}
OBSTACLES = {"A": "nothing", "B": "resolution", "C": "labels", "D": "split", "E": "code"}


def divergences(p, epsilon=EPSILON):
    return (p * ((p + epsilon).log() - (p.mean(0) + epsilon).log())).sum(1)


def score(p):
    return divergences(p).mean().exp()


def entropy(q):
    return torch.special.entr(q).sum(-1)


def score_of_entropies(p):
    return (entropy(p.double().mean(0)) - entropy(p.double()).mean()).exp().item()


def score_by_loops(probabilities):
    rows = probabilities.numpy()
    mean, total = rows.mean(0), 0.0
    for row in rows:
        total += sum(p * (np.log(p + EPSILON) - np.log(q + EPSILON)) for p, q in zip(row, mean, strict=True))
    return np.exp(total / len(rows))


def overlap(c1, c2):
    return torch.linalg.eigvals(c1 @ c2).real.clamp(min=0).sqrt().sum()


def distance(m1, c1, m2, c2):
    return (m1 - m2).square().sum() + c1.trace() + c2.trace() - 2 * overlap(c1, c2)


def root(c):
    values, vectors = torch.linalg.eigh(c)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T


def distance_of_roots(m1, c1, m2, c2):
    return float((m1 - m2) @ (m1 - m2) + torch.trace(c1 + c2 - 2 * root(root(c1) @ c2 @ root(c1))))


def distance_of_arrays(m1, c1, m2, c2):
    m1, c1, m2, c2 = (value.numpy() for value in (m1, c1, m2, c2))
    roots = np.sqrt(np.clip(np.linalg.eigvals(c1 @ c2).real, 0, None))
    return np.sum((m1 - m2) ** 2) + np.trace(c1) + np.trace(c2) - 2 * roots.sum()


def with_overlap(term):
    """A wrong answer: another last term."""
    return lambda m1, c1, m2, c2: (m1 - m2).square().sum() + c1.trace() + c2.trace() - 2 * term(c1, c2)


STUBS = {
    "04.1": lambda probabilities: None,
    "04.2": lambda mean1, covariance1, mean2, covariance2: None,
    "04.3": dict.fromkeys("ABCD", ...),
    "04.4": OBSTACLES | {"E": ...},
}
RIGHT = {
    "04.1": (score, score_of_entropies, inception_score, score_by_loops),
    "04.2": (
        distance,
        distance_of_roots,
        distance_of_arrays,
        lambda m1, c1, m2, c2: frechet_distance(GaussianStatistics(9999, m1, c1), GaussianStatistics(9999, m2, c2)),
    ),
    "04.3": (FAILURES, dict(reversed(FAILURES.items())), FAILURES | {"E": "none of ours"}),
    "04.4": (OBSTACLES, dict(reversed(OBSTACLES.items())), OBSTACLES | {"F": "none of ours"}),
}
WRONG = {
    "04.1": (
        (lambda p: divergences(p).mean(), "its exponential is asked for"),
        (lambda p: divergences(p).exp().mean(), "mean of exponentials"),
        (lambda p: divergences(p).sum().exp(), "take their mean"),
        (lambda p: (-divergences(p).mean()).exp(), "wrong sign"),
        (
            lambda p: (p.mean(0) * ((p.mean(0) + EPSILON).log() - (p + EPSILON).log())).sum(1).mean().exp(),
            "weigh them with the row p",
        ),
        (lambda p: (entropy(p.mean(0))).exp(), "variety of the mean alone"),
        (lambda p: entropy(p).mean().exp(), "doubt of single rows alone"),
        (lambda p: (np.log(p.shape[1]) - entropy(p).mean()).exp(), "compare with the mean of the rows"),
        (lambda p: divergences(p, 0).mean().exp(), "0 · log 0"),
        (lambda p: 2 ** divergences(p).mean(), "power of two"),
        (lambda p: (divergences(p).mean() / p.shape[1]).exp(), "mean over classes"),
        (lambda p: divergences(p), "should be one number"),
        (lambda p: p.max(1).values.mean(), "how certain the answers are"),
        (lambda p: p.sum() * 0 + 3, None),
    ),
    "04.2": (
        (lambda m1, c1, m2, c2: distance(m1, c1, m2, c2).clamp(min=0).sqrt(), "the usual Fréchet distance is"),
        (lambda m1, c1, m2, c2: distance(m1, c1, m1, c2), "leaves out the means"),
        (lambda m1, c1, m2, c2: distance(m1, c1, m1, c2) + (m1 - m2).norm(), "distance of the means: square it"),
        (lambda m1, c1, m2, c2: distance(m1, c1, m1, c2) + (m1 - m2).square().mean(), "mean over coordinates"),
        (lambda m1, c1, m2, c2: (m1 - m2).square().sum(), "means alone"),
        (with_overlap(lambda c1, c2: 0), "leaves out the last term"),
        (with_overlap(lambda c1, c2: overlap(c1, c2) / 2), "counts twice"),
        (with_overlap(lambda c1, c2: -overlap(c1, c2)), "it comes off"),
        (with_overlap(lambda c1, c2: (c1 @ c2).trace()), "lacks the root"),
        (with_overlap(lambda c1, c2: (c1 @ c2).clamp(min=0).sqrt().trace()), "of the eigenvalues"),
        (with_overlap(lambda c1, c2: (c1 @ c2).trace().sqrt()), "the trace of the root"),
        (lambda m1, c1, m2, c2: (m1 - m2).square().sum() + (c1 - c2).square().sum(), "entry by entry"),
        (lambda m1, c1, m2, c2: distance(m1, c1, m2, c2) * torch.nan, "clamp(min=0)"),
        (with_overlap(lambda c1, c2: torch.linalg.eigvals(c1 @ c2).sqrt().sum()), "complex"),
        (lambda m1, c1, m2, c2: c1 + c2, "should be one number"),
        (lambda m1, c1, m2, c2: distance(m1, c1, m2, c2) + 1, None),
    ),
    "04.3": (
        ("blurred", "should be a dictionary"),
        (list(FAILURES.values()), "should be a dictionary"),
        (FAILURES | {"A": "white noise"}, "should be one of"),
        (FAILURES | {"A": "few classes"}, "3 of 4 are right; A is not 'few classes': its inception score is as high"),
        (FAILURES | {"A": "nothing"}, "hardly anything real has it for a neighbour"),
        (FAILURES | {"B": "nothing"}, "B is not 'nothing': hardly any of its clips have a real one"),
        (FAILURES | {"C": "nothing"}, "C is not 'nothing': it is nearer to the training clips"),
        (FAILURES | {"C": "blurred"}, "nearer to the training clips"),
        (FAILURES | {"D": "few clips"}, "look again at what the inception score counts"),
        ({"A": "few classes", "B": "blurred", "C": "memorised", "D": "few clips"}, "2 of 4 are right"),
    ),
    "04.4": (
        ([], "should be a dictionary"),
        (OBSTACLES | {"A": "luck"}, "A is 'luck', and should be one of 'nothing', 'labels'"),
        (OBSTACLES | {"A": "code"}, "4 of 5 are right; A is not 'code': both are of one paper"),
        (OBSTACLES | {"A": "number of clips"}, "whose note says how many samples"),
        (OBSTACLES | {"B": "number of clips"}, "Table 7"),
        (OBSTACLES | {"C": "nothing"}, "told what to draw"),
        (OBSTACLES | {"C": "resolution"}, "told what to draw"),
        (OBSTACLES | {"D": "nothing", "E": "labels"}, "3 of 5 are right; D is not 'nothing': the same network"),
        (OBSTACLES | {"D": "code"}, "another set of real ones"),
        (OBSTACLES | {"E": "resolution"}, "differ by thousands"),
    ),
}
