"""A person as a set of round solids: from where hands and feet are to limbs, clothes and a head."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ldvd_lib.data.actions.factors import CLOTH, HAIR, SKIN, Content
from ldvd_lib.data.actions.solids import Solid

SIDES = np.array([1.0, -1.0])[:, None]  # right is +z, left is −z


@dataclass(frozen=True)
class Body:
    """Lengths of a body, as fractions of its height (nearly the same for all people)."""

    ankle: float = 0.045
    shin: float = 0.235
    thigh: float = 0.245
    trunk: float = 0.285  # hips to shoulders
    upper_arm: float = 0.165
    forearm: float = 0.165  # to the middle of the hand
    hips: float = 0.055  # half the width
    shoulders: float = 0.115  # half the width

    @classmethod
    def of(cls, content: Content) -> "Body":
        """The lengths of a content's body: with longer legs the trunk is shorter."""
        shin, thigh = 0.235 * content.leg_length, 0.245 * content.leg_length
        return cls(shin=shin, thigh=thigh, trunk=0.285 - (shin + thigh - 0.48))

    @property
    def leg(self) -> float:
        """Hip to ankle."""
        return self.shin + self.thigh

    @property
    def arm(self) -> float:
        """Shoulder to hand."""
        return self.upper_arm + self.forearm

    @property
    def standing(self) -> float:
        """Height of the hips when standing upright."""
        return self.ankle + self.leg


@dataclass(frozen=True)
class Pose:
    """Where a body's parts are over time, in heights: x forward, y up from the ground, z to the body's right.

    Args:
        pelvis: Middle of the hips, (T, 3).
        spine: Unit vector from hips to shoulders, (T, 3).
        twist: Turn of the shoulders about the spine, (T,), in radians; positive brings the right one forward.
        hands: Targets of right and left hand, (2, T, 3). Out of reach, the arm is stretched towards them.
        feet: Targets of right and left ankle, (2, T, 3).
        toes: Angle of right and left foot above the ground, (2, T), in radians.
        elbows, knees: Directions in which they point, (2, 1 or T, 3).
        look: Unit vector the face points along, (T, 3).
        travel: How far the body has moved over the ground, (T,).
    """

    pelvis: np.ndarray
    spine: np.ndarray
    twist: np.ndarray
    hands: np.ndarray
    feet: np.ndarray
    toes: np.ndarray
    elbows: np.ndarray
    knees: np.ndarray
    look: np.ndarray
    travel: np.ndarray


def vector(x: ArrayLike, y: ArrayLike, z: ArrayLike) -> np.ndarray:
    """Stack three broadcastable arrays into vectors (..., 3)."""
    return np.stack(np.broadcast_arrays(*(np.asarray(part, dtype=float) for part in (x, y, z))), axis=-1)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scale vectors (..., 3) to length 1."""
    return vectors / np.maximum(np.sqrt((vectors**2).sum(axis=-1, keepdims=True)), 1e-9)


def shoulders(body: Body, pelvis: np.ndarray, spine: np.ndarray, twist: np.ndarray) -> np.ndarray:
    """Positions of both shoulders. Returns: (2, T, 3)."""
    twist = twist[..., None]
    rightward = np.array([0.0, 0.0, 1.0])
    forward = np.cross(spine, rightward)
    across = np.cos(twist) * rightward + np.sin(twist) * forward
    return pelvis + body.trunk * spine + SIDES[..., None] * body.shoulders * across


def bend(
    root: np.ndarray, target: np.ndarray, upper: float, lower: float, towards: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Bend a two-part limb so that it reaches from a root to a target.

    Args:
        root, target: (..., T, 3).
        upper, lower: Lengths of the parts.
        towards: Direction the joint between them points, broadcastable to (..., T, 3).

    Returns:
        The joint and the end of the limb, each (..., T, 3).
    """
    offset = target - root
    # Never quite straight and never folded flat: people's limbs are neither.
    distance = np.sqrt((offset**2).sum(axis=-1, keepdims=True))
    distance = np.clip(distance, 0.35 * (upper + lower), 0.995 * (upper + lower))
    along = unit(offset)
    aside = unit(towards - (towards * along).sum(axis=-1, keepdims=True) * along)
    reach = (upper**2 - lower**2 + distance**2) / (2 * distance)
    joint = root + along * reach + aside * np.sqrt(np.maximum(upper**2 - reach**2, 0))
    return joint, root + along * distance


