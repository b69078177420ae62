"""TGANv2, and what its authors' ablation makes of it.

Source: Saito et al. 2020, "Train Sparsely, Generate Densely: Memory-efficient Unsupervised Training of High-resolution
Temporal GAN", and the released code; MODELS §2.
"""

from dataclasses import replace
from typing import Any

from ldvd_lib.gan import NetworkConfig
from ldvd_lib.recipe import Recipe
from ldvd_lib.zoo.registry import Configure, Parts, register

# The code trains on four GPUs of 8 videos, adds 10 times the *sum* of the squared gradients of its 8, and averages over
# GPUs. A recipe's `r1` weighs the mean over the batch, here of all 32: 8 × 10. (Batch normalisation is over all GPUs
# there, too.)
TGANV2_PAPER = Recipe(
    game="tganv2",
    loss="non-saturating",
    optimizer="adam",
    generator_rate=1e-4,
    discriminator_rate=1e-4,
    betas=(0.0, 0.9),
    batch_size=32,
    svc_every=0,
    r1=80.0,
    flip=True,
)
# At lite scale one step of the discriminator, as in the authors' best run, for three would take most of the time; rates
# five times as high, for there are few steps; and a weight of R1 with which it comes to less than a tenth of the loss.
TGANV2_RECIPES = {
    "paper": TGANV2_PAPER,
    "lite": replace(
        TGANV2_PAPER,
        game="tgan",
        generator_rate=5e-4,
        discriminator_rate=5e-4,
        batch_size=16,
        r1=1.0,
        average=0.99,
        iterations=1_200,
    ),
}
_GENERATOR: dict[str, dict[str, Any]] = {
    "paper": {},  # the defaults
    "lite": {
        "image_size": 32,
        "map_size": 4,
        "latent_dim": 64,
        "recurrent_channels": 64,
        "base_channels": 32,
        "levels": 3,
    },
}
_DISCRIMINATOR: dict[str, dict[str, Any]] = {
    "paper": {},
    "lite": {"image_size": 32, "base_channels": 16, "num_blocks": 4, "levels": 3},
}


def _tganv2(*, subsampling: str = "both", paper: dict[str, Any] | None = None, **recipe: Any) -> Configure:
    """TGANv2 with this subsampling and these values in its recipe, and those of `paper` at the published scale only."""

    def configure(preset: str) -> Parts:
        shared = {"subsampling": subsampling}
        changes = recipe | ((paper or {}) if preset == "paper" else {})
        return (
            NetworkConfig("tganv2", _GENERATOR[preset] | shared),
            {"levels": NetworkConfig("levels", _DISCRIMINATOR[preset] | shared)},
            replace(TGANV2_RECIPES[preset], **changes),
        )

    return configure


register(
    "tganv2",
    _tganv2(),
    source="Table 9: TGANv2, frames and batch subsampled",
    note="the paper rounds to hundreds of millions",
    paper_parameters="200M",
    counted="G + D",
)
register(
    "tganv2-frames",
    _tganv2(subsampling="frames"),
    source="Saito et al. 2020: subsampling frames only",
    counted="G + D",
)
register(
    "tganv2-batch",
    _tganv2(subsampling="batch"),
    source="Saito et al. 2020: reducing the batch only",
    counted="G + D",
)
register("tganv2-none", _tganv2(subsampling="none"), source="Saito et al. 2020: no subsampling", counted="G + D")
register(
    "tganv2-svc",
    _tganv2(r1=0.0, svc_every=1, paper={"svc_every": 5}),
    source="not in the paper: TGAN's singular value clipping in place of R1",
    counted="G + D",
)
register(
    "tganv2-best",
    # 32 videos on each of four GPUs, and 0.5 times the sum over 32.
    _tganv2(subsampling="frames", game="tgan", rate_decay="linear", paper={"batch_size": 128, "r1": 16.0}),
    source="README of the released code: its best run (IS 25.07)",
    counted="G + D",
)
