"""The checks of 01 pass right answers, however they are written, and say what is wrong with the others."""

import numpy as np
import pytest
import torch

from ldvd_lib import video
from ldvd_lib.classroom import check


def to_pixels(clip):
    return video.to_uint8(clip).permute(1, 2, 3, 0)


def centre_square(frames):
    height, width = frames.shape[1:3]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return frames[:, top : top + side, left : left + side]


def num_windows(clip_length, num_frames, stride):
    return max(0, clip_length - (num_frames - 1) * stride)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("01.1", to_pixels),
        ("01.1", lambda clip: to_pixels(clip).numpy()),
        ("01.1", lambda clip: (clip.permute(1, 2, 3, 0) * 127.5 + 128).clamp(0, 255).to(torch.uint8)),
        ("01.2", centre_square),
        ("01.2", lambda frames: torch.from_numpy(centre_square(frames))),
        ("01.2", lambda frames: centre_square(frames[:, ::-1, ::-1])[:, ::-1, ::-1]),  # spare pixel on the other side
        ("01.3", num_windows),
        ("01.3", lambda *lengths: torch.tensor(num_windows(*lengths))),
        ("01.4", lambda period, stride: (stride / period + 0.5) % 1 - 0.5),
        ("01.4", lambda period, stride: np.float32((stride / period + 0.5) % 1 - 0.5)),
    ],
)
def test_right_answers_pass(name, answer):
    assert check(name, answer).passed, check(name, answer)


@pytest.mark.parametrize("name", ["01.1", "01.2", "01.3", "01.4"])
def test_the_stubs_are_not_attempted_yet(name):
    assert check(name, lambda *arguments: None).status == "not attempted yet"


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("01.1", lambda clip: video.to_uint8(clip), "should have shape (2, 8, 16, 3)"),
        ("01.1", lambda clip: (to_pixels(clip)).float(), "should be torch.uint8"),
        ("01.1", lambda clip: ((clip + 1) * 127.5).to(torch.uint8).permute(1, 2, 3, 0), "round before it"),
        ("01.1", lambda clip: ((clip + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 3, 0), "clamp first"),
        ("01.1", lambda clip: (clip * 255).clamp(0, 255).to(torch.uint8).permute(1, 2, 3, 0), "-1 is 0, and 1 is 255"),
        ("01.2", lambda frames: frames[:, :, 40:280], "frames of 240 by 320 pixels"),
        ("01.2", lambda frames: frames[:, : min(frames.shape[1:3]), : min(frames.shape[1:3])], "begin at column 40"),
        ("01.2", lambda frames: frames[:, ::-1, ::-1], "should have shape (2, 240, 240, 3)"),
        ("01.2", lambda frames: np.repeat(centre_square(frames)[:, ::2], 2, axis=1), "not consecutive rows"),
        ("01.3", lambda length, frames, stride: length - frames + 1, "at stride 2 in a clip of 40 should be 10"),
        ("01.3", lambda length, frames, stride: length - (frames - 1) * stride, "should be 0, and is -5"),
        ("01.3", lambda length, frames, stride: max(0, length - frames * stride + 1), "should be 10, and is 9"),
        ("01.4", lambda period, stride: stride / period, "at stride 18 should be -0.1, and is 0.9"),
        ("01.4", lambda period, stride: stride / period % 1, "should be -0.1, and is 0.9"),
        ("01.4", lambda period, stride: "backwards", "should be a number"),
    ],
)
def test_wrong_answers_are_told_what_is_wrong(name, answer, message):
    result = check(name, answer)
    assert result.status == "not yet"
    assert message in result.message
