"""What a discriminator minimises, as a function of its weights alone.

Curvature is that of a function, and a training step is not one yet: its clips and latents are drawn anew each time,
batch normalisation remembers, noise is noise. Here all of that is held fast, and the network is left as it was.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ldvd_lib import losses
from ldvd_lib.blocks import noise_from
from ldvd_lib.discriminators import pick_frames, random_frames, sees_single_frames

if TYPE_CHECKING:
    from ldvd_lib.gan import VideoGAN


@contextlib.contextmanager
def undisturbed(module: nn.Module, *, training: bool, seed: int) -> Iterator[nn.Module]:
    """Run a module without leaving a trace: it works on copies of its buffers, and its noise has a stream of its own.

    Batch normalisation's running statistics, the vectors of spectral normalisation and the modes of all submodules are
    afterwards what they were; torch's global generators are not touched at all.

    Args:
        module: any module.
        training: its mode within the block.
        seed: of the instance noise within the block, so that it is the same each time.
    """
    children = list(module.modules())
    modes = [child.training for child in children]
    buffers = [dict(child._buffers) for child in children]
    device = next((parameter.device for parameter in module.parameters()), "cpu")
    with noise_from(torch.Generator(device).manual_seed(seed), module):
        try:
            module.train(training)
            # Copies, not a restoration: what the graph has saved must not be written to afterwards.
            for child in children:
                child._buffers.update({n: b.clone() for n, b in child._buffers.items() if b is not None})
            yield module
        finally:
            for child, mode, own in zip(children, modes, buffers, strict=True):
                child.training = mode
                child._buffers.update(own)


class DiscriminatorObjective:
    """V(G, D) on a fixed batch, as a function of the parameters of one discriminator.

    Calling it gives the scalar loss that the discriminator minimises, differentiable in `parameters`. Every call sees
    the same videos, the same noise, and buffers as they are outside.

    Args:
        discriminator: any discriminator of `ldvd_lib.discriminators`.
        loss: an objective of `ldvd_lib.losses`, or its name.
        real, fake: videos as the discriminator sees them, ``(N, C, T, H, W)`` in [-1, 1], on its device.
        labels: ``(N,)`` int64 classes of the real videos, for a discriminator with categories: their cross-entropy is
            part of the loss, as in training.
        training: batch normalisation with the statistics of the batch, as in training (real and fake separately);
            otherwise with its running statistics.
        seed: of the noise.

    Raises:
        ValueError: if the discriminator has categories and no `labels` are given, or has nothing to learn.

    Source: LDVD paper, section on Hessian analysis; MODELS §6.
    """

    def __init__(
        self,
        discriminator: nn.Module,
        loss: str | losses.Loss,
        real: Tensor,
        fake: Tensor,
        *,
        labels: Tensor | None = None,
        training: bool = True,
        seed: int = 0,
    ) -> None:
        if getattr(discriminator, "num_categories", 0) and labels is None:
            raise ValueError("the discriminator classifies its videos: give the labels of the real ones")
        self.discriminator, self.real, self.fake, self.labels = discriminator, real, fake.detach(), labels
        self.loss = losses.get(loss) if isinstance(loss, str) else loss
        self.training, self.seed = training, seed
        self.parameters = [parameter for parameter in discriminator.parameters() if parameter.requires_grad]
        if not self.parameters:
            raise ValueError("the discriminator has no parameter that requires a gradient")

    def __call__(self) -> Tensor:
        """The loss, a scalar."""
        with undisturbed(self.discriminator, training=self.training, seed=self.seed) as discriminator:
            fake_scores = discriminator(self.fake)
            if self.labels is None:
                return self.loss.discriminator(discriminator(self.real), fake_scores)
            real_scores, logits = discriminator.scores_and_categories(self.real)
            return self.loss.discriminator(real_scores, fake_scores) + cross_entropy(logits, self.labels)


def objective_of(
    gan: "VideoGAN",
    name: str,
    videos: Tensor,
    *,
    labels: Tensor | None = None,
    training: bool = True,
    seed: int = 0,
) -> DiscriminatorObjective:
    """The objective of one of a GAN's discriminators, on given real videos and as many generated ones.

    The generator paints in training mode, as it does when the discriminator is trained, and is left as it was. A
    discriminator of single frames gets one frame of each video.

    Args:
        gan: the networks, and the recipe that names the loss.
        name: which discriminator.
        videos: real ones, ``(N, C, T, H, W)`` in [-1, 1], on the networks' device.
        labels: their classes, ``(N,)`` int64; needed by a discriminator with categories.
        training: the discriminator's mode; see `DiscriminatorObjective`.
        seed: of latents, of the choice of frames, and of noise.

    Raises:
        ValueError: for a name that the GAN does not have, or videos of another shape than its own.
    """
    if name not in gan.discriminators:
        raise ValueError(f"there is no discriminator {name!r}: this GAN has {sorted(gan.discriminators)}")
    expected = (3, gan.num_frames, gan.image_size, gan.image_size)
    if videos.ndim != 5 or tuple(videos.shape[1:]) != expected:
        raise ValueError(f"videos must be (N, {', '.join(map(str, expected))}) for this GAN, got {tuple(videos.shape)}")
    generator, discriminator = gan.generator, gan.discriminators[name]
    random = torch.Generator().manual_seed(seed)  # on the CPU: the same on every device
    latents = generator.sample_latents(len(videos), generator=random).to(videos.device)
    with torch.no_grad(), undisturbed(generator, training=True, seed=seed):
        if sees_single_frames(discriminator):
            real_frames, fake_frames = (random_frames(len(videos), gan.num_frames, random) for _ in range(2))
            real, fake = pick_frames(videos, real_frames), generator(latents, fake_frames.to(videos.device))
        else:
            real, fake = videos, generator(latents)
    labels = labels if discriminator.num_categories else None
    return DiscriminatorObjective(
        discriminator, gan.recipe.loss, real, fake, labels=labels, training=training, seed=seed
    )
