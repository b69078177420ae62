"""Checks of 04, measuring video GANs."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d, pad

from ldvd_lib.classroom.exercises import attempt, exercise, expect, expect_close
from ldvd_lib.classroom.exercises.registry import NotYet
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
        (torch.tensor([0.7, 0.2, 0.1]).expand(20, 3), "20 equal rows"),
        (torch.eye(4).repeat(5, 1), "certain answers, four classes equally often"),
        (torch.eye(4)[torch.tensor([0, 0, 0, 1])], "certain answers, three for one class and one for another"),
    ):
        expected = inception_score(probabilities)
        got = _number(attempt(score, probabilities), f"the score of {what}")
        expect(
            got.isfinite(),
            f"the score of {what} is {got.item()}: 0 · log 0 counts as 0; add 1e-7 inside both logarithms",
        )
        _compare_score(got, expected, probabilities.double(), what)
    return "Between 1 and the number of classes: the number of classes that are met, if every answer is certain."


def _compare_score(got: Tensor, expected: float, p: Tensor, what: str) -> None:
    tolerance = 1e-3 * expected
    if abs(got.item() - expected) <= tolerance:
        return
    q = p.mean(0)
    divergences = (p * ((p + 1e-7).log() - (q + 1e-7).log())).sum(1)
    for wrong, message in (
        (divergences.mean(), "is the mean divergence, and its exponential is asked for"),
        (divergences.exp().mean(), "is a mean of exponentials: first the mean over the samples, then the exponential"),
        (divergences.sum().exp(), "adds the divergences of all samples up: take their mean"),
        ((-divergences.mean()).exp(), "has the wrong sign: log p − log q, with q the mean of the rows"),
        ((q * ((q + 1e-7).log() - (p + 1e-7).log())).sum(1).mean().exp(), "weighs the logarithms with the mean q: "
         "weigh them with the row p"),
    ):  # fmt: skip
        if abs(got.item() - wrong.item()) <= 1e-3 * abs(wrong.item()):
            raise NotYet(f"what you return for {what} {message}")
    expect_close(got, expected, f"the score of {what}", tolerance=tolerance)


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
        ((0 * shift, 4 * eye), (shift, eye), "two round Gaussians of widths 2 and 1, 5 apart,"),
        (_gaussian(4), _gaussian(4), "two random Gaussians in four dimensions"),
        ((shift, ray), (0 * shift, ray), "two Gaussians that are flat (their covariance has rank 1)"),
        ((shift, eye), (shift, eye), "a Gaussian and itself"),
    ):
        got = _number(attempt(distance, *first, *second), f"the distance between {what}")
        expect(
            got.isfinite(),
            f"the distance between {what} is {got.item()}: rounding makes an eigenvalue of 0 a little negative, and "
            "that has no real root; clamp(min=0) first",
        )
        expected = frechet_distance(GaussianStatistics(10_000, *first), GaussianStatistics(10_000, *second))
        _compare_distance(got, expected, *first, *second, what)
    return "Without the means it is a distance between shapes; for two widths in one dimension, (σ₁ − σ₂)²."


def _gaussian(width: int) -> tuple[Tensor, Tensor]:
    factor = torch.randn(width, width, dtype=torch.float64)
    return torch.randn(width, dtype=torch.float64), factor @ factor.T


def _compare_distance(got: Tensor, expected: float, m1: Tensor, c1: Tensor, m2: Tensor, c2: Tensor, what: str) -> None:
    if abs(got.item() - expected) <= 1e-4:
        return
    means, traces = (m1 - m2).square().sum(), c1.trace() + c2.trace()
    overlap = (traces - (expected - means)) / 2
    for wrong, message in (
        (torch.tensor(expected).sqrt(), "is its root: the usual Fréchet distance is squared, and is left so"),
        (means.sqrt() + traces - 2 * overlap, "takes the distance of the means: square it"),
        (traces - 2 * overlap, "leaves out the means"),
        (means + traces - overlap, "takes the last term once: it counts twice"),
        (means + traces - 2 * (c1 @ c2).clamp(min=0).sqrt().trace(), "takes the root of each entry of C₁C₂: take it "
         "of the eigenvalues"),
        (means + traces - 2 * (c1 @ c2).trace(), "lacks the root in the last term"),
        (means + (c1 - c2).square().sum(), "compares the covariances entry by entry"),
    ):  # fmt: skip
        if abs(got.item() - wrong.item()) <= 1e-4:
            raise NotYet(f"what you return for {what} {message}")
    expect_close(got, expected, f"the distance between {what}", tolerance=1e-4)


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
    _check_choices(answer, _ANSWERS, FAILURES, _CLUES)
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
    _check_choices(answer, _OBSTACLES_BY_PAIR, OBSTACLES, _PAIR_CLUES)
    return "Each list can be read from top to bottom; across lists, only what one protocol measured."


def _check_choices(answer: Any, right: dict[str, str], choices: tuple[str, ...], clues: dict[str, str]) -> None:
    """Compare a dictionary of choices with the right ones; of several wrong ones, the first gets its clue."""
    expect(isinstance(answer, dict), f"the answer should be a dictionary, and is a {type(answer).__name__}")
    words = [answer.get(letter, ...) for letter in right]
    if any(word is None or word is ... for word in words):
        attempt(lambda: None)  # not attempted yet
    for letter, word in zip(right, words, strict=True):
        expect(word in choices, f"{letter} is {word!r}, and should be one of {', '.join(map(repr, choices))}")
    wrong = [letter for letter, word in zip(right, words, strict=True) if word != right[letter]]
    if wrong:
        letter = wrong[0]
        done = len(right) - len(wrong)
        raise NotYet(f"{done} of {len(right)} are right; {letter} is not {answer[letter]!r}: {clues[letter]}")


def _number(got: Any, what: str) -> Tensor:
    """A learner's scalar, in float64."""
    expect(
        isinstance(got, (int, float)) or (hasattr(got, "shape") and tuple(got.shape) == ()),
        f"{what} should be one number, and is "
        + (f"of shape {tuple(got.shape)}" if hasattr(got, "shape") else f"a {type(got).__name__}"),
    )
    got = torch.as_tensor(got).detach().cpu()
    expect(not got.is_complex(), f"{what} is complex: eigenvalues of C₁C₂ are real, so take their .real")
    return got.double()
