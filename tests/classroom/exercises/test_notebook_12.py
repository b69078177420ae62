"""What the exercises of 12 ask for is what the stages, the layers and the judge do."""

import pytest
import torch
from answers.notebook_12 import worst_film
from torch import Tensor, nn

from ldvd_lib import anatomy
from ldvd_lib.blocks import ConditionalBatchNorm, ConvGRU, between_frames, coarse
from ldvd_lib.classroom.exercises.notebook_12 import (
    DOUBLES,
    ENDS,
    EVERY,
    GROWTH,
    NONE,
    SEAMS,
    STAYS,
    enlarged,
    matching_judge,
    small_stage,
)
from ldvd_lib.generators import SSWGANGenerator
from ldvd_lib.views import Pair


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
    assert torch.equal(coarse(worst_film(context)), coarse(enlarged(context)))
    with torch.no_grad():
        assert not torch.isclose(judge(enlarged(context), context), judge(-enlarged(context), context)).any()
