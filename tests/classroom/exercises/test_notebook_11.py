"""The checks of 11 pass right answers, however they are written, and name every likely mistake."""

import pytest
import torch
from torch import Tensor, nn

from ldvd_lib.blocks import ConditionalBatchNorm, ConvGRU
from ldvd_lib.classroom import check
from ldvd_lib.classroom.exercises import find
from ldvd_lib.classroom.exercises.notebook_11 import (
    ALIKE,
    ALL,
    BOTH,
    LATER,
    NEITHER,
    NOTICED_BY,
    OWN,
    REACHES,
    SPATIAL,
    TEMPORAL,
)
from ldvd_lib.discriminators import DVDGANDiscriminator
from ldvd_lib.metrics.corruptions import blur, shuffle_frames


def favourite(judge, clips, labels, *, pick=torch.argmax):
    scores = judge.frame_scores(clips, labels)
    best = pick(scores, dim=1)
    return clips[torch.arange(len(clips)), :, best][:, :, None].expand_as(clips)


def one_by_one(judge, clips, labels):
    """The same, a clip and a frame at a time."""
    stills = []
    for clip, label in zip(clips, labels, strict=True):
        scores = [judge(clip[None, :, t : t + 1], label[None]).item() for t in range(clip.shape[1])]
        best = scores.index(max(scores))
        stills.append(clip[:, best : best + 1].repeat(1, clip.shape[1], 1, 1))
    return torch.stack(stills)


def name_classes(judge, clips):
    return (judge.features(clips).sum(1) @ judge.embed.weight.T).argmax(1)


def by_products(judge, clips):
    features = judge.features(clips).sum(dim=1)
    labels = torch.arange(judge.embed.num_embeddings)
    return torch.stack([(features * judge.embed(label)).sum(1) for label in labels], dim=1).argmax(1)


def by_trying(judge, clips):
    """Right, and three times the work."""
    scores = [judge(clips, torch.full((len(clips),), label)) for label in range(judge.embed.num_embeddings)]
    return torch.stack(scores, dim=1).argmax(1)


RIGHT = {
    "11.1": (dict(REACHES),),
    "11.2": (dict(NOTICED_BY),),
    "11.3": (favourite, one_by_one),
    "11.4": (name_classes, by_products),
}
WRONG = [
    ("11.1", REACHES | {"A": LATER}, "a is not 'that clip from there on'"),
    ("11.1", REACHES | {"B": ALIKE}, "one large batch"),
    ("11.1", REACHES | {"C": OWN}, "over what no longer"),
    ("11.1", REACHES | {"D": ALIKE}, "once training is over"),
    ("11.1", REACHES | {"E": ALL}, "which clip's"),
    ("11.1", REACHES | {"E": "later"}, "should be one of"),
    ("11.1", list(REACHES.values()), "should be a dictionary"),
    ("11.2", NOTICED_BY | {"A": BOTH}, "as good as before"),
    ("11.2", NOTICED_BY | {"B": BOTH}, "means over 2×2"),
    ("11.2", NOTICED_BY | {"C": SPATIAL}, "survives"),
    ("11.2", NOTICED_BY | {"D": NEITHER}, "between frames"),
    ("11.2", NOTICED_BY | {"E": TEMPORAL}, "two clips at once"),
    ("11.2", NOTICED_BY | {"F": SPATIAL}, "told the label"),
    ("11.3", lambda judge, clips, labels: clips, "still moves"),
    ("11.3", lambda judge, clips, labels: clips.mean(2, keepdim=True).expand_as(clips), "no frame of it"),
    ("11.3", lambda judge, clips, labels: favourite(judge, clips, labels, pick=torch.argmin), "least liked"),
    ("11.3", lambda judge, clips, labels: favourite(judge, clips, labels * 0), "a favourite, of its own"),
    ("11.3", lambda judge, clips, labels: clips[:, :, :1].expand_as(clips), "not the frame that adds most"),
    ("11.3", lambda judge, clips, labels: favourite(judge, clips, labels)[:, :, :1], "should have shape"),
    ("11.4", by_trying, "once is enough"),
    ("11.4", lambda judge, clips: (judge.features(clips).sum(1) @ judge.embed.weight.T).argmin(1), "scores lowest"),
    ("11.4", lambda judge, clips: (judge.features(clips)[:, 0] @ judge.embed.weight.T).argmax(1), "first frame only"),
    ("11.4", lambda judge, clips: judge.features(clips).sum(1) @ judge.embed.weight.T, "should have shape"),
    ("11.4", lambda judge, clips: torch.zeros(len(clips), dtype=torch.long), "score highest"),
]


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name, answers in RIGHT.items() for answer in answers])
def test_right_answers_pass(name, answer):
    result = check(name, answer)
    assert result.passed, result.message


