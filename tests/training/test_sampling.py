"""Sampling and the statistics that it needs."""

import torch

from ldvd_lib.training.sampling import calibrate_, evaluation


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
