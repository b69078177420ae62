"""TGAN's step: one batch of fakes serves both players, then the critic's singular values are clipped.

Source: MODELS §4 "one forward; G step and D step from the same fake batch".
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ldvd_lib.training.loop import Trainer


def step(trainer: "Trainer") -> dict[str, Tensor]:
    """Update discriminator and generator once, both from the discriminator as it was before the step.

    In a zero-sum game the generator's gradient with respect to its videos is the negative of the discriminator's, so
    one backward pass through the discriminator serves both.
    """
    generator, discriminator = trainer.gan.generator, trainer.gan.discriminators["video"]
    loss = trainer.loss
    real = trainer.real_videos()

    for optimizer in trainer.optimizers.values():
        optimizer.zero_grad(set_to_none=True)
    with trainer.autocast():
        fake = generator(trainer.latents(len(real)))
        # The discriminator sees a leaf: its backward pass stops there, at the videos.
        video = fake.detach().requires_grad_()
        fake_scores = discriminator(video).float()
        fake_loss = loss.fake(fake_scores)
    if loss.zero_sum:
        generator_loss = -fake_loss.detach()
        fake_loss.backward()
        video_gradient = -video.grad
    else:
        generator_loss = loss.generator(fake_scores)
        (video_gradient,) = torch.autograd.grad(generator_loss, video, retain_graph=True)
        fake_loss.backward()
    with trainer.autocast():
        real_scores = discriminator(real).float()
        real_loss = loss.real(real_scores)
    real_loss.backward()
    trainer.optimizers["video"].step()

    fake.backward(video_gradient)
    trainer.optimizers["generator"].step()
    return {
        "generator_loss": generator_loss.detach(),
        "discriminator_loss": (real_loss + fake_loss).detach(),
        "real_score": real_scores.detach().mean(),
        "fake_score": fake_scores.detach().mean(),
    }
