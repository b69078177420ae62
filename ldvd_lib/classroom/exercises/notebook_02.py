"""Checks of 02, TGAN's generator."""

import torch
from torch import Tensor, nn

from ldvd_lib.classroom.exercises import attempt, exercise, expect, expect_close, expect_equal, expect_shape


@exercise(
    "02.1",
    title="Thirty-two frames in three layers",
    hints=(
        "The last stamp begins at (length - 1) * stride. Where does it end, and how much is cut off the ends?",
        "A layer multiplies the length by exactly its stride if kernel - 2 * padding = stride. Which strides make 32?",
        "(length - 1) * stride + kernel - 2 * padding. Strides 4, 4 and 2 do; with stride 4, kernel 8 needs padding 2.",
    ),
)
def thirty_two_frames(answer):
    output_length, plan = answer
    for length, kernel, stride, padding in ((1, 1, 1, 0), (4, 4, 2, 1), (5, 3, 2, 1), (3, 6, 3, 0), (7, 5, 1, 2)):
        layer = nn.ConvTranspose1d(1, 1, kernel, stride, padding)
        expected = layer(torch.zeros(1, 1, length)).shape[-1]
        got = attempt(output_length, length, kernel, stride, padding)
        what = f"what length {length} becomes with kernel {kernel}, stride {stride} and padding {padding}"
        expect_equal(got, expected, what)
    expect(len(plan) == 4, f"the plan should have four layers, the first of them (1, 1, 0), and has {len(plan)}")
    expect(tuple(plan[0]) == (1, 1, 0), f"the first layer should stay (1, 1, 0), and is {tuple(plan[0])}")
    lengths = [1]
    for kernel, stride, padding in plan:
        layer = f"layer {len(lengths) - 1}, {(kernel, stride, padding)},"
        if len(lengths) > 1:
            _expect_even_cover(layer, kernel, stride)
        lengths.append((lengths[-1] - 1) * stride + kernel - 2 * padding)
        expect(lengths[-1] >= 1, f"{layer} cuts off everything: its padding is too large")
    path = " → ".join(map(str, lengths))
    expect(lengths[-1] == 32, f"the plan should end at length 32, and goes {path}")
    return (
        f"{path}. TGAN goes the other way: narrow kernels, and a layer for each doubling, so that 32 frames take five."
    )


def _expect_even_cover(layer: str, kernel: int, stride: int) -> None:
    """Every place gets the same number of stamps, at least two."""
    expect(stride >= 1, f"{layer} has no positive stride")
    expect(kernel >= 2 * stride, f"in {layer} stamps of {kernel} places lie {stride} apart: not every place gets two")
    expect(
        kernel % stride == 0,
        f"{layer} is uneven: some places get {-(-kernel // stride)} stamps and others {kernel // stride}, since "
        f"kernel {kernel} is no multiple of stride {stride}",
    )


@exercise(
    "02.2",
    title="One slow map, many fast ones",
    hints=(
        "The fast maps come video by video. So in which order must the slow maps come, and how often each?",
        "`repeat` lays the batch out again and again, 0 1 0 1; you need each map several times in turn, 0 0 1 1.",
        "With frames = len(fast_maps) // len(slow_maps), join slow_maps.repeat_interleave(frames, dim=0) and fast_maps "
        "along dim=1.",
    ),
)
def one_slow_map(join):
    for videos, frames in ((3, 4), (1, 5), (4, 1)):
        slow = torch.arange(videos * 2.0).view(videos, 2, 1, 1).expand(-1, -1, 4, 4)
        fast = 100 + torch.arange(videos * frames * 2.0).view(-1, 2, 1, 1).expand(-1, -1, 4, 4)
        got = attempt(join, slow.clone(), fast.clone())
        expect_shape(got, (videos * frames, 4, 4, 4), f"what is joined for {videos} videos of {frames} frames")
        _expect_order(got.detach(), fast, videos, frames)
        expected = torch.cat([slow.repeat_interleave(frames, dim=0), fast], dim=1)
        expect_close(got, expected, "what is joined")
    return (
        "All frames of all videos are now one batch of images. That is faster than the loop, and in training it is not "
        "quite the same: batch normalisation sees all frames together, and in the loop those of each moment alone."
    )


def _expect_order(joined: Tensor, fast: Tensor, videos: int, frames: int) -> None:
    """Name the two usual mistakes: fast before slow, and slow maps in the order of `repeat`."""
    first, last = joined[:, :2, 0, 0], joined[:, 2:, 0, 0]
    expect(not torch.equal(first, fast[..., 0, 0]), "the slow channels should come first, and yours come last")
    expect(torch.equal(last, fast[..., 0, 0]), "the last channels should be the fast maps, in the order they came in")
    owners = (first[:, 0] / 2).long()
    expected_owners = torch.arange(videos).repeat_interleave(frames)
    for image, (owner, expected) in enumerate(zip(owners, expected_owners, strict=True)):
        expect(
            owner == expected,
            f"with {videos} videos of {frames} frames, image {image} is frame {image % frames} of video {expected} and "
            f"should have that video's slow map; yours has that of video {owner}",
        )


@exercise(
    "02.3",
    title="A walk through typical latents",
    hints=(
        "Which random numbers keep their distribution when two are mixed as cos(a) * x + sin(a) * y? Not uniform ones.",
        "Normal ones. For u uniform in [-1, 1], normal.icdf((u + 1) / 2) is normal; 2 * normal.cdf(x) - 1 leads back.",
        "Make start and end normal, mix them as cos(a) * x + sin(a) * y for angles a from 0 to pi / 2, and lead each "
        "mixture back.",
    ),
)
def typical_walk(walk):
    start, end = torch.rand(2, 20_000) * 1.99 - 0.995
    path = attempt(walk, start, end, 5)
    expect_shape(path, (5, len(start)), "a walk of 5 latents")
    path = path.detach().float()
    expect(path.isfinite().all(), "the walk holds values that are not finite: does a probability reach 0 or 1?")
    expect_close(path[0], start, "the first latent of the walk", tolerance=1e-3)
    expect_close(path[-1], end, "the last latent of the walk", tolerance=1e-3)
    outside = (path.abs() > 1 + 1e-6).float().mean(dim=1).max()
    expect(outside == 0, f"up to {outside:.0%} of the coordinates leave [-1, 1], where no latent has ever been drawn")
    for number in (1, 2, 3):
        variance = path[number].var().item()
        expect(
            abs(variance - 1 / 3) < 0.02,
            f"the coordinates of latent {number} of 0 to 4 have variance {variance:.2f}; a latent that is drawn has "
            f"0.33, so this one is {'too near the middle' if variance < 1 / 3 else 'too far out'}",
        )
        share = (path[number].abs() < 0.5).float().mean().item()
        expect(
            abs(share - 0.5) < 0.03,
            f"{share:.0%} of the coordinates of latent {number} of 0 to 4 lie within ±0.5; of a drawn latent half do",
        )
    paces = path.diff(dim=0).square().mean(dim=1).sqrt()
    expect(
        paces.max() < 2 * paces.min(),
        f"the steps should be about equally long, and are {', '.join(f'{pace:.2f}' for pace in paces)}",
    )
    return "Any distribution whose cumulative one can be inverted can be walked like this, by way of the normal one."
