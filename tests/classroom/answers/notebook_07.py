"""Right and wrong answers to the exercises of 07, with a phrase of the message that names what is wrong."""

import numpy as np
import torch


def products_needed(kernel, tolerance=0.01, *, after=0, root=True):
    squares = torch.linalg.svdvals(kernel.flatten(1)).square()
    for number in range(1, len(squares) + 1):
        left = squares[number + after :].sum() / squares.sum()
        if (left.sqrt() if root else left) <= tolerance:
            return number
    return len(squares)


def by_rebuilding(kernel, tolerance=0.01):
    u, s, vh = torch.linalg.svd(kernel.flatten(1), full_matrices=False)
    for number in range(1, len(s) + 1):
        rebuilt = (u[:, :number] * s[:number]) @ vh[:number]
        if (rebuilt - kernel.flatten(1)).norm() <= tolerance * kernel.norm():
            return torch.tensor(number)
    return len(s)


def by_cumulating(kernel, tolerance=0.01):
    squares = np.linalg.svd(kernel.numpy().reshape(len(kernel), -1), compute_uv=False).astype(float) ** 2
    left = squares.sum() - squares.cumsum()
    return 1 + int((np.sqrt(left.clip(0) / squares.sum()) > tolerance).sum())


def first_small(errors):
    """A wrong answer: the first number of products whose "error", of the singular values, is small enough."""

    def answer(kernel, tolerance=0.01):
        s = torch.linalg.svdvals(kernel.flatten(1))
        return next((n for n in range(1, len(s) + 1) if errors(s, n) <= tolerance), len(s))

    return answer


def factorize(weight, channels, *, balanced=False, padded=False, power=1.0, last=False):
    outputs, inputs, t, y, x = weight.shape
    matrix = weight.permute(0, 2, 1, 3, 4).reshape(outputs * t, inputs * y * x)
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    left, right = (u * s.sqrt(), s.sqrt()[:, None] * vh) if balanced else (u * s**power, vh)
    left, right = (left[:, -channels:], right[-channels:]) if last else (left[:, :channels], right[:channels])
    if padded:
        missing = channels - left.shape[1]
        left = torch.cat([left, left.new_zeros(len(left), missing)], dim=1)
        right = torch.cat([right, right.new_zeros(missing, right.shape[1])])
    spatial = right.reshape(-1, inputs, 1, y, x)
    return spatial, left.reshape(outputs, t, -1).transpose(1, 2)[..., None, None]


def changed(change):
    """A wrong answer: the two halves, and then something."""
    return lambda weight, channels: change(*factorize(weight, channels))


def in_the_wrong_order(weight, channels):
    spatial, temporal = factorize(weight, channels)
    outputs, between, t, _, _ = temporal.shape
    return spatial, temporal.reshape(outputs, t, between).transpose(1, 2)[..., None, None]


def without_permuting(weight, channels):
    outputs, inputs, t, y, x = weight.shape
    u, s, vh = torch.linalg.svd(weight.reshape(outputs * t, inputs * y * x), full_matrices=False)
    spatial = vh[:channels].reshape(-1, inputs, 1, y, x)
    return spatial, (u * s)[:, :channels].reshape(outputs, t, -1).transpose(1, 2)[..., None, None]


def num_parameters(
    kinds, base_channels=64, *, head=16, normalisation=2, first=0, temporal=4, bias=0, deep=64, colours=3
):
    total, before, after = 0, colours, base_channels
    for number, kind in enumerate(kinds):
        total += (deep if kind == "3d" else 16) * before * after + (temporal * after**2 if kind == "2+1d" else 0)
        total += (normalisation * after if number else first * after) + bias * after
        before, after = after, 2 * after
    return total + head * before


def by_widths(kinds, base_channels=64):
    widths = [3] + [base_channels << number for number in range(len(kinds))]
    weights = {
        "3d": lambda i, o: 64 * i * o,
        "2d": lambda i, o: 16 * i * o,
        "2+1d": lambda i, o: 16 * i * o + 4 * o * o,
    }
    layers = sum(weights[kind](i, o) for kind, i, o in zip(kinds, widths[:-1], widths[1:], strict=True))
    return layers + 2 * sum(widths[2:]) + 16 * widths[-1]


def temporal_half_from_inputs(kinds, base_channels=64):
    total, before, after = num_parameters(kinds, base_channels), 3, base_channels
    for kind in kinds:
        total -= 4 * after * (after - before) if kind == "2+1d" else 0
        before, after = after, 2 * after
    return total


