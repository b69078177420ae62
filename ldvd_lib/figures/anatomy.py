"""What a discriminator costs and how its feature maps shrink, as a figure."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ldvd_lib.anatomy import Anatomy

# Blue, orange, green, purple: they can be told apart with any colour vision, and the legend names them too.
COLOURS = {"3d": "#0072b2", "2+1d": "#e69f00", "2d": "#009e73", "shift": "#cc79a7"}
GREY = "#999999"


def draw_anatomy(anatomy: "Anatomy") -> "Figure":
    """Draw feature maps as piles of frames, and below them each layer's parameters, multiply-adds and activations.

    Args:
        anatomy: of a discriminator. Parts without an output, because they are not run, are left out.

    Returns:
        A figure.

    Raises:
        ValueError: for anything but a discriminator of videos.
    """
    from matplotlib.figure import Figure

    rows = [row for row in anatomy.rows if row.shape]
    if len(anatomy.input_shape) != 4 or any(len(row.shape) not in (1, 3, 4) for row in rows):
        raise ValueError(f"{anatomy.name} is not made of video layers: draw_anatomy works on discriminators")
    figure = Figure(figsize=(1.6 * (len(rows) + 1) + 1.5, 5.2), layout="constrained")
    top, bottom = figure.subplots(2, 1, height_ratios=(3, 2))

    piles = [("video", "input", _as_map(anatomy.input_shape))]
    piles += [(row.name, row.kind, _as_map(row.shape)) for row in rows]
    for place, (name, kind, shape) in enumerate(piles):
        _pile(top, place, shape, COLOURS.get(kind, GREY), tallest=anatomy.input_shape[-1])
        channels, frames, height, _ = shape
        label = f"{name}\n{kind}\n{channels} channels\n{frames} × {height}²"
        top.text(place, -0.08, label, ha="center", va="top", fontsize=8, linespacing=1.4)
    top.set(
        xlim=(-0.6, len(piles) - 0.2), ylim=(-0.75, 1.3), title=f"{anatomy.name}: {anatomy.parameters:,} parameters"
    )
    top.axis("off")

    quantities = {
        "parameters": [row.parameters for row in rows],
        "multiply-adds": [row.multiply_adds for row in rows],
        "activations": [row.activation_bytes for row in rows],
    }
    for offset, (quantity, values) in enumerate(quantities.items()):
        total = sum(values) or 1
        places = [place + (offset - 1) * 0.26 for place in range(1, len(rows) + 1)]
        shades = [COLOURS.get(row.kind, GREY) for row in rows]
        bars = bottom.bar(places, [100 * value / total for value in values], 0.24, color=shades, alpha=1 - 0.3 * offset)
        bars.set_label(quantity)
        for bar, value in zip(bars, values, strict=True):
            share = f"{100 * value / total:.0f}"
            bottom.text(bar.get_x() + bar.get_width() / 2, bar.get_height() + 1, share, ha="center", fontsize=7)
    bottom.set_xlim(top.get_xlim())
    bottom.set_xticks(range(1, len(rows) + 1), [row.name for row in rows])
    bottom.set_ylabel("share in %")
    bottom.set_ylim(0, 112)
    bottom.set_title(
        "left to right in each group: parameters, multiply-adds, activations kept for training", fontsize=9
    )
    bottom.spines[["top", "right"]].set_visible(False)
    return figure


def _as_map(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """A shape as ``(C, T, H, W)``; the axes that an image or a vector lacks have size 1."""
    channels, *lengths = shape
    frames, height, width = [1] * (3 - len(lengths)) + lengths
    return channels, frames, height, width


def _pile(axes: "Axes", place: float, shape: tuple[int, ...], colour: str, *, tallest: int) -> None:
    """A feature map: a sheet for each frame, its height the square root of the map's, so that small maps show."""
    from matplotlib.patches import Rectangle

    _, frames, height, _ = shape
    side = 0.55 * max((height / tallest) ** 0.5, 0.14)
    step = 0.4 / 16
    for frame in reversed(range(frames)):
        corner = (place - side / 2 + frame * step, 0.05 + frame * step * 1.6)
        axes.add_patch(Rectangle(corner, side, side * 1.4, facecolor=colour, edgecolor="white", linewidth=0.6))
