"""Names → video GANs. Every row of the paper's tables is a value here, not a class.

    gan = zoo.build("tgan-f", preset="lite")
    gan.generator, gan.discriminators["video"], gan.recipe

The preset ``"paper"`` is the published model; ``"lite"`` is the same with half the pixels along each side and a quarter
of the channels, layer for layer, and a recipe that shows something within a few hundred steps.
"""

import difflib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from ldvd_lib._tables import InColumns
from ldvd_lib.configuration import to_dict
from ldvd_lib.gan import NetworkConfig, Recipe, VideoGAN, VideoGANConfig

PRESETS = ("lite", "paper")

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
MOCOGAN_PAPER = Recipe(
    game="mocogan",
    loss="non-saturating",
    optimizer="adam",
    generator_rate=2e-4,
    discriminator_rate=2e-4,
    weight_decay=1e-5,
    svc_every=0,
    frame_stride=2,
)
MOCOGAN_RECIPES = {
    "paper": MOCOGAN_PAPER,
    "lite": replace(MOCOGAN_PAPER, batch_size=16, average=0.99, iterations=1_200),
}

ALL_3D = ("3d",) * 4
IMAGE = ("2d",) * 4


def factorized(layers: int, of: int = 4) -> tuple[str, ...]:
    """The first layers factorized, the rest 2D: c0 is ``factorized(1)``, c0-c1 ``factorized(2)``."""
    return ("2+1d",) * layers + ("2d",) * (of - layers)


def shifted(layers: int, of: int = 4) -> tuple[str, ...]:
    """A temporal shift after each of the first layers, every layer 2D."""
    return ("shift",) * layers + ("2d",) * (of - layers)


def _scaled(preset: str, image_size: int, channels: int) -> tuple[int, int]:
    return (image_size // 2, channels // 4) if preset == "lite" else (image_size, channels)


def _stack(
    preset: str, kinds: tuple[str, ...], *, pixels: int = 64, channels: int = 64, **options: Any
) -> NetworkConfig:
    size, channels = _scaled(preset, pixels, channels)
    return NetworkConfig("stack", {"kinds": kinds, "image_size": size, "base_channels": channels, **options})


def _tgan_generator(preset: str, *, pixels: int = 64, temporal: int = 1, image: int = 1) -> NetworkConfig:
    size, channels = _scaled(preset, pixels, 512 * image)
    widths = tuple(_scaled(preset, 0, width * temporal)[1] for width in (512, 256, 128, 128))
    options = {"image_size": size, "temporal_channels": widths, "image_channels": channels}
    return NetworkConfig("tgan", options | ({"temporal_init": "xavier"} if preset == "lite" else {}))


def _lite_rates(kinds: tuple[str, ...]) -> dict[str, float]:
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
) -> Callable[[str], tuple]:
    """TGAN's generator and recipe with a stack of the given kinds."""

    def configure(preset: str) -> tuple[NetworkConfig, dict[str, NetworkConfig], Recipe]:
        lite = preset == "lite"
        rates = _lite_rates(kinds) if lite else {}
        return (
            _tgan_generator(preset, pixels=pixels, temporal=temporal, image=image),
            {"video": _stack(preset, kinds, pixels=pixels, channels=channels, **({"init": "xavier"} if lite else {}))},
            replace(TGAN_RECIPES[preset], **rates, **recipe),
        )

    return configure


def _mocogan(*, categories: bool = False, recipe: dict[str, Any] | None = None, **discriminators: dict) -> Callable:
    """MoCoGAN's generator and recipe with the given discriminators: name → arguments of a stack."""

    def configure(preset: str) -> tuple[NetworkConfig, dict[str, NetworkConfig], Recipe]:
        size, channels = _scaled(preset, 64, 512)
        # As many categories as the data has classes: UCF-101's, or those of the built-in set.
        number = {"paper": 101, "lite": 12}[preset] if categories else 0
        generator = NetworkConfig("mocogan", {"image_size": size, "image_channels": channels, "num_categories": number})
        stacks = {}
        for name, options in discriminators.items():
            extra = {"num_frames": 1} if name == "image" else {"num_categories": number}
            stacks[name] = _stack(preset, **({"init": "default", "head": "patch"} | extra | options))
        return generator, stacks, replace(MOCOGAN_RECIPES[preset], **(recipe or {}))

    return configure


