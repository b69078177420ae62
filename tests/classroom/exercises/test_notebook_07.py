"""The checks of 07 pass right answers, however they are written, and say what is wrong with the others."""

import pytest
import torch

from ldvd_lib.classroom import check
from ldvd_lib.classroom.exercises import find


def products_needed(kernel, tolerance=0.01, *, after=0, root=True):
    squares = torch.linalg.svdvals(kernel.flatten(1)).square()
    for number in range(1, len(squares) + 1):
        left = squares[number + after :].sum() / squares.sum()
        if (left.sqrt() if root else left) <= tolerance:
            return number
    return len(squares)


def by_rebuilding(kernel, tolerance=0.01):
    u, s, vh = torch.linalg.svd(kernel.flatten(1), full_matrices=False)
    for number in range(1, len(s) + 1):
        rebuilt = (u[:, :number] * s[:number]) @ vh[:number]
        if (rebuilt - kernel.flatten(1)).norm() <= tolerance * kernel.norm():
            return torch.tensor(number)
    return None


def factorize(weight, channels, *, balanced=False, padded=False):
    outputs, inputs, t, y, x = weight.shape
    matrix = weight.permute(0, 2, 1, 3, 4).reshape(outputs * t, inputs * y * x)
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    left, right = (u * s.sqrt(), s.sqrt()[:, None] * vh) if balanced else (u * s, vh)
    left, right = left[:, :channels], right[:channels]
    if padded:
        missing = channels - left.shape[1]
        left = torch.cat([left, left.new_zeros(len(left), missing)], dim=1)
        right = torch.cat([right, right.new_zeros(missing, right.shape[1])])
    spatial = right.reshape(-1, inputs, 1, y, x)
    return spatial, left.reshape(outputs, t, -1).transpose(1, 2)[..., None, None]


def in_the_wrong_order(weight, channels):
    spatial, temporal = factorize(weight, channels)
    outputs, between, t, _, _ = temporal.shape
    return spatial, temporal.reshape(outputs, t, between).transpose(1, 2)[..., None, None]


def without_permuting(weight, channels):
    outputs, inputs, t, y, x = weight.shape
    u, s, vh = torch.linalg.svd(weight.reshape(outputs * t, inputs * y * x), full_matrices=False)
    spatial = vh[:channels].reshape(-1, inputs, 1, y, x)
    return spatial, (u * s)[:, :channels].reshape(outputs, t, -1).transpose(1, 2)[..., None, None]


def num_parameters(kinds, base_channels=64, *, head=1, normalisation=2, first=0, temporal=4):
    total, before, after = 0, 3, base_channels
    for number, kind in enumerate(kinds):
        total += (64 if kind == "3d" else 16) * before * after + (temporal * after**2 if kind == "2+1d" else 0)
        total += normalisation * after if number else first * after
        before, after = after, 2 * after
    return total + head * 16 * before


RIGHT = [
    ("07.1", products_needed),
    ("07.1", by_rebuilding),
    ("07.2", factorize),
    ("07.2", lambda *arguments: list(factorize(*arguments, balanced=True))),
    ("07.2", lambda *arguments: factorize(*arguments, padded=True)),
    ("07.3", num_parameters),
    ("07.3", lambda *arguments: torch.tensor(num_parameters(*arguments))),
    ("07.4", ("3d", "2+1d", "shift", "2d")),
    ("07.4", ["3d", "2+1d", "2d", "shift"]),
    ("07.4", ("3d", "2+1d", "shift", "shift")),
]
WRONG = [
    ("07.1", lambda *arguments: products_needed(*arguments, root=False), "without the root"),
    ("07.1", lambda *arguments: products_needed(*arguments, after=1), "what is left after n terms"),
    ("07.1", lambda kernel, tolerance: products_needed(kernel), "should be 3, and is 4"),
    ("07.1", lambda kernel, tolerance: products_needed(kernel, tolerance), "missing 1 required"),
    ("07.1", 4, "function was expected"),
    ("07.2", lambda *arguments: factorize(*arguments)[::-1], "the spatial half comes first"),
    ("07.2", lambda weight, channels: factorize(weight, channels + 1), "at most 8 maps in between"),
    ("07.2", lambda weight, channels: factorize(weight, max(1, channels // 2)), "is possible"),
    ("07.2", in_the_wrong_order, "in the right order?"),
    ("07.2", without_permuting, "in the right order?"),
    ("07.2", lambda weight, channels: [h[..., 0] for h in factorize(weight, channels)], "should have shape"),
    ("07.2", lambda weight, channels: weight, "two tensors were expected"),
    ("07.3", lambda *arguments: num_parameters(*arguments, head=0), "you forgot the head"),
    ("07.3", lambda *arguments: num_parameters(*arguments, normalisation=0), "forgot the batch normalisation"),
    ("07.3", lambda *arguments: num_parameters(*arguments, normalisation=1), "half of the batch normalisation"),
    ("07.3", lambda *arguments: num_parameters(*arguments, first=2), "c0, which has none"),
    ("07.3", lambda *arguments: num_parameters(*arguments, head=0, normalisation=0), "the head and the batch"),
    ("07.3", lambda *arguments: num_parameters(*arguments, temporal=0), "('2+1d', '2+1d', '2d', '2d')"),
    ("07.3", lambda kinds, base_channels: num_parameters(kinds, 64), "16 base channels"),
    ("07.4", ("2+1d", "2+1d", "2d", "2d"), "sees 10 frames"),
    ("07.4", ("2+1d", "2+1d", "shift", "2d"), "multiply-adds should be fewer"),
    ("07.4", ("3d", "3d", "2d", "shift"), "parameters should be at most 2,847,488"),
    ("07.4", ("2+1d", "2d"), "number of layers should be 4"),
    ("07.4", ("3d", "1d", "2d", "2d"), "one of yours is '1d'"),
    ("07.4", 4, "tuple of four words"),
]
STUBS = {
    "07.1": lambda kernel, tolerance=0.01: None,
    "07.2": lambda weight, channels: None,
    "07.3": lambda kinds, base_channels=64: None,
    "07.4": (..., ..., ..., ...),
}


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answers_pass(name, answer):
    result = check(name, answer)
    assert result.passed, result.message


@pytest.mark.parametrize(("name", "answer", "message"), WRONG)
def test_wrong_answers_are_told_what_is_wrong(name, answer, message):
    result = check(name, answer)
    assert result.status == "not yet"
    assert message in result.message


@pytest.mark.parametrize("name", STUBS)
def test_the_stubs_are_not_attempted_yet(name):
    assert check(name, STUBS[name]).status == "not attempted yet"
    assert len(find(name).hints) == 3
