"""Ways to spoil clips by degrees, in space or in time alone: to find out what a metric sees, spoil what is good.

A *temporal* corruption (`shuffle_frames`, `hold_frames`) shows frames of the clip as they are, at other times: each
frame for itself is as good as before. A *spatial* one (`blur`, `lower_resolution`, and with ``still=True``, as they are
by default, `add_noise` and `warp`) spoils all frames of a clip in one and the same way: what stood still stands still.
With ``still=False`` each frame is spoilt as much as before but in a way of its own, so that time is spoilt, too: so Ge
et al. tell apart how much a metric minds the one and the other.

Videos are ``(N, C, T, H, W)`` in [-1, 1] of any floating dtype, and stay so; a strength of 0 changes nothing. Each clip
gets draws of its own.

Source: Ge et al. 2024, section 3 (spatial against spatiotemporal corruption, elastic warps among them).
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import conv2d, grid_sample, interpolate, pad

from ldvd_lib._kit.checks import whole_number

_POINTS = 4  # of a warp's coarse grid, along each side: bends as large as a limb, not as a pixel


def reorder_frames(videos: Tensor, order: Tensor) -> Tensor:
    """Show the frames of each clip in an order of its own.

    Args:
        videos: ``(N, C, T, H, W)``.
        order: ``(N, L)`` int64: which frame is shown at each time; one may be shown more than once.

    Returns:
        ``(N, C, L, H, W)``.

    Raises:
        ValueError: for other shapes.
    """
    if videos.ndim != 5 or order.ndim != 2 or len(order) != len(videos):
        raise ValueError(
            f"videos must be (N, C, T, H, W) and order (N, L), got {tuple(videos.shape)} and {tuple(order.shape)}"
        )
    clips = torch.arange(len(videos), device=videos.device)[:, None]
    # With the channels last in memory, as a sampler gives them and a CPU convolves them fastest, frames move whole.
    return videos.permute(0, 2, 3, 4, 1)[clips, order.to(videos.device)].permute(0, 4, 1, 2, 3)


def shuffle_frames(videos: Tensor, share: float = 1.0, *, seed: int = 0) -> Tensor:
    """Let some frames of each clip change places among themselves.

    Args:
        videos: see the module.
        share: of the frames that are drawn to change places, 0 to 1; some may land where they were. With 1 all frames
            come in random order.
        seed: of the draws.

    Raises:
        ValueError: for an argument out of range.
    """
    _check(videos)
    if not 0 <= share <= 1:
        raise ValueError(f"share must be a number from 0 to 1, got {share!r}")
    count, num_frames = len(videos), videos.shape[2]
    random = torch.Generator().manual_seed(seed)
    order = torch.arange(num_frames).repeat(count, 1)
    chosen = torch.rand(count, num_frames, generator=random).argsort(1)[:, : round(share * num_frames)]
    return reorder_frames(videos, order.scatter(1, chosen.sort(1).values, chosen))


def hold_frames(videos: Tensor, length: int) -> Tensor:
    """Let every frame stand for a time: the clip is cut into pieces, and each shows its middle frame all the time.

    Args:
        videos: see the module.
        length: frames of a piece: 1 changes nothing, and as many as the clip has freeze it.

    Raises:
        ValueError: for an argument out of range.
    """
    _check(videos)
    num_frames = videos.shape[2]
    length = whole_number("length", length, least=1, most=num_frames)
    times = torch.arange(num_frames)
    middle = (times - times % length + length // 2).clamp(max=num_frames - 1)
    return reorder_frames(videos, middle.expand(len(videos), -1))


def blur(videos: Tensor, deviation: float) -> Tensor:
    """Blur every frame with a Gaussian; beyond the border, the pixels there go on.

    Args:
        videos: see the module.
        deviation: standard deviation of the Gaussian in pixels, 0 or more.

    Raises:
        ValueError: for an argument out of range.
    """
    _check(videos)
    if _strength("deviation", deviation) == 0:
        return videos
    radius = math.ceil(3 * deviation)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    weights = (-0.5 * (offsets / deviation) ** 2).exp()
    kernel = (weights / weights.sum()).to(videos)
    images = pad(videos.transpose(1, 2).flatten(0, 2)[:, None], [radius] * 4, mode="replicate")
    blurred = conv2d(conv2d(images, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))
    return blurred[:, 0].unflatten(0, (len(videos), videos.shape[2], videos.shape[1])).transpose(1, 2)


def lower_resolution(videos: Tensor, size: int, *, mode: str = "bilinear") -> Tensor:
    """Reduce every frame and enlarge it again, without antialiasing, as a careless pipeline does.

    Args:
        videos: see the module.
        size: height and width in between, in pixels.
        mode: of both steps, ``"nearest"``, ``"bilinear"`` or ``"bicubic"``.

    Raises:
        ValueError: for an argument out of range.
    """
    _check(videos)
    size = whole_number("size", size, least=1)
    smooth = {} if mode == "nearest" else {"align_corners": False}
    images = videos.transpose(1, 2).flatten(0, 1)
    small = interpolate(images, (size, size), mode=mode, **smooth)
    back = interpolate(small, tuple(videos.shape[3:]), mode=mode, **smooth).clamp(-1, 1)
    return back.unflatten(0, (len(videos), -1)).transpose(1, 2)


def add_noise(videos: Tensor, deviation: float, *, still: bool = True, seed: int = 0) -> Tensor:
    """Add Gaussian noise, independent from pixel to pixel and colour to colour.

    Args:
        videos: see the module.
        deviation: of the noise, before what leaves [-1, 1] is cut off.
        still: whether all frames of a clip get the same noise, like dirt on a lens, or each its own, which flickers.
        seed: of the noise.

    Raises:
        ValueError: for an argument out of range.
    """
    _check(videos)
    if _strength("deviation", deviation) == 0:
        return videos
    shape = list(videos.shape)
    if still:
        shape[2] = 1
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return (videos + deviation * noise.to(videos)).clamp(-1, 1)


def warp(videos: Tensor, pixels: float, *, still: bool = True, seed: int = 0) -> Tensor:
    """Bend every frame as if it were printed on rubber (an elastic transformation).

    The rubber is pulled at random at 4×4 points, and moves smoothly in between. What is pulled in from beyond the
    border is the border's pixels.

    Args:
        videos: see the module.
        pixels: how far a point of the frame moves: the root of the mean square over the frame.
        still: whether all frames of a clip are bent in the same way, or each in its own, so that what moved smoothly
            trembles.
        seed: of the pulls.

    Raises:
        ValueError: for an argument out of range.
    """
    _check(videos)
    if _strength("pixels", pixels) == 0:
        return videos
    count, _, num_frames, height, width = videos.shape
    random = torch.Generator().manual_seed(seed)
    pulls = torch.randn(count * (1 if still else num_frames), 2, _POINTS, _POINTS, generator=random)
    moves = interpolate(pulls, (height, width), mode="bicubic", align_corners=True)
    moves *= pixels / moves.square().sum(1).mean((1, 2)).sqrt()[:, None, None, None]
    if still:
        moves = moves.repeat_interleave(num_frames, 0)
    # `grid_sample` counts from -1 to 1 from one edge of the frame to the other.
    across, down = ((2 * torch.arange(side) + 1) / side - 1 for side in (width, height))
    columns = across + moves[:, 0] * 2 / width
    rows = down[:, None] + moves[:, 1] * 2 / height
    images = videos.transpose(1, 2).flatten(0, 1)
    grid = torch.stack([columns, rows], dim=-1).to(images)
    bent = grid_sample(images, grid, mode="bicubic", padding_mode="border", align_corners=False).clamp(-1, 1)
    return bent.unflatten(0, (count, num_frames)).transpose(1, 2)


def _check(videos: Tensor) -> None:
    if videos.ndim != 5 or not videos.is_floating_point():
        raise ValueError(
            f"videos must be floating-point numbers (N, C, T, H, W) in [-1, 1], got {videos.dtype} "
            f"{tuple(videos.shape)}; `ldvd_lib.video.to_float` makes them of uint8"
        )


def _strength(name: str, value: float) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be a finite number, 0 or more, got {value!r}")
    return value
