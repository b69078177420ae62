"""A video GAN and a store small enough to train in a moment."""

import numpy as np
import pytest

from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.gan import NetworkConfig, Recipe, VideoGANConfig


@pytest.fixture
def tiny_config() -> VideoGANConfig:
    """A TGAN of 8 px and 4 frames."""
    generator = {"image_size": 8, "num_frames": 4, "latent_dim": 6, "temporal_channels": (8, 8), "image_channels": 8}
    stack = {"kinds": ("3d",), "image_size": 8, "num_frames": 4, "base_channels": 4, "init": "xavier"}
    return VideoGANConfig(
        "tiny",
        "lite",
        NetworkConfig("tgan", {**generator, "image_init": "xavier", "temporal_init": "xavier"}),
        {"video": NetworkConfig("stack", stack)},
        Recipe(generator_rate=1e-3, discriminator_rate=1e-3, batch_size=4, average=0.9),
    )


@pytest.fixture
def tiny_store() -> ClipStore:
    """Six clips of ten frames of noise, in memory."""
    clips = np.random.default_rng(0).integers(0, 256, (6, 10, 8, 8, 3), dtype=np.uint8)
    return ClipStore.from_clips(clips, labels=[0, 1] * 3, class_names=["Noise", "Other"])


@pytest.fixture
def make_sampler(tiny_store):
    """A function that makes a sampler of the tiny store."""

    def make(seed: int = 0) -> WindowSampler:
        return WindowSampler(tiny_store, batch_size=4, num_frames=4, seed=seed)

    return make
