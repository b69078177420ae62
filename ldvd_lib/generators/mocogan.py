"""MoCoGAN's generator: one content vector a video, a recurrent trajectory of motion vectors, painted frame by frame.

Source: Tulyakov et al. 2018, "MoCoGAN: Decomposing Motion and Content for Video Generation"; MODELS §2.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ldvd_lib.batch import Batch, Fakes
from ldvd_lib.blocks import doublings, initialize_
from ldvd_lib.generators.base import VideoGenerator, category_latents, check_latents, normal_latents
from ldvd_lib.views import Frames, View

MAP_SIZE = 4


class MoCoGANGenerator(VideoGenerator):
    """MoCoGAN's generator of videos.

    A latent vector holds, one after the other, the content z_C, an optional one-hot category, and the motion noise: h_0
    and an input e_t for every frame. A GRU turns the noise into a motion vector z_M,t a frame; [z_C; category; z_M,t]
    is painted by transposed convolutions.

    Args:
        image_size: height and width in pixels, 4 times a power of two.
        num_frames: frames of a video.
        content_dim, motion_dim: dimensions of z_C and of z_M,t.
        num_categories: length of the one-hot category; 0 for none.
        image_channels: channels of the first 4×4 map, halved by each upsampling layer.
        init: ``"default"`` (PyTorch's, as the authors') or a scheme of `ldvd_lib.blocks.initialize_`.

    Raises:
        ValueError: if sizes and channels do not fit together.

    Source: MODELS "MoCoGAN (64×64)": 3,249,684 parameters with the default arguments.
    """

    def __init__(
        self,
        image_size: int = 64,
        num_frames: int = 16,
        *,
        content_dim: int = 50,
        motion_dim: int = 10,
        num_categories: int = 0,
        image_channels: int = 512,
        init: str = "default",
    ) -> None:
        super().__init__()
        levels = doublings(image_size, MAP_SIZE, "image_size")
        if image_channels % 2 ** (levels - 1):
            raise ValueError(
                f"image_channels is {image_channels}, but {levels - 1} layers halve it: "
                f"use a multiple of {2 ** (levels - 1)}"
            )
        self.image_size, self.num_frames = image_size, num_frames
        self.content_dim, self.motion_dim, self.num_categories = content_dim, motion_dim, num_categories
        self.latent_dim = content_dim + num_categories + (num_frames + 1) * motion_dim
        self.recurrent = nn.GRUCell(motion_dim, motion_dim)

        channels = image_channels
        vector = content_dim + num_categories + motion_dim
        layers: list[nn.Module] = [nn.ConvTranspose2d(vector, channels, MAP_SIZE, 1, 0, bias=False)]
        for _ in range(levels - 1):
            layers += [nn.BatchNorm2d(channels), nn.ReLU()]
            layers.append(nn.ConvTranspose2d(channels, channels // 2, 4, 2, 1, bias=False))
            channels //= 2
        layers += [nn.BatchNorm2d(channels), nn.ReLU(), nn.ConvTranspose2d(channels, 3, 4, 2, 1, bias=False), nn.Tanh()]
        self.image = nn.Sequential(*layers)
        initialize_(self, init)
        self.image.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch does not declare it

    @property
    def latent_parts(self) -> dict[str, slice]:
        """What the parts of a latent vector mean: ``content``, ``category`` where there are categories, ``motion``."""
        content, categories = self.content_dim, self.content_dim + self.num_categories
        parts = {"content": slice(0, content), "motion": slice(categories, self.latent_dim)}
        if self.num_categories:
            parts["category"] = slice(content, categories)
        return parts

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw `n` latents, ``(n, latent_dim)``: standard normal, the category uniform and one-hot.

        A generator of another device draws there and the result is moved to the weights.
        """
        weight = self.recurrent.weight_ih
        latents = normal_latents(n, self.latent_dim, weight, generator)
        if self.num_categories:
            latents[:, self.latent_parts["category"]] = category_latents(n, self.num_categories, weight, generator)
        return latents

    def motion(self, noise: Tensor) -> Tensor:
        """Motion noise ``(N, (T + 1) · motion_dim)`` → motion vectors ``(N, T, motion_dim)``, by the GRU."""
        hidden, *inputs = noise.unflatten(1, (self.num_frames + 1, self.motion_dim)).unbind(1)
        steps = []
        for step in inputs:
            hidden = self.recurrent(step, hidden)
            steps.append(hidden)
        return torch.stack(steps, dim=1)

    def forward(self, latents: Tensor, frames: Tensor | None = None) -> Tensor:
        """Paint videos, or single frames of them.

        Args:
            latents: ``(N, latent_dim)``.
            frames: ``(N, K)`` int64, which frames of each video to paint; default all.

        Returns:
            ``(N, 3, T, H, W)`` in [-1, 1], with T = K where `frames` are given.
        """
        check_latents(latents, self.latent_dim)
        still = latents[:, : self.content_dim + self.num_categories]
        motion = self.motion(latents[:, self.latent_parts["motion"]])
        if frames is not None:
            motion = motion[torch.arange(len(motion), device=motion.device)[:, None], frames.to(motion.device)]
        n, t = motion.shape[:2]
        vectors = torch.cat([still.unsqueeze(1).expand(-1, t, -1), motion], dim=2).flatten(0, 1)
        images = self.image(vectors[:, :, None, None].contiguous(memory_format=torch.channels_last))
        return images.unflatten(0, (n, t)).transpose(1, 2)

    def generate(self, latents: Tensor, views: Mapping[str, View], random: torch.Generator) -> Fakes:
        """As `VideoGenerator.generate`; where single frames are all that is looked at, only they are painted."""
        stills = {name: view for name, view in views.items() if isinstance(view, Frames)}
        if len(stills) < len(views):
            return super().generate(latents, views, random)
        seen = {}
        for name, view in stills.items():
            frames = view.draw(len(latents), self.num_frames, random)
            seen[name] = Batch(self(latents, frames), self.classes(latents))
        return Fakes(seen)
