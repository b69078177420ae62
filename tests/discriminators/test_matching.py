"""SSW-GAN's matching discriminator."""

import pytest
import torch
from torch import Tensor

from ldvd_lib import anatomy
from ldvd_lib.batch import Batch
from ldvd_lib.blocks import coarse
from ldvd_lib.discriminators import DVDGANDiscriminator, MatchingDiscriminator
from ldvd_lib.views import Pair, view_of


def matching(**options: object) -> MatchingDiscriminator:
    torch.manual_seed(0)
    return MatchingDiscriminator(16, 4, (8, 16), **options).double().eval()


def clips(seed: int = 0) -> Tensor:
    return torch.rand(3, 3, 4, 16, 16, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


def test_it_scores_what_its_critic_does_of_both_joined_along_channels() -> None:
    network, videos, context = matching(), clips(), coarse(clips(1))
    assert isinstance(network.critic, DVDGANDiscriminator)
    expected = network.critic(torch.cat([context, coarse(videos)], dim=1))
    scores, logits = network.score(Batch(videos, torch.zeros(3, dtype=torch.int64), context))
    assert torch.equal(scores, expected)
    assert scores.shape == (3,)
    assert logits is None


def test_it_sees_pairs_and_of_a_window_only_its_coarse_form() -> None:
    network, videos, context = matching(), clips(), coarse(clips(1))
    assert view_of(network, 16) == Pair()
    changed = videos.clone()
    changed[:, :, 1::2] = -1  # frames that a coarse video does not have
    assert torch.equal(network(videos, context), network(changed, context))
    changed = videos.clone()
    changed[:, :, 2] += 0.1
    assert not torch.isclose(network(videos, context), network(changed, context)).any()
    assert not torch.isclose(network(videos, context), network(videos, context + 0.1)).any()


def test_frames_are_judged_one_by_one_and_added_up() -> None:
    network, videos, context = matching(), clips(), coarse(clips(1))
    apart = network(videos[:, :, :2], context[:, :, :1]) + network(videos[:, :, 2:], context[:, :, 1:])
    torch.testing.assert_close(network(videos, context), apart)


def test_it_learns_to_tell_pairs_that_belong_together() -> None:
    network = matching().train()
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for step in range(60):
        videos, others = clips(2 * step), clips(2 * step + 1)
        margin = network(videos, coarse(others)) - network(videos, coarse(videos))
        optimizer.zero_grad()
        margin.mean().backward()
        optimizer.step()
    network.eval()
    videos, others = clips(1000), clips(1001)
    assert (network(videos, coarse(videos)) > network(videos, coarse(others))).all()


def test_its_anatomy_counts_every_parameter_once() -> None:
    network = matching().float()
    table = anatomy.dissect(network)
    assert table.parameters == sum(parameter.numel() for parameter in network.parameters())
    assert table.input_shape == (3, 4, 16, 16)
    assert {row.name.split(".")[0] for row in table.rows} == {"critic"}


def test_what_is_missing_or_does_not_fit_is_said() -> None:
    network, videos = matching(), clips()
    with pytest.raises(ValueError, match="these have no context"):
        network.score(Batch(videos))
    with pytest.raises(ValueError, match=r"belong to a context of \(3, 3, 2, 8, 8\), got \(3, 3, 4, 8, 8\)"):
        network(videos, torch.zeros(3, 3, 4, 8, 8))
    with pytest.raises(ValueError, match="use a multiple of"):
        MatchingDiscriminator(12, 4, (8, 16, 16))
