"""What a network costs and what it sees: parameters, multiply-adds, activation memory, receptive fields.

    table = anatomy.dissect(zoo.build("tgan-f", "paper").discriminators["video"])
    table                          # a table in a notebook, text elsewhere
    figures.draw_anatomy(table)    # a figure

Costs are found by running the network once on the meta device, which computes shapes and no numbers: the largest model
takes a moment and no memory. What a discriminator sees is found by gradient. See `ldvd_lib.anatomy.fields`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.utils.parametrize import type_before_parametrizations

from ldvd_lib._kit.tables import as_html, as_text
from ldvd_lib.anatomy.costs import REST, Costs
from ldvd_lib.anatomy.fields import Fields
from ldvd_lib.discriminators import Discriminator

QUANTITIES = ("parameters", "multiply_adds", "activation_bytes")  # what a network costs
NOT_RUN = "not run"  # the kind of a part that the forward pass does not use


@dataclass(frozen=True)
class LayerAnatomy:
    """One row: a layer of the stack, a head, or a stage of a generator.

    Attributes:
        name: where it is in the network.
        kind: its kind in a stack (``"3d"``, ``"2+1d"``, …), else what it is made of.
        shape: of its output for one video, without the batch: ``(C, T, H, W)`` in a stack.
        parameters: learnable and fixed numbers; those that an earlier row has too are counted there.
        multiply_adds: of convolutions, linear and recurrent layers in one forward pass of one video, in training.
        activation_bytes: what autograd keeps of one video for the backward pass.
        frames, pixels: temporal and spatial receptive field of one place of the output, not capped by the video's size
            unless the network takes no other; None where everything is seen, as by a head, and in generators.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    activation_bytes: int
    frames: int | None
    pixels: int | None


