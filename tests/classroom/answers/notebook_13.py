"""Right and wrong answers to the exercises of 13, with a phrase of the message that names what is wrong."""

import dataclasses
import math

import torch

from ldvd_lib.classroom.capstone import BRIEF, Design
from ldvd_lib.classroom.leaderboard import Board, baselines


def frames_seen(kinds, *, kernel=3, shift=2, doubling=2, shift_doubling=1, halving=("3d", "2+1d"), step=1):
    seen = 1
    for kind in kinds:
        if kind in halving:
            seen, step = seen + kernel * step, step * doubling
        elif kind == "shift":
            seen, step = seen + shift * step, step * shift_doubling
    return seen


def frames_seen_backwards(kinds):
    seen = 1
    for kind in reversed(kinds):
        seen = {"3d": 2 * seen + 2, "2+1d": 2 * seen + 2, "shift": seen + 2, "2d": seen}[kind]
    return seen


def frames_seen_by_following(kinds):
    seen = {0}
    for kind in reversed(kinds):
        if kind == "shift":
            seen = {place + step for place in seen for step in (-1, 0, 1)}
        elif kind != "2d":
            seen = {2 * place + offset for place in seen for offset in range(4)}
    return len(seen)


def stride_first(kinds):
    seen, step = 1, 1
    for kind in kinds:
        step *= 2 if kind in ("3d", "2+1d") else 1
        seen += {"3d": 3, "2+1d": 3, "shift": 2, "2d": 0}[kind] * step
    return seen


def seeds_needed(difference, noise, *, factor=8):
    return math.ceil(factor * (noise / difference) ** 2)


def seeds_by_trying(difference, noise):
    seeds = 1
    while difference < 2 * noise * math.sqrt(2 / seeds) - 1e-12:
        seeds += 1
    return seeds


SMALL = Design("small", ("2+1d", "2+1d", "shift", "2d"), {"base_channels": 8})
SHORT = Design("short", ("2+1d", "2+1d", "2+1d"), {"base_channels": 12})
_COSTS = SMALL.anatomy()
# An entry that no run has earned, and relatives of it.
ENTRY = dataclasses.replace(
    baselines()[0],
    design=SMALL,
    parameters=_COSTS.parameters,
    multiply_adds=_COSTS.multiply_adds,
    curvatures=(5.0, 5.0),
    seeds=(0, 1),
    scores=(1.0, 1.0),
)
BAD = dataclasses.replace(ENTRY, scores=(9e9, 9e9))
QUICK = dataclasses.replace(ENTRY, steps=10, samples=64, budget="quick", curvatures=(1e6, 1e6))
SHARP = dataclasses.replace(ENTRY, curvatures=(2 * BRIEF.curvature,) * 2)
LARGE = dataclasses.replace(ENTRY, parameters=2 * BRIEF.parameters)
SLOW = dataclasses.replace(ENTRY, multiply_adds=2 * BRIEF.multiply_adds)
TOO_MUCH = dataclasses.replace(SHARP, parameters=2 * BRIEF.parameters)
BASELINES = [entry for entry in baselines() if not BRIEF.violations(entry)]
RENAMED = dataclasses.replace(BASELINES[0], design=dataclasses.replace(BASELINES[0].design, name="all mine"))


def fill_the_board():
    """Those that break the brief are of the same design as the first, which is to be found under them."""
    Board().add(ENTRY).add(QUICK)


