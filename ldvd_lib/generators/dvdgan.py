"""DVD-GAN's generator: convolutional GRUs move maps, BigGAN's blocks paint them, and every norm is told the class.

Source: Clark et al. 2019, "Adversarial Video Generation on Complex Datasets", section 3; its blocks, Brock et al. 2019,
"Large Scale GAN Training for High Fidelity Natural Image Synthesis" (BigGAN); MODELS §8.
"""

import functools
import itertools

import torch
from torch import Tensor, nn

from ldvd_lib._kit.checks import one_of, whole_number
from ldvd_lib.blocks import (
    ConditionalBatchNorm,
    ConvGRU,
    SelfAttention,
    UpBlock,
    doublings,
    initialize_,
    spectral_,
)
from ldvd_lib.generators.base import VideoGenerator, category_latents, check_latents, normal_latents
from ldvd_lib.generators.tgan import TemporalGenerator

MAP_SIZE = 4
TEMPORAL_CORES = ("convgru", "tgan")
FRAME_REACHES = ("norms", "start")


class DVDGANGenerator(VideoGenerator):
    """DVD-GAN's generator of videos.

    A latent vector holds the noise z and behind it the class y, one-hot. The condition is [z; e(y)], with e(y) a
    learnt vector for each class. A linear map makes a 4×4 map of it. Then comes a group for each doubling of the
    pixels: a ConvGRU, and residual blocks that look at every frame alone, of which the last doubles. In all
    normalisations, which have statistics for each frame, gain and bias are linear in the condition.

    What moves is the ConvGRUs' doing, which see the same map at each frame. With ``temporal="tgan"`` there are none:
    TGAN's temporal generator makes of the condition a latent for each frame. With ``frame_reaches="norms"`` that
    becomes a part of the condition, and so sets scene and colours as well; with ``"start"`` it makes the 4×4 maps
    together with the condition, and the norms are told what is the same at every frame.

    Args:
        image_size: height and width in pixels, 4 times a power of two.
        num_frames: frames of a video; with TGAN's temporal generator a power of two.
        noise_dim, class_dim: dimensions of z and of e(y).
        num_categories: classes; 0 for a generator without.
        channels: of the 4×4 map, and behind each group: one more than pixels double.
        blocks: residual blocks in a group.
        temporal: ``"convgru"``, or ``"tgan"``.
        frame_dim: dimensions of a frame's latent, of TGAN's temporal generator.
        temporal_channels: its channels, one for each doubling of the length.
        frame_reaches: ``"norms"``, or ``"start"``: how far a frame's latent reaches.
        attention: behind the group that ends at so many pixels stands self-attention; 0: nowhere. (The paper has
            BigGAN's blocks, among which is one of these, and does not say where.)
        spectral: spectral normalisation of all layers but e.
        init: a scheme of `ldvd_lib.blocks.initialize_` for them. The entries of e are standard normal, as those of z.
        norm_std: standard deviation of the first weights that make gains and biases of the condition, in place of
            `init`; without spectral normalisation only, which would undo it. A small one starts near plain batch
            normalisation: what a video shows is at first hardly the condition's doing.

    Raises:
        ValueError: if sizes and channels do not fit together.

    Source: MODELS §8, which has the sizes of latents, ``channels[0]`` as ch₀, and groups of two blocks. How many
    channels there are behind which group, it does not say.
    """

    def __init__(
        self,
        image_size: int = 64,
        num_frames: int = 16,
        *,
        noise_dim: int = 120,
        class_dim: int = 120,
        num_categories: int = 0,
        channels: tuple[int, ...] = (1024, 1024, 512, 256, 128),
        blocks: int = 2,
        temporal: str = "convgru",
        frame_dim: int = 64,
        temporal_channels: tuple[int, ...] = (128, 128, 64, 64),
        frame_reaches: str = "norms",
        attention: int = 0,
        spectral: bool = True,
        init: str = "orthogonal",
        norm_std: float | None = None,
    ) -> None:
        super().__init__()
        one_of("temporal", temporal, TEMPORAL_CORES)
        one_of("frame_reaches", frame_reaches, FRAME_REACHES)
        whole_number("blocks", blocks, least=1)
        groups = doublings(image_size, MAP_SIZE, "image_size")
        sizes = [MAP_SIZE * 2**number for number in range(1, groups + 1)]
        if len(channels) != groups + 1:
            raise ValueError(
                f"{image_size} pixels take {groups} groups, and so {groups + 1} channels, first those of the 4×4 map; "
                f"got {tuple(channels)}"
            )
        if attention not in (0, *sizes):
            raise ValueError(f"attention is {attention}, but groups end at {sizes} pixels: choose one of them, or 0")
        self.image_size, self.num_frames = image_size, num_frames
        self.noise_dim, self.num_categories = noise_dim, num_categories
        self.latent_dim = noise_dim + num_categories
        condition_dim = noise_dim + (class_dim if num_categories else 0)
        self.embed = nn.Linear(num_categories, class_dim, bias=False) if num_categories else None
        self.temporal = None
        start_dim = condition_dim
        if temporal == "tgan":
            self.temporal = TemporalGenerator(
                condition_dim, num_frames, tuple(temporal_channels), train_beta=True, frame_dim=frame_dim
            )
            start_dim += frame_dim
        self.frame_reaches = frame_reaches
        norm_dim = start_dim if frame_reaches == "norms" else condition_dim
        norm = functools.partial(ConditionalBatchNorm, condition_dim=norm_dim, num_frames=num_frames)
        self.start = nn.Linear(start_dim, channels[0] * MAP_SIZE**2)
        self.groups = nn.ModuleList()
        for (before, after), size in zip(itertools.pairwise(channels), sizes, strict=True):
            recurrent = ConvGRU(before, before) if self.temporal is None else None
            self.groups.append(Group(before, after, blocks, norm, recurrent, attention=size == attention))
        self.norm = norm(channels[-1])
        self.to_rgb = nn.Conv2d(channels[-1], 3, 3, padding=1)
        begin_(self, init=init, norm_std=norm_std, spectral=spectral)
        for part in (self.groups, self.to_rgb):
            part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch does not declare it

    @property
    def latent_parts(self) -> dict[str, slice]:
        """What the parts of a latent vector mean: ``noise``, and ``category`` where there are classes."""
        parts = {"noise": slice(0, self.noise_dim)}
        return parts | ({"category": slice(self.noise_dim, self.latent_dim)} if self.num_categories else {})

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw `n` latents, ``(n, latent_dim)``: standard normal, the category uniform and one-hot.

        A generator of another device draws there and the result is moved to the weights.
        """
        weight = next(self.parameters())
        noise = normal_latents(n, self.noise_dim, weight, generator)
        if not self.num_categories:
            return noise
        return torch.cat([noise, category_latents(n, self.num_categories, weight, generator)], dim=1)

    def condition(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """What frames are made of.

        Args:
            latents: ``(N, latent_dim)``.

        Returns:
            What the 4×4 maps are made of, and what all norms are told: each ``(N, T, D)``, or ``(N, 1, D)`` if it is
            the same at every frame.
        """
        check_latents(latents, self.latent_dim)
        condition = latents
        if self.embed is not None:
            condition = torch.cat([latents[:, : self.noise_dim], self.embed(latents[:, self.noise_dim :])], dim=1)
        still = condition.unsqueeze(1)
        if self.temporal is None:
            return still, still
        moving = torch.cat([still.expand(-1, self.num_frames, -1), self.temporal(condition)], dim=2)
        return moving, moving if self.frame_reaches == "norms" else still

    def forward(self, latents: Tensor) -> Tensor:
        """Latents ``(N, latent_dim)`` → videos ``(N, 3, T, H, W)`` in [-1, 1]."""
        start, condition = self.condition(latents)
        maps = self.start(start).unflatten(2, (-1, MAP_SIZE, MAP_SIZE))
        for group in self.groups:
            maps = group(maps, condition)
        frames = self.to_rgb(self.norm(maps.flatten(0, 1), condition).relu()).tanh()
        return frames.unflatten(0, maps.shape[:2]).transpose(1, 2)


def begin_(network: nn.Module, *, init: str, norm_std: float | None, spectral: bool) -> None:
    """Give a network with an `embed` of classes (or None) its first weights, and bound its layers if so asked.

    The arguments are those of `DVDGANGenerator`.
    """
    if spectral and norm_std is not None:
        raise ValueError(
            f"norm_std is {norm_std}, but spectral normalisation sets how large weights are: choose one of the two"
        )
    initialize_(network, init)
    if norm_std is not None:
        for part in network.modules():
            if isinstance(part, ConditionalBatchNorm):
                for layer in (part.gain, part.bias):
                    nn.init.normal_(layer.weight, std=norm_std)
    if spectral:
        for name, part in network.named_children():
            if name != "embed":
                spectral_(part)
    if isinstance(network.embed, nn.Linear):
        nn.init.normal_(network.embed.weight)


class Group(nn.Module):
    """What stands for one doubling of the pixels: perhaps a ConvGRU, residual blocks, perhaps self-attention.

    Args:
        in_channels, out_channels: of the maps; the last block changes from one to the other.
        blocks: how many, at least one.
        norm: what makes their normalisations, a `ConditionalBatchNorm` of so many channels.
        recurrent: a ConvGRU that leaves channels as they are, or None.
        attention: self-attention behind the blocks.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        blocks: int,
        norm: functools.partial[ConditionalBatchNorm],
        recurrent: ConvGRU | None,
        *,
        attention: bool,
    ) -> None:
        super().__init__()
        self.num_frames: int = norm.keywords["num_frames"]  # None without a ConvGRU, where any number will do
        self.recurrent = recurrent
        same = [UpBlock(in_channels, in_channels, norm=norm, scale=1) for _ in range(blocks - 1)]
        self.blocks = nn.ModuleList([*same, UpBlock(in_channels, out_channels, norm=norm)])
        self.attention = SelfAttention(out_channels) if attention else None

    def forward(self, maps: Tensor, condition: Tensor) -> Tensor:
        """``(N, T, in_channels, H, W)``, or T = 1 for the same at every frame → ``(N, T, out_channels, 2H, 2W)``."""
        if self.recurrent is not None:
            maps = self.recurrent(maps, self.num_frames)
        x = maps.flatten(0, 1)
        for block in self.blocks:
            x = block(x, condition)
        if self.attention is not None:
            x = self.attention(x)
        return x.unflatten(0, maps.shape[:2])
