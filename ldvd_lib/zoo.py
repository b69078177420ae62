"""Names → video GANs. Every row of the paper's tables is a value here, not a class.

gan = zoo.build("tgan", preset="lite")
gan.generator, gan.discriminators["video"], gan.recipe
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from ldvd_lib.gan import NetworkConfig, Recipe, VideoGAN, VideoGANConfig

PRESETS = ("lite", "paper")

# Found at lite scale (MODELS §4): the published rate of 5e-5 shows nothing within a few hundred steps, and a critic of
# 1-Lipschitz layers gives so small a signal that it must learn faster than the generator.
LITE_RECIPE = Recipe(generator_rate=2e-4, discriminator_rate=1e-3, batch_size=16, average=0.99, iterations=1_200)


def _tgan(preset: str) -> tuple[NetworkConfig, dict[str, NetworkConfig], Recipe]:
    if preset == "paper":
        return NetworkConfig("tgan"), {"video": NetworkConfig("stack", {"kinds": ("3d",) * 4})}, Recipe()
    generator = NetworkConfig(
        "tgan",
        {
            "image_size": 32,
            "temporal_channels": (128, 64, 32, 32),
            "image_channels": 128,
            "temporal_init": "xavier",
        },
    )
    stack = {"kinds": ("3d",) * 3, "image_size": 32, "base_channels": 16, "init": "xavier"}
    return generator, {"video": NetworkConfig("stack", stack)}, LITE_RECIPE


@dataclass(frozen=True)
class Entry:
    """A name of the zoo."""

    name: str
    title: str
    source: str
    configure: Callable[[str], tuple[NetworkConfig, dict[str, NetworkConfig], Recipe]]


ENTRIES = {
    entry.name: entry
    for entry in (
        Entry(
            "tgan", "TGAN: 3D kernels and singular value clipping", "LDVD Tables 3, 5a and 8; Saito et al. 2017", _tgan
        ),
    )
}


def config(name: str, preset: str = "lite") -> VideoGANConfig:
    """The configuration of a named model.

    Args:
        name: a key of `ENTRIES`, for example ``"tgan"``.
        preset: ``"lite"`` (32 px, quarter channels: a laptop's) or ``"paper"`` (as published).

    Returns:
        A configuration; change its recipe with `VideoGANConfig.with_recipe`, build it with `VideoGANConfig.build`.

    Raises:
        ValueError: for an unknown name (suggesting the nearest) or preset.
    """
    if name not in ENTRIES:
        near = difflib.get_close_matches(name, ENTRIES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the zoo has {sorted(ENTRIES)}"
        raise ValueError(f"no model is called {name!r}: {hint}")
    if preset not in PRESETS:
        raise ValueError(f"preset {preset!r} is unknown: choose one of {PRESETS}")
    generator, discriminators, recipe = ENTRIES[name].configure(preset)
    return VideoGANConfig(name, preset, generator, discriminators, recipe)


def build(name: str, preset: str = "lite", *, seed: int = 0) -> VideoGAN:
    """Build a named model with weights drawn from a seed; see `config` for the arguments and errors."""
    return config(name, preset).build(seed=seed)
