"""Checks of 00, start here."""

import torch

from ldvd_lib.classroom.exercises import attempt, exercise, expect, expect_equal, expect_shape


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
    expect(
        numbers_in_a_clip != 16 * 32 * 32, "that is the number of pixels; each has three numbers, for red, green, blue"
    )
    expect(numbers_in_a_clip != 32 * 32 * 3, "that is one frame, and the clip has sixteen")
    expect_equal(numbers_in_a_clip, 16 * 32 * 32 * 3, "the number of numbers in the clip")
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
        videos = torch.arange(2.0 * 3 * num_frames).reshape(2, 3, num_frames, 1, 1).expand(2, 3, num_frames, 5, 6)
        got = attempt(boomerang, videos.clone())
        frames = list(range(num_frames))
        if hasattr(got, "shape") and tuple(got.shape) == (2, 3, 2 * num_frames, 5, 6):
            expect(
                False, f"{2 * num_frames} frames are two too many: shown backwards, the last and the first come twice"
            )
        expect_shape(got, (2, 3, 2 * num_frames - 2, 5, 6), f"what becomes of two videos of {num_frames} frames")
        order = _order(got, videos)
        expected = frames + frames[-2:0:-1]
        expect(
            order == expected,
            f"of the frames {_listed(frames)}, the loop should show {_listed(expected)}, and shows {_listed(order)}",
        )
    return "Your GIFs need never jump again. (A discriminator would not be fooled: see reversal in notebook 01.)"


def _order(got: torch.Tensor, videos: torch.Tensor) -> list[int | None]:
    """Which frame of the videos each frame of a result is; None if it is none of them."""

    def name(frame: torch.Tensor) -> int | None:
        same = [index for index in range(videos.shape[2]) if torch.equal(frame, videos[:, :, index])]
        return same[0] if same else None

    return [name(got[:, :, index]) for index in range(got.shape[2])]


def _listed(order: list[int | None]) -> str:
    return " ".join("?" if index is None else str(index) for index in order)
