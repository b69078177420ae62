"""The checks of 02 pass right answers, however they are written, and say what is wrong with the others."""

import math

import pytest
import torch
from torch import nn

from ldvd_lib.classroom import check, hint

NORMAL = torch.distributions.Normal(0, 1)


def output_length(length, kernel, stride, padding):
    return (length - 1) * stride + kernel - 2 * padding


def measured_length(length, *options):
    return nn.ConvTranspose1d(1, 1, *options)(torch.zeros(1, length)).shape[-1]


PLAN = [(1, 1, 0), (8, 4, 2), (8, 4, 2), (4, 2, 1)]


def join(slow_maps, fast_maps):
    return torch.cat([slow_maps.repeat_interleave(len(fast_maps) // len(slow_maps), dim=0), fast_maps], dim=1)


def join_by_views(slow_maps, fast_maps):
    n, c, h, w = slow_maps.shape
    fast = fast_maps.view(n, -1, c, h, w)
    return torch.cat([slow_maps[:, None].expand_as(fast), fast], dim=2).flatten(0, 1)


def walk(start, end, num_steps):
    x, y = NORMAL.icdf((start + 1) / 2), NORMAL.icdf((end + 1) / 2)
    angles = torch.linspace(0, math.pi / 2, num_steps)[:, None]
    return 2 * NORMAL.cdf(angles.cos() * x + angles.sin() * y) - 1


def straight(start, end, num_steps):
    return torch.stack([torch.lerp(start, end, share) for share in torch.linspace(0, 1, num_steps).tolist()])


def spherical(start, end, num_steps):
    angle = torch.acos((start @ end) / (start.norm() * end.norm()))
    shares = torch.linspace(0, 1, num_steps)[:, None]
    return (((1 - shares) * angle).sin() * start + (shares * angle).sin() * end) / angle.sin()


def through_normals_in_a_sphere(start, end, num_steps):
    path = spherical(NORMAL.icdf((start + 1) / 2), NORMAL.icdf((end + 1) / 2), num_steps)
    return 2 * NORMAL.cdf(path) - 1


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("02.1", (output_length, PLAN)),
        ("02.1", (measured_length, [[1, 1, 0], [4, 2, 1], [8, 4, 2], [8, 4, 2]])),
        ("02.1", (output_length, [(1, 1, 0), (16, 8, 4), (4, 2, 1), (4, 2, 1)])),
        ("02.2", join),
        ("02.2", join_by_views),
        ("02.3", walk),
        ("02.3", lambda *arguments: walk(*arguments).double()),
        ("02.3", through_normals_in_a_sphere),
    ],
)
def test_right_answers_pass(name, answer):
    assert check(name, answer).passed, check(name, answer)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("02.1", (lambda *arguments: None, PLAN)),
        ("02.1", (output_length, [(1, 1, 0), ..., ..., ...])),
        ("02.2", lambda *arguments: None),
        ("02.3", lambda *arguments: ...),
    ],
)
def test_the_stubs_are_not_attempted_yet(name, answer):
    assert check(name, answer).status == "not attempted yet"


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("02.1", (lambda length, *_: 2 * length, PLAN), "at length 1 becomes with kernel 1, stride 1"),
        ("02.1", (lambda n, k, s, p: (n - 1) * s + k - p, PLAN), "at length 4 becomes with kernel 4, stride 2"),
        ("02.1", (output_length, [(1, 1, 0)] + [(4, 2, 1)] * 5), "four layers, the first of them (1, 1, 0), and has 6"),
        ("02.1", (output_length, [(1, 1, 0)] + [(4, 2, 1)] * 3), "goes 1 → 1 → 2 → 4 → 8"),
        ("02.1", (output_length, [(2, 1, 0), *PLAN[1:]]), "should stay (1, 1, 0)"),
        ("02.1", (output_length, [PLAN[0], (10, 4, 3), *PLAN[2:]]), "some places get 3 stamps and others 2"),
        ("02.1", (output_length, [PLAN[0], (4, 4, 0), *PLAN[2:]]), "not every place gets two"),
        ("02.1", (output_length, [PLAN[0], (8, 4, 4), *PLAN[2:]]), "cuts off everything"),
        ("02.2", lambda slow, fast: torch.cat([slow, fast], dim=1), "Sizes of tensors must match"),
        ("02.2", lambda slow, fast: join(slow, fast).roll(2, dims=1), "should come first"),
        ("02.2", lambda slow, fast: join(slow, fast)[None], "should have shape (12, 4, 4, 4)"),
        (
            "02.2",
            lambda slow, fast: torch.cat([slow.repeat(len(fast) // len(slow), 1, 1, 1), fast], dim=1),
            "image 1 is frame 1 of video 0 and should have that video's slow map; yours has that of video 1",
        ),
        ("02.2", lambda slow, fast: join(slow, fast.flip(0)), "in the order they came in"),
        ("02.3", straight, "variance 0.21; a latent that is drawn has 0.33, so this one is too near the middle"),
        ("02.3", spherical, "of the coordinates leave [-1, 1]"),
        ("02.3", lambda *arguments: spherical(*arguments).clamp(-1, 1), "lie within ±0.5"),
        ("02.3", lambda *arguments: walk(*arguments).flip(0), "first latent of the walk"),
        ("02.3", lambda start, end, n: torch.stack([start] * 3 + [end] * 2), "steps should be about equally long"),
        ("02.3", lambda start, end, n: walk(start, end, n + 1), "should have shape (5, 20000)"),
    ],
)
def test_wrong_answers_are_told_what_is_wrong(name, answer, message):
    result = check(name, answer)
    assert result.status == "not yet" and message in result.message, result


@pytest.mark.parametrize("name", ["02.1", "02.2", "02.3"])
def test_there_are_three_hints(name):
    assert len({hint(name, level).message for level in (1, 2, 3)}) == 3
