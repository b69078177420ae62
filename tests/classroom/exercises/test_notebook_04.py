"""What exercise 04.3 shows is what its answer says."""

import numpy as np
import torch

from ldvd_lib.classroom.exercises.notebook_04 import mystery
from ldvd_lib.data import ClipStore


def test_each_mystery_set_fails_as_its_answer_says():
    noise = np.random.default_rng(0).integers(0, 256, (10, 18, 8, 8, 3), dtype=np.uint8)
    train = ClipStore.from_clips(noise[:4])
    test = ClipStore.from_clips(noise[4:], labels=[0, 1, 2, 3, 4, 4], class_names="abcde")
    sets = mystery(train, test, count=32)
    assert {letter: tuple(videos.shape) for letter, videos in sets.items()} == dict.fromkeys("ABCD", (32, 3, 16, 8, 8))
    assert len(sets["A"].unique(dim=0)) <= 5, "few clips: one of each class"
    assert sets["B"].std() < 0.5 * sets["C"].std(), "blurred"
    pixels = {tuple(frame.flatten().tolist()) for frame in sets["C"].mul(127.5).add(127.5).round().int()[:, :, 0]}
    frames = {tuple(frame.flatten().tolist()) for clip in noise[:4] for frame in clip.transpose(0, 3, 1, 2)}
    assert pixels <= frames, "memorised: all of it is in the training clips"
    assert not torch.equal(sets["D"], sets["A"])
