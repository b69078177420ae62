"""Checks of the exercises' checks keep what they pass to themselves."""

from pathlib import Path

import pytest

from ldvd_lib import classroom


@pytest.fixture(autouse=True)
def own_progress(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace for ``progress.json`` that is nobody's; the learner's own stays as it is."""
    directory = tmp_path_factory.mktemp("workspace")
    monkeypatch.setenv("LDVD_WORKSPACE", str(directory))
    monkeypatch.setattr(classroom, "_statuses", {})
    return directory
