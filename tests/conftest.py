"""Fixtures that several test modules share."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


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
