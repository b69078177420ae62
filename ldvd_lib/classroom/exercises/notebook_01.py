"""Checks of 01, video as tensors."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ldvd_lib import video
from ldvd_lib.classroom.exercises import attempt, exercise, expect, expect_equal, expect_shape


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
    pixels[1] = pixels[1].flip(-1)
    got = _to_pixels(to_pixels, video.to_float(pixels))
    expected = pixels.permute(1, 2, 3, 0)
    if not torch.equal(got, expected):
        wrong = (got != expected).double().mean()
        expect(
            (got.int() - expected.int()).abs().max() > 1,
            f"{wrong:.0%} of the values are one too small or too large: the conversion to uint8 cuts off what comes "
            "after the point, so round before it",
        )
        expect(False, f"{wrong:.0%} of the values are not those that the clip was made from: -1 is 0, and 1 is 255")
    outside = torch.tensor([-1.02, 1.02]).expand(3, 1, 1, 2)
    got = _to_pixels(to_pixels, outside)[0, 0, :, 0].tolist()
    expect(got == [0, 255], f"-1.02 and 1.02 should become 0 and 255, and become {got[0]} and {got[1]}: clamp first")
    return "Networks and interpolation overshoot now and then; without the clamp, white turns into black specks."


def _to_pixels(to_pixels, clip: Tensor) -> Tensor:
    channels, frames, height, width = clip.shape
    got = attempt(to_pixels, clip)
    got = torch.from_numpy(got) if isinstance(got, np.ndarray) else got
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
        side = min(height, width)
        got = attempt(centre_square, frames.copy())
        expect_shape(got, (2, side, side, 3), f"the square of frames of {width} by {height} pixels")
        got = np.asarray(got)
        # If the number of spare pixels is odd, the last one may be lost on either side.
        for axis, name, length in ((0, "row", height), (1, "column", width)):
            first = int(got[0, 0, 0, axis])
            spare = length - side
            expect(
                first in (spare // 2, (spare + 1) // 2),
                f"of frames of {width} by {height} pixels, the square should begin at {name} {spare // 2}, "
                f"and begins at {name} {first}",
            )
            expected = frames[:, first : first + side] if axis == 0 else frames[:, :, first : first + side]
            matches = got[..., axis] == (expected[:, :, :1, 0] if axis == 0 else expected[:, :1, :, 1])
            expect(matches.all(), f"the {name}s of the square are not consecutive {name}s of the frame")
    return "A quarter of a 320 × 240 frame is lost at the sides. What happens there, no discriminator will ever see."


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
    for clip_length, num_frames, stride in cases:
        got = attempt(num_windows, clip_length, num_frames, stride)
        reach = (num_frames - 1) * stride + 1
        what = f"the number of windows of {num_frames} frames at stride {stride} in a clip of {clip_length}"
        expect_equal(got, max(0, clip_length - reach + 1), what)
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
    cases = ((20, 1), (20, 2), (20, 18), (20, 20), (20, 38), (20, 41), (10, 9), (8, 3), (26, 2))
    for period, stride in cases:
        turn = stride / period
        got = attempt(apparent_turn, period, stride)
        _expect_number(got, turn - round(turn), f"the apparent turn of something of period {period} at stride {stride}")
    return "What turns more than half a repetition from frame to frame seems to turn the other way: keep strides small."


def _expect_number(got: Any, expected: float, what: str) -> None:
    try:
        number = float(got)
    except (TypeError, ValueError):
        expect(False, f"{what} should be a number, and is {got!r}")
    expect(abs(number - expected) < 1e-6, f"{what} should be {expected:.3g}, and is {number:.3g}")
