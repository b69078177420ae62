"""Checks, which report and never raise; hints, progress and the time budget."""

import functools
import json
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ldvd_lib import classroom
from ldvd_lib.classroom import environment, exercises, records
from ldvd_lib.classroom.exercises import registry
from ldvd_lib.classroom.records import keep, session_statuses
from ldvd_lib.classroom.results import STATUSES
from ldvd_lib.data import actions, weizmann


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Exercises, results and a workspace for these tests only, and the default budget."""
    monkeypatch.setattr(registry, "_exercises", {})
    monkeypatch.setattr(registry, "_modules", list)
    session_statuses.clear()
    monkeypatch.delenv("LDVD_BUDGET", raising=False)
    monkeypatch.setenv("LDVD_WORKSPACE", str(tmp_path))


@pytest.fixture
def progress_file(tmp_path: Path) -> Path:
    """The file that keeps what was passed."""
    return tmp_path / "progress.json"


def _begin_new_session() -> None:
    session_statuses.clear()


@pytest.fixture
def double() -> str:
    """The name of an exercise that asks for a function that doubles a tensor."""

    @exercises.exercise("98.1", title="Double it", hints=("think of twice", "use *", "return 2 * x"))
    def _(answer):
        x = torch.arange(3.0)
        exercises.expect_close(exercises.attempt(answer, x), 2 * x, "f(x)")
        return "twice is nice"

    return "98.1"


def _raise(error: BaseException):
    raise error


def _unfinished(x): ...


class _HostileRepr:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_a_right_answer_passes(double):
    result = classroom.check(double, lambda x: x + x)
    assert result.passed
    assert result.message == "Twice is nice."
    assert str(result) == "✓ 98.1 Double it: passed. Twice is nice."


@pytest.mark.parametrize("answer", [None, ..., (1, ...), _unfinished, lambda x: _raise(NotImplementedError())])
def test_a_stub_is_not_attempted_yet_rather_than_wrong(double, answer):
    result = classroom.check(double, answer)
    assert result.status == "not attempted yet"
    assert 'hint("98.1")' in result.message


@pytest.mark.parametrize(
    ("answer", "messages"),
    [
        (lambda x: x, ["67% of its values", "it is 2 times too small"]),
        (lambda x: x[:2], ["should have shape (3,)", "has (2,)"]),
        (lambda x: x * float("nan"), ["3 values that are not finite"]),
        (lambda x: "six", ["should be a tensor of shape (3,)", "is 'six'"]),
        (lambda x: x / torch.zeros(2), ["your code raised RuntimeError", "x / torch.zeros(2)"]),
        (lambda x: torch.zeros(2, 3).view(4), ["your code raised RuntimeError", "torch.zeros(2, 3).view(4)"]),
        (lambda x: _raise(NotImplementedError("no kernel for this")), ["your code raised NotImplementedError"]),
        (lambda: 1, ["called with 1 argument here, and cannot be"]),
        (lambda x: sys.exit(3), ["raised SystemExit: 3"]),
        (lambda x: _HostileRepr(), ["raised RuntimeError: no"]),
        (12, ["A function was expected, and this is 12"]),
    ],
)
def test_a_wrong_answer_is_told_what_is_wrong(double, answer, messages):
    result = classroom.check(double, answer)
    assert result.status == "not yet"
    for message in messages:
        assert message.lower() in result.message.lower()


def test_the_learner_can_interrupt_a_check(double):
    with pytest.raises(KeyboardInterrupt):
        classroom.check(double, lambda x: _raise(KeyboardInterrupt()))


def test_an_unknown_exercise_is_a_message_too(double):
    result = classroom.check("98.7", 1)
    assert not result.passed
    assert "no exercise '98.7'; notebook 98 has 98.1" in result.message
    assert "98.7" not in classroom.progress().statuses
    assert not classroom.check(None, 1).passed
    assert "has none" in classroom.hint("../x").message


def test_checking_leaves_the_random_state_alone(double):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    classroom.check(double, lambda x: torch.rand(3) + _raise(ValueError()))
    assert torch.equal(torch.rand(3), expected)


def test_checks_see_the_same_random_numbers_every_time():
    numbers = []

    @exercises.exercise("98.2", title="Random", hints=("a", "b", "c"))
    def _(answer):
        numbers.append(torch.rand(2))

    classroom.check("98.2", 1)
    classroom.check("98.2", 1)
    assert torch.equal(*numbers)


def test_pictures_in_html_escape_what_learners_wrote(double):
    shown = classroom.check(double, lambda x: "<script>")._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "✗" in shown and "not yet" in shown  # the colour is not the only sign


def test_hints_are_graded_and_say_how_to_get_the_next(double):
    assert str(classroom.hint(double)) == 'Hint 1 of 3 for 98.1. Think of twice. For more: hint("98.1", 2).'
    assert "use *" in str(classroom.hint(double, level=2)).lower()
    assert "the last one" in str(classroom.hint(double, 3))
    assert "go from 1 to 3" in str(classroom.hint(double, 4))


def test_progress_keeps_the_best_result_in_order(double):
    exercises.exercise("98.10", title="Later", hints=("a", "b", "c"))(lambda answer: None)
    exercises.exercise("98.2", title="Sooner", hints=("a", "b", "c"))(lambda answer: None)
    classroom.check(double, lambda x: x)
    assert classroom.progress().statuses[double] == "not yet"
    classroom.check(double, lambda x: 2 * x)
    classroom.check(double, lambda x: x)
    assert classroom.progress().statuses == {
        "98.1": "passed",
        "98.2": "not attempted yet",
        "98.10": "not attempted yet",
    }
    shown = str(classroom.progress()).splitlines()
    assert shown[:3] == ["1 of 3 exercises passed", "Notebook 98, 1 of 3", "  ✓ 98.1 Double it: passed"]
    assert "✓ 98.1 Double it: passed" in classroom.progress()._repr_html_()


def test_progress_lasts_over_sessions_and_what_is_passed_stays_passed(double, progress_file):
    classroom.check(double, lambda x: x)
    _begin_new_session()
    assert classroom.progress().statuses[double] == "not yet"
    classroom.check(double, lambda x: 2 * x)
    _begin_new_session()
    assert classroom.check(double, lambda x: x).status == "not yet", "a check tells of the answer that it was given"
    assert classroom.progress().statuses[double] == "passed"
    assert json.loads(progress_file.read_text())["exercises"] == {double: "passed"}
    assert classroom.progress().note == ""


def test_a_stub_leaves_no_file(double, progress_file):
    assert classroom.check(double).status == "not attempted yet"
    assert "0 of 1 exercises passed" in str(classroom.progress())
    assert not progress_file.exists()


def test_starting_over_forgets_everything(double, progress_file):
    classroom.check(double, lambda x: 2 * x)
    assert classroom.progress(reset=True).statuses == {double: "not attempted yet"}
    assert classroom.progress().statuses == {double: "not attempted yet"}
    _begin_new_session()
    assert classroom.progress().statuses == {double: "not attempted yet"}


def test_what_another_kernel_wrote_is_kept(double, progress_file):
    progress_file.write_text(json.dumps({"exercises": {"98.7": "passed", double: "not yet"}}))
    assert classroom.progress().statuses == {double: "not yet"}, "an exercise that is no more is not shown"
    classroom.check(double, lambda x: 2 * x)
    assert json.loads(progress_file.read_text())["exercises"] == {"98.7": "passed", double: "passed"}


def test_kernels_that_write_at_once_lose_nothing(progress_file):
    names = [f"98.{number}" for number in range(1, 25)]
    for name in names:
        exercises.exercise(name, title="x", hints=("a", "b", "c"))(lambda answer: None)
    with ThreadPoolExecutor(8) as pool:
        # Not `check` itself: it sets the random state of the process, which kernels do not share.
        problems = list(pool.map(lambda name: keep(classroom.CheckResult(name, "", "passed", "")), names))
    assert set(problems) == {""}
    assert json.loads(progress_file.read_text())["exercises"] == dict.fromkeys(names, "passed")


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"exercises": 3}', "\xff"])
def test_a_damaged_file_is_told_and_moved_aside(double, progress_file, content):
    progress_file.write_bytes(content.encode("latin-1"))
    shown = classroom.progress()
    assert shown.statuses == {double: "not attempted yet"}
    assert "progress.json is damaged" in str(shown) and "progress.json is damaged" in shown._repr_html_()
    result = classroom.check(double, lambda x: 2 * x)
    assert result.passed and "is now progress-damaged.json" in result.message
    assert progress_file.with_name("progress-damaged.json").read_bytes() == content.encode("latin-1")
    _begin_new_session()
    assert classroom.progress().statuses == {double: "passed"} and classroom.progress().note == ""


@pytest.mark.parametrize("odd", ["great", None, 3, ["passed"], {"status": "passed"}])
def test_a_record_that_is_none_is_named_and_hides_no_other(double, progress_file, odd):
    exercises.exercise("98.2", title="Another", hints=("a", "b", "c"))(lambda answer: None)
    progress_file.write_text(json.dumps({"exercises": {"98.2": odd, double: "passed"}, "remark": "the learner's own"}))
    shown = classroom.progress()
    assert shown.statuses == {double: "passed", "98.2": "not attempted yet"}
    assert "progress.json has records that are left out" in str(shown) and f"'98.2' ({odd!r})" in str(shown)
    classroom.check(double, lambda x: 2 * x)
    stored = {"exercises": {"98.2": odd, double: "passed"}, "remark": "the learner's own"}
    assert stored.items() <= json.loads(progress_file.read_text()).items(), "nothing is thrown away"
    classroom.check("98.2", 1)
    assert classroom.progress().statuses == {double: "passed", "98.2": "passed"} and classroom.progress().note == ""


# How many exercises each notebook had, 00 to 10, before the first renumbering.
FIRST_COURSE = (2, 4, 3, 4, 4, 3, 3, 4, 3, 3, 4)


def _first_names() -> list[str]:
    return [f"{notebook:02}.{k}" for notebook, count in enumerate(FIRST_COURSE) for k in range(1, count + 1)]


def _today(name: str) -> str:
    """What an exercise of the first course is called today: the capstone, notebook 10, has become notebook 13."""
    return name.replace("10.", "13.") if name.startswith("10.") else name


@pytest.fixture
def renumbered(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A course with all exercises of today, without their checks; nothing attempted."""
    names = [*map(_today, _first_names()), *(f"{number}.{k}" for number in (10, 11, 12) for k in range(1, 5))]
    for name in names:
        exercises.exercise(name, title="x", hints=("a", "b", "c"))(lambda answer: None)
    monkeypatch.setattr(records, "RENUMBERED", ({"10": "11"}, {"11": "12"}, {"12": "13"}))
    return dict.fromkeys(names, "not attempted yet")


