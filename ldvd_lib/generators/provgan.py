"""ProVGAN's generator: it begins with a few coarse frames, and grows in space and time while it is trained.

Source: Acharya et al. 2018, "Towards High Resolution Video Generation with Progressive Growing of Sliced Wasserstein
GANs", and its authors' code, `musikisomorphie/swd`, ``networks.py``; the recipe is that of Karras et al. 2018,
"Progressive Growing of GANs for Improved Quality, Stability, and Variation".
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ldvd_lib.batch import Batch, Fakes
from ldvd_lib.blocks import LEAKY_SLOPE, Growth, PixelNorm, enlarge, he_normal_, shrink, stage_channels
from ldvd_lib.generators.base import VideoGenerator, check_latents, normal_latents
from ldvd_lib.views import View


class ProVGANGenerator(VideoGenerator):
    """ProVGAN's generator of videos.

    All layers are there from the beginning. `set_step` decides how many of them paint: those of the stage that the step
    is in, the newest of them mixed with the picture of the stage before while it fades in. A network that nobody has
    told a step is fully grown.

    Args:
        image_size: height and width in pixels, 4 times a power of two.
        num_frames: frames of a video.
        latent_dim: dimensions of the latent, standard normal.
        frames: of each stage; by default 4 at first, doubled with the pixels until there are `num_frames`.
        base_channels, max_channels: a stage of 4 · 2^s pixels has base_channels / 2^(s + 1) channels, and no more than
            max_channels.
        stage_steps, fade_steps: steps that a stage trains, and that the next one fades in over, see
            `ldvd_lib.blocks.Growth`.
        equalized: equalised learning rate (see `ldvd_lib.blocks.he_normal_`).
        pixel_norm: normalise the latent, and the channels of every place after each layer.

    Raises:
        ValueError: if there is no such plan of stages, or if channels run out.

    Attributes:
        growth: the plan of stages.
        stage, share: the stage that paints now, and how much of it.
    """

    def __init__(
        self,
        image_size: int = 256,
        num_frames: int = 32,
        latent_dim: int = 128,
        *,
        frames: tuple[int, ...] = (),
        base_channels: int = 1024,
        max_channels: int = 128,
        stage_steps: int = 37_500,
        fade_steps: int = 37_500,
        equalized: bool = True,
        pixel_norm: bool = True,
    ) -> None:
        super().__init__()
        self.image_size, self.num_frames, self.latent_dim = image_size, num_frames, latent_dim
        self.growth = Growth.to(num_frames, image_size, stage_steps=stage_steps, fade_steps=fade_steps, frames=frames)
        self.stage, self.share = self.growth.last, 1.0
        widths = stage_channels(len(self.growth.sizes), base_channels, max_channels)

        def finished(layer: nn.Module, gain: float = 2**0.5) -> list[nn.Module]:
            norm: list[nn.Module] = [PixelNorm()] if pixel_norm else []
            return [he_normal_(layer, gain=gain, equalized=equalized), nn.LeakyReLU(LEAKY_SLOPE), *norm]

        self.normalize = PixelNorm() if pixel_norm else nn.Identity()
        self.blocks, self.to_rgb = nn.ModuleDict(), nn.ModuleDict()  # by stage: its pixels
        for stage, ((frame_count, size), width) in enumerate(zip(self.growth.sizes, widths, strict=True)):
            if stage == 0:
                # A linear layer to a small clip. The sources divide its gain by 4.
                first = nn.ConvTranspose3d(latent_dim, width, (frame_count, size, size))
                layers = finished(first, gain=2**0.5 / 4)
            else:
                layers = finished(nn.Conv3d(widths[stage - 1], width, 3, padding=1))
            name = self.growth.name(stage)
            self.blocks[name] = nn.Sequential(*layers, *finished(nn.Conv3d(width, width, 3, padding=1)))
            self.to_rgb[name] = he_normal_(nn.Conv3d(width, 3, 1), gain=1.0, equalized=equalized)
        self.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # torch does not declare it

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw `n` latents, standard normal, as `ldvd_lib.generators.base.normal_latents`."""
        return normal_latents(n, self.latent_dim, next(self.parameters()), generator)

    def set_step(self, step: int) -> None:
        """Be the generator that is trained after so many steps."""
        self.stage, self.share = self.growth.at(step)

    def paint(self, latents: Tensor) -> Tensor:
        """Latents ``(N, latent_dim)`` → videos at the size of the stage, ``(N, 3, T', H', W')``, not bounded."""
        check_latents(latents, self.latent_dim)
        name = self.growth.name
        x = before = self.blocks[name(0)](self.normalize(latents)[:, :, None, None, None])
        for stage in range(1, self.stage + 1):
            before, x = x, self.blocks[name(stage)](enlarge(x, self.growth.factor(stage)))
        videos = self.to_rgb[name(self.stage)](x)
        if self.share < 1:
            coarse = self.to_rgb[name(self.stage - 1)](before)
            videos = enlarge(coarse, self.growth.factor(self.stage)).lerp(videos, self.share)
        return videos

    def forward(self, latents: Tensor) -> Tensor:
        """Latents ``(N, latent_dim)`` → videos ``(N, 3, T, H, W)`` in [-1, 1]; of a stage, all is repeated."""
        return enlarge(self.paint(latents).clamp(-1, 1), self.growth.factor(self.growth.last, self.stage))

    def generate(self, latents: Tensor, views: Mapping[str, View], random: torch.Generator) -> Fakes:
        """As `VideoGenerator.generate`, at the size of the stage and not clipped, which would stop gradients."""
        batch = Batch(self.paint(latents))
        return Fakes({name: view(batch, random) for name, view in views.items()})

    def match_real(self, real: Batch, random: torch.Generator) -> Batch:
        """Real clips at the size of the stage, by means over boxes; as much without its detail as fakes still are."""
        clips = shrink(real.video, self.growth.factor(self.growth.last, self.stage))
        if self.share < 1:
            factor = self.growth.factor(self.stage)
            clips = enlarge(shrink(clips, factor), factor).lerp(clips, self.share)
        return real._replace(videos=clips)
