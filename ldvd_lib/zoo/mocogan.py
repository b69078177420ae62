"""MoCoGAN, and what the LDVD paper makes of its discriminators.

Source: LDVD paper, Tables 2, 5b, 6b and 8; MODELS §2 to §4.
"""

from dataclasses import replace
from typing import Any

from ldvd_lib.gan import NetworkConfig
from ldvd_lib.recipe import Recipe
from ldvd_lib.zoo.registry import Configure, Parts, register
from ldvd_lib.zoo.scale import ALL_3D, IMAGE, factorized, scaled, shifted, stack

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


def _mocogan(*, categories: bool = False, recipe: dict[str, Any] | None = None, **discriminators: dict) -> Configure:
    """MoCoGAN's generator and recipe with the given discriminators: name → arguments of a stack."""

    def configure(preset: str) -> Parts:
        size, channels = scaled(preset, 64, 512)
        # As many categories as the data has classes: UCF-101's, or those of the built-in set.
        number = {"paper": 101, "lite": 12}[preset] if categories else 0
        generator = NetworkConfig("mocogan", {"image_size": size, "image_channels": channels, "num_categories": number})
        stacks = {}
        for name, options in discriminators.items():
            extra = {"num_frames": 1} if name == "image" else {"num_categories": number}
            stacks[name] = stack(preset, **({"init": "default", "head": "patch"} | extra | options))
        return generator, stacks, replace(MOCOGAN_RECIPES[preset], **(recipe or {}))

    return configure


# MoCoGAN's own kernels take every frame (stride 1), and lose three at the ends in each layer; factorized ones lose one.
_VIDEO = {"kinds": ALL_3D, "time": (4, 1, 0)}
_IMAGE = {"kinds": IMAGE}


def _factorized_mocogan(layers: int, **options: Any) -> dict[str, Any]:
    return {"kinds": factorized(layers), "time": (4, 1, 1), **options}


_REDUCTION_NOTE = "the paper's Table 8 prints a reduction of 69.61 %, which is c0-c2's; by count c0-c1 is 77.51 %"
_C3_NOTE = "the paper's Table 4a gives c3's 2D half 256 channels: that would be 2,052,864, not the 1M of its Table 5b"

register(
    "mocogan",
    _mocogan(image=_IMAGE, video=_VIDEO),
    source="Tables 2, 8: image and video discriminator",
    paper_parameters="3.3M",
)
register(
    "mocogan-no-subsampling",
    _mocogan(image=_IMAGE, video=_VIDEO, recipe={"frame_stride": 1}),
    source="Table 2: no temporal subsampling",
    paper_parameters="3.3M",
)
register("mocogan-video", _mocogan(video=_VIDEO), source="Table 2: video discriminator only", paper_parameters="2.7M")
register("mocogan-image", _mocogan(image=_IMAGE), source="Table 2: image discriminator only", paper_parameters=".7M")
register(
    "mocogan-2x",
    _mocogan(image=_IMAGE | {"channels": 128}, video=_VIDEO | {"channels": 128}),
    source="Table 2: twice the channels",
    paper_parameters="13.2M",
)
register(
    "mocogan-2x-video",
    _mocogan(video=_VIDEO | {"channels": 128}),
    source="Table 2: twice the channels, video only",
    paper_parameters="10.5M",
)
register(
    "mocogan-video-k2",
    _mocogan(video={"kinds": ALL_3D, "space": (2, 2, 0), "time": (2, 1, 0)}),
    source="Table 2: video only, kernel size 2",
    paper_parameters=".3M",
)
register(
    "mocogan-image-k8",
    _mocogan(image=_IMAGE | {"space": (8, 2, 3)}),
    source="Table 2: image only, kernel size 8",
    paper_parameters="2.7M",
)
register(
    "mocogan-categories",
    _mocogan(categories=True, image=_IMAGE, video=_VIDEO | {"head": "volume"}),
    source="Tulyakov et al. 2018: categorical, non-patch video discriminator",
)
register(
    "mocogan-f-c0", _mocogan(video=_factorized_mocogan(1)), source="Table 5b: c0 factorized", paper_parameters="0.7M"
)
register(
    "mocogan-f",
    _mocogan(video=_factorized_mocogan(2)),
    source="Tables 5b, 8: c0-c1 factorized",
    note=_REDUCTION_NOTE,
    paper_parameters="0.7M",
    aliases=("mocogan-f-c0-c1",),
)
register(
    "mocogan-f-c0-c2",
    _mocogan(video=_factorized_mocogan(3)),
    source="Table 5b: c0-c2 factorized",
    paper_parameters="1M",
)
register(
    "mocogan-f-c0-c3",
    _mocogan(video=_factorized_mocogan(4)),
    source="Table 5b: c0-c3 factorized",
    note=_C3_NOTE,
    paper_parameters="1M",
)
register(
    "mocogan-tsm-c0", _mocogan(video={"kinds": shifted(1)}), source="Table 6b: shift after c0", paper_parameters="0.7M"
)
register(
    "mocogan-tsm",
    _mocogan(video={"kinds": shifted(2)}),
    source="Tables 6b, 8: shift after c0 and c1",
    paper_parameters="0.7M",
)
register(
    "mocogan-tsm-c0-c2",
    _mocogan(video={"kinds": shifted(3)}),
    source="Table 6b: shift after c0, c1 and c2",
    paper_parameters="0.7M",
)
register(
    "mocogan-f-sn",
    _mocogan(video=_factorized_mocogan(2, spectral=True)),
    source="Table 8: MoCoGAN-F with spectral normalisation",
    note=_REDUCTION_NOTE,
    paper_parameters="0.7M",
)
register(
    "mocogan-tsm-sn",
    _mocogan(video={"kinds": shifted(2), "spectral": True}),
    source="not in the paper: a test of why it says that shifts do poorly with MoCoGAN",
)
register(
    "mocogan-tgan-f",
    _mocogan(video={"kinds": factorized(2), "head": "pooled"}),
    source="Table 8: MoCoGAN with TGAN-F's discriminator",
    note="the paper's Table 8 prints a reduction of 15.16 %; by count it is 14.08 %",
    paper_parameters="2.8M",
)
