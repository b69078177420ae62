"""Plans of stages, and the layers that keep growth stable."""

import pytest
import torch

from ldvd_lib.blocks import Growth, MinibatchDeviation, PixelNorm, enlarge, shrink, stage_channels


def plan(**options) -> Growth:
    return Growth.to(16, 32, **{"stage_steps": 3, "fade_steps": 2, **options})


def test_frames_double_with_pixels_until_there_are_enough() -> None:
    assert plan().sizes == ((4, 4), (8, 8), (16, 16), (16, 32))
    assert plan(frames=(4, 8, 8, 16)).sizes == ((4, 4), (8, 8), (8, 16), (16, 32))
    assert Growth.to(2, 8, stage_steps=1, fade_steps=1).sizes == ((2, 4), (2, 8))


def test_a_stage_trains_and_the_next_one_fades_in() -> None:
    states = [plan().at(step) for step in range(17)]
    assert states[:6] == [(0, 1.0)] * 3 + [(1, 0.0), (1, 0.5), (1, 1.0)]
    assert states[5:8] == [(1, 1.0)] * 3
    assert states[8:11] == [(2, 0.0), (2, 0.5), (2, 1.0)]
    assert states[13:] == [(3, 0.0), (3, 0.5), (3, 1.0), (3, 1.0)]
    assert plan().steps == 15
    assert plan().at(10**9) == (3, 1.0)


def test_shares_only_rise_and_stages_follow_one_another() -> None:
    states = [Growth.to(32, 256, stage_steps=7, fade_steps=5).at(step) for step in range(100)]
    assert states == sorted(states)
    assert {stage for stage, _ in states} == set(range(7))


def test_without_a_fade_a_stage_begins_at_once() -> None:
    assert [plan(fade_steps=0).at(step) for step in range(0, 12, 3)] == [(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames": (4, 8, 16)}, "reached in 4 stages, from 4"),
        ({"frames": (2, 8, 16, 16)}, "each the one before it or twice that"),
        ({"frames": (4, 8, 8, 8)}, "end with num_frames, 16"),
        ({"stage_steps": 0}, "stage_steps must be a whole number, 1 or more"),
        ({"fade_steps": -1}, "fade_steps must be a whole number, 0 or more"),
    ],
)
def test_an_impossible_plan_is_explained(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan(**options)


def test_more_frames_than_doublings_reach_are_refused() -> None:
    with pytest.raises(ValueError, match=r"their frames \(4, 8\).*end with num_frames, 32"):
        Growth.to(32, 8, stage_steps=1, fade_steps=1)


def test_channels_halve_below_a_ceiling() -> None:
    assert stage_channels(7, 1024, 128) == [128, 128, 128, 64, 32, 16, 8]  # the published code's
    with pytest.raises(ValueError, match="base_channels is 8, and is halved 4 times"):
        stage_channels(4, 8, 128)


def test_shrinking_undoes_enlarging() -> None:
    videos = torch.randn(2, 3, 2, 4, 4)
    large = enlarge(videos, (2, 4, 4))
    assert large.shape == (2, 3, 4, 16, 16)
    assert torch.equal(large, videos.repeat_interleave(2, 2).repeat_interleave(4, 3).repeat_interleave(4, 4))
    torch.testing.assert_close(shrink(large, (2, 4, 4)), videos)
    assert enlarge(videos, (1, 1, 1)) is videos
    assert shrink(videos, (1, 1, 1)) is videos


def test_growth_measures_how_much_larger_a_stage_is() -> None:
    growth = plan()
    assert growth.factor(1) == growth.factor(2) == (2, 2, 2)
    assert growth.factor(3) == (1, 2, 2)
    assert growth.factor(3, 0) == (4, 8, 8)
    assert growth.factor(3, 3) == (1, 1, 1)


@pytest.mark.parametrize("shape", [(3, 7), (2, 5, 3, 4, 4)], ids=str)
def test_normalised_pixels_have_a_mean_square_of_1(shape: tuple[int, ...]) -> None:
    x = 100 * torch.randn(shape)
    normal = PixelNorm()(x)
    torch.testing.assert_close(normal.square().mean(1), torch.ones(normal[:, 0].shape))
    torch.testing.assert_close(normal / normal.abs().amax(1, keepdim=True), x / x.abs().amax(1, keepdim=True))


@pytest.mark.parametrize(("clips", "group"), [(8, 4), (6, 3), (4, 4), (5, 4), (2, 4)])
def test_the_deviation_equals_the_definition(clips: int, group: int) -> None:
    """Clips i, i + N/G, i + 2N/G, … are a group; where they cannot be divided, all are one."""
    x = torch.randn(clips, 3, 2, 4, 4)
    added = MinibatchDeviation(group)(x)
    assert torch.equal(added[:, :3], x)
    groups = clips // group if clips % group == 0 else 1
    for index in range(clips):
        together = x[index % groups :: groups]
        expected = together.std(0, correction=0).mean()
        torch.testing.assert_close(added[index, 3], expected.expand(2, 4, 4), rtol=1e-5, atol=1e-6)


def test_clips_that_are_all_the_same_have_no_deviation() -> None:
    x = torch.randn(1, 3, 2, 4, 4, requires_grad=True)
    added = MinibatchDeviation()(x.expand(4, -1, -1, -1, -1))
    assert added[:, 3].max() <= 1.01e-4
    (gradient,) = torch.autograd.grad(added.sum(), x)
    assert gradient.isfinite().all()
