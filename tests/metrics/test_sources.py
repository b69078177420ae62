"""Sequences of videos that are the same however they are asked for."""

import pytest
import torch

from ldvd_lib import zoo
from ldvd_lib.data import prepare_beside
from ldvd_lib.metrics.sources import describe_store, digest_weights, from_generator, from_store


@pytest.fixture(scope="module")
def store(tiny_actions):
    return prepare_beside(tiny_actions, image_size=32, subset="all", progress=False)


@pytest.fixture(scope="module", params=["store", "tgan", "mocogan"])
def make(request: pytest.FixtureRequest):
    """Batch size → a source."""
    if request.param == "store":
        store = request.getfixturevalue("store")
        return lambda batch_size: from_store(store, batch_size=batch_size)
    generator = zoo.build(request.param).generator
    return lambda batch_size: from_generator(generator, batch_size=batch_size)


def test_the_sequence_does_not_depend_on_batches_or_beginning(make) -> None:
    whole = torch.cat(list(make(7)(3, 7, 0)))
    assert whole.shape == (7, 3, 16, 32, 32)
    assert whole.abs().max() <= 1
    assert not torch.equal(whole[0], whole[1])
    batches = list(make(3)(3, 7, 2))
    assert [len(batch) for batch in batches] == [3, 2]
    # Convolution libraries may choose another algorithm for another batch size.
    torch.testing.assert_close(torch.cat(batches), whole[2:], atol=1e-5, rtol=1e-5)
    assert not torch.equal(next(make(7)(4, 7, 0)), whole)


def test_batches_are_made_when_they_are_asked_for(make) -> None:
    assert len(next(make(2)(0, 10**5, 0))) == 2


def test_a_generator_is_left_in_evaluation_mode_without_gradients() -> None:
    generator = zoo.build("tgan").generator.train()
    videos = next(from_generator(generator)(0, 1, 0))
    assert not generator.training
    assert not videos.requires_grad


def test_descriptions_change_with_the_content(store, tiny_actions) -> None:
    assert describe_store(store) == describe_store(store)
    assert describe_store(store).startswith("windows of 24 clips (all), 32 px (")
    other = prepare_beside(tiny_actions, image_size=16, subset="all", progress=False)
    assert describe_store(other) != describe_store(store)
    first, second = (zoo.build("tgan", seed=seed).generator for seed in (0, 1))
    assert digest_weights(first) == digest_weights(zoo.build("tgan", seed=0).generator)
    assert digest_weights(first) != digest_weights(second)
