"""The checks of 12 pass right answers, however they are written, and name every likely mistake."""

import pytest
import torch
from torch import Tensor, nn

from ldvd_lib import anatomy
from ldvd_lib.blocks import ConditionalBatchNorm, ConvGRU, between_frames, coarse
from ldvd_lib.classroom import check
from ldvd_lib.classroom.exercises import find
from ldvd_lib.classroom.exercises.notebook_12 import (
    DOUBLES,
    ENDS,
    EVERY,
    GROWTH,
    NONE,
    SEAMS,
    STAYS,
    matching_judge,
    small_stage,
)
from ldvd_lib.generators import SSWGANGenerator
from ldvd_lib.views import Pair


def paint_piece(stage, videos, told, first, count, *, margin=None, before=True):
    margin = stage.margin if margin is None else margin
    start = max(0, first // 2 - margin * before)
    stop = (first + count - 1) // 2 + 1 + margin
    return stage(videos[:, :, start:stop], told)[:, :, first - 2 * start :][:, :, :count]


def by_index(stage, videos, told, first, count):
    """The same, with a list of frames."""
    wanted = {frame // 2 + reach for frame in range(first, first + count) for reach in (-stage.margin, stage.margin)}
    shown = [frame for frame in range(min(wanted), max(wanted) + 1) if 0 <= frame < videos.shape[2]]
    piece = stage.forward(videos[:, :, shown], told)
    return torch.stack([piece[:, :, frame - 2 * shown[0]] for frame in range(first, first + count)], dim=2)


def cut_out(stage, videos, told, first, count):
    """Right, and as much work as the film."""
    return stage(videos, told)[:, :, first : first + count]


def below_zero(stage, videos, told, first, count):
    """Where the film begins, a negative index counts from its end."""
    start = first // 2 - stage.margin
    piece = stage(videos[:, :, start : (first + count - 1) // 2 + 1 + stage.margin], told)
    return piece[:, :, first - 2 * start : first - 2 * start + count]


def repeated(context):
    for axis in (2, 3, 4):
        context = context.repeat_interleave(2, dim=axis)
    return context


def worst_film(context, *, frames=slice(1, None, 2)):
    film = repeated(context)
    film[:, :, frames] = torch.where(film[:, :, frames] > 0, -1.0, 1.0)
    return film


def pixel_by_pixel(context):
    """With a chessboard in every block of four pixels, as far as there is room."""
    film = worst_film(context)
    board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(context.shape[3], context.shape[4])
    film[:, :, ::2] += board * (1 - film[:, :, ::2].abs())
    return film


RIGHT = {
    "12.1": (dict(GROWTH),),
    "12.2": (paint_piece, by_index),
    "12.3": (dict(SEAMS),),
    "12.4": (worst_film, pixel_by_pixel),
}
WRONG = [
    ("12.1", GROWTH | {"A": DOUBLES}, "remember the way back"),
    ("12.1", GROWTH | {"B": STAYS}, "does stage 1 see windows"),
    ("12.1", GROWTH | {"C": STAYS}, "paint a part of that alone"),
    ("12.1", GROWTH | {"D": DOUBLES}, "on all of them"),
    ("12.1", GROWTH | {"E": DOUBLES}, "do kernels know"),
    ("12.1", GROWTH | {"F": STAYS}, "is anything left out"),
    ("12.1", GROWTH | {"F": 2}, "should be one of"),
    ("12.1", list(GROWTH.values()), "should be a dictionary"),
    ("12.2", cut_out, "are enough"),
    ("12.2", lambda *arguments: paint_piece(*arguments, margin=0), "was not shown"),
    ("12.2", lambda *arguments: paint_piece(*arguments, before=False), "was not shown"),
    ("12.2", lambda *arguments: paint_piece(*arguments, margin=3), "are enough"),
    ("12.2", below_zero, "counts from the end"),
    ("12.2", lambda stage, videos, told, first, count: cut_out(stage, videos, told, 0, count), "but from frame 0 on"),
    ("12.2", lambda stage, videos, told, first, count: stage(videos, told), "should have shape"),
    ("12.3", SEAMS | {"A": ENDS}, "other than that frame"),
    ("12.3", SEAMS | {"B": EVERY}, "how far"),
    ("12.3", SEAMS | {"C": NONE}, "the last one"),
    ("12.3", SEAMS | {"D": EVERY}, "once training is over"),
    ("12.3", SEAMS | {"E": NONE}, "which number"),
    ("12.3", SEAMS | {"F": ENDS}, "over what"),
    ("12.3", SEAMS | {"G": ENDS}, "remember"),
    ("12.3", SEAMS | {"G": "some"}, "should be one of"),
    ("12.4", repeated, "changes by 0.00"),
    ("12.4", lambda context: 2 * worst_film(context), "between -1 and 1"),
    ("12.4", lambda context: worst_film(context, frames=slice(0, None, 2)), "can object"),
    ("12.4", lambda context: -repeated(context), "can object"),
    ("12.4", lambda context: between_frames(repeated(context)[:, :, ::2]), "it should change by"),
    ("12.4", lambda context: worst_film(context)[:, :, ::2], "should have shape"),
    ("12.4", lambda context: worst_film(context) / 0, "not finite"),
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
        ("12.1", dict.fromkeys(GROWTH, ...)),
        ("12.2", lambda stage, videos, told, first, count: None),
        ("12.3", dict.fromkeys(SEAMS, ...)),
        ("12.4", lambda context: None),
    ],
)
def test_stubs_are_not_attempted(name, stub):
    assert check(name, stub).status == "not attempted yet"
    assert len(find(name).hints) == 3


def film(stages: int, frames: int, *, window: int = 8) -> SSWGANGenerator:
    """A small SSW-GAN of so many stages and frames, on the meta device; all frames make one window for drawing."""
    with torch.device("meta"):
        return SSWGANGenerator(
            8 * 2 ** (stages - 1),
            frames,
            stages,
            noise_dim=4,
            channels=(8, 4),
            blocks=1,
            temporal="tgan",
            frame_dim=3,
            temporal_channels=4,
            upscaling_channels=(6, 4),
            upscaling_blocks=1,
            window=window,
        )


def test_what_is_said_of_what_grows_is_so():
    """Each counted at a film of 64 frames and one of 128."""
    counts: dict[str, list[float]] = {letter: [] for letter in GROWTH}
    for frames in (64, 128):
        first, second, third = (
            film(stages, length) for stages, length in enumerate((frames // 2, frames, 2 * frames), start=1)
        )
        step, alone = anatomy.dissect(second), anatomy.dissect(first)
        counts["A"].append(step.activation_bytes)
        counts["B"].append(alone.activation_bytes)
        counts["C"].append(sum(row.multiply_adds for row in step.rows if row.name.startswith("stages.0")))
        seen: list[int] = []
        third.stages[1].register_forward_hook(lambda module, inputs, output, seen=seen: seen.append(output.shape[2]))
        third.generate(third.sample_latents(2).to("meta"), {"": Pair()}, torch.Generator().manual_seed(0))
        counts["D"] += seen
        counts["E"].append(sum(parameter.numel() for parameter in second.stages[1].parameters()))
        counts["F"].append(anatomy.dissect(film(2, frames, window=frames)).multiply_adds)
    for letter, (before, after) in counts.items():
        assert after / before == pytest.approx({STAYS: 1, DOUBLES: 2}[GROWTH[letter]], rel=0.05), letter


def test_what_is_said_of_seams_is_so():
    """A window within a film and alone, frame by frame."""
    torch.manual_seed(0)
    channels, length, start, window = 4, 20, 5, 9
    images = nn.BatchNorm2d(channels)
    images(torch.randn(40, channels, 4, 4) + 1)

    def numbered(x: Tensor) -> Tensor:
        """Statistics of each frame number; a shorter film has the first of them."""
        norm = ConditionalBatchNorm(channels, 1, len(x))
        norm.normalize.running_mean.copy_(means[: len(x)].flatten())
        return norm.eval()(x, torch.zeros(1, 1, 1))

    means, recurrent = torch.randn(length, channels), ConvGRU(channels, channels)
    over_time = nn.Sequential(*(nn.Conv3d(channels, channels, 3, padding=1) for _ in range(2)))

    def videos(x: Tensor) -> Tensor:
        return x.transpose(0, 1)[None]

    layers = {
        "A": nn.Conv2d(channels, channels, 3, padding=1),
        "B": lambda x: over_time(videos(x))[0].transpose(0, 1),
        "C": lambda x: between_frames(videos(x))[0].transpose(0, 1),
        "D": lambda x: images.eval()(x),
        "E": numbered,
        "F": lambda x: images.train()(x),
        "G": lambda x: recurrent(x[None], len(x))[0],
    }
    x = torch.randn(length, channels, 4, 4)
    for letter, layer in layers.items():
        times = 2 if letter == "C" else 1
        with torch.no_grad():
            whole, alone = layer(x)[times * start : times * (start + window)], layer(x[start : start + window])
        apart = (whole - alone).abs().amax((1, 2, 3)) > 1e-6
        middle = apart[3:-3]
        found = EVERY if apart.all() else NONE if not apart.any() else ENDS if not middle.any() else "some"
        assert found == SEAMS[letter], letter


@pytest.mark.parametrize("seed", range(2))
def test_a_small_stage_differs_at_the_ends_of_a_window(seed):
    stage = small_stage(1, seed)
    videos, told = torch.rand(1, 3, 12, 4, 4).double(), torch.zeros(1, 2).double()
    with torch.no_grad():
        apart = (stage(videos[:, :, 3:10], told) - stage(videos, told)[:, :, 6:20]).abs().amax((0, 1, 3, 4))
    assert (apart > 1e-8).tolist() == [True] * 2 + [False] * 9 + [True] * 3


def test_the_judge_of_the_check_minds_what_does_not_agree():
    context = torch.rand(2, 3, 4, 8, 8) * 2 - 1
    judge = matching_judge(0)
    assert torch.equal(coarse(worst_film(context)), coarse(repeated(context)))
    with torch.no_grad():
        assert not torch.isclose(judge(repeated(context), context), judge(-repeated(context), context)).any()
