"""Checks of 11, DVD-GAN: who hears whom, who can notice what, what a judge of frames prefers, which class it names."""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from ldvd_lib.classroom.exercises import (
    as_tensor,
    attempt,
    exercise,
    expect,
    expect_choices,
    expect_close,
    expect_shape,
)
from ldvd_lib.discriminators import DVDGANDiscriminator

OWN, ALIKE, LATER, ALL = "that frame", "that frame of all clips", "that clip from there on", "everything"
REACHES = {
    "A": OWN,  # a residual block's 3×3 convolution of each frame
    "B": ALL,  # batch normalisation in training, the frames in the batch
    "C": ALIKE,  # the same, with statistics of each frame
    "D": OWN,  # the same in evaluation
    "E": LATER,  # a ConvGRU
}
_REACH_CLUES = {
    "A": "what of a frame does it need, other than that frame?",
    "B": "over what are its means and variances taken, if frames are images of one large batch?",
    "C": "over what are its means and variances taken now, and over what no longer?",
    "D": "where do its means and variances come from, once training is over?",
    "E": "which maps is its state made of, and which clip's?",
}


@exercise(
    "11.1",
    title="How far is it heard?",
    hints=(
        "Take the layers one by one, and ask for one output what it is computed from.",
        "A convolution of a frame needs that frame; a memory needs the frames before; a statistic needs all that it is "
        "taken over, and in evaluation it is taken over nothing any more.",
        "Two are heard in that frame only. One is heard everywhere, one in the same frame of all clips, one in the "
        "rest of its clip.",
    ),
)
def how_far_is_it_heard(answer: Any):
    expect_choices(answer, REACHES, (OWN, ALIKE, LATER, ALL), _REACH_CLUES)
    return "Statistics for each frame close the way on which frames could have spoken to each other past the ConvGRU."


SPATIAL, TEMPORAL, BOTH, NEITHER = "D_S", "D_T", "both", "neither"
NOTICED_BY = {
    "A": TEMPORAL,  # frames in random order
    "B": SPATIAL,  # a chessboard of single pixels on every frame
    "C": BOTH,  # a blur of a few pixels
    "D": TEMPORAL,  # a walk that is twice as fast
    "E": NEITHER,  # one clip again and again
    "F": BOTH,  # another action than the label says
}
_NOTICE_CLUES = {
    "A": "each frame for itself is as good as before. Who looks at more than one?",
    "B": "what is left of it in means over 2×2 pixels?",
    "C": "what is larger than two pixels survives the means over 2×2, and it is in every frame.",
    "D": "is there any frame that would look different? And between frames?",
    "E": "does a judge ever look at two clips at once?",
    "F": "who is told the label, and what do frames show of an action?",
}


@exercise(
    "11.2",
    title="Who can notice?",
    hints=(
        "For each change ask twice: what becomes of single frames at full size, and what becomes of the film at half?",
        "D_S adds up what frames score, one by one: it cannot know which came first, nor what lies between two. D_T "
        "sees nothing that vanishes in means over 2×2 pixels. Neither looks at two clips at once.",
        "Order and speed: only D_T. What is gone in means: only D_S. Both are told the label. Variety: nobody.",
    ),
)
def who_can_notice(answer: Any):
    expect_choices(answer, NOTICED_BY, (SPATIAL, TEMPORAL, BOTH, NEITHER), _NOTICE_CLUES)
    return "That is what they can see. What they have learnt to mind is another matter, and is measured below."


def judge_of_frames(seed: int) -> DVDGANDiscriminator:
    """A small spatial discriminator, as it is before training."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return DVDGANDiscriminator(8, 4, (4, 8), num_categories=3, spectral=False).eval()


@exercise(
    "11.3",
    title="The still that it prefers",
    hints=(
        "The score of a clip before D_S is a sum over frames. If all numbers of a sum are the same, what is the "
        "largest that it can be?",
        "judge.frame_scores(clips, labels) is (N, T): what every frame adds. Find the frame that adds most, in every "
        "clip for itself.",
        "best = scores.argmax(dim=1); then take frame best[n] of clip n, and show it at all times with .expand.",
    ),
)
def the_still_that_it_prefers(film):
    for seed in range(3):
        judge = judge_of_frames(seed)
        random = torch.Generator().manual_seed(seed)
        clips = torch.rand(4, 3, 6, 8, 8, generator=random) * 2 - 1
        labels = torch.tensor([0, 2, 1, 0])
        got = as_tensor(attempt(film, judge, clips, labels))
        expect_shape(got, clips.shape, "what you return")
        with torch.no_grad():
            scores = judge.frame_scores(clips, labels)
            regardless = judge.frame_scores(clips, labels * 0).argmax(1)
        shown = []
        for number, (still, clip) in enumerate(zip(got, clips, strict=True)):
            expect(
                torch.equal(still, still[:, :1].expand_as(still)),
                f"clip {number} still moves: the same frame should be shown at all times",
            )
            frames = [t for t, frame in enumerate(clip.unbind(1)) if torch.allclose(still[:, 0], frame, atol=1e-6)]
            expect(frames, f"what is shown of clip {number} is no frame of it: {_no_frame(still[:, 0], clip, clips)}")
            shown.append(frames[0])
        for wrong, message in (
            (scores.argmin(1).tolist(), "of each clip its least liked frame is shown"),
            (
                [scores.sum(0).argmax().item()] * len(clips),
                "all clips show the frame of the same number, the best for all "
                "together: each clip has a favourite of its own",
            ),
            (scores.argmax(1).flip(0).tolist(), "each clip shows the favourite of another one"),
            (
                scores.abs().argmax(1).tolist(),
                "of each clip the frame is shown whose score is largest in magnitude: the highest is wanted",
            ),
            (regardless.tolist(), "each clip has a label, and by its label a favourite, of its own"),
            ([0] * len(clips), "of each clip the first frame is shown, whatever the judge says of it"),
            ([clips.shape[2] - 1] * len(clips), "of each clip the last frame is shown, whatever the judge says of it"),
            (
                [clips.shape[2] // 2] * len(clips),
                "of each clip the middle frame is shown, whatever the judge says of it",
            ),
        ):
            expect(shown == scores.argmax(1).tolist() or shown != wrong, message)
        for number, frame in enumerate(shown):
            added, mean = scores[number, frame], scores[number].mean()
            expect(
                frame == scores[number].argmax(),
                f"clip {number}: the frame adds {added:.3f}, one in the mean {mean:.3f}, and there is one that adds "
                "more",
            )
    return (
        "Every one of these stills scores at least as high as the film that it was taken from, whatever D_S has learnt."
    )


def _no_frame(still: Tensor, clip: Tensor, clips: Tensor) -> str:
    if torch.allclose(still, clip.mean(1), atol=1e-5):
        return "it is the mean of all, which the judge has never been asked about"
    if any(torch.allclose(still, frame, atol=1e-6) for other in clips for frame in other.unbind(1)):
        return "it is one of another clip"
    return "whatever is painted anew, the judge may like less"


class _Counting(nn.Module):
    """A discriminator that counts how often its blocks look at clips."""

    def __init__(self, judge: DVDGANDiscriminator) -> None:
        super().__init__()
        self.judge, self.looks = judge, 0
        self.num_frames, self.image_size = judge.num_frames, judge.image_size
        self.head, self.embed = judge.head, judge.embed

    def features(self, videos: Tensor) -> Tensor:
        """As the judge's."""
        self.looks += 1
        return self.judge.features(videos)

    def frame_scores(self, videos: Tensor, labels: Tensor | None = None) -> Tensor:
        """As the judge's."""
        self.looks += 1
        return self.judge.frame_scores(videos, labels)

    def forward(self, videos: Tensor, labels: Tensor | None = None) -> Tensor:
        """As the judge's."""
        self.looks += 1
        return self.judge(videos, labels)


