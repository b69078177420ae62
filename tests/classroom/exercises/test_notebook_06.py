"""The checks of 06 pass right answers, however they are written, and say what is wrong with the others."""

import pytest
import torch
import torch.nn.functional as F

from ldvd_lib import losses
from ldvd_lib.anatomy import dissect
from ldvd_lib.classroom import check
from ldvd_lib.classroom.exercises.notebook_06 import field
from ldvd_lib.discriminators import VideoDiscriminator
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
    return torch.stack(rows)


def motions_first(contents, motions, parts):
    return every_pair(contents, motions, parts).unflatten(0, (len(contents), -1)).transpose(0, 1).flatten(0, 1)


def in_place(contents, motions, parts):
    first = contents[:1]
    first[:, parts["motion"]] = motions[:1, parts["motion"]]
    return every_pair(contents, motions, parts)


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


def stride_too_early(kernels, strides):
    size, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        step *= stride
        size += (kernel - 1) * step
    return size


def stills(videos, frames):
    return videos[torch.arange(len(videos)), :, frames].unsqueeze(2)


def generator_loss(image_judge, video_judge, videos, frames):
    return F.softplus(-image_judge(stills(videos, frames))).mean() + F.softplus(-video_judge(videos)).mean()


def through_the_library(image_judge, video_judge, videos, frames):
    loss = losses.get("non-saturating").generator
    return loss(video_judge(videos)) + loss(image_judge(pick_frames(videos, frames[:, None])))


def by_cross_entropy(image_judge, video_judge, videos, frames):
    total = 0
    for scores in (image_judge(stills(videos, frames)), video_judge(videos)):
        total = total + F.binary_cross_entropy_with_logits(scores, torch.ones_like(scores))
    return total


def averaged_together(image_judge, video_judge, videos, frames):
    scores = torch.cat([image_judge(stills(videos, frames)).flatten(), video_judge(videos).flatten()])
    return F.softplus(-scores).mean()


def of_scores(function, select=stills):
    """The loss with another function of the scores, or of other frames."""
    return lambda image, video, videos, frames: function(image(select(videos, frames))) + function(video(videos))


def non_saturating(scores):
    return F.softplus(-scores).mean()


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("06.1", every_pair),
        ("06.1", every_pair_by_loops),
        ("06.2", receptive_field),
        ("06.2", receptive_field_upwards),
        ("06.2", lambda kernels, strides: torch.tensor(receptive_field(kernels, strides))),
        ("06.3", generator_loss),
        ("06.3", through_the_library),
        ("06.3", by_cross_entropy),
    ],
)
def test_right_answers_pass(name, answer):
    result = check(name, answer)
    assert result.passed, result.message


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("06.1", lambda contents, motions, parts: None),
        ("06.2", lambda kernels, strides: None),
        ("06.3", lambda image_judge, video_judge, videos, frames: None),
    ],
)
def test_the_stubs_are_not_attempted_yet(name, answer):
    assert check(name, answer).status == "not attempted yet"


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("06.1", motions_first, "another order"),
        ("06.1", lambda contents, motions, parts: every_pair(contents, motions, parts)[:2], "should have shape (6, 8)"),
        ("06.1", in_place, "written into"),
        (
            "06.1",
            lambda contents, motions, parts: contents.repeat_interleave(len(motions), dim=0),
            "the motion part",
        ),
        (
            "06.1",
            lambda contents, motions, parts: motions.repeat(len(contents), 1),
            "the content part",
        ),
        (
            "06.1",
            lambda contents, motions, parts: every_pair(
                contents, motions, {"motion": parts["content"], "content": parts["motion"]}
            ),
            "the wrong way round",
        ),
        ("06.1", lambda contents, motions: every_pair, "takes 2 positional"),
        ("06.2", stride_too_early, "for the layers after it only"),
        ("06.2", lambda kernels, strides: receptive_field(kernels[::-1], strides[::-1]), "from the deepest up"),
        ("06.2", lambda kernels, strides: 1 + sum(k - 1 for k in kernels), "further apart than one pixel"),
        ("06.2", lambda kernels, strides: sum(kernels), "seen through the layers"),
        ("06.2", receptive_field(4 * [4], 4 * [2]), "function was expected"),
        ("06.3", averaged_together, "more patches"),
        ("06.3", of_scores(lambda scores: F.softplus(scores).mean()), "wants high scores"),
        ("06.3", of_scores(lambda scores: -F.softplus(scores).mean()), "saturating loss"),
        ("06.3", of_scores(lambda scores: -scores.mean()), "Wasserstein"),
        ("06.3", of_scores(lambda scores: F.softplus(-scores).sum()), "take the mean over clips and patches"),
        ("06.3", of_scores(lambda scores: F.softplus(-scores)), "should have shape ()"),
        ("06.3", of_scores(non_saturating, lambda videos, frames: videos[:, :, :1]), "frame 0 of every video"),
        ("06.3", of_scores(non_saturating, lambda videos, frames: videos), "was given a tensor of shape"),
        (
            "06.3",
            of_scores(non_saturating, lambda videos, frames: stills(videos, frames).detach()),
            "gradient of the loss",
        ),
        ("06.3", lambda *arguments: generator_loss(*arguments).item(), "can be differentiated"),
        ("06.3", lambda *arguments: generator_loss(*arguments).detach(), "does not depend on the videos"),
        ("06.3", lambda *arguments: generator_loss(*arguments) / 2, "MoCoGAN adds them"),
        (
            "06.3",
            lambda image_judge, video_judge, videos, frames: non_saturating(video_judge(videos)),
            "nly the video judge",
        ),
        (
            "06.3",
            lambda image_judge, video_judge, videos, frames: non_saturating(image_judge(stills(videos, frames))),
            "nly the image judge",
        ),
    ],
)
def test_wrong_answers_are_told_what_is_wrong(name, answer, message):
    result = check(name, answer)
    assert result.status == "not yet"
    assert message in result.message


def test_the_receptive_field_is_that_of_the_anatomy():
    with torch.device("meta"):
        stack = VideoDiscriminator(("3d",) * 4, 64, 16, 4, time=(4, 1, 0), head="patch")
    last = dissect(stack).rows[-1]
    assert (field((4,) * 4, (1,) * 4), field((4,) * 4, (2,) * 4)) == (last.frames, last.pixels)
