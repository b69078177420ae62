"""Names → video GANs. Every row of the paper's tables is a value here, not a class.

    gan = zoo.build("tgan-f", preset="lite")
    gan.generator, gan.discriminators["video"], gan.recipe

The preset ``"paper"`` is the published model; ``"lite"`` is the same with half the pixels along each side and a quarter
of the channels, layer for layer, and a recipe that shows something within a few hundred steps. (TGANv2 shrinks from 192
to 32 pixels, and so has fewer blocks and levels, too; DVD-GAN becomes narrower still, and its generator has a block
where it had two.) `register` adds a network or a model of one's own.
"""

from ldvd_lib.zoo import tgan, mocogan, vgan, provgan, tganv2, dvdgan, sswgan  # isort: skip  # registers them, in this order
from ldvd_lib.zoo.building import PRESETS, build, compare, config
from ldvd_lib.zoo.registry import ALIASES, ENTRIES, Entry, register
from ldvd_lib.zoo.scale import ALL_3D, IMAGE, factorized, shifted
from ldvd_lib.zoo.table import Row, Table, list_models
from ldvd_lib.zoo.tgan import with_kinds

__all__ = [
    "ALIASES",
    "ALL_3D",
    "ENTRIES",
    "IMAGE",
    "PRESETS",
    "Entry",
    "Row",
    "Table",
    "build",
    "compare",
    "config",
    "dvdgan",
    "factorized",
    "list_models",
    "mocogan",
    "provgan",
    "register",
    "shifted",
    "sswgan",
    "tgan",
    "tganv2",
    "vgan",
    "with_kinds",
]
