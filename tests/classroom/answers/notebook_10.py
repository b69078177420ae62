"""Right and wrong answers to the exercises of 10, with a phrase of the message that names what is wrong."""

import numpy as np
import torch

from ldvd_lib.classroom.exercises.notebook_10 import BOTH, EXACT, FOLLOWERS, FRAMES

POWERS = {"none": 3, "frames": 2, "batch": 2, "both": 1}


def subsample(maps, n, first, *, clips=slice(None, None, 2), step=2):
    return maps.unflatten(0, (n, -1))[clips, first::step].flatten(0, 1)


def by_rows(maps, n, first):
    frames = len(maps) // n
    return torch.stack([maps[clip * frames + t] for clip in range(0, n, 2) for t in range(first, frames, 2)])


def by_index(maps, n, first):
    rows = torch.arange(len(maps)).view(n, -1)
    return maps[rows[::2][:, first::2].reshape(-1)]


def flicker(period=2, side=1):
    """A chessboard of squares of `side` pixels that turns over, with a period of so many frames."""
    t, y, x = torch.meshgrid(torch.arange(16), torch.arange(32), torch.arange(32), indexing="ij")
    return (-1.0) ** (t * 2 // period + y // side + x // side)


def stripes():
    """Upright stripes one pixel wide, which move by a pixel from frame to frame."""
    t, _, x = np.meshgrid(np.arange(16), np.arange(32), np.arange(32), indexing="ij")
    return np.where((t + x) % 2, 1.0, -1.0)


def blinking():
    """Whole frames, bright and dark in turn."""
    return ((-1.0) ** torch.arange(16)).view(16, 1, 1).expand(16, 32, 32)


CHOICES = dict(FOLLOWERS)

STUBS = {
    "10.1": dict.fromkeys(POWERS, ...),
    "10.2": lambda maps, n, first: None,
    "10.3": dict.fromkeys(CHOICES, ...),
    "10.4": ...,
}
RIGHT = {
    "10.1": (
        POWERS,
        {name: float(power) for name, power in POWERS.items()},
        {name: torch.tensor(power) for name, power in POWERS.items()},
    ),
    "10.2": (subsample, by_rows, by_index, lambda maps, n, first: list(by_rows(maps, n, first))),
    "10.3": (CHOICES, dict(reversed(CHOICES.items())), CHOICES | {"G": "none of ours"}),
    "10.4": (flicker(), 0.5 * flicker(), flicker(side=2), stripes(), -flicker(), flicker().tolist()),
}
WRONG = {
    "10.1": (
        ({name: 2**power for name, power in POWERS.items()}, "these are factors"),
        (POWERS | {"both": 0}, "does a longer, larger clip have the same levels"),
        (POWERS | {"both": 2}, "left out once more"),
        (POWERS | {"frames": 3}, "left out once more"),
        (POWERS | {"batch": 1}, "a halving that does not happen"),
        (POWERS | {"frames": 1}, "a halving that does not happen"),
        (POWERS | {"none": 2}, "nothing is left out"),
        (POWERS | {"none": 4}, "three sides of a clip"),
        (POWERS | {"both": 0.5}, "count them"),
        (POWERS | {"both": -1}, "it grows"),
        (POWERS | {"none": "cube"}, "should be one number"),
        ([3, 2, 2, 1], "a dictionary with a power for each"),
    ),
    "10.2": (
        (lambda maps, n, first: subsample(maps, n, first, clips=slice(None)), "every video is still there"),
        (lambda maps, n, first: subsample(maps, n, 0, step=1), "every frame is still there"),
        (lambda maps, n, first: maps, "everything is still there"),
        (
            lambda maps, n, first: maps.unflatten(0, (-1, n))[first::2, ::2].flatten(0, 1),
            "you took them frame after frame",
        ),
        (lambda maps, n, first: maps.unflatten(0, (n, -1))[::2, first::2], "one again"),
        (lambda maps, n, first: subsample(maps, n, 0), "whatever `first` says"),
        (lambda maps, n, first: subsample(maps, n, 1 - first), "wrong one of two"),
        (lambda maps, n, first: subsample(maps, n, first, clips=slice(first, None, 2)), "the coin is for frames"),
        (lambda maps, n, first: subsample(maps, n, first, clips=slice(1, None, 2)), "these are the others"),
        (
            lambda maps, n, first: maps.unflatten(0, (n, -1))[: (n + 1) // 2, : len(maps) // n // 2].flatten(0, 1),
            "first half",
        ),
        (
            lambda maps, n, first: maps.unflatten(0, (n, -1))[::2, first::2].transpose(0, 1).flatten(0, 1),
            "come frame after frame now",
        ),
        (lambda maps, n, first: maps[first::2], "every video is still there"),
        (lambda maps, n, first: maps[first::4], "every fourth row is not"),
        (lambda maps, n, first: maps[: len(maps) // 4 + 1], "one place too long"),
        (lambda maps, n, first: -subsample(maps, n, first), "wrong sign"),
        (lambda maps, n, first: subsample(maps, n, first).roll(1, 2), None),
    ),
    "10.3": (
        (CHOICES | {"A": FRAMES}, "A is not 'frames': what of a frame does it need"),
        (CHOICES | {"B": EXACT}, "third side"),
        (CHOICES | {"B": BOTH}, "third side"),
        (CHOICES | {"C": BOTH}, "another clip"),
        (CHOICES | {"C": EXACT}, "what does its state at one frame come from"),
        (CHOICES | {"D": EXACT}, "taken over"),
        (CHOICES | {"D": FRAMES}, "taken over"),
        (CHOICES | {"E": BOTH}, "once training is over"),
        (CHOICES | {"F": FRAMES}, "which numbers"),
        (CHOICES | {"D": "batch"}, "should be one of"),
        (list(CHOICES.values()), "should be a dictionary"),
    ),
    "10.4": (
        (torch.zeros(16, 32, 32), "it stands still"),
        (flicker(side=1)[:1].expand(16, 32, 32), "it stands still"),
        (flicker(4), "yours changes by 0.00"),
        (0.1 * flicker(), "yours changes by 0.20"),
        (blinking(), "level 1 notices: it sees every frame, as averages"),
        (flicker(side=4), "level 1 notices"),
        (torch.rand(16, 32, 32, generator=torch.Generator().manual_seed(0)).mul(2).sub(1).round(), "level 1 notices"),
        (
            flicker(side=2)[:1] * torch.tensor([1.0, 0, -1, 0] * 4).view(16, 1, 1),
            "level 2 notices: it sees every second",
        ),
        (flicker()[:1] * torch.tensor([1.0, 0, 1, 0, -1, 0, -1, 0] * 2).view(16, 1, 1), "level 3 notices"),
        (3 * flicker(), "between -1 and 1"),
        (flicker() / 0, "not finite"),
        (flicker()[:, :16], "axis 1 is too short"),
        (flicker()[None], "an axis of length 1 is too many"),
        ("a chessboard", "should be a tensor"),
    ),
}
