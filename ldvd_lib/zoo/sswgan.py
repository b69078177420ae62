"""SSW-GAN, a name for each stage: the first draws a whole video coarsely, the others refine it window by window.

Source: SSW-GAN, of which we know an excerpt: MODELS §9. Sizes, widths, judges and recipes are those of DVD-GAN in
`ldvd_lib.zoo.dvdgan`, halved and doubled from stage to stage: our source does not have them.
"""

from dataclasses import replace
from typing import Any

from ldvd_lib.gan import NetworkConfig
from ldvd_lib.recipe import Recipe
from ldvd_lib.zoo.dvdgan import DVDGAN_RECIPES, LITE_GENERATOR
from ldvd_lib.zoo.registry import Configure, Parts, register

# Of the whole system, which shows every frame; the stages before show every second one, and every fourth. To end with
# stage 2 at the speed of the footage, train stage 1 with `frame_stride=2` and stage 2 with 1.
STAGES = 3
FIRST_FRAMES = 8
FIRST_PIXELS = {"lite": 16, "paper": 32}
# Of DVD-GAN's two ways to move, TGAN's temporal generator is the one that moves within a few thousand steps at lite
# scale, where maps that ConvGRUs remember come to rest. Told to the norms, a frame's latent would change scene and
# colours within a clip, so it makes the first maps only.
GENERATOR: dict[str, dict[str, Any]] = {
    "lite": LITE_GENERATOR
    | {
        "channels": (96, 64, 32),
        "temporal": "tgan",
        "frame_reaches": "start",
        "upscaling_channels": (32, 24),
        "upscaling_blocks": 1,
    },
    "paper": {
        "channels": (1024, 512, 256, 128),
        "temporal": "convgru",
        "upscaling_channels": (256, 128),
    },
}
WINDOW = {"lite": 8, "paper": 12}
SEEN_FRAMES = {"lite": 4, "paper": 8}  # by the spatial discriminator
# Of discriminators, by the pixels of a frame that they are given.
DISCRIMINATOR_CHANNELS = {
    ("lite", 16): (16, 32, 64),
    ("lite", 32): (16, 32, 64, 64),
    ("lite", 64): (16, 32, 64, 64, 64),
    ("paper", 32): (128, 256, 512, 1024),
    ("paper", 64): (128, 256, 512, 1024, 1024),
    ("paper", 128): (128, 256, 512, 1024, 1024, 1024),
}


def _recipe(preset: str, stage: int) -> Recipe:
    """DVD-GAN's, on fewer frames of the same footage the earlier the stage; in lite, refining takes larger steps."""
    recipe = replace(DVDGAN_RECIPES[preset], frame_stride=2 ** (STAGES - stage))
    return replace(recipe, generator_rate=1e-3, discriminator_rate=1e-3) if preset == "lite" and stage > 1 else recipe


def _sswgan(stage: int, *, matching: bool = True) -> Configure:
    """The generator of so many stages, of which the newest is trained; from the second on with a matching critic."""

    def configure(preset: str) -> Parts:
        size, frames = FIRST_PIXELS[preset] * 2 ** (stage - 1), FIRST_FRAMES * 2 ** (stage - 1)
        told = {"num_categories": {"paper": 101, "lite": 12}[preset]}
        options = {"image_size": size, "num_frames": frames, "stages": stage} | told | GENERATOR[preset]
        seen = frames if stage == 1 else WINDOW[preset]
        if stage > 1:
            options["window"] = seen
        judge = {"image_size": size, "channels": DISCRIMINATOR_CHANNELS[preset, size]} | told
        discriminators = {
            "spatial": NetworkConfig("dvd-gan", judge | {"num_frames": SEEN_FRAMES[preset]}),
            "temporal": NetworkConfig("dvd-gan", judge | {"num_frames": seen, "pooling": 2, "temporal_blocks": 2}),
        }
        if stage > 1 and matching:
            pair = {"image_size": size, "num_frames": seen, "channels": DISCRIMINATOR_CHANNELS[preset, size // 2]}
            discriminators["matching"] = NetworkConfig("matching", pair)
        return NetworkConfig("ssw-gan", options), discriminators, _recipe(preset, stage)

    return configure


_SOURCE = "SSW-GAN"
register("ssw-gan-1", _sswgan(1), source=f"{_SOURCE}, stage 1: a DVD-GAN of few frames and pixels", counted="G + D")
register("ssw-gan-2", _sswgan(2), source=f"{_SOURCE}, stage 2, after ssw-gan-1", counted="G + D")
register("ssw-gan-3", _sswgan(3), source=f"{_SOURCE}, stage 3, after ssw-gan-2", counted="G + D")
register(
    "ssw-gan-2-no-matching",
    _sswgan(2, matching=False),
    source=f"{_SOURCE}, stage 2 without its matching discriminator",
    counted="G + D",
)