STUBS = {
    "07.1": lambda kernel, tolerance=0.01: None,
    "07.2": lambda weight, channels: None,
    "07.3": lambda kinds, base_channels=64: None,
    "07.4": (..., ..., ..., ...),
}
RIGHT = {
    "07.1": (products_needed, by_rebuilding, by_cumulating, first_small(lambda s, n: s[n:].norm() / s.norm())),
    "07.2": (
        factorize,
        lambda *arguments: list(factorize(*arguments, balanced=True)),
        lambda *arguments: factorize(*arguments, padded=True),
        changed(lambda spatial, temporal: (-3 * spatial, temporal / -3)),
    ),
    "07.3": (
        num_parameters,
        by_widths,
        lambda *arguments: torch.tensor(num_parameters(*arguments)),
        lambda *arguments: float(num_parameters(*arguments)),
    ),
    "07.4": (
        ("3d", "2+1d", "shift", "2d"),
        ["3d", "2+1d", "2d", "shift"],
        ("3d", "2+1d", "shift", "shift"),
    ),
}
WRONG = {
    "07.1": (
        (lambda *arguments: products_needed(*arguments, root=False), "without the root"),
        (lambda *arguments: products_needed(*arguments, after=1), "what is left after n terms"),
        (lambda *arguments: products_needed(*arguments) - 1, "what is left after n terms"),
        (lambda *arguments: products_needed(*arguments) + 1, "one fewer would do"),
        (first_small(lambda s, n: s[n:].sum() / s.sum()), "errors add up as squares"),
        (first_small(lambda s, n: s[n:].norm()), "the error is relative"),
        (lambda kernel, tolerance=0.01: int((torch.linalg.svdvals(kernel.flatten(1)) > tolerance).sum()), "relative"),
        (lambda kernel, tolerance=0.01: len(kernel), "relative"),
        (lambda kernel, tolerance: products_needed(kernel), "relative"),
        (lambda kernel, tolerance: products_needed(kernel, tolerance), "missing a required argument: 'tolerance'"),
        (lambda kernel, tolerance=0.01: products_needed(kernel.flatten(0, 1)[:, None], tolerance), None),
        (lambda *arguments: torch.tensor([products_needed(*arguments)] * 2), "should be one number"),
        (4, "function was expected"),
    ),
    "07.2": (
        (lambda *arguments: factorize(*arguments)[::-1], "the spatial half comes first"),
        (lambda weight, channels: factorize(weight, channels + 1), "at most 6 maps in between"),
        (lambda weight, channels: factorize(weight, max(1, channels // 2)), "fewer terms are used"),
        (lambda *arguments: factorize(*arguments, power=0), "σ is missing"),
        (lambda *arguments: factorize(*arguments, power=2), "σ is there twice"),
        (lambda *arguments: factorize(*arguments, power=0.5), "only the root of σ"),
        (lambda *arguments: factorize(*arguments, last=True), "least important terms"),
        (in_the_wrong_order, "in the right order?"),
        (without_permuting, "in the right order?"),
        (changed(lambda spatial, temporal: (spatial, temporal.flip(2))), "runs backwards"),
        (changed(lambda spatial, temporal: (spatial.transpose(3, 4), temporal)), "rows and columns"),
        (changed(lambda spatial, temporal: (spatial[:, :, 0], temporal)), "an axis of length 1 is missing"),
        (changed(lambda spatial, temporal: (spatial, temporal.transpose(0, 1))), "axes are in another order"),
        (lambda weight, channels: weight, "should be two tensors, spatial and temporal"),
        (lambda *arguments: [*factorize(*arguments), 0], "these are 3"),
        (
            lambda weight, channels: (
                torch.randn(channels, weight.shape[1], 1, 4, 4),
                torch.randn(weight.shape[0], channels, 4, 1, 1),
            ),
            None,
        ),
    ),
    "07.3": (
        (lambda *arguments: num_parameters(*arguments, head=0), "you forgot the head"),
        (lambda *arguments: num_parameters(*arguments, head=1), "the head is a 4×4 kernel"),
        (lambda *arguments: num_parameters(*arguments, normalisation=0), "forgot the batch normalisation"),
        (lambda *arguments: num_parameters(*arguments, normalisation=1), "half of the batch normalisation"),
        (lambda *arguments: num_parameters(*arguments, first=2), "c0, which has none"),
        (lambda *arguments: num_parameters(*arguments, head=0, normalisation=0), "the head and the batch"),
        (lambda *arguments: num_parameters(*arguments, temporal=0), "the temporal halves"),
        (lambda *arguments: num_parameters(*arguments, bias=1), "a bias for each channel"),
        (lambda *arguments: num_parameters(*arguments, deep=16), "4 frames deep"),
        (lambda *arguments: num_parameters(*arguments, colours=1), "three colours"),
        (temporal_half_from_inputs, "you counted from those that it gets"),
        (lambda kinds, base_channels: num_parameters(kinds, base_channels), "missing a required argument"),
        (lambda kinds, base_channels=64: num_parameters(kinds, 64), None),
    ),
    "07.4": (
        (("2+1d", "2+1d", "2d", "2d"), "sees 10 frames, with 2,847,488 parameters and 788.5 million multiply-adds: it"),
        (("2d", "2d", "2d", "2d"), "sees 1 frames"),
        (("2d", "2d", "shift", "shift"), "it should see all 16"),
        (("3d", "2+1d", "2d", "2d"), "it should see all 16"),
        (("2+1d", "2+1d", "shift", "2d"), "where does TGAN-F spend more"),
        (("2+1d", "2+1d", "2d", "shift"), "where does TGAN-F spend more"),
        (("3d", "3d", "2d", "shift"), "the parameters should be at most"),
        (("3d", "3d", "3d", "3d"), "the parameters should be at most"),
        (("2d", "2d", "3d", "3d"), "it should see all 16"),
        (("2+1d", "2d"), "should be four layers"),
        (("3d", "1d", "2d", "2d"), "one of yours is '1d'"),
        (4, "tuple of four words"),
    ),
}
