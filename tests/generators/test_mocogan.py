"""MoCoGAN's generator."""

import pytest
import torch
from torch import nn

from ldvd_lib.generators import MoCoGANGenerator


def small(**options: object) -> MoCoGANGenerator:
    torch.manual_seed(0)
    return MoCoGANGenerator(16, 6, content_dim=5, motion_dim=3, image_channels=16, **options)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_parameters() -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in MoCoGANGenerator().parameters()) == 3_249_684


def test_shapes_and_range() -> None:
    generator = small()
    videos = generator(generator.sample_latents(3))
    assert videos.shape == (3, 3, 6, 16, 16)
    assert videos.abs().max() <= 1
    assert videos.is_contiguous(memory_format=torch.channels_last_3d)


def test_latents_are_normal_seeded_and_partitioned() -> None:
    generator = small(num_categories=4)
    latents = generator.sample_latents(2000, generator=seeded())
    assert torch.equal(latents, generator.sample_latents(2000, generator=seeded()))
    parts = generator.latent_parts
    covered = sorted(index for part in parts.values() for index in range(part.start, part.stop))
    assert covered == list(range(generator.latent_dim))
    for name in ("content", "motion"):
        assert latents[:, parts[name]].std() == pytest.approx(1, abs=0.02)
    category = latents[:, parts["category"]]
    assert torch.equal(category.sum(1), torch.ones(2000))
    assert torch.equal(category, category.round())
    assert category.mean(0).min() > 0.2


def test_motion_is_a_gru_unrolled_by_hand() -> None:
    generator = small()
    noise = torch.randn(2, 7 * 3)
    cell: nn.GRUCell = generator.recurrent
    hidden = noise[:, :3]
    for t in range(6):
        hidden = cell(noise[:, 3 * (t + 1) : 3 * (t + 2)], hidden)
        torch.testing.assert_close(generator.motion(noise)[:, t], hidden)


def test_motion_knows_no_future() -> None:
    generator = small().eval()
    latents = generator.sample_latents(1, generator=seeded())
    changed = latents.clone()
    changed[:, -3:] += 5  # the noise of the last frame
    first, second = generator(latents), generator(changed)
    torch.testing.assert_close(first[:, :, :5], second[:, :, :5])
    assert not torch.allclose(first[:, :, 5], second[:, :, 5])


def test_a_single_frame_is_that_frame_of_the_video() -> None:
    generator = small().eval()
    latents = generator.sample_latents(3, generator=seeded())
    frames = torch.tensor([4, 0, 2])
    videos = generator(latents)
    expected = torch.stack([videos[i, :, t] for i, t in enumerate(frames)]).unsqueeze(2)
    torch.testing.assert_close(generator(latents, frames[:, None]), expected)


@pytest.mark.parametrize(
    ("options", "message"), [({"image_size": 24}, "image_size is 24"), ({"image_channels": 20}, "multiple of 8")]
)
def test_impossible_sizes_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MoCoGANGenerator(**options)


def test_wrong_latents_are_named() -> None:
    with pytest.raises(ValueError, match=r"\(N, 26\).*\(3, 5\)"):
        small()(torch.zeros(3, 5))
