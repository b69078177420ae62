"""DVD-GAN: classes, and two discriminators, one for what is seen and one for what moves.

Source: Clark et al. 2019, "Adversarial Video Generation on Complex Datasets"; MODELS §8, also for what draws at lite
scale.
"""

from dataclasses import replace
from typing import Any

from ldvd_lib.gan import NetworkConfig
from ldvd_lib.recipe import Recipe
from ldvd_lib.zoo.registry import Configure, Parts, register

# How long it is trained, our source does not say; the number of iterations is that of the LDVD paper's rows.
DVDGAN_PAPER = Recipe(
    game="dvd-gan",
    loss="hinge",
    optimizer="adam",
    generator_rate=1e-4,
    discriminator_rate=5e-4,
    betas=(0.0, 0.999),
    batch_size=512,
    svc_every=0,
    average=0.9999,
)
DVDGAN_RECIPES = {
    "paper": DVDGAN_PAPER,
    # One step of the discriminators in place of two, and on the clips from which the generator then learns, as TGAN has
    # it: they are painted once.
    "lite": replace(
        DVDGAN_PAPER,
        game="tgan",
        generator_rate=3e-4,
        discriminator_rate=6e-4,
        betas=(0.0, 0.99),
        batch_size=16,
        flip=True,
        average=0.995,
        iterations=6_000,
    ),
}
# From 4×4 pixels on, by the pixels of whole frames. With the paper's ch of 128, in multiples of our own choice.
_GENERATOR_CHANNELS = {
    ("lite", 32): (96, 64, 48, 24),
    ("lite", 64): (96, 96, 64, 48, 24),
    ("paper", 64): (1024, 1024, 512, 256, 128),
    ("paper", 128): (1024, 1024, 1024, 512, 256, 128),
}
_DISCRIMINATOR_CHANNELS = {
    ("lite", 32): (16, 32, 64, 64),
    ("lite", 64): (16, 32, 64, 64, 64),
    ("paper", 64): (128, 256, 512, 1024, 1024),
    ("paper", 128): (128, 256, 512, 1024, 1024, 1024),
}
# At lite scale one residual block in a group, with upsampling, in place of two, and no spectral normalisation. Of two
# trials of 300 steps, that with orthogonal first weights for gains and biases drew grids, and this one figures.
LITE_GENERATOR: dict[str, Any] = {
    "noise_dim": 64,
    "class_dim": 32,
    "blocks": 1,
    "spectral": False,
    "norm_std": 0.02,
}


def _dvdgan(
    *, pixels: int = 64, temporal: str = "convgru", classes: bool = True, judges: tuple[str, ...] = ()
) -> Configure:
    """DVD-GAN of so many published pixels, with these of its discriminators (by default both)."""

    def configure(preset: str) -> Parts:
        size = pixels // 2 if preset == "lite" else pixels
        # As many categories as the data has classes: UCF-101's, or those of the built-in set.
        both = {"image_size": size, "num_categories": {"paper": 101, "lite": 12}[preset] if classes else 0}
        options: dict[str, Any] = LITE_GENERATOR if preset == "lite" else {}
        channels = {"channels": _GENERATOR_CHANNELS[preset, size], "temporal": temporal}
        of_judges: dict[str, dict[str, Any]] = {
            "spatial": {"num_frames": 4 if preset == "lite" else 8},
            "temporal": {"num_frames": 16, "pooling": 2, "temporal_blocks": 2},
        }
        discriminators = {
            name: NetworkConfig("dvd-gan", both | {"channels": _DISCRIMINATOR_CHANNELS[preset, size]} | own)
            for name, own in of_judges.items()
            if name in judges or not judges
        }
        return NetworkConfig("dvd-gan", both | options | channels), discriminators, DVDGAN_RECIPES[preset]

    return configure


_SOURCE = "Clark et al. 2019: DVD-GAN"
register("dvd-gan", _dvdgan(), source=_SOURCE, counted="G + D")
register("dvd-gan-128", _dvdgan(pixels=128), source=f"{_SOURCE}, 128 pixels", counted="G + D")
register(
    "dvd-gan-1d",
    _dvdgan(temporal="tgan"),
    source="not in the paper: TGAN's temporal generator in place of ConvGRUs",
    counted="G + D",
)
register(
    "dvd-gan-unconditional",
    _dvdgan(classes=False),
    source="not in the paper: DVD-GAN without classes",
    counted="G + D",
)
register("dvd-gan-spatial", _dvdgan(judges=("spatial",)), source="not in the paper: D_S only", counted="G + D")
register("dvd-gan-temporal", _dvdgan(judges=("temporal",)), source="not in the paper: D_T only", counted="G + D")
register(
    "dvd-gan-1d-spatial",
    _dvdgan(temporal="tgan", judges=("spatial",)),
    source="not in the paper: TGAN's temporal generator, and D_S only",
    counted="G + D",
)
register(
    "dvd-gan-1d-temporal",
    _dvdgan(temporal="tgan", judges=("temporal",)),
    source="not in the paper: TGAN's temporal generator, and D_T only",
    counted="G + D",
)