def _write(file: Path, statuses: dict[str, str], **more: object) -> None:
    file.write_text(json.dumps({"exercises": statuses, **more}))


@pytest.mark.parametrize("seed", range(20))
def test_what_was_passed_before_a_renumbering_counts_under_the_new_names(renumbered, progress_file, seed):
    chance = random.Random(seed)
    before = {name: chance.choice(STATUSES) for name in _first_names() if chance.random() < 0.7}
    unknown = {name: chance.choice(STATUSES) for name in ("98.7", "01.91", "x")}
    own = {"exercises": before | unknown, "remark": "the learner's own"}
    _write(progress_file, before | unknown, remark="the learner's own")
    expected = renumbered | {_today(name): status for name, status in before.items()}
    for _ in range(2):
        assert classroom.progress().statuses == expected and classroom.progress().note == ""
    assert json.loads(progress_file.read_text()) == own, "reading changes nothing"

    # Among these is the new 10.1, which is not what was 10.1.
    name = chance.choice([name for name, status in expected.items() if status != "passed"])
    assert keep(classroom.CheckResult(name, "", "passed", "")) == ""
    _begin_new_session()
    expected |= {name: "passed"}
    assert classroom.progress().statuses == expected
    kept = {_today(name): status for name, status in before.items()} | unknown | {name: "passed"}
    stored = {"version": 4, "exercises": kept, "remark": "the learner's own"}
    assert json.loads(progress_file.read_text()) == stored
    assert keep(classroom.CheckResult(name, "", "not yet", "")) == ""
    assert json.loads(progress_file.read_text()) == stored, "nothing is renamed twice"


