"""What a discriminator sees, found by gradient.

A layer's receptive field is the extent, from the first to the last frame or pixel, of all that one place in the middle
of its output depends on: the gradient of that place, all its channels summed, is not zero there. In a copy of the
network all weights are positive and all activations the identity, so that nothing cancels and nothing is dead; a
maximum becomes a mean, and normalisation, whose statistics would depend on everything, is left out. Where all weights
are equal, a convolution is the sum over its channels followed by a convolution of one channel, which is what is
computed: numbers of channels cost next to nothing, and yet stay as they are for what moves or joins channels.

The clip may be smaller than the field. Frames, and then pixels, are therefore doubled until the extent no longer grows;
what still grows at four times the clip's size (and 256 at least) is taken to see everything. A part that is run at the
clip's own size only has its field there, cut off at the ends.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ldvd_lib.anatomy.costs import copy_with, run

AMPLE = 64  # frames or pixels: what sees all of so many, though it need not, sees everything


class Fields:
    """Measures receptive fields by gradient, as the module's docstring says.

    Args:
        network: a discriminator; not changed.
        paths: of the parts whose fields are wanted.
        shape: of the videos that it was made for, without the batch.
    """

    def __init__(self, network: nn.Module, paths: list[str], shape: tuple[int, ...]) -> None:
        self.network: Any = copy_with(_positive, network).eval()
        self.channels, self.frames, self.size, _ = shape
        self.wanted = set(paths)
        self.outputs: dict[str, Tensor] = {}
        for path in paths:
            self.network.get_submodule(path).register_forward_hook(self._keeping(path))

    def measure(self) -> dict[str, tuple[int | None, int | None]]:
        """Path → frames and pixels; None where everything is seen."""
        # Time and space one after the other, each with as little of the other as the network allows: it costs less.
        size, frames = self.size, self.frames
        while size > 1 and self._reaches_all(frames, size // 2):
            size //= 2
        while frames > 1 and self._reaches_all(frames // 2, size):
            frames //= 2
        in_time = self._grown(self.frames, lambda length: self._run(length, size), axes=(2,))
        in_space = self._grown(self.size, lambda length: self._run(frames, length), axes=(3, 4))
        return {path: (in_time[path], in_space[path]) for path in self.wanted}

    def _keeping(self, path: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: tuple, output: Any) -> None:
            if isinstance(output, Tensor):
                self.outputs[path] = output

        return hook

    def _reaches_all(self, frames: int, size: int) -> bool:
        self._run(frames, size)
        return self.outputs.keys() == self.wanted

    def _run(self, frames: int, size: int) -> Tensor:
        """Fill `outputs` from videos of some size, and return these."""
        self.outputs.clear()
        self.network.num_frames, self.network.image_size = frames, size
        videos = torch.full((1, self.channels, frames, size, size), 0.5, device="cpu", requires_grad=True)
        try:
            with _AllPositive():
                run(self.network, videos)
        except Exception:  # from a part that is made for one size only; what comes before it has been run
            if (frames, size) == (self.frames, self.size):
                raise
        return videos

    def _grown(self, length: int, run: Callable[[int], Tensor], axes: tuple[int, ...]) -> dict[str, int | None]:
        """Path → extent, at the length from which on it does not grow; None if it grows without end."""
        before: dict[str, int | None] = {}
        single: dict[str, bool] = {}
        waiting, most = set(self.wanted), 4 * max(length, AMPLE)
        while waiting and length <= most:
            videos = run(length)
            waiting &= self.outputs.keys()
            for path in sorted(waiting):
                output = self.outputs[path]
                extent = _extent(output, videos, axes)
                if single.setdefault(path, len(output) == 1) and len(output) > 1:
                    waiting.remove(path)  # a reshaping took a larger video for several: that is no other size either
                    continue
                if path in before and before[path] == extent and (extent is not None or length >= AMPLE):
                    waiting.remove(path)
                before[path] = extent
            length *= 2
        return {path: None if path in waiting else before.get(path) for path in self.wanted}


def _extent(output: Tensor, videos: Tensor, axes: tuple[int, ...]) -> int | None:
    """How much of the videos the middle place of an output depends on; None if even the first place depends on all."""

    def seen(place: Callable[[int], int]) -> list[tuple[int, int]]:
        # Channels are axis 1; frames may have been folded into axis 0.
        index = tuple(slice(None) if axis == 1 else place(length) for axis, length in enumerate(output.shape))
        (gradient,) = torch.autograd.grad(output[index].sum(), videos, retain_graph=True, materialize_grads=True)
        extents = []
        for axis in axes:
            (nonzero,) = gradient.any(tuple(other for other in range(5) if other != axis)).nonzero(as_tuple=True)
            extents.append((int(nonzero[0]), int(nonzero[-1]) + 1) if len(nonzero) else (0, 0))
        return extents

    everything = [(0, videos.shape[axis]) for axis in axes]
    middle = seen(lambda length: length // 2)
    if middle == everything and seen(lambda length: 0) == everything:
        return None
    return max(end - start for start, end in middle)


def _positive(tensor: Tensor) -> Tensor:
    """A tensor of the same shape, small positive numbers that take no memory."""
    if tensor.is_floating_point():
        return torch.full((), 0.01, device="cpu").expand(tensor.shape)
    return torch.zeros_like(tensor, device="cpu") if tensor.is_meta else tensor.cpu()


class _AllPositive(TorchFunctionMode):
    """Within it networks are as the module's docstring says: positive, linear, and equal in all channels."""

    def __torch_function__(
        self, function: Callable, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        replacement = REPLACEMENTS.get(function, function)
        return replacement(*args, **(kwargs or {}))


def _same(input: Tensor, *arguments: Any, **options: Any) -> Tensor:
    return input


def _linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return input.mean(-1, keepdim=True).expand(*input.shape[:-1], len(weight)).contiguous()


def _convolution(function: Callable, is_transposed: bool) -> Callable[..., Tensor]:
    """As a convolution with equal weights, computed with one channel for each group."""

    def convolve(input: Tensor, weight: Tensor, bias: Tensor | None = None, *options: Any, **named: Any) -> Tensor:
        groups = named.get("groups", options[3] if len(options) > 3 else 1)
        copies = weight.shape[1] if is_transposed else len(weight) // groups
        axis = input.ndim - (weight.ndim - 1)
        means = input.unflatten(axis, (groups, -1)).sum(axis + 1) * groups / input.shape[axis]
        if means.requires_grad:
            means.register_hook(lambda gradient: (gradient != 0).to(gradient))  # however deep, no over- or underflow
        kernel = torch.ones(groups, 1, *weight.shape[2:], device=means.device)
        outputs = function(means, kernel / kernel[0].numel(), None, *options, **named).unsqueeze(axis + 1)
        sizes = [copies if number == axis + 1 else -1 for number in range(outputs.ndim)]
        return outputs.expand(sizes).flatten(axis, axis + 1).contiguous()

    return convolve


def _pooling(average: Callable) -> Callable[..., Tensor]:
    """A mean in place of a maximum, over the gaps of a dilated window too: its ends are the same."""

    def pool(
        input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, **options: Any
    ) -> Tensor:
        gaps, kernel = (torch.as_tensor(numbers, device="cpu") for numbers in (dilation, kernel_size))
        return average(input, (gaps * (kernel - 1) + 1).tolist(), stride or kernel_size, padding)

    return pool


def _max(input: Tensor, *arguments: Any, **options: Any) -> Any:
    other = options.get("other", arguments[0] if arguments else None)
    if isinstance(other, Tensor):
        return input + other
    means = input.mean(*arguments, **options)
    return torch.return_types.max((means, means.long())) if arguments or options else means


def _replacements() -> dict[Callable, Callable]:
    """Function of torch → what `_AllPositive` has in its place."""
    names = (
        *("batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm", "local_response_norm", "normalize"),
        *("relu", "relu6", "leaky_relu", "rrelu", "prelu", "elu", "selu", "celu", "gelu", "silu", "mish", "threshold"),
        *("tanh", "sigmoid", "logsigmoid", "softplus", "softsign", "hardtanh", "hardsigmoid", "hardswish"),
    )
    by_name: dict[str, Callable] = dict.fromkeys([*names, *(f"{name}_" for name in names)], _same)
    by_name |= {"linear": _linear, "amax": torch.mean, "max": _max, "maximum": torch.add}
    for n in (1, 2, 3):
        for kind in ("conv", "conv_transpose"):
            by_name[f"{kind}{n}d"] = _convolution(getattr(functional, f"{kind}{n}d"), kind == "conv_transpose")
        by_name[f"max_pool{n}d"] = _pooling(getattr(functional, f"avg_pool{n}d"))
        by_name[f"adaptive_max_pool{n}d"] = getattr(functional, f"adaptive_avg_pool{n}d")
    homes = (torch, Tensor, functional)
    return {getattr(home, name): new for name, new in by_name.items() for home in homes if hasattr(home, name)}


REPLACEMENTS = _replacements()
