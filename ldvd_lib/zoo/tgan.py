"""TGAN, and what the LDVD paper makes of its discriminator.

Source: LDVD paper, Tables 3a, 5a, 6a, 8 and 9; MODELS §2 to §4.
"""

from dataclasses import replace
from typing import Any

from ldvd_lib.gan import NetworkConfig, VideoGANConfig
from ldvd_lib.recipe import Recipe
from ldvd_lib.zoo.building import config
from ldvd_lib.zoo.registry import Configure, Parts, register
from ldvd_lib.zoo.scale import ALL_3D, factorized, scaled, shifted, stack

# Found by training at lite scale and looking: the published rate of 5e-5 shows nothing within a few hundred steps; a
# critic of 1-Lipschitz layers gives so small a signal that it must learn faster than the generator; and at these rates
# the singular values have to be clipped at every step.
TGAN_RECIPES = {
    "paper": Recipe(),
    "lite": Recipe(
        generator_rate=1e-3, discriminator_rate=2e-3, batch_size=16, svc_every=1, average=0.99, iterations=1_200
    ),
}
# A critic that is not 3D gives a fainter signal (with every factorized layer there is one more layer of norm 1 to go
# through), and has to be faster still; with three factorized layers or more the generator has to be slower, too, or all
# latents give one clip.
FAST_CRITIC = {"generator_rate": 1e-3, "discriminator_rate": 1e-2}
DEEP_FACTORIZED = {"generator_rate": 5e-4, "discriminator_rate": 1e-2}


def _tgan_generator(preset: str, *, pixels: int = 64, temporal: int = 1, image: int = 1) -> NetworkConfig:
    size, channels = scaled(preset, pixels, 512 * image)
    widths = tuple(scaled(preset, 0, width * temporal)[1] for width in (512, 256, 128, 128))
    options = {"image_size": size, "temporal_channels": widths, "image_channels": channels}
    return NetworkConfig("tgan", options | ({"temporal_init": "xavier"} if preset == "lite" else {}))


def _lite_rates(kinds: tuple[str, ...]) -> dict[str, Any]:
    """The learning rates that suit a stack of these kinds at lite scale, where they are not those of TGAN's recipe."""
    if kinds == ALL_3D:
        return {}
    return DEEP_FACTORIZED if kinds.count("2+1d") > 2 else FAST_CRITIC


def _tgan(
    kinds: tuple[str, ...],
    *,
    pixels: int = 64,
    channels: int = 64,
    temporal: int = 1,
    image: int = 1,
    **recipe: Any,
) -> Configure:
    """TGAN's generator and recipe with a stack of the given kinds."""

    def configure(preset: str) -> Parts:
        lite = preset == "lite"
        rates = _lite_rates(kinds) if lite else {}
        return (
            _tgan_generator(preset, pixels=pixels, temporal=temporal, image=image),
            {"video": stack(preset, kinds, pixels=pixels, channels=channels, **({"init": "xavier"} if lite else {}))},
            replace(TGAN_RECIPES[preset], **rates, **recipe),
        )

    return configure


def with_kinds(kinds: tuple[str, ...], preset: str = "lite", *, name: str, **options: Any) -> VideoGANConfig:
    """TGAN's configuration with other layers in its discriminator, and at lite scale with the rates that suit them.

    Args:
        kinds: the kind of each layer.
        preset: as for `config`.
        name: how the model is to be called.
        options: further arguments of `VideoDiscriminator`, on top of TGAN's.
    """
    tgan = config("tgan", preset)
    video = tgan.discriminators["video"]
    video = replace(video, options=video.options | options | {"kinds": kinds})
    rates = _lite_rates(kinds) if preset == "lite" else {}
    return replace(tgan, name=name, discriminators={"video": video}).with_recipe(**rates)


_HIGH = factorized(2, of=5)

register("tgan", _tgan(ALL_3D), source="Tables 3a, 5a, 8: TGAN with SVC", paper_parameters="11M")
register(
    "tgan-normal",
    _tgan(ALL_3D, loss="non-saturating", svc_every=0),
    source="Table 3a: TGAN with the vanilla loss, without SVC",
    paper_parameters="11M",
)
register("tgan-c0", _tgan(factorized(1)), source="Table 5a: c0 factorized", paper_parameters="2.8M")
register(
    "tgan-f",
    _tgan(factorized(2)),
    source="Tables 5a, 8: c0-c1 factorized",
    paper_parameters="2.8M",
    aliases=("tgan-c0-c1",),
)
register("tgan-c0-c2", _tgan(factorized(3)), source="Table 5a: c0-c2 factorized", paper_parameters="3.1M")
register("tgan-c0-c3", _tgan(factorized(4)), source="Table 5a: c0-c3 factorized", paper_parameters="4.2M")
register("tgan-tsm-c0", _tgan(shifted(1)), source="Table 6a: shift after c0", paper_parameters="2.8M")
register("tgan-tsm-c0-c1", _tgan(shifted(2)), source="Table 6a: shift after c0 and c1", paper_parameters="2.8M")
register(
    "tgan-tsm",
    _tgan(shifted(3)),
    source="Tables 6a, 8: shift after c0, c1 and c2",
    paper_parameters="2.8M",
    aliases=("tgan-tsm-c0-c2",),
)
register(
    "tgan-f-128", _tgan(_HIGH, pixels=128), source="Table 9: TGAN-F at 128 px", paper_parameters="16M", counted="G + D"
)
register(
    "tgan-f-128-4x-temporal",
    _tgan(_HIGH, pixels=128, temporal=4),
    source="Table 9: + 4x temporal channels",
    paper_parameters="27M",
    counted="G + D",
)
register(
    "tgan-f-128-2x-image",
    _tgan(_HIGH, pixels=128, image=2),
    source="Table 9: + 2x image channels",
    paper_parameters="25M",
    counted="G + D",
)
register(
    "tgan-f-128-2x-time",
    _tgan(_HIGH, pixels=128, frame_stride=2),
    source="Table 9: + 2x time",
    paper_parameters="16M",
    counted="G + D",
)
register(
    "tgan-f-128-all",
    _tgan(_HIGH, pixels=128, channels=128, temporal=4, image=2, frame_stride=2),
    source="Table 9: + all",
    note="70M is met only with the discriminator's channels doubled too; else it would be 36.1M",
    paper_parameters="70M",
    counted="G + D",
)
register("tgan-f-256", _tgan(factorized(2, of=6), pixels=256), source="MUG figure: 256 px", counted="G + D")
