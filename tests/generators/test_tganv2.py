"""TGANv2's generator."""

import itertools

import pytest
import torch
from torch import nn

from ldvd_lib import anatomy
from ldvd_lib.batch import Batch
from ldvd_lib.generators import TGANv2Generator
from ldvd_lib.training.sampling import calibrate_
from ldvd_lib.views import SUBSAMPLINGS, Levels, Whole

SMALL = {"image_size": 16, "num_frames": 8, "latent_dim": 5, "map_size": 2, "recurrent_channels": 6, "base_channels": 4}


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small(**options: object) -> TGANv2Generator:
    """A generator of 16 px and 8 frames, whose batch normalisation knows what it makes."""
    torch.manual_seed(0)
    return calibrate_(TGANv2Generator(**SMALL | {"levels": 3} | options).double(), videos=8).eval()


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, 88_032_460),
        ({"recurrent_channels": 512}, 27_600_588),
        ({"recurrent_channels": 512, "recurrent_layers": 2}, 46_477_004),
        ({"recurrent_channels": 512, "recurrent_layers": 3}, 65_353_420),
        ({"image_size": 256, "map_size": 4}, 89_874_636),
    ],
)
def test_parameters_of_the_layer_tables(options: dict, parameters: int) -> None:
    with torch.device("meta"):
        assert count(TGANv2Generator(**options)) == parameters


def test_blocks_follow_from_the_size_and_levels_are_the_last_of_them() -> None:
    with torch.device("meta"):
        generator = TGANv2Generator()
    widths = [(block.shortcut.in_channels, block.shortcut.out_channels) for block in generator.blocks]
    assert widths == [(1024, 512), (512, 256), (256, 128), (128, 64), (64, 32), (32, 32)]
    assert [rendering[0].num_features for rendering in generator.renderings] == [128, 64, 32, 32]
    lite = TGANv2Generator(32, map_size=4, levels=2, recurrent_channels=8, base_channels=4)
    assert (len(lite.blocks), len(lite.renderings)) == (3, 2)


@pytest.mark.parametrize(
    ("subsampling", "shapes"),
    [
        ("both", [(8, 8, 4), (4, 4, 8), (2, 2, 16)]),
        ("frames", [(8, 8, 4), (8, 4, 8), (8, 2, 16)]),
        ("batch", [(8, 8, 4), (4, 8, 8), (2, 8, 16)]),
        ("none", [(8, 8, 4), (8, 8, 8), (8, 8, 16)]),
    ],
)
@pytest.mark.parametrize("n", [8, 5])
def test_real_and_generated_levels_have_equal_shapes(subsampling: str, shapes: list, n: int) -> None:
    """For a batch that halves, and for one that does not."""
    generator = small(subsampling=subsampling)
    fakes = generator.generate(generator.sample_latents(n), {"levels": generator.view}, random()).seen["levels"]
    real = generator.view(generator.match_real(Batch(torch.rand(n, 3, 8, 16, 16)), random()), random())
    assert [level.shape for level in fakes.levels] == [level.shape for level in real.levels]
    if n == 8:
        assert [tuple(level.shape) for level in fakes.levels] == [(k, 3, t, size, size) for k, t, size in shapes]
    assert all(level.abs().max() <= 1 for level in fakes.levels)


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
def test_subsampling_before_or_after_rendering_gives_the_same_frames(subsampling: str) -> None:
    """In evaluation, where frames do not act on each other through statistics."""
    generator = small(subsampling=subsampling)
    latents = generator.sample_latents(4)
    painted = generator.paint_levels(latents, random(3))
    kept_clips, first, step, draws = 1, 0, 1, random(3)
    for number, level in enumerate(painted, start=1):
        if number > 1 and generator.view.halves_batch:
            kept_clips *= 2
        if number > 1 and generator.view.halves_frames:
            first += step * int(torch.randint(2, (), generator=draws))
            step *= 2
        whole = generator(latents, level=number)
        torch.testing.assert_close(level, whole[::kept_clips, :, first::step], rtol=0, atol=1e-13)


def test_one_choice_of_frames_is_that_of_all_videos_and_another_batch_has_another() -> None:
    generator = small(levels=2, subsampling="frames")
    latents = generator.sample_latents(3)
    fine = generator(latents)
    firsts = set()
    for seed in range(8):
        level = generator.paint_levels(latents, random(seed))[1]
        (first,) = [first for first in (0, 1) if torch.allclose(level, fine[:, :, first::2])]
        firsts.add(first)
    assert firsts == {0, 1}


def test_inference_is_the_last_level_of_all_frames_and_videos() -> None:
    generator = small(subsampling="none")
    latents = generator.sample_latents(3)
    levels = generator.paint_levels(latents, random())
    torch.testing.assert_close(generator(latents), levels[-1], rtol=0, atol=0)
    for number, level in enumerate(levels, start=1):
        torch.testing.assert_close(generator(latents, level=number), level, rtol=0, atol=0)
    # What is left out in training does not matter in use.
    other = TGANv2Generator(**SMALL, levels=3).double().eval()
    other.load_state_dict(generator.state_dict())
    torch.testing.assert_close(other(latents), levels[-1], rtol=0, atol=0)
    for wrong in (0, 4):
        with pytest.raises(ValueError, match="level must be a whole number, 1 to 3"):
            generator(latents, level=wrong)


def test_whole_videos_teach_the_statistics_of_every_level() -> None:
    """An average of weights is sampled with statistics of its own, and any level of it may be asked for."""
    generator = small()
    for rendering in generator.renderings:
        assert rendering[0].num_batches_tracked > 0
        assert not torch.equal(rendering[0].running_mean, torch.zeros_like(rendering[0].running_mean))


