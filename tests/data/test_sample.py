"""Sampling: windows are the stored frames, places are uniform, and a seed decides everything."""

import itertools
import json
import pickle

import numpy as np
import pytest
import torch
from scipy import stats
from torch.utils.data import DataLoader

from ldvd_lib.data import ClipStore, WindowDataset, WindowSampler, sample
from ldvd_lib.video import to_float, to_uint8

WIDTH = 4


def make_store(lengths, width=WIDTH):
    """A store in memory whose pixels say where they are from: (clip, frame, column)."""
    clips = [np.zeros((length, 3, width, 3), dtype=np.uint8) for length in lengths]
    for number, clip in enumerate(clips):
        clip[..., 0] = number
        clip[..., 1] = np.arange(len(clip))[:, None, None]
        clip[..., 2] = np.arange(width)
    return ClipStore.from_clips(clips, labels=np.arange(len(lengths)) % 3, class_names=["a", "b", "c"])


@pytest.fixture
def store():
    return make_store([20, 9, 40, 12])


def read(videos):
    """Where the frames of a batch are from: clips (N,), frames (N, T), columns (N, W)."""
    pixels = to_uint8(videos).long().permute(0, 2, 3, 4, 1)  # (N, T, H, W, C)
    assert (pixels == pixels[:, :, :1]).all(), "rows of a frame differ"
    clips, frames, columns = pixels[:, :, 0].unbind(-1)  # (N, T, W) each
    assert (clips == clips[:, :1, :1]).all(), "a window holds frames of two clips"
    assert (frames == frames[:, :, :1]).all()
    assert (columns == columns[:, :1]).all()
    return clips[:, 0, 0], frames[:, :, 0], columns[:, 0]


def test_a_batch_has_the_networks_shape_range_and_memory_format(store):
    videos = WindowSampler(store, batch_size=5, num_frames=8).next_batch().videos
    assert videos.shape == (5, 3, 8, 3, WIDTH)
    assert videos.dtype == torch.float32
    assert videos.is_contiguous(memory_format=torch.channels_last_3d)
    assert videos.min() >= -1
    assert videos.max() <= 1


def test_windows_are_the_stored_frames(store):
    sampler = WindowSampler(store, batch_size=64, num_frames=8, stride=(1,), seed=3)
    windows = sampler.draw()
    videos = sampler.gather(windows)
    for video, clip, frames in zip(videos, windows.clips, windows.frames, strict=True):
        expected = to_float(torch.from_numpy(store[clip][frames])).permute(3, 0, 1, 2)
        assert torch.equal(video, expected)


@pytest.mark.parametrize("stride", [1, 2])
def test_frames_are_a_stride_apart_and_inside_the_clip(store, stride):
    clips, frames, columns = read(WindowSampler(store, batch_size=200, num_frames=5, stride=stride).next_batch().videos)
    assert (frames.diff(dim=1) == stride).all()
    assert (frames[:, -1] < torch.from_numpy(store.lengths)[clips]).all()
    assert (columns == torch.arange(WIDTH)).all()


def test_each_window_draws_its_stride_from_the_tuple(store):
    _, frames, _ = read(WindowSampler(store, batch_size=3000, num_frames=3, stride=(1, 2, 4)).next_batch().videos)
    steps = frames.diff(dim=1)
    assert (steps[:, 0] == steps[:, 1]).all(), "the stride changes within a window"
    strides, counts = steps[:, 0].unique(return_counts=True)
    assert strides.tolist() == [1, 2, 4]
    assert stats.chisquare(counts).pvalue > 1e-3


def test_clips_and_places_are_uniform(store):
    clips, frames, _ = read(WindowSampler(store, batch_size=20_000, num_frames=8).next_batch().videos)
    counts = clips.bincount(minlength=len(store))
    assert stats.chisquare(counts).pvalue > 1e-3, "long clips must not count for more"
    for clip, length in enumerate(store.lengths):
        starts = frames[clips == clip, 0].bincount()
        assert len(starts) == length - 8 + 1, "the window fits into more or fewer places"
        if len(starts) > 1:
            assert stats.chisquare(starts).pvalue > 1e-3


