"""How a body moves in each articulated action: one function per action, from position in the cycle to a pose.

A pose says where pelvis, hands and feet are; knees and elbows follow (`figure.bend`). Feet that stand and hands that
hold or support do not slide. All lengths are in heights of the body, all angles in radians.
"""

from collections.abc import Callable

import numpy as np

from ldvd_lib.data.actions.figure import SIDES, Body, Pose, shoulders, unit, vector

FORWARD = vector(1, 0, 0)


def smooth(values: np.ndarray) -> np.ndarray:
    """Ease from 0 to 1 as values go from 0 to 1."""
    values = np.clip(values, 0, 1)
    return values * values * (3 - 2 * values)


def pulse(phase: np.ndarray, start: float, end: float, rise: float = 0.5) -> np.ndarray:
    """Rise smoothly from 0 to 1 and fall back within a part of each cycle; ``rise`` is where the peak lies in it."""
    inside = (phase - start) % 1.0 / (end - start)
    return np.where(inside < rise, smooth(inside / rise), smooth((1 - inside) / (1 - rise)))


def swing(cycles: np.ndarray) -> np.ndarray:
    """Go smoothly from 0 to 1 and back, once a cycle."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * cycles)


def _pose(cycles: np.ndarray, **parts) -> Pose:
    """A pose; parts that are not given are those of a person who stands still and looks ahead."""
    still = np.zeros_like(cycles)
    defaults = {
        "twist": still,
        "travel": still,
        "toes": np.zeros((2, len(cycles))),
        "elbows": vector(-1, -0.3, 0.5 * SIDES),
        "knees": vector(1, 0, 0.15 * SIDES),
        "look": np.broadcast_to(FORWARD, (len(cycles), 3)),
    }
    parts = defaults | parts
    shapes = {"pelvis": 1, "spine": 1, "look": 1, "hands": 2, "feet": 2, "elbows": 2, "knees": 2}
    for name, sides in shapes.items():
        parts[name] = np.broadcast_to(parts[name], (2,) * (sides - 1) + (len(cycles), 3))
    return Pose(**parts)


def _lean(angle: np.ndarray) -> np.ndarray:
    """A spine that leans forward by an angle."""
    return vector(np.sin(angle), np.cos(angle), 0)


def _gait(cycles, body: Body, *, stride: float, stance: float, lift: float, reach_back: float) -> tuple:
    """Feet of a person who walks or runs: on the ground they move back as fast as the body moves forward.

    Args:
        stride: Distance covered in a cycle.
        stance: Share of the cycle during which a foot is on the ground.
        lift: How high the ankle is lifted.
        reach_back: How far behind the hip, as a share of the step, the foot leaves the ground.
    """
    phase = (cycles + np.array([[0.0], [0.5]])) % 1.0
    step = stride * stance
    standing = phase / stance
    flying = np.clip((phase - stance) / (1 - stance), 0, 1)
    # A cubic that leaves and lands with the speed of the ground: the foot does not jerk.
    slope = -stride * (1 - stance)
    start, end = -reach_back * step, (1 - reach_back) * step
    curve = (
        (2 * flying**3 - 3 * flying**2 + 1) * start
        + (flying**3 - 2 * flying**2 + flying) * slope
        + (3 * flying**2 - 2 * flying**3) * end
        + (flying**3 - flying**2) * slope
    )
    x = np.where(phase < stance, end - standing * step, curve)
    heel = 0.055 * smooth((standing - 0.6) / 0.4)
    y = body.ankle + np.where(
        phase < stance, heel, 0.055 * (1 - smooth(flying)) + lift * np.sin(np.pi * flying**0.75) ** 1.5
    )
    toes = np.where(
        phase < stance,
        -0.75 * smooth((standing - 0.55) / 0.45) + 0.25 * (1 - smooth(standing / 0.2)),
        -0.75 * (1 - smooth(flying / 0.7)) + 0.25 * smooth((flying - 0.5) / 0.5),
    )
    return vector(x, y, 0.75 * body.hips * SIDES), toes


def walking(cycles: np.ndarray, amplitude: float, body: Body) -> Pose:
    """Walk forward, each arm swinging with the opposite leg."""
    stride = 0.7 * amplitude
    feet, toes = _gait(cycles, body, stride=stride, stance=0.6, lift=0.075, reach_back=0.52)
    bob = -0.022 * np.cos(4 * np.pi * (cycles - 0.02))
    pelvis = vector(0.015, body.standing - 0.024 + bob, 0)
    spine = _lean(np.full_like(cycles, 0.06))
    turn = np.cos(2 * np.pi * (cycles - 0.05))  # +1 as the right foot lands
    twist = -0.16 * amplitude * turn
    angle = -SIDES * 0.62 * amplitude * turn
    tops = shoulders(body, pelvis, spine, twist)
    length = body.arm * (0.965 - 0.05 * np.clip(np.sin(angle), 0, 1))
    hands = tops + length[..., None] * vector(np.sin(angle + 0.1), -np.cos(angle + 0.1), 0.1 * SIDES)
    return _pose(
        cycles, pelvis=pelvis, spine=spine, twist=twist, hands=hands, feet=feet, toes=toes, travel=stride * cycles
    )


def running(cycles: np.ndarray, amplitude: float, body: Body) -> Pose:
    """Run forward with bent arms; both feet are in the air twice a cycle."""
    stride = 1.12 * amplitude
    feet, toes = _gait(cycles, body, stride=stride, stance=0.36, lift=0.2, reach_back=0.6)
    bob = 0.03 * np.cos(4 * np.pi * (cycles - 0.43))
    feet[..., 1] += 0.02 * np.clip(bob / 0.03, 0, 1) * (feet[..., 1] > body.ankle + 0.06)
    pelvis = vector(0, body.standing - 0.045 + bob, 0)
    spine = _lean(0.2 + 0.03 * np.cos(4 * np.pi * cycles))
    turn = np.cos(2 * np.pi * (cycles - 0.02))
    twist = -0.3 * amplitude * turn
    angle = 0.35 - SIDES * 0.95 * amplitude * turn
    tops = shoulders(body, pelvis, spine, twist)
    hands = tops + 0.74 * body.arm * vector(np.sin(angle), -np.cos(angle), -0.12 * SIDES)
    return _pose(
        cycles, pelvis=pelvis, spine=spine, twist=twist, hands=hands, feet=feet, toes=toes, travel=stride * cycles
    )


def jumping_jacks(cycles: np.ndarray, amplitude: float, body: Body) -> Pose:
    """Jump with legs apart and arms overhead, and back."""
    opening = swing(cycles)
    airborne = np.sin(2 * np.pi * cycles) ** 2
    apart = 0.055 + 0.19 * amplitude * opening
    hop = 0.05 * amplitude * airborne
    feet = vector(0, body.ankle + hop, apart * SIDES)
    below = np.sqrt(body.leg**2 - (apart - body.hips) ** 2)
    pelvis = vector(0, body.ankle + hop * 1.15 + below - 0.022 * (1 - airborne), 0)
    spine = _lean(np.full_like(cycles, 0.03))
    tops = shoulders(body, pelvis, spine, np.zeros_like(cycles))
    angle = 0.22 + 2.72 * opening * min(amplitude, 1.05)
    hands = tops + 0.985 * body.arm * vector(0.1, -np.cos(angle), np.sin(angle) * SIDES)
    toes = np.broadcast_to(-0.5 * airborne, (2, len(cycles)))
    return _pose(
        cycles, pelvis=pelvis, spine=spine, hands=hands, feet=feet, toes=toes,
        elbows=vector(0.1, -0.2, SIDES), knees=vector(1, 0, 0.5 * SIDES),
    )  # fmt: skip


def squats(cycles: np.ndarray, amplitude: float, body: Body) -> Pose:
    """Bend knees and hips, arms stretched forward for balance."""
    down = swing(cycles)
    depth = 0.26 * amplitude * down
    feet = vector(0, body.ankle, (0.105 + 0 * cycles) * SIDES)
    pelvis = vector(-0.6 * depth, body.standing - 0.004 - depth, 0)
    spine = _lean(0.05 + 0.62 * amplitude * down)
    tops = shoulders(body, pelvis, spine, np.zeros_like(cycles))
    angle = 0.12 + 1.4 * down
    hands = tops + 0.97 * body.arm * vector(np.sin(angle), -np.cos(angle), (0.12 - 0.1 * down) * SIDES)
    return _pose(cycles, pelvis=pelvis, spine=spine, hands=hands, feet=feet, knees=vector(1, 0, 0.45 * SIDES))


def boxing(cycles: np.ndarray, amplitude: float, body: Body) -> Pose:
    """Punch with the left, then with the right, with the guard up in between."""
    phase = cycles % 1.0
    jab, cross = pulse(phase, 0.0, 0.46, 0.42), pulse(phase, 0.5, 0.96, 0.42)
    bounce = 0.014 * np.cos(4 * np.pi * cycles)
    feet = vector(np.array([[-0.23], [0.09]]) + 0 * cycles, body.ankle + np.array([[0.03], [0.0]]), 0.07 * SIDES)
    toes = np.array([[-0.45], [0.0]]) + 0 * cycles
    pelvis = vector(-0.07 + 0.035 * (jab + cross), body.standing - 0.05 + bounce, 0)
    spine = _lean(0.1 + 0.08 * (jab + cross))
    twist = -0.35 + amplitude * (0.95 * cross - 0.3 * jab)
    tops = shoulders(body, pelvis, spine, twist)
    guard = 0.5 * (tops[:1] + tops[1:]) + vector(0.15, 0.05 + 0 * cycles, 0.045 * SIDES)
    struck = 0.5 * (tops[:1] + tops[1:]) + vector(0.17 + 0.26 * amplitude, 0.05 + 0 * cycles, -0.01 * SIDES)
    extent = np.stack([cross, jab])[..., None]
    hands = guard + (struck - guard) * extent
    return _pose(
        cycles, pelvis=pelvis, spine=spine, twist=twist, hands=hands, feet=feet, toes=toes,
        elbows=vector(-0.3, -1, 0.45 * SIDES), knees=vector(1, 0, 0.3 * SIDES),
    )  # fmt: skip


def kicking(cycles: np.ndarray, amplitude: float, body: Body) -> Pose:
    """Kick high with the right leg: lift the knee, extend, return."""
    phase = cycles % 1.0
    raised = np.minimum(1.6 * swing(cycles), 1)
    raised = raised * (2 - raised)  # up and down quickly, so that the guard between two kicks is short
    extended = pulse(phase, 0.2, 0.82, 0.5)
    pelvis = vector(-0.08 + 0.02 * raised, body.standing - 0.03 + 0.015 * extended, 0)
    spine = _lean(0.07 - 0.42 * amplitude * extended)
    chamber = pelvis + vector(0.15, -0.24, 0.05)
    strike = pelvis + body.leg * unit(vector(1.0, 0.28 * amplitude, 0.08))
    rest = vector(-0.23, body.ankle + 0.02, 0.06)
    kick = rest + (chamber - rest) * raised[..., None]
    kick = kick + (strike - kick) * extended[..., None]
    support = np.broadcast_to(vector(-0.05, body.ankle, -0.045), kick.shape)
    toes = np.stack([-0.3 + 0.9 * raised + 0.35 * extended, 0 * raised])
    tops = shoulders(body, pelvis, spine, 0.25 * extended)
    guard = vector(0.14, 0.02, -0.02 * SIDES)
    fling = vector(-0.1, -0.22, 0.14 * SIDES)
    hands = tops + guard + (fling - guard) * (extended * np.array([[0.95], [0.45]]))[..., None]
    return _pose(
        cycles, pelvis=pelvis, spine=spine, twist=0.25 * extended, hands=hands,
        feet=np.stack([kick, support]), toes=toes, elbows=vector(-0.6, -1, 0.4 * SIDES),
        knees=np.array([[[0.6, 1.0, 0.08]], [[1.0, 0.0, -0.15]]]),
    )  # fmt: skip


def pull_ups(cycles: np.ndarray, amplitude: float, body: Body) -> Pose:
    """Hang from a bar, pull the chin over it, lower the body again."""
    up = swing(cycles)
    sway = 0.02 * np.sin(2 * np.pi * cycles)
    lowest = BAR_HEIGHT - 0.985 * np.sqrt(body.arm**2 - (GRIP - body.shoulders) ** 2)
    top = lowest + 0.215 * amplitude * up
    spine = unit(vector(-0.06 * up + sway, 1, 0))
    pelvis = vector(0.03 + sway, top, 0) - body.trunk * spine
    fold = 0.16 + 0.05 * up
    feet = pelvis + vector(-fold, -0.93 * body.leg + 0.11 * up + 0.3 * fold, 0.045 * SIDES)
    hands = vector(0.02, BAR_HEIGHT + 0 * cycles, GRIP * SIDES)
    toes = np.full((2, len(cycles)), -0.9)
    look = unit(vector(1, 0.25 - 0.35 * up, 0))
    return _pose(
        cycles, pelvis=pelvis, spine=spine, hands=hands, feet=feet, toes=toes,
        elbows=vector(-0.2, -1, SIDES), look=look,
    )  # fmt: skip


def push_ups(cycles: np.ndarray, amplitude: float, body: Body) -> Pose:
    """Lower a straight body to the ground on the hands, and push it up."""
    down = swing(cycles)
    length = body.leg + body.trunk
    ankle = vector(-0.5 * length - 0.085, 0.085, 0)
    height = body.arm - 0.005 - 0.17 * amplitude * down
    rise = (height - 0.085) / length
    line = vector(np.sqrt(1 - rise**2), rise, 0)
    pelvis = ankle + 0.995 * body.leg * line + vector(0, 0.012 - 0.012 * down, 0)
    spine = unit(ankle + length * line - pelvis)
    tops_up = ankle[0] + length * np.sqrt(1 - ((body.arm - 0.09) / length) ** 2)
    hands = vector(tops_up + 0.01, 0.03 + 0 * cycles, 0.15 * SIDES)
    look = unit(vector(0.75, -0.62, 0))
    return _pose(
        cycles, pelvis=pelvis, spine=spine, hands=hands, look=np.broadcast_to(look, pelvis.shape),
        feet=ankle + vector(0, 0 * cycles, 0.045 * SIDES), toes=np.full((2, len(cycles)), -1.2),
        elbows=vector(-1, 0.25, 0.6 * SIDES), knees=vector(0.1, -1, 0),
    )  # fmt: skip


BAR_HEIGHT = 1.19
GRIP = 0.19  # half the distance between the hands on the bar

# action → pose, height of the figure in pixels, direction in which it faces, in degrees (90: towards the camera)
ARTICULATED: dict[str, tuple[Callable[[np.ndarray, float, Body], Pose], float, float]] = {
    "Boxing": (boxing, 176, 24),
    "JumpingJacks": (jumping_jacks, 152, 78),
    "Kicking": (kicking, 166, 14),
    "PullUps": (pull_ups, 142, 68),
    "PushUps": (push_ups, 172, 10),
    "Running": (running, 176, 10),
    "Squats": (squats, 176, 42),
    "Walking": (walking, 176, 12),
}