def test_the_latent_is_the_input_of_the_first_frame_and_no_other() -> None:
    """The first frame of a longer video is that of a shorter one, and each later one follows from the state."""
    generator = small()
    latents = generator.sample_latents(2)
    longer = TGANv2Generator(**SMALL | {"num_frames": 16}, levels=3).double().eval()
    longer.load_state_dict(generator.state_dict())
    torch.testing.assert_close(longer(latents)[:, :, :8], generator(latents), rtol=0, atol=1e-13)
    start = generator.start(latents)
    h, c = generator.recurrent.cells[0](start, None)
    maps = [h]
    for _ in range(7):
        h, c = generator.recurrent.cells[0](torch.zeros_like(start), (h, c))
        maps.append(h)
    expected = torch.stack(maps, dim=1).flatten(0, 1)
    torch.testing.assert_close(generator._maps(latents), expected, rtol=0, atol=1e-13)


def test_a_view_that_is_not_its_own_looks_at_whole_videos() -> None:
    generator = small()
    latents = generator.sample_latents(4)
    views = {"video": Whole(), "levels": Levels(2)}
    seen = generator.generate(latents, views, random()).seen
    torch.testing.assert_close(seen["video"].video, generator(latents), rtol=0, atol=0)
    assert [level.shape[2] for level in seen["levels"].levels] == [8, 4]


def test_latents_are_uniform_and_seeded() -> None:
    generator = TGANv2Generator(**SMALL | {"latent_dim": 50}, levels=1)
    draw = [generator.sample_latents(400, generator=random(seed)) for seed in (0, 0, 1)]
    assert torch.equal(draw[0], draw[1])
    assert not torch.equal(draw[0], draw[2])
    assert -1 <= draw[0].min() < -0.99
    assert draw[0].std() == pytest.approx(3**-0.5, abs=0.01)


def test_first_weights_are_those_of_the_code() -> None:
    torch.manual_seed(0)
    generator = TGANv2Generator(16, map_size=4, latent_dim=100, recurrent_channels=32, base_channels=32, levels=2)
    cell, block = generator.recurrent.cells[0], generator.blocks[0]
    for layer, inputs in ((generator.start[0], 100), (cell.input, 32 * 9), (generator.renderings[1][2], 32 * 9)):
        assert layer.weight.std().item() == pytest.approx(inputs**-0.5, rel=0.1)
    # Glorot: uniform up to gain · √(6 / (inputs + outputs)).
    for layer, most in ((block.residual[3], (2 * 6 / (2 * 32 * 9)) ** 0.5), (block.shortcut, (6 / 64) ** 0.5)):
        assert 0.98 * most < layer.weight.abs().max() <= most
    assert not any(parameter.any() for name, parameter in generator.named_parameters() if name.endswith("bias"))


def activations(levels: int, subsampling: str) -> int:
    """Bytes that a video of 2^levels frames and 4 · 2^levels px leaves for the backward pass, all blocks 8 wide."""
    with torch.device("meta"):
        options = {"recurrent_channels": 8, "block_channels": (8,) * levels, "levels": levels}
        generator = TGANv2Generator(4 * 2**levels, 2**levels, 8, map_size=4, subsampling=subsampling, **options)
    return anatomy.dissect(generator).activation_bytes


def test_memory_grows_linearly_with_resolution_and_without_subsampling_as_its_cube() -> None:
    """Frames, height and width double together, and with them there is one more level of the same width."""
    both, none = ([activations(levels, subsampling) for levels in (3, 4, 5, 6)] for subsampling in ("both", "none"))
    assert all(7 < two / one < 8.5 for one, two in itertools.pairwise(none[1:]))
    # Each level costs the same, so that what grows beside the frames is the number of levels.
    per_level = [memory / 2**levels / levels for levels, memory in zip((3, 4, 5, 6), both, strict=True)]
    assert max(per_level) < 1.1 * min(per_level)
    assert none[-1] / both[-1] > 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 24}, "image_size is 24, but must be 2 times a power of two"),
        ({"levels": 4}, "levels must be a whole number, 1 to 3"),
        ({"num_frames": 6, "levels": 3}, "num_frames is 6, but 3 levels halve it 2 times: use a multiple of 4"),
        ({"subsampling": "all"}, "subsampling 'all' is unknown"),
        ({"block_channels": (4, 4)}, "16 pixels take 3 blocks from maps of 2, and so 3 block_channels"),
        ({"recurrent_layers": 0}, "layers must be a whole number"),
    ],
)
def test_impossible_sizes_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TGANv2Generator(**SMALL | {"levels": 3} | options)


def test_frames_that_are_not_halved_may_be_of_any_number() -> None:
    generator = TGANv2Generator(**SMALL | {"num_frames": 5}, levels=3, subsampling="batch")
    assert generator(generator.sample_latents(2)).shape == (2, 3, 5, 16, 16)


def test_wrong_latents_are_named() -> None:
    with pytest.raises(ValueError, match=r"\(N, 5\).*\(3, 4\)"):
        small()(torch.zeros(3, 4))


def test_double_backward() -> None:
    generator = TGANv2Generator(**SMALL, levels=2).double()
    latents = generator.sample_latents(4).requires_grad_()
    levels = generator.paint_levels(latents, random())
    loss = sum(level.square().sum() for level in levels)
    (gradient,) = torch.autograd.grad(loss, latents, create_graph=True)
    (second,) = torch.autograd.grad(gradient.square().sum(), latents)
    assert second.isfinite().all()
    assert second.any()
