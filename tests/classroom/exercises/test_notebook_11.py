"""What the exercises of 11 ask for is what the layers and the judges do."""

import torch
from answers.notebook_11 import favourite
from torch import Tensor, nn

from ldvd_lib.blocks import ConditionalBatchNorm, ConvGRU
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
