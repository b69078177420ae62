"""Checks of 06, MoCoGAN: content and motion, two discriminators, and the loss that joins them."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ldvd_lib.classroom.exercises import attempt, exercise, expect, expect_close, expect_equal, expect_shape
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
        original_contents, original_motions = contents.clone(), motions.clone()
        got = attempt(every_pair, contents, motions, parts)
        where = f"what becomes of {a} contents and {b} motions"
        expect_shape(got, (a * b, size), where)
        untouched = torch.equal(contents, original_contents) and torch.equal(motions, original_motions)
        expect(untouched, "the latents that were given have been written into: make new rows (or a clone) to fill")
        content, motion = parts["content"], parts["motion"]
        expected = contents.repeat_interleave(b, dim=0)
        expected[:, motion] = motions[:, motion].repeat(a, 1)
        other_order = contents.repeat(b, 1)
        other_order[:, motion] = motions[:, motion].repeat_interleave(a, dim=0)
        swapped = motions.repeat(a, 1)
        swapped[:, motion] = contents[:, motion].repeat_interleave(b, dim=0)
        expect(
            torch.allclose(expected, other_order) or not torch.allclose(got, other_order),
            f"all pairs are there, in another order: row a * {b} + b is for content a and motion b, so that the first "
            f"{b} rows share their content",
        )
        expect(not torch.allclose(got, swapped), "content and motion are the wrong way round: each from the other")
        expect_close(got[:, content], expected[:, content], f"{where}, the content part,")
        expect_close(got[:, motion], expected[:, motion], f"{where}, the motion part,")
    return "In a grid of such videos, rows should share what is seen, and columns what happens. Section 8 tries it."


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
        ((4, 4), (1, 1)),
        ((4, 4), (2, 2)),
        ((4, 4, 4, 4), (2, 2, 2, 2)),
        ((4, 4, 4, 4), (1, 1, 1, 1)),
        ((2, 2, 2, 2), (2, 2, 2, 2)),
        ((3, 8, 2), (1, 3, 2)),
        ((8, 3, 5), (3, 1, 2)),
    ):
        got = attempt(receptive_field, kernels, strides)
        expected = field(kernels, strides)
        layers = ", ".join(f"kernel {k} stride {s}" for k, s in zip(kernels, strides, strict=True))
        if len(set(zip(kernels, strides, strict=True))) > 1:
            deepest_first = field(kernels[::-1], strides[::-1])
            expect(
                got != deepest_first or got == expected,
                f"for the layers {layers}, {expected} positions are seen, not {got}: you go through the layers from "
                "the deepest up with the rule for going down",
            )
        stepped_before = 1 + sum(
            (k - 1) * _product(strides[: i + 1]) for i, k in enumerate(kernels)
        )  # the mistake of applying a layer's stride to its own kernel
        expect(
            got != stepped_before or got == expected,
            f"for the layers {layers}, {expected} positions are seen, not {got}: the stride of a layer says how far "
            "apart its outputs are, so it counts for the layers after it only",
        )
        expect(
            got != 1 + sum(k - 1 for k in kernels) or got == expected,
            f"for the layers {layers}, {expected} positions are seen, not {got}: after a stride, neighbours are "
            "further apart than one pixel",
        )
        expect_equal(got, expected, f"what is seen through the layers {layers}")
    return "46 of 64 pixels and 13 of 16 frames for MoCoGAN's video discriminator: almost everything, but not quite."


def _product(values: tuple[int, ...]) -> int:
    result = 1
    for value in values:
        result *= value
    return result


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
    expect(isinstance(got, Tensor), f"the loss should be a tensor that can be differentiated, and is a {_kind(got)}")
    expect_shape(got, (), "the loss (one number for both judges)")
    stills = pick_frames(videos, frames[:, None])
    image_scores, video_scores = image(stills), video(videos)
    expected = softplus(-image_scores).mean() + softplus(-video_scores).mean()
    for wrong, message in (
        (
            softplus(image_scores).mean() + softplus(video_scores).mean(),
            "this is smallest where both judges say 'generated': the generator wants high scores, -log(sigmoid(score))",
        ),
        (
            -softplus(image_scores).mean() - softplus(video_scores).mean(),
            "this is the saturating loss, log(1 - sigmoid(score)): the non-saturating one is -log(sigmoid(score))",
        ),
        (-image_scores.mean() - video_scores.mean(), "this is a Wasserstein loss: -log(sigmoid(score)) is asked for"),
        (softplus(-image_scores).mean(), "only the image judge is pleased: add what the video judge says"),
        (softplus(-video_scores).mean(), "only the video judge is pleased: add what the image judge says"),
        (
            softplus(-torch.cat([image_scores.flatten(), video_scores.flatten()])).mean(),
            "all scores are averaged together, so the judge with more patches counts for more: take the mean of each",
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
    ):
        expect(not torch.allclose(got, wrong, atol=1e-5), message)
    expect_close(got, expected, "the loss of five videos", tolerance=1e-5)
    expect(got.requires_grad, "the loss does not depend on the videos any more: no .item(), .detach() or no_grad here")
    (gradient,) = torch.autograd.grad(got, videos, allow_unused=True)
    (expected_gradient,) = torch.autograd.grad(expected, videos)
    expect(gradient is not None, "the loss does not depend on the videos any more: one of them has been detached")
    expect_close(gradient, expected_gradient, "the gradient of the loss with respect to the videos", tolerance=1e-5)
    return (
        "The library does this, but for one thing: it draws fresh videos for each judge, and paints only those frames."
    )


def _kind(value: object) -> str:
    return type(value).__name__
