"""What exercise 08.2 asks for is what the library's shifts do."""

import pytest

from ldvd_lib.classroom.exercises.notebook_08 import dye


def test_dye_spreads_like_a_binomial():
    assert dye(3, 0.25, 1) == pytest.approx([ways / 64 for ways in (1, 6, 15, 20, 15, 6, 1)])
    assert dye(2, 0.5, 1) == pytest.approx([0.25, 0, 0.5, 0, 0.25])
    assert dye(1, 0.25, 2) == pytest.approx([0.25, 0, 0.5, 0, 0.25])
