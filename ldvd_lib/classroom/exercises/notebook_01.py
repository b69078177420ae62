"""Checks of 01, video as tensors."""

import math

import numpy as np
import torch
from torch import Tensor

from ldvd_lib import video
from ldvd_lib.classroom.exercises import (
    as_tensor,
    attempt,
    exercise,
    expect,
    expect_close,
    expect_equal,
    expect_number,
    expect_shape,
)


@exercise(
    "01.1",
    title="Back to pixels",
    hints=(
        "Undo the steps of this section in the opposite order, and look at what each does to -1, 0 and 1.",
        "A conversion to uint8 cuts off the digits after the point, and 256 becomes 0: round first, then clamp.",
        "((clip + 1) * 127.5).round().clamp(0, 255).to(torch.uint8), and then permute(1, 2, 3, 0).",
    ),
)
def back_to_pixels(to_pixels):
    pixels = torch.arange(256, dtype=torch.uint8).reshape(2, 8, 16).expand(3, 2, 8, 16).clone()
    pixels[1], pixels[2] = pixels[1].flip(-1), pixels[2].roll(1, -1)
    clip = video.to_float(pixels)
    got, expected = _to_pixels(to_pixels, clip), pixels.permute(1, 2, 3, 0)
    values = clip.permute(1, 2, 3, 0)
    expect_close(
        got,
        expected,
        "the frames of a clip that was made from pixels",
        mistakes=(
            (
                ((values + 1) * 127.5).to(torch.uint8),
                "some are one too small, since the conversion to uint8 cuts off what "
                "comes after the point: round before it",
            ),
            (
                ((values + 1) * 128).clamp(0, 255).round(),
                "there are 256 values, and so 255 steps from the first to the last",
            ),
            (
                ((values + 1) * 128).clamp(0, 255).to(torch.uint8),
                "there are 256 values, and so 255 steps from the first to the last",
            ),
            (
                (values * 255).clamp(0, 255).to(torch.uint8),
                "what lay below 0 has become black: values begin at -1, not 0",
            ),
            ((values * 255).round().clamp(0, 255), "what lay below 0 has become black: values begin at -1, not 0"),
            (
                (values * 127.5).to(torch.int64) % 256,
                "the scale is right, and -1 should become the darkest: move it up first",
            ),
            (((values + 1) / 2).to(torch.uint8), "values from 0 to 1 have been made whole: scale them up before"),
            (((values + 1) / 2).round(), "values from 0 to 1 have been made whole: scale them up before"),
            (expected.flip(-1), "red and blue have changed places"),
            (255 - expected, "bright and dark have changed places"),
        ),
    )
    outside = torch.tensor([-1.02, 1.02]).expand(3, 1, 1, 2).clone()
    low, high = _to_pixels(to_pixels, outside)[0, 0, :, 0].tolist()
    expect(
        (low, high) == (0, 255),
        f"what overshoots comes out as {low} (below -1) and {high} (above 1), since uint8 begins again where it ends: "
        "clamp first",
    )
    return "Networks and interpolation overshoot now and then; without the clamp, white turns into black specks."


def _to_pixels(to_pixels, clip: Tensor) -> Tensor:
    channels, frames, height, width = clip.shape
    got = as_tensor(attempt(to_pixels, clip))
    expect_shape(got, (frames, height, width, channels), f"what becomes of a clip of shape {tuple(clip.shape)}")
    expect(got.dtype == torch.uint8, f"pixels should be torch.uint8, and are {got.dtype}")
    return got


@exercise(
    "01.2",
    title="The square in the middle",
    hints=(
        "How long is a side of the largest square that fits into the frame?",
        "With side = min(H, W), what is left over, and how much of it lies on the left? And at the top?",
        "top, left = (height - side) // 2, (width - side) // 2; then frames[:, top : top + side, left : left + side].",
    ),
)
def square_in_the_middle(centre_square):
    for height, width in ((240, 320), (320, 240), (240, 240), (6, 9)):
        frames = np.zeros((2, height, width, 3), dtype=np.uint8)
        frames[..., 0], frames[..., 1] = np.arange(height)[:, None] % 256, np.arange(width) % 256
        frames[1, ..., 2] = 1
        side = min(height, width)
        got = attempt(centre_square, frames)
        of = f"of frames of {width} by {height} pixels"
        expect_shape(got, (2, side, side, 3), f"the square {of}")
        got = np.asarray(got)
        for axis, name, length in ((0, "row", height), (1, "column", width)):
            _expect_middle(got, axis, length, f"{of}, the {name}s of the square")
        expect((got[..., 2] == np.arange(2)[:, None, None]).all(), f"the square {of} has its frames in another order")
    return "A quarter of a 320 × 240 frame is lost at the sides. What happens there, no discriminator will ever see."


