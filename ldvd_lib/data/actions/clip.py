"""One clip: somebody or something (content) that does something (motion), filmed."""

import numpy as np

from ldvd_lib.data.actions.factors import Content, Motion
from ldvd_lib.data.actions.figure import Body, build
from ldvd_lib.data.actions.objects import RIGID, bar
from ldvd_lib.data.actions.poses import ARTICULATED
from ldvd_lib.data.actions.scenery import scene
from ldvd_lib.data.actions.solids import HEIGHT, WIDTH, Camera, Solid, Stage

_SWAY = 90.0  # frames that one full sway of the camera takes


def film(motion: Motion, travel: np.ndarray) -> Camera:
    """The camera that films a motion: it follows the subject, sways and zooms a little, and never drifts away.

    Args:
        motion: Its pan and zoom.
        travel: Distance covered by the subject, (T,), in pixels.
    """
    angle = 2 * np.pi * (np.arange(len(travel)) / _SWAY + motion.camera_phase)
    return Camera(
        x=travel + motion.pan * np.sin(angle),
        y=0.25 * motion.pan * np.sin(0.7 * angle + 1),
        zoom=1.02 + motion.zoom * (0.5 - 0.5 * np.cos(0.8 * angle)),
    )


def stage(content: Content, motion: Motion, num_frames: int) -> tuple[Stage, Camera]:
    """Place a subject in front of the camera.

    Args:
        content: Who.
        motion: What it does.
        num_frames: For how long.
    """
    cycles = motion.cycles(num_frames)
    if motion.class_name in RIGID:
        solids, travel = RIGID[motion.class_name](content, motion, cycles)
    else:
        solids, travel = _figure(content, motion, cycles)
    camera = film(motion, travel)
    return Stage(solids, camera, content.light, scene(content).tint), camera


def _figure(content: Content, motion: Motion, cycles: np.ndarray) -> tuple[list[Solid], np.ndarray]:
    pose_at, size, facing = ARTICULATED[motion.class_name]
    size = size * content.height
    facing = np.radians(facing + motion.view)
    if motion.direction < 0:
        facing = np.pi - facing
    body = Body.of(content)
    pose = pose_at(cycles, motion.amplitude, body)
    solids = build(content, body, pose, size=size, facing=facing, gloves=motion.class_name == "Boxing")
    if motion.class_name == "PullUps":
        solids += bar(len(cycles), size, facing)
    return solids, pose.travel * size * np.cos(facing)


def render_clip(content: Content, motion: Motion, num_frames: int = 50) -> np.ndarray:
    """Render a clip.

    The same arguments give the same array, and a longer clip begins with the shorter one.

    Args:
        content: Who and where.
        motion: What, and how it is filmed.
        num_frames: How many frames, at 25 a second.

    Returns:
        (num_frames, 240, 320, 3) uint8, RGB.

    Raises:
        ValueError: If there are no frames to render.
    """
    if num_frames < 1:
        raise ValueError(f"num_frames is {num_frames}; a clip has at least one frame")
    place = scene(content)
    subject, camera = stage(content, motion, num_frames)
    video = np.empty((num_frames, HEIGHT, WIDTH, 3), dtype=np.uint8)
    for frame in range(num_frames):
        video[frame] = place.view(camera.x[frame], camera.y[frame], camera.zoom[frame])
        subject.draw(video[frame], frame)
    return video
