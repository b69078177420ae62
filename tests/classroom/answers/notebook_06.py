"""Right and wrong answers to the exercises of 06, with a phrase of the message that names what is wrong."""

from math import prod

import torch
import torch.nn.functional as F

from ldvd_lib import losses
from ldvd_lib.views import pick_frames


def every_pair(contents, motions, parts):
    pairs = contents.repeat_interleave(len(motions), dim=0)
    pairs[:, parts["motion"]] = motions[:, parts["motion"]].repeat(len(contents), 1)
    return pairs


def every_pair_by_loops(contents, motions, parts):
    rows = []
    for content in contents:
        for motion in motions:
            row = torch.zeros_like(content)
            row[parts["content"]], row[parts["motion"]] = content[parts["content"]], motion[parts["motion"]]
            rows.append(row)
    return rows


def every_pair_by_a_mask(contents, motions, parts):
    is_motion = torch.zeros(contents.shape[1], dtype=torch.bool)
    is_motion[parts["motion"]] = True
    return torch.where(is_motion, motions[None], contents[:, None]).flatten(0, 1)


def paired(repeat_contents, repeat_motions):
    """A wrong answer: contents and motions repeated in other ways."""

    def answer(contents, motions, parts):
        pairs, others = repeat_contents(contents, len(motions)), repeat_motions(motions, len(contents))
        pairs[:, parts["motion"]] = others[:, parts["motion"]]
        return pairs

    return answer


def again(latents, times):
    return latents.repeat(times, 1)


def in_turn(latents, times):
    return latents.repeat_interleave(times, dim=0)


def in_place(contents, motions, parts):
    first = contents[:1]
    first[:, parts["motion"]] = motions[:1, parts["motion"]]
    return every_pair(contents, motions, parts)


def moved(contents, motions, parts):
    pairs = every_pair(contents, motions, parts)
    return torch.cat([pairs[:, parts["content"]], pairs[:, parts["motion"]]], dim=1)


def exchanged(parts):
    return {"motion": parts["content"], "content": parts["motion"]}


def receptive_field(kernels, strides):
    size, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        size += (kernel - 1) * step
        step *= stride
    return size


def receptive_field_upwards(kernels, strides):
    size = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        size = (size - 1) * stride + kernel
    return size


def receptive_field_by_following(kernels, strides):
    seen = {0}
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        seen = {place * stride + offset for place in seen for offset in range(kernel)}
    return max(seen) - min(seen) + 1


def stride_too_early(kernels, strides):
    size, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        step *= stride
        size += (kernel - 1) * step
    return size


def strides_do_not_multiply(kernels, strides):
    return 1 + sum((kernel - 1) * stride for kernel, stride in zip(kernels, (1, *strides), strict=False))


def stills(videos, frames):
    return videos[torch.arange(len(videos)), :, frames].unsqueeze(2)


def non_saturating(scores):
    return F.softplus(-scores).mean()


def generator_loss(image_judge, video_judge, videos, frames):
    return non_saturating(image_judge(stills(videos, frames))) + non_saturating(video_judge(videos))


def through_the_library(image_judge, video_judge, videos, frames):
    loss = losses.get("non-saturating").generator
    return loss(video_judge(videos)) + loss(image_judge(pick_frames(videos, frames[:, None])))


def by_cross_entropy(image_judge, video_judge, videos, frames):
    total = 0
    for scores in (image_judge(stills(videos, frames)), video_judge(videos)):
        total = total + F.binary_cross_entropy_with_logits(scores, torch.ones_like(scores))
    return total


def by_a_loop(image_judge, video_judge, videos, frames):
    one_by_one = [image_judge(video[None, :, frame : frame + 1]) for video, frame in zip(videos, frames, strict=True)]
    return -torch.cat(one_by_one).sigmoid().log().mean() - video_judge(videos).sigmoid().log().mean()


def averaged_together(image_judge, video_judge, videos, frames):
    scores = torch.cat([image_judge(stills(videos, frames)).flatten(), video_judge(videos).flatten()])
    return F.softplus(-scores).mean()


def of_scores(function, select=stills):
    """The loss with another function of the scores, or of other frames."""
    return lambda image, video, videos, frames: function(image(select(videos, frames))) + function(video(videos))


