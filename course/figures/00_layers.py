"""Draw 00_layers.png, the picture of the course: four kinds of layer, and the discriminators built from them.

    python course/figures/00_layers.py

Weights are counted in a layer that doubles its channels; stacks and numbers of parameters are asked from the zoo,
inception scores from the paper's Table 8.
"""

import math
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon

from ldvd_lib import paper, zoo
from ldvd_lib.blocks import LayerGeometry, strided_layer
from ldvd_lib.figures.anatomy import COLOURS

DARKER = "#8a5f00"  # of 2+1d: its kernel along time
INK = "#26303a"
FRAME = "#eef1f4"
KERNEL = 4  # cells across, down, and frames deep
STEP = (1.72, -0.4)  # from one frame to the next, on paper
SKEW = 0.32  # how far a frame's right side is raised

CHANNELS = 64, 128  # what goes into c1, and what comes out

# kind → (weights for a pair of channels, what it does with time)
KINDS = {
    "3d": ("4 × 4 × 4", "four frames at once"),
    "2+1d": ("4 × 4 + 2 × 4", "each frame, then four in a row"),
    "2d": ("4 × 4", "each frame on its own"),
    "shift": ("4 × 4", "each frame, with parts of its\nneighbours moved in for free"),
}

FAMILIES = ("tgan", "tgan-f", "tgan-tsm", "mocogan", "mocogan-f", "mocogan-tsm")


def cells(axes: Axes, frame: int, x: float, y: float, width: float, height: float, **style) -> None:
    """A rectangle on a frame of the stack, in cells: the frame is 6 wide and 6 high."""
    left, bottom = frame * STEP[0] + 0.36 * x, frame * STEP[1] + 0.36 * y
    width, height = 0.36 * width, 0.36 * height
    corners = [(0, 0), (width, 0), (width, height), (0, height)]
    axes.add_patch(Polygon([(left + u, bottom + v + SKEW * (u + 0.36 * x)) for u, v in corners], **style))


def draw_kernel(axes: Axes, kind: str) -> None:
    """Six by six pixels of four frames, and the weights that one output value looks through."""
    colour = COLOURS[kind]
    ink = {"edgecolor": "white", "linewidth": 0.6}
    for frame in range(KERNEL):
        cells(axes, frame, 0, 0, 6, 6, facecolor=FRAME, edgecolor="#b6bec7", linewidth=0.8)
        if kind == "3d" or (kind != "3d" and frame == 1):
            for row in range(KERNEL):
                for column in range(KERNEL):
                    cells(axes, frame, 1 + column, 1 + row, 1, 1, facecolor=colour, **ink)
        if kind == "2+1d":
            cells(axes, frame, 2.5, 2.5, 1, 1, facecolor=DARKER, edgecolor="white", linewidth=0.8, zorder=3)
    if kind == "shift":
        for frame, forwards in ((0, True), (2, False)):
            x, y = frame * STEP[0] + 1.1, frame * STEP[1] + 2.62
            end = (STEP[0] + 1.0, STEP[1] + 2.62)
            bend = -0.45 if forwards else 0.45
            arrow = {"arrowstyle": "-|>", "mutation_scale": 11, "color": colour, "linewidth": 1.8, "zorder": 4}
            axes.add_patch(FancyArrowPatch((x, y), end, connectionstyle=f"arc3,rad={bend}", **arrow))
    product, time = KINDS[kind]
    layer = strided_layer(kind, *CHANNELS, geometry=LayerGeometry())
    weights = f"{product} = {sum(p.numel() for p in layer.parameters()) / math.prod(CHANNELS):g} weights"
    axes.set(xlim=(-0.25, 7.6), ylim=(-1.5, 3.4), aspect="equal")
    axes.set_title(kind, color=INK, fontsize=15, fontweight="bold", pad=2)
    axes.text(3.65, -1.75, weights, ha="center", va="top", color=INK, fontsize=10.5, fontweight="bold")
    axes.text(3.65, -2.4, time, ha="center", va="top", color=INK, fontsize=9.5)
    axes.axis("off")


def draw_family(axes: Axes, name: str) -> None:
    """The discriminators of a model as piles of layers, the first at the bottom."""
    config = zoo.config(name, preset="paper")
    with torch.device("meta"):
        discriminators = config.build().discriminators
    parameters = sum(parameter.numel() for parameter in discriminators.parameters()) / 1e6
    piles = {key: network.options["kinds"] for key, network in config.discriminators.items()}
    for pile, (role, kinds) in enumerate(piles.items()):
        centre = 1.6 * (pile - (len(piles) - 1) / 2)
        for layer, kind in enumerate(kinds):
            box = FancyBboxPatch(
                (centre - 0.6, layer), 1.2, 0.72, boxstyle="round,pad=0.03,rounding_size=0.12", linewidth=0
            )
            box.set_facecolor(COLOURS[kind])
            axes.add_patch(box)
            ink = "white" if kind == "3d" else "black"  # the other colours are light
            axes.text(centre, layer + 0.36, kind, ha="center", va="center", color=ink, fontsize=10)
        if len(piles) > 1:
            axes.text(centre, -0.2, role, ha="center", va="top", color=INK, fontsize=8.5, style="italic")
    reported = paper.table("8").row(name)
    axes.set(xlim=(-1.7, 1.7), ylim=(-0.55, 4.1))
    axes.set_title(reported.label, color=INK, fontsize=12, fontweight="bold", pad=4)
    axes.text(0, -0.75, f"{parameters:.1f}M parameters", ha="center", va="top", color=INK, fontsize=10)
    score = f"inception score {reported.values['is'].mean:.2f}"
    axes.text(0, -1.25, score, ha="center", va="top", color=INK, fontsize=10)
    axes.axis("off")


def main() -> None:
    """Draw the picture beside this file."""
    figure = plt.figure(figsize=(11, 6.4), facecolor="white")
    kernels = figure.add_gridspec(1, 4, left=0.02, right=0.98, top=0.93, bottom=0.59, wspace=0.06)
    for column, kind in enumerate(KINDS):
        draw_kernel(figure.add_subplot(kernels[0, column]), kind)
    families = figure.add_gridspec(1, 6, left=0.02, right=0.98, top=0.36, bottom=0.09, wspace=0.05)
    for column, name in enumerate(FAMILIES):
        draw_family(figure.add_subplot(families[0, column]), name)
    heading = {"color": INK, "fontsize": 11, "va": "top", "style": "italic"}
    figure.text(
        0.02, 0.985, "How may a layer look at time? Its weights for a pair of channels, over four frames:", **heading
    )
    figure.text(0.02, 0.455, "Discriminators built from such layers, and what the paper reports for each:", **heading)
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=130)


if __name__ == "__main__":
    main()
