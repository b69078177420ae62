"""What a network costs, found by running it once on the meta device, which computes shapes and no numbers."""

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ldvd_lib.batch import Batch
from ldvd_lib.blocks import coarse
from ldvd_lib.discriminators import Discriminator
from ldvd_lib.views import Pair

BATCH = 2  # batch normalisation in training needs two; everything reported is for one video
REST = ""  # the path of the network itself, for what is in none of its parts


class Costs:
    """One forward pass in training on the meta device, watched.

    Args:
        network: not changed.
        parts: paths of the parts to tell apart; all else is counted for `REST`.
        shape: of the input, without the batch.

    Attributes:
        batch: videos that were run.
        shapes: path → shape of the output for one video, of the parts that were run.
        flops: path → operations of the batch; a multiplication and an addition are two.
    """

    def __init__(self, network: nn.Module, parts: Iterable[str], shape: tuple[int, ...]) -> None:
        network = copy_with(lambda tensor: torch.empty_like(tensor, device="meta"), network).train()
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.flops: dict[str, int] = defaultdict(int)
        self._counter = _Operations()
        self._current = REST
        # Where levels have ever fewer clips, as many as can be shared out.
        self.batch = max(BATCH, getattr(getattr(network, "view", None), "clips", 1))
        self._weights = {id(tensor) for tensor in (*network.parameters(), *network.buffers())}
        self._kept: dict[int, tuple[Tensor, str]] = {}  # held, so that no other tensor gets its id
        for path in parts:
            self._watch(path, network.get_submodule(path))
        with self._counter, torch.autograd.graph.saved_tensors_hooks(self._pack, lambda tensor: tensor):
            run(network, torch.zeros(self.batch, *shape, device="meta"))
        self._go_on_to(REST)

    def _watch(self, path: str, module: nn.Module) -> None:
        def leave(module: nn.Module, inputs: tuple, output: Any) -> None:
            self._go_on_to(REST)
            self.shapes[path] = tuple(output.shape[1:]) if isinstance(output, Tensor) else ()

        module.register_forward_pre_hook(lambda module, inputs: self._go_on_to(path))
        module.register_forward_hook(leave)

    def _go_on_to(self, path: str) -> None:
        self.flops[self._current] += self._counter.total - sum(self.flops.values())
        self._current = path

    def _pack(self, tensor: Tensor) -> Tensor:
        # Views share what they are views of, and weights are there anyway.
        base = tensor if tensor._base is None else tensor._base
        _, owner = self._kept.get(id(base), (base, REST))
        if id(base) not in self._weights and owner == REST:
            self._kept[id(base)] = base, self._current
        return tensor

    @property
    def saved(self) -> dict[str, int]:
        """Path of a part → bytes kept for the backward pass."""
        sums: dict[str, int] = defaultdict(int)
        for tensor, path in self._kept.values():
            sums[path] += tensor.numel() * tensor.element_size()
        return sums


def run(network: Any, inputs: Tensor) -> None:
    """Let a network do what it does in training: with what its own view shows, if it has one, else with all of it.

    Args:
        network: a generator or discriminator.
        inputs: latents or whole videos, of a batch.
    """
    view, random = getattr(network, "view", None), torch.Generator().manual_seed(0)
    if isinstance(network, Discriminator):
        labels = torch.zeros(len(inputs), dtype=torch.int64, device=inputs.device)
        batch = Batch(inputs, labels, coarse(inputs) if isinstance(view, Pair) else None)
        network.score(batch if view is None else view(batch, random))
    elif view is None:
        network(inputs)
    else:
        network.generate(inputs, {"": view}, random)


class _Operations(TorchDispatchMode):
    """Adds up operations by PyTorch's own formulas.

    `FlopCounterMode` has the same formulas, but follows the modules of *all* threads, and so disturbs those that train.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        output = function(*args, **(kwargs or {}))
        formula = flop_registry.get(function._overloadpacket)
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=output)
        return output


def copy_with(tensors: Callable[[Tensor], Tensor], network: nn.Module) -> nn.Module:
    """A copy of a network with other parameters and buffers; its own are never copied."""
    memo: dict[int, Any] = {id(buffer): tensors(buffer.detach()) for buffer in network.buffers()}
    for parameter in network.parameters():
        memo[id(parameter)] = nn.Parameter(tensors(parameter.detach()), requires_grad=parameter.requires_grad)
    return copy.deepcopy(network, memo)
