"""The checks behind the course's exercises, one module per notebook (``notebook_01.py`` holds 01.1, 01.2, ...).

A check is a function that takes the learner's answer, raises `NotYet` if it is wrong, and may return a remark
for those who got it right. What learners call is in `ldvd_lib.classroom`.
"""

from ldvd_lib.classroom.exercises.calls import attempt
from ldvd_lib.classroom.exercises.expectations import (
    as_tensor,
    expect,
    expect_choices,
    expect_close,
    expect_equal,
    expect_number,
    expect_shape,
    expect_type,
)
from ldvd_lib.classroom.exercises.registry import Exercise, NotAttempted, NotYet, exercise, find, find_all, registered

__all__ = [
    "Exercise",
    "NotAttempted",
    "NotYet",
    "as_tensor",
    "attempt",
    "exercise",
    "expect",
    "expect_choices",
    "expect_close",
    "expect_equal",
    "expect_number",
    "expect_shape",
    "expect_type",
    "find",
    "find_all",
    "registered",
]