def _expect_middle(got: np.ndarray, axis: int, length: int, what: str) -> None:
    """That the rows (axis 0) or columns of a square come one after the other, from the middle of so many."""
    side = got.shape[1]
    numbers = got[0, :, 0, 0] if axis == 0 else got[0, 0, :, 1]
    first, spare = int(numbers[0]), length - side
    steps = np.diff(numbers.astype(int)) % 256
    expect(
        (steps == 1).all() and (got[..., axis] == (numbers[:, None] if axis == 0 else numbers)).all(),
        f"{what} are not consecutive ones of the frame",
    )
    # If the number of spare pixels is odd, the last one may be lost on either side.
    middle = (spare // 2, (spare + 1) // 2)
    said = "too early" if first < middle[0] else "too late"
    if first == 0:
        said = "at the edge: what is left over should be shared between both sides"
    elif first == spare:
        said = "so late that all that is left over lies before it: it should be shared between both sides"
    expect(first in middle, f"{what} begin at number {first}, which is {said}")


@exercise(
    "01.3",
    title="Count the windows",
    hints=(
        "Write down the windows of 3 frames in a clip of 7: with stride 1, and then with stride 2.",
        "From its first frame to its last, a window reaches over (num_frames - 1) * stride + 1 frames of the clip.",
        "It may start at frame 0, 1, ... clip_length - reach: clip_length - reach + 1 places, but never fewer than 0.",
    ),
)
def count_windows(num_windows):
    cases = ((40, 16, 1), (16, 16, 1), (40, 16, 2), (31, 16, 2), (30, 16, 2), (10, 16, 1), (29, 4, 3))
    for length, num_frames, stride in cases:
        got = attempt(num_windows, length, num_frames, stride)
        reach = (num_frames - 1) * stride + 1
        last = length - reach
        expect_equal(
            got,
            max(0, last + 1),
            f"the number of windows of {num_frames} frames at stride {stride} in a clip of {length}",
            mistakes=(
                (last + 1, "a clip that is too short has none, and never fewer"),
                (
                    max(0, length - num_frames + 1),
                    "the stride counts: frames that lie apart reach over more of the clip",
                ),
                (length - num_frames + 1, "the stride counts: frames that lie apart reach over more of the clip"),
                (
                    max(0, length - num_frames * stride + 1),
                    "the last frame of a window needs no stride behind it: "
                    "write down which frames a window has, and see how far it is from the first to the last",
                ),
                (length - num_frames * stride + 1, "the last frame of a window needs no stride behind it"),
                (max(0, last), "the window that begins at frame 0 is one, too"),
                (last, "the window that begins at frame 0 is one, too"),
                (max(0, last // stride + 1), "windows may begin at any frame, not only at every stride-th"),
                (length // reach, "windows may overlap: how many places are there for the first frame?"),
                (length // num_frames, "windows may overlap: how many places are there for the first frame?"),
                (
                    length // (num_frames * stride),
                    "windows may overlap: how many places are there for the first frame?",
                ),
                (max(0, length - reach + 2), "one window would hang over the end of the clip"),
                (length, "a window has to end within the clip, so not every frame can be its first"),
            ),
        )
    return (
        "The shortest clip of UCF-101 has 29 frames, the longest 1,776: drawing uniformly from all windows, one would "
        "meet the long one 126 times as often. This is why the sampler draws a clip first."
    )


@exercise(
    "01.4",
    title="The wagon wheel",
    hints=(
        "From one frame kept to the next, the sails turn stride / period of the way to where they look the same again.",
        "Whole repetitions leave no trace: 1.1 looks like 0.1. And 0.9 looks like -0.1, which is the shorter way.",
        "Subtract the nearest whole number: turn = stride / period; turn - round(turn).",
    ),
)
def wagon_wheel(apparent_turn):
    cases = ((20, 1), (20, 2), (20, 38), (20, 18), (20, 20), (20, 41), (10, 9), (8, 3), (26, 2))
    for period, stride in cases:
        turn = stride / period
        expected = turn - round(turn)
        got = expect_number(
            attempt(apparent_turn, period, stride),
            what := f"the apparent turn of something of period {period} at stride {stride}",
        )
        expect_close(
            got,
            expected,
            what,
            tolerance=1e-6,
            mistakes=(
                (turn, "whole repetitions leave no trace, so take off those that are nearest"),
                (turn % 1, "it seems to go the shorter way: three quarters forwards look like one backwards"),
                (abs(expected), "backwards is negative, and this has lost its direction"),
                (-expected, "it has the wrong sign: backwards is negative"),
                (
                    period / stride,
                    "this is upside down: what part of a repetition goes by from one frame kept to the next?",
                ),
                (
                    period / stride - round(period / stride),
                    "this is upside down: how much of a repetition goes by in a stride?",
                ),
                (expected * period, "this is in frames, and repetitions are asked for"),
                (expected * 360, "these are degrees, and repetitions are asked for"),
                (expected * 2 * math.pi, "these are radians, and repetitions are asked for"),
                ((turn + 0.5) % 1, "this lies between 0 and 1: the half that was added has to be taken off again"),
                (turn - int(turn), "it seems to go the shorter way: three quarters forwards look like one backwards"),
                (round(turn), "these are the whole repetitions, which leave no trace: what is left of the turn?"),
            ),
        )
    return "What turns more than half a repetition from frame to frame seems to turn the other way: keep strides small."
