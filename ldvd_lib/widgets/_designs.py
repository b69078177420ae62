"""The designs of `ldvd_lib.widgets.ArchitectureLab`: layers → configuration, anatomy, and words for the browser."""

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ldvd_lib import anatomy, zoo
from ldvd_lib.anatomy import Anatomy
from ldvd_lib.blocks import LAYER_KINDS
from ldvd_lib.figures.anatomy import COLOURS, GREY
from ldvd_lib.gan import DISCRIMINATORS, VideoGANConfig

DESIGNS = {  # the designs of the zoo that differ only in their layers
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
SHORT = {"3d": "3d", "2+1d": "f", "2d": "2d", "shift": "tsm"}  # for names of runs, as in the zoo's names
IN_WORDS = {
    "3d": "one kernel over time and space",
    "2+1d": "a kernel over space, then one over time (factorized)",
    "2d": "a kernel over space, frame by frame",
    "shift": "as 2d, then some channels move in time",
}
QUANTITIES = dict(zip(anatomy.QUANTITIES, ("parameters", "multiply-adds", "activations kept"), strict=True))


def kinds_of(name: str) -> tuple[str, ...]:
    """The layers of one of `DESIGNS`."""
    return tuple(zoo.config(name).discriminators["video"].option("kinds", DISCRIMINATORS))


@functools.cache
def _names() -> dict[tuple[str, ...], str]:
    """Layers of the zoo's designs → their names."""
    return {kinds_of(name): name for name in DESIGNS}


def configure(kinds: tuple[str, ...], preset: str, width: float) -> VideoGANConfig:
    """TGAN as in the zoo, with these layers in its discriminator and the learning rates that suit them."""
    channels = zoo.config("tgan", preset).discriminators["video"].option("base_channels", DISCRIMINATORS)
    fallback = short_name(kinds, width)
    name = _names().get(kinds, fallback) if width == 1 else fallback
    return zoo.with_kinds(kinds, preset, name=name, base_channels=math.floor(channels * width))


@functools.lru_cache(maxsize=256)
def dissect(kinds: tuple[str, ...], preset: str, width: float) -> Anatomy:
    """The anatomy of a design. No memory is allocated for it, and no random number is drawn."""
    with torch.device("meta"):
        network = configure(kinds, preset, width).discriminators["video"].build(DISCRIMINATORS)
    name = _names().get(kinds, in_words(kinds))
    return anatomy.dissect(network, name=name if width == 1 else f"{name} ({width:g} × channels)")


def in_words(kinds: Sequence[str]) -> str:
    """The layers in one line, from the first to the last."""
    return " · ".join(kinds)


def short_name(kinds: Sequence[str], width: float) -> str:
    """The name of a design in file names: ``"f-f-2d-2d"``, or ``"f-f-2d-2d-0.5x"`` at half the width."""
    return "-".join(SHORT[kind] for kind in kinds) + ("" if width == 1 else f"-{width:g}x")


def choices() -> dict[str, Any]:
    """The choices of the menus, in words."""
    channels = {
        preset: zoo.config("tgan", preset).discriminators["video"].option("base_channels", DISCRIMINATORS)
        for preset in zoo.PRESETS
    }
    sizes = {preset: zoo.config("tgan", preset).image_size for preset in zoo.PRESETS}
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


def parts_of(design: Anatomy) -> list[dict[str, Any]]:
    """The parts of the drawing: the video, the layers and the head, each with its share of the costs."""
    sums = {name: getattr(design, name) or 1 for name in QUANTITIES}
    parts = [{"name": "video", "kind": "input", "shape": list(design.input_shape), "sees": [], "shares": []}]
    for row in design.rows:
        shape = row.shape if len(row.shape) == 4 else (row.shape[0], 1, *row.shape[1:])
        sees = []
        if row.frames is not None and row.pixels is not None:
            frames, pixels = _share(row.frames, design.input_shape[1]), _share(row.pixels, design.input_shape[-1])
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


def _receptive_field(design: Anatomy) -> tuple[int, int]:
    """Frames and pixels that a place of the last map sees."""
    return design.receptive_field or (0, 0)


def figures_of(design: Anatomy, reference: Anatomy, limits: Mapping[str, int]) -> list[dict[str, Any]]:
    """The lines of the table of sums: this design, the one that it is compared with, a limit."""
    figures = []
    texts = zip(design.cells()[-1][3:6], reference.cells()[-1][3:6], strict=True)
    for (name, label), (text, reference_text) in zip(QUANTITIES.items(), texts, strict=True):
        amount, reference_amount, limit = getattr(design, name), getattr(reference, name), limits.get(name)
        figures.append(
            {
                "label": label,
                "value": text,
                "reference": reference_text,
                "ratio": f"{amount / reference_amount:.3g} ×",
                "limit": anatomy.in_units(name, limit) if limit else "",
                "isOver": bool(limit and amount > limit),
            }
        )
    fields = zip(_receptive_field(design), _receptive_field(reference), strict=True)
    for (unit, axis), (size, reference_size) in zip((("frames", 1), ("pixels", 3)), fields, strict=True):
        length = design.input_shape[axis]
        figures.append(
            {
                "label": f"{unit} seen",
                "value": _reach(size, length),
                "reference": _reach(reference_size, length),
                "ratio": "",
                "limit": "",
                "isOver": False,
            }
        )
    return figures