def test_flip_mirrors_half_the_windows_and_nothing_else(store):
    options = {"batch_size": 2000, "num_frames": 4, "seed": 1}
    plain = read(WindowSampler(store, **options).next_batch().videos)
    clips, frames, columns = read(WindowSampler(store, flip=True, **options).next_batch().videos)
    assert torch.equal(clips, plain[0])
    assert torch.equal(frames, plain[1])
    mirrored = columns[:, 0] == WIDTH - 1
    assert torch.equal(columns[mirrored], plain[2][mirrored].flip(1))
    assert torch.equal(columns[~mirrored], plain[2][~mirrored])
    assert stats.binomtest(int(mirrored.sum()), 2000).pvalue > 1e-3


def test_reverse_plays_half_the_windows_backwards_and_nothing_else(store):
    options = {"batch_size": 2000, "num_frames": 4, "stride": 2, "seed": 1}
    plain = read(WindowSampler(store, **options).next_batch().videos)
    clips, frames, columns = read(WindowSampler(store, reverse=True, **options).next_batch().videos)
    assert torch.equal(clips, plain[0])
    assert torch.equal(columns, plain[2])
    backwards = frames[:, 0] > frames[:, 1]
    assert torch.equal(frames[backwards], plain[1][backwards].flip(1))
    assert torch.equal(frames[~backwards], plain[1][~backwards])
    assert stats.binomtest(int(backwards.sum()), 2000).pvalue > 1e-3


def test_flip_and_reverse_are_independent(store):
    sampler = WindowSampler(store, batch_size=4000, num_frames=4, flip=True, reverse=True)
    _, frames, columns = read(sampler.next_batch().videos)
    mirrored, backwards = columns[:, 0] > 0, frames[:, 0] > frames[:, 1]
    table = [[int((mirrored == m).logical_and(backwards == b).sum()) for m in (False, True)] for b in (False, True)]
    assert stats.chi2_contingency(table).pvalue > 1e-3


@pytest.mark.parametrize("resident", [False, True])
def test_smaller_windows_are_means_of_boxes_of_the_same_windows(resident):
    clips = np.random.default_rng(0).integers(0, 256, (3, 6, 8, 8, 3), dtype=np.uint8)
    store = ClipStore.from_clips(clips)
    options = {"batch_size": 5, "num_frames": 4, "flip": True, "seed": 2, "resident": resident}
    large, small = WindowSampler(store, **options), WindowSampler(store, image_size=2, **options)
    expected = large.next_batch().video.unflatten(4, (2, 4)).unflatten(3, (2, 4)).mean((4, 6))
    torch.testing.assert_close(small.next_batch().video, expected)
    assert (small.describe()["image_size"], small.describe()["shrunk_from"]) == (2, 8)
    assert "shrunk_from" not in large.describe()
    for size in (3, 16, 0):
        with pytest.raises(ValueError, match=f"image_size is {size}, and the store has clips of 8 px"):
            WindowSampler(store, image_size=size, **options)


def test_clips_that_are_too_short_are_named(store):
    with pytest.raises(ValueError, match=r"need clips of 16 frames; 2 of 4 .*(.|\n)*g01_c01: 9 frames\n.*g03_c01: 12"):
        WindowSampler(store, batch_size=1, num_frames=16)
    with pytest.raises(ValueError, match="need clips of 13 frames"):
        WindowDataset(store, num_frames=4, stride=(1, 4))


def test_looping_goes_on_at_the_beginning(store):
    sampler = WindowSampler(store, batch_size=5000, num_frames=16, short="loop")
    clips, frames, _ = read(sampler.next_batch().videos)
    lengths = torch.from_numpy(store.lengths)[clips]
    assert (frames[:, 1:] == (frames[:, :-1] + 1) % lengths[:, None]).all()
    short = frames[clips == 1, 0].bincount(minlength=9)
    assert stats.chisquare(short).pvalue > 1e-3, "every frame of a looped clip is as likely to be first"
    long = frames[clips == 2]
    assert (long.diff(dim=1) == 1).all(), "a clip that is long enough is not looped"


