"""Checks of 10, TGANv2: what is left out in training, what that saves, and what nobody sees any more."""

import math
from typing import Any

import torch
from torch import Tensor

from ldvd_lib.batch import Batch
from ldvd_lib.classroom.exercises import (
    NotAttempted,
    as_tensor,
    attempt,
    exercise,
    expect,
    expect_choices,
    expect_close,
    expect_number,
    expect_shape,
    expect_type,
)
from ldvd_lib.views import SUBSAMPLINGS, Levels

_LEVELS = 3
_COPIES = 64  # of one clip: so many coins are thrown that every fall of them is met


def growth_of_finest_level(subsampling: str) -> int:
    """By which power of the resolution the numbers in the finest level grow, counted at two resolutions."""
    counts = []
    for levels in (2, 3):
        clips = torch.zeros(8, 1, 2**levels, 4 * 2**levels, 4 * 2**levels)
        counts.append(Levels(levels, subsampling)(Batch(clips), torch.Generator().manual_seed(0)).levels[-1].numel())
    return round(math.log2(counts[1] / counts[0]))


@exercise(
    "10.1",
    title="How memory grows",
    hints=(
        "Take one step up in resolution. By which factor does the finest level change in pixels, in frames, in clips?",
        "A clip has twice the frames and four times the pixels. A new level means one more halving before the finest: "
        "of frames, of clips, of both, or of neither.",
        "Multiply: 2 for frames, 4 for pixels, and 1/2 for each thing that is halved once more. A factor of 2 is a "
        "power of 1, 4 is 2, 8 is 3.",
    ),
)
def how_memory_grows(powers):
    expect(
        isinstance(powers, dict) and set(SUBSAMPLINGS) <= set(powers),
        f"a dictionary with a power for each of {', '.join(map(repr, SUBSAMPLINGS))} was expected",
    )
    if any(powers[name] is None or powers[name] is ... for name in SUBSAMPLINGS):
        raise NotAttempted
    given = {name: expect_number(powers[name], f"the power for {name!r}") for name in SUBSAMPLINGS}
    expected = {name: growth_of_finest_level(name) for name in SUBSAMPLINGS}
    expect(
        any(given[name] != 2 ** expected[name] for name in SUBSAMPLINGS),
        "these are factors: asked for is the power of the resolution; a factor of 16 is a power of 4",
    )
    for name in ("none", "frames", "batch", "both"):
        power = given[name]
        if power == expected[name]:
            continue
        if power < 0:
            said = "it grows, so the power is not negative"
        elif power == 0:
            said = "the levels of one clip cost about the same; but does a longer, larger clip have the same levels?"
        elif power != round(power):
            said = "every doubling or halving is a whole power: count them"
        elif power > 3:
            said = "three sides of a clip grow, so more than the third power cannot be"
        elif power > expected[name]:
            said = "something is left out once more before the finest level, and you have not counted all of it"
        elif name == "none":
            said = "nothing is left out, so all three sides of the clip grow"
        else:
            said = "you have counted a halving that does not happen here, or one side of the clip too few"
        expect(False, f"for {name!r} it is not {power}: {said}")
    return "Only with both is it the first power. The next figure measures it."


