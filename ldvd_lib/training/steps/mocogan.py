"""MoCoGAN's step: every discriminator in turn on fresh fakes, then the generator against all of them on fresh fakes.

Source: Tulyakov et al. 2018, section 3.3; MODELS §4.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ldvd_lib.discriminators import pick_frames, random_frames, sees_single_frames

if TYPE_CHECKING:
    from ldvd_lib.training.loop import Trainer


def step(trainer: "Trainer") -> dict[str, Tensor]:
    """Update each discriminator once, then the generator once."""
    values = {}
    for name, discriminator in trainer.gan.discriminators.items():
        values |= {f"{name}_{key}": value for key, value in _discriminator_step(trainer, name, discriminator).items()}
    values["generator_loss"] = _generator_step(trainer)
    return values


def _discriminator_step(trainer: "Trainer", name: str, discriminator: nn.Module) -> dict[str, Tensor]:
    real, labels = trainer.real_videos(with_labels=True)
    if sees_single_frames(discriminator):
        real = pick_frames(real, random_frames(len(real), real.shape[2], trainer.random))
    trainer.optimizers[name].zero_grad(set_to_none=True)
    with trainer.autocast():
        with torch.no_grad():
            fake, _ = _fakes(trainer, discriminator)
        fake_scores = discriminator(fake).float()
        real_scores, real_logits = _scores(discriminator, real)
        real_scores = real_scores.float()
        loss = trainer.loss.discriminator(real_scores, fake_scores)
        if discriminator.num_categories:
            loss = loss + cross_entropy(real_logits.float(), labels)
    loss.backward()
    trainer.optimizers[name].step()
    return {
        "loss": loss.detach(),
        "real_score": real_scores.detach().mean(),
        "fake_score": fake_scores.detach().mean(),
    }


def _generator_step(trainer: "Trainer") -> Tensor:
    trainer.optimizers["generator"].zero_grad(set_to_none=True)
    total = torch.zeros((), device=trainer.device)
    with trainer.autocast():
        for discriminator in trainer.gan.discriminators.values():
            fake, category = _fakes(trainer, discriminator)
            scores, logits = _scores(discriminator, fake)
            total = total + trainer.loss.generator(scores.float())
            if discriminator.num_categories:
                total = total + cross_entropy(logits.float(), category)
    # Only the generator's gradients: those of the discriminators' weights would be computed for nothing.
    total.backward(inputs=[p for p in trainer.gan.generator.parameters() if p.requires_grad])
    trainer.optimizers["generator"].step()
    return total.detach()


def _scores(discriminator: nn.Module, videos: Tensor) -> tuple[Tensor, Tensor | None]:
    """Scores, and logits of categories where there are any; called as a module if it can be, for that is compiled."""
    return (
        discriminator.scores_and_categories(videos) if discriminator.num_categories else (discriminator(videos), None)
    )


def _fakes(trainer: "Trainer", discriminator: nn.Module) -> tuple[Tensor, Tensor | None]:
    """Fresh fakes as a discriminator sees them, and the categories that they were asked to be of."""
    generator = trainer.gan.generator
    latents = trainer.latents(trainer.recipe.batch_size)
    part = generator.latent_parts.get("category")
    category = None if part is None else latents[:, part].argmax(1)
    if sees_single_frames(discriminator):
        # Only the frames that are looked at are painted.
        return generator(latents, random_frames(len(latents), generator.num_frames, trainer.random)), category
    return generator(latents), category
