"""Diagnoses name the kind of a mistake, whatever the right values are, and give none of these away."""

import re

import pytest
import torch

from ldvd_lib.classroom.exercises.diagnoses import diagnose, diagnose_shape

SEEDS = range(5)


def _right(*shape: int, seed: int = 0) -> torch.Tensor:
    """Values that are no accident of anything: about 2 to 5, and of either sign."""
    random = torch.Generator().manual_seed(seed)
    values = 2 + 3 * torch.rand(shape, generator=random, dtype=torch.float64)
    return values * torch.where(torch.rand(shape, generator=random) < 0.5, -1, 1)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("mistake", "phrase"),
    [
        (lambda x: x.float().double(), "right but for rounding"),
        (lambda x: -x, "wrong sign"),
        (lambda x: x.abs(), "signs are lost"),
        (lambda x: x + 0.7, "up to a constant"),
        (lambda x: 100 * x, "percentages"),
        (lambda x: 3 * x, "3 times too large"),
        (lambda x: x / 12, "12 times too small"),
        (lambda x: 1.37 * x, "up to a factor"),
        (lambda x: 1 / x, "reciprocal"),
        (lambda x: x**2, "squared"),
        (lambda x: x.exp(), "exponential"),
        (lambda x: x.floor(), "rounded down"),
        (lambda x: 1 - x, "one minus"),
        (lambda x: x.flip(2), "backwards along axis 2 (time)"),
        (lambda x: x.flip(4), "backwards along axis 4 (column)"),
        (lambda x: x.roll(1, 2), "axis 2 (time) everything is one place too late"),
        (lambda x: x.roll(-1, 3), "one place too early"),
        (lambda x: x.transpose(3, 4), "axes 3 and 4 are swapped"),
        (lambda x: x.transpose(1, 2).reshape(x.shape), "axes 1 and 2 are mixed up by a reshape"),
        (lambda x: x.unflatten(0, (2, 3)).transpose(0, 1).flatten(0, 1), "axis 0 counts were mixed up"),
        (lambda x: x[torch.tensor([1, 0, 3, 2, 5, 4])], "in other places"),
        (lambda x: 0 * x, "all of it is zero"),
        (lambda x: 0 * x + 7, "the same value everywhere"),
        (lambda x: torch.cat([x[:, :1] * 0, x[:, 1:]], dim=1), "only the ends of axis 1 are wrong"),
    ],
)
def test_a_mistake_in_a_tensor_is_named(mistake, phrase, seed):
    right = _right(6, 3, 4, 5, 5, seed=seed)
    assert phrase in diagnose(mistake(right), right, tolerance=1e-9)


@pytest.mark.parametrize(
    ("mistake", "phrase"),
    [
        (lambda x: -x, "wrong sign"),
        (lambda x: x + 1, "one too many"),
        (lambda x: x - 1, "one too few"),
        (lambda x: x + 0.4, "round it"),
        (lambda x: 100 * x, "a share is asked for"),
        (lambda x: 7 * x, "7 times too large"),
        (lambda x: x / 5, "5 times too small"),
        (lambda x: x**2, "13 times too large"),
        (lambda x: 1 / x, "reciprocal"),
        (lambda x: 1 - x, "one minus"),
        (lambda x: x + 5, "it is too large"),
        (lambda x: x / 77.7, "it is much too small"),
    ],
)
def test_a_mistake_in_a_number_is_named(mistake, phrase):
    right = torch.tensor(13.0, dtype=torch.float64)
    assert phrase in diagnose(mistake(right), right, counts=True)


def test_large_counts_are_told_apart_to_the_last():
    right = torch.tensor(11_032_320.0, dtype=torch.float64)
    assert "one too many" in diagnose(right + 1, right, counts=True)
    assert diagnose(right + 3, right, counts=True) == "it is too large"


@pytest.mark.parametrize("seed", SEEDS)
def test_of_the_right_values_none_is_told(seed):
    right = _right(4, 5, seed=seed)
    random = torch.Generator().manual_seed(seed)
    for mistake in (right + torch.rand(4, 5, generator=random), right.T.reshape(4, 5), right * 3, right.square()):
        told = {float(number) for number in re.findall(r"\d+\.\d+", diagnose(mistake, right) or "")}
        assert not told & {round(value, digits) for value in right.flatten().tolist() for digits in (1, 2, 3)}


def test_an_accident_without_a_kind_is_not_given_one():
    right = _right(4, 5)
    assert diagnose(right + torch.rand(4, 5, generator=torch.Generator().manual_seed(1)), right) is None


@pytest.mark.parametrize(
    ("got", "expected", "phrase"),
    [
        ((3, 2), (2, 3), "in another order"),
        ((2, 1, 3), (2, 3), "an axis of length 1 is too many"),
        ((3,), (3, 1), "an axis of length 1 is missing"),
        ((6,), (2, 3), "folded into other axes"),
        ((5,), (), "one number is asked for"),
        ((2, 3, 4), (2, 3), "more axes"),
        ((2,), (2, 3), "fewer axes"),
        ((2, 4), (2, 3), "axis 1 is one place too long"),
        ((1, 3), (2, 3), "axis 0 is one place too short"),
        ((2, 9), (2, 3), "axis 1 is too long"),
    ],
)
def test_a_wrong_shape_is_named(got, expected, phrase):
    assert phrase in diagnose_shape(got, expected)


def test_a_shape_that_is_wrong_all_over_is_given_no_name():
    assert diagnose_shape((4, 5), (2, 3)) is None