def test_old_and_new_names_of_the_same_number_do_not_mix(renumbered, progress_file):
    _write(progress_file, {"10.1": "passed", "10.2": "not yet"})
    for name, status in (("10.2", "passed"), ("11.3", "not yet"), ("13.4", "passed")):
        keep(classroom.CheckResult(name, "", status, ""))
    _begin_new_session()
    found = {"13.1": "passed", "13.2": "not yet", "13.4": "passed", "10.2": "passed", "11.3": "not yet"}
    assert classroom.progress().statuses == renumbered | found
    _write(progress_file, {"10.1": "passed", "11.1": "not yet"})  # the latter no exercise of the course at that time
    assert classroom.progress().statuses["13.1"] == "passed"


def test_a_file_of_the_second_course_has_its_capstone_moved_once(renumbered, progress_file):
    _write(progress_file, {"10.1": "passed", "11.1": "passed", "11.2": "not yet"}, version=2)
    assert classroom.progress().statuses == renumbered | {"10.1": "passed", "13.1": "passed", "13.2": "not yet"}


def test_renumberings_chain(renumbered, progress_file, monkeypatch):
    monkeypatch.setattr(records, "RENUMBERED", ({"10": "11"}, {"10": "09", "09": "10"}, {"11": "12", "10": "11"}))
    for version, name in ((1, "09.1"), (2, "09.1"), (3, "10.1"), (4, "11.1")):
        _write(progress_file, {name: "passed"}, version=version)
        assert classroom.progress().statuses["11.1"] == "passed", (version, name)
    _write(progress_file, {"10.1": "passed"})
    assert classroom.progress().statuses == renumbered | {"12.1": "passed"}


