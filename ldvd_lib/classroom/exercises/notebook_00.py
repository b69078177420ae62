"""Checks of 00, start here."""

import torch
from torch import Tensor

from ldvd_lib.classroom.exercises import attempt, exercise, expect, expect_equal, expect_shape, expect_type


@exercise(
    "00.1",
    title="How much is a clip?",
    hints=(
        "How many numbers does one pixel of a colour picture need?",
        "Three numbers a pixel: red, green, blue. Then count the pixels of a frame, and the frames.",
        "frames × height × width × colours, which is 16 * 32 * 32 * 3.",
    ),
)
def size_of_a_clip(numbers_in_a_clip):
    frames, size, colours = 16, 32, 3
    right = frames * size * size * colours
    expect_equal(
        numbers_in_a_clip,
        right,
        "the number of numbers in the clip",
        mistakes=(
            (frames * size * size, "that is the number of pixels; each has three numbers, for red, green, blue"),
            (size * size * colours, "that is one frame, and the clip has sixteen"),
            (
                size * size,
                "those are the pixels of one frame; there are more frames, and a pixel is more than a number",
            ),
            (frames * size * colours, "that has one row of each frame: a frame is as high as it is wide"),
            (
                frames + size + size + colours,
                "that is a sum: every frame has all rows, every row all pixels, so multiply",
            ),
            (
                right // colours * 4,
                "that has four numbers a pixel; colour takes three, and transparency is not asked for",
            ),
            (8 * right, "those are bits, if each number takes eight; count the numbers"),
            (100, "that is what the generator is given; how many numbers does it have to choose?"),
        ),
        tell=False,
    )
    return "The generator has to choose all of them so that they fit together, from a hundred random numbers."


@exercise(
    "00.2",
    title="A loop without a jump",
    hints=(
        "Time is axis 2 of (N, C, T, H, W). After frames 0 1 2 3, what has to follow before 0 comes again?",
        "Append 2 1: the frames backwards, without the two at the ends, which would otherwise be shown twice in a row.",
        "torch.cat([videos, videos[:, :, 1:-1].flip(2)], dim=2) joins both along time.",
    ),
)
def loop_without_a_jump(boomerang):
    for num_frames in (4, 7):
        # Every frame says which one it is, and every video and channel are different.
        videos = torch.arange(2.0 * 3 * num_frames).reshape(2, 3, num_frames, 1, 1).repeat(1, 1, 1, 5, 6)
        videos[..., 0, :] += 0.25
        videos[..., 0] += 0.5
        got = attempt(boomerang, videos)
        what = f"what becomes of two videos of {num_frames} frames"
        expect_type(got, Tensor, what, "a batch of videos")
        if got.ndim == 5 and tuple(got.shape[:2]) == (2, 3) and tuple(got.shape[3:]) == (5, 6):
            counts = {
                2 * num_frames: "two too many: shown backwards, the last and the first come twice",
                2 * num_frames - 1: "one too many: one of the two ends is shown twice in a row",
                2 * num_frames - 3: "one too few: some frame is missing on the way back",
                num_frames: "as many as there were: there and back takes more",
            }
            count = got.shape[2]
            expect(count not in counts, f"of {num_frames} frames you make {count}, which is {counts.get(count)}")
        expect_shape(got, (2, 3, 2 * num_frames - 2, 5, 6), what)
        _expect_order(got, videos)
    return "Your GIFs need never jump again. (A discriminator would not be fooled: see reversal in notebook 01.)"


def _expect_order(got: Tensor, videos: Tensor) -> None:
    frames = list(range(videos.shape[2]))
    back = frames[-2:0:-1]
    order = [_number(frame, videos) for frame in got.unbind(2)]
    shown = f"of the frames {_listed(frames)}, the loop shows {_listed(order)}"
    expect(
        None not in order,
        f"{shown}: a ? is no frame of the videos, so something else than time has been turned round or mixed up",
    )
    for wrong, message in (
        (frames + frames[1:-1], "after the last frame it should go backwards"),
        (frames[::-1] + frames[1:-1], "it should go forwards first"),
        (back + frames, "it should go forwards first, and then come back"),
        (frames + frames[:1:-1], "the last frame comes twice in a row"),
        (frames + frames[-3::-1], "the first frame comes twice, when the loop begins again, and another is left out"),
    ):
        expect(order != wrong, f"{shown}: {message}")
    expect(order == frames + back, f"{shown}: that is not forwards and then backwards, without a frame twice in a row")


def _number(frame: Tensor, videos: Tensor) -> int | None:
    """Which frame of the videos this is, (N, C, H, W); None if it is none."""
    numbers = [number for number, other in enumerate(videos.unbind(2)) if torch.equal(frame.to(other), other)]
    return numbers[0] if numbers else None


def _listed(frames: list) -> str:
    return " ".join("?" if frame is None else str(frame) for frame in frames)