# MoCoGAN's own kernels take every frame (stride 1), and lose three at the ends in each layer; factorized ones lose one.
_VIDEO = {"kinds": ALL_3D, "time": (4, 1, 0)}
_IMAGE = {"kinds": IMAGE}


def _factorized_mocogan(layers: int, **options: Any) -> dict[str, Any]:
    return {"kinds": factorized(layers), "time": (4, 1, 1), **options}


@dataclass(frozen=True)
class Entry:
    """A name of the zoo.

    Attributes:
        name: the name.
        source: where the paper has it.
        configure: preset → generator, discriminators and recipe.
        paper_parameters: what the paper prints, for `counted`; empty where it prints none.
        counted: what that counts: ``"D"`` all discriminators, ``"G + D"`` everything.
        note: what to know, where ours and the paper's count disagree for example.
    """

    name: str
    source: str
    configure: Callable[[str], tuple[NetworkConfig, dict[str, NetworkConfig], Recipe]]
    paper_parameters: str = ""
    counted: str = "D"
    note: str = ""


_HIGH = factorized(2, of=5)
_REDUCTION_NOTE = "the paper's Table 8 prints a reduction of 69.61 %, which is c0-c2's; by count c0-c1 is 77.51 %"
_C3_NOTE = "the paper's Table 4a gives c3's 2D half 256 channels: that would be 2,052,864, not the 1M of its Table 5b"

