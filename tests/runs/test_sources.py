"""Sequences of videos that are the same however they are asked for."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ldvd_lib import zoo
from ldvd_lib.data import ClipStore, prepare_beside
from ldvd_lib.generators import TGANGenerator, VideoGenerator
from ldvd_lib.metrics import open_judge
from ldvd_lib.runs.scores import real_features
from ldvd_lib.runs.sources import (
    check_length,
    describe_store,
    describe_windows,
    digest_weights,
    from_generator,
    from_store,
)


def tiny(num_frames: int) -> TGANGenerator:
    """A generator of clips of some length."""
    channels, starts = (4,) * (num_frames.bit_length() - 1), {"temporal_init": "xavier", "image_init": "xavier"}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return TGANGenerator(8, num_frames, 6, temporal_channels=channels, image_channels=4, **starts).eval()


@pytest.fixture(scope="module")
def store(tiny_actions):
    return prepare_beside(tiny_actions, image_size=32, subset="all", progress=False)


@pytest.fixture(scope="module", params=["store", "tgan", "mocogan", "windows"])
def make(request: pytest.FixtureRequest):
    """Batch size → a source."""
    if request.param == "store":
        store = request.getfixturevalue("store")
        return lambda batch_size: from_store(store, batch_size=batch_size)
    if request.param == "windows":
        return lambda batch_size: from_generator(tiny(32), num_frames=16, batch_size=batch_size)
    generator = zoo.build(request.param).generator
    return lambda batch_size: from_generator(generator, batch_size=batch_size)


def test_the_sequence_does_not_depend_on_batches_or_beginning(make) -> None:
    whole = torch.cat(list(make(7)(3, 7, 0)))
    assert whole.shape[:3] == (7, 3, 16)
    assert whole.abs().max() <= 1
    assert not torch.equal(whole[0], whole[1])
    batches = list(make(3)(3, 7, 2))
    assert [len(batch) for batch in batches] == [3, 2]
    # Convolution libraries may choose another algorithm for another batch size.
    torch.testing.assert_close(torch.cat(batches), whole[2:], atol=1e-5, rtol=1e-5)
    assert not torch.equal(next(make(7)(4, 7, 0)), whole)


def test_real_windows_may_leave_frames_out() -> None:
    clip = np.zeros((40, 4, 4, 3), np.uint8) + np.arange(40, dtype=np.uint8)[:, None, None, None]
    (videos,) = from_store(ClipStore.from_clips([clip]), num_frames=16, stride=2)(0, 5)
    frames = ((videos[:, 0, :, 0, 0] + 1) * 127.5).round()
    assert (frames.diff(dim=1) == 2).all() and len(frames[:, 0].unique()) > 1


def test_batches_are_made_when_they_are_asked_for(make) -> None:
    assert len(next(make(2)(0, 10**5, 0))) == 2


def test_a_generator_is_left_in_evaluation_mode_without_gradients() -> None:
    generator = zoo.build("tgan").generator.train()
    videos = next(from_generator(generator)(0, 1, 0))
    assert not generator.training
    assert not videos.requires_grad


class Counts(VideoGenerator):
    """Clips whose every frame shows its number, and the clip's latent."""

    image_size, num_frames, latent_dim = 2, 32, 1

    def __init__(self) -> None:
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        return torch.rand(n, 1, generator=generator)

    def forward(self, latents: Tensor) -> Tensor:
        numbers = torch.arange(32.0).div(64).view(1, 1, 32, 1, 1).expand(len(latents), 3, 32, 2, 2).clone()
        numbers[:, 0] = latents.view(-1, 1, 1, 1)
        return numbers


def test_windows_are_consecutive_frames_at_places_that_the_seed_decides() -> None:
    whole, windows, again, other = (
        next(from_generator(Counts(), num_frames=n, batch_size=200)(seed, 200, 0))
        for n, seed in [(None, 5), (16, 5), (16, 5), (16, 6)]
    )
    assert windows.shape == (200, 3, 16, 2, 2)
    frames = windows[:, 1, :, 0, 0] * 64
    assert torch.equal(frames - frames[:, :1], torch.arange(16.0).expand(200, 16))
    assert set(frames[:, 0].tolist()) == set(range(17))  # every place there is, the last one too
    assert torch.equal(windows[:, 0], whole[:, 0, :16])  # the same clips as without windows
    assert torch.equal(again, windows)
    assert not torch.equal(other[:, 1], windows[:, 1])


def test_clips_of_the_protocols_length_are_left_as_they_are() -> None:
    generator = tiny(16)
    whole, windows = (next(from_generator(generator, num_frames=n)(3, 8, 0)) for n in (None, 16))
    assert torch.equal(whole, windows)


def test_clips_that_are_too_short_are_refused_before_anything_is_made() -> None:
    with pytest.raises(ValueError, match=r"windows of 16 frames.*clips of 8: .*16 frames or more"):
        from_generator(tiny(8), num_frames=16)
    with pytest.raises(ValueError, match="clips of 8"):
        check_length(tiny(8), 16)
    assert next(from_generator(tiny(8))(0, 2, 0)).shape == (2, 3, 8, 8, 8)


def test_windows_are_described_where_they_are_not_the_whole_clip() -> None:
    assert describe_windows(tiny(32), 16) == "windows of 16 of 32 frames"
    assert describe_windows(tiny(16), 16) == ""


def test_features_of_clips_in_memory_say_which_clips(tmp_path) -> None:
    clips = np.random.default_rng(0).integers(0, 256, (2, 3, 16, 32, 32, 3), dtype=np.uint8)
    stores = [ClipStore.from_clips(arrays) for arrays in clips]
    judge, options = open_judge("actions"), {"directory": tmp_path / "features", "samples": 2, "progress": False}
    features = real_features(judge, stores[0], **options)
    assert features.record["videos"] == describe_store(stores[0])
    assert real_features(judge, stores[0], **options).record == features.record
    with pytest.raises(ValueError, match="holds other features"):
        real_features(judge, stores[1], **options)


def test_descriptions_change_with_the_content(store, tiny_actions, tmp_path) -> None:
    assert describe_store(store) == describe_store(store)
    assert describe_store(store).startswith("windows of 24 clips (all), 32 px (")
    other = prepare_beside(tiny_actions, image_size=16, subset="all", progress=False)
    assert describe_store(other) != describe_store(store)
    arrays = np.random.default_rng(0).integers(0, 256, (10, 50, 8, 8, 3), dtype=np.uint8)
    described = describe_store(ClipStore.from_clips(arrays))
    assert described.startswith("windows of 10 clips, 8 px (")
    saved = ClipStore.from_clips(list(arrays)).save(tmp_path / "clips")
    assert describe_store(saved) == described, "the same clips are the same in memory and on the disk"
    arrays[3, 7, 1, 2, 0] ^= 1
    assert describe_store(ClipStore.from_clips(arrays)) != described, "a single pixel tells them apart"
    first, second = (zoo.build("tgan", seed=seed).generator for seed in (0, 1))
    assert digest_weights(first) == digest_weights(zoo.build("tgan", seed=0).generator)
    assert digest_weights(first) != digest_weights(second)
