"""Checks of 04, measuring video GANs."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d, pad

from ldvd_lib.classroom.exercises import attempt, exercise, expect, expect_choices, expect_close, expect_number
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.metrics import GaussianStatistics, frechet_distance, inception_score

FAILURES = ("nothing", "memorised", "few clips", "few classes", "blurred")
_ANSWERS = {"A": "few clips", "B": "blurred", "C": "memorised", "D": "few classes"}
_CLUES = {
    "A": "its inception score is as high as real clips', and hardly anything real has it for a neighbour",
    "B": "hardly any of its clips have a real one for a neighbour, which is what precision counts",
    "C": "it is nearer to the training clips than other real clips of the same kind are",
    "D": "its clips look real one by one; look again at what the inception score counts",
}

OBSTACLES = ("nothing", "labels", "split", "resolution", "code", "number of clips")
_OBSTACLES_BY_PAIR = {"A": "nothing", "B": "resolution", "C": "labels", "D": "split", "E": "code"}
_PAIR_CLUES = {
    "A": "both are of one paper, whose note says how many samples and which judge",
    "B": "look at what Table 7 says of the data's own score",
    "C": "one of the two is told what to draw",
    "D": "the same network, the same size of clips, and another set of real ones",
    "E": "the two papers' FIDs of much the same kind of model differ by thousands",
}


def mystery(train: ClipStore, test: ClipStore, *, count: int = 256, seed: int = 7) -> dict[str, Tensor]:
    """Four sets of videos for exercise 04.3, each with one of `FAILURES`; look at them only after you have answered.

    Args:
        train, test: the stores of the built-in data.
        count: videos in a set.
        seed: of the windows.

    Returns:
        "A" to "D" → ``(count, 3, 16, H, W)`` in [-1, 1].
    """
    sampler = WindowSampler(test, batch_size=count, seed=seed)
    windows = sampler.draw()
    videos, labels = sampler.gather(windows), torch.from_numpy(test.labels[windows.clips])
    first_of_each_class = torch.stack([(labels == label).nonzero()[0, 0] for label in labels.unique()])
    sets = {
        "memorised": WindowSampler(train, batch_size=count, seed=seed).next_batch().video,
        "few clips": _repeated(videos, first_of_each_class),
        "few classes": _repeated(videos, (labels < 3).nonzero()[:, 0]),
        "blurred": avg_pool3d(pad(videos, (1, 1, 1, 1, 0, 0), mode="replicate"), (1, 3, 3), stride=1),
    }
    return {letter: sets[failure] for letter, failure in _ANSWERS.items()}


def _repeated(videos: Tensor, indices: Tensor) -> Tensor:
    """The videos of these indices over and over, until there are as many as before."""
    return videos[indices[torch.arange(len(videos)) % len(indices)]]


@exercise(
    "04.1",
    title="The inception score",
    hints=(
        "First the mean of all rows: how often each class is met. Then compare each row with it.",
        "The divergence of row p from the mean q is the sum of p · (log p − log q) over the classes; a p of 0 needs "
        "care, since its logarithm is −∞.",
        "marginal = probabilities.mean(0); divergence = (probabilities * ((probabilities + 1e-7).log() - "
        "(marginal + 1e-7).log())).sum(1); return divergence.mean().exp().",
    ),
)
def the_inception_score(score):
    soft = (3 * torch.randn(50, 6)).softmax(1)
    for probabilities, what in (
        (soft, "50 rows over 6 classes"),
        ((torch.randn(7, 12)).softmax(1), "7 rows over 12 classes"),
        (torch.tensor([0.7, 0.2, 0.1]).repeat(20, 1), "20 equal rows"),
        (torch.eye(4).repeat(5, 1), "certain answers, four classes equally often"),
        (torch.eye(4)[torch.tensor([0, 0, 0, 1])], "certain answers, three for one class and one for another"),
    ):
        expected = inception_score(probabilities)
        got = expect_number(attempt(score, probabilities), f"the score of {what}")
        expect(
            got == got and abs(got) != float("inf"),
            f"the score of {what} is {got}: 0 · log 0 counts as 0; add 1e-7 inside both logarithms",
        )
        expect_close(
            torch.tensor(got, dtype=torch.float64),
            expected,
            f"the score of {what}",
            tolerance=1e-3 * expected,
            mistakes=_wrong_scores(probabilities.double()),
        )
    return "Between 1 and the number of classes: the number of classes that are met, if every answer is certain."


def _wrong_scores(p: Tensor) -> list[tuple[Tensor, str]]:
    q = p.mean(0)
    log_p, log_q = (p + 1e-7).log(), (q + 1e-7).log()
    divergences = (p * (log_p - log_q)).sum(1)
    uniform = torch.full_like(q, 1 / len(q))
    return [
        (divergences.mean(), "this is the mean divergence, and its exponential is asked for"),
        (
            divergences.exp().mean(),
            "this is a mean of exponentials: first the mean over the samples, then the exponential",
        ),
        (divergences.sum().exp(), "this adds the divergences of all samples up: take their mean"),
        ((p * (log_p - log_q)).mean().exp(), "this takes the mean over classes, too: a divergence is their sum"),
        ((-divergences.mean()).exp(), "this has the wrong sign: log p − log q, with q the mean of the rows"),
        (
            (q * (log_q - log_p)).sum(1).mean().exp(),
            "this weighs the logarithms with the mean q: weigh them with the row p",
        ),
        (
            (p * (log_p - uniform.log())).sum(1).mean().exp(),
            "this compares with classes that are all as frequent: compare with the mean of the rows",
        ),
        ((p * log_p).sum(1).mean().exp(), "this leaves out log q: certain answers are not enough, they have to vary"),
        (
            (-(p * log_p).sum(1).mean()).exp(),
            "this is the doubt of single rows alone: certain answers are not enough, they have to vary",
        ),
        ((-(q * log_q).sum()).exp(), "this is the variety of the mean alone: the doubt of single rows has to come off"),
        (2 ** divergences.mean(), "this is a power of two: the logarithms are natural ones, so the power is one of e"),
        ((divergences.mean() / torch.log(torch.tensor(2.0))).exp(), "the logarithms are to base 2: take natural ones"),
        (p.max(1).values.mean(), "this is how certain the answers are: how they vary is what is missing"),
    ]


@exercise(
    "04.2",
    title="From Gaussian to Gaussian",
    hints=(
        "Two parts: how far the means are apart, squared, and how much the covariances differ.",
        "The trace of a matrix root is the sum of the roots of the eigenvalues; those of C₁C₂ are real and not "
        "negative, up to rounding.",
        "roots = torch.linalg.eigvals(c1 @ c2).real.clamp(min=0).sqrt().sum(); return (m1 - m2).square().sum() + "
        "c1.trace() + c2.trace() - 2 * roots.",
    ),
)
def from_gaussian_to_gaussian(distance):
    eye = torch.eye(3, dtype=torch.float64)
    shift = torch.tensor([3.0, 4.0, 0.0], dtype=torch.float64)
    ray = torch.ones(3, 3, dtype=torch.float64)
    for first, second, what in (
        (_gaussian(4), _gaussian(4), "two random Gaussians in four dimensions"),
        ((0 * shift, 4 * eye), (shift, eye), "two round Gaussians of widths 2 and 1, 5 apart,"),
        ((shift, ray), (0 * shift, ray), "two Gaussians that are flat (their covariance has rank 1)"),
        ((shift, eye), (shift, eye), "a Gaussian and itself"),
    ):
        got = expect_number(attempt(distance, *first, *second), f"the distance between {what}")
        expect(
            got == got and abs(got) != float("inf"),
            f"the distance between {what} is {got}: rounding makes an eigenvalue of 0 a little negative, and "
            "that has no real root; clamp(min=0) first",
        )
        expected = frechet_distance(GaussianStatistics(10_000, *first), GaussianStatistics(10_000, *second))
        expect_close(
            torch.tensor(got, dtype=torch.float64),
            expected,
            f"the distance between {what}",
            tolerance=1e-4,
            mistakes=_wrong_distances(expected, *first, *second),
        )
    return "Without the means it is a distance between shapes; for two widths in one dimension, (σ₁ − σ₂)²."


def _gaussian(width: int) -> tuple[Tensor, Tensor]:
    factor = torch.randn(width, width, dtype=torch.float64)
    return torch.randn(width, dtype=torch.float64), factor @ factor.T


def _wrong_distances(expected: float, m1: Tensor, c1: Tensor, m2: Tensor, c2: Tensor) -> list[tuple[Tensor, str]]:
    means, traces = (m1 - m2).square().sum(), c1.trace() + c2.trace()
    overlap = (traces - (expected - means)) / 2
    roots = [torch.linalg.eigvalsh(c).clamp(min=0).sqrt().sum() for c in (c1, c2)]
    return [
        (torch.tensor(expected).sqrt(), "this is its root: the usual Fréchet distance is squared, and is left so"),
        (means.sqrt() + traces - 2 * overlap, "this takes the distance of the means: square it"),
        (
            (m1 - m2).square().mean() + traces - 2 * overlap,
            "this takes the mean over coordinates: a squared distance is their sum",
        ),
        (traces - 2 * overlap, "this leaves out the means"),
        (means, "these are the means alone: the covariances count, too"),
        (means + traces, "this leaves out the last term, with the root"),
        (means + traces - overlap, "this takes the last term once: it counts twice"),
        (means + traces + 2 * overlap, "this adds the last term: it comes off"),
        (
            means + traces - 2 * (c1 @ c2).clamp(min=0).sqrt().trace(),
            "this takes the root of each entry of C₁C₂: take it of the eigenvalues",
        ),
        (means + traces - 2 * (c1 @ c2).trace(), "this lacks the root in the last term"),
        (means + traces - 2 * (c1 @ c2).trace().sqrt(), "this takes the root of the trace: take the trace of the root"),
        (
            means + traces - 2 * roots[0] * roots[1],
            "this takes the roots of both one by one: take that of the product C₁C₂",
        ),
        (means + (c1 - c2).square().sum(), "this compares the covariances entry by entry"),
    ]


@exercise(
    "04.3",
    title="Which failure is it?",
    hints=(
        "Precision asks whether clips look real, recall and coverage whether all that is real is there.",
        "Against the line of held-out clips: which set is too good? Which has low precision? Two are left, and the "
        "inception score tells how many classes each of them has.",
        "The set with the lowest FID is memorised, the one with low precision is blurred. Of the other two, a score "
        "near 3 means few classes, and one near 12 means few clips.",
    ),
)
def which_failure_is_it(answer):
    expect_choices(answer, _ANSWERS, FAILURES, _CLUES)
    return "No single column would have been enough."


@exercise(
    "04.4",
    title="May they be compared?",
    hints=(
        "Ask each pair the reading guide's questions: whose code, which resolution, which clips, who was told what?",
        "One pair is from one paper, at one resolution, by one judge. In another, one of the two models is asked for a "
        "class each time.",
        "A is one protocol. Of the others, one says 64 and 128 px, one says with labels, one says training split, and "
        "the last are FIDs of two papers, each by its own code.",
    ),
)
def may_they_be_compared(answer):
    expect_choices(answer, _OBSTACLES_BY_PAIR, OBSTACLES, _PAIR_CLUES)
    return "Each list can be read from top to bottom; across lists, only what one protocol measured."