_ENTRIES = (
    Entry("tgan", "Tables 3a, 5a, 8: TGAN with SVC", _tgan(ALL_3D), "11M"),
    Entry(
        "tgan-normal",
        "Table 3a: TGAN with the vanilla loss, without SVC",
        _tgan(ALL_3D, loss="non-saturating", svc_every=0),
        "11M",
    ),
    Entry("tgan-c0", "Table 5a: c0 factorized", _tgan(factorized(1)), "2.8M"),
    Entry("tgan-f", "Tables 5a, 8: c0-c1 factorized", _tgan(factorized(2)), "2.8M"),
    Entry("tgan-c0-c2", "Table 5a: c0-c2 factorized", _tgan(factorized(3)), "3.1M"),
    Entry("tgan-c0-c3", "Table 5a: c0-c3 factorized", _tgan(factorized(4)), "4.2M"),
    Entry("tgan-tsm-c0", "Table 6a: shift after c0", _tgan(shifted(1)), "2.8M"),
    Entry("tgan-tsm-c0-c1", "Table 6a: shift after c0 and c1", _tgan(shifted(2)), "2.8M"),
    Entry("tgan-tsm", "Tables 6a, 8: shift after c0, c1 and c2", _tgan(shifted(3)), "2.8M"),
    Entry("mocogan", "Tables 2, 8: image and video discriminator", _mocogan(image=_IMAGE, video=_VIDEO), "3.3M"),
    Entry(
        "mocogan-no-subsampling",
        "Table 2: no temporal subsampling",
        _mocogan(image=_IMAGE, video=_VIDEO, recipe={"frame_stride": 1}),
        "3.3M",
    ),
    Entry("mocogan-video", "Table 2: video discriminator only", _mocogan(video=_VIDEO), "2.7M"),
    Entry("mocogan-image", "Table 2: image discriminator only", _mocogan(image=_IMAGE), ".7M"),
    Entry(
        "mocogan-2x",
        "Table 2: twice the channels",
        _mocogan(image=_IMAGE | {"channels": 128}, video=_VIDEO | {"channels": 128}),
        "13.2M",
    ),
    Entry(
        "mocogan-2x-video",
        "Table 2: twice the channels, video only",
        _mocogan(video=_VIDEO | {"channels": 128}),
        "10.5M",
    ),
    Entry(
        "mocogan-video-k2",
        "Table 2: video only, kernel size 2",
        _mocogan(video={"kinds": ALL_3D, "space": (2, 2, 0), "time": (2, 1, 0)}),
        ".3M",
    ),
    Entry(
        "mocogan-image-k8",
        "Table 2: image only, kernel size 8",
        _mocogan(image=_IMAGE | {"space": (8, 2, 3)}),
        "2.7M",
    ),
    Entry(
        "mocogan-categories",
        "Tulyakov et al. 2018: categorical, non-patch video discriminator",
        _mocogan(categories=True, image=_IMAGE, video=_VIDEO | {"head": "volume"}),
    ),
    Entry("mocogan-f-c0", "Table 5b: c0 factorized", _mocogan(video=_factorized_mocogan(1)), "0.7M"),
    Entry(
        "mocogan-f",
        "Tables 5b, 8: c0-c1 factorized",
        _mocogan(video=_factorized_mocogan(2)),
        "0.7M",
        note=_REDUCTION_NOTE,
    ),
    Entry("mocogan-f-c0-c2", "Table 5b: c0-c2 factorized", _mocogan(video=_factorized_mocogan(3)), "1M"),
    Entry("mocogan-f-c0-c3", "Table 5b: c0-c3 factorized", _mocogan(video=_factorized_mocogan(4)), "1M", note=_C3_NOTE),
    Entry("mocogan-tsm-c0", "Table 6b: shift after c0", _mocogan(video={"kinds": shifted(1)}), "0.7M"),
    Entry("mocogan-tsm", "Tables 6b, 8: shift after c0 and c1", _mocogan(video={"kinds": shifted(2)}), "0.7M"),
    Entry("mocogan-tsm-c0-c2", "Table 6b: shift after c0, c1 and c2", _mocogan(video={"kinds": shifted(3)}), "0.7M"),
    Entry(
        "mocogan-f-sn",
        "Table 8: MoCoGAN-F with spectral normalisation",
        _mocogan(video=_factorized_mocogan(2, spectral=True)),
        "0.7M",
        note=_REDUCTION_NOTE,
    ),
    Entry(
        "mocogan-tgan-f",
        "Table 8: MoCoGAN with TGAN-F's discriminator",
        _mocogan(video={"kinds": factorized(2), "head": "pooled"}),
        "2.8M",
        note="the paper's Table 8 prints a reduction of 15.16 %; by count it is 14.08 %",
    ),
    Entry("tgan-f-128", "Table 9: TGAN-F at 128 px", _tgan(_HIGH, pixels=128), "16M", "G + D"),
    Entry(
        "tgan-f-128-4x-temporal",
        "Table 9: + 4x temporal channels",
        _tgan(_HIGH, pixels=128, temporal=4),
        "27M",
        "G + D",
    ),
    Entry("tgan-f-128-2x-image", "Table 9: + 2x image channels", _tgan(_HIGH, pixels=128, image=2), "25M", "G + D"),
    Entry("tgan-f-128-2x-time", "Table 9: + 2x time", _tgan(_HIGH, pixels=128, frame_stride=2), "16M", "G + D"),
    Entry(
        "tgan-f-128-all",
        "Table 9: + all",
        _tgan(_HIGH, pixels=128, channels=128, temporal=4, image=2, frame_stride=2),
        "70M",
        "G + D",
        note="70M is met only with the discriminator's channels doubled too; else it would be 36.1M",
    ),
    Entry("tgan-f-256", "MUG figure: 256 px", _tgan(factorized(2, of=6), pixels=256), counted="G + D"),
)
ENTRIES = {entry.name: entry for entry in _ENTRIES}
ALIASES = {"tgan-c0-c1": "tgan-f", "tgan-tsm-c0-c2": "tgan-tsm", "mocogan-f-c0-c1": "mocogan-f"}


