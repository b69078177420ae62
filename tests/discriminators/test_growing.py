"""The discriminator that grows."""

import itertools

import pytest
import torch
from torch.nn.functional import avg_pool3d

from ldvd_lib.batch import Batch
from ldvd_lib.discriminators import GrowingDiscriminator
from ldvd_lib.objective import Objective, add
from ldvd_lib.recipe import Recipe

STAGES = ((2, 4), (4, 8), (4, 16))


def build(**options: object) -> GrowingDiscriminator:
    torch.manual_seed(0)
    plan = {"frames": (2, 4, 4), "stage_steps": 3, "fade_steps": 2}
    return GrowingDiscriminator(16, 4, base_channels=32, max_channels=8, **plan, **options).double()


def clips(size: tuple[int, int] = STAGES[-1], n: int = 4, seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.rand(n, 3, size[0], size[1], size[1], generator=random, dtype=torch.float64) * 2 - 1


def grow(network: GrowingDiscriminator, stage: int, share: float) -> GrowingDiscriminator:
    network.stage, network.share = stage, share
    return network


def test_the_published_networks_have_as_many_parameters_as_their_layers() -> None:
    """By the layers of `musikisomorphie/swd`, ``networks.py``, with a linear layer to the score, or its ``DualSWD``."""
    widths = [128, 128, 128, 64, 32, 16, 8]
    expected = sum(3 * width + width for width in widths)
    for before, after in itertools.pairwise(widths):
        expected += (after + before) * after * 27 + after + before
    expected += 129 * 128 * 27 + 128 + 128 * 64 * 128 + 128
    for head, last, total in (("score", 129, 3_707_785), ("sliced", 128 * 128 + 2 * 128, 3_724_296)):
        with torch.device("meta"):
            network = GrowingDiscriminator(frames=(4, 8, 8, 16, 16, 32, 32), head=head)
        assert sum(parameter.numel() for parameter in network.parameters()) == expected + last == total


@pytest.mark.parametrize("head", ["score", "sliced"])
@pytest.mark.parametrize("stage", range(3))
def test_whole_clips_are_made_as_small_as_the_stage(head: str, stage: int) -> None:
    network, whole = grow(build(head=head), stage, 1.0), clips()
    frames, pixels = STAGES[stage]
    small = avg_pool3d(whole, (4 // frames, 16 // pixels, 16 // pixels))
    assert network(small).shape == (4,)
    torch.testing.assert_close(network(whole), network(small))


@pytest.mark.parametrize("stage", [1, 2])
def test_growing_changes_nothing_until_a_share_is_given(stage: int) -> None:
    network, videos = build(), clips(STAGES[stage])
    coarse = avg_pool3d(videos, (STAGES[stage][0] // STAGES[stage - 1][0], 2, 2))
    assert torch.equal(grow(network, stage, 0.0)(videos), grow(network, stage - 1, 1.0)(coarse))


def test_a_fade_mixes_what_two_stages_make_of_a_clip() -> None:
    network, videos = build(), clips(STAGES[1])
    new = network.blocks["8"](network.from_rgb["8"](videos))
    old = network.from_rgb["4"](avg_pool3d(videos, 2))
    expected = network.head(network.blocks["4"](0.7 * old + 0.3 * new))
    torch.testing.assert_close(grow(network, 1, 0.3)(videos), expected)
    torch.testing.assert_close(grow(network, 1, 1.0)(videos), network.head(network.blocks["4"](new)))


def test_a_clip_of_neither_size_is_refused() -> None:
    network = grow(build(), 0, 1.0)
    with pytest.raises(ValueError, match=r"at stage 0 it takes clips .* of 2 frames of 4 pixels, or whole ones, of 4"):
        network(clips(STAGES[1]))
    with pytest.raises(ValueError, match="head 'none' is unknown"):
        build(head="none")


def test_clips_of_a_group_that_are_alike_are_found_out() -> None:
    """The same clip, among its own copies and among others, scores otherwise, if the network is told."""
    same, others = clips(n=1).expand(4, -1, -1, -1, -1), clips()
    assert not torch.allclose(build()(same)[0], build()(others)[0])
    torch.testing.assert_close(build(group=0)(same)[0], build(group=0)(others)[0])


def objective_terms(network: GrowingDiscriminator, recipe: Recipe) -> tuple[Objective, Batch, Batch]:
    return Objective({"video": network}, recipe), Batch(clips(STAGES[1])), Batch(clips(STAGES[1], seed=1))


@pytest.mark.parametrize("head", ["score", "sliced"])
def test_what_it_minimises_is_the_loss_written_by_hand(head: str) -> None:
    sliced = head == "sliced"
    network = grow(build(head=head, slope_penalty=7.0), 1, 0.4)
    target, drift = (0.0, 0.0) if sliced else (1.0, 0.01)
    recipe = Recipe(svc_every=0, gradient_penalty=10.0, gradient_target=target, drift=drift)
    objective, real, fake = objective_terms(network, recipe)
    values = objective.discriminator("video", real, fake, torch.Generator().manual_seed(5))

    random = torch.Generator().manual_seed(5)
    share = torch.rand(4, generator=random).double().view(4, 1, 1, 1, 1)
    between = (share * real.video + (1 - share) * fake.video).requires_grad_()
    (gradient,) = torch.autograd.grad(network(between).sum(), between)
    expected = {
        "real": -network(real.video).mean(),
        "fake": network(fake.video).mean(),
        "gradient_penalty": 10 * (gradient.flatten(1).norm(dim=1) - target).square().mean(),
    }
    if sliced:
        place = torch.rand(4, 1, generator=random).double()
        ends = network.features(real.video), network.features(fake.video)
        slopes = network.head.slopes(ends[0] + place * (ends[1] - ends[0]))
        expected["slopes"] = 7 * (slopes - 0.01).square().mean()
    else:
        expected["drift"] = 0.01 * network(real.video).square().mean()
    assert values.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(values[name], value, rtol=1e-6, atol=1e-9)
    assert add(values).requires_grad


def test_without_weight_there_is_no_slope_penalty() -> None:
    objective, real, fake = objective_terms(grow(build(head="sliced", slope_penalty=0.0), 1, 1.0), Recipe())
    assert objective.between("video", real, fake, torch.Generator()) == {}


def test_slopes_do_not_depend_on_features_but_through_jumps() -> None:
    """So the penalty teaches scales alone, and needs no gradient of the layers below."""
    network = grow(build(head="sliced"), 1, 1.0)
    penalty = network.penalty(Batch(clips(STAGES[1])), Batch(clips(STAGES[1], seed=1)), torch.Generator())["slopes"]
    gradients = torch.autograd.grad(penalty, list(network.parameters()), allow_unused=True)
    learnt = {name for (name, _), g in zip(network.named_parameters(), gradients, strict=True) if g is not None}
    assert learnt == {"head.scale"}
