"""The checks of 04 pass right answers, however they are written, and say what is wrong with the others."""

import numpy as np
import pytest
import torch

from ldvd_lib.classroom import check
from ldvd_lib.classroom.exercises.notebook_04 import mystery
from ldvd_lib.data import ClipStore
from ldvd_lib.metrics import inception_score

EPSILON = 1e-7
RIGHT = {"A": "few clips", "B": "blurred", "C": "memorised", "D": "few classes"}
OBSTACLES = {"A": "nothing", "B": "resolution", "C": "labels", "D": "split", "E": "code"}


def divergences(p, epsilon=EPSILON):
    return (p * ((p + epsilon).log() - (p.mean(0) + epsilon).log())).sum(1)


def score(p):
    return divergences(p).mean().exp()


def score_of_entropies(p):
    def entropy(q):
        return torch.special.entr(q).sum(-1)

    return (entropy(p.double().mean(0)) - entropy(p.double()).mean()).exp().item()


def overlap(c1, c2):
    return torch.linalg.eigvals(c1 @ c2).real.clamp(min=0).sqrt().sum()


def distance(m1, c1, m2, c2):
    return (m1 - m2).square().sum() + c1.trace() + c2.trace() - 2 * overlap(c1, c2)


def distance_of_roots(m1, c1, m2, c2):
    def root(c):
        values, vectors = torch.linalg.eigh(c)
        return vectors * values.clamp(min=0).sqrt() @ vectors.T

    return float((m1 - m2) @ (m1 - m2) + torch.trace(c1 + c2 - 2 * root(root(c1) @ c2 @ root(c1))))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("04.1", score),
        ("04.1", score_of_entropies),
        ("04.1", inception_score),
        ("04.2", distance),
        ("04.2", distance_of_roots),
        ("04.3", RIGHT),
        ("04.4", OBSTACLES),
    ],
)
def test_right_answers_pass(name, answer):
    assert check(name, answer).passed, check(name, answer)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("04.1", lambda probabilities: None),
        ("04.2", lambda mean1, covariance1, mean2, covariance2: None),
        ("04.3", dict.fromkeys("ABCD", ...)),
        ("04.4", dict.fromkeys("ABCDE", ...)),
        ("04.4", OBSTACLES | {"E": ...}),
    ],
)
def test_the_stubs_are_not_attempted_yet(name, answer):
    assert check(name, answer).status == "not attempted yet"


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("04.1", lambda p: divergences(p).mean(), "its exponential is asked for"),
        ("04.1", lambda p: divergences(p).exp().mean(), "mean of exponentials"),
        ("04.1", lambda p: divergences(p).sum().exp(), "take their mean"),
        ("04.1", lambda p: (-divergences(p).mean()).exp(), "wrong sign"),
        (
            "04.1",
            lambda p: (p.mean(0) * ((p.mean(0) + EPSILON).log() - (p + EPSILON).log())).sum(1).mean().exp(),
            "weigh them with the row p",
        ),
        ("04.1", lambda p: divergences(p, 0).mean().exp(), "0 · log 0"),
        ("04.1", lambda p: divergences(p), "should be one number"),
        ("04.1", lambda p: p.sum() * 0 + 3, "should be"),
        ("04.2", lambda m1, c1, m2, c2: distance(m1, c1, m2, c2).clamp(min=0).sqrt(), "the usual Fréchet distance is"),
        ("04.2", lambda m1, c1, m2, c2: distance(m1, c1, m1, c2), "leaves out the means"),
        (
            "04.2",
            lambda m1, c1, m2, c2: distance(m1, c1, m1, c2) + (m1 - m2).norm(),
            "takes the distance of the means: square it",
        ),
        ("04.2", lambda m1, c1, m2, c2: distance(m1, c1, m2, c2) + overlap(c1, c2), "counts twice"),
        (
            "04.2",
            lambda m1, c1, m2, c2: distance(m1, c1, m2, c2) + 2 * overlap(c1, c2) - 2 * (c1 @ c2).trace(),
            "lacks the root",
        ),
        (
            "04.2",
            lambda m1, c1, m2, c2: (m1 - m2).square().sum() + (c1 - c2).square().sum(),
            "entry by entry",
        ),
        ("04.2", lambda m1, c1, m2, c2: distance(m1, c1, m2, c2) * torch.nan, "clamp(min=0)"),
        ("04.2", lambda m1, c1, m2, c2: torch.linalg.eigvals(c1 @ c2).sum(), "complex"),
        ("04.2", lambda m1, c1, m2, c2: c1 + c2, "should be one number"),
        ("04.3", "blurred", "should be a dictionary"),
        ("04.3", RIGHT | {"A": "white noise"}, "should be one of"),
        ("04.3", RIGHT | {"A": "few classes"}, "3 of 4 are right; A is not 'few classes'"),
        ("04.3", RIGHT | {"B": "nothing"}, "B is not 'nothing'"),
        ("04.3", RIGHT | {"C": "nothing"}, "C is not 'nothing'"),
        ("04.3", RIGHT | {"D": "few clips"}, "D is not 'few clips'"),
        ("04.4", [], "should be a dictionary"),
        ("04.4", OBSTACLES | {"A": "luck"}, "A is 'luck', and should be one of 'nothing', 'labels'"),
        ("04.4", OBSTACLES | {"A": "code"}, "4 of 5 are right; A is not 'code': both are of one paper"),
        ("04.4", OBSTACLES | {"B": "number of clips"}, "Table 7"),
        ("04.4", OBSTACLES | {"C": "nothing"}, "told what to draw"),
        ("04.4", OBSTACLES | {"D": "nothing", "E": "labels"}, "3 of 5 are right; D is not 'nothing'"),
        ("04.4", OBSTACLES | {"E": "resolution"}, "differ by thousands"),
    ],
)
def test_wrong_answers_are_told_what_is_wrong(name, answer, message):
    result = check(name, answer)
    assert result.status == "not yet"
    assert message in result.message, result.message


def test_each_mystery_set_fails_as_its_answer_says():
    noise = np.random.default_rng(0).integers(0, 256, (10, 18, 8, 8, 3), dtype=np.uint8)
    train = ClipStore.from_clips(noise[:4])
    test = ClipStore.from_clips(noise[4:], labels=[0, 1, 2, 3, 4, 4], class_names="abcde")
    sets = mystery(train, test, count=32)
    assert {letter: tuple(videos.shape) for letter, videos in sets.items()} == dict.fromkeys("ABCD", (32, 3, 16, 8, 8))
    assert len(sets["A"].unique(dim=0)) <= 5, "few clips: one of each class"
    assert sets["B"].std() < 0.5 * sets["C"].std(), "blurred"
    pixels = {tuple(frame.flatten().tolist()) for frame in sets["C"].mul(127.5).add(127.5).round().int()[:, :, 0]}
    frames = {tuple(frame.flatten().tolist()) for clip in noise[:4] for frame in clip.transpose(0, 3, 1, 2)}
    assert pixels <= frames, "memorised: all of it is in the training clips"
    assert not torch.equal(sets["D"], sets["A"])