@exercise(
    "10.2",
    title="Leave out, then go on",
    hints=(
        "In which order do the rows come? Give frames an axis of their own, and leaving out is a matter of indexing.",
        "maps.unflatten(0, (n, -1)) is (N, T, C, H, W). Every second of the first axis; every second of the second, "
        "from `first` on.",
        "Index with [::2, first::2], and put the first two axes together again with .flatten(0, 1).",
    ),
)
def leave_out_then_go_on(subsample):
    for n, frames, first in ((4, 8, 0), (4, 8, 1), (2, 6, 1), (5, 4, 0), (3, 2, 1)):
        maps = torch.arange(n * frames * 4, dtype=torch.float32).view(n * frames, 1, 2, 2)
        clips, rows = maps.unflatten(0, (n, -1)), maps.unflatten(0, (-1, n))
        expect_close(
            attempt(subsample, maps, n, first),
            clips[::2, first::2].flatten(0, 1),
            f"what stays of {n} videos with {frames} frames each, and first = {first}",
            mistakes=(
                (clips[::2, first::2], "the first two axes should be one again: the next block takes (N·T, C, H, W)"),
                (maps, "everything is still there"),
                (clips[:, first::2].flatten(0, 1), "every video is still there: of these, every second should go, too"),
                (clips[::2].flatten(0, 1), "every frame is still there: of these, every second should go, too"),
                (rows[first::2, ::2].flatten(0, 1), "rows come video after video, and you took them frame after frame"),
                (
                    clips[::2, first::2].transpose(0, 1).flatten(0, 1),
                    "the rows come frame after frame now, and should still come video after video",
                ),
                (
                    clips[first::2, first::2].flatten(0, 1),
                    "the coin is for frames: of videos, always the first, third, … stay",
                ),
                (
                    clips[first::2, ::2].flatten(0, 1),
                    "the coin is for frames: of videos, always the first, third, … stay",
                ),
                (clips[1::2, first::2].flatten(0, 1), "of videos, the first, third, … stay, and these are the others"),
                (clips[::2, ::2].flatten(0, 1), "the frames begin with frame 0, whatever `first` says"),
                (clips[::2, 1 - first :: 2].flatten(0, 1), "the frames begin with the wrong one of two"),
                (
                    clips[: (n + 1) // 2, : frames // 2].flatten(0, 1),
                    "this is the first half, and every second is asked for",
                ),
                (
                    clips[::2, first : first + frames // 2].flatten(0, 1),
                    "these frames follow each other, and every second is asked for",
                ),
                (maps[first::4], "every fourth row is not every second frame of every second video"),
                (maps[::4], "every fourth row is not every second frame of every second video"),
            ),
            tell=False,
        )
    return "A quarter of the maps is left. The next block makes each of them four times as large."


EXACT, FRAMES, BOTH = "exact", "frames", "frames and clips"
FOLLOWERS = {
    "A": EXACT,  # a 3×3 convolution of each frame
    "B": FRAMES,  # a 3×3×3 convolution
    "C": FRAMES,  # a ConvLSTM over the frames
    "D": BOTH,  # batch normalisation in training
    "E": EXACT,  # batch normalisation in evaluation
    "F": EXACT,  # pixel normalisation
}
_CLUES = {
    "A": "what of a frame does it need, other than that frame?",
    "B": "its kernel has a third side: what lies under it?",
    "C": "what does its state at one frame come from, and does it ever look into another clip?",
    "D": "what are its means and variances taken over?",
    "E": "where do its means and variances come from, once training is over?",
    "F": "it divides a place by something: which numbers is that made of?",
}


@exercise(
    "10.3",
    title="What may follow a gap?",
    hints=(
        "Imagine that somebody repaints one frame of one clip. Where does the output of the layer change?",
        "If only at that frame of that clip, the layer does not mind who is missing. Neighbouring frames under one "
        "kernel mind, and so does a memory; a statistic minds everybody that it is taken over.",
        "Three are exact; two miss frames; one misses frames and clips, which is why the notebook compares in "
        "evaluation mode.",
    ),
)
def what_may_follow_a_gap(answer: Any):
    expect_choices(answer, FOLLOWERS, (EXACT, FRAMES, BOTH), _CLUES)
    return "So everything behind the gap may look at one frame only; all that knows of time has to come before it."


def changes_seen(pattern: Tensor, subsampling: str = "both") -> list[float]:
    """By how much a critic of each level sees two frames that follow each other differ, at most, whatever the coins.

    Args:
        pattern: ``(16, 32, 32)``, one clip.
        subsampling: what is left out from a level to the next.
    """
    clips = pattern.expand(_COPIES, 1, -1, -1, -1)
    seen = Levels(_LEVELS, subsampling)(Batch(clips), torch.Generator().manual_seed(0)).levels
    return [level.diff(dim=2).abs().max().item() for level in seen]


@exercise(
    "10.4",
    title="A flicker that nobody sees",
    hints=(
        "Take the critics one by one. The coarsest sees every frame: how can a pattern flicker and yet be gone after "
        "an average over 4×4 pixels?",
        "The finest sees all pixels, but of every four frames one. Which flicker is the same in all that it sees?",
        "Pixels: a chessboard, +1 and −1 in turn, whose mean is 0. Frames: the chessboard as it is, then inverted, and "
        "so on. (-1) ** (t + y + x).",
    ),
)
def a_flicker_that_nobody_sees(pattern):
    pattern = as_tensor(pattern)
    expect_type(pattern, Tensor, "the pattern", "a tensor of shape (16, 32, 32)")
    pattern = pattern.detach().float()
    expect_shape(pattern, (16, 32, 32), "the pattern")
    expect(pattern.isfinite().all(), "the pattern holds values that are not finite")
    strongest = pattern.abs().max().item()
    expect(strongest <= 1, f"values should lie between -1 and 1, and the strongest is {strongest:.3g}")
    changes = pattern.diff(dim=0).abs().mean((1, 2))
    expect(changes.max() > 0, "it stands still: what flickers changes from frame to frame")
    expect(
        changes.min() >= 0.5,
        f"it should change by 0.5 or more from each frame to the next, in the mean over all pixels; between frames "
        f"{int(changes.argmin())} and {int(changes.argmin()) + 1} yours changes by {changes.min():.2f}",
    )
    looks = (
        "every frame, as averages over 4×4 pixels",
        "every second frame, as averages over 2×2 pixels",
        "every fourth frame, with all its pixels",
    )
    for number, (change, look) in enumerate(zip(changes_seen(pattern), looks, strict=True), start=1):
        expect(
            change < 1e-4,
            f"the critic of level {number} notices: it sees {look}, and from one to the next something changes by "
            f"{change:.2f}",
        )
    return "A generator that learnt this would flicker in every frame, and no critic would ever say so."
