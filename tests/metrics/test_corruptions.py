"""Corruptions: what is spoilt in time keeps its frames, what is spoilt in space stands still, and 0 changes nothing."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ldvd_lib.metrics.corruptions import (
    add_noise,
    blur,
    hold_frames,
    lower_resolution,
    reorder_frames,
    shuffle_frames,
    warp,
)

Corruption = Callable[[Tensor], Tensor]

TEMPORAL: dict[str, Corruption] = {
    "some shuffled": lambda videos: shuffle_frames(videos, 0.5),
    "all shuffled": shuffle_frames,
    "held": lambda videos: hold_frames(videos, 3),
    "frozen": lambda videos: hold_frames(videos, 8),
}
SPATIAL: dict[str, Callable[[Tensor, float], Tensor]] = {
    "blur": blur,
    "noise": add_noise,
    "warp": warp,
    "resolution": lambda videos, strength: lower_resolution(videos, round(12 / (1 + strength))),
}
SEEDED: dict[str, Callable[[Tensor, int], Tensor]] = {
    "shuffle": lambda videos, seed: shuffle_frames(videos, seed=seed),
    "noise": lambda videos, seed: add_noise(videos, 0.1, seed=seed),
    "flickering noise": lambda videos, seed: add_noise(videos, 0.1, still=False, seed=seed),
    "warp": lambda videos, seed: warp(videos, 1, seed=seed),
    "trembling warp": lambda videos, seed: warp(videos, 1, still=False, seed=seed),
}


def clips(count: int = 3, frames: int = 8, size: int = 12) -> Tensor:
    """Smooth pictures, each of another grey, so that frames can be told apart."""
    rough = torch.rand(count, 3, frames, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return blur(rough, 1.0)


@pytest.mark.parametrize("corruption", TEMPORAL.values(), ids=TEMPORAL)
def test_what_is_spoilt_in_time_shows_frames_of_the_clip(corruption: Corruption) -> None:
    """Bit for bit; and so the histogram of every frame's pixels is that of a frame of the clip."""
    videos = clips()
    spoilt = corruption(videos)
    assert spoilt.shape == videos.shape and not torch.equal(spoilt, videos)
    for before, after in zip(videos, spoilt, strict=True):
        same = (after[:, :, None] == before[:, None]).flatten(3).all(3).all(0)  # (shown, frame)
        assert same.any(1).all()


def test_shuffling_shows_every_frame_once_and_moves_no_more_than_its_share() -> None:
    videos = torch.arange(16.0).view(1, 1, 16, 1, 1).expand(200, 1, 16, 1, 1) / 16
    moved = []
    for share in (0, 0.25, 0.5, 1):
        frames = shuffle_frames(videos, share)[:, 0, :, 0, 0]
        assert torch.equal(frames.sort(1).values, videos[:, 0, :, 0, 0])
        displaced = (frames != videos[:, 0, :, 0, 0]).sum(1).double()
        assert displaced.max() <= share * 16
        moved.append(displaced.mean().item())
    # Of n that change places among themselves at random, n - 1 are expected to land elsewhere.
    assert moved == pytest.approx([0, 3, 7, 15], abs=0.4)


def test_held_frames_are_the_middle_ones() -> None:
    videos = torch.arange(8.0).view(1, 1, 8, 1, 1) / 8
    shown = [(8 * hold_frames(videos, length)).flatten().int().tolist() for length in (1, 2, 3, 8)]
    assert shown[0] == list(range(8))
    assert shown[1] == [1, 1, 3, 3, 5, 5, 7, 7]
    assert shown[2] == [1, 1, 1, 4, 4, 4, 7, 7]
    assert shown[3] == [4] * 8


@pytest.mark.parametrize("corruption", SPATIAL.values(), ids=SPATIAL)
def test_what_is_spoilt_in_space_stands_still_where_the_clip_did(corruption) -> None:
    still = clips()[:, :, :1].expand(-1, -1, 8, -1, -1)
    spoilt = corruption(still, 0.5)
    assert not torch.allclose(spoilt, still, atol=1e-2)
    assert spoilt.diff(dim=2).abs().max() < 1e-6


@pytest.mark.parametrize("corruption", [add_noise, warp])
def test_each_frame_in_its_own_way_is_as_spoilt_and_does_not_stand_still(corruption) -> None:
    still = clips(count=40)[:, :, :1].expand(-1, -1, 8, -1, -1)
    together, apart = corruption(still, 0.5), corruption(still, 0.5, still=False)
    assert apart.diff(dim=2).abs().mean() > 0.05
    errors = [(spoilt - still).square().mean().item() for spoilt in (together, apart)]
    assert errors[0] == pytest.approx(errors[1], rel=0.1)


