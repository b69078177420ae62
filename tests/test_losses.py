"""Losses."""

import pytest
import torch
from torch.nn import functional as F

from ldvd_lib import losses

REAL, FAKE = torch.tensor([1.5, -0.5, 0.2]), torch.tensor([0.3, -2.0, 1.0])


def test_wasserstein_is_the_difference_of_means() -> None:
    loss = losses.get("wasserstein")
    assert loss.discriminator(REAL, FAKE) == pytest.approx((FAKE.mean() - REAL.mean()).item())
    assert loss.generator(FAKE) == pytest.approx(-FAKE.mean().item())


def test_logistic_losses_equal_binary_cross_entropy() -> None:
    ones, zeros = torch.ones(3), torch.zeros(3)
    expected = F.binary_cross_entropy_with_logits(REAL, ones) + F.binary_cross_entropy_with_logits(FAKE, zeros)
    for name in ("non-saturating", "saturating"):
        torch.testing.assert_close(losses.get(name).discriminator(REAL, FAKE), expected)
    torch.testing.assert_close(
        losses.get("non-saturating").generator(FAKE), F.binary_cross_entropy_with_logits(FAKE, ones)
    )
    torch.testing.assert_close(
        losses.get("saturating").generator(FAKE), -F.binary_cross_entropy_with_logits(FAKE, zeros)
    )


def test_hinge_ignores_what_is_beyond_the_margin() -> None:
    loss = losses.get("hinge")
    assert loss.discriminator(torch.tensor([1.0, 7.0]), torch.tensor([-1.0, -9.0])) == 0
    assert loss.discriminator(torch.tensor([0.0]), torch.tensor([0.0])) == 2


@pytest.mark.parametrize("name", sorted(losses.LOSSES))
def test_zero_sum_means_the_generator_negates_the_fake_term(name: str) -> None:
    loss = losses.get(name)
    negated = torch.allclose(loss.generator(FAKE), -loss.fake(FAKE))
    assert negated == loss.zero_sum


@pytest.mark.parametrize("name", sorted(losses.LOSSES))
def test_players_pull_in_opposite_directions(name: str) -> None:
    loss = losses.get(name)
    scores = torch.zeros(4, requires_grad=True)
    (up,) = torch.autograd.grad(loss.generator(scores), scores)
    (down,) = torch.autograd.grad(loss.fake(scores), scores)
    assert (up < 0).all()
    assert (down > 0).all()


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ValueError, match="hinge"):
        losses.get("wgan")
