"""ProVGAN, which grows in space and time while it is trained; with the loss of WGAN-GP, and with a sliced critic.

Source: Acharya et al. 2018, "Towards High Resolution Video Generation with Progressive Growing of Sliced Wasserstein
GANs"; the networks and values are those of the authors' code, `musikisomorphie/swd` (``networks.py`` and
``progressive_training``), which is set to 32 frames of 256 pixels; LDVD paper, Table 9; MODELS §10.
"""

from dataclasses import replace
from typing import Any

from ldvd_lib.gan import NetworkConfig
from ldvd_lib.recipe import Recipe
from ldvd_lib.zoo.registry import Configure, Parts, register

# Of the published code, this is left out: smaller batches as pixels grow (32 clips at 4 pixels, 4 at 256), a learning
# rate of 1.5e-3 from 128 pixels on, and forgetting Adam's moments at each new stage. A stage trains on 600,000 clips
# there, fades in over as many, and 12 million are seen in all: with 16 in a batch, the steps below.
BATCH = 16
STEPS = 600_000 // BATCH
PROVGAN_PAPER = Recipe(
    game="provgan",
    loss="wasserstein",
    optimizer="adam",
    generator_rate=1e-3,
    discriminator_rate=1e-3,
    betas=(0.0, 0.99),
    batch_size=BATCH,
    svc_every=0,
    gradient_penalty=10.0,
    drift=1e-3,
    flip=True,
    average=0.999,
    iterations=12_000_000 // BATCH,
)
LITE_STEPS = {"stage_steps": 300, "fade_steps": 100}
RECIPES = {
    "paper": PROVGAN_PAPER,
    # Weights of an equalised layer begin at a deviation of 1, and Adam moves them by the rate at each step. With 1e-3
    # they go nowhere in the few hundred steps of a stage, and the critic runs away from the generator (tried: at 1e-3,
    # and at 3e-4 for the generator alone, colours drift until nothing is to be seen).
    "lite": replace(
        PROVGAN_PAPER, generator_rate=4e-3, discriminator_rate=4e-3, batch_size=8, average=0.99, iterations=1_500
    ),
}
# The sliced form asks for gradients of norm 0, with weight 50 times a square that is 1/3 on average there; and for no
# small scores.
SLICED: dict[str, Any] = {"gradient_penalty": 50 / 3, "gradient_target": 0.0, "drift": 0.0}
# Frames of each stage from 4 pixels on, in the published code: they double with every second stage. (By the paper's
# abstract, clips may also grow in both at once, as they do without `frames`.)
FRAMES = (4, 8, 8, 16, 16, 32, 32)


def _provgan(*, sliced: bool) -> Configure:
    def configure(preset: str) -> Parts:
        if preset == "paper":
            both = {"frames": FRAMES, "stage_steps": STEPS, "fade_steps": STEPS}
        else:
            channels = {"base_channels": 128, "max_channels": 32}
            both = {"image_size": 32, "num_frames": 16, **channels, **LITE_STEPS}
        head = {"head": "sliced"} if sliced else {}
        recipe = replace(RECIPES[preset], **(SLICED if sliced else {}))
        return NetworkConfig("provgan", both), {"video": NetworkConfig("growing", both | head)}, recipe

    return configure


register("provgan", _provgan(sliced=False), source="Table 9: ProVGAN; Acharya et al. 2018", counted="G + D")
register("provgan-sw", _provgan(sliced=True), source="Table 9: ProVGAN + SWGAN; Acharya et al. 2018", counted="G + D")