def test_a_seed_decides_the_batches(store):
    def batches(seed):
        sampler = WindowSampler(store, batch_size=4, num_frames=8, seed=seed)
        return [batch.videos for batch in itertools.islice(sampler, 5)]

    assert all(torch.equal(a, b) for a, b in zip(batches(7), batches(7), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(batches(7), batches(8), strict=True))


def test_other_uses_of_randomness_do_not_interfere(store):
    first = WindowSampler(store, batch_size=4, num_frames=8).next_batch().videos
    torch.manual_seed(5)
    sampler = WindowSampler(store, batch_size=4, num_frames=8)
    before = torch.get_rng_state()
    assert torch.equal(sampler.next_batch().videos, first)
    assert torch.equal(torch.get_rng_state(), before)


def test_resident_frames_give_the_same_batches(store):
    options = {"batch_size": 16, "num_frames": 8, "flip": True, "reverse": True, "seed": 2}
    mapped, resident = (WindowSampler(store, resident=resident, **options) for resident in (False, True))
    for _ in range(3):
        assert torch.equal(mapped.next_batch().videos, resident.next_batch().videos)
    assert (store.frames[..., 2] == np.arange(WIDTH)).all(), "mirroring must not touch the store"


def test_converting_on_the_device_gives_what_reading_on_the_cpu_gives(store):
    positions = torch.arange(24).reshape(4, 6).numpy()
    flipped = np.array([True, False, True, False])
    frames = np.random.default_rng(0).integers(0, 256, store.frames.shape, dtype=np.uint8)
    read_on_cpu = sample._read(frames, positions, flipped)
    converted = sample._convert(torch.from_numpy(frames[positions]), flipped)
    assert torch.equal(converted, read_on_cpu)
    assert converted.stride() == read_on_cpu.stride()


def test_frames_move_to_a_device_whole(store, monkeypatch):
    monkeypatch.setattr(sample, "_PIECE", 7)
    assert np.array_equal(sample._move(store.frames, torch.device("cpu")).numpy(), store.frames)


@pytest.mark.cuda
@pytest.mark.parametrize("resident", [None, False, True])
def test_a_gpu_gives_the_same_batches(store, resident):
    options = {"batch_size": 16, "num_frames": 8, "flip": True, "reverse": True, "seed": 2}
    on_cpu = WindowSampler(store, **options)
    on_gpu = WindowSampler(store, device="cuda", resident=resident, **options)
    for _ in range(3):
        expected, expected_labels, _ = on_cpu.next_batch()
        videos, labels, _ = on_gpu.next_batch()
        assert videos.device.type == labels.device.type == "cuda"
        assert videos.is_contiguous(memory_format=torch.channels_last_3d)
        torch.testing.assert_close(videos.cpu(), expected, rtol=0, atol=1e-6)
        assert torch.equal(labels.cpu(), expected_labels)


def test_labels_are_those_of_the_clips(store):
    videos, labels, _ = WindowSampler(store, batch_size=50, num_frames=4).next_batch()
    assert torch.equal(labels, torch.from_numpy(store.labels)[read(videos)[0]])


def test_a_description_is_plain_and_tells_samplers_apart(store):
    options = [{}, {"num_frames": 5}, {"stride": (1, 2)}, {"flip": True}, {"reverse": True}, {"short": "loop"}]
    descriptions = [
        json.dumps(WindowSampler(store, **{"batch_size": 2, "num_frames": 4} | o).describe()) for o in options
    ]
    descriptions.append(json.dumps(WindowSampler(make_store([20, 9]), batch_size=2, num_frames=4).describe()))
    assert len(set(descriptions)) == len(descriptions)


def test_a_saved_state_continues_bit_for_bit(store, tmp_path):
    options = {"batch_size": 4, "num_frames": 4, "stride": (1, 2), "flip": True, "reverse": True}
    sampler = WindowSampler(store, seed=11, **options)
    for _ in range(3):
        sampler.next_batch()
    torch.save(sampler.state_dict(), tmp_path / "state.pt")
    expected = [sampler.next_batch().videos for _ in range(3)]

    continued = WindowSampler(store, seed=0, **options)
    continued.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert all(torch.equal(continued.next_batch().videos, batch) for batch in expected)
    with pytest.raises(ValueError, match="generator"):
        continued.load_state_dict({})


def test_a_peek_is_the_same_each_time_and_leaves_the_sequence(store):
    options = {"batch_size": 6, "num_frames": 8, "stride": (1,), "flip": True, "seed": 4}
    undisturbed, sampler = WindowSampler(store, **options), WindowSampler(store, **options)
    peeks = []
    for _ in range(3):
        peeks.append(sampler.peek(9, seed=2))
        assert torch.equal(sampler.next_batch().videos, undisturbed.next_batch().videos)
    videos, labels, _ = peeks[0]
    assert videos.shape == (9, 3, 8, 3, WIDTH)
    for other_videos, other_labels, _ in peeks[1:]:
        assert torch.equal(other_videos, videos)
        assert torch.equal(other_labels, labels)
    clips = read(WindowSampler(store, **options | {"flip": False}).peek(9, seed=2).videos)[0]
    assert torch.equal(labels, torch.from_numpy(store.labels)[clips])
    assert not torch.equal(sampler.peek(9, seed=3).videos, videos)
    assert sampler.peek().size == sampler.batch_size == 6
    # A batch of the same seed, so that two samplers of one store peek at the same windows.
    assert torch.equal(sampler.peek(seed=4).videos, WindowSampler(store, **options).next_batch().videos)


def test_a_peek_leaves_a_batch_alone_that_is_just_being_drawn(store, monkeypatch):
    """As where a run trains in another thread: each is in the midst of the other."""
    sampler, undisturbed = (WindowSampler(store, batch_size=6, num_frames=8) for _ in range(2))
    expected = undisturbed.next_batch().videos
    batches, gather = [], sampler.gather

    def gather_late(windows):
        monkeypatch.setattr(sampler, "gather", gather)
        batches.append(sampler.next_batch().videos)
        return gather(windows)

    monkeypatch.setattr(sampler, "gather", gather_late)
    peeked = sampler.peek(3, seed=1).videos
    assert torch.equal(batches[0], expected)
    assert torch.equal(peeked, sampler.peek(3, seed=1).videos)


@pytest.mark.parametrize(
    "option",
    [{"batch_size": 0}, {"num_frames": 0}, {"stride": 0}, {"stride": ()}, {"stride": (1, 0)}, {"short": "pad"}],
)
def test_options_out_of_range_are_refused(store, option):
    with pytest.raises(ValueError, match=next(iter(option))):
        WindowSampler(store, **{"batch_size": 2} | option)


def test_the_dataset_gives_one_window_of_each_clip(store):
    dataset = WindowDataset(store, num_frames=8)
    assert len(dataset) == len(store)
    videos, labels = zip(*(dataset[i] for i in range(len(dataset))), strict=True)
    assert videos[0].shape == (3, 8, 3, WIDTH)
    clips, frames, _ = read(torch.stack(videos))
    assert clips.tolist() == [0, 1, 2, 3]
    assert (frames.diff(dim=1) == 1).all()
    assert list(labels) == store.labels.tolist()
    assert torch.equal(dataset[-1][0], dataset[3][0])
    with pytest.raises(IndexError):
        dataset[4]


def test_seed_epoch_and_index_decide_an_item(store):
    options = {"num_frames": 4, "stride": (1, 2), "flip": True, "reverse": True}
    dataset, again, other = (WindowDataset(store, seed=seed, **options) for seed in (1, 1, 2))
    items = [dataset[i][0] for i in range(4)]
    assert all(torch.equal(again[i][0], items[i]) for i in reversed(range(4)))
    assert not all(torch.equal(other[i][0], items[i]) for i in range(4))
    dataset.set_epoch(1)
    assert not all(torch.equal(dataset[i][0], items[i]) for i in range(4))
    dataset.set_epoch(0)
    assert all(torch.equal(dataset[i][0], items[i]) for i in range(4))


def test_places_in_the_dataset_are_uniform_over_epochs(store):
    dataset = WindowDataset(store, num_frames=8)
    starts = []
    for epoch in range(1500):
        dataset.set_epoch(epoch)
        starts.append(read(dataset[0][0][None])[1][0, 0])
    assert stats.chisquare(torch.stack(starts).bincount(minlength=13)).pvalue > 1e-3


def test_a_data_loader_takes_it_whatever_its_workers(store):
    dataset = WindowDataset(store, num_frames=8, flip=True)
    alone, helped = (list(DataLoader(dataset, batch_size=2, num_workers=workers)) for workers in (0, 2))
    assert len(alone) == 2
    for (videos, labels), (other_videos, other_labels) in zip(alone, helped, strict=True):
        assert videos.shape == (2, 3, 8, 3, WIDTH)
        assert torch.equal(videos, other_videos)
        assert torch.equal(labels, other_labels)


def test_a_sampler_in_memory_can_be_pickled(store):
    again = pickle.loads(pickle.dumps(WindowDataset(store, num_frames=8)))
    assert torch.equal(again[0][0], WindowDataset(store, num_frames=8)[0][0])
