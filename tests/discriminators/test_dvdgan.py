"""DVD-GAN's two discriminators: what each sees, and what classes do."""

import itertools

import pytest
import tiny
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ldvd_lib import anatomy
from ldvd_lib.batch import Batch
from ldvd_lib.discriminators import DVDGANDiscriminator
from ldvd_lib.hessian import HessianOperator, objective_of
from ldvd_lib.objective import Objective, add
from ldvd_lib.recipe import Recipe
from ldvd_lib.views import Frames, Whole, view_of

SIZE, FRAMES, CLASSES = 16, 8, 3


def spatial(num_frames: int = FRAMES, **options: object) -> DVDGANDiscriminator:
    torch.manual_seed(0)
    return DVDGANDiscriminator(SIZE, num_frames, **{"channels": (8, 16, 16), "num_categories": CLASSES} | options)


def temporal(**options: object) -> DVDGANDiscriminator:
    return spatial(**{"pooling": 2, "temporal_blocks": 2} | options)


def clips(n: int = 4, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, FRAMES, SIZE, SIZE, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def labels(n: int = 4) -> Tensor:
    return torch.arange(n) % CLASSES


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def parameters(channels: tuple[int, ...], *, temporal_blocks: int, classes: int) -> int:
    """Of the layers of MODELS §8, written out: two convolutions and a shortcut a block, all with biases."""
    total = 0
    for number, (before, after) in enumerate(itertools.pairwise((3, *channels))):
        kernel = 27 if number < temporal_blocks else 9
        total += (kernel * before + 1) * after + (kernel * after + 1) * after
        last = number == len(channels) - 1
        total += 0 if last and before == after else (before + 1) * after  # the last block does not halve
    return total + channels[-1] + 1 + classes * channels[-1]


@pytest.mark.parametrize(
    ("channels", "temporal_blocks", "classes", "expected"),
    [
        ((128, 256, 512, 1024, 1024), 0, 101, 38_405_505),
        ((128, 256, 512, 1024, 1024), 2, 101, 40_476_801),
        ((16, 32, 64, 64), 0, 12, 149_489),
        ((16, 32, 64, 64), 2, 12, 182_609),
    ],
)
def test_parameters_are_those_of_the_layers_written_out(channels, temporal_blocks, classes, expected) -> None:
    with torch.device("meta"):
        built = DVDGANDiscriminator(
            64, channels=channels, temporal_blocks=temporal_blocks, num_categories=classes, pooling=2
        )
    assert count(built) == parameters(channels, temporal_blocks=temporal_blocks, classes=classes) == expected


def test_a_score_equals_its_layers_written_out() -> None:
    network, videos, classes = temporal().double().eval(), clips().double(), labels()
    x = F.avg_pool3d(videos, (1, 2, 2))
    first, second, last = network.blocks
    x = F.avg_pool3d(first.out(F.relu(first.into(x))), 2) + first.shortcut(F.avg_pool3d(x, 2))
    x = F.avg_pool3d(second.out(F.relu(second.into(F.relu(x)))) + second.shortcut(x), 2)
    x = last.out(F.relu(last.into(F.relu(x)))) + x
    assert x.shape == (4, 16, 2, 2, 2)
    expected = torch.zeros(4, dtype=torch.float64)
    for t in range(2):
        h = F.relu(x[:, :, t]).sum((2, 3))
        expected += h @ network.head.weight[0] + network.head.bias + (h * network.embed.weight[classes]).sum(1)
    torch.testing.assert_close(network(videos, classes), expected, rtol=0, atol=1e-10)


def test_the_spatial_one_sees_a_few_frames_and_the_temporal_one_all() -> None:
    assert view_of(spatial(num_frames=3), FRAMES) == Frames(3)
    assert view_of(temporal(), FRAMES) == Whole()


def test_the_spatial_score_is_the_sum_of_what_each_frame_scores_alone() -> None:
    network, videos = spatial().eval(), clips()
    frames = network.frame_scores(videos, labels())
    assert frames.shape == (4, FRAMES)
    for t in range(FRAMES):
        torch.testing.assert_close(frames[:, t], network(videos[:, :, t : t + 1], labels()), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(network(videos, labels()), frames.sum(1))


def test_shuffled_frames_are_all_the_same_to_the_spatial_one_and_not_to_the_temporal_one() -> None:
    order = torch.randperm(FRAMES, generator=torch.Generator().manual_seed(3))
    videos = clips()
    for make, minds in ((spatial, False), (temporal, True)):
        network = make().double().eval()
        before, after = (network(clip.double(), labels()) for clip in (videos, videos[:, :, order]))
        assert torch.isclose(before, after, rtol=0, atol=1e-10).all() == (not minds)
        assert not minds or ((before - after).abs() > 1e-3 * before.abs()).all()


def test_what_the_spatial_one_tells_a_generator_says_nothing_of_the_order() -> None:
    """Of shuffled frames the gradients are those of the frames, shuffled along; the temporal one's are others."""

    def told(judge: DVDGANDiscriminator, videos: Tensor) -> Tensor:
        videos = videos.clone().requires_grad_()
        (gradients,) = torch.autograd.grad(judge(videos, labels()).sum(), videos)
        return gradients

    order = torch.tensor([3, 0, 6, 1, 7, 2, 5, 4])
    for judge, same in ((spatial().eval(), True), (temporal().eval(), False)):
        along, shuffled = told(judge, clips())[:, :, order], told(judge, clips()[:, :, order])
        assert torch.allclose(along, shuffled, rtol=1e-4, atol=1e-6) is same


def test_the_temporal_one_does_not_see_what_pooling_removes() -> None:
    """Exactly: pixels in which sums have no rounding, and a chessboard whose means over 2×2 pixels are zero."""
    videos = (clips() * 32).round() / 64
    rows = torch.arange(SIZE)
    chessboard = ((rows[:, None] + rows) % 2 * 2 - 1) / 4
    for make, sees in ((temporal, False), (spatial, True)):
        network = make().eval()
        before, after = network(videos, labels()), network(videos + chessboard, labels())
        assert torch.equal(before, after) == (not sees)


def test_a_class_adds_its_own_direction() -> None:
    network, videos = spatial().double().eval(), clips().double()
    features = network.features(videos).sum(1)
    scores = torch.stack([network(videos, torch.full((4,), label)) for label in range(CLASSES)], dim=1)
    direction = network.embed.weight[1] - network.embed.weight[0]
    torch.testing.assert_close(scores[:, 1] - scores[:, 0], features @ direction)
    alone = spatial(num_categories=0)
    assert torch.equal(alone(videos.float(), None), alone.eval()(videos.float(), labels()))


def test_clips_without_labels_are_refused_where_labels_are_read() -> None:
    batch = Batch(clips(), labels())
    assert spatial().score(batch)[1] is None
    with pytest.raises(ValueError, match="these have no labels: give the labels of real clips"):
        spatial().score(batch._replace(labels=None))
    assert spatial(num_categories=0).score(batch._replace(labels=None))[0].shape == (4,)
    assert spatial().num_categories == 0, "it tells no classes apart"


@pytest.mark.parametrize("make", [spatial, temporal])
def test_what_it_minimises_equals_the_loss_by_hand(make) -> None:
    network, real, fake = make().eval(), Batch(clips(), labels()), Batch(clips(seed=1), labels().flip(0))
    objective = Objective({"judge": network}, Recipe(loss="hinge"))
    found = objective.discriminator("judge", real, fake, torch.Generator())
    on_real, on_fake = network(real.video, real.labels), network(fake.video, fake.labels)
    torch.testing.assert_close(add(found), (1 - on_real).clamp(min=0).mean() + (1 + on_fake).clamp(min=0).mean())
    torch.testing.assert_close(objective.generator("judge", fake).total, -on_fake.mean())


def bands(classes: Tensor, random: torch.Generator) -> Tensor:
    """Clips that are noise; of class 0 the upper half is bright, of class 1 the lower, of class 2 all is dark."""
    videos = torch.randn(len(classes), 3, FRAMES, SIZE, SIZE, generator=random) * 0.2 - 0.5
    videos[classes == 0, :, :, : SIZE // 2] += 1
    videos[classes == 1, :, :, SIZE // 2 :] += 1
    return videos.clamp(-1, 1)


@pytest.mark.parametrize("make", [spatial, temporal])
def test_after_some_training_a_wrong_label_lowers_the_score(make) -> None:
    """Held against fakes that look as real ones do and do not care for their class."""
    network, random = make(), torch.Generator().manual_seed(0)
    objective = Objective({"judge": network}, Recipe(loss="hinge"))
    adam = torch.optim.Adam(network.parameters(), 2e-3, betas=(0.0, 0.99))
    for _ in range(40):
        drawn, painted, asked = torch.randint(CLASSES, (3, 12), generator=random)
        real, fake = Batch(bands(drawn, random), drawn), Batch(bands(painted, random), asked)
        adam.zero_grad()
        add(objective.discriminator("judge", real, fake, random)).backward()
        adam.step()
    classes = labels(60)
    videos = bands(classes, random)
    with torch.no_grad():
        right, wrong = network.eval()(videos, classes), network(videos, (classes + 1) % CLASSES)
    assert (right > wrong).float().mean() > 0.9
    assert right.mean() > wrong.mean() + 0.5


@pytest.mark.parametrize("name", ["spatial", "temporal"])
@pytest.mark.parametrize("training", [True, False])
def test_its_hessian_is_symmetric_and_where_nothing_is_remembered_the_derivative_of_the_gradient(
    name: str, training: bool
) -> None:
    """Power iteration, which moves when weights do, is no part of either derivative: in evaluation it rests."""
    gan = tiny.dvdgan().build(seed=1).double().train()
    videos = torch.rand(4, 3, tiny.FRAMES, tiny.SIZE, tiny.SIZE, dtype=torch.float64) * 2 - 1
    loss = objective_of(gan, name, videos, labels=torch.arange(4) % 2, training=training)
    operator = HessianOperator(loss, loss.parameters)
    random = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, operator.shape[0], generator=random, dtype=torch.float64)
    product = operator @ one
    torch.testing.assert_close(product @ other, (operator @ other) @ one)
    assert product.norm() > 0
    if training:
        return
    slope = tiny.slope_along(loss, one, width=1e-6 / one.norm().item())
    torch.testing.assert_close(slope, product, rtol=1e-3, atol=1e-5)


def test_its_anatomy() -> None:
    """What blocks see; every parameter once; the temporal one has a quarter of the pixels to look at."""
    tables = {name: anatomy.dissect(make()) for name, make in (("spatial", spatial), ("temporal", temporal))}
    for name, make in (("spatial", spatial), ("temporal", temporal)):
        assert tables[name].parameters == count(make())
        assert not any(row.kind == "not run" for row in tables[name].rows)
    blocks = {name: [row for row in table.rows if row.kind == "DownBlock"] for name, table in tables.items()}
    assert [row.frames for row in blocks["spatial"]] == [1, 1, 1]
    assert [row.frames for row in blocks["temporal"]] == [6, 16, 16]
    assert [row.shape for row in blocks["temporal"]] == [(8, 4, 4, 4), (16, 2, 2, 2), (16, 2, 2, 2)]
    assert blocks["temporal"][0].multiply_adds < blocks["spatial"][0].multiply_adds


def test_attention_is_within_a_frame() -> None:
    network, videos = spatial(attention=4).eval(), clips()
    with torch.no_grad():
        network.attention.share.fill_(1.0)
    frames = network.frame_scores(videos, labels())
    torch.testing.assert_close(frames[:, 2], network(videos[:, :, 2:3], labels()), atol=1e-4, rtol=1e-4)
    assert not torch.isclose(frames, spatial().eval().frame_scores(videos, labels()), rtol=1e-3).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": (8,)}, "the number of channels must be a whole number"),
        ({"channels": (8, 8, 8, 8, 8), "pooling": 2}, "image_size is 16, but 4 of 5 blocks halve .* a multiple of 32"),
        ({"temporal_blocks": 4}, "temporal_blocks must be a whole number"),
        ({"attention": 16}, r"attention is 16, but blocks end at \[8, 4, 4\] pixels"),
    ],
)
def test_an_impossible_discriminator_is_explained(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spatial(**options)


def test_videos_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="DVDGANDiscriminator was given a tensor of shape"):
        spatial()(torch.zeros(2, 3, FRAMES, 8, 8), labels(2))
