"""The one call for a GPU: that it passes in miniature on a CPU, keeps to its limits, and survives a bad end."""

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MOST_FILES, MOST_BYTES = 8, 16 * 2**20
TESTED = """
import pytest

pytestmark = pytest.mark.skipif(False, reason="never")

@marked
def test_passes():
    assert True

@marked
def test_fails():
    assert 1 == 2

@marked
@pytest.mark.parametrize("number", [1, 2], ids=str)
@pytest.mark.parametrize("one, other", [("a", "b")])
def test_takes_arguments(number, one, other):
    assert number in (1, 2) and one < other

@marked
def test_takes_a_fixture(tmp_path):
    assert tmp_path.is_dir()

@marked
def test_skips():
    pytest.skip("not here")

def test_is_not_marked():
    raise RuntimeError
"""


@pytest.fixture
def part(repository, monkeypatch):
    """A function that imports a module of the benchmark."""
    monkeypatch.syspath_prepend(repository / "benchmarks")
    return lambda name: importlib.import_module(f"gpu_parts.{name}")


def call(repository: Path, out: Path, *options: str) -> subprocess.Popen:
    """Begin the benchmark in miniature, as on a machine that has a checkout and no installation."""
    command = [sys.executable, "benchmarks/gpu.py", "--device", "cpu", "--lite", "--out", out, *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # One thread: on a busy machine several wait for each other, and a minute is soon over.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=repository, text=True, start_new_session=True, env=environment, **pipes)


def entries(out: Path) -> list[dict]:
    """All that a report says; a line that is not whole is an error here."""
    return [json.loads(line) for line in (out / "report.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_it_passes_in_miniature(repository, tmp_path):
    output, errors = call(repository, tmp_path, "--minutes", "1").communicate(timeout=120)
    ended = [entry for entry in entries(tmp_path) if entry["status"] != "under way"]
    assert {entry["part"] for entry in ended} == {"0", "1", "2", "3", "4"}, output + errors
    assert not [entry for entry in ended if entry["status"] == "failed"]
    # How much is done in a minute is the machine's affair; that nothing is passed over in silence is ours.
    begun = [entry["item"] for entry in entries(tmp_path) if entry["status"] == "under way"]
    assert len(begun) == len(set(begun))
    assert set(begun) <= {entry["item"] for entry in ended}
    assert {entry["status"] for entry in ended} <= {"done", "skipped", "no time left", "out of time"}
    done = {entry["item"] for entry in ended if entry["status"] == "done"}
    assert {"machine", "one step of mocogan-f, bfloat16", "peak, float32", "step of tgan-f, tf32", "end"} <= done
    assert next(entry for entry in ended if entry["item"] == "end")["seconds"] <= 62

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) <= MOST_FILES
    assert all(path.parent == tmp_path and path.stat().st_size < MOST_BYTES for path in files)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", path.name) for path in files)
    told = (tmp_path / "report.md").read_text()
    assert all(f"## {number}. " in told for number in range(5))
    assert "| losses of tgan-f | float32 |" in told
    assert "BEYOND" not in "".join(line for line in told.splitlines() if "| float32 |" in line), "the CPU is not itself"


@pytest.mark.slow
def test_a_kill_leaves_what_was_found(repository, tmp_path):
    process = call(repository, tmp_path, "--minutes", "2", "--parts", "2")
    try:
        end = time.time() + 60
        while time.time() < end and "| losses of tgan-f | tf32 |" not in _text(tmp_path / "report.md"):
            time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGKILL)  # that process and no other
        process.communicate()
    assert any(entry.get("rows") for entry in entries(tmp_path))
    assert "| losses of tgan-f | tf32 |" in _text(tmp_path / "report.md")
    time.sleep(2)  # the part's own process notices, and does not go on
    written = len(entries(tmp_path))
    time.sleep(2)
    assert len(entries(tmp_path)) == written


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_an_item_that_fails_or_hangs_is_reported_and_the_rest_goes_on(part, tmp_path, capsys):
    report_of = part("report")
    report = report_of.Report(tmp_path, "3", time.time() + 60)

    def hangs() -> dict:
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    def skips() -> dict:
        raise report_of.Skipped("no such device")

    assert report.item("breaks", lambda: {"rows": [{"x": 1 / 0}]}) is None
    assert report.item("hangs", hangs, seconds=0.2) is None
    assert report.item("skips", skips) is None
    for number in (1, 2):
        report.item(f"goes on {number}", lambda number=number: {"rows": [{"step": number, "ms": 2.34567}]})
    report.ends = 0
    assert report.item("is too late", lambda: {"ms": 1}) is None
    ended = {entry["item"]: entry for entry in report.entries() if entry["status"] != "under way"}
    expected = {"breaks": "failed", "hangs": "out of time", "skips": "skipped", "is too late": "no time left"}
    assert {name: ended[name]["status"] for name in expected} == expected
    assert ended["breaks"]["error"] == "ZeroDivisionError: division by zero"
    assert "| step | ms |\n|---|---|\n| 1 | 2.346 |\n| 2 | 2.346 |" in (tmp_path / "report.md").read_text()
    assert "no such device" in capsys.readouterr().out


def test_half_a_line_is_left_out(part, tmp_path):
    (tmp_path / "report.jsonl").write_text('{"part": "1", "item": "a", "status": "done"}\n{"part": "1", "it')
    assert [entry["item"] for entry in part("report").read(tmp_path)] == ["a"]


@pytest.mark.parametrize("way", ["with_pytest", "without_pytest"])
def test_marked_tests_are_found_and_run(part, tmp_path, way):
    tests = part("cuda_tests")
    path = tmp_path / "test_planted.py"
    path.write_text(TESTED.replace("@marked", "@pytest.mark." + "cuda"))  # apart, lest this module be found, too
    assert tests.marked_modules(tmp_path) == [path]
    before = sys.modules["pytest"]
    rows = getattr(tests, way)([path], *[60] * (way == "with_pytest"))["rows"]
    assert sys.modules["pytest"] is before
    outcomes = {row["test"].rpartition("::")[2]: row["outcome"] for row in rows}
    arguments = [outcome for name, outcome in outcomes.items() if name.startswith("test_takes_arguments[")]
    assert arguments == ["passed"] * 2
    assert (outcomes["test_passes"], outcomes["test_fails"]) == ("passed", "FAILED")
    assert outcomes["test_skips"] == "skipped"
    assert outcomes["test_takes_a_fixture"] == ("passed" if way == "with_pytest" else "left out")
    assert not any("is_not_marked" in name for name in outcomes)


def test_a_difference_is_told_from_rounding(part):
    torch = importlib.import_module("torch")
    correctness = part("correctness")
    reference = torch.tensor([3.0, -4.0])
    near = correctness.compare("gradient", "float32", reference * (1 + 1e-4), reference, of="x")
    far = correctness.compare("gradient", "float32", reference * 1.01, reference, of="x")
    assert (near["verdict"], far["verdict"]) == ("within", "BEYOND")
    assert far["error, 2-norm"] == pytest.approx(0.01, rel=1e-4)
    rows = [
        correctness.compare("losses", "tf32", reference, reference, of="tgan-f"),
        correctness.compare("gradient", "tf32", reference, reference, of="tgan-f, video"),
        correctness.compare("gradient", "tf32", reference, -reference, of="mocogan-f, video"),
        correctness.compare("clipped weights", "tf32", reference, reference, of="tgan"),
    ]
    report = [{"part": "2", "rows": rows}]
    assert correctness.trusted(report, "tgan-f") == ["tf32"]
    assert correctness.trusted(report, "mocogan-f") == []
    assert correctness.trusted(report, "tgan") == [], "not compared itself: as good as the worst of those that were"


def test_the_arithmetic_of_a_step_is_that_of_its_passes(part):
    """TGAN's, counted by PyTorch in a step of training, against the formula from the anatomy."""
    torch = importlib.import_module("torch")
    from torch.utils.flop_counter import FlopCounterMode

    setting, figures = part("setting"), part("figures")
    for name in ("tgan-f", "mocogan"):
        gan = setting.build(name, "lite", batch_size=2)
        steps = setting.Steps(gan, torch.device("cpu"), "float32")
        with FlopCounterMode(display=False) as counter:
            steps()
        # The first layers need no gradient by what they are given, which the formula counts for simplicity.
        assert 0.8 <= counter.get_total_flops() / figures.flops(gan) <= 1.0, name


def test_generators_fit_into_few_files(part, tmp_path):
    torch = importlib.import_module("torch")
    trainings = part("trainings")
    weights = trainings.Weights(tmp_path)
    generator = torch.nn.Linear(1700, 2000)  # 6.8 MB in half precision: two to a file
    told = [weights.add(f"data.model-{number}", generator) for number in range(9)]
    assert told[0] == "weights-1.safetensors, under data.model-0."
    assert told[8].startswith("left out")
    files = sorted(tmp_path.iterdir())
    assert len(files) == 4
    assert all(path.stat().st_size < MOST_BYTES for path in files)


def test_what_travels_is_small(repository):
    """A checkout with its history left out, as it is copied to another machine."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a checkout")
    paths = [repository / name for name in filter(None, listed.stdout.split("\0"))]
    size = sum(os.lstat(path).st_size for path in paths if path.exists())
    assert size < 64 * 2**20
