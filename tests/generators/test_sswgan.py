"""SSW-GAN's generator: stages, of which the newest learns, on windows."""

import copy
import itertools
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from ldvd_lib import anatomy
from ldvd_lib.batch import Batch
from ldvd_lib.blocks import coarse
from ldvd_lib.generators import DVDGANGenerator, SSWGANGenerator, TGANGenerator
from ldvd_lib.generators.sswgan import Upscaling
from ldvd_lib.latents import share_part, truncate
from ldvd_lib.training.sampling import calibrate_
from ldvd_lib.views import Frames, Pair, Whole

SMALL = {
    "noise_dim": 4,
    "class_dim": 3,
    "num_categories": 2,
    "channels": (8, 4),
    "blocks": 1,
    "temporal": "tgan",
    "frame_dim": 3,
    "temporal_channels": 4,
    "upscaling_channels": (6, 4),
    "upscaling_blocks": 1,
    "window": 8,
}


def small(stages: int = 2, *, first_frames: int = 8, **options: object) -> SSWGANGenerator:
    """A generator whose stage 1 has 8 px and so many frames."""
    torch.manual_seed(0)
    times = 2 ** (stages - 1)
    return SSWGANGenerator(8 * times, first_frames * times, stages, **SMALL | options)


def measured(*arguments: int, **options: object) -> SSWGANGenerator:
    """The same in double precision and evaluation mode, each stage with statistics of what it makes of the last."""
    generator = small(*arguments, **options).double().eval()
    latents = generator.sample_latents(8, generator=seeded(1))
    inputs: tuple[Tensor, ...] = ()
    with torch.no_grad():
        for number, network in enumerate(generator.stages):
            for norm in norms_of(network.train()):
                norm.momentum = None
            network(*inputs, generator.told(latents, number))
            inputs = (network.eval()(*inputs, generator.told(latents, number)),)
    return generator


