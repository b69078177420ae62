"""Checks of 06, MoCoGAN: content and motion, two discriminators, and the loss that joins them."""

from math import prod

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ldvd_lib.classroom.exercises import (
    as_tensor,
    attempt,
    exercise,
    expect,
    expect_close,
    expect_equal,
    expect_shape,
    expect_type,
)
from ldvd_lib.discriminators import VideoDiscriminator
from ldvd_lib.generators import MoCoGANGenerator
from ldvd_lib.views import pick_frames


@exercise(
    "06.1",
    title="Every content with every motion",
    hints=(
        "Begin with A·B rows of the right length, then fill in the content part and the motion part of each.",
        "Row a·B + b takes content a and motion b: each content B times in a row, all the motions A times over. "
        "Look up repeat_interleave and repeat.",
        'pairs = contents.repeat_interleave(len(motions), dim=0), then pairs[:, parts["motion"]] = '
        'motions[:, parts["motion"]].repeat(len(contents), 1).',
    ),
)
def every_content_with_every_motion(every_pair):
    small = {"content": slice(0, 3), "motion": slice(3, 8)}
    turned_round = {"content": slice(2, 9), "motion": slice(0, 2)}
    lite = MoCoGANGenerator(8, image_channels=2)
    for parts, size, a, b in (
        (small, 8, 2, 3),
        (small, 8, 3, 1),
        (turned_round, 9, 4, 2),
        (lite.latent_parts, lite.latent_dim, 3, 3),
    ):
        contents, motions = torch.randn(a, size), torch.randn(b, size)
        what = f"what becomes of {a} contents and {b} motions"
        got = as_tensor(attempt(every_pair, contents, motions, parts))
        if isinstance(got, Tensor) and tuple(got.shape) == (a, b, size):
            expect(False, f"{what} should be one batch: fold contents and motions into one axis of rows")
        expect_close(
            got, _pairs(contents, motions, parts["motion"]), what, mistakes=_wrong_pairs(contents, motions, parts)
        )
    return "In a grid of such videos, rows should share what is seen, and columns what happens. Section 8 tries it."


def _pairs(contents: Tensor, motions: Tensor, motion: slice) -> Tensor:
    pairs = contents.repeat_interleave(len(motions), dim=0)
    pairs[:, motion] = motions[:, motion].repeat(len(contents), 1)
    return pairs


def _wrong_pairs(contents: Tensor, motions: Tensor, parts: dict[str, slice]) -> list[tuple[Tensor, str]]:
    a, b, content, motion = len(contents), len(motions), parts["content"], parts["motion"]
    right = _pairs(contents, motions, motion)
    motions_first = right.unflatten(0, (a, b)).transpose(0, 1).flatten(0, 1)
    swapped = motions.repeat(a, 1)
    swapped[:, motion] = contents[:, motion].repeat_interleave(b, dim=0)
    both_repeated, both_interleaved, alone = contents.repeat(b, 1), contents.repeat_interleave(b, dim=0), right.clone()
    both_repeated[:, motion] = motions[:, motion].repeat(a, 1)
    both_interleaved[:, motion] = motions[:, motion].repeat_interleave(a, dim=0)
    alone[:, content] = 0
    mixed = (contents[:, None] + motions).flatten(0, 1)
    return [
        (
            motions_first,
            f"all pairs are there, in another order: row a * {b} + b is for content a and motion b, so that the "
            f"first {b} rows share their content",
        ),
        (swapped, "content and motion are the wrong way round: each comes from the other"),
        (
            both_repeated,
            "`repeat` for both meets only some of the pairs: one of the two should stay while the other changes",
        ),
        (
            both_interleaved,
            "`repeat_interleave` for both meets only some of the pairs: one of the two should stay while the "
            "other changes",
        ),
        (contents.repeat_interleave(b, dim=0), "the motion part is still that of the contents"),
        (motions.repeat(a, 1), "the content part is still that of the motions"),
        (contents.repeat(b, 1), "the motion part is still that of the contents"),
        (alone, "the content part is empty"),
        (mixed, "the two have been added: a row should have its content from one and its motion from the other"),
        (mixed / 2, "the two have been averaged: a row should have its content from one and its motion from the other"),
        (torch.cat([right[:, content], right[:, motion]], dim=1), "each part should stay where `parts` says it lies"),
        (torch.cat([right[:, motion], right[:, content]], dim=1), "each part should stay where `parts` says it lies"),
    ]