def test_a_file_of_a_newer_course_is_told_of_and_left_alone(double, progress_file):
    _write(progress_file, {double: "not yet"}, version=1 + len(records.RENUMBERED) + 1)
    text = progress_file.read_text()
    result = classroom.check(double, lambda x: 2 * x)
    assert result.passed and "progress.json was written by a newer library" in result.message
    assert classroom.progress().statuses == {double: "passed"}, "known for this session"
    assert "until you update the library: this is what is known without it." in classroom.progress().note
    assert "written by a newer library" in classroom.progress(reset=True).note
    assert [path.name for path in progress_file.parent.glob("*.json")] == ["progress.json"]
    assert progress_file.read_text() == text


def test_no_exercise_of_the_first_course_is_lost(monkeypatch, progress_file):
    """The table of renumberings as it stands leads from every name there ever was to an exercise of today."""
    monkeypatch.undo()
    monkeypatch.setenv("LDVD_WORKSPACE", str(progress_file.parent))
    _begin_new_session()
    first = dict.fromkeys(_first_names(), "passed")
    _write(progress_file, first)
    shown = classroom.progress()
    assert sum(result.passed for result in shown.results) == len(first)
    capstone = {"On half the means", "How far it sees", "How many seeds?", "Your entry"}
    assert capstone <= {result.title for result in shown.results if result.passed}


def test_a_file_that_cannot_be_written_stops_nobody(double, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LDVD_WORKSPACE", str(tmp_path / "file" / "below"))  # not even a superuser can write there
    result = classroom.check(double, lambda x: 2 * x)
    assert result.passed and "progress.json cannot be written" in result.message
    assert classroom.check(double, lambda x: x).message == classroom.check(double, lambda x: x).message
    assert classroom.progress().statuses == {double: "passed"}, "known for this session"
    assert "progress.json cannot be written" in classroom.progress(reset=True).note


def test_progress_knows_every_notebook(monkeypatch):
    monkeypatch.undo()
    numbers = {name.partition(".")[0] for name in exercises.find_all()}
    course = Path(classroom.__file__).parents[1] / "course"
    assert {path.name[:2] for path in course.glob("[0-9]*.ipynb")} <= numbers


@pytest.mark.parametrize(("name", "hints"), [("1.1", ("a", "b", "c")), ("01.1", ("a", "b"))])
def test_a_malformed_exercise_is_refused(name, hints):
    with pytest.raises(ValueError):
        exercises.exercise(name, title="x", hints=hints)(lambda answer: None)


def test_budgets_cut_steps_and_repeats(monkeypatch):
    assert (classroom.steps(600), classroom.repeats(10)) == (600, 10)
    monkeypatch.setenv("LDVD_BUDGET", "quick")
    assert (classroom.steps(600), classroom.steps(600, quick=50), classroom.repeats(10)) == (20, 50, 1)
    assert classroom.steps(1) == 1
    monkeypatch.setenv("LDVD_BUDGET", "short")
    assert (classroom.steps(600), classroom.steps(600, quick=200), classroom.repeats(10)) == (150, 200, 10)
    assert classroom.steps(1) == 1
    monkeypatch.setenv("LDVD_BUDGET", "slow")
    with pytest.raises(ValueError, match="LDVD_BUDGET is 'slow'"):
        classroom.steps(600)
    with pytest.raises(ValueError, match="at least 1"):
        classroom.steps(0)


def test_the_environment_report_finds_machine_and_data(tmp_path, monkeypatch):
    clips = tmp_path / "data" / "mine" / "UCF-101" / "Walk"
    clips.mkdir(parents=True)
    (clips / "v_Walk_g01_c01.avi").touch()
    (tmp_path / "data" / "people" / "actions" / "0").mkdir(parents=True)
    monkeypatch.delenv("LDVD_WORKSPACE")
    monkeypatch.chdir(tmp_path)
    report = classroom.environment_report()
    assert report.torch == torch.__version__
    assert report.cores >= 1 and report.free_disk_gib > 0
    assert [(data_set.name, data_set.description) for data_set in report.data_sets] == [
        ("mine", "1 clips of 1 classes"),
        ("people", "the Weizmann actions"),
    ]
    assert "mine (1 clips of 1 classes)" in str(report) and report.device_in_words in str(report)
    assert "<table>" in report._repr_html_()
    assert str(tmp_path) not in str(report)


def test_a_gpu_is_found_and_named(monkeypatch):
    card = SimpleNamespace(name="Tesla T4", total_memory=15 * 2**30)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: card)
    assert classroom.environment_report().device_in_words == "cuda: Tesla T4, 15 GiB"


