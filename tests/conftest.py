"""Fixtures that several test modules share."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]

# What a test costs, by its marker: the cheap ones run first, so that what is wrong shows early.
_COSTS = {"slow": 1, "notebook": 2, "browser": 3}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the cells that nbval runs as notebook tests, and order all tests by cost."""
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker("notebook")
    items.sort(key=lambda item: max((_COSTS.get(mark.name, 0) for mark in item.iter_markers()), default=0))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def ucf101_mini() -> Path:
    """Real UCF-101 footage: ``$LDVD_UCF101_MINI``, or ``shared/data/ucf101-mini`` beside the checkout."""
    root = Path(os.environ.get("LDVD_UCF101_MINI", REPOSITORY.parent / "shared" / "data" / "ucf101-mini"))
    if not (root / "UCF-101").is_dir():
        pytest.skip(f"real footage is not at {root}; set LDVD_UCF101_MINI to a directory that contains UCF-101/")
    return root


@pytest.fixture(scope="session")
def tiny_actions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in data set with two short clips a class, in UCF-101's layout."""
    from ldvd_lib.data import actions

    directory = tmp_path_factory.mktemp("data") / "actions"
    return actions.render(directory, clips_per_class=2, frames_per_clip=18, progress=False)
