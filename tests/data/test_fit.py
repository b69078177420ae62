"""Whether clips are what a GAN is trained on."""

import numpy as np
import pytest

from ldvd_lib import zoo
from ldvd_lib.data import ClipStore, WindowSampler


def store(label: int, classes: int) -> ClipStore:
    """Two clips of a class, out of a list of so many."""
    clips = np.zeros((2, 40, 32, 32, 3), dtype=np.uint8)
    return ClipStore.from_clips(clips, labels=[label] * 2, class_names=[f"Class{number}" for number in range(classes)])


def test_a_class_without_a_category_is_named() -> None:
    """As SoccerJuggling of UCF-101 before MoCoGAN's twelve categories."""
    gan = zoo.build("mocogan-categories")
    message = (
        r"mocogan-categories \(lite\) has 12 categories, and the clips are of a list of 101 classes: "
        r"clips of 'Class83', class number 83, have no category; build it with num_categories=101"
    )
    with pytest.raises(ValueError, match=message):
        WindowSampler.for_gan(gan, store(83, 101))


@pytest.mark.parametrize("classes", [5, 101])
def test_more_or_fewer_categories_than_classes_are_noticed(classes: int) -> None:
    gan = zoo.build("mocogan-categories")
    with pytest.raises(
        ValueError, match=rf"has 12 categories.*list of {classes} classes.*Class0.*num_categories={classes}"
    ):
        WindowSampler.for_gan(gan, store(0, classes))


def test_what_the_message_says_helps() -> None:
    gan = zoo.build("mocogan-categories", num_categories=101, batch_size=2)
    labels = WindowSampler.for_gan(gan, store(83, 101)).next_batch().labels
    assert labels.tolist() == [83, 83]
    WindowSampler.for_gan(zoo.build("mocogan"), store(83, 101))  # tells no classes apart


def test_a_store_of_a_multiple_of_the_pixels_serves_and_of_others_it_does_not() -> None:
    """As SSW-GAN's stages want it, which are all trained on the same clips."""
    gan = zoo.build("ssw-gan-1", num_categories=5, batch_size=2)
    sampler = WindowSampler.for_gan(gan, store(0, 5))
    assert sampler.next_batch().video.shape == (2, 3, 8, 16, 16)
    for size in (8, 24):
        clips = ClipStore.from_clips(np.zeros((2, 40, size, size, 3), dtype=np.uint8))
        with pytest.raises(ValueError, match=f"clips of {{'image_size': {size}, .* was built for {{'image_size': 16,"):
            WindowSampler.for_gan(gan, clips)
