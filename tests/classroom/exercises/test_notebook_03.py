"""The checks of 03 pass right answers, however they are written, and say what is wrong with the others."""

import pytest
import torch
from torch import nn

from ldvd_lib import lipschitz
from ldvd_lib.classroom import check


def frames_left(kinds, num_frames=16):
    left = []
    for kind in kinds:
        num_frames = num_frames // 2 if kind in ("3d", "2+1d") else num_frames
        left.append(num_frames)
    return left


def critic_loss(real_scores, fake_scores):
    return fake_scores.mean() - real_scores.mean()


def generator_loss(fake_scores):
    return -fake_scores.mean()


def clipped(weight, bound=1.0):
    u, s, vh = torch.linalg.svd(weight.flatten(1), full_matrices=False)
    return ((u * s.clamp(max=bound)) @ vh).view_as(weight)


@torch.no_grad()
def svc_(weight, bound=1.0):
    return weight.copy_(clipped(weight, bound))


@torch.no_grad()
def svc_through_the_library_(weight, bound=1.0):
    return lipschitz.clip_matrix_(weight.div_(bound)).mul_(bound)


def svc_through_data_(weight, bound=1.0):
    weight.data = clipped(weight.data, bound)
    return weight


@torch.no_grad()
def normalize_(weight, bound=1.0):
    return weight.mul_(bound / torch.linalg.matrix_norm(weight.flatten(1), ord=2))


@torch.no_grad()
def shrink_small_values_too_(weight, bound=1.0):
    u, _, vh = torch.linalg.svd(weight.flatten(1), full_matrices=False)
    return weight.copy_(((u * bound) @ vh).view_as(weight))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("03.1", frames_left),
        ("03.1", lambda *arguments: tuple(frames_left(*arguments))),
        ("03.1", lambda *arguments: torch.tensor(frames_left(*arguments))),
        ("03.2", ("2+1d", "2+1d", "2d", "2d")),
        ("03.2", ["3d", "2+1d", "2d", "2d"]),
        ("03.3", (critic_loss, generator_loss)),
        ("03.3", (lambda real, fake: -(real.mean() - fake.mean()), lambda fake: fake.neg().sum() / len(fake))),
        ("03.4", svc_),
        ("03.4", svc_through_the_library_),
        ("03.4", svc_through_data_),
    ],
)
def test_right_answers_pass(name, answer):
    assert check(name, answer).passed, check(name, answer)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("03.1", lambda kinds, num_frames=16: None),
        ("03.2", (..., ..., ..., ...)),
        ("03.3", (lambda real, fake: None, lambda fake: None)),
        ("03.4", lambda weight, bound=1.0: None),
    ],
)
def test_the_stubs_are_not_attempted_yet(name, answer):
    assert check(name, answer).status == "not attempted yet"


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("03.1", lambda kinds, num_frames=16: frames_left(kinds, num_frames)[-1], "should be [8, 4, 2, 1], and is 1"),
        ("03.1", lambda kinds, num_frames=16: [num_frames // 2 ** (i + 1) for i, _ in enumerate(kinds)], "'2d'"),
        (
            "03.1",
            lambda kinds, num_frames=16: [n - 1 for n in frames_left(kinds, num_frames)],
            "should be [8, 4, 2, 1]",
        ),
        ("03.1", lambda kinds, num_frames: frames_left(kinds, num_frames), "missing 1 required"),
        ("03.2", ("3d", "3d", "3d", "3d"), "leaves 1 of 16 time steps"),
        ("03.2", ("3d", "2d", "2d", "2d"), "leaves 8 of 16 time steps"),
        ("03.2", ("2d", "2d", "3d", "3d"), "expensive"),
        ("03.2", ("2+1d", "3d", "2d", "2d"), "expensive"),
        ("03.2", ("2d", "2+1d", "2+1d", "2d"), "expensive"),
        ("03.2", ("2+1d", "2d"), "number of layers should be 4"),
        ("03.2", ("3d", "4d", "2d", "2d"), "one of yours is '4d'"),
        ("03.2", 4, "tuple of four words"),
        (
            "03.3",
            (lambda real, fake: real.mean() - fake.mean(), generator_loss),
            "critic's loss has the wrong sign",
        ),
        ("03.3", (critic_loss, lambda fake: fake.mean()), "generator's loss has the wrong sign"),
        ("03.3", (critic_loss, lambda fake: -fake), "should have shape ()"),
        ("03.3", (critic_loss, lambda fake: -fake.mean().item()), "can be differentiated"),
        ("03.3", (critic_loss, lambda fake: -fake.detach().mean()), "does not depend on the scores"),
        (
            "03.3",
            (
                lambda real, fake: nn.functional.softplus(-real).mean() + nn.functional.softplus(fake).mean(),
                generator_loss,
            ),
            "critic's loss for some scores should be",
        ),
        ("03.3", critic_loss, "and in both functions"),
        ("03.4", clipped, "write into it"),
        ("03.4", lambda weight, bound=1.0: weight.copy_(clipped(weight, bound)), "RuntimeError"),
        ("03.4", lambda weight, bound=1.0: weight, "nothing has been clipped"),
        ("03.4", torch.no_grad()(lambda weight, bound=1.0: weight.clamp_(-bound, bound)), "nothing has been clipped"),
        ("03.4", normalize_, "spectral normalisation"),
        ("03.4", shrink_small_values_too_, "the right shape"),
        ("03.4", torch.no_grad()(lambda weight, bound=1.0: svc_(weight)), "use the bound"),
        ("03.4", lambda weight, bound: svc_(weight, bound), "missing 1 required"),
    ],
)
def test_wrong_answers_are_told_what_is_wrong(name, answer, message):
    result = check(name, answer)
    assert result.status == "not yet"
    assert message in result.message
