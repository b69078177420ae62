"""Video GANs of 8 px and 4 frames, which train in a moment, with all that training and measuring meet; and clips."""

from dataclasses import replace

import numpy as np
import torch

from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.gan import NetworkConfig, VideoGAN, VideoGANConfig
from ldvd_lib.hessian import DiscriminatorObjective, HessianOperator
from ldvd_lib.recipe import Recipe

SIZE, FRAMES, CLASSES = 8, 4, 2


def tgan(**discriminator: object) -> VideoGANConfig:
    """A TGAN whose discriminator has these options."""
    channels = {"temporal_channels": (8, 8), "image_channels": 8, "image_init": "xavier", "temporal_init": "xavier"}
    stack = {"kinds": ("3d", "2d"), "image_size": SIZE, "num_frames": FRAMES, "base_channels": 2, "init": "xavier"}
    return VideoGANConfig(
        "tiny-tgan",
        "lite",
        NetworkConfig("tgan", {"image_size": SIZE, "num_frames": FRAMES, "latent_dim": 6, **channels}),
        {"video": NetworkConfig("stack", stack | discriminator)},
        Recipe(generator_rate=1e-3, discriminator_rate=1e-3, batch_size=4, average=0.9),
    )


def mocogan(**discriminator: object) -> VideoGANConfig:
    """A MoCoGAN with an image and a video discriminator that both have these options; the latter names classes."""
    generator = {"image_size": SIZE, "num_frames": FRAMES, "content_dim": 5, "motion_dim": 3, "image_channels": 8}
    stack = {"image_size": SIZE, "base_channels": 2, "init": "default", **discriminator}
    image = {"kinds": ("2d", "2d"), "num_frames": 1, "head": "patch"}
    video = {"kinds": ("2+1d",), "num_frames": FRAMES, "head": "volume", "num_categories": CLASSES}
    return VideoGANConfig(
        "tiny-mocogan",
        "lite",
        NetworkConfig("mocogan", {**generator, "num_categories": CLASSES}),
        {"image": NetworkConfig("stack", stack | image), "video": NetworkConfig("stack", stack | video)},
        Recipe(game="mocogan", loss="non-saturating", optimizer="adam", batch_size=4, svc_every=0),
    )


def vgan() -> VideoGANConfig:
    """A VGAN."""
    sizes = {"image_size": SIZE, "num_frames": FRAMES}
    stack = {"kinds": ("3d",), "base_channels": 4, "head": "two-way", "bias": True, "norm_eps": 1e-3, "init": "normal"}
    return VideoGANConfig(
        "tiny-vgan",
        "lite",
        NetworkConfig("vgan", {**sizes, "latent_dim": 6, "channels": 8}),
        {"video": NetworkConfig("stack", sizes | stack)},
        Recipe(loss="non-saturating", optimizer="adam", batch_size=4, svc_every=0),
    )


def provgan(**discriminator: object) -> VideoGANConfig:
    """A ProVGAN of two stages: one step alone, then two in which the second fades in."""
    both = {"image_size": SIZE, "num_frames": FRAMES, "frames": (2, 4), "base_channels": 16, "max_channels": 4}
    both |= {"stage_steps": 1, "fade_steps": 2}
    rates = {"generator_rate": 1e-3, "discriminator_rate": 1e-3, "betas": (0.0, 0.99)}
    return VideoGANConfig(
        "tiny-provgan",
        "lite",
        NetworkConfig("provgan", {**both, "latent_dim": 6}),
        {"video": NetworkConfig("growing", both | discriminator)},
        Recipe(
            game="provgan",
            optimizer="adam",
            batch_size=4,
            svc_every=0,
            average=0.9,
            gradient_penalty=10.0,
            drift=1e-3,
            **rates,
        ),
    )


def tganv2(subsampling: str = "both", **recipe: object) -> VideoGANConfig:
    """A TGANv2 of two levels, of 4 and 8 px."""
    both = {"image_size": SIZE, "num_frames": FRAMES, "levels": 2, "subsampling": subsampling}
    widths = {"latent_dim": 6, "map_size": 2, "recurrent_channels": 8, "base_channels": 4}
    rates = {"generator_rate": 1e-3, "discriminator_rate": 1e-3, "betas": (0.0, 0.9)}
    values = {
        "game": "tganv2",
        "loss": "non-saturating",
        "optimizer": "adam",
        "batch_size": 4,
        "svc_every": 0,
        "r1": 0.5,
    }
    return VideoGANConfig(
        "tiny-tganv2",
        "lite",
        NetworkConfig("tganv2", both | widths),
        {"levels": NetworkConfig("levels", both | {"base_channels": 2, "num_blocks": 2})},
        Recipe(**{**values, **rates, "average": 0.9, **recipe}),
    )