def test_an_apple_gpu_is_named_and_not_the_default(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    report = classroom.environment_report()
    assert report.device == "cpu" and "Apple GPU" in report.device_name and "mps" in report.device_name


def test_a_directory_that_cannot_be_looked_into_does_not_stop_the_report(tmp_path, monkeypatch):
    (tmp_path / "data" / "closed" / "UCF-101").mkdir(parents=True)
    (tmp_path / "data" / "open" / "UCF-101" / "Walk").mkdir(parents=True)
    (tmp_path / "data" / "dangling").symlink_to(tmp_path / "gone")
    iterdir = Path.iterdir

    def refusing(self: Path):
        if "closed" in self.parts:
            raise PermissionError(13, "Permission denied", str(self))
        return iterdir(self)

    monkeypatch.setattr(Path, "iterdir", refusing)
    shown = str(classroom.environment_report())
    assert "closed (cannot be read: Permission denied)" in shown and "open (0 clips of 1 classes)" in shown


def test_the_workspace_is_the_checkout_or_where_you_are(repository, tmp_path, monkeypatch):
    monkeypatch.delenv("LDVD_WORKSPACE")
    monkeypatch.chdir(repository / "course")
    assert str(environment.workspace()) == ".."
    monkeypatch.chdir(repository)
    assert str(environment.workspace()) == "."
    monkeypatch.chdir(tmp_path)
    assert str(environment.workspace()) == "."
    monkeypatch.setenv("LDVD_WORKSPACE", str(tmp_path / "new"))
    assert environment.workspace() == tmp_path / "new"
    assert classroom.environment_report().data_sets == ()


def test_importing_the_classroom_is_light():
    """No Jupyter and no matplotlib until something is shown."""
    code = (
        "import sys, ldvd_lib.classroom; print([m for m in ('IPython', 'matplotlib', 'moviepy') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert output.stdout.strip() == "[]"


def test_a_store_is_made_once_of_any_data_set_in_the_workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("LDVD_WORKSPACE", str(tmp_path))
    actions.render(tmp_path / "data" / "mine", clips_per_class=2, frames_per_clip=2, progress=False)
    clips = classroom.store(8, data="mine")
    assert clips.directory.parent == tmp_path / "data"
    assert (len(clips), clips.image_size, clips.parameters["subset"]) == (12, 8, "train")
    modified = (clips.directory / "frames.npy").stat().st_mtime_ns
    assert (classroom.store(8, data="mine").directory / "frames.npy").stat().st_mtime_ns == modified
    held_out = classroom.store(8, data="mine", subset="test")
    assert held_out.directory != clips.directory and not set(held_out.names) & set(clips.names)


def test_two_notebooks_may_ask_for_the_same_clips_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("LDVD_WORKSPACE", str(tmp_path))
    small = functools.partial(actions.render, clips_per_class=2, frames_per_clip=2, progress=False)
    monkeypatch.setattr(actions, "render", small)
    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(classroom.store, 8) for _ in range(2))
    assert first.result().names == second.result().names
    assert np.array_equal(first.result().frames, second.result().frames)


def test_a_data_set_that_is_not_there_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("LDVD_WORKSPACE", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"download_ucf101\.py .*ucf101"):
        classroom.store(8, data="ucf101")
    with pytest.raises(FileNotFoundError, match=r"download_weizmann\.py --out .*weizmann`"):
        classroom.store(8, data="weizmann")


def test_real_people_are_taken_where_they_are(tiny_weizmann, tmp_path, monkeypatch):
    monkeypatch.setenv("LDVD_WORKSPACE", str(tmp_path))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "weizmann").symlink_to(tiny_weizmann, target_is_directory=True)
    store = classroom.store(8, data="weizmann", subset="all")
    assert (len(store), store.class_names) == (36, list(weizmann.CLASSES))
    assert store.directory.parent == tmp_path / "data"


def test_the_built_in_data_set_is_rendered_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("LDVD_WORKSPACE", str(tmp_path))
    monkeypatch.setattr(actions, "render", lambda directory: ("rendered", directory))
    assert classroom.footage() == ("rendered", tmp_path / "data" / "actions")
