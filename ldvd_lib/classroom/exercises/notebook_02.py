"""Checks of 02, TGAN's generator."""

import torch
from torch import Tensor, nn

from ldvd_lib.classroom.exercises import (
    attempt,
    exercise,
    expect,
    expect_close,
    expect_equal,
    expect_shape,
    expect_type,
)


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
    expect_type(answer, (tuple, list), "the answer", "both parts, (output_length, plan)")
    expect(len(answer) == 2, "hand in both parts: (output_length, plan)")
    output_length, plan = answer
    for length, kernel, stride, padding in ((3, 8, 3, 1), (1, 1, 1, 0), (4, 4, 2, 1), (5, 3, 2, 1), (7, 5, 1, 2)):
        layer = nn.ConvTranspose1d(1, 1, kernel, stride, padding)
        expect_equal(
            attempt(output_length, length, kernel, stride, padding),
            layer(torch.zeros(1, 1, length)).shape[-1],
            f"what length {length} becomes with kernel {kernel}, stride {stride} and padding {padding}",
            mistakes=(
                (length * stride, "the kernel and the padding count, too; they cancel only where they match"),
                (2 * length, "that is so for one choice of kernel, stride and padding; write it for all of them"),
                (
                    (length + 2 * padding - kernel) // stride + 1,
                    "that is what a convolution makes of it; a transposed one lays stamps, and padding cuts off",
                ),
                ((length - 1) * stride + kernel - padding, "the padding is cut off at both ends"),
                ((length - 1) * stride + kernel, "the padding is cut off the ends, and you leave it on"),
                ((length - 1) * stride + kernel + 2 * padding, "padding cuts off here; it does not add"),
                (length * stride + kernel - 2 * padding, "the first stamp lies at 0, so there are length - 1 strides"),
                ((length - 1) * stride - 2 * padding, "the last stamp reaches beyond where it begins"),
                ((length - 1) * stride + 1 - 2 * padding, "the last stamp reaches beyond where it begins"),
                (length * kernel - 2 * padding, "stamps overlap: they lie a stride apart, not a kernel"),
                ((length - 1) * kernel + stride - 2 * padding, "kernel and stride have changed places"),
            ),
        )
    _expect_plan(plan)
    path = " → ".join(map(str, _lengths(plan)))
    return (
        f"{path}. TGAN goes the other way: narrow kernels, and a layer for each doubling, so that 32 frames take five."
    )


def _expect_plan(plan: list) -> None:
    expect_type(plan, (tuple, list), "the plan", "a list of four layers, (kernel, stride, padding)")
    expect(len(plan) == 4, f"the plan should have four layers, the first of them (1, 1, 0), and has {len(plan)}")
    for number, layer in enumerate(plan):
        expect(
            isinstance(layer, (tuple, list)) and len(layer) == 3 and all(isinstance(value, int) for value in layer),
            f"layer {number} should be three whole numbers, (kernel, stride, padding), and is {layer!r}",
        )
    expect(tuple(plan[0]) == (1, 1, 0), f"the first layer should stay (1, 1, 0), and is {tuple(plan[0])}")
    lengths = _lengths(plan)
    for number, (kernel, stride, padding) in enumerate(plan[1:], start=1):
        layer = f"layer {number}, {(kernel, stride, padding)},"
        _expect_even_cover(layer, kernel, stride)
        expect(padding >= 0, f"{layer} has a negative padding")
        expect(lengths[number] >= 1, f"{layer} cuts off everything: its padding is too large")
    path = " → ".join(map(str, lengths))
    short = "; all strides multiplied are not 32" if lengths[-1] != 32 and _product(plan) != 32 else ""
    expect(lengths[-1] == 32, f"the plan should end at length 32, and goes {path}{short}")


def _lengths(plan: list) -> list[int]:
    lengths = [1]
    for kernel, stride, padding in plan:
        lengths.append((lengths[-1] - 1) * stride + kernel - 2 * padding)
    return lengths


def _product(plan: list) -> int:
    result = 1
    for _, stride, _ in plan:
        result *= stride
    return result


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
        slow = torch.arange(videos * 2.0).view(videos, 2, 1, 1).repeat(1, 1, 4, 4)
        fast = 100 + torch.arange(videos * frames * 2.0).view(-1, 2, 1, 1).repeat(1, 1, 4, 4)
        slow[..., 1:, :] += 0.25
        fast[..., 1:, :] += 0.25
        got = attempt(join, slow, fast)
        what = f"what is joined for {videos} videos of {frames} frames"
        expect_type(got, Tensor, what, "a tensor")
        if got.ndim == 5 and got.numel() == videos * frames * 4 * 16:
            expect_shape(got.flatten(0, 1), (videos * frames, 4, 4, 4), what)
            expect(False, f"{what} should be one batch of images: fold the videos and their frames into one axis")
        expect_shape(got, (videos * frames, 4, 4, 4), what)
        _expect_order(got.detach(), slow, fast)
        expect_close(got, torch.cat([slow.repeat_interleave(frames, dim=0), fast], dim=1), what)
    return (
        "All frames of all videos are now one batch of images. That is faster than the loop, and in training it is not "
        "quite the same: batch normalisation sees all frames together, and in the loop those of each moment alone."
    )


def _expect_order(joined: Tensor, slow: Tensor, fast: Tensor) -> None:
    """Name the usual mistakes: channels in another order, and slow maps in the order of `repeat`."""
    videos, frames = len(slow), len(fast) // len(slow)
    first, last = joined[:, :2], joined[:, 2:]
    expect(not torch.equal(first, fast), "the slow channels should come first, and yours come last")
    expect(
        not (torch.equal(joined[:, 1::2], fast) or torch.equal(joined[:, ::2], fast)),
        "slow and fast channels take turns: all slow ones should come first",
    )
    expect(
        torch.equal(last, fast),
        "the last channels should be the fast maps as they are, and in the order they came in",
    )
    owners = [next((number for number, map_ in enumerate(slow) if torch.equal(map_, image)), None) for image in first]
    expect(None not in owners, "the first channels should be slow maps as they are, and some of yours are none of them")
    laid_out_again = list(range(videos)) * frames
    for image, owner in enumerate(owners):
        expected = image // frames
        expect(
            owner == expected,
            f"with {videos} videos of {frames} frames, image {image} is frame {image % frames} of video {expected} and "
            f"should have that video's slow map; yours has that of video {owner}"
            + (": `repeat` lays the whole batch out again and again" if owners == laid_out_again else ""),
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
    outside = (path.abs() > 1 + 1e-6).float().mean(dim=1).max()
    expect(
        not (torch.allclose(path[0], end, atol=1e-3) and torch.allclose(path[-1], start, atol=1e-3)),
        "the walk goes from end to start, and should go from start to end",
    )
    if outside == 0:
        for number, name, latent in ((0, "first", start), (-1, "last", end)):
            expect(
                torch.allclose(path[number], latent, atol=1e-3),
                f"the {name} latent of the walk should be the one that was given, and is another",
            )
    expect(
        outside == 0,
        f"up to {outside:.0%} of the coordinates leave [-1, 1], where no latent has ever been drawn"
        + (": what has been made normal has to be led back" if path.var() > 0.8 else ""),
    )
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