@pytest.mark.parametrize(
    "nothing",
    [
        lambda videos: shuffle_frames(videos, 0),
        lambda videos: hold_frames(videos, 1),
        lambda videos: lower_resolution(videos, 12, mode="nearest"),
        *(lambda videos, corruption=corruption: corruption(videos, 0) for corruption in (blur, add_noise, warp)),
    ],
)
def test_a_strength_of_nothing_changes_nothing(nothing: Corruption) -> None:
    videos = clips()
    assert torch.equal(nothing(videos), videos)


@pytest.mark.parametrize("corruption", SPATIAL.values(), ids=SPATIAL)
def test_stronger_is_worse_and_weak_is_next_to_nothing(corruption) -> None:
    videos = clips()
    errors = [(corruption(videos, strength) - videos).abs().mean() for strength in (0.001, 0.2, 0.5, 1)]
    assert errors[0] < 2e-3
    assert errors == sorted(errors) and errors[3] > 1.5 * errors[1]


@pytest.mark.parametrize("corruption", SEEDED.values(), ids=SEEDED)
def test_the_seed_decides_and_each_clip_has_its_own(corruption) -> None:
    videos = clips(count=1).expand(3, -1, -1, -1, -1)
    state = torch.get_rng_state()
    spoilt = corruption(videos, 1)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(corruption(videos, 1), spoilt)
    assert not torch.equal(corruption(videos, 2), spoilt)
    assert not torch.equal(spoilt[0], spoilt[1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shape_range_and_dtype_stay(dtype: torch.dtype) -> None:
    videos = (torch.rand(2, 3, 8, 10, 12, generator=torch.Generator().manual_seed(1)).to(dtype) - 0.5).sign()
    every = [*TEMPORAL.values(), *(lambda videos, c=c: c(videos, 0.7) for c in SPATIAL.values())]
    for corruption in every:
        spoilt = corruption(videos)
        assert (spoilt.shape, spoilt.dtype) == (videos.shape, dtype)
        assert spoilt.abs().max() <= 1 + 1e-6


def test_a_point_becomes_a_gaussian() -> None:
    point = torch.zeros(1, 1, 1, 41, 41, dtype=torch.float64)
    point[..., 20, 20] = 1
    spot = blur(point, 2.0)[0, 0, 0]
    assert spot.sum() == pytest.approx(1)
    offsets = torch.arange(41, dtype=torch.float64) - 20
    for axis in (0, 1):
        assert (spot.sum(axis) * offsets.square()).sum().sqrt() == pytest.approx(2, rel=0.02)
    assert torch.equal(blur(torch.full((1, 3, 2, 5, 5), 0.5), 3.0).round(decimals=5), torch.full((1, 3, 2, 5, 5), 0.5))


def test_a_warp_moves_by_so_many_pixels() -> None:
    """On a picture whose value is the place, what changes is the distance: across, and down."""
    place = torch.arange(64, dtype=torch.float64) / 64 - 0.5
    across = place.expand(1, 1, 2, 64, 64)
    moved = [
        64 * (warp(picture, 1.5, seed=3) - picture)[..., 4:-4, 4:-4] for picture in (across, across.transpose(3, 4))
    ]
    assert (moved[0].square() + moved[1].square()).mean().sqrt() == pytest.approx(1.5, rel=0.15)
    assert moved[0].diff(dim=3).abs().max() < 0.3  # smoothly


def test_noise_has_the_deviation_that_is_asked_for() -> None:
    grey = torch.zeros(4, 3, 8, 16, 16)
    for still in (True, False):
        assert add_noise(grey, 0.1, still=still).std() == pytest.approx(0.1, rel=0.05)


def test_reordering_is_indexing() -> None:
    videos = clips()
    order = torch.tensor([[0, 0, 7], [1, 2, 3], [5, 4, 3]])
    shown = reorder_frames(videos, order)
    for clip in range(3):
        assert torch.equal(shown[clip], videos[clip][:, order[clip]])
    with pytest.raises(ValueError, match=r"order \(N, L\), got .* and \(2, 3\)"):
        reorder_frames(videos, order[:2])


def test_mistakes_are_named() -> None:
    videos = clips()
    with pytest.raises(ValueError, match="share must be a number from 0 to 1, got 2"):
        shuffle_frames(videos, 2)
    with pytest.raises(ValueError, match="length must be a whole number, 1 to 8, got 9"):
        hold_frames(videos, 9)
    for corruption, name in ((blur, "deviation"), (add_noise, "deviation"), (warp, "pixels")):
        with pytest.raises(ValueError, match=f"{name} must be a finite number, 0 or more, got -1"):
            corruption(videos, -1)
        with pytest.raises(ValueError, match=name):
            corruption(videos, float("nan"))
    for corruption in (*TEMPORAL.values(), lambda videos: blur(videos, 1), lambda videos: lower_resolution(videos, 4)):
        with pytest.raises(ValueError, match=r"floating-point numbers .* got torch.uint8 \(1, 2, 3, 4, 5\)"):
            corruption(torch.zeros(1, 2, 3, 4, 5, dtype=torch.uint8))
