"""VGAN, the first of the tables' video GANs.

Source: Vondrick et al. 2016, "Generating Videos with Scene Dynamics", and `cvondrick/videogan`, ``main.lua``; LDVD
paper, Table 8; MODELS §10.
"""

from dataclasses import replace

from ldvd_lib.gan import NetworkConfig
from ldvd_lib.recipe import Recipe
from ldvd_lib.zoo.registry import Parts, register
from ldvd_lib.zoo.scale import ALL_3D, scaled

# "step" is what the published code does: one batch of fakes for both players. How long it trained on UCF-101, the
# sources do not say; the number of iterations is that of the LDVD paper's other rows.
VGAN_RECIPES = {
    "paper": Recipe(
        game="tgan",
        loss="non-saturating",
        optimizer="adam",
        generator_rate=2e-4,
        discriminator_rate=2e-4,
        batch_size=64,
        svc_every=0,
    ),
}
VGAN_RECIPES["lite"] = replace(VGAN_RECIPES["paper"], batch_size=16, average=0.99, iterations=1_200)


@register(
    "vgan",
    source="Table 8: VGAN; Vondrick et al. 2016",
    note="the paper prints no count; D is 11,057,858, with two outputs, as in the published code",
)
def vgan(preset: str) -> Parts:
    """VGAN's configuration; at lite scale 16 frames (and with ``num_frames=32`` as many as published)."""
    size, channels = scaled(preset, 64, 512)
    frames = 16 if preset == "lite" else 32
    generator = NetworkConfig("vgan", {"image_size": size, "num_frames": frames, "channels": channels})
    # Frames halve as often as pixels: in four layers at 64 pixels, and in three at 32.
    video = {
        "kinds": ALL_3D if preset == "paper" else ALL_3D[:3],
        "image_size": size,
        "num_frames": frames,
        "base_channels": scaled(preset, 0, 64)[1],
        "head": "two-way",
        "bias": True,
        "norm_eps": 1e-3,
        "init": "normal",
    }
    return generator, {"video": NetworkConfig("stack", video)}, VGAN_RECIPES[preset]