def config(name: str, preset: str = "lite") -> VideoGANConfig:
    """The configuration of a named model.

    Args:
        name: a key of `ENTRIES`, for example ``"tgan-f"``; `list` shows them. ``"tgan-c0-c1"`` is ``"tgan-f"``.
        preset: ``"lite"`` (half the pixels along each side, a quarter of the channels: a laptop's) or ``"paper"`` (as
            published).

    Returns:
        A configuration; change its recipe with `VideoGANConfig.with_recipe`, build it with `VideoGANConfig.build`.

    Raises:
        ValueError: for an unknown name (suggesting the nearest) or preset.
    """
    name = ALIASES.get(name, name)
    if name not in ENTRIES:
        near = difflib.get_close_matches(name, ENTRIES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the zoo has {sorted(ENTRIES)}"
        raise ValueError(f"no model is called {name!r}: {hint}")
    if preset not in PRESETS:
        raise ValueError(f"preset {preset!r} is unknown: choose one of {PRESETS}")
    generator, discriminators, recipe = ENTRIES[name].configure(preset)
    return VideoGANConfig(name, preset, generator, discriminators, recipe)


def with_kinds(kinds: tuple[str, ...], preset: str = "lite", *, name: str, **options: Any) -> VideoGANConfig:
    """TGAN's configuration with other layers in its discriminator, and at lite scale with the rates that suit them.

    Args:
        kinds: the kind of each layer.
        preset: as for `config`.
        name: how the model is to be called.
        options: further arguments of `VideoDiscriminator`, on top of TGAN's.
    """
    tgan = config("tgan", preset)
    stack = tgan.discriminators["video"]
    stack = replace(stack, options=stack.options | options | {"kinds": kinds})
    rates = _lite_rates(kinds) if preset == "lite" else {}
    return replace(tgan, name=name, discriminators={"video": stack}).with_recipe(**rates)


def build(name: str, preset: str = "lite", *, seed: int = 0) -> VideoGAN:
    """Build a named model with weights drawn from a seed; see `config` for the arguments and errors."""
    return config(name, preset).build(seed=seed)


def compare(given: VideoGANConfig) -> tuple[bool, dict[str, Any]]:
    """Whether a configuration is one of the zoo.

    Args:
        given: perhaps read back from a run, perhaps with other rates.

    Returns:
        Whether its networks are those that the zoo has under its name and preset; and which values of its recipe are
        not the zoo's, but for how long it goes on (empty if the name is none of the zoo's).
    """
    if given.name not in ENTRIES or given.preset not in PRESETS:
        return False, {}
    published = config(given.name, given.preset)
    # As JSON has them, where a tuple is a list: configurations of runs have been there.
    ours, theirs = (json.loads(json.dumps(to_dict(some))) for some in (published, given))
    recipe = ours.pop("recipe")
    changes = {key: value for key, value in theirs.pop("recipe").items() if value != recipe[key]}
    changes.pop("iterations", None)
    return ours == theirs, changes


@dataclass(frozen=True)
class Row:
    """A line of the table of `list`."""

    name: str
    source: str
    counted: str
    paper: str
    ours: int
    lite: int
    note: str


class Table(InColumns, list[Row]):
    """The rows of `list`; prints as text, shows as HTML in a notebook."""

    HEADINGS = ("name", "where", "counted", "paper", "ours", "lite", "note")
    FIGURES = (3, 4, 5)

    def cells(self) -> list[tuple[str, ...]]:
        """A line of text for each model, under `HEADINGS`."""
        return [(r.name, r.source, r.counted, r.paper or "–", f"{r.ours:,}", f"{r.lite:,}", r.note) for r in self]


def list(match: str = "") -> Table:
    """The models of the zoo with their parameters, ours and the paper's.

    Args:
        match: only names that contain this.

    Returns:
        A table; each `Row` has name, place in the paper, what is counted, the paper's figure, ours at the paper's
        scale, ours at lite scale, and a note where the two disagree.
    """
    rows = Table()
    for entry in ENTRIES.values():
        if match not in entry.name:
            continue
        counts = {}
        for preset in PRESETS:
            with torch.device("meta"):
                gan = build(entry.name, preset)
            counted: nn.Module = gan.discriminators if entry.counted == "D" else gan
            counts[preset] = sum(parameter.numel() for parameter in counted.parameters())
        paper, ours, lite = entry.paper_parameters, counts["paper"], counts["lite"]
        rows.append(Row(entry.name, entry.source, entry.counted, paper, ours, lite, entry.note))
    return rows
