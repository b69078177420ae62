"""Checks of 13, the capstone."""

import math

import torch

from ldvd_lib.anatomy import Anatomy, dissect
from ldvd_lib.classroom.capstone import BRIEF, Design, Entry, frames_seen
from ldvd_lib.classroom.exercises import attempt, exercise, expect, expect_equal
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
    expect(isinstance(design, Design), "a capstone.Design was expected: a name, kinds, and perhaps options")
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
    ("shift", "shift", "shift", "2d"),
    ("3d", "3d", "3d", "3d"),
    ("2+1d", "2+1d", "2d", "2d"),
    ("2+1d", "2+1d", "shift", "2d"),
    ("shift", "3d", "shift", "2d"),
    ("2d", "3d", "2d", "shift"),
    ("3d", "2+1d", "shift"),
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
        got = attempt(frames_seen, kinds)
        expected = _seen(kinds)
        mistakes = {
            _walk(kinds, doubling=False): "as if a stride of two did not move the neighbours of later layers apart",
            _walk(kinds, kernel=4): "as if a kernel of four added four frames; it adds three to what one place saw",
            _walk(kinds, shift=1): "as if a shift brought frames from one side only",
            _walk(kinds, double_first=True): "as if the stride came before the kernel of the same layer",
            min(expected, 16): "but leave out that the clip has only 16 frames: uncapped, as the tables print it",
        }
        if got != expected and got in mistakes:
            expect(False, f"for {kinds} you say {got}, {mistakes[got]}")
        expect_equal(got, expected, f"the number of frames that {kinds} sees")
    return "One number tells how far a critic looks; notebook 08 tells how little it may see out there."


def _seen(kinds: tuple[str, ...]) -> int:
    return frames_seen(_anatomy(kinds))


def _anatomy(kinds: tuple[str, ...]) -> Anatomy:
    with torch.device("meta"):
        return dissect(VideoDiscriminator(kinds, image_size=32, base_channels=4))


def _walk(kinds, *, kernel: int = 3, shift: int = 2, doubling: bool = True, double_first: bool = False) -> int:
    """The receptive field in frames, with a mistake or without."""
    seen, step = 1, 1
    for kind in kinds:
        if kind in ("3d", "2+1d"):
            step *= 2 if double_first else 1
            seen += kernel * step
            step *= 2 if doubling and not double_first else 1
        elif kind == "shift":
            seen += shift * step
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
    for difference, noise in ((0.19, 0.3), (0.5, 0.3), (0.25, 0.3), (0.1, 0.25), (0.9, 0.1)):
        got = attempt(seeds_needed, difference, noise)
        ratio = (noise / difference) ** 2
        expected = math.ceil(8 * ratio)
        case = f"for a difference of {difference:.0%} and a noise of {noise:.0%}"
        mistakes = {
            math.ceil(4 * ratio): "both designs have an error, and you counted one",
            math.ceil(2 * ratio): "the difference should be twice its error, and this makes it equal to it",
            math.ceil(8 * ratio**0.5): "the error falls with the root of n, so the ratio comes in squared",
            math.floor(8 * ratio): "rounded down, the difference is not quite clear yet",
            8 * ratio: "a whole number of seeds is needed: round up",
        }
        if got != expected and got in mistakes:
            expect(False, f"{case} you say {got:g}: {mistakes[got]}")
        expect_equal(got, expected, f"the number of seeds {case}")
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
    expect(
        isinstance(entry, Entry),
        "an entry was expected: the first of the two things that score(design) returns",
    )
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