def dvdgan(temporal: str = "convgru", num_categories: int = CLASSES, **recipe: object) -> VideoGANConfig:
    """A DVD-GAN of one group, from 4 to 8 px."""
    both = {"image_size": SIZE, "num_categories": num_categories}
    widths = {"noise_dim": 5, "class_dim": 3, "channels": (8, 4), "blocks": 2}
    motion = {"temporal": temporal, "frame_dim": 3, "temporal_channels": (4, 4)}
    rates = {"generator_rate": 1e-3, "discriminator_rate": 1e-3, "betas": (0.0, 0.99)}
    values = {"game": "dvd-gan", "loss": "hinge", "optimizer": "adam", "batch_size": 4, "svc_every": 0, "average": 0.9}
    judges = {
        "spatial": {"num_frames": 2},
        "temporal": {"num_frames": FRAMES, "pooling": 2, "temporal_blocks": 1},
    }
    return VideoGANConfig(
        "tiny-dvd-gan",
        "lite",
        NetworkConfig("dvd-gan", both | widths | motion | {"num_frames": FRAMES}),
        {name: NetworkConfig("dvd-gan", both | {"channels": (4, 8)} | own) for name, own in judges.items()},
        Recipe(**{**values, **rates, **recipe}),
    )


def sswgan(
    stages: int = 2, *, matching: bool = True, num_categories: int = CLASSES, **recipe: object
) -> VideoGANConfig:
    """An SSW-GAN after so many stages: 2×8×8, 4×16×16, 8×32×32; `sswgan_sampler` has clips for it."""
    size, frames = SIZE * 2 ** (stages - 1), 2 * 2 ** (stages - 1)
    window = frames if stages == 1 else 2
    told = {"num_categories": num_categories}
    generator = {
        "image_size": size,
        "num_frames": frames,
        "stages": stages,
        "noise_dim": 4,
        "class_dim": 3,
        "channels": (8, 4),
        "blocks": 1,
        "temporal": "tgan",
        "frame_dim": 3,
        "temporal_channels": 4,
        "upscaling_channels": (6, 4),
        "upscaling_blocks": 1,
        "window": window,
    }
    judge = {"image_size": size, "channels": (4, 8)} | told
    judges = {
        "spatial": NetworkConfig("dvd-gan", judge | {"num_frames": 1}),
        "temporal": NetworkConfig("dvd-gan", judge | {"num_frames": window, "pooling": 2, "temporal_blocks": 1}),
    }
    if stages > 1 and matching:
        judges["matching"] = NetworkConfig("matching", {"image_size": size, "num_frames": window, "channels": (4, 8)})
    rates = {
        "generator_rate": 1e-3,
        "discriminator_rate": 1e-3,
        "betas": (0.0, 0.99),
        "frame_stride": 2 ** (3 - stages),
    }
    values = {"game": "dvd-gan", "loss": "hinge", "optimizer": "adam", "batch_size": 4, "svc_every": 0, "average": 0.9}
    return VideoGANConfig(
        f"tiny-ssw-gan-{stages}",
        "lite",
        NetworkConfig("ssw-gan", generator | told),
        judges,
        Recipe(**{**values, **rates, **recipe}),
    )


def sswgan_sampler(gan: VideoGAN, seed: int = 0) -> WindowSampler:
    """Clips of noise of ten frames and 32 px, of two classes, as a stage of it sees them."""
    clips = np.random.default_rng(0).integers(0, 256, (6, 10, 32, 32, 3), dtype=np.uint8)
    store = ClipStore.from_clips(clips, labels=np.arange(6) % CLASSES, class_names=["Noise", "Other"])
    return WindowSampler.for_gan(gan, store, seed=seed)


def plain() -> VideoGANConfig:
    """A TGAN of one layer, whose steps are the quickest."""
    config = tgan(kinds=("3d",), base_channels=4)
    return replace(config, name="tiny")


def configs() -> dict[str, VideoGANConfig]:
    """Name → configuration."""
    return {
        "tgan": tgan(),
        "tgan with noise": tgan(noise=0.1),
        "tgan with spectral normalisation": tgan(spectral=True, kinds=("shift", "2d"), base_channels=4),
        "mocogan": mocogan(),
        "mocogan with noise": mocogan(noise=0.1),
    }


def store() -> ClipStore:
    """Six clips of ten frames of noise, in memory, of two classes."""
    clips = np.random.default_rng(0).integers(0, 256, (6, 10, SIZE, SIZE, 3), dtype=np.uint8)
    return ClipStore.from_clips(clips, labels=np.arange(6) % CLASSES, class_names=["Noise", "Other"])


def sampler(seed: int = 0) -> WindowSampler:
    """Batches of four windows of them."""
    return WindowSampler(store(), batch_size=4, num_frames=FRAMES, seed=seed)


def slope_along(objective: DiscriminatorObjective, vector: torch.Tensor, width: float) -> torch.Tensor:
    """The derivative of an objective's gradient along a vector, by central differences of this half width."""

    def move(distance: float) -> None:
        with torch.no_grad():
            for parameter, part in zip(objective.parameters, operator.unflatten(vector), strict=True):
                parameter += distance * part

    operator = HessianOperator(objective, objective.parameters)
    ends = []
    for distance in (width, -width):
        move(distance)
        ends.append(HessianOperator(objective, objective.parameters).gradient)
        move(-distance)
    return (ends[0] - ends[1]) / (2 * width)
