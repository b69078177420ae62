"""Reproductions small enough to be worked off in moments."""

import functools
from collections.abc import Callable
from dataclasses import replace

import pytest

from ldvd_lib import zoo
from ldvd_lib.data import ClipStore, prepare_beside
from ldvd_lib.gan import NetworkConfig
from ldvd_lib.metrics.protocol import PROTOCOLS
from ldvd_lib.reproduce import Plan, Training

SIZE = 8


@pytest.fixture(scope="session")
def stores(tiny_actions) -> Callable[[int], ClipStore]:
    """Image size → the built-in clips in that size."""
    return functools.cache(lambda size: prepare_beside(tiny_actions, image_size=size, progress=False))


@pytest.fixture
def plan() -> Plan:
    """Two models of 8 px that go by names of the zoo, three steps each."""
    return Plan((_tiny("tgan", ("3d",)), _tiny("tgan-f", ("2+1d",))), {})


def _tiny(name: str, kinds: tuple[str, ...]) -> Training:
    generator = {"image_size": SIZE, "temporal_channels": (4, 4, 4, 4), "image_channels": 8}
    stack = {"kinds": kinds, "image_size": SIZE, "base_channels": 2, "init": "xavier"}
    config = replace(
        zoo.config(name).with_recipe(batch_size=2),
        generator=NetworkConfig("tgan", generator),
        discriminators={"video": NetworkConfig("stack", stack)},
    )
    return Training("runs", config, 0, 3, "error", None, PROTOCOLS["actions"], samples=8, repeats=2)
