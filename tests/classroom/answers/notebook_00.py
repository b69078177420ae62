"""Right and wrong answers to the exercises of 00, with a phrase of the message that names what is wrong."""

import math

import numpy as np
import torch


def boomerang(videos):
    return torch.cat([videos, videos[:, :, 1:-1].flip(2)], dim=2)


def boomerang_by_a_loop(videos):
    num_frames = videos.shape[2]
    frames = [videos[:, :, t] for t in range(num_frames)]
    for t in range(num_frames - 2, 0, -1):
        frames.append(videos[:, :, t])
    return torch.stack(frames, dim=2)


STUBS = {"00.1": ..., "00.2": lambda videos: None}
RIGHT = {
    "00.1": (49_152, torch.tensor(49_152), np.int64(49_152), 49_152.0, math.prod((16, 32, 32, 3))),
    "00.2": (
        boomerang,
        boomerang_by_a_loop,
        lambda videos: videos[:, :, [*range(videos.shape[2]), *range(videos.shape[2] - 2, 0, -1)]],
    ),
}
WRONG = {
    "00.1": (
        (16 * 32 * 32, "number of pixels"),
        (32 * 32 * 3, "one frame, and the clip has sixteen"),
        (32 * 32, "pixels of one frame"),
        (16 * 32 * 3, "as high as it is wide"),
        (16 + 32 + 32 + 3, "multiply"),
        (16 * 32 * 32 * 4, "transparency"),
        (16 * 32 * 32 * 3 * 8, "bits"),
        (100, "what the generator is given"),
        (5, None),
        ("16 * 32 * 32 * 3", "should be one number"),
    ),
    "00.2": (
        (lambda videos: videos.flip(2), "there and back takes more"),
        (lambda videos: torch.cat([videos, videos.flip(2)], dim=2), "8, which is two too many"),
        (lambda videos: torch.cat([videos, videos[:, :, :-1].flip(2)], dim=2), "one of the two ends"),
        (lambda videos: torch.cat([videos, videos[:, :, 1:-2].flip(2)], dim=2), "one too few"),
        (lambda videos: torch.cat([videos, videos[:, :, 1:-1]], dim=2), "it should go backwards"),
        (lambda videos: torch.cat([videos.flip(2), videos[:, :, 1:-1]], dim=2), "forwards first"),
        (lambda videos: torch.cat([videos[:, :, 1:-1].flip(2), videos], dim=2), "forwards first"),
        (lambda videos: torch.cat([videos, videos[:, :, 1:-1].flip(3)], dim=2), "something else than time"),
        (lambda videos: torch.cat([videos, videos[:, :, 1:-1].flip(2, 4)], dim=2), "something else than time"),
        (lambda videos: boomerang(videos.flip(1)), "something else than time"),
        (lambda videos: torch.cat([videos, videos[:, :, :-2].flip(2)], dim=2), "another is left out"),
        (lambda videos: torch.cat([videos, videos[:, :, 2:].flip(2)], dim=2), "the last frame comes twice"),
        (lambda videos: boomerang(videos)[:, :, :, ::2], "axis 3 is too short"),
    ),
}
