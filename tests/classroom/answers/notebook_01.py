"""Right and wrong answers to the exercises of 01, with a phrase of the message that names what is wrong."""

import math

import numpy as np
import torch

from ldvd_lib import video


def to_pixels(clip):
    return video.to_uint8(clip).permute(1, 2, 3, 0)


def scaled(clip, *, add=1.0, factor=127.5, round=True, clamp=True):
    values = (clip.permute(1, 2, 3, 0) + add) * factor
    values = values.round() if round else values
    return (values.clamp(0, 255) if clamp else values).to(torch.uint8)


def to_pixels_in_place(clip):
    return clip.add_(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8).permute(1, 2, 3, 0)


def corner(frames, top, left, side=None):
    side = min(frames.shape[1:3]) if side is None else side
    return frames[:, top : top + side, left : left + side]


def centre_square(frames):
    height, width = frames.shape[1:3]
    side = min(height, width)
    return corner(frames, (height - side) // 2, (width - side) // 2)


def centre_square_by_cutting(frames):
    """Cuts a row or a column off, on this side and on that, until it is a square."""
    frames, at_end = list(frames), True
    while frames[0].shape[0] != frames[0].shape[1]:
        part = slice(None, -1) if at_end else slice(1, None)
        tall = frames[0].shape[0] > frames[0].shape[1]
        frames = [frame[part] if tall else frame[:, part] for frame in frames]
        at_end = not at_end
    return np.stack(frames)


def num_windows(clip_length, num_frames, stride):
    return max(0, clip_length - (num_frames - 1) * stride)


def num_windows_by_counting(clip_length, num_frames, stride):
    return sum(start + (num_frames - 1) * stride < clip_length for start in range(clip_length))


def apparent_turn(period, stride):
    return (stride / period + 0.5) % 1 - 0.5


def apparent_turn_by_a_loop(period, stride):
    turn = stride / period
    while turn > 0.5:
        turn -= 1
    return turn


STUBS = {
    "01.1": lambda clip: None,
    "01.2": lambda frames: None,
    "01.3": lambda clip_length, num_frames, stride: None,
    "01.4": lambda period, stride: None,
}
RIGHT = {
    "01.1": (
        to_pixels,
        lambda clip: to_pixels(clip).numpy(),
        lambda clip: (clip.permute(1, 2, 3, 0) * 127.5 + 128).clamp(0, 255).to(torch.uint8),
        scaled,
        lambda clip: np.rint(np.clip((clip.numpy() + 1) * 127.5, 0, 255)).astype(np.uint8).transpose(1, 2, 3, 0),
    ),
    "01.2": (
        centre_square,
        lambda frames: torch.from_numpy(centre_square(frames)),
        lambda frames: centre_square(frames[:, ::-1, ::-1])[:, ::-1, ::-1],  # spare pixel on the other side
        centre_square_by_cutting,
    ),
    "01.3": (
        num_windows,
        num_windows_by_counting,
        lambda *lengths: torch.tensor(num_windows(*lengths)),
        lambda length, frames, stride: float(np.clip(length - (frames - 1) * stride, 0, None)),
        lambda length, frames, stride: len(range(0, length - (frames - 1) * stride)),
    ),
    "01.4": (
        apparent_turn,
        apparent_turn_by_a_loop,
        lambda period, stride: math.remainder(stride, period) / period,
        lambda period, stride: np.float32(apparent_turn(period, stride)),
        lambda period, stride: torch.tensor(apparent_turn(period, stride)),
    ),
}
WRONG = {
    "01.1": (
        (lambda clip: video.to_uint8(clip), "axes are in another order"),
        (lambda clip: to_pixels(clip).transpose(1, 2), "axes are in another order"),
        (lambda clip: to_pixels(clip).float(), "should be torch.uint8"),
        (lambda clip: scaled(clip, round=False), "round before it"),
        (lambda clip: scaled(clip, clamp=False), "clamp first"),
        (lambda clip: ((clip.permute(1, 2, 3, 0) + 1) * 127.5).round().to(torch.uint8).clamp(0, 255), "clamp first"),
        (lambda clip: scaled(clip, factor=128), "255 steps"),
        (lambda clip: scaled(clip, add=0, factor=255), "values begin at -1"),
        (lambda clip: scaled(clip, factor=0.5), "scale them up"),
        (lambda clip: to_pixels(clip).flip(-1), "red and blue"),
        (lambda clip: to_pixels(-clip), "bright and dark"),
        (to_pixels_in_place, "work on a copy"),
        (lambda clip: scaled(clip, factor=255), None),
    ),
    "01.2": (
        (lambda frames: frames[:, :, 40:280], "axis 1 is too long"),
        (lambda frames: frames, "too long"),
        (lambda frames: corner(frames, 0, 0), "at the edge"),
        (lambda frames: centre_square(frames)[..., 0], "fewer axes"),
        (lambda frames: frames[:, ::-1, ::-1][:, -min(frames.shape[1:3]) :, -min(frames.shape[1:3]) :], "consecutive"),
        (lambda frames: corner(frames, frames.shape[1] - 240, frames.shape[2] - 240, 240), "so late"),
        (
            lambda frames: corner(frames, (frames.shape[2] - 240) // 2, (frames.shape[1] - 240) // 2),
            "axis 1 is too short",
        ),
        (lambda frames: np.repeat(centre_square(frames)[:, ::2], 2, axis=1), "rows of the square are not consecutive"),
        (lambda frames: centre_square(frames).transpose(0, 2, 1, 3), "rows of the square are not consecutive"),
        (lambda frames: centre_square(frames)[::-1], "frames in another order"),
        (lambda frames: centre_square(frames)[0], "fewer axes"),
        (lambda frames: corner(frames, 0, 0, max(frames.shape[1:3])), "too long"),
        (lambda frames: corner(frames, (frames.shape[1] - 240) // 4, (frames.shape[2] - 240) // 4, 240), "too early"),
    ),
    "01.3": (
        (lambda length, frames, stride: length - frames + 1, "the stride counts"),
        (lambda length, frames, stride: length - (frames - 1) * stride, "never fewer"),
        (lambda length, frames, stride: max(0, length - frames * stride + 1), "needs no stride behind it"),
        (lambda length, frames, stride: max(0, length - (frames - 1) * stride - 1), "begins at frame 0 is one"),
        (lambda length, frames, stride: max(0, (length - (frames - 1) * stride - 1) // stride + 1), "at any frame"),
        (lambda length, frames, stride: length // ((frames - 1) * stride + 1), "windows may overlap"),
        (lambda length, frames, stride: length // frames, "windows may overlap"),
        (lambda length, frames, stride: max(0, length - (frames - 1) * stride + 1), "hang over the end"),
        (lambda length, frames, stride: length, "end within the clip"),
        (lambda length, frames, stride: [num_windows(length, frames, stride)], "should be one number"),
        (lambda length, frames, stride: frames * stride, None),
    ),
    "01.4": (
        (lambda period, stride: stride / period, "leave no trace"),
        (lambda period, stride: stride / period % 1, "the shorter way"),
        (lambda period, stride: -apparent_turn(period, stride), "wrong sign"),
        (lambda period, stride: abs(apparent_turn(period, stride)), "lost its direction"),
        (lambda period, stride: apparent_turn(stride, period), "upside down"),
        (lambda period, stride: period / stride, "upside down"),
        (lambda period, stride: apparent_turn(period, stride) * period, "in frames"),
        (lambda period, stride: apparent_turn(period, stride) * 360, "degrees"),
        (lambda period, stride: apparent_turn(period, stride) * 2 * math.pi, "radians"),
        (lambda period, stride: (stride / period + 0.5) % 1, "taken off again"),
        (lambda period, stride: "backwards", "should be one number"),
        (lambda period, stride: apparent_turn(period, stride - 1), None),
    ),
}
