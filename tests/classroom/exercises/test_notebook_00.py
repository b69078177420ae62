"""The checks of 00 pass right answers, however they are written, and say what is wrong with the others."""

import pytest
import torch

from ldvd_lib.classroom import check


def boomerang(videos):
    return torch.cat([videos, videos[:, :, 1:-1].flip(2)], dim=2)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("00.1", 49_152),
        ("00.1", torch.tensor(49_152)),
        ("00.2", boomerang),
        ("00.2", lambda videos: videos[:, :, [*range(videos.shape[2]), *range(videos.shape[2] - 2, 0, -1)]]),
    ],
)
def test_right_answers_pass(name, answer):
    assert check(name, answer).passed, check(name, answer)


@pytest.mark.parametrize(("name", "stub"), [("00.1", ...), ("00.2", lambda videos: None)])
def test_the_stubs_are_not_attempted_yet(name, stub):
    assert check(name, stub).status == "not attempted yet"


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("00.1", 16_384, "number of pixels"),
        ("00.1", 3_072, "one frame"),
        ("00.1", 100, "should be 49152, and is 100"),
        ("00.2", lambda videos: videos.flip(2), "should have shape (2, 3, 6, 5, 6), and has (2, 3, 4, 5, 6)"),
        ("00.2", lambda videos: torch.cat([videos, videos.flip(2)], dim=2), "8 frames are two too many"),
        (
            "00.2",
            lambda videos: torch.cat([videos, videos[:, :, 1:-1]], dim=2),
            "show 0 1 2 3 2 1, and shows 0 1 2 3 1 2",
        ),
        ("00.2", lambda videos: torch.cat([videos, videos[:, :, 1:-1].flip(3)], dim=3), "should have shape"),
        ("00.2", lambda videos: boomerang(videos.flip(1)), "shows ? ? ? ? ? ?"),
    ],
)
def test_wrong_answers_are_told_what_is_wrong(name, answer, message):
    result = check(name, answer)
    assert result.status == "not yet"
    assert message in result.message
