"""Sampling and the statistics that it needs."""

import pytest
import tiny
import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from ldvd_lib.generators import DVDGANGenerator
from ldvd_lib.training.sampling import calibrate_, evaluation, latents_of_each_class


def test_evaluation_restores_every_mode(tiny_config) -> None:
    generator = tiny_config.build().generator.train()
    generator.image.slow.eval()
    with evaluation(generator):
        assert not any(module.training for module in generator.modules())
        assert not torch.is_grad_enabled()
    assert generator.training
    assert not generator.image.slow.training
    assert torch.is_grad_enabled()


def test_calibrated_statistics_are_those_of_the_videos(tiny_config) -> None:
    generator = tiny_config.build().generator
    calibrate_(generator, videos=64, batch_size=64, seed=3)
    latents = generator.sample_latents(64, generator=torch.Generator().manual_seed(3))
    outputs = generator.image.slow[0](latents)
    norm = generator.image.slow[1]
    torch.testing.assert_close(norm.running_mean, outputs.mean(0))
    torch.testing.assert_close(norm.running_var, outputs.var(0))
    assert norm.momentum == 0.1


def test_calibration_is_torchs_own_where_nothing_is_frozen(tiny_config) -> None:
    ours, theirs = tiny_config.build().generator, tiny_config.build().generator
    calibrate_(ours, videos=24, batch_size=8, seed=3)
    random = torch.Generator().manual_seed(3)
    with torch.no_grad():
        update_bn([theirs.sample_latents(8, generator=random) for _ in range(3)], theirs)
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name


def test_without_batch_normalisation_nothing_is_painted(monkeypatch) -> None:
    generator = tiny.provgan().build().generator.train()
    monkeypatch.setattr(generator, "forward", None)
    assert calibrate_(generator) is generator
    assert generator.training


class Frozen(nn.Sequential):
    """A finished stage: in evaluation mode whatever mode the rest is in."""

    def train(self, mode: bool = True) -> "Frozen":
        return super().train(False)


@pytest.mark.parametrize("how", ["nothing is learnt", "evaluation"])
def test_what_is_frozen_stays_as_it_is(tiny_config, how: str) -> None:
    generator = tiny_config.build().generator.train()
    norm = generator.image.slow[1]
    norm.running_var.fill_(7.0)
    if how == "evaluation":
        generator.image.slow = Frozen(*generator.image.slow)
        generator.train()
    else:
        generator.image.slow.requires_grad_(False)
    calibrate_(generator)
    assert (norm.running_var == 7).all()
    assert norm.num_batches_tracked == 0
    assert generator.image.fast[1].num_batches_tracked > 0


@pytest.mark.parametrize("training", [True, False])
def test_a_video_left_over_is_no_batch_of_its_own_and_modes_come_back(tiny_config, training: bool) -> None:
    """33 videos, 32 at once: batch normalisation cannot do with the one that would be left."""
    generator = tiny_config.build().generator.train(training)
    generator.image.fast.train(not training)
    modes = [module.training for module in generator.modules()]
    calibrate_(generator, videos=33, batch_size=32)
    assert [module.training for module in generator.modules()] == modes
    assert generator.image.slow[1].num_batches_tracked == 2


def test_after_an_error_everything_is_as_before(tiny_config, monkeypatch) -> None:
    generator = tiny_config.build().generator.eval()
    calibrate_(generator, seed=1)
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    calls = []

    def fails(self, slow: torch.Tensor, fast: torch.Tensor) -> torch.Tensor:
        calls.append(self.slow(slow))  # statistics have changed by now
        raise ArithmeticError

    monkeypatch.setattr(type(generator.image), "forward", fails)
    with pytest.raises(ArithmeticError):
        calibrate_(generator)
    assert calls
    assert not any(module.training for module in generator.modules())
    assert all(torch.equal(value, before[name]) for name, value in generator.state_dict().items())
    assert generator.image.slow[1].momentum == 0.1


@pytest.mark.parametrize(("videos", "batch_size"), [(1, 32), (0, 32), (8, 1)])
def test_a_single_video_has_no_statistics(tiny_config, videos: int, batch_size: int) -> None:
    with pytest.raises(ValueError, match="must be a whole number, 2 or more"):
        calibrate_(tiny_config.build().generator, videos=videos, batch_size=batch_size)


def test_each_class_has_its_latent_and_the_rest_is_as_drawn() -> None:
    generator = DVDGANGenerator(8, 4, num_categories=3, channels=(4, 4), blocks=1)
    latents = latents_of_each_class(generator, seed=2)
    parts = generator.latent_parts
    assert torch.equal(latents[:, parts["category"]], torch.eye(3))
    drawn = generator.sample_latents(3, generator=torch.Generator().manual_seed(2))
    assert torch.equal(latents[:, parts["noise"]], drawn[:, parts["noise"]])
    with pytest.raises(ValueError, match="DVDGANGenerator is told no classes"):
        latents_of_each_class(DVDGANGenerator(8, 4, channels=(4, 4), blocks=1))
