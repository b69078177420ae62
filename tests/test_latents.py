"""Properties of walks, of truncated latents, and of parts that latents share."""

import pytest
import torch

from ldvd_lib.generators import MoCoGANGenerator, TGANGenerator
from ldvd_lib.latents import share_part, spherical_walk, straight_walk, truncate, walk_between, with_category

PARTS = {"content": slice(0, 40), "motion": slice(40, 100)}


@pytest.fixture
def normal() -> torch.Tensor:
    return torch.randn(16, 100, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def uniform() -> torch.Tensor:
    return torch.rand(16, 100, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("walk", [straight_walk, spherical_walk])
@pytest.mark.parametrize("num_steps", [2, 5])
def test_a_walk_begins_and_ends_exactly_where_it_should(walk, num_steps, normal):
    steps = walk(normal[0], normal[1], num_steps)
    assert steps.shape == (num_steps, 100)
    assert torch.equal(steps[0], normal[0]) and torch.equal(steps[-1], normal[1])


@pytest.mark.parametrize("walk", [straight_walk, spherical_walk])
def test_a_walk_from_a_latent_to_itself_stays_there(walk, normal):
    assert torch.allclose(walk(normal[0], normal[0], 4), normal[0].expand(4, -1))
    assert torch.equal(walk(torch.zeros(3), torch.zeros(3), 4), torch.zeros(4, 3))


def test_steps_of_a_straight_walk_are_equal_and_those_of_a_spherical_one_have_equal_angles(normal):
    steps = straight_walk(normal[0], normal[1], 6).diff(dim=0)
    assert torch.allclose(steps, steps[0].expand_as(steps), atol=1e-5)
    on_the_sphere = torch.nn.functional.normalize(normal, dim=1)
    points = spherical_walk(on_the_sphere[0], on_the_sphere[1], 6)
    cosines = (points[1:] * points[:-1]).sum(dim=1)
    assert torch.allclose(points.norm(dim=1), torch.ones(6))
    assert torch.allclose(cosines, cosines[0].expand_as(cosines), atol=1e-5)


def test_half_way_the_sphere_keeps_the_length_that_a_line_loses(normal):
    usual = normal.norm(dim=1).mean()
    assert spherical_walk(normal[0], normal[1], 3)[1].norm() > 0.9 * usual
    assert straight_walk(normal[0], normal[1], 3)[1].norm() < 0.8 * usual


def test_opposite_latents_are_joined_by_a_line(normal):
    assert torch.allclose(spherical_walk(normal[0], -normal[0], 3)[1], torch.zeros(100), atol=1e-6)


def test_how_latents_were_drawn_decides_the_way(normal, uniform):
    assert torch.equal(walk_between(normal, 2, 5, 4), spherical_walk(normal[2], normal[5], 4))
    walk = walk_between(uniform, 2, 5, 4)
    assert torch.equal(walk, straight_walk(uniform[2], uniform[5], 4))
    assert walk.abs().max() <= 1, "it does not leave the cube"


def test_parts_are_walked_separately_and_a_shared_one_stays(normal):
    shared = share_part(normal, PARTS["content"], 3)
    walk = walk_between(shared, 0, 1, 5, parts=PARTS)
    assert torch.allclose(walk[:, :40], normal[3, :40].expand(5, -1))
    assert torch.equal(walk[:, 40:], spherical_walk(normal[0, 40:], normal[1, 40:], 5))


def test_a_walk_between_categories_mixes_them_evenly():
    generator = MoCoGANGenerator(8, 2, num_categories=3, image_channels=4)
    latents = generator.sample_latents(30, generator=torch.Generator().manual_seed(0))
    category = generator.latent_parts["category"]
    other = next(i for i in range(30) if not torch.equal(latents[i, category], latents[0, category]))
    walk = walk_between(latents, 0, other, 3, parts=generator.latent_parts)
    assert sorted(walk[1, category].tolist()) == [0, 0.5, 0.5]


def test_a_walk_takes_two_steps_or_more(normal):
    with pytest.raises(ValueError, match="num_steps must be a whole number, 2 or more, got 1"):
        straight_walk(normal[0], normal[1], 1)


def test_truncated_latents_are_spread_as_psi_says(uniform, normal):
    assert torch.equal(truncate(normal, 1), normal)
    assert torch.equal(truncate(normal, 0), torch.zeros_like(normal))
    assert truncate(uniform, 0.3).abs().max() <= 0.3
    assert truncate(normal, 0.3).std().item() == pytest.approx(0.3 * normal.std().item(), rel=1e-5)


def test_truncation_leaves_a_one_hot_category_alone():
    generator = MoCoGANGenerator(8, 2, num_categories=3, image_channels=4)
    latents = generator.sample_latents(4)
    truncated = truncate(latents, 0, parts=generator.latent_parts)
    category = generator.latent_parts["category"]
    assert torch.equal(truncated[:, category], latents[:, category])
    assert truncated.abs().sum() == 4, "all else is 0"


@pytest.mark.parametrize("psi", [-0.1, 1.5, float("nan")])
def test_psi_is_from_0_to_1(psi, normal):
    with pytest.raises(ValueError, match=r"psi must be from 0 .* to 1"):
        truncate(normal, psi)


def test_a_shared_part_is_the_same_everywhere_and_the_rest_as_it_was(normal):
    before = normal.clone()
    shared = share_part(normal, PARTS["motion"], 7)
    assert torch.equal(shared[:, 40:], normal[7, 40:].expand(16, -1))
    assert torch.equal(shared[:, :40], normal[:, :40])
    assert torch.equal(shared[7], normal[7])
    assert torch.equal(normal, before), "what was given is left alone"


def test_what_the_generators_draw_is_told_apart():
    random = torch.Generator().manual_seed(0)
    uniform = TGANGenerator(8, 2, temporal_channels=(4,), image_channels=4).sample_latents(2, generator=random)
    assert torch.equal(walk_between(uniform, 0, 1, 3), straight_walk(uniform[0], uniform[1], 3))
    normal = MoCoGANGenerator(8, 2, image_channels=4).sample_latents(2, generator=random)
    assert torch.equal(walk_between(normal, 0, 1, 3), spherical_walk(normal[0], normal[1], 3))


def test_a_class_is_asked_for_and_the_rest_stays_as_it_was(normal):
    before, part = normal.clone(), slice(90, 94)
    asked = with_category(normal, part, 2)
    assert torch.equal(asked[:, part], torch.tensor([0.0, 0, 1, 0]).expand(16, -1))
    each = torch.arange(16) % 4
    asked = with_category(normal, part, each)
    assert torch.equal(asked[:, part].argmax(1), each) and torch.equal(asked[:, part].sum(1), torch.ones(16))
    for rest in (slice(0, 90), slice(94, 100)):
        assert torch.equal(asked[:, rest], before[:, rest])
    assert torch.equal(normal, before), "the latents that were given stay"


@pytest.mark.parametrize("category", [-1, 4, torch.tensor([0, 1, 2, 4])])
def test_a_class_that_there_is_not_is_refused(category, normal):
    with pytest.raises(ValueError, match="category must be from 0 to 3, one of 4 classes, got"):
        with_category(normal[:4], slice(90, 94), category)