def field(kernels: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """Input positions that one output of a stack of convolutions sees along one axis."""
    size, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        size += (kernel - 1) * step
        step *= stride
    return size


@exercise(
    "06.2",
    title="What a patch sees",
    hints=(
        "Keep two numbers as you go through the layers: how much one output sees, and how far apart neighbours are.",
        "A kernel of k adds k - 1 neighbours to what is seen already. How far apart are these, counted in pixels?",
        "size, step = 1, 1; for each layer: size += (kernel - 1) * step, and then step *= stride.",
    ),
)
def what_a_patch_sees(receptive_field):
    for kernels, strides in (
        ((4,), (2,)),
        ((3, 8, 2), (1, 3, 2)),
        ((4, 4), (1, 1)),
        ((4, 4), (2, 2)),
        ((4, 4, 4, 4), (2, 2, 2, 2)),
        ((4, 4, 4, 4), (1, 1, 1, 1)),
        ((2, 2, 2, 2), (2, 2, 2, 2)),
        ((8, 3, 5), (3, 1, 2)),
    ):
        layers = ", ".join(f"kernel {k} stride {s}" for k, s in zip(kernels, strides, strict=True))
        steps = [prod(strides[:number]) for number in range(len(kernels) + 1)]
        stepped_before = 1 + sum((k - 1) * step for k, step in zip(kernels, steps[1:], strict=True))
        expect_equal(
            attempt(receptive_field, kernels, strides),
            field(kernels, strides),
            f"what is seen through the layers {layers}",
            mistakes=(
                (
                    stepped_before,
                    "the stride of a layer says how far apart its outputs are, so it counts for the layers "
                    "after it only",
                ),
                (1 + sum(k - 1 for k in kernels), "after a stride, neighbours are further apart than one pixel"),
                (
                    field(kernels[::-1], strides[::-1]),
                    "you go through the layers from the deepest up with the rule for going down",
                ),
                (
                    1 + sum(k * step for k, step in zip(kernels, steps, strict=False)),
                    "a kernel of k adds k - 1 neighbours to what is seen already",
                ),
                (field(kernels, strides) - 1, "the pixel that one begins with counts, too"),
                (
                    1 + sum((k - 1) * s for k, s in zip(kernels, (1, *strides), strict=False)),
                    "strides multiply: after two layers of stride 2, neighbours are four apart",
                ),
                (
                    1 + sum((k - 1) * (1 + sum(s - 1 for s in strides[:number])) for number, k in enumerate(kernels)),
                    "strides multiply: after two layers of stride 2, neighbours are four apart",
                ),
                (sum(kernels), "kernels overlap: each further layer adds neighbours to what is seen already"),
                (prod(kernels), "kernels overlap: what neighbours see is largely the same"),
                (steps[-1], "this is how far apart the last outputs are; asked for is how much one sees"),
                (kernels[-1] * prod(strides), "neighbours of the last map see more than what lies between them"),
                (max(kernels), "each layer looks at what the one before saw already, so that more is seen with each"),
            ),
        )
    return "46 of 64 pixels and 13 of 16 frames for MoCoGAN's video discriminator: almost everything, but not quite."


@exercise(
    "06.3",
    title="Pleasing two judges",
    hints=(
        "Each judge gives a map of scores. What does the generator want them to be, and how is -log(sigmoid) written?",
        "The image judge takes a video of one frame, (N, 3, 1, H, W). Index rows and frames together: "
        "videos[torch.arange(len(videos)), :, frames].",
        "F.softplus(-image_judge(stills)).mean() + F.softplus(-video_judge(videos)).mean(), "
        "with stills = videos[torch.arange(len(videos)), :, frames].unsqueeze(2).",
    ),
)
def pleasing_two_judges(generator_loss):
    image = VideoDiscriminator(("2d", "2d"), 8, 1, 4, head="patch", init="xavier").eval()
    video = VideoDiscriminator(("3d", "3d"), 8, 9, 4, time=(4, 1, 0), head="patch", init="xavier").eval()
    videos = torch.tanh(torch.randn(5, 3, 9, 8, 8)).requires_grad_()
    frames = torch.tensor([8, 0, 3, 3, 1])
    got = attempt(generator_loss, image, video, videos, frames)
    expect_type(got, Tensor, "the loss", "a tensor that can be differentiated")
    expect_shape(got, (), "the loss (one number for both judges)")
    stills = pick_frames(videos, frames[:, None])
    image_scores, video_scores = image(stills), video(videos)
    expected = softplus(-image_scores).mean() + softplus(-video_scores).mean()
    expect_close(
        got,
        expected,
        "the loss of five videos",
        mistakes=(
            (
                softplus(image_scores).mean() + softplus(video_scores).mean(),
                "this is smallest where both judges say "
                "'generated': the generator wants high scores, -log(sigmoid(score))",
            ),
            (
                -softplus(image_scores).mean() - softplus(video_scores).mean(),
                "this is the saturating loss, log(1 - sigmoid(score)): the non-saturating one is -log(sigmoid(score))",
            ),
            (
                -image_scores.mean() - video_scores.mean(),
                "this is a Wasserstein loss: -log(sigmoid(score)) is asked for",
            ),
            (-image_scores.sigmoid().mean() - video_scores.sigmoid().mean(), "this lacks the logarithm"),
            (
                -image_scores.mean().sigmoid().log() - video_scores.mean().sigmoid().log(),
                "the loss of a mean score is not "
                "the mean of the losses: first -log(sigmoid(score)) of each, then the mean",
            ),
            (softplus(-image_scores).mean(), "only the image judge is pleased: add what the video judge says"),
            (softplus(-video_scores).mean(), "only the video judge is pleased: add what the image judge says"),
            (
                softplus(-image_scores).mean() - softplus(-video_scores).mean(),
                "the second judge's loss is taken off: both should be pleased, so add them",
            ),
            (
                softplus(-torch.cat([image_scores.flatten(), video_scores.flatten()])).mean(),
                "all scores are averaged "
                "together, so the judge with more patches counts for more: take the mean of each",
            ),
            (expected / 2, "the two judges' losses are averaged, and MoCoGAN adds them"),
            (
                softplus(-image_scores).sum() + softplus(-video_scores).sum(),
                "the scores are summed up: take the mean over clips and patches, as the discriminators' losses do",
            ),
            *(
                (
                    softplus(-image(videos[:, :, t : t + 1])).mean() + softplus(-video_scores).mean(),
                    f"the image judge has seen frame {t} of every video: each video has its own number in frames",
                )
                for t in range(videos.shape[2])
            ),
            (
                softplus(-image(pick_frames(videos, frames.flip(0)[:, None]))).mean() + softplus(-video_scores).mean(),
                "the image judge has seen each video at the frame of another one",
            ),
        ),
    )
    expect(got.requires_grad, "the loss does not depend on the videos any more: no .item(), .detach() or no_grad here")
    (gradient,) = torch.autograd.grad(got, videos, allow_unused=True)
    (expected_gradient,) = torch.autograd.grad(expected, videos)
    expect(gradient is not None, "the loss does not depend on the videos any more: one of them has been detached")
    judges = "the value is right, and the gradient is not: one of the two judges has been shown detached videos"
    expect(torch.allclose(gradient, expected_gradient, atol=1e-5), judges)
    return (
        "The library does this, but for one thing: it draws fresh videos for each judge, and paints only those frames."
    )