@dataclass(frozen=True)
class Anatomy:
    """The rows of a network and their sums; shows as a table, and `ldvd_lib.figures.draw_anatomy` draws it."""

    name: str
    input_shape: tuple[int, ...]
    rows: tuple[LayerAnatomy, ...]

    @property
    def parameters(self) -> int:
        """Parameters in all."""
        return sum(row.parameters for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of a forward pass of one video."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def activation_bytes(self) -> int:
        """Bytes kept for the backward pass of one video."""
        return sum(row.activation_bytes for row in self.rows)

    @property
    def receptive_field(self) -> tuple[int, int] | None:
        """Frames and pixels that one place depends on, in the last layer that does not see everything."""
        seen = [(row.frames, row.pixels) for row in self.rows if row.frames is not None and row.pixels is not None]
        return seen[-1] if seen else None

    HEADINGS = ("layer", "kind", "output", "parameters", "multiply-adds", "activations", "sees frames", "sees pixels")
    _FIGURES = range(3, len(HEADINGS))

    def cells(self) -> list[tuple[str, ...]]:
        """The table in words: a row for each layer under `HEADINGS`, and the sums in the last."""
        lines = []
        for row in self.rows:
            output = "×".join(map(str, row.shape))
            costs = (in_units(name, getattr(row, name)) for name in QUANTITIES)
            sees = (_seen(row.frames, self.input_shape[1:2]), _seen(row.pixels, self.input_shape[-1:]))
            lines.append((row.name, row.kind, output, *costs, *sees))
        sums = (in_units(name, getattr(self, name)) for name in QUANTITIES)
        return [*lines, ("total", "", "", *sums, "", "")]

    @property
    def _title(self) -> str:
        return f"{self.name}, for one video of {'×'.join(map(str, self.input_shape))}"

    def __repr__(self) -> str:
        return f"{self._title}\n{as_text(self.HEADINGS, self.cells(), right=self._FIGURES)}"

    def _repr_html_(self) -> str:
        return as_html(self.HEADINGS, self.cells(), right=self._FIGURES, caption=self._title)


def dissect(network: nn.Module, *, name: str = "", shape: tuple[int, ...] | None = None) -> Anatomy:
    """Take a discriminator or generator apart.

    Args:
        network: a generator of `ldvd_lib.generators`, or anything with a ``latent_dim``; or a discriminator: one of
            `ldvd_lib.discriminators`, or any module that takes videos. Not changed.
        name: how to call it; default its class.
        shape: of its input, without the batch: ``(C, T, H, W)``, with H = W; default what the network says of itself
            (``in_channels``, ``num_frames`` and ``image_size``, or ``latent_dim``).

    Returns:
        One row for each layer of a stack and its head, or else for each part with parameters, as they are defined. A
        part that the forward pass does not run has its parameters, the kind ``"not run"`` and no shape. What belongs
        to no part (a parameter of the network itself, arithmetic in its own `forward`) is a last row, ``"rest"``.
        Where a network has a view of its own (`ldvd_lib.views`), costs are those of what the view shows: of several
        levels with ever fewer clips, the share of one clip.

    Raises:
        ValueError: if no shape is given, and the network says none.

    Source: LDVD paper, Tables 5 and 6 (parameters, receptive fields); MODELS §3.
    """
    is_generator = hasattr(network, "latent_dim")
    if shape is None:
        shape = _input_shape(network)
    parts = _parts(network, is_generator=is_generator)
    with torch.enable_grad():
        costs = Costs(network, parts, shape)
        # A stack's head sees everything, however much that is.
        local = [path for path in costs.shapes if not (hasattr(network, "kinds") and path == "head")]
        fields = {} if is_generator else Fields(network, local, shape).measure()

    rows, counted, saved = [], set[int](), costs.saved
    for path, (part, kind) in parts.items():
        parameters = {id(p): p.numel() for p in network.get_submodule(path).parameters() if id(p) not in counted}
        counted.update(parameters)
        frames, pixels = fields.get(path, (None, None))
        rows.append(
            LayerAnatomy(
                name=part,
                kind=kind if path in costs.shapes else NOT_RUN,
                shape=costs.shapes.get(path, ()),
                parameters=sum(parameters.values()),
                multiply_adds=costs.flops[path] // 2 // costs.batch,
                activation_bytes=saved[path] // costs.batch,
                frames=frames,
                pixels=pixels,
            )
        )
    others = sum(p.numel() for p in network.parameters() if id(p) not in counted)
    rest = LayerAnatomy(
        "rest", "", (), others, costs.flops[REST] // 2 // costs.batch, saved[REST] // costs.batch, None, None
    )
    if rest.parameters or rest.multiply_adds:
        rows.append(rest)
    return Anatomy(name or type(network).__name__, shape, tuple(rows))


def _input_shape(network: Any) -> tuple[int, ...]:
    """What a network says that it takes, without the batch."""
    if hasattr(network, "latent_dim"):
        return (network.latent_dim,)
    try:
        return network.in_channels, network.num_frames, network.image_size, network.image_size
    except AttributeError as error:
        raise ValueError(
            f"{type(network).__name__} does not say what videos it takes (in_channels, num_frames, image_size): give "
            "their shape, for example shape=(3, 16, 64, 64)"
        ) from error


def _parts(network: Any, *, is_generator: bool) -> dict[str, tuple[str, str]]:
    """Path of a module in the network → its name and kind; no part is inside another."""
    if hasattr(network, "kinds"):
        parts = {f"layers.{number}": (f"c{number}", kind) for number, kind in enumerate(network.kinds)}
        return parts | ({"head": ("head", network.head_kind)} if network.head is not None else {})

    def opened(module: nn.Module, path: str, depth: int) -> Iterator[tuple[str, tuple[str, str]]]:
        # A generator's halves are opened, and discriminators within one; a discriminator's blocks are not: what they
        # see, they see with all branches.
        is_container = isinstance(module, nn.Sequential | nn.ModuleList | nn.ModuleDict | Discriminator)
        if depth == 0 or (any(True for _ in module.children()) and (is_container or (is_generator and depth == 1))):
            for inner, child in module.named_children():
                yield from opened(child, f"{path}.{inner}".strip("."), depth + 1)
        elif any(True for _ in module.parameters()):
            yield path, (path, type_before_parametrizations(module).__name__)

    return dict(opened(network, "", 0))


def in_units(quantity: str, amount: int) -> str:
    """An amount of one of `QUANTITIES` as tables have it: ``"2,847,488"``, ``"788.5 M"``, ``"9.53 MiB"``."""
    if quantity == "parameters":
        return f"{amount:,}"
    return f"{amount / 1e6:,.1f} M" if quantity == "multiply_adds" else f"{amount / 2**20:,.2f} MiB"


def _seen(size: int | None, limit: tuple[int, ...]) -> str:
    if size is None:
        return ""
    return str(size) if size <= limit[0] else f"{size} (has {limit[0]})"
