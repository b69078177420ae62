"""What a network costs and what it sees: parameters, multiply-adds, activation memory, receptive fields.

    table = anatomy.dissect(zoo.build("tgan-f", "paper").discriminators["video"])
    table            # a table in a notebook, text elsewhere
    table.draw()     # a figure

Everything is found by running the network once on the meta device, which computes shapes and no numbers: the largest
model takes a moment and no memory.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ldvd_lib._tables import as_html, as_text
from ldvd_lib.blocks import TemporalShift

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOOKED_AT = (nn.Linear, nn.GRUCell, nn.modules.conv._ConvNd, TemporalShift)  # what computes, or moves time
QUANTITIES = ("parameters", "multiply_adds", "activation_bytes")  # what a network costs
BATCH = 2  # batch normalisation in training needs two; everything reported is for one video


@dataclass(frozen=True)
class LayerAnatomy:
    """One row: a layer of the stack, a head, or a stage of a generator.

    Attributes:
        name: where it is in the network.
        kind: its kind in a stack (``"3d"``, ``"2+1d"``, …), else what it is made of.
        shape: of its output for one video, without the batch: ``(C, T, H, W)`` in a stack.
        parameters: learnable and fixed numbers.
        multiply_adds: of convolutions, linear and recurrent layers in one forward pass of one video.
        activation_bytes: what autograd keeps of one video for the backward pass.
        frames, pixels: temporal and spatial receptive field of one output element, not capped by the video's size;
            None where it is not defined (generators; heads that see everything).
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
    """The rows of a network and their sums; shows as a table, `draw` gives a figure."""

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
        """Frames and pixels that one output element of the last convolutional layer depends on."""
        seen = [(row.frames, row.pixels) for row in self.rows if row.frames is not None]
        return seen[-1] if seen else None

    HEADINGS = ("layer", "kind", "output", "parameters", "multiply-adds", "activations", "sees frames", "sees pixels")
    _FIGURES = range(3, len(HEADINGS))

    def cells(self) -> list[tuple[str, ...]]:
        """The table in words: a row for each layer under `HEADINGS`, and the sums in the last."""
        lines = []
        for row in self.rows:
            sees = ["", ""]
            if row.frames is not None:
                sees = [_seen(row.frames, self.input_shape[1]), _seen(row.pixels, self.input_shape[-1])]
            lines.append(
                (
                    row.name,
                    row.kind,
                    "×".join(map(str, row.shape)),
                    *(in_units(name, getattr(row, name)) for name in QUANTITIES),
                    *sees,
                )
            )
        sums = (in_units(name, getattr(self, name)) for name in QUANTITIES)
        return [*lines, ("total", "", "", *sums, "", "")]

    @property
    def _title(self) -> str:
        return f"{self.name}, for one video of {'×'.join(map(str, self.input_shape))}"

    def __repr__(self) -> str:
        return f"{self._title}\n{as_text(self.HEADINGS, self.cells(), right=self._FIGURES)}"

    def _repr_html_(self) -> str:
        return as_html(self.HEADINGS, self.cells(), right=self._FIGURES, caption=self._title)

    def draw(self) -> "Figure":
        """Draw a stack: the feature maps as piles of frames, and each layer's share of the costs below.

        Returns:
            A figure.

        Raises:
            ValueError: for a network whose outputs are not ``(C, T, H, W)``.
        """
        from ldvd_lib._anatomy_figure import draw

        return draw(self)


def dissect(network: nn.Module, *, name: str = "") -> Anatomy:
    """Take a discriminator or generator apart.

    Args:
        network: a discriminator of `ldvd_lib.discriminators` or a generator of `ldvd_lib.generators`; not changed.
        name: how to call it; default its class.

    Returns:
        One row for each layer of a stack and its head, or for each part of a generator, in order of execution.

    Source: LDVD paper, Tables 5 and 6 (parameters, receptive fields); MODELS §3.
    """
    network = copy.deepcopy(network).to("meta").train()
    if hasattr(network, "latent_dim"):
        shape: tuple[int, ...] = (network.latent_dim,)
    else:
        shape = (network.in_channels, network.num_frames, network.image_size, network.image_size)
    parts = _parts(network)
    probe = _Probe(network, parts)
    with probe:
        network(torch.zeros(BATCH, *shape, device="meta"))
    return Anatomy(name or type(network).__name__, shape, tuple(probe.rows()))


