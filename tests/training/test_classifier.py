"""Training the small classifier teaches it something, and its seed decides what."""

import numpy as np
import pytest
import torch

from ldvd_lib.data import ClipStore, prepare_beside, weizmann
from ldvd_lib.metrics.classifier import IMAGE_SIZE, ORDERS, load_classifier
from ldvd_lib.training import train_classifier
from ldvd_lib.training.classifier import accuracy, in_orders, middle_window, order_accuracy, window_accuracy


def colours(classes: int = 2, clips: int = 3, size: int = IMAGE_SIZE, frames: int = 17) -> ClipStore:
    """Clips whose class is their colour."""
    labels = np.arange(classes).repeat(clips)
    pixels = np.random.default_rng(0).integers(0, 40, (len(labels), frames, size, size, 3), dtype=np.uint8)
    for video, label in zip(pixels, labels, strict=True):
        video[..., label % 3] += 160
    return ClipStore.from_clips(pixels, labels=labels, class_names=[f"Class{i}" for i in range(classes)])


def test_it_learns_what_is_easy() -> None:
    network = train_classifier(colours(), steps=15, batch_size=4, rate=3e-3, progress=False)
    assert not network.training
    assert accuracy(network, colours()) == 1


def test_the_seed_decides_and_no_other_random_numbers_are_touched() -> None:
    state = torch.get_rng_state()
    first, again, other = (
        train_classifier(colours(), steps=2, batch_size=2, seed=seed, progress=False) for seed in (0, 0, 1)
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(again.fc8.weight, first.fc8.weight)
    assert not torch.equal(other.fc8.weight, first.fc8.weight)


def test_a_store_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="clips of 16 px, and 32 px are needed"):
        train_classifier(colours(size=16), steps=1)


def test_accuracy_counts_clips() -> None:
    store = colours(classes=3, clips=2)

    class Always(torch.nn.Module):
        num_frames = 16

        def forward(self, videos: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[0.0, 1.0, 0.0]]).expand(len(videos), 3)

    assert accuracy(Always(), store) == pytest.approx(1 / 3)


@pytest.mark.parametrize(("frames", "expected"), [(20, range(2, 18)), (16, range(16)), (7, [i % 7 for i in range(16)])])
def test_the_middle_window(frames: int, expected) -> None:
    store = colours(frames=frames)
    window = middle_window(store, 1, 16)
    assert window.shape == (3, 16, IMAGE_SIZE, IMAGE_SIZE)
    pixels = ((window + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 3, 0).numpy()
    assert np.array_equal(pixels, store[1][list(expected)])


@pytest.mark.parametrize(("stride", "every"), [(1, 1), (2, 3)])
def test_the_share_of_windows_is_that_of_each_clip(stride: int, every: int) -> None:
    """A network that knows only in which frame a window begins, and says class 0 if that is even."""
    lengths = (40, 33, 31)
    clips = [np.zeros((n, 2, 2, 3), np.uint8) for n in lengths]
    for clip in clips:
        clip += np.arange(len(clip), dtype=np.uint8)[:, None, None, None]
    store = ClipStore.from_clips(clips, labels=[0, 1, 0], class_names=["even", "odd"])

    class Parity(torch.nn.Module):
        num_frames = 16

        def forward(self, videos: torch.Tensor) -> torch.Tensor:
            assert videos.shape[1:] == (3, 16, 2, 2)
            shown = ((videos[:, 0, :, 0, 0] + 1) * 127.5).round().long()
            assert (shown.diff(dim=1) == stride).all()
            return torch.nn.functional.one_hot(shown[:, 0] % 2, 2).float()

    expected = []
    for length, odd in zip(lengths, store.labels, strict=True):
        starts = range(0, length - 15 * stride, every)
        expected.append(sum(start % 2 == odd for start in starts) / len(starts))
    assert window_accuracy(Parity(), store, stride=stride, every=every) == pytest.approx(expected)


class Order(torch.nn.Module):
    """Knows in what order frames come, of clips that brighten by one grey value a frame."""

    num_frames = 16

    def forward(self, videos: torch.Tensor) -> torch.Tensor:
        steps = ((videos[:, 0, :, 0, 0] + 1) * 127.5).round().long().diff(dim=1)
        forwards, backwards = (steps == 1).all(1), (steps == -1).all(1)
        return torch.stack([forwards, backwards, ~(forwards | backwards)], 1).float()


def brightening(lengths: tuple[int, ...] = (40, 20, 16)) -> ClipStore:
    """Clips whose frames are grey, and brighter from one to the next."""
    clips = [
        np.arange(n, dtype=np.uint8)[:, None, None, None].repeat(3, 3) * np.ones((1, 2, 2, 1), np.uint8)
        for n in lengths
    ]
    return ClipStore.from_clips(clips, labels=[0] * len(clips), class_names=["A"])


def test_windows_are_shown_in_each_order() -> None:
    videos = torch.rand(6, 3, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    orders = torch.tensor([0, 1, 2, 2, 1, 0])
    shown = in_orders(videos, orders, torch.Generator().manual_seed(1))
    assert torch.equal(shown[orders == 0], videos[orders == 0])
    assert torch.equal(shown[orders == 1], videos[orders == 1].flip(2))
    shuffled, before = shown[orders == 2], videos[orders == 2]
    assert not torch.equal(shuffled, before) and not torch.equal(shuffled, before.flip(2))
    assert torch.equal(shuffled[:, 0, :, 0, 0].sort(1).values, before[:, 0, :, 0, 0].sort(1).values)


def test_who_knows_the_order_is_right_and_who_always_says_the_same_is_a_third_of_the_time() -> None:
    assert np.array_equal(order_accuracy(Order(), brightening(), every=3), np.ones((3, len(ORDERS))))

    class Always(Order):
        def forward(self, videos: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[0.0, 1.0, 0.0]]).expand(len(videos), 3)

    assert order_accuracy(Always(), brightening()).tolist() == [[0, 1, 0]] * 3


def test_it_learns_the_order_without_labels() -> None:
    """Of clips that brighten, whatever else they show: neither their one class nor their colours tell."""
    random = np.random.default_rng(0)
    clips = random.integers(0, 40, (4, 20, IMAGE_SIZE, IMAGE_SIZE, 3), dtype=np.uint8)
    clips += (np.arange(20, dtype=np.uint8) * 10)[:, None, None, None]
    store = ClipStore.from_clips(clips, labels=[0] * 4, class_names=["A"])
    network = train_classifier(store, steps=40, orders=True, batch_size=6, rate=3e-3, progress=False)
    assert network.num_classes == len(ORDERS)
    assert order_accuracy(network, store, every=4).mean() > 0.8


def test_the_weizmann_judge_knows_people_that_it_has_never_seen(weizmann_root) -> None:
    """One window of each clip of the two who were held out."""
    store = weizmann.load(weizmann_root, image_size=IMAGE_SIZE, subset="test")
    network, _ = load_classifier("weizmann")
    assert (window_accuracy(network, store, stride=2, every=1000) == 1).sum() >= 7


def test_ours_knows_actions_that_it_has_never_seen(tiny_actions) -> None:
    store = prepare_beside(tiny_actions, image_size=IMAGE_SIZE, subset="all", progress=False)
    network, _ = load_classifier()
    assert accuracy(network, store) > 0.8
