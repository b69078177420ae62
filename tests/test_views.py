"""What of a clip a discriminator sees."""

import pytest
import torch
from torch.nn import functional as F

from ldvd_lib.batch import Batch
from ldvd_lib.discriminators import Discriminator, VideoDiscriminator
from ldvd_lib.views import Frames, Levels, Pair, Whole, pick_frames, random_frames, view_of


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbered(n: int, frames: int, size: int = 2) -> torch.Tensor:
    """Clips each of whose frames has one value of its own."""
    return torch.arange(n * frames).view(n, 1, frames, 1, 1).expand(n, 3, frames, size, size).float()


def test_a_discriminator_sees_what_it_says_or_as_many_frames_as_it_was_built_for() -> None:
    assert view_of(VideoDiscriminator(("2d",), 8, 1, base_channels=2), 4) == Frames(1)
    assert view_of(VideoDiscriminator(("2d",), 8, 3, base_channels=2), 4) == Frames(3)
    assert view_of(VideoDiscriminator(("2d",), 8, 4, base_channels=2), 4) == Whole()
    own = Discriminator()
    assert view_of(own, 4) == Whole()
    own.view = Levels(2)
    assert view_of(own, 4) == Levels(2)


def test_whole_clips_stay_as_they_are_and_show_nothing_else() -> None:
    batch = Batch(numbered(2, 4), torch.arange(2), torch.ones(2))
    random = generator()
    before = random.get_state()
    assert Whole()(batch, random) == (batch.videos, batch.labels, None)
    assert torch.equal(random.get_state(), before)


@pytest.mark.parametrize("count", [1, 3, 5])
def test_frames_are_drawn_without_replacement_in_their_order(count: int) -> None:
    videos, labels = numbered(200, 5), torch.arange(200)
    seen = Frames(count)(Batch(videos, labels, torch.ones(200)), generator())
    assert seen.video.shape == (200, 3, count, 2, 2)
    assert seen.labels is labels
    assert seen.context is None
    numbers = seen.video[:, 0, :, 0, 0] - 5 * torch.arange(200)[:, None]
    assert ((numbers >= 0) & (numbers < 5)).all()
    assert (numbers.diff(dim=1) > 0).all()


def test_frames_are_uniform_and_seeded() -> None:
    for count in (1, 2):
        draw = [random_frames(4000, 4, generator(seed), count=count) for seed in (0, 0, 1)]
        assert torch.equal(draw[0], draw[1])
        assert not torch.equal(draw[0], draw[2])
        assert torch.bincount(draw[0].flatten(), minlength=4).min() > 900 * count


def test_more_frames_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="5 frames of each clip are to be seen, and the clips have 4"):
        Frames(5)(Batch(numbered(2, 4)), generator())
    with pytest.raises(ValueError, match="count must be a whole number"):
        Frames(0)


def test_frames_are_picked_video_by_video() -> None:
    videos = torch.arange(3 * 2 * 4).view(3, 2, 4, 1, 1).float()
    picked = pick_frames(videos, torch.tensor([[3], [0], [2]]))
    assert picked.shape == (3, 2, 1, 1, 1)
    assert picked.flatten().tolist() == [3, 7, 8, 12, 18, 22]
    assert pick_frames(videos, torch.tensor([[0, 3]] * 3))[1, 0].flatten().tolist() == [8, 11]


def test_levels_halve_clips_and_frames_and_double_pixels() -> None:
    videos = torch.rand(8, 3, 16, 32, 32, generator=generator())
    seen = Levels(4)(Batch(videos, torch.arange(8)), generator()).levels
    assert [tuple(level.shape) for level in seen] == [
        (8, 3, 16, 4, 4),
        (4, 3, 8, 8, 8),
        (2, 3, 4, 16, 16),
        (1, 3, 2, 32, 32),
    ]
    torch.testing.assert_close(seen[0], F.avg_pool3d(videos, (1, 8, 8)))


def test_each_clip_of_a_level_begins_at_one_of_two_frames_by_chance() -> None:
    """With one value a frame, what is left tells which frames it was."""
    seen = Levels(3)(Batch(numbered(400, 8, size=4)), generator()).levels
    numbers = [
        level[:, 0, :, 0, 0] - 8 * torch.arange(0, 400, step)[:, None]
        for level, step in zip(seen, (1, 2, 4), strict=True)
    ]
    assert (numbers[0] == torch.arange(8)).all()
    assert (numbers[1].diff(dim=1) == 2).all()
    assert 70 < (numbers[1][:, 0] == 0).sum() < 130
    assert set(numbers[1][:, 0].tolist()) == {0, 1}
    assert (numbers[2].diff(dim=1) == 4).all()
    assert set(numbers[2][:, 0].tolist()) == {0, 1, 2, 3}
    # A level shows frames of the one before.
    assert (numbers[2][:, 0] % 2 == numbers[1][::2, 0]).all()


@pytest.mark.parametrize(
    ("subsampling", "clips", "frames", "smallest"),
    [("frames", (8, 8, 8), (8, 4, 2), 1), ("batch", (8, 4, 2), (8, 8, 8), 4), ("none", (8, 8, 8), (8, 8, 8), 1)],
)
def test_what_is_left_out_is_a_choice(subsampling: str, clips: tuple, frames: tuple, smallest: int) -> None:
    videos, view = torch.rand(8, 3, 8, 4, 4, generator=generator()), Levels(3, subsampling)
    seen = view(Batch(videos), generator()).levels
    shapes = [(n, 3, t, size, size) for n, t, size in zip(clips, frames, (1, 2, 4), strict=True)]
    assert [tuple(level.shape) for level in seen] == shapes
    assert view.clips == smallest
    if subsampling != "frames":
        assert torch.equal(seen[2], videos[:: 8 // clips[2]])


def test_clips_that_cannot_be_halved_are_refused() -> None:
    with pytest.raises(ValueError, match="3 levels need frames and pixels in multiples of 4"):
        Levels(3)(Batch(torch.zeros(2, 3, 6, 8, 8)), generator())
    with pytest.raises(ValueError, match="3 levels need pixels in multiples of 4"):
        Levels(3, "batch")(Batch(torch.zeros(2, 3, 6, 6, 6)), generator())
    assert len(Levels(3, "batch")(Batch(torch.zeros(2, 3, 6, 8, 8)), generator()).levels) == 3
    with pytest.raises(ValueError, match="subsampling 'clips' is unknown"):
        Levels(2, "clips")


def test_a_pair_needs_what_clips_were_made_from() -> None:
    batch = Batch(numbered(2, 4), None, torch.ones(2))
    assert Pair()(batch, generator()) is batch
    with pytest.raises(ValueError, match=r"no context: its generator must set one.*match_real"):
        Pair()(batch._replace(context=None), generator())
