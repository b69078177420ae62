"""A small data set of people and things in motion, rendered from a seed: the course uses it before UCF-101.

Twelve actions, eight of a figure and four of a rigid object. *Content* (who, where) and *motion* (what, how, filmed
how) vary independently and are recorded, so that claims about them can be tested.

    from ldvd_lib.data import actions

    root = actions.render("data/actions")                          # files in UCF-101's layout
    store = actions.render_store(image_size=64)                    # or frames alone, which needs no codec
    somebody = actions.Content.draw(seed=1)
    walk, run = (actions.Motion.draw(2, name) for name in ("Walking", "Running"))
    actions.render_clip(somebody, walk, num_frames=32)             # (32, 240, 320, 3) uint8
    actions.render_clip(somebody, run, num_frames=32)              # the same person in the same place, running

Nothing is drawn with fonts or a platform's antialiasing: figures are shaded round solids computed with NumPy
(`solids`), places are painted with NumPy and SciPy in float64 (`painting`) and filmed in integers (`scenery`).
"""

from ldvd_lib.data.actions.clip import render_clip
from ldvd_lib.data.actions.factors import CLASSES, FRAME_RATE, SETTINGS, Content, Motion
from ldvd_lib.data.actions.files import read_factors, render
from ldvd_lib.data.actions.stores import render_store

__all__ = [
    "CLASSES",
    "FRAME_RATE",
    "SETTINGS",
    "Content",
    "Motion",
    "read_factors",
    "render",
    "render_clip",
    "render_store",
]
