"""Tests of the exercises' checks do not record what they pass in the learner's own progress."""

from pathlib import Path

import pytest

from ldvd_lib.classroom.records import session_statuses


@pytest.fixture(autouse=True)
def own_progress(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A temporary workspace for ``progress.json``; the learner's own file stays as it is."""
    directory = tmp_path_factory.mktemp("workspace")
    monkeypatch.setenv("LDVD_WORKSPACE", str(directory))
    session_statuses.clear()
    return directory