def norms_of(network: nn.Module) -> list[nn.Module]:
    return [layer for layer in network.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def windows_of(videos: Tensor, first: Tensor, length: int) -> Tensor:
    return torch.stack([video[:, start : start + length] for video, start in zip(videos, first.tolist(), strict=True)])


def upscaling_parameters(time: int, frame: int, blocks: int, *, noise: int, of_class: int, classes: int) -> int:
    """Of the layers as the docstring has them, written out; convolutions have biases, norms a gain and a bias."""
    condition = noise + of_class
    colours = (9 * 3 + 1) * time
    over_time = blocks * 2 * (2 * condition * time + (27 * time + 1) * time)
    same = (blocks - 1) * 2 * (2 * condition * time + (9 * time + 1) * time)
    doubles = 2 * condition * (time + frame) + (9 * time + 1) * frame + (9 * frame + 1) * frame + (time + 1) * frame
    rendering = 2 * condition * frame + (9 * frame + 1) * 3
    return classes * of_class + colours + over_time + same + doubles + rendering


def test_parameters_are_those_of_the_layers_written_out() -> None:
    with torch.device("meta"):
        stage = Upscaling(256, 128, num_categories=101)
        assert count(stage) == upscaling_parameters(256, 128, 2, noise=120, of_class=120, classes=101) == 9_740_379
        whole = SSWGANGenerator(num_categories=101)
        first = DVDGANGenerator(32, 8, num_categories=101, channels=(1024, 512, 256, 128))
        assert count(whole) == count(first) + 2 * count(stage)
    written = upscaling_parameters(6, 4, 1, noise=4, of_class=3, classes=2)
    assert [count(stage) for stage in small(3).stages[1:]] == [written, written]


@pytest.mark.parametrize("num_categories", [0, 2])
def test_every_stage_has_twice_the_frames_and_pixels_of_the_one_before(num_categories: int) -> None:
    generator = small(3, num_categories=num_categories)
    latents = generator.sample_latents(3)
    videos = generator.stage_videos(latents)
    assert [tuple(video.shape[2:]) for video in videos] == [(8, 8, 8), (16, 16, 16), (32, 32, 32)]
    assert all(video.abs().max() <= 1 for video in videos)
    assert (generator.classes(latents) is None) == (not num_categories)


def test_latents_are_the_noise_of_each_stage_and_the_class() -> None:
    generator = small(3)
    latents = generator.sample_latents(2000, generator=seeded())
    assert torch.equal(latents, generator.sample_latents(2000, generator=seeded()))
    parts = {"stage 1": slice(0, 4), "stage 2": slice(4, 8), "stage 3": slice(8, 12), "category": slice(12, 14)}
    assert generator.latent_parts == parts
    assert latents[:, :12].std() == pytest.approx(1, abs=0.02)
    assert torch.equal(generator.classes(latents), latents[:, 12:].argmax(1))
    assert torch.equal(latents[:, 12:].sum(1), torch.ones(2000))
    assert "category" not in small(num_categories=0).latent_parts


def test_the_noise_of_a_stage_changes_it_and_those_behind_it_and_none_before() -> None:
    generator = measured(3)
    latents = generator.sample_latents(2, generator=seeded())
    before = generator.stage_videos(latents)
    for number in range(3):
        shared = share_part(latents, generator.latent_parts[f"stage {number + 1}"], 0)
        after = generator.stage_videos(shared)
        for stage in range(3):
            moved = (after[stage][1] - before[stage][1]).abs().mean()
            assert (moved > 1e-4) == (stage >= number), (number, stage)
    other_class = latents.clone()
    other_class[:, -2:] = latents[:, -2:].flip(1)
    after = generator.stage_videos(other_class)
    assert all((one - two).abs().mean() > 1e-4 for one, two in zip(before, after, strict=True))
    still = truncate(latents, 0.0, parts=generator.latent_parts)
    assert torch.equal(generator.classes(still), generator.classes(latents))


def test_a_stage_is_told_the_class_and_its_own_noise() -> None:
    """Stage 1 of three paints what it would alone."""
    generator = measured(3)
    latents = generator.sample_latents(2, generator=seeded())
    alone = generator.stages[0](torch.cat([latents[:, :4], latents[:, 12:]], dim=1))
    assert torch.equal(generator.stage_videos(latents)[0], alone)


@pytest.mark.parametrize("blocks", [1, 2])
def test_a_window_is_painted_as_in_the_whole_but_for_its_margins(blocks: int) -> None:
    """No seams: and the margin is not wider than it must be."""
    generator = measured(first_frames=16, upscaling_blocks=blocks)
    stage, latents = generator.stages[1], generator.sample_latents(2, generator=seeded())
    small_videos, whole = generator.stage_videos(latents)
    told, margin = generator.told(latents, 1), stage.margin
    assert margin == blocks + 1
    start, length = 3, 2 * margin + 3
    window = stage(small_videos[:, :, start : start + length], told)
    apart = (window - whole[:, :, 2 * start : 2 * (start + length)]).abs().amax((0, 1, 3, 4))
    assert (apart[2 * margin : -2 * margin] < 1e-12).all()
    assert apart[2 * margin - 2] < 1e-12, "the margin is of whole frames of the input, and one is not quite needed"
    assert apart[2 * margin - 3] > 1e-6
    assert (apart[-(2 * margin - 1) :] > 1e-6).any()


@pytest.mark.parametrize(("stage", "length"), [(0, 3), (1, 5), (1, 6), (2, 7), (2, 8), (2, 30), (2, 64)])
def test_a_piece_is_cut_out_of_the_whole(stage: int, length: int) -> None:
    """Also at both ends of the video, and from one that begins with an odd frame."""
    generator = measured(3, first_frames=16)
    latents = generator.sample_latents(4, generator=seeded())
    whole = generator.stage_videos(latents)[stage]
    last = whole.shape[2] - length
    first = torch.tensor([0, last // 2, min(last, 1), last])
    torch.testing.assert_close(
        generator.piece(latents, stage, first, length), windows_of(whole, first, length), rtol=0, atol=1e-12
    )


def test_of_earlier_stages_no_more_is_painted_than_a_window_needs() -> None:
    lengths = {}
    for first_frames in (16, 64):
        generator = small(3, first_frames=first_frames)
        seen: list[int] = []
        generator.stages[1].register_forward_hook(
            lambda module, inputs, output, seen=seen: seen.append(len(output[0, 0]))
        )
        generator.generate(generator.sample_latents(2), {"": Pair()}, seeded())
        lengths[first_frames] = seen
    assert lengths == {16: [14], 64: [14]}  # 4 // 2 + 1, twice 2 of margin: 7 frames, which become 14


@pytest.mark.parametrize("stages", [2, 3])
def test_training_sees_windows_and_what_they_were_made_from(stages: int) -> None:
    generator = measured(stages)
    latents = generator.sample_latents(4, generator=seeded())
    before, whole = generator.stage_videos(latents)[-2:]
    fakes = generator.generate(latents, {"pair": Pair(), "whole": Whole(), "frame": Frames(1)}, seeded(3))
    pair = fakes.seen["pair"]
    size, length = 8 * 2 ** (stages - 1), before.shape[2]
    assert pair.video.shape == (4, 3, 8, size, size)
    assert pair.context.shape == (4, 3, 4, size // 2, size // 2)
    assert torch.equal(pair.labels, generator.classes(latents))
    first = torch.randint(length - 3, (4,), generator=seeded(3))
    assert len(set(first.tolist())) > 1
    torch.testing.assert_close(pair.context, windows_of(before, first, 4), rtol=0, atol=1e-12)
    # A window knows nothing of what is around it, and so differs from the whole in its margins.
    stage = generator.stages[-1]
    torch.testing.assert_close(pair.video, stage(pair.context, generator.told(latents, stages - 1)), rtol=0, atol=1e-12)
    assert not torch.allclose(pair.video, windows_of(whole, 2 * first, 8))
    assert torch.equal(fakes.seen["whole"].video, pair.video)
    assert fakes.seen["whole"].context is None
    assert fakes.seen["frame"].video.shape == (4, 3, 1, size, size)


def test_real_pairs_are_windows_and_their_own_coarse_form() -> None:
    generator = small(first_frames=16)
    videos = torch.rand(5, 3, 32, 16, 16, generator=seeded()) * 2 - 1
    labels = torch.tensor([0, 1, 0, 1, 1])
    real = generator.match_real(Batch(videos, labels), seeded(2))
    first = torch.randint(32 - 7, (5,), generator=seeded(2))
    assert torch.equal(real.video, windows_of(videos, first, 8))
    assert torch.equal(real.context, coarse(real.video))
    assert torch.equal(real.labels, labels)


def test_stage_1_is_a_dvd_gan_that_is_trained_on_whole_clips() -> None:
    generator = measured(1)
    latents = generator.sample_latents(3, generator=seeded())
    assert torch.equal(generator(latents), generator.stages[0](latents))
    seen = generator.generate(latents, {"all": Whole()}, seeded()).seen["all"]
    torch.testing.assert_close(seen.video, generator(latents))
    batch = Batch(torch.rand(2, 3, 8, 8, 8), None)
    assert generator.match_real(batch, seeded()) is batch


def frozen(generator: SSWGANGenerator) -> Iterator[tuple[str, Tensor]]:
    yield from generator.stages[:-1].state_dict().items()


def test_earlier_stages_stay_in_evaluation_and_learn_nothing() -> None:
    generator = small(3)
    calibrate_(generator)
    before = {name: tensor.clone() for name, tensor in frozen(generator)}
    for mode in (True, False, True):
        generator.train(mode)
        assert [stage.training for stage in generator.stages] == [False, False, mode]
        assert all(module.training == mode for module in generator.stages[-1].modules())
        assert not any(module.training for stage in generator.stages[:-1] for module in stage.modules())
    pair = generator.generate(generator.sample_latents(4), {"": Pair()}, seeded()).seen[""]
    assert not pair.context.requires_grad
    pair.video.square().mean().backward()
    assert all(parameter.grad is None for stage in generator.stages[:-1] for parameter in stage.parameters())
    assert all(parameter.grad is not None for parameter in generator.stages[-1].parameters())
    calibrate_(generator)
    assert all(torch.equal(tensor, before[name]) for name, tensor in frozen(generator))
    assert not any(module.training for stage in generator.stages[:-1] for module in stage.modules())
    copied = copy.deepcopy(generator).train()
    assert [stage.training for stage in copied.stages] == [False, False, True]


def test_a_stage_begins_after_the_one_before() -> None:
    first = calibrate_(small(1))
    second = small(2)
    with pytest.raises(ValueError, match=r"what stage 1 paints, which nobody has trained: .*--after"):
        second.check_begun()
    second.begin_after(first)
    second.check_begun()
    assert all(torch.equal(tensor, first.stages.state_dict()[name]) for name, tensor in frozen(second))
    calibrate_(second)
    third = small(3)
    third.begin_after(second)
    third.check_begun()
    latents = third.sample_latents(2, generator=seeded())
    of_second = torch.cat([latents[:, :8], latents[:, 12:]], dim=1)
    assert torch.equal(third.eval().stage_videos(latents)[1], second.eval()(of_second))
    first.check_begun()


def test_another_earlier_generator_is_refused_with_a_reason() -> None:
    second = small(2)
    with pytest.raises(ValueError, match="stage 2 of an SSW-GAN comes after stage 1 of one, and was given a TGANG"):
        second.begin_after(TGANGenerator(32))
    for other, message in (
        (small(2), "'stages': 1, .* was given one of {'stages': 2,"),
        (small(1, first_frames=4), "'num_frames': 8, .* 'num_frames': 4"),
        (SSWGANGenerator(16, 8, 1, **SMALL | {"channels": (8, 4, 4)}), "'image_size': 8, .* 'image_size': 16"),
        (small(1, num_categories=0), "'num_categories': 2}, .* 'num_categories': 0"),
        (small(1, frame_dim=5), r"other layers .*: stages.0.* is \(.*\), and \(.*\) there"),
        (small(1, temporal="convgru"), r"other layers .*: stages.0.* there"),
    ):
        before = {name: tensor.clone() for name, tensor in frozen(second)}
        with pytest.raises(ValueError, match=message):
            second.begin_after(other)
        assert all(torch.equal(tensor, before[name]) for name, tensor in frozen(second))
    with pytest.raises(ValueError, match="stage 1 of an SSW-GAN comes after nothing"):
        small(1).begin_after(small(1))
    with pytest.raises(ValueError, match="TGANGenerator learns everything in one training"):
        TGANGenerator(32).begin_after(small(1))


@pytest.mark.parametrize("stages", [2, 3])
def test_what_training_keeps_does_not_depend_on_the_length(stages: int) -> None:
    """Beside a generator that is trained on all frames, of which twice as many ask for twice as much."""
    by_length = {}
    for length in (16, 32, 64, 128):
        first_frames = length // 2 ** (stages - 1)
        windows = small(stages, first_frames=first_frames)
        whole = small(stages, first_frames=first_frames, window=length)
        by_length[length] = [anatomy.dissect(generator).activation_bytes for generator in (windows, whole)]
    in_windows, in_whole = zip(*by_length.values(), strict=True)
    assert len(set(in_windows)) == 1
    growth = [after / before for before, after in itertools.pairwise(in_whole)]
    assert growth == pytest.approx([2, 2, 2], rel=0.01)
    assert in_whole[-1] == pytest.approx(16 * in_windows[0], rel=0.05)


def test_a_long_video_is_drawn_in_one_go_and_holds_together() -> None:
    """Where a window ends, the next frame is as near as within; put together of windows, it is not."""
    generator = measured(first_frames=64)
    latents = generator.sample_latents(4, generator=seeded())
    before, whole = generator.stage_videos(latents)
    assert whole.shape == (4, 3, 128, 16, 16)
    told = generator.told(latents, 1)
    # Windows of six frames, whose ends fall on no beat that doubling the length of stage 1 might have.
    pieces = torch.cat([generator.stages[1](window, told) for window in before.split(3, dim=2)], dim=2)

    def jump(videos: Tensor) -> float:
        """The step from the last frame of a window to the next, against other steps from a new frame to an old one."""
        steps = (videos[:, :, 1:] - videos[:, :, :-1]).abs().mean((0, 1, 3, 4))[1::2]
        at_border = torch.arange(len(steps)) % 3 == 2
        return (steps[at_border].mean() / steps[~at_border].mean()).item()

    assert jump(whole) == pytest.approx(1, abs=0.1)
    assert jump(pieces) > 1.3 * jump(whole)


def test_its_anatomy_is_that_of_a_window_and_counts_every_parameter() -> None:
    generator = small(3, first_frames=16)
    table = anatomy.dissect(generator)
    assert table.parameters == count(generator)
    rows = {row.name: row for row in table.rows}
    assert not any(row.kind == "not run" for row in table.rows)
    assert sum(row.activation_bytes for name, row in rows.items() if not name.startswith("stages.2")) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stages": 0}, "stages must be a whole number"),
        ({"num_frames": 30}, "3 stages double .* 30 frames and 32 pixels must be multiples of 4"),
        ({"window": 7}, "window is 7, but every frame becomes two"),
        ({"window": 34}, "window must be a whole number, 2 to 32"),
        ({"upscaling_blocks": 0}, "upscaling_blocks must be"),
        ({"num_frames": 24}, "num_frames of stage 1 is 6, but must be 1 times a power of two"),
        ({"channels": (8,)}, "8 pixels take 1 groups, and so 2 channels"),
    ],
)
def test_an_impossible_generator_is_explained(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SSWGANGenerator(**{"image_size": 32, "num_frames": 32, "stages": 3, **SMALL, **options})


def test_latents_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"latents must be \(N, 10\)"):
        small()(torch.zeros(2, 6))