@pytest.mark.parametrize(("name", "answer", "message"), WRONG)
def test_wrong_answers_are_told_why(name, answer, message):
    result = check(name, answer)
    assert result.status == "not yet"
    assert message.lower() in result.message.lower()


@pytest.mark.parametrize(
    ("name", "stub"),
    [
        ("11.1", dict.fromkeys(REACHES, ...)),
        ("11.2", dict.fromkeys(NOTICED_BY, ...)),
        ("11.3", lambda judge, clips, labels: None),
        ("11.4", lambda judge, clips: None),
    ],
)
def test_stubs_are_not_attempted(name, stub):
    assert check(name, stub).status == "not attempted yet"
    assert len(find(name).hints) == 3


def test_what_is_said_of_how_far_a_change_is_heard_is_so():
    """One frame of one clip is repainted, and all outputs are compared."""
    torch.manual_seed(0)
    clips, frames, channels = 3, 6, 4
    by_frame = ConditionalBatchNorm(channels, 2, frames)
    condition = torch.randn(clips, 1, 2)
    trained = ConditionalBatchNorm(channels, 2, frames)
    trained(torch.randn(50 * frames, channels, 4, 4) + 1, torch.randn(50, 1, 2))
    recurrent, images = ConvGRU(channels, channels), nn.BatchNorm2d(channels)
    layers = {
        "A": nn.Conv2d(channels, channels, 3, padding=1),
        "B": images,
        "C": lambda x: by_frame(x, condition),
        "D": lambda x: trained.eval()(x, condition),
        "E": lambda x: recurrent(x.unflatten(0, (clips, frames)), frames).flatten(0, 1),
    }
    x = torch.randn(clips * frames, channels, 4, 4)
    repainted = x.clone()
    clip, frame = 1, 2
    repainted[clip * frames + frame] = torch.randn(channels, 4, 4)
    grid = torch.zeros(clips, frames, dtype=torch.bool)
    expected = {OWN: grid.clone(), ALIKE: grid.clone(), LATER: grid.clone(), ALL: ~grid}
    expected[OWN][clip, frame] = expected[ALIKE][:, frame] = expected[LATER][clip, frame:] = True
    for letter, layer in layers.items():
        heard = (layer(x) - layer(repainted)).abs().amax((1, 2, 3)).view(clips, frames) > 1e-6
        assert torch.equal(heard, expected[REACHES[letter]]), letter


def test_what_is_said_of_who_can_notice_is_so():
    """Untrained judges have no preference that could hide it: what they can see changes their scores."""
    torch.manual_seed(0)
    widths = {"channels": (8, 16, 16), "num_categories": 3}
    judges = {
        SPATIAL: DVDGANDiscriminator(16, 8, **widths).eval(),
        TEMPORAL: DVDGANDiscriminator(16, 8, **widths, pooling=2, temporal_blocks=2).eval(),
    }
    still = nn.functional.interpolate(torch.rand(4, 3, 8, 4, 4) * 1.6 - 0.8, (8, 16, 16), mode="nearest")
    clips, labels = still.contiguous(), torch.tensor([0, 1, 2, 0])
    chessboard = (-1.0) ** torch.arange(16)[:, None] * (-1.0) ** torch.arange(16)
    slow = clips[:, :, [0, 0, 1, 1, 2, 2, 3, 3]]
    fast = clips[:, :, [0, 1, 2, 3, 0, 1, 2, 3]]  # the same frames as often, one after the other twice as soon
    again = slice(0, 1)
    cases: dict[str, tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]] = {
        "A": ((clips, labels), (shuffle_frames(clips), labels)),
        "B": ((clips, labels), (clips + 0.2 * chessboard, labels)),
        "C": ((clips, labels), (blur(clips, 2.0), labels)),
        "D": ((slow, labels), (fast, labels)),
        "E": ((clips[again], labels[again]), (clips[again].repeat(4, 1, 1, 1, 1), labels[again].repeat(4))),
        "F": ((clips, labels), (clips, (labels + 1) % 3)),
    }
    for letter, (before, after) in cases.items():
        with torch.no_grad():
            noticed = {
                name: not torch.allclose(judge(*before), judge(*after), rtol=1e-4, atol=1e-4)
                for name, judge in judges.items()
            }
        expected = {SPATIAL: (True, False), TEMPORAL: (False, True), BOTH: (True, True), NEITHER: (False, False)}
        assert tuple(noticed.values()) == expected[NOTICED_BY[letter]], letter


def test_the_still_scores_no_less_than_its_film():
    torch.manual_seed(3)
    judge = DVDGANDiscriminator(8, 4, (4, 8), num_categories=3).eval()
    clips, labels = torch.rand(8, 3, 6, 8, 8) * 2 - 1, torch.arange(8) % 3
    with torch.no_grad():
        assert (judge(favourite(judge, clips, labels), labels) >= judge(clips, labels)).all()
