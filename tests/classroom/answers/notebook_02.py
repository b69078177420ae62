"""Right and wrong answers to the exercises of 02, with a phrase of the message that names what is wrong."""

import math

import torch
from torch import nn

NORMAL = torch.distributions.Normal(0, 1)


def output_length(length, kernel, stride, padding):
    return (length - 1) * stride + kernel - 2 * padding


def measured_length(length, *options):
    return nn.ConvTranspose1d(1, 1, *options)(torch.zeros(1, length)).shape[-1]


def length_by_stamping(length, kernel, stride, padding):
    places = {number * stride + place for number in range(length) for place in range(kernel)}
    return max(places) + 1 - 2 * padding


PLAN = [(1, 1, 0), (8, 4, 2), (8, 4, 2), (4, 2, 1)]


def join(slow_maps, fast_maps):
    return torch.cat([slow_maps.repeat_interleave(len(fast_maps) // len(slow_maps), dim=0), fast_maps], dim=1)


def join_by_views(slow_maps, fast_maps):
    n, c, h, w = slow_maps.shape
    fast = fast_maps.view(n, -1, c, h, w)
    return torch.cat([slow_maps[:, None].expand_as(fast), fast], dim=2).flatten(0, 1)


def join_by_a_loop(slow_maps, fast_maps):
    frames = len(fast_maps) // len(slow_maps)
    return torch.stack([torch.cat([slow_maps[k // frames], fast]) for k, fast in enumerate(fast_maps)])


def repeated(slow_maps, fast_maps):
    return slow_maps.repeat(len(fast_maps) // len(slow_maps), 1, 1, 1)


def typical(start, end, mix, num_steps=5):
    """By way of normal latents, mixed in some way."""
    x, y = NORMAL.icdf((start + 1) / 2), NORMAL.icdf((end + 1) / 2)
    return torch.stack([2 * NORMAL.cdf(mix(x, y, share)) - 1 for share in torch.linspace(0, 1, num_steps)])


def turned(x, y, share):
    angle = share * math.pi / 2
    return angle.cos() * x + angle.sin() * y


def walk(start, end, num_steps):
    return typical(start, end, turned, num_steps)


def walk_at_once(start, end, num_steps):
    x, y = torch.erfinv(start) * math.sqrt(2), torch.erfinv(end) * math.sqrt(2)
    angles = torch.linspace(0, math.pi / 2, num_steps)[:, None]
    return torch.erf((angles.cos() * x + angles.sin() * y) / math.sqrt(2))


def straight(start, end, num_steps):
    return torch.stack([torch.lerp(start, end, share) for share in torch.linspace(0, 1, num_steps).tolist()])


def spherical(start, end, num_steps):
    angle = torch.acos((start @ end) / (start.norm() * end.norm()))
    shares = torch.linspace(0, 1, num_steps)[:, None]
    return (((1 - shares) * angle).sin() * start + (shares * angle).sin() * end) / angle.sin()


def through_normals_in_a_sphere(start, end, num_steps):
    path = spherical(NORMAL.icdf((start + 1) / 2), NORMAL.icdf((end + 1) / 2), num_steps)
    return 2 * NORMAL.cdf(path) - 1


STUBS = {
    "02.1": (lambda *arguments: None, [(1, 1, 0), ..., ..., ...]),
    "02.2": lambda slow_maps, fast_maps: None,
    "02.3": lambda start, end, num_steps: ...,
}
RIGHT = {
    "02.1": (
        (output_length, PLAN),
        (measured_length, [[1, 1, 0], [4, 2, 1], [8, 4, 2], [8, 4, 2]]),
        (length_by_stamping, tuple(PLAN)),
        (output_length, [(1, 1, 0), (16, 8, 4), (4, 2, 1), (4, 2, 1)]),
        (lambda *layer: torch.tensor(output_length(*layer)), PLAN),
    ),
    "02.2": (join, join_by_views, join_by_a_loop),
    "02.3": (
        walk,
        walk_at_once,
        lambda start, end, num_steps: walk(start, end, num_steps).double(),
        through_normals_in_a_sphere,
    ),
}
WRONG = {
    "02.1": (
        ((lambda length, *_: 2 * length, PLAN), "write it for all of them"),
        ((lambda n, k, s, p: (n - 1) * s + k - p, PLAN), "cut off at both ends"),
        ((lambda n, k, s, p: (n - 1) * s + k, PLAN), "you leave it on"),
        ((lambda n, k, s, p: (n - 1) * s + k + 2 * p, PLAN), "padding cuts off here"),
        ((lambda n, k, s, p: n * s + k - 2 * p, PLAN), "length - 1 strides"),
        ((lambda n, k, s, p: (n + 2 * p - k) // s + 1, PLAN), "what a convolution makes of it"),
        ((lambda n, k, s, p: (n - 1) * s + 1 - 2 * p, PLAN), "the last stamp reaches"),
        ((lambda n, k, s, p: (n - 1) * k + s - 2 * p, PLAN), "changed places"),
        ((lambda n, k, s, p: n * s, PLAN), "they cancel only where"),
        ((lambda n, k, s, p: n * k - 2 * p, PLAN), "stamps overlap"),
        ((output_length, [(1, 1, 0)] + [(4, 2, 1)] * 5), "four layers, the first of them (1, 1, 0), and has 6"),
        ((output_length, [(1, 1, 0)] + [(4, 2, 1)] * 3), "goes 1 → 1 → 2 → 4 → 8; all strides multiplied"),
        ((output_length, [(1, 1, 0), (8, 4, 0), (8, 4, 2), (4, 2, 1)]), "goes 1 → 1 → 8 → 32 → 64"),
        ((output_length, [(2, 1, 0), *PLAN[1:]]), "should stay (1, 1, 0)"),
        ((output_length, [PLAN[0], (10, 4, 3), *PLAN[2:]]), "some places get 3 stamps and others 2"),
        ((output_length, [PLAN[0], (4, 4, 0), *PLAN[2:]]), "not every place gets two"),
        ((output_length, [PLAN[0], (8, 4, 4), *PLAN[2:]]), "cuts off everything"),
        ((output_length, [PLAN[0], (8, 4), *PLAN[2:]]), "three whole numbers"),
        (output_length, "both parts"),
    ),
    "02.2": (
        (lambda slow, fast: torch.cat([slow, fast], dim=1), "Sizes of tensors must match"),
        (lambda slow, fast: join(slow, fast).roll(2, dims=1), "should come first"),
        (lambda slow, fast: torch.cat([repeated(slow, fast), fast], dim=1), "`repeat` lays the whole batch out again"),
        (lambda slow, fast: join(slow, fast)[None], "one batch of images"),
        (lambda slow, fast: join_by_views(slow, fast).unflatten(0, (len(slow), -1)), "one batch of images"),
        (lambda slow, fast: join(slow, fast.flip(0)), "in the order they came in"),
        (lambda slow, fast: join(slow.flip(0), fast), "should have that video's slow map"),
        (lambda slow, fast: join(slow[:1].expand_as(slow), fast), "should have that video's slow map"),
        (lambda slow, fast: join(2 * slow, fast), "none of them"),
        (lambda slow, fast: join(slow, fast).view(-1, 2, 2, 4, 4).transpose(1, 2).flatten(1, 2), "take turns"),
        (lambda slow, fast: slow.repeat_interleave(len(fast) // len(slow), 0) + fast, "axis 1 is too short"),
        (
            lambda slow, fast: join(slow, fast.view(len(slow), -1, 2, 4, 4).transpose(0, 1).flatten(0, 1)),
            "the order they",
        ),
        (lambda slow, fast: torch.cat([slow.repeat_interleave(len(fast) // len(slow), 0), fast]), None),
    ),
    "02.3": (
        (straight, "variance 0.21; a latent that is drawn has 0.33, so this one is too near the middle"),
        (spherical, "of the coordinates leave [-1, 1]"),
        (lambda *arguments: spherical(*arguments).clamp(-1, 1), "lie within ±0.5"),
        (lambda *arguments: walk(*arguments).flip(0), "from end to start"),
        (lambda start, end, n: torch.stack([start] * 3 + [end] * 2), "steps should be about equally long"),
        (lambda start, end, n: walk(start, end, n + 1), "one place too long"),
        (lambda start, end, n: walk(start, end, n).T, "axes are in another order"),
        (lambda start, end, n: typical(start, end, torch.lerp), "too near the middle"),
        (lambda start, end, n: NORMAL.icdf((walk(start, end, n) + 1) / 2), "has to be led back"),
        (lambda start, end, n: NORMAL.icdf(start) + NORMAL.icdf(end) * torch.ones(n, 1), "not finite"),
        (lambda start, end, n: torch.cat([walk(start, end, n)[:-1], start[None]]), "the last latent of the walk"),
        (lambda start, end, n: 2 * torch.rand(n, len(start)) - 1, "the first latent of the walk"),
        (lambda start, end, n: [latent.tolist()[:3] for latent in walk(start, end, n)], "should be a tensor"),
    ),
}
