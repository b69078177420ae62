"""The actions of rigid objects, and the bar of the pull-ups, as round solids in world pixels."""

from collections.abc import Callable

import numpy as np

from ldvd_lib.data.actions.factors import CLOTH, Content, Motion
from ldvd_lib.data.actions.figure import unit, vector
from ldvd_lib.data.actions.poses import BAR_HEIGHT
from ldvd_lib.data.actions.solids import Solid

WOOD = (150, 112, 82)
IRON = (92, 94, 102)
WHITEWASH = (226, 220, 208)


def _fixed(start: tuple, end: tuple, radii: tuple[float, float], colour: tuple, num_frames: int) -> Solid:
    """A solid that does not move."""
    first, second = (np.broadcast_to(np.array(point, dtype=float), (num_frames, 3)) for point in (start, end))
    return Solid(first, second, radii, colour)


def bouncing_ball(content: Content, motion: Motion, cycles: np.ndarray) -> tuple[list[Solid], np.ndarray]:
    """A ball that bounces, sways a little sideways and spins. Returns: solids, travel (T,)."""
    radius = 42 * content.height * (0.85 + 0.15 * content.build)
    phase = cycles % 1.0
    height = radius + 98 * motion.amplitude * 4 * phase * (1 - phase)
    # Flattened for a moment where it meets the ground: a short lying capsule instead of a ball.
    press = np.maximum(1 - np.minimum(phase, 1 - phase) / 0.09, 0) ** 2
    across = 26 * motion.direction * motion.amplitude * np.sin(np.pi * cycles)
    centre = vector(across, height - 0.12 * radius * press, 0)
    half = vector(0.22 * radius * press, 0, 0)
    angle = -motion.direction * np.pi * cycles
    axis = unit(vector(np.cos(angle), np.sin(angle), 0.35))
    flat = radius * 0.98
    ball = Solid(centre - half, centre + half, (flat, flat), CLOTH[content.shirt], CLOTH[content.accent], axis)
    return [ball], np.zeros_like(cycles)


def pendulum_swing(content: Content, motion: Motion, cycles: np.ndarray) -> tuple[list[Solid], np.ndarray]:
    """A heavy ball on a rod, swinging from a beam."""
    num_frames = len(cycles)
    radius = 29 * content.height * (0.85 + 0.15 * content.build)
    length, pivot_height = 118.0, 182.0
    angle = 0.58 * motion.amplitude * motion.direction * np.sin(2 * np.pi * cycles)
    pivot = np.broadcast_to(vector(0, pivot_height, 0), (num_frames, 3))
    along = vector(np.sin(angle), -np.cos(angle), 0)
    bob = pivot + length * along
    beam = [_fixed((-88, pivot_height + 4, -6), (88, pivot_height + 4, -6), (6.5, 6.5), WOOD, num_frames)]
    for side in (-1, 1):
        beam.append(_fixed((side * 76, pivot_height, -10), (side * 92, 4, -10), (5.5, 6.5), WOOD, num_frames))
    return [
        *beam,
        Solid(pivot, bob, (3.6, 3.6), IRON, casts=False),
        Solid(pivot, pivot, (8, 8), CLOTH[content.trousers], casts=False),
        Solid(bob, bob, (radius, radius), CLOTH[content.shirt], CLOTH[content.accent], along),
    ], np.zeros_like(cycles)


def rolling_wheel(content: Content, motion: Motion, cycles: np.ndarray) -> tuple[list[Solid], np.ndarray]:
    """A spoked wheel that rolls along without slipping; the camera follows."""
    radius, tyre = 72 * content.height, 11 * content.build
    # Half a turn a cycle: opposite spokes are alike.
    angle = -motion.direction * np.pi * cycles
    travel = motion.direction * np.pi * (radius + tyre) * cycles
    hub = vector(travel, radius + tyre, 0)

    def spoke(degrees: float, reach: float) -> np.ndarray:
        turned = angle + np.radians(degrees)
        return hub + reach * vector(np.cos(turned), np.sin(turned), 0) - vector(0, 0, 6)

    colours = (CLOTH[content.shirt], CLOTH[content.accent])
    solids = [Solid(hub, hub, (tyre, tyre), CLOTH[content.trousers], ring=radius)]
    for index in range(4):
        start, end = spoke(45 * index, radius - 3), spoke(45 * index + 180, radius - 3)
        solids.append(Solid(start, end, (5.5, 5.5), colours[0 if index == 0 else 1], casts=False))
    solids.append(Solid(hub, hub, (16, 16), colours[0], casts=False))
    return solids, travel


def spinning_windmill(content: Content, motion: Motion, cycles: np.ndarray) -> tuple[list[Solid], np.ndarray]:
    """Four sails turning on a tower."""
    num_frames = len(cycles)
    reach, height = 85 * content.height, 108.0
    angle = -motion.direction * 2 * np.pi * cycles
    turn = np.radians(10 + motion.view)
    hub = np.broadcast_to(vector(0, height, 24), (num_frames, 3))
    tower = [
        _fixed((0, 16, 0), (0, height + 8, 0), (25 * content.build, 12), WHITEWASH, num_frames),
        _fixed((0, 6, 21), (0, 22, 20), (7, 7), WOOD, num_frames),
        _fixed((0, height + 4, -2), (0, height, 24), (17, 10), CLOTH[content.trousers], num_frames),
    ]
    sails = []
    for index in range(4):
        sail = angle + index * np.pi / 2
        outward = vector(np.cos(sail) * np.cos(turn), np.sin(sail), np.cos(sail) * np.sin(turn))
        behind = motion.direction * vector(-np.sin(sail) * np.cos(turn), np.cos(sail), -np.sin(sail) * np.sin(turn))
        inner, outer = (hub + share * reach * outward + 7 * behind for share in (0.34, 0.92))
        sails.append(Solid(inner, outer, (8.5, 9.5), CLOTH[content.shirt if index % 2 else content.accent]))
        sails.append(Solid(hub, hub + reach * outward + vector(0, 0, 6), (4, 3), WOOD, casts=False))
    return [
        *tower,
        *sails,
        Solid(hub, hub + vector(0, 0, 8), (10, 8), IRON, casts=False),
    ], np.zeros_like(cycles)


def bar(num_frames: int, size: float, facing: float) -> list[Solid]:
    """The bar that pull-ups are done on, with its posts."""
    across = np.array([-np.sin(facing), 0, np.cos(facing)])
    height = np.array([0, BAR_HEIGHT * size, 0])
    right, left = (np.broadcast_to(height + side * 0.46 * size * across, (num_frames, 3)) for side in (1, -1))
    posts = [Solid(end * np.array([1, 0, 1]), end, (4.6, 4.2), WOOD) for end in (right, left)]
    return [Solid(right, left, (3.2, 3.2), IRON), *posts]


RIGID: dict[str, Callable[[Content, Motion, np.ndarray], tuple[list[Solid], np.ndarray]]] = {
    "BouncingBall": bouncing_ball,
    "PendulumSwing": pendulum_swing,
    "RollingWheel": rolling_wheel,
    "SpinningWindmill": spinning_windmill,
}
