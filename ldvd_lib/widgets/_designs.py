"""The designs of `ldvd_lib.widgets.ArchitectureLab`: layers → configuration, anatomy, and words for the browser."""

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ldvd_lib import anatomy, zoo
from ldvd_lib._anatomy_figure import COLOURS, GREY
from ldvd_lib.anatomy import Anatomy
from ldvd_lib.blocks import LAYER_KINDS
from ldvd_lib.gan import DISCRIMINATORS, VideoGANConfig

DESIGNS = {  # those of the zoo's that differ in nothing but their layers
    "tgan": "all 3D",
    "tgan-c0": "c0 factorized",
    "tgan-f": "c0-c1 factorized",
    "tgan-c0-c2": "c0-c2 factorized",
    "tgan-c0-c3": "c0-c3 factorized",
    "tgan-tsm-c0": "shift after c0",
    "tgan-tsm-c0-c1": "shift after c0-c1",
    "tgan-tsm": "shift after c0-c2",
}
MOST_LAYERS = 6  # six halve 64 pixels to one
WIDTHS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
SHORT = {"3d": "3d", "2+1d": "f", "2d": "2d", "shift": "tsm"}  # in names of runs, as the zoo's names have them
IN_WORDS = {
    "3d": "one kernel over time and space",
    "2+1d": "a kernel over space, then one over time (factorized)",
    "2d": "a kernel over space, frame by frame",
    "shift": "as 2d, then some channels move in time",
}
QUANTITIES = dict(zip(anatomy.QUANTITIES, ("parameters", "multiply-adds", "activations kept"), strict=True))


def kinds_of(name: str) -> tuple[str, ...]:
    """The layers of one of `DESIGNS`."""
    return tuple(zoo.config(name).discriminators["video"].options["kinds"])


@functools.cache
def _names() -> dict[tuple[str, ...], str]:
    """Layers of the zoo's designs → their names."""
    return {kinds_of(name): name for name in DESIGNS}


def configure(kinds: tuple[str, ...], preset: str, width: float) -> VideoGANConfig:
    """TGAN as the zoo has it, with these layers in its discriminator and the rates that suit them."""
    channels = zoo.config("tgan", preset).discriminators["video"].options["base_channels"]
    own = short_name(kinds, width)
    name = _names().get(kinds, own) if width == 1 else own
    return zoo.with_kinds(kinds, preset, name=name, base_channels=math.floor(channels * width))


@functools.lru_cache(maxsize=256)
def dissect(kinds: tuple[str, ...], preset: str, width: float) -> Anatomy:
    """The anatomy of a design. Nothing of it is ever allocated, and no random number is drawn."""
    with torch.device("meta"):
        network = configure(kinds, preset, width).discriminators["video"].build(DISCRIMINATORS)
    name = _names().get(kinds, in_words(kinds))
    return anatomy.dissect(network, name=name if width == 1 else f"{name} ({width:g} × channels)")


def in_words(kinds: Sequence[str]) -> str:
    """Layers in a line, from the first to the last."""
    return " · ".join(kinds)


def short_name(kinds: Sequence[str], width: float) -> str:
    """As names of files have it: ``"f-f-2d-2d"``, or ``"f-f-2d-2d-0.5x"`` at half the width."""
    return "-".join(SHORT[kind] for kind in kinds) + ("" if width == 1 else f"-{width:g}x")


def choices() -> dict[str, Any]:
    """What the menus offer, in words."""
    channels = {
        preset: zoo.config("tgan", preset).discriminators["video"].options["base_channels"] for preset in zoo.PRESETS
    }
    sizes = {preset: zoo.config("tgan", preset).generator.options["image_size"] for preset in zoo.PRESETS}
    return {
        "kinds": [{"name": kind, "text": IN_WORDS[kind], "colour": COLOURS[kind]} for kind in LAYER_KINDS],
        "otherColour": GREY,
        "designs": [
            {"name": name, "kinds": list(kinds), "text": f"{name} ({DESIGNS[name]})"}
            for kinds, name in _names().items()
        ],
        "mostLayers": MOST_LAYERS,
        "presets": [{"name": preset, "text": f"{preset}: {sizes[preset]} pixels"} for preset in zoo.PRESETS],
        "widths": [
            {"value": width, "texts": {preset: f"{count * width:g} channels" for preset, count in channels.items()}}
            for width in WIDTHS
        ],
    }


def parts_of(chosen: Anatomy) -> list[dict[str, Any]]:
    """What the drawing shows: the video, the layers, the head; with each one's share of the costs."""
    sums = {name: getattr(chosen, name) or 1 for name in QUANTITIES}
    parts = [{"name": "video", "kind": "input", "shape": list(chosen.input_shape), "sees": [], "shares": []}]
    for row in chosen.rows:
        shape = row.shape if len(row.shape) == 4 else (row.shape[0], 1, *row.shape[1:])
        sees = []
        if row.frames is not None:
            frames, pixels = _share(row.frames, chosen.input_shape[1]), _share(row.pixels, chosen.input_shape[-1])
            sees = [f"sees {frames} frames", f"and {pixels} pixels"]
        shares = [
            {"label": label, "percent": 100 * getattr(row, name) / sums[name]} for name, label in QUANTITIES.items()
        ]
        parts.append({"name": row.name, "kind": row.kind, "shape": list(shape), "sees": sees, "shares": shares})
    return parts


def _share(size: int, limit: int) -> str:
    return f"all {limit}" if size >= limit else str(size)


def _reach(size: int, limit: int) -> str:
    return f"{size} of {limit}" if size <= limit else f"all {limit} (reaches {size})"


def figures_of(chosen: Anatomy, reference: Anatomy, limits: Mapping[str, int]) -> list[dict[str, Any]]:
    """The lines of the table of sums: this design, the one that it is compared with, a limit."""
    figures = []
    texts = zip(chosen.cells()[-1][3:6], reference.cells()[-1][3:6], strict=True)
    for (name, label), (value, other) in zip(QUANTITIES.items(), texts, strict=True):
        ours, theirs, limit = getattr(chosen, name), getattr(reference, name), limits.get(name)
        figures.append(
            {
                "label": label,
                "value": value,
                "reference": other,
                "ratio": f"{ours / theirs:.3g} ×",
                "limit": anatomy.in_units(name, limit) if limit else "",
                "isOver": bool(limit and ours > limit),
            }
        )
    fields = zip(("frames", "pixels"), chosen.receptive_field, reference.receptive_field, strict=True)
    for axis, (what, ours, theirs) in zip((1, 3), fields, strict=True):
        limit = chosen.input_shape[axis]
        figures.append(
            {
                "label": f"{what} seen",
                "value": _reach(ours, limit),
                "reference": _reach(theirs, limit),
                "ratio": "",
                "limit": "",
                "isOver": False,
            }
        )
    return figures
