"""Expectations accept what learners mean, and say what kind of mistake they see, never what is right."""

import numpy as np
import pytest
import torch

from ldvd_lib.classroom.exercises import (
    NotAttempted,
    NotYet,
    as_tensor,
    expect_choices,
    expect_close,
    expect_equal,
    expect_number,
    expect_shape,
)


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (3, 3),
        (3.0, 3),
        (np.int64(3), 3),
        (torch.tensor(3), 3),
        (torch.tensor([3]), 3),
        ([1, 2], (1, 2)),
        (torch.Size([1, 2]), (1, 2)),
        (torch.tensor([1, 2]), (1, 2)),
        (np.array([1, 2]), [1, 2]),
        ("2d", "2d"),
    ],
)
def test_plain_values_compare_as_learners_mean_them(got, expected):
    expect_equal(got, expected, "it")


@pytest.mark.parametrize(
    ("got", "expected", "message"),
    [
        (4, 3, "it is not 4: it is one too many"),
        (-3, 3, "the wrong sign"),
        (float("nan"), 3, "no finite number"),
        (torch.ones(2), 3, "it should be one number, and is a tensor of shape (2,)"),
        ("3", 3, "it should be one number, and is '3'"),
        (3 + 0j, 3, "it should be one number"),
        (torch.tensor(3 + 0j), 3, "complex"),
        (3, (3, 4), "it should be a list, and is 3"),
        ([3], (3, 4), "1 entries, which are too few"),
        ([2, 3], (3, 4), "right up to a constant"),
        (["2d"], ("3d",), "it is not ['2d']"),
        ("2d", "3d", "it is not '2d'"),
    ],
)
def test_other_plain_values_are_told_what_they_are(got, expected, message):
    with pytest.raises(NotYet) as told:
        expect_equal(got, expected, "it")
    assert message in str(told.value)


def test_a_mistake_that_has_a_name_is_told_by_it_unless_it_is_right():
    mistakes = ((3, "three"), (4, "four"), (4, "later"))
    expect_equal(3, 3, "it", mistakes=mistakes)
    with pytest.raises(NotYet, match="it is not 4: four"):
        expect_equal(4, 3, "it", mistakes=mistakes)
    with pytest.raises(NotYet, match="it: a row of zeros"):
        expect_close(torch.zeros(3), torch.ones(2), "it", mistakes=((torch.zeros(3), "a row of zeros"),))


def test_where_a_number_is_the_answer_no_factor_is_told():
    with pytest.raises(NotYet, match=r"^it is not 4: it is too small$"):
        expect_equal(4, 12, "it", tell=False)


def test_numbers_and_arrays_compare_within_the_tolerance():
    expect_close(0.1 + 0.2, 0.3, "the sum")
    expect_close(torch.ones(2, dtype=torch.bfloat16), torch.ones(2), "ones")
    expect_close(torch.ones(2).numpy(), torch.ones(2), "an array")
    expect_close([1, 1.0], torch.ones(2), "a list")
    expect_close([torch.ones(2), torch.ones(2)], torch.ones(2, 2), "a list of rows")
    expect_close(torch.ones(0), torch.ones(0), "nothing")
    with pytest.raises(NotYet, match=r"it is not 1\.5: it is 2 times too small"):
        expect_close(1.5, 3.0, "it")
    with pytest.raises(NotYet, match=r"50% .* the worst is at \(1,\), where you have 1.5"):
        expect_close(torch.tensor([1.0, 1.5]), torch.tensor([1.0, 1.25]), "it")


def test_a_tensor_without_numbers_is_told_so():
    with pytest.raises(NotYet, match="device 'meta'"):
        expect_close(torch.ones(2, device="meta"), torch.ones(2), "it")
    with pytest.raises(NotYet, match="2 values that are not finite"):
        expect_close(torch.full((2,), torch.nan), torch.ones(2), "it")


def test_a_shape_is_told_unless_it_is_the_answer():
    with pytest.raises(NotYet, match=r"should have shape \(2, 3\), and has \(3, 2\): its axes are in another order"):
        expect_shape(torch.ones(3, 2), (2, 3), "it")
    with pytest.raises(NotYet, match=r"^it should not have shape \(3, 2\): its axes are in another order$"):
        expect_shape(torch.ones(3, 2), (2, 3), "it", tell=False)
    with pytest.raises(NotYet, match="should be a tensor, and is 3"):
        expect_shape(3, (2, 3), "it", tell=False)


def test_one_number_is_a_number_in_any_clothes():
    for number in (2, 2.0, np.float32(2), torch.tensor(2), np.array([2])):
        assert expect_number(number, "it") == 2


def test_what_is_no_row_of_numbers_stays_as_it_is():
    for thing in ("ab", [1, [2, 3]], [torch.ones(2), torch.ones(3)], None):
        assert as_tensor(thing) is thing or [len(part) for part in as_tensor(thing)] == [2, 3]


def test_of_wrong_choices_the_first_gets_its_clue():
    right, clues = {"A": "x", "B": "y"}, {"A": "think of a", "B": "think of b"}
    expect_choices(right | {"C": "z"}, right, "xy", clues)
    with pytest.raises(NotYet, match="1 of 2 are right; B is not 'x': think of b"):
        expect_choices({"A": "x", "B": "x"}, right, "xy", clues)
    with pytest.raises(NotYet, match="A is 'z', and should be one of 'x', 'y'"):
        expect_choices({"A": "z", "B": "x"}, right, "xy", clues)
    with pytest.raises(NotYet, match="should be a dictionary with the keys 'A', 'B', and is 'x'"):
        expect_choices("x", right, "xy", clues)
    for unfinished in ({"A": "x"}, {"A": "x", "B": ...}):
        with pytest.raises(NotAttempted):
            expect_choices(unfinished, right, "xy", clues)
