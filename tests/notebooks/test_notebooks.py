"""Every notebook of the course keeps the conventions, and its solutions pass its checks.

That each runs unsolved with the outputs it was committed with is nbval's part: see ``make test``.
"""

from pathlib import Path

import nbformat
import notebook_harness as harness
import pytest

COURSE = harness.REPOSITORY / "course"
NOTEBOOKS = sorted(COURSE.glob("[0-9][0-9]_*.ipynb"))

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A place for runs of their own, on data that all notebooks under test share (rendering takes a while)."""
    shared = harness.REPOSITORY / "artifacts" / "notebooks" / "data"
    shared.mkdir(parents=True, exist_ok=True)
    (tmp_path / "data").symlink_to(shared, target_is_directory=True)
    return tmp_path


@every_notebook
def test_keeps_the_conventions(path: Path):
    found = harness.problems(nbformat.read(path, as_version=4), path.name)
    assert not found, "\n".join([path.name, *found])


@every_notebook
@pytest.mark.notebook
def test_solutions_pass_their_checks(path: Path, workspace: Path):
    notebook = harness.solved(nbformat.read(path, as_version=4))
    wanted = {exercise.name: "passed" for exercise in harness.exercises(notebook)}
    environment = {"LDVD_BUDGET": "quick", "LDVD_WORKSPACE": str(workspace)}
    got = harness.statuses(notebook, COURSE, environment)
    assert {name: got.get(name) for name in wanted} == wanted


def test_numbers_are_not_used_twice():
    numbers = [path.name[:2] for path in NOTEBOOKS]
    assert len(numbers) == len(set(numbers))


def test_every_notebook_of_the_course_follows_the_naming():
    assert {path.name for path in COURSE.glob("*.ipynb")} == {path.name for path in NOTEBOOKS}
