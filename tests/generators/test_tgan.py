"""TGAN's generator."""

import pytest
import torch

from ldvd_lib.generators import TGANGenerator
from ldvd_lib.generators.tgan import TemporalGenerator


def count(module: torch.nn.Module, *, trainable: bool = False) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad or not trainable)


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, 4_449_159),
        ({"image_size": 128}, 4_456_951),
        ({"image_size": 128, "temporal_channels": (2048, 1024, 512, 512)}, 15_586_807),
        ({"image_size": 128, "image_channels": 1024}, 13_674_375),
        ({"image_size": 128, "temporal_channels": (2048, 1024, 512, 512), "image_channels": 1024}, 24_804_231),
    ],
)
def test_parameters_of_the_layer_tables(options: dict, parameters: int) -> None:
    with torch.device("meta"):
        assert count(TGANGenerator(**options)) == parameters


def test_the_two_halves_and_the_published_offsets() -> None:
    generator = TGANGenerator()
    assert count(generator.temporal) == 826_468
    assert count(generator.image) == 3_622_691
    # "no-beta": the temporal generator's 1,024 offsets stay at zero and are not trained.
    assert count(generator, trainable=True) == 4_449_159 - 1024
    assert count(TGANGenerator(train_beta=True), trainable=True) == 4_449_159


def test_published_initial_weights_lie_within_a_hundredth() -> None:
    for name, parameter in TGANGenerator().named_parameters():
        if parameter.ndim > 1:
            assert 0.009 < parameter.abs().max() <= 0.01, name
        elif "bias" in name:
            assert not parameter.any(), name


def test_xavier_is_wider_where_it_is_asked_for() -> None:
    generator = TGANGenerator(temporal_init="xavier")
    assert generator.temporal.layers[0].weight.abs().max() > 0.05
    assert generator.image.layers[0].weight.abs().max() <= 0.01


@pytest.mark.parametrize(("size", "frames", "channels"), [(32, 16, (8, 8, 8, 8)), (8, 4, (8, 8)), (64, 2, (8,))])
def test_shapes_and_range(size: int, frames: int, channels: tuple[int, ...]) -> None:
    generator = TGANGenerator(size, frames, 10, temporal_channels=channels, image_channels=64, image_init="xavier")
    videos = generator(generator.sample_latents(3))
    assert videos.shape == (3, 3, frames, size, size)
    assert videos.abs().max() <= 1
    assert videos.is_contiguous(memory_format=torch.channels_last_3d)


def test_a_frame_is_the_image_generator_at_its_latent() -> None:
    """Time enters only through the temporal generator: frame t paints (slow z, fast z_t) and nothing else."""
    generator = TGANGenerator(16, 8, 6, temporal_channels=(8, 8, 8), image_channels=16).eval()
    slow = generator.sample_latents(2, generator=torch.Generator().manual_seed(0))
    fast = generator.temporal(slow)
    video = generator(slow)
    for t in (0, 5):
        torch.testing.assert_close(generator.image(slow, fast[:, t : t + 1])[:, :, 0], video[:, :, t])


def test_latents_are_uniform_and_seeded() -> None:
    generator = TGANGenerator(8, 2, 50, temporal_channels=(4,), image_channels=4)
    draw = [generator.sample_latents(400, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(draw[0], draw[1])
    assert not torch.equal(draw[0], draw[2])
    assert -1 <= draw[0].min() < -0.99
    assert 0.99 < draw[0].max() <= 1
    assert draw[0].std() == pytest.approx(3**-0.5, abs=0.01)


def test_double_backward() -> None:
    generator = TGANGenerator(8, 2, 4, temporal_channels=(4,), image_channels=8).double()
    latents = generator.sample_latents(3).requires_grad_()
    (gradient,) = torch.autograd.grad(generator(latents).square().sum(), latents, create_graph=True)
    (second,) = torch.autograd.grad(gradient.square().sum(), latents)
    assert second.isfinite().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 48}, "image_size is 48"),
        ({"num_frames": 12}, "num_frames is 12"),
        ({"num_frames": 8}, "3 doublings"),
        ({"image_channels": 24}, "multiple of 16"),
        ({"temporal_init": "he"}, "'he' is unknown"),
    ],
)
def test_impossible_sizes_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TGANGenerator(**options)


def test_wrong_latents_are_named() -> None:
    generator = TGANGenerator(8, 2, 4, temporal_channels=(4,), image_channels=8)
    with pytest.raises(ValueError, match=r"\(N, 4\).*\(3, 5\)"):
        generator(torch.zeros(3, 5))
    assert TemporalGenerator(4, 2, (4,))(torch.zeros(3, 4)).shape == (3, 2, 4)