STUBS = {
    "06.1": lambda contents, motions, parts: None,
    "06.2": lambda kernels, strides: None,
    "06.3": lambda image_judge, video_judge, videos, frames: None,
}
RIGHT = {
    "06.1": (every_pair, every_pair_by_loops, every_pair_by_a_mask, paired(in_turn, again)),
    "06.2": (
        receptive_field,
        receptive_field_upwards,
        receptive_field_by_following,
        lambda kernels, strides: torch.tensor(receptive_field(kernels, strides)),
    ),
    "06.3": (generator_loss, through_the_library, by_cross_entropy, by_a_loop),
}
WRONG = {
    "06.1": (
        (paired(again, in_turn), "another order"),
        (paired(again, again), "`repeat` for both"),
        (paired(in_turn, in_turn), "`repeat_interleave` for both"),
        (lambda contents, motions, parts: every_pair(contents, motions, parts)[:2], "should have shape (6, 8)"),
        (lambda contents, motions, parts: every_pair(contents, motions, parts).unflatten(0, (2, 3)), "one batch"),
        (in_place, "your function changes contents"),
        (moved, "where `parts` says it lies"),
        (lambda contents, motions, parts: in_turn(contents, len(motions)), "the motion part is still"),
        (lambda contents, motions, parts: again(motions, len(contents)), "the content part is still"),
        (lambda contents, motions, parts: every_pair(contents, motions, exchanged(parts)), "the wrong way round"),
        (lambda contents, motions, parts: (contents[:, None] + motions).flatten(0, 1), "have been added"),
        (lambda contents, motions: every_pair, "too many positional arguments"),
        (lambda contents, motions, parts: torch.randn(len(contents) * len(motions), contents.shape[1]), None),
    ),
    "06.2": (
        (stride_too_early, "for the layers after it only"),
        (lambda kernels, strides: receptive_field(kernels[::-1], strides[::-1]), "from the deepest up"),
        (lambda kernels, strides: 1 + sum(k - 1 for k in kernels), "further apart than one pixel"),
        (strides_do_not_multiply, "strides multiply"),
        (lambda kernels, strides: receptive_field(kernels, strides) - 1, "that one begins with"),
        (lambda kernels, strides: receptive_field([k + 1 for k in kernels], strides), "a kernel of k adds k - 1"),
        (lambda kernels, strides: sum(kernels), "kernels overlap"),
        (lambda kernels, strides: prod(kernels), "kernels overlap"),
        (lambda kernels, strides: prod(strides), "how far apart the last outputs are"),
        (lambda kernels, strides: max(kernels), "more is seen with each"),
        (receptive_field(4 * [4], 4 * [2]), "function was expected"),
        (lambda kernels, strides: [receptive_field(kernels, strides), 1], "should be one number"),
        (lambda kernels, strides: 22, None),
    ),
    "06.3": (
        (averaged_together, "more patches"),
        (of_scores(lambda scores: F.softplus(scores).mean()), "wants high scores"),
        (of_scores(lambda scores: -F.softplus(scores).mean()), "saturating loss"),
        (of_scores(lambda scores: -scores.mean()), "Wasserstein"),
        (of_scores(lambda scores: -scores.sigmoid().mean()), "lacks the logarithm"),
        (of_scores(lambda scores: -scores.mean().sigmoid().log()), "the loss of a mean score"),
        (of_scores(lambda scores: F.softplus(-scores).sum()), "take the mean over clips and patches"),
        (of_scores(lambda scores: F.softplus(-scores)), "one number is asked for"),
        (of_scores(non_saturating, lambda videos, frames: videos[:, :, :1]), "frame 0 of every video"),
        (of_scores(non_saturating, lambda videos, frames: stills(videos, frames.flip(0))), "the frame of another one"),
        (of_scores(non_saturating, lambda videos, frames: videos), "was given a tensor of shape"),
        (of_scores(non_saturating, lambda videos, frames: stills(videos, frames).detach()), "shown detached videos"),
        (lambda *arguments: generator_loss(*arguments).item(), "can be differentiated"),
        (lambda *arguments: generator_loss(*arguments).detach(), "does not depend on the videos"),
        (lambda *arguments: generator_loss(*arguments) / 2, "MoCoGAN adds them"),
        (lambda image, video, videos, frames: non_saturating(video(videos)), "only the video judge"),
        (lambda image, video, videos, frames: non_saturating(image(stills(videos, frames))), "only the image judge"),
        (of_scores(lambda scores: (1 - scores).relu().mean()), None),
    ),
}
