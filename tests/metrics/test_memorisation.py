"""Nearest neighbours are those of the definition, copies are found where they lie; the test is Mann and Whitney's."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu
from torch import Tensor

from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.metrics import PROTOCOLS, FeatureNetwork, Judge, copy_test, nearest_neighbours, nearest_windows


def features(n: int, d: int = 6, *, seed: int = 0, shift: float = 0.0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def footage(lengths: tuple[int, ...] = (20, 16, 27), size: int = 8) -> ClipStore:
    random = np.random.default_rng(0)
    clips = [random.integers(0, 255, (length, size, size, 3), dtype=np.uint8) for length in lengths]
    return ClipStore.from_clips(clips, labels=[0] * len(clips), class_names=["A"])


class Brightness(FeatureNetwork):
    """Two features of each frame; how many videos it has seen at once is remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 0

    def activations(self, videos: Tensor) -> dict[str, Tensor]:
        self.most = max(self.most, len(videos))
        return {"fc7": torch.cat([videos[:, 0].mean((2, 3)), videos[:, 1].mean((2, 3))], 1)}


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("rows", [3, 50])
@pytest.mark.parametrize("shift", [0, 1e6])
def test_the_nearest_are_those_of_the_definition_in_whatever_blocks(k: int, rows: int, shift: float) -> None:
    queries, references = features(20, shift=shift), features(50, seed=1, shift=shift)
    expected = torch.cdist(queries, references, compute_mode="donot_use_mm_for_euclid_dist").sort(1)
    found = nearest_neighbours(queries, iter(references.split(rows)), k=k)
    assert torch.equal(found.indices, expected.indices[:, :k])
    torch.testing.assert_close(found.distances, expected.values[:, :k])
    whole = nearest_neighbours(queries, references, k=k)
    assert torch.equal(whole.indices, found.indices)


def test_a_copy_is_at_nothing() -> None:
    references = features(40, 3000, shift=100).float()
    found = nearest_neighbours(references.flip(0)[:10], references.split(16))
    assert found.indices[:, 0].tolist() == list(range(39, 29, -1))
    assert (found.distances == 0).all()


@pytest.mark.parametrize("stride", [1, 2])
def test_windows_of_the_store_are_found_where_they_are(stride: int) -> None:
    store = footage((40, 33, 37))
    sampler = WindowSampler(store, batch_size=9, stride=stride, seed=1)
    drawn = sampler.draw()
    found = nearest_windows(sampler.gather(drawn), store, stride=stride, batch_size=4, k=2)
    assert np.array_equal(found.clips[:, 0].numpy(), drawn.clips)
    assert np.array_equal(found.starts[:, 0].numpy(), drawn.frames[:, 0])
    assert (found.distances[:, 0] == 0).all() and (found.distances[:, 1] > 1).all()


def test_the_last_window_of_each_clip_counts_and_skipped_ones_do_not() -> None:
    store = footage()
    sampler = WindowSampler(store, batch_size=60, seed=0)
    drawn = sampler.draw()
    every_third = nearest_windows(sampler.gather(drawn), store, every=3)
    assert set(every_third.starts.flatten().tolist()) <= {0, 3, 6, 9}
    at_nothing = (every_third.distances[:, 0] == 0).numpy()
    assert np.array_equal(at_nothing, drawn.frames[:, 0] % 3 == 0)
    whole = nearest_windows(sampler.gather(drawn), store)
    last = {clip: whole.starts[whole.clips == clip].max().item() for clip in range(3)}
    assert last == {0: 4, 1: 0, 2: 11}


def test_in_features_a_judge_is_asked_a_batch_at_a_time() -> None:
    store, network = footage(), Brightness()
    judge = Judge(PROTOCOLS["actions"], network, lambda videos: videos, "")
    videos = WindowSampler(store, batch_size=12, seed=2).next_batch().video
    mirrored = videos.flip(4)  # the same brightness
    found = nearest_windows(mirrored, store, judge=judge, batch_size=5)
    assert network.most == 5
    in_pixels = nearest_windows(videos, store)
    assert torch.equal(found.clips, in_pixels.clips) and torch.equal(found.starts, in_pixels.starts)
    assert found.distances.max() < 1e-5 < nearest_windows(mirrored, store).distances.min()


@pytest.mark.parametrize("rounding", [None, 1])
def test_it_is_mann_and_whitneys(rounding: int | None) -> None:
    """Ties, which rounding makes, count half."""
    generated, held_out = features(40, 1, seed=1).abs()[:, 0], features(55, 1, seed=2).abs()[:, 0] * 1.3
    if rounding is not None:
        generated, held_out = generated.round(decimals=rounding), held_out.round(decimals=rounding)
    measured = copy_test(generated, held_out)
    pairs = held_out[:, None] - generated
    assert measured.closer == pytest.approx(((pairs > 0).double() + 0.5 * (pairs == 0)).mean().item())
    theirs = mannwhitneyu(held_out, generated, alternative="two-sided", method="asymptotic", use_continuity=False)
    assert math.erfc(abs(measured.standard_score) / math.sqrt(2)) == pytest.approx(theirs.pvalue)
    assert measured.standard_score > 0
    assert copy_test(held_out, generated).standard_score == pytest.approx(-measured.standard_score)
    assert measured.ratio == pytest.approx((generated.quantile(0.5) / held_out.quantile(0.5)).item())
    assert (measured.num_generated, measured.num_held_out) == (40, 55)


def test_copies_strangers_and_new_samples_are_told_apart() -> None:
    training, held_out = features(200), features(100, seed=1)

    def compared(samples: Tensor):
        return copy_test(*(nearest_neighbours(some, training).distances[:, 0] for some in (samples, held_out)))

    copied, new, noise = compared(training[:50]), compared(features(100, seed=2)), compared(features(50, seed=3) * 20)
    assert (copied.closer, copied.ratio) == (1, 0) and copied.standard_score > 5
    assert abs(new.standard_score) < 3 and 0.4 < new.closer < 0.6
    assert noise.closer == 0 and noise.ratio > 5


def test_distances_of_nothing_at_all_are_no_evidence() -> None:
    nothing = copy_test(torch.zeros(5), torch.zeros(4))
    assert (nothing.closer, nothing.standard_score) == (0.5, 0) and math.isnan(nothing.ratio)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="the 6 nearest references were asked for, and there are 5"):
        nearest_neighbours(features(3), features(5).split(2), k=6)
    with pytest.raises(ValueError, match="queries has 6 features and references has 4"):
        nearest_neighbours(features(3), features(5, 4))
    with pytest.raises(ValueError, match=r"videos must be \(n, 3, T, 8, 8\) to be compared .* got \(2, 3, 16, 9, 9\)"):
        nearest_windows(torch.zeros(2, 3, 16, 9, 9), footage())
    with pytest.raises(ValueError, match="3 of 3 clips are shorter"):
        nearest_windows(torch.zeros(2, 3, 30, 8, 8), footage())
    with pytest.raises(ValueError, match=r"generated must be distances \(n,\), got \(5, 2\)"):
        copy_test(torch.zeros(5, 2), torch.zeros(5))
    with pytest.raises(ValueError, match="held_out must be distances, 0 or more, and has -1"):
        copy_test(torch.zeros(5), torch.tensor([1.0, -1.0]))