def build(content: Content, body: Body, pose: Pose, *, size: float, facing: float, gloves: bool = False) -> list[Solid]:
    """The solids of a dressed body in a pose.

    Args:
        content: Whose colours and proportions to use.
        body: Its lengths.
        pose: Where its parts are.
        size: Height of the body in pixels.
        facing: Direction the body faces, in radians: 0 to the right, π/2 towards the camera.
        gloves: Whether it wears boxing gloves.
    """
    rightward = np.array([0.0, 0.0, 1.0])
    sides = SIDES[..., None]
    thick = content.build

    hips = pose.pelvis + sides * body.hips * rightward
    knees, ankles = bend(hips, pose.feet, body.thigh, body.shin, pose.knees)
    tops = shoulders(body, pose.pelvis, pose.spine, pose.twist)
    elbows, hands = bend(tops, pose.hands, body.upper_arm, body.forearm, pose.elbows)
    neck = pose.pelvis + body.trunk * pose.spine
    crown = unit(pose.spine + vector(0, 0.6, 0))  # the head stays more upright than the trunk
    head = neck + 0.125 * crown + 0.02 * pose.look

    toe_direction = np.stack([np.cos(pose.toes), np.sin(pose.toes), np.zeros_like(pose.toes)], axis=-1)
    sole = np.stack([np.sin(pose.toes), -np.cos(pose.toes), np.zeros_like(pose.toes)], axis=-1)
    heels = ankles + 0.012 * sole - 0.022 * toe_direction
    toes = ankles + 0.022 * sole + 0.085 * toe_direction

    cos, sin = np.cos(facing), np.sin(facing)

    def place(points: np.ndarray) -> np.ndarray:
        """Body to world: turn, scale and move."""
        x, y, z = np.moveaxis(points, -1, 0)
        placed = np.stack([x * cos - z * sin, y, x * sin + z * cos], axis=-1)
        placed[..., 0] += pose.travel * cos
        return placed * size

    solids: list[Solid] = []

    def add(start: np.ndarray, end: np.ndarray, first: float, last: float, colour: tuple[int, int, int]) -> None:
        solids.append(Solid(place(start), place(end), (first * size, last * size), colour))

    shirt, trousers, accent = CLOTH[content.shirt], CLOTH[content.trousers], CLOTH[content.accent]
    skin, hair = SKIN[content.skin], HAIR[content.hair]
    for side in (0, 1):
        add(hips[side], knees[side], 0.07 * thick, 0.051 * thick, trousers)
        if content.long_trousers:
            add(knees[side], ankles[side], 0.05 * thick, 0.038 * thick, trousers)
        else:
            add(knees[side], ankles[side], 0.044 * thick, 0.032 * thick, skin)
        add(heels[side], toes[side], 0.036, 0.029, accent)
        flank = 0.5 * (hips[side] - pose.pelvis)
        breast = 0.36 * (tops[side] - neck)
        add(
            pose.pelvis + 0.055 * pose.spine + flank,
            neck - 0.065 * pose.spine + breast,
            0.072 * thick,
            0.082 * thick,
            shirt,
        )
        add(neck - 0.012 * pose.spine + breast, tops[side], 0.052 * thick, 0.054 * thick, shirt)
        add(tops[side], elbows[side], 0.052 * thick, 0.041 * thick, shirt)
        if content.long_sleeves:
            wrist = elbows[side] + 0.85 * (hands[side] - elbows[side])
            add(elbows[side], wrist, 0.04 * thick, 0.031 * thick, shirt)
        else:
            add(elbows[side], hands[side], 0.034 * thick, 0.029 * thick, skin)
        if gloves:
            add(hands[side], hands[side] + 0.02 * vector(1, 0, 0), 0.058, 0.058, accent)
        else:
            add(hands[side], hands[side], 0.038, 0.038, skin)
    add(hips[0], hips[1], 0.074 * thick, 0.074 * thick, trousers)
    add(pose.pelvis + 0.06 * pose.spine, neck - 0.065 * pose.spine, 0.081 * thick, 0.097 * thick, shirt)
    add(neck, head, 0.04, 0.042, skin)

    aside = np.cross(pose.look, crown)
    add(head, head - 0.018 * crown + 0.01 * pose.look, 0.085, 0.074, skin)
    nose = head + 0.08 * pose.look - 0.016 * crown
    add(nose, nose - 0.01 * crown, 0.013, 0.016, skin)
    for sign in (1, -1):
        eye = head + 0.071 * pose.look + sign * 0.034 * aside + 0.008 * crown
        add(eye, eye, 0.0105, 0.0105, (44, 38, 40))
    scalp = head + 0.022 * crown - 0.034 * pose.look
    if content.hair_style == "cap":
        cap = head + 0.032 * crown - 0.012 * pose.look
        add(cap, cap, 0.088, 0.088, accent)
        brim = head + 0.06 * crown + 0.065 * pose.look
        for sign in (1, -1):
            add(brim + sign * 0.03 * aside, brim + 0.055 * pose.look + sign * 0.018 * aside, 0.016, 0.012, accent)
        nape = head - 0.012 * crown - 0.034 * pose.look
        add(nape, nape, 0.078, 0.078, hair)
    else:
        add(scalp, scalp, 0.091, 0.091, hair)
        if content.hair_style == "bun":
            bun = scalp + 0.062 * crown - 0.062 * pose.look
            add(bun, bun, 0.042, 0.042, hair)
        elif content.hair_style == "long":
            add(scalp, head - 0.12 * crown - 0.055 * pose.look, 0.086, 0.054, hair)
    return solids
