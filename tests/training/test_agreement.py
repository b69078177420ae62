"""What SSW-GAN's matching discriminator is for: without it a stage does as it likes."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ldvd_lib.blocks import coarse
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.gan import NetworkConfig, VideoGAN, VideoGANConfig
from ldvd_lib.objective import Objective
from ldvd_lib.recipe import GAMES, Recipe
from ldvd_lib.training import Players, Source, play
from ldvd_lib.training.sampling import evaluation

SIZE, FRAMES, CLIPS, STEPS = 16, 8, 48, 90


def squares() -> ClipStore:
    """A square that moves over a ground, each of any colour."""
    random = np.random.default_rng(0)
    clips = np.empty((CLIPS, FRAMES, SIZE, SIZE, 3), dtype=np.uint8)
    clips[:] = random.integers(0, 256, (CLIPS, 1, 1, 1, 3))
    for clip in clips:
        colour, place, step = random.integers(0, 256, 3), random.integers(0, SIZE, 2), random.integers(-1, 2, 2)
        for time, frame in enumerate(clip):
            rows, columns = ((place + time * step)[:, None] + np.arange(6)) % SIZE
            frame[np.ix_(rows, columns)] = colour
    return ClipStore.from_clips(clips)


class Perfect(nn.Module):
    """A stage 1 that has learnt everything: what it paints are real clips, coarsely."""

    def __init__(self, videos: Tensor) -> None:
        super().__init__()
        self.register_buffer("videos", coarse(videos))

    def forward(self, told: Tensor) -> Tensor:
        return self.videos[(told[:, 0].abs() * 1e4).long() % len(self.videos)]


def build(store: ClipStore, *, matching: bool, seed: int) -> VideoGAN:
    sizes = {"image_size": SIZE, "num_frames": FRAMES, "stages": 2, "window": 4}
    widths = {"noise_dim": 8, "channels": (4, 4), "blocks": 1, "upscaling_channels": (16, 16), "upscaling_blocks": 1}
    critic = {"image_size": SIZE, "channels": (8, 16, 16)}
    temporal = {"num_frames": 4, "pooling": 2, "temporal_blocks": 2}
    discriminators = {
        "spatial": NetworkConfig("dvd-gan", critic | {"num_frames": 2}),
        "temporal": NetworkConfig("dvd-gan", critic | temporal),
    }
    if matching:
        discriminators["matching"] = NetworkConfig("matching", critic | {"num_frames": 4})
    recipe = Recipe(
        game="tgan",
        loss="hinge",
        optimizer="adam",
        generator_rate=3e-3,
        discriminator_rate=3e-3,
        betas=(0.0, 0.99),
        batch_size=8,
        svc_every=0,
    )
    gan = VideoGANConfig("stage 2", "lite", NetworkConfig("ssw-gan", sizes | widths), discriminators, recipe).build(
        seed=seed
    )
    gan.generator.stages[0] = Perfect(WindowSampler(store, batch_size=CLIPS, num_frames=FRAMES).next_batch().video)
    return gan


def disagreement(*, matching: bool, seed: int) -> float:
    """Of what a trained stage 2 paints, made coarse: the mean distance from what it was given, relative to others'.

    1 is chance: a clip is as far from what it was made from as from what another clip was made from.
    """
    store = squares()
    gan = build(store, matching=matching, seed=seed).train()
    sampler = WindowSampler.for_gan(gan, store, seed=seed)
    players, objective = Players(gan), Objective(gan.discriminators, gan.recipe)
    source = Source(sampler.next_batch, gan.recipe.batch_size, torch.Generator().manual_seed(seed))
    for _ in range(STEPS):
        play(GAMES[gan.recipe.game], objective, players, source)
    with evaluation(gan.generator) as generator:
        latents = generator.sample_latents(64, generator=torch.Generator().manual_seed(1))
        given, painted = generator.stage_videos(latents)
    own, others = ((coarse(painted) - given.roll(shift, 0)).abs().mean() for shift in (0, 1))
    return (own / others).item()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_with_a_matching_discriminator_a_stage_agrees_far_better_with_what_it_was_given(seed: int) -> None:
    with_it, without = (disagreement(matching=matching, seed=seed) for matching in (True, False))
    assert with_it < 0.65
    assert without > 0.8
