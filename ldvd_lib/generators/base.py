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
        view: what it paints directly in training, such as several levels; None if it paints whole videos first.
        class_names: of the data that it was trained on, in the order of their labels; empty if nobody has told it.
    """

    image_size: int
    num_frames: int
    latent_dim: int
    view: View | None = None
    class_names: tuple[str, ...] = ()

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

    def begin_after(self, earlier: "VideoGenerator") -> None:
        """Take over what an earlier training has learnt, before this one's first step.

        Args:
            earlier: the earlier training's generator, from which its samples are drawn.

        Raises:
            ValueError: if this generator takes nothing over, which is the default, or not from such a one.
        """
        raise ValueError(
            f"{type(self).__name__} learns everything in one training, and takes nothing over from an earlier one: "
            "leave it out (`--after`)"
        )

    def check_begun(self) -> None:
        """Asked before the first step of training.

        Raises:
            ValueError: if it needs to `begin_after` an earlier training, and has not. By default it never does.
        """

    def set_step(self, step: int) -> None:
        """Told how many steps of training are done: before the first step, after each, and when a checkpoint is loaded.

        A network that grows finds its stage from it; one that nobody has told should be fully grown. By default nothing
        depends on it.
        """


def uniform_latents(n: int, latent_dim: int, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw latents that are uniform in [-1, 1].

    Args:
        n: how many.
        latent_dim: dimensions of each.
        like: on whose device, and of whose type, they shall be.
        generator: what they are drawn from, on its own device, so that a CPU seed means the same latents everywhere;
            default torch's global one on the device of `like`.

    Returns:
        ``(n, latent_dim)``.
    """
    device = _drawing_device(like, generator)
    return (torch.rand(n, latent_dim, generator=generator, device=device) * 2 - 1).to(like)


def normal_latents(n: int, latent_dim: int, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw latents that are standard normal; arguments and result are those of `uniform_latents`."""
    device = _drawing_device(like, generator)
    return torch.randn(n, latent_dim, generator=generator, device=device).to(like)


def category_latents(n: int, num_categories: int, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw categories, uniform and one-hot, ``(n, num_categories)``; arguments as of `uniform_latents`."""
    device = _drawing_device(like, generator)
    drawn = torch.randint(num_categories, (n,), generator=generator, device=device)
    return nn.functional.one_hot(drawn, num_categories).to(like)


def _drawing_device(like: Tensor, generator: torch.Generator | None) -> torch.device:
    """Where latents are drawn: on the device of what draws them, or else of the weights."""
    return like.device if generator is None else generator.device


def check_latents(latents: Tensor, latent_dim: int) -> None:
    """Raise a `ValueError` unless latents are ``(N, latent_dim)``."""
    if latents.ndim != 2 or latents.shape[1] != latent_dim:
        raise ValueError(f"latents must be (N, {latent_dim}), got {tuple(latents.shape)}: see sample_latents")