def _by_score(judge: DVDGANDiscriminator, clips: Tensor) -> Tensor:
    """The score of every clip under every label, ``(N, classes)``."""
    classes = cast(nn.Embedding, judge.embed).num_embeddings
    return torch.stack([judge(clips, torch.full((len(clips),), label)) for label in range(classes)], dim=1)


@exercise(
    "11.4",
    title="Let the judge name the class",
    hints=(
        "For one clip, and two labels: in which part of the score do they differ?",
        "⟨h, w⟩ + b is the same under every label. What is left is ⟨h, e(y)⟩, with h summed over the frames: products "
        "with the rows of judge.embed.weight.",
        "judge.features(clips) is (N, T, D). Sum over frames, multiply with judge.embed.weight.T, take the argmax.",
    ),
)
def let_the_judge_name_the_class(name_classes: Callable):
    for seed in range(3):
        judge = judge_of_frames(seed)
        clips = torch.rand(24, 3, 6, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1
        counting, embed = _Counting(judge), cast(nn.Embedding, judge.embed)
        with torch.no_grad():
            # Without what all clips have in common, no class is named for all of them.
            common = judge.features(clips).sum(1).mean(0)
            embed.weight -= torch.outer(embed.weight @ common, common) / common.square().sum()
            scores = _by_score(judge, clips)
            got = attempt(name_classes, counting, clips)
            of_frames = judge.features(clips) @ embed.weight.T  # (N, T, classes)
            normalised = of_frames.sum(1) / embed.weight.norm(dim=1)
        best = scores.argmax(1)
        names = [
            (scores.argmin(1), "the class is named under which a clip scores lowest"),
            (of_frames[:, 0].argmax(1), "this goes by the first frame only: a score is a sum over frames"),
            (of_frames[:, -1].argmax(1), "this goes by the last frame only: a score is a sum over frames"),
            (of_frames.amax(1).argmax(1), "this goes by the one frame that says most: a score is a sum over frames"),
            (
                of_frames.argmax(2).mode(1).values,
                "this lets every frame vote: a score is a sum over frames, in which a sure one counts for more",
            ),
            (of_frames.sum(1).abs().argmax(1), "the product that is largest in magnitude is not the highest score"),
            (normalised.argmax(1), "the rows of the embedding have been made equally long; in the score they are not"),
            (scores.amax(1), "these are the highest scores; asked for is under which label they are so"),
            (scores, "these are scores under every label; asked for is the label of the highest"),
            (of_frames.sum(1), "these are products with every label; asked for is the label of the highest"),
            (of_frames.argmax(2), "these are classes of frames; asked for is one for each clip"),
            (
                of_frames.sum(0).argmax(1),
                "these are classes of frames of all clips together; one for each clip is asked for",
            ),
            (
                torch.nn.functional.one_hot(best, scores.shape[1]),
                "these are ones in the right places; the places are asked for",
            ),
            *(
                (torch.full_like(best, label), "the same class is named for all clips")
                for label in range(scores.shape[1])
            ),
        ]
        expect_close(
            got,
            best,
            "the classes under which the clips score highest",
            mistakes=[(wrong, message) for wrong, message in names if not torch.equal(wrong.float(), best.float())],
        )
        expect(
            counting.looks <= 1,
            f"right, but the blocks looked at the clips {counting.looks} times, and once is enough: only "
            "⟨h, e(y)⟩ depends on the label",
        )
    return "A judge that is told the class has had to learn what a class looks like, and so it can name it."