def _parts(network: nn.Module) -> dict[str, tuple[str, nn.Module]]:
    """Name → (kind, module) of what becomes a row; together they hold every parameter."""
    if hasattr(network, "kinds"):
        parts = {
            f"c{i}": (kind, layer) for i, (kind, layer) in enumerate(zip(network.kinds, network.layers, strict=True))
        }
        return parts | ({"head": (network.head_kind, network.head)} if network.head is not None else {})
    parts = {}
    for name, child in network.named_children():
        stages = child.named_children() if isinstance(child, nn.Sequential) else [("", child)]
        if not isinstance(child, nn.Sequential) and list(child.children()):
            stages = [
                (f"{inner}.{leaf}".strip("."), module)
                for inner, grandchild in child.named_children()
                for leaf, module in (grandchild.named_children() or [("", grandchild)])
            ]
        for stage, module in stages:
            if any(True for _ in module.parameters()):
                parts[f"{name}.{stage}".strip(".")] = (type(module).__name__, module)
    return parts


class _Probe:
    """Hooks that watch one forward pass."""

    def __init__(self, network: nn.Module, parts: dict[str, tuple[str, nn.Module]]) -> None:
        self.parts = parts
        self.current: list[str] = []
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.multiply_adds = dict.fromkeys(parts, 0)
        self.saved = dict.fromkeys(parts, 0)
        self.fields: dict[str, tuple[int, int]] = {}
        self.field, self.jump = [1, 1], [1, 1]
        self._weights = {id(tensor) for tensor in (*network.parameters(), *network.buffers())}
        self._seen: set[int] = set()
        self._keep: list[Any] = []
        self._handles = []
        for name, (_, module) in parts.items():
            self._handles.append(module.register_forward_pre_hook(self._enter(name)))
            self._handles += [m.register_forward_hook(self._look) for m in module.modules() if isinstance(m, LOOKED_AT)]
            self._handles.append(module.register_forward_hook(self._leave(name)))
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, lambda tensor: tensor)

    def __enter__(self) -> "_Probe":
        self._hooks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._hooks.__exit__(*error)
        for handle in self._handles:
            handle.remove()

    def _enter(self, name: str) -> Callable:
        return lambda module, inputs: self.current.append(name)

    def _leave(self, name: str) -> Callable:
        def hook(module: nn.Module, inputs: tuple, output: Tensor) -> None:
            self.current.pop()
            self.shapes[name] = tuple(output.shape[1:])
            self.fields[name] = tuple(self.field)

        return hook

    def _look(self, module: nn.Module, inputs: tuple, output: Tensor) -> None:
        self.multiply_adds[self.current[-1]] += count_multiply_adds(module, inputs[0], output)
        if isinstance(module, nn.Conv3d):
            for axis, index in ((0, 0), (1, 1)):
                self.field[axis] += (module.kernel_size[index] - 1) * self.jump[axis]
                self.jump[axis] *= module.stride[index]
        elif isinstance(module, TemporalShift):
            self.field[0] += 2 * module.distance * self.jump[0]

    def _pack(self, tensor: Tensor) -> Tensor:
        # Views share what they are views of, and weights are there anyway.
        base = tensor if tensor._base is None else tensor._base
        if id(base) not in self._weights and id(base) not in self._seen and self.current:
            self._seen.add(id(base))
            self._keep.append(base)  # so that no other tensor gets its id
            self.saved[self.current[-1]] += base.numel() * base.element_size()
        return tensor

    def rows(self) -> list[LayerAnatomy]:
        rows = []
        for name, (kind, module) in self.parts.items():
            strided = any(isinstance(leaf, nn.Conv3d) for leaf in module.modules()) and name != "head"
            frames, pixels = self.fields[name] if strided else (None, None)
            rows.append(
                LayerAnatomy(
                    name=name,
                    kind=kind,
                    shape=self.shapes[name],
                    parameters=sum(p.numel() for p in module.parameters()),
                    multiply_adds=self.multiply_adds[name] // BATCH,
                    activation_bytes=self.saved[name] // BATCH,
                    frames=frames,
                    pixels=pixels,
                )
            )
        return rows


def count_multiply_adds(module: nn.Module, given: Tensor, output: Tensor) -> int:
    """Multiplications (each with its addition) of a convolution, linear or recurrent layer; 0 for any other."""
    if isinstance(module, nn.Linear):
        return output.numel() * module.in_features
    if isinstance(module, nn.GRUCell):
        return len(output) * 3 * module.hidden_size * (module.input_size + module.hidden_size)
    if not isinstance(module, nn.modules.conv._ConvNd):
        return 0
    kernel = torch.Size(module.kernel_size).numel()
    if module.transposed:
        return given.numel() * module.out_channels // module.groups * kernel
    return output.numel() * module.in_channels // module.groups * kernel


def in_units(quantity: str, amount: int) -> str:
    """An amount of one of `QUANTITIES` as tables have it: ``"2,847,488"``, ``"788.5 M"``, ``"9.53 MiB"``."""
    if quantity == "parameters":
        return f"{amount:,}"
    return f"{amount / 1e6:,.1f} M" if quantity == "multiply_adds" else f"{amount / 2**20:,.2f} MiB"


def _seen(size: int, limit: int) -> str:
    return str(size) if size <= limit else f"{size} (has {limit})"
