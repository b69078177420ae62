"""Training the small classifier teaches it something, and its seed decides what."""

import numpy as np
import pytest
import torch

from ldvd_lib.data import ClipStore, prepare_beside
from ldvd_lib.metrics.classifier import IMAGE_SIZE, load_classifier
from ldvd_lib.training import train_classifier
from ldvd_lib.training.classifier import accuracy, middle_window


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


def test_ours_knows_actions_that_it_has_never_seen(tiny_actions) -> None:
    store = prepare_beside(tiny_actions, image_size=IMAGE_SIZE, subset="all", progress=False)
    network, _ = load_classifier()
    assert accuracy(network, store) > 0.8
