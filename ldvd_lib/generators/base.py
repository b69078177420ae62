"""What every generator of videos is and can do."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ldvd_lib.batch import Batch, Fakes
from ldvd_lib.views import View


class VideoGenerator(nn.Module):
    """Latents → videos; for training, latents → what each discriminator sees.

    A subclass sets the attributes, and defines `sample_latents` and `forward`. The rest has defaults, which suit a
    generator that paints whole videos; a subclass that can do better, or does otherwise, overrides them.

    Attributes:
        image_size: height and width of its videos in pixels.
        num_frames: their length.
        latent_dim: dimensions of a latent vector.
    """

    image_size: int
    num_frames: int
    latent_dim: int

    @property
    def latent_parts(self) -> dict[str, slice]:
        """What the parts of a latent vector mean, by name; ``"category"``, if there is one, is a one-hot class."""
        return {"latent": slice(0, self.latent_dim)}

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw `n` latents, ``(n, latent_dim)``, on the device of the weights.

        A generator of another device draws there and the result is moved, so that a CPU seed means the same latents on
        every machine.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how its latents are distributed")

    def forward(self, latents: Tensor) -> Tensor:
        """Latents ``(N, latent_dim)`` → videos ``(N, 3, T, H, W)`` in [-1, 1]."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it paints")

    def classes(self, latents: Tensor) -> Tensor | None:
        """The classes that latents ask for, ``(N,)`` int64; None if they ask for none."""
        part = self.latent_parts.get("category")
        return None if part is None else latents[:, part].argmax(1)

    def generate(self, latents: Tensor, views: Mapping[str, View], random: torch.Generator) -> Fakes:
        """Paint for a game.

        Args:
            latents: ``(N, latent_dim)``.
            views: discriminator → what it sees of a clip.
            random: what views draw from.

        Returns:
            What each discriminator sees of the *same* videos, and a penalty of the generator's own. By default whole
            videos are painted, and each view looks at them.
        """
        batch = Batch(self(latents), self.classes(latents))
        return Fakes({name: view(batch, random) for name, view in views.items()})

    def match_real(self, real: Batch, random: torch.Generator) -> Batch:
        """What of real clips is held against what the generator paints now; by default they are left as they are.

        Args:
            real: whole clips as they come from the data.
            random: what it may draw from.
        """
        return real

    def set_step(self, step: int) -> None:
        """Told before each step of training, and to a copy that is to paint as at that step.

        A network that grows finds its stage from it. By default nothing depends on it.
        """
