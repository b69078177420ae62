"""ProVGAN's generator: what it paints at each stage, and what real clips are made to match."""

import itertools

import pytest
import torch
from torch.nn.functional import avg_pool3d

from ldvd_lib.batch import Batch
from ldvd_lib.generators import ProVGANGenerator
from ldvd_lib.views import Whole

STAGES = ((2, 4), (4, 8), (4, 16))


@pytest.fixture
def generator() -> ProVGANGenerator:
    """Stages: steps 0-2; faded in from 3 and from 8 on, over two steps each."""
    torch.manual_seed(0)
    return ProVGANGenerator(16, 4, 6, frames=(2, 4, 4), base_channels=32, max_channels=8, stage_steps=3, fade_steps=2)


def grow(generator: ProVGANGenerator, stage: int, share: float) -> ProVGANGenerator:
    generator.stage, generator.share = stage, share
    return generator


def up(videos: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    frames, pixels = size[0] // videos.shape[2], size[1] // videos.shape[3]
    return videos.repeat_interleave(frames, 2).repeat_interleave(pixels, 3).repeat_interleave(pixels, 4)


def test_the_published_networks_have_as_many_parameters_as_their_layers() -> None:
    """By the layers of `musikisomorphie/swd`, ``networks.py``: weights, and a bias for each channel."""
    with torch.device("meta"):
        generator = ProVGANGenerator(frames=(4, 8, 8, 16, 16, 32, 32))
    widths = [128, 128, 128, 64, 32, 16, 8]
    expected = 128 * 128 * 64 + 128 + 128 * 128 * 27 + 128
    for before, after in itertools.pairwise(widths):
        expected += (before + after) * after * 27 + 2 * after
    expected += sum(width * 3 + 3 for width in widths)
    assert sum(parameter.numel() for parameter in generator.parameters()) == expected == 3_703_597


def test_a_step_decides_on_stage_and_share(generator) -> None:
    assert (generator.stage, generator.share) == (2, 1.0)  # nobody has told it a step
    states = []
    for step in (0, 2, 3, 4, 5, 8, 9, 10, 99):
        generator.set_step(step)
        states.append((generator.stage, generator.share))
    assert states == [(0, 1), (0, 1), (1, 0), (1, 0.5), (1, 1), (2, 0), (2, 0.5), (2, 1), (2, 1)]


@pytest.mark.parametrize("stage", range(3))
def test_each_stage_paints_its_own_size_and_whole_videos_repeat_it(generator, stage: int) -> None:
    latents = generator.sample_latents(3)
    painted, whole = grow(generator, stage, 1.0).paint(latents), generator(latents)
    assert painted.shape == (3, 3, STAGES[stage][0], STAGES[stage][1], STAGES[stage][1])
    assert torch.equal(whole, up(painted.clamp(-1, 1), STAGES[-1]))
    seen = generator.generate(latents, {"video": Whole()}, torch.Generator()).seen["video"].video
    assert torch.equal(seen, painted)


@pytest.mark.parametrize("stage", [1, 2])
def test_growing_changes_nothing_until_a_share_is_given(generator, stage: int) -> None:
    latents = generator.sample_latents(3)
    old = grow(generator, stage - 1, 1.0).paint(latents)
    assert torch.equal(grow(generator, stage, 0.0).paint(latents), up(old, STAGES[stage]))
    assert torch.equal(grow(generator, stage, 0.0)(latents), grow(generator, stage - 1, 1.0)(latents))


@pytest.mark.parametrize("stage", [1, 2])
def test_a_fade_is_the_mixture_of_two_stages(generator, stage: int) -> None:
    latents = generator.sample_latents(3)
    old = up(grow(generator, stage - 1, 1.0).paint(latents), STAGES[stage])
    new = grow(generator, stage, 1.0).paint(latents)
    assert not torch.allclose(old, new)
    torch.testing.assert_close(grow(generator, stage, 0.3).paint(latents), 0.7 * old + 0.3 * new)


def test_only_what_paints_learns(generator) -> None:
    latents = generator.sample_latents(2)
    for stage, share, expected in ((0, 1.0, {0}), (1, 0.5, {0, 1}), (1, 1.0, {1}), (2, 0.5, {1, 2})):
        grow(generator, stage, share).zero_grad()
        generator.paint(latents).square().mean().backward()
        learnt = {name.split(".")[1] for name, p in generator.to_rgb.named_parameters("to_rgb") if p.grad is not None}
        assert learnt == {str(STAGES[number][1]) for number in expected}
        learnt = {name.split(".")[1] for name, p in generator.blocks.named_parameters("blocks") if p.grad is not None}
        assert learnt == {str(STAGES[number][1]) for number in range(stage + 1)}


def test_real_clips_have_the_size_of_the_stage_and_fade_as_fakes_do(generator) -> None:
    real, random = Batch(torch.rand(2, 3, 4, 16, 16) * 2 - 1, torch.tensor([1, 0])), torch.Generator()
    assert torch.equal(generator.match_real(real, random).video, real.video)
    coarse = grow(generator, 0, 1.0).match_real(real, random)
    torch.testing.assert_close(coarse.video, avg_pool3d(real.video, (2, 4, 4)))
    assert torch.equal(coarse.labels, real.labels)
    middle = avg_pool3d(real.video, (1, 2, 2))
    torch.testing.assert_close(grow(generator, 1, 1.0).match_real(real, random).video, middle)
    torch.testing.assert_close(grow(generator, 1, 0.0).match_real(real, random).video, up(coarse.video, STAGES[1]))
    mixed = 0.25 * middle + 0.75 * up(coarse.video, STAGES[1])
    torch.testing.assert_close(grow(generator, 1, 0.25).match_real(real, random).video, mixed)


def test_latents_count_by_their_direction_alone(generator) -> None:
    latents = generator.sample_latents(3)
    torch.testing.assert_close(generator(5 * latents), generator(latents), rtol=1e-4, atol=1e-5)


def test_activations_have_a_mean_square_of_1_however_large_the_weights(generator) -> None:
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.mul_(30)
    x = generator.blocks["4"](generator.sample_latents(2)[:, :, None, None, None])
    torch.testing.assert_close(x.square().mean(1), torch.ones(2, 2, 4, 4))


def test_without_constraints_weights_are_plain() -> None:
    generator = ProVGANGenerator(
        8, 4, 6, base_channels=16, stage_steps=1, fade_steps=1, equalized=False, pixel_norm=False
    )
    assert not any("parametrizations" in name for name in generator.state_dict())
    assert generator(generator.sample_latents(2)).shape == (2, 3, 4, 8, 8)


def test_latents_of_another_shape_are_refused(generator) -> None:
    with pytest.raises(ValueError, match=r"latents must be \(N, 6\)"):
        generator(torch.zeros(2, 7))
