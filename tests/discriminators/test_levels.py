"""TGANv2's discriminator: a residual critic for each level."""

import pytest
import torch
from torch.nn import functional as F

from ldvd_lib import anatomy
from ldvd_lib.batch import Batch
from ldvd_lib.discriminators import LevelsDiscriminator, ResNetDiscriminator
from ldvd_lib.views import Levels, view_of


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small(**options: object) -> LevelsDiscriminator:
    return LevelsDiscriminator(16, 8, 3, **{"num_blocks": 3, "levels": 3} | options)


def test_parameters_of_the_layer_tables() -> None:
    with torch.device("meta"):
        assert count(LevelsDiscriminator()) == 116_077_060
        assert count(ResNetDiscriminator()) == 29_019_265


def pooled(x: torch.Tensor, kernel: tuple[int, int, int]) -> torch.Tensor:
    return F.avg_pool3d(x, kernel)


def test_a_critic_equals_its_layers_written_out() -> None:
    """Convolutions, ReLUs, averages and sums of TGANv2's, with the shortcut convolved where SN-GAN has it."""
    torch.manual_seed(0)
    critic = ResNetDiscriminator(3, num_blocks=3).double()
    videos = torch.randn(2, 3, 8, 16, 16, dtype=torch.float64)
    first, *others = critic.blocks
    x = pooled(first.out(F.relu(first.into(videos))), (1, 2, 2)) + first.shortcut(pooled(videos, (1, 2, 2)))
    for block in others:
        x = pooled(block.out(F.relu(block.into(F.relu(x)))), (2, 2, 2)) + pooled(block.shortcut(x), (2, 2, 2))
    assert x.shape == (2, 12, 2, 2, 2)
    scores = F.relu(x).sum((2, 3, 4)) @ critic.head.weight[0] + critic.head.bias
    torch.testing.assert_close(critic(videos), scores, rtol=0, atol=1e-12)


def test_a_critic_takes_videos_of_any_length_and_size() -> None:
    critic = ResNetDiscriminator(2)
    for frames, size in ((16, 24), (2, 192), (1, 2), (7, 48)):
        assert critic(torch.zeros(1, 3, frames, size, size)).shape == (1,)
    with pytest.raises(ValueError, match=r"ResNetDiscriminator was given a tensor of shape \(1, 1, 2, 8, 8\)"):
        critic(torch.zeros(1, 1, 2, 8, 8))


def test_first_weights_are_those_of_the_code() -> None:
    torch.manual_seed(0)
    critic = ResNetDiscriminator(16, num_blocks=2)
    block = critic.blocks[1]
    bounds = {
        block.into: (2 * 6 / (32 * 27)) ** 0.5,
        block.out: (2 * 6 / (48 * 27)) ** 0.5,
        block.shortcut: (6 / 48) ** 0.5,
        critic.head: (6 / 33) ** 0.5,
    }
    for layer, most in bounds.items():
        assert 0.9 * most < layer.weight.abs().max() <= most
        assert not layer.bias.any()


def test_each_level_has_a_critic_of_its_own_and_scores_come_one_after_the_other() -> None:
    discriminator = small()
    assert view_of(discriminator, 8) == Levels(3)
    batch = discriminator.view(Batch(torch.rand(8, 3, 8, 16, 16)), random())
    scores, logits = discriminator.score(batch)
    assert scores.shape == (8 + 4 + 2,)
    assert logits is None
    parts = zip(scores.split([8, 4, 2]), discriminator.critics, batch.levels, strict=True)
    for part, critic, level in parts:
        torch.testing.assert_close(part, critic(level))
    frames_only = small(subsampling="frames")
    assert frames_only.score(frames_only.view(Batch(torch.rand(8, 3, 8, 16, 16)), random()))[0].shape == (24,)


@pytest.mark.parametrize(("levels", "given"), [(2, "2 levels"), (1, "one tensor")])
def test_another_number_of_levels_is_refused(levels: int, given: str) -> None:
    batch = Levels(levels)(Batch(torch.rand(4, 3, 8, 16, 16)), random())
    with pytest.raises(ValueError, match=f"3 critics look at as many levels of videos, and were given {given}"):
        small()(batch.videos if levels > 1 else batch.videos[0])


def test_its_anatomy_is_that_of_its_critics_at_their_levels() -> None:
    rows = anatomy.dissect(small()).rows
    assert [row.name for row in rows if row.kind == "DownBlock"] == [
        f"critics.{level}.blocks.{block}" for level in range(3) for block in range(3)
    ]
    by_name = {row.name: row for row in rows}
    assert [by_name[f"critics.{level}.blocks.0"].shape for level in range(3)] == [
        (3, 8, 2, 2),
        (3, 4, 4, 4),
        (3, 2, 8, 8),
    ]
    # With every second clip and frame and twice the pixels, the first block of each level costs the same.
    costs = {(row.multiply_adds, row.parameters) for row in rows if row.name.endswith("blocks.0")}
    assert len(costs) == 1
    # Two 3×3×3 kernels and a pair of averages: 5 frames, (5 + 1) · 4 pixels at a quarter of the resolution.
    fields = [
        (by_name[f"critics.{level}.blocks.0"].frames, by_name[f"critics.{level}.blocks.0"].pixels) for level in range(3)
    ]
    assert fields == [(5, 24), (9, 12), (17, 6)]


def test_without_subsampling_finer_levels_cost_four_times_as_much() -> None:
    rows = anatomy.dissect(small(subsampling="none")).rows
    costs = [row.multiply_adds for row in rows if row.name.endswith("blocks.0")]
    assert costs[1] == 4 * costs[0]
    assert costs[2] == 16 * costs[0]