PREPARE = {"13.4": fill_the_board}
STUBS = {"13.1": ..., "13.2": lambda kinds: None, "13.3": lambda difference, noise: None, "13.4": ...}
RIGHT = {
    "13.1": (
        SMALL,
        SHORT,
        Design("late", ("2+1d", "2+1d", "2d", "shift"), {"base_channels": 8}),
    ),
    "13.2": (
        frames_seen,
        frames_seen_backwards,
        frames_seen_by_following,
        lambda kinds: torch.tensor(frames_seen(kinds)),
    ),
    "13.3": (
        seeds_needed,
        seeds_by_trying,
        lambda difference, noise: -int(-8 * noise**2 / difference**2 // 1),
        lambda difference, noise: float(seeds_needed(difference, noise)),
    ),
    "13.4": (ENTRY, (ENTRY, ["run"]), QUICK),
}
WRONG = {
    "13.1": (
        (Design("TGAN-F", ("2+1d", "2+1d", "2d", "2d")), "parameters should be at most"),
        (Design("TGAN", ("3d", "3d", "3d", "3d")), "parameters should be at most"),
        (Design("wide", ("2+1d", "2+1d", "shift", "2d"), {"base_channels": 12}), "parameters should be at most"),
        (Design("shifts", ("shift", "shift", "shift"), {"base_channels": 12}), "multiply-adds should be at most"),
        (Design("late", ("shift", "shift", "2+1d"), {"base_channels": 12}), "multiply-adds should be at most"),
        (Design("short-sighted", ("2+1d", "2+1d", "2d", "2d"), {"base_channels": 8}), "sees 10 frames: it should"),
        (Design("frames", ("2d", "2d", "2d"), {"base_channels": 8}), "sees 1 frames: it should"),
        (Design("early", ("shift", "2+1d", "2+1d"), {"base_channels": 8}), "frames: it should see all 16"),
        (("2+1d", "2+1d"), "should be a capstone.Design"),
        ("small", "should be a capstone.Design"),
        (Design, "should be a capstone.Design"),
    ),
    "13.2": (
        (lambda kinds: frames_seen(kinds, doubling=1), "moves the neighbours of later layers apart"),
        (lambda kinds: frames_seen(kinds, kernel=4), "adds three"),
        (lambda kinds: frames_seen(kinds, shift=1), "from both sides"),
        (lambda kinds: frames_seen(kinds, shift=0), "a neighbour on either side"),
        (lambda kinds: frames_seen(kinds, halving=("3d",)), "a 2+1d layer has a kernel"),
        (lambda kinds: frames_seen(kinds, halving=("3d", "2+1d", "2d")), "a 2d layer does not look at time"),
        (lambda kinds: frames_seen(kinds, shift_doubling=2), "a shift has no stride"),
        (lambda kinds: frames_seen(kinds) - 1, "that one begins with"),
        (lambda kinds: frames_seen(kinds[::-1]), "from the last to the first"),
        (lambda kinds: frames_seen(kinds, step=2), "neighbours are one frame apart"),
        (stride_first, "not for its own kernel"),
        (lambda kinds: min(16, frames_seen(kinds)), "has only 16 frames"),
        (lambda kinds: 2 ** sum(kind in ("3d", "2+1d") for kind in kinds), "how far apart neighbours"),
        (lambda kinds: 5, None),
    ),
    "13.3": (
        (lambda difference, noise: seeds_needed(difference, noise, factor=4), "you counted one"),
        (lambda difference, noise: seeds_needed(difference, noise, factor=2), "twice its error"),
        (lambda difference, noise: seeds_needed(difference, noise, factor=1), "both designs have one"),
        (lambda difference, noise: seeds_needed(difference, noise, factor=16), "add as squares"),
        (lambda difference, noise: math.ceil(8 * noise / difference), "comes in squared"),
        (lambda difference, noise: seeds_needed(noise, difference), "upside down"),
        (lambda difference, noise: 2 * seeds_needed(difference, noise), "of both designs together"),
        (lambda difference, noise: math.floor(8 * (noise / difference) ** 2), "not quite clear"),
        (lambda difference, noise: 8 * (noise / difference) ** 2, "round up"),
        (lambda difference, noise: math.floor(8 * (noise / difference) ** 2) + 1, "one more is not needed"),
        (lambda difference, noise: 0, None),
        (lambda difference, noise: "many", "should be one number"),
    ),
    "13.4": (
        (SMALL, "should be an entry"),
        (1.0, "should be an entry"),
        (["run"], "should be an entry"),
        (dataclasses.replace(ENTRY, design=SHORT), "is not on the board yet"),
        (SHARP, "breaks the brief: curvature 80.0 over the limit"),
        (LARGE, "breaks the brief: parameters 400,000"),
        (SLOW, "breaks the brief: multiply-adds"),
        (TOO_MUCH, "breaks the brief: parameters 400,000 over the limit of 200,000; curvature"),
        (BASELINES[0], f"this is {BASELINES[0].design.name}"),
        (BASELINES[-1], f"this is {BASELINES[-1].design.name}"),
        (RENAMED, "change something, so that it is a design of your own"),
    ),
}
