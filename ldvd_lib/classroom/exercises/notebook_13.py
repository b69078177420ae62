"""Checks of 13, the capstone."""

import math

import torch

from ldvd_lib.anatomy import Anatomy, dissect
from ldvd_lib.classroom.capstone import BRIEF, Design, Entry, frames_seen
from ldvd_lib.classroom.exercises import attempt, exercise, expect, expect_equal, expect_type
from ldvd_lib.classroom.leaderboard import Board, baselines, is_comparable
from ldvd_lib.discriminators import VideoDiscriminator

HALF = {"parameters": BRIEF.parameters // 2, "multiply_adds": BRIEF.multiply_adds // 2}


@exercise(
    "13.1",
    title="On half the means",
    hints=(
        "Which of the two limits does TGAN-F break by more? Ask its anatomy: no choice of kinds alone will do at this "
        "width.",
        "Two things make every layer smaller: fewer base channels, or fewer layers. To see far for little, halve time "
        "early and shift late.",
        'With options={"base_channels": 8}, four layers are cheap enough: kinds that begin with "2+1d", "2+1d" see 10 '
        "frames, and a shift behind them adds 8.",
    ),
)
def half_the_means(design):
    expect_type(design, Design, "the answer", "a capstone.Design: a name, kinds, and perhaps options")
    costs = design.anatomy()
    frames, arithmetic = frames_seen(costs), costs.multiply_adds / 1e6
    account = (
        f"yours has {costs.parameters:,} parameters, {arithmetic:.1f} million multiply-adds, and sees {frames} frames"
    )
    expect(
        costs.parameters <= HALF["parameters"], f"{account}: the parameters should be at most {HALF['parameters']:,}"
    )
    expect(
        costs.multiply_adds <= HALF["multiply_adds"],
        f"{account}: the multiply-adds should be at most {HALF['multiply_adds'] / 1e6:.1f} million",
    )
    expect(frames >= 16, f"{account}: it should see all 16")
    return f"{account[0].upper()}{account[1:]}. Whether it teaches is another question: score it, below."


_STACKS = (
    ("3d", "2+1d", "shift"),
    ("shift", "3d", "shift", "2d"),
    ("2+1d", "2+1d", "2d", "2d"),
    ("shift", "shift", "shift", "2d"),
    ("3d", "3d", "3d", "3d"),
    ("2+1d", "2+1d", "shift", "2d"),
    ("2d", "3d", "2d", "shift"),
    ("2d",),
)


@exercise(
    "13.2",
    title="How far it sees",
    hints=(
        "Keep two numbers while you walk through the layers: how many frames are seen so far, and how many frames of "
        "the clip lie between two neighbours on the present map.",
        "A kernel of four adds three neighbours, a shift one on either side. A stride of two doubles the distance "
        "between neighbours, from the next layer on.",
        'Begin with seen, step = 1, 1. For "3d" and "2+1d": seen += 3 * step, then step *= 2. For "shift": '
        'seen += 2 * step. For "2d": nothing.',
    ),
)
def how_far_it_sees(frames_seen):
    for kinds in _STACKS:
        expected = _seen(kinds)
        expect_equal(
            attempt(frames_seen, kinds),
            expected,
            f"the number of frames that {kinds} sees",
            mistakes=(
                (_walk(kinds, doubling=False), "a stride of two moves the neighbours of later layers apart"),
                (_walk(kinds, kernel=4), "a kernel of four adds three frames to what one place saw, not four"),
                (_walk(kinds, shift=1), "a shift brings frames from both sides"),
                (
                    _walk(kinds, double_first=True),
                    "the stride of a layer counts for the layers after it, and not for its own kernel",
                ),
                (
                    min(expected, 16),
                    "the clip has only 16 frames, but leave that out: uncapped, as the tables print it",
                ),
                (_walk(kinds, shift=0), "a shift lets the next layer see a neighbour on either side"),
                (_walk(kinds, halving=("3d",)), "a 2+1d layer has a kernel in time as well, in its second half"),
                (_walk(kinds, halving=("3d", "2+1d", "2d")), "a 2d layer does not look at time"),
                (_walk(kinds, shift_doubles=True), "a shift has no stride: it does not move later neighbours apart"),
                (expected - 1, "the frame that one begins with counts, too"),
                (_walk(kinds[::-1]), "the layers are walked through from the last to the first"),
                (_walk(kinds, start_step=2), "before the first layer, neighbours are one frame apart"),
                (_step(kinds), "this is how far apart neighbours on the last map are; asked for is how much one sees"),
            ),
        )
    return "One number tells how far a critic looks; notebook 08 tells how little it may see out there."


def _seen(kinds: tuple[str, ...]) -> int:
    return frames_seen(_anatomy(kinds))


def _anatomy(kinds: tuple[str, ...]) -> Anatomy:
    with torch.device("meta"):
        return dissect(VideoDiscriminator(kinds, image_size=32, base_channels=4))


def _step(kinds: tuple[str, ...]) -> int:
    return 2 ** sum(kind in ("3d", "2+1d") for kind in kinds)


def _walk(
    kinds: tuple[str, ...],
    *,
    kernel: int = 3,
    shift: int = 2,
    doubling: bool = True,
    double_first: bool = False,
    shift_doubles: bool = False,
    halving: tuple[str, ...] = ("3d", "2+1d"),
    start_step: int = 1,
) -> int:
    """The receptive field in frames, with a mistake or without."""
    seen, step = 1, start_step
    for kind in kinds:
        if kind in halving:
            step *= 2 if double_first else 1
            seen += kernel * step
            step *= 2 if doubling and not double_first else 1
        elif kind == "shift":
            seen += shift * step
            step *= 2 if shift_doubles else 1
    return seen


@exercise(
    "13.3",
    title="How many seeds?",
    hints=(
        "The mean of n seeds has an error of noise / √n. What is the error of the difference between two such means?",
        "Independent errors add as squares: noise · √(2 / n). Set the difference equal to twice that, and solve for n.",
        "n = 8 · (noise / difference)², rounded up.",
    ),
)
def how_many_seeds(seeds_needed):
    for difference, noise in ((0.36, 0.29), (0.19, 0.3), (0.5, 0.3), (0.25, 0.3), (0.1, 0.25), (0.9, 0.1)):
        ratio = noise / difference
        expect_equal(
            attempt(seeds_needed, difference, noise),
            math.ceil(8 * ratio**2),
            f"for a difference of {difference:.0%} and a noise of {noise:.0%}, the number of seeds",
            mistakes=(
                (math.ceil(4 * ratio**2), "both designs have an error, and you counted one"),
                (math.ceil(2 * ratio**2), "the difference should be twice its error, and this makes it equal to it"),
                (
                    math.ceil(ratio**2),
                    "this makes one error equal to the difference: both designs have one, and the "
                    "difference should be twice what they are together",
                ),
                (
                    math.ceil(16 * ratio**2),
                    "independent errors add as squares, so that two are √2 times one, not twice",
                ),
                (math.ceil(8 * ratio), "the error falls with the root of n, so the ratio comes in squared"),
                (math.ceil(8 / ratio**2), "this is upside down: more noise takes more seeds"),
                (2 * math.ceil(8 * ratio**2), "these are the seeds of both designs together; asked for is each"),
                (math.floor(8 * ratio**2), "rounded down, the difference is not quite clear yet"),
                (round(8 * ratio**2), "rounded down, the difference is not quite clear yet"),
                (8 * ratio**2, "a whole number of seeds is needed: round up"),
                (math.floor(8 * ratio**2) + 1, "where it comes out even, one more is not needed"),
            ),
        )
    return "Half the difference takes four times the seeds. The tables of papers rarely have more than one."


@exercise(
    "13.4",
    title="Your entry",
    hints=(
        "Begin with a design that keeps the brief, such as yours of 13.1, and ask BRIEF.violations(design.anatomy()).",
        "entry, runs = score(design) trains it; board.add(entry) puts it on the board; hand in entry.",
        'design = capstone.Design("my own", ("2+1d", "2+1d", "shift", "2d")), then the two lines of the second hint. '
        "Should its curvature be over the limit, another rate may calm it: recipe={...}.",
    ),
)
def your_entry(entry):
    if isinstance(entry, tuple | list) and entry and isinstance(entry[0], Entry):
        entry = entry[0]
    expect_type(entry, Entry, "the answer", "an entry: the first of the two things that score(design) returns")
    # A short run says nothing about curvature.
    broken = BRIEF.violations(entry if is_comparable(entry) else entry.design.anatomy())
    expect(not broken, f"{entry.design.name!r} breaks the brief: {'; '.join(broken)}")
    twins = [baseline.design.name for baseline in baselines() if baseline.design.config() == entry.design.config()]
    expect(not twins, f"this is {' and '.join(twins)}: change something, so that it is a design of your own")
    board = Board()
    expect(
        entry.key in [own_entry.key for own_entry in board.entries()],
        f"{entry.design.name!r} is not on the board yet: board.add(entry)",
    )
    (place,) = [place for place in board.places() if place.entry.key == entry.key]
    if place.first is None:
        return f"{entry.design.name!r} is on the board; {place.remark}."
    worse = [baseline.design.name for baseline in board.reference if board.clearly_better(entry, baseline)]
    return (
        f"{entry.design.name!r} is on the board with {entry.score:.0f} ± {place.error:.0f}, clearly better than "
        f"{', '.join(worse) or 'nobody yet'}. Add a relative of it that differs in one thing: that is an experiment."
    )
