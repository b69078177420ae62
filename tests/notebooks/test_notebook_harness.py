"""The harness itself: a good notebook has no problems, and each kind of bad one is caught."""

import base64
import copy
import io
import subprocess
import sys
from pathlib import Path

import nbformat
import notebook_harness as harness
import numpy as np
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

execute = harness.execute

NAME = "99_sample.ipynb"
PIXEL = "data:image/png;base64,iVBORw0KGgo/tmp/x="

# Two exercises registered by the notebook itself; a real one has them in ldvd_lib/exercises.
REGISTER = """\
from ldvd_lib.classroom.exercises import attempt, exercise, expect_equal
from ldvd_lib.classroom import check

@exercise("99.1", title="A number", hints=("a", "b", "c"))
def a_number(answer):
    expect_equal(answer, 3, "the number")

@exercise("99.2", title="A function", hints=("a", "b", "c"))
def a_function(answer):
    expect_equal(attempt(answer, 2), 4, "f(2)")
"""


def _tagged(make, source: str, tag: str) -> NotebookNode:
    return make(source, metadata={"tags": [tag]})


def _solution(code: str) -> NotebookNode:
    return _tagged(
        new_markdown_cell,
        f"<details>\n<summary>Solution</summary>\n\n```python\n{code}\n```\n\nBecause.\n\n</details>",
        "solution",
    )


def png(pixels: np.ndarray | None = None) -> str:
    """Pixels, by default a black one, as a PNG in base64."""
    file = io.BytesIO()
    Image.fromarray(np.zeros((1, 1, 3), np.uint8) if pixels is None else pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def _picture() -> NotebookNode:
    return new_output("display_data", data={"image/png": png(), "text/plain": "<Figure>"})


@pytest.fixture
def unrun() -> NotebookNode:
    """A small notebook that keeps every convention, without outputs."""
    cells = [
        new_markdown_cell("# 99 · Sample\n\n## What you will be able to do\n\nTest."),
        new_markdown_cell("## Prerequisites and time\n\nNone; no time at all."),
        _tagged(new_code_cell, "", "bootstrap"),
        new_markdown_cell("## 1. Numbers"),
        new_code_cell(REGISTER),
        _tagged(new_code_cell, "answer = ...  # three", "exercise"),
        new_code_cell('check("99.1", answer)'),
        _solution("answer = 3"),
        new_markdown_cell("## 2. Functions\n\n![A dot](figures/dot.png)\n\n*Figure 1. A dot.*"),
        _tagged(new_code_cell, "def f(x):\n    ...", "exercise"),
        new_code_cell('check("99.2", f)'),
        _solution("def f(x):\n    return x + 2"),
        new_markdown_cell("## Recap\n\n## References"),
    ]
    return execute.clean(new_notebook(cells=cells), NAME)


@pytest.fixture
def notebook(unrun: NotebookNode) -> NotebookNode:
    """The same, as if it had been run."""
    count = 0
    for cell in unrun.cells:
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
    unrun.metadata["ldvd"] = {"seconds": 1}
    unrun.cells[7].outputs = [
        new_output("execute_result", data={"text/plain": "○ 99.1 A number: not attempted yet."}, execution_count=4)
    ]
    return execute.clean(unrun, NAME)


def _edit(notebook: NotebookNode, beginning: str, **changes) -> None:
    cell = next(cell for cell in notebook.cells if cell.source.startswith(beginning))
    cell.update(changes)


def _show(notebook: NotebookNode, *outputs: NotebookNode) -> None:
    """Put outputs under the first cell that shows nothing by itself."""
    _edit(notebook, REGISTER.splitlines()[0], outputs=list(outputs))


def test_a_good_notebook_has_no_problems(notebook):
    assert harness.problems(notebook, NAME) == []
    assert [exercise.name for exercise in harness.exercises(notebook)] == ["99.1", "99.2"]


SPOILT = {
    "no title": (lambda nb: nb.cells.pop(0), "title"),
    "no objectives": (lambda nb: _edit(nb, "# 99", source="# 99 · Sample"), "no heading says 'what you will"),
    "no recap": (lambda nb: _edit(nb, "## Recap", source="## References"), "no heading says 'recap'"),
    "sections not numbered": (lambda nb: _edit(nb, "## 1.", source="## Numbers"), "sections are numbered"),
    "badge of another": (lambda nb: _edit(nb, "[![", source=execute.badge("98_other.ipynb")), "no Colab badge"),
    "no bootstrap": (lambda nb: nb.cells.pop(3), "tagged bootstrap"),
    "old bootstrap": (lambda nb: _edit(nb, "# On Colab", source="%pip install x"), "course/execute.py --clean"),
    "one exercise": (lambda nb: nb.cells.__delitem__(slice(10, 13)), "at least two exercises, and there are 1"),
    "no exercise": (lambda nb: nb.cells.__delitem__(slice(6, 13)), "at least two exercises, and there are 0"),
    "no solution": (lambda nb: nb.cells.pop(12), "followed by its check and then its solution"),
    "check not shown": (lambda nb: _edit(nb, 'check("99.2"', source='check("99.2", f);f'), "last thing in its cell"),
    "exercise of another": (lambda nb: _edit(nb, 'check("99.2"', source='check("98.2", f)'), "another notebook"),
    "nothing to fill in": (lambda nb: _edit(nb, "def f", source="def f(x):\n    return x"), "no ... to fill in"),
    "open solution": (lambda nb: nb.cells.__setitem__(12, _tagged(new_markdown_cell, "4", "solution")), "<details>"),
    "executed solution": (
        lambda nb: nb.cells.__setitem__(12, _tagged(new_code_cell, "4", "solution")),
        "Markdown cell",
    ),
    "solution not Python": (lambda nb: nb.cells.__setitem__(12, _solution("def f(")), "never closed"),
    "passes unsolved": (
        lambda nb: nb.cells[7].outputs[0].data.update({"text/plain": "✓ 99.1"}),
        "passes before it is solved",
    ),
    "private import": (lambda nb: _edit(nb, "answer", source="import ldvd_lib._kit.torchvision; ..."), "is private"),
    "unknown import": (lambda nb: _edit(nb, "answer", source="from ldvd_lib import nothing; ..."), "does not exist"),
    "torchvision": (lambda nb: _edit(nb, "answer", source="import torchvision.io; ..."), "imports torchvision"),
    "no alternative text": (lambda nb: _edit(nb, "## 2.", source="## 2. A\n![ ](a.png)\n*Figure 1.*"), "alternative"),
    "no caption": (lambda nb: _edit(nb, "## 2.", source="## 2. A\n![a](a.png)"), "without a caption"),
    "output without caption": (lambda nb: _show(nb, _picture()), "no caption"),
    "output without alternative text": (
        lambda nb: _show(nb, new_output("display_data", data={"text/html": f'<img src="{PIXEL}">'})),
        "without alternative text in an output",
    ),
    "picture without alternative text": (lambda nb: _show(nb, _picture()), "without alternative text in an output"),
    "empty alternative text": (
        lambda nb: _show(nb, new_output("display_data", data={"text/html": f'<img alt="" src="{PIXEL}">'})),
        "without alternative text in an output",
    ),
    "film without alternative text": (
        lambda nb: _show(nb, new_output("display_data", data={"text/html": '<video src="a.mp4"></video>'})),
        "without alternative text in an output",
    ),
    "widget without a picture": (
        lambda nb: _show(nb, new_output("display_data", data={"text/plain": "SampleBrowser(TGANGenerator)"})),
        "a widget without a picture",
    ),
    "Jupyter's widget without a picture": (
        lambda nb: _show(nb, new_output("display_data", data={"text/plain": "VBox(children=())"})),
        "a widget without a picture",
    ),
    "error": (lambda nb: _show(nb, new_output("error", ename="E", evalue="", traceback=[])), "an error output"),
    "warning": (lambda nb: _show(nb, new_output("stream", name="stderr", text="hm")), "stderr"),
    "path in an output": (lambda nb: _show(nb, new_output("stream", text="see /home/me/x")), "absolute path in an"),
    "path in the source": (lambda nb: _edit(nb, "answer", source='"/tmp/x" ...'), "an absolute path"),
    "Windows path": (lambda nb: _edit(nb, "answer", source='r"C:\\Users\\me"; ...'), "an absolute path"),
    "run out of order": (lambda nb: _edit(nb, "def f", execution_count=9), "not run from the first cell"),
    "not run": (lambda nb: _edit(nb, "def f", execution_count=None), "not run from the first cell"),
    "timestamps": (lambda nb: nb.cells[5].metadata.update(execution={"iopub.status.idle": "2026"}), "traces"),
    "Python version": (lambda nb: nb.metadata.language_info.update(version="3.11.7"), "traces"),
    "nothing compared": (
        lambda nb: [cell.metadata.update(tags=[*harness.tags(cell), "nbval-ignore-output"]) for cell in nb.cells],
        "at most half",
    ),
    "too large": (lambda nb: _show(nb, new_output("stream", text="x" * 2_000_000)), "the limit is 2 MB"),
    "too slow": (lambda nb: nb.metadata.ldvd.update(seconds=121), "takes 121 s, and the limit is 120 s"),
    "not timed": (lambda nb: nb.metadata.pop("ldvd"), "does not say how long it takes"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_each_fault_is_caught(notebook, case):
    spoil, said = SPOILT[case]
    spoil(notebook)
    assert said in "\n".join(harness.problems(notebook, NAME))


def test_inline_pictures_are_not_mistaken_for_paths(notebook):
    _show(notebook, new_output("display_data", data={"text/html": f'<img alt="a dot" src="{PIXEL}">'}))
    caption = new_markdown_cell("*Figure 2. A dot, see https://example.org/home/tmp/x or ../tmp/y.*")
    notebook.cells.insert(6, caption)
    assert harness.problems(notebook, NAME) == []


def test_a_progress_bar_is_kept_as_it_ended(notebook):
    view = "application/vnd.jupyter.widget-view+json"
    bar = {"text/plain": "tgan:   0%|          | 0/250 [00:00<?, ?step/s]", view: {"model_id": "1"}}
    _show(notebook, new_output("display_data", data=bar))
    cleaned = execute.clean(notebook, NAME)
    assert cleaned.cells[5].outputs[0].data == {"text/plain": "tgan: 100%|##########| 250/250 [00:00<?, ?step/s]"}
    assert execute.clean(cleaned, NAME) == cleaned


def test_cleaning_removes_traces_and_changes_nothing_the_second_time(notebook):
    dirty = copy.deepcopy(notebook)
    dirty.metadata.widgets = {"state": {}}
    dirty.metadata.ldvd.elsewhere = "x"
    dirty.cells[5].metadata.update(execution={"x": 1}, collapsed=True)
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "100%"}
    bar = new_output("stream", name="stdout", text=" 10%\r 20%")
    _show(dirty, new_output("display_data", data=widget), bar, new_output("stream", text="\rdone\n"))
    cleaned = execute.clean(dirty, NAME)
    outputs = cleaned.cells[5].outputs
    assert outputs[0].data == {"text/plain": "100%"}
    assert [output.get("text") for output in outputs[1:]] == ["done\n"]
    assert cleaned.metadata == notebook.metadata and cleaned.cells[5].metadata == {}
    assert execute.clean(cleaned, NAME) == cleaned
    assert dirty.cells[5].metadata  # the original is left alone


def test_pictures_are_given_their_captions_and_keep_texts_of_their_own(notebook):
    own = _picture()
    own.metadata = {"image/png": {"alt": "A widget", "width": 3}, "image/jpeg": {"alt": "gone"}}
    _show(notebook, _picture(), own)
    notebook.cells.insert(6, new_markdown_cell("*Figure 2. A `dot`, as\n**in** [space](https://x.org).*\n\nMore text."))
    cleaned = execute.clean(notebook, NAME)
    texts = [output.metadata for output in cleaned.cells[5].outputs]
    assert texts == [{"image/png": {"alt": "Figure 2. A dot, as in space."}}, {"image/png": {"alt": "A widget"}}]
    assert execute.clean(cleaned, NAME) == cleaned
    assert harness.problems(cleaned, NAME) == []

    cleaned.cells[6].source = "*Figure 3. Another dot.*"
    assert "execute.py --clean" in "\n".join(harness.problems(cleaned, NAME)), "a text follows its caption"
    texts = [output.metadata["image/png"]["alt"] for output in execute.clean(cleaned, NAME).cells[5].outputs]
    assert texts == ["Figure 3. Another dot.", "A widget"]


def test_pictures_get_a_palette_and_look_the_same(notebook):
    few = np.zeros((40, 40, 3), np.uint8)
    few[10:20] = [200, 30, 60]
    random = np.random.default_rng(0)
    smooth = np.add.outer(np.arange(120), np.arange(120))[..., None] + random.integers(0, 9, (120, 120, 3))
    smooth = smooth.astype(np.uint8)
    transparent = np.dstack([few, np.full((40, 40), 9, np.uint8)])
    sent = [few, smooth, transparent]
    _show(notebook, *(new_output("display_data", data={"image/png": png(pixels)}) for pixels in sent))
    cleaned = execute.clean(notebook, NAME)
    kept = [Image.open(io.BytesIO(base64.b64decode(o.data["image/png"]))) for o in cleaned.cells[5].outputs]
    assert np.array_equal(kept[0].convert("RGB"), few)
    assert np.array_equal(kept[2], transparent)
    assert kept[1].mode == "P"
    assert np.abs(np.asarray(kept[1].convert("RGB"), int) - smooth).mean() < 4
    assert all(len(o.data["image/png"]) <= len(png(p)) for o, p in zip(cleaned.cells[5].outputs, sent, strict=True))
    assert execute.clean(cleaned, NAME) == cleaned


def test_the_bootstrap_cell_does_nothing_where_the_library_is(capfd):
    source = execute.bootstrap()
    assert "torch" not in source.partition("\n")[2], "it must not ask for another PyTorch"
    tree = harness.syntax_tree(new_code_cell(source))
    names = {}
    exec(compile(tree, "bootstrap", "exec"), names)  # %pip would need IPython, and fail
    assert names.keys() - {"__builtins__"} == {"importlib", "sys"}
    assert capfd.readouterr() == ("", "")


def test_a_notebook_over_the_limit_is_not_written(notebook, tmp_path):
    path = tmp_path / NAME
    path.write_text("old")
    _show(notebook, new_output("stream", text="x" * 2_000_000))
    with pytest.raises(ValueError, match=r"cell 5 \(2\.0 MB\)"):
        execute.save(notebook, path)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_line_that_came_in_pieces_is_read_whole():
    pieces = [("stdout", '{"99.1": '), ("stderr", "a warning\n"), ("stdout", '"passed"}'), ("stdout", "\n")]
    cell = new_code_cell(outputs=[new_output("stream", name=name, text=text) for name, text in pieces])
    assert harness.printed(cell) == '{"99.1": "passed"}\n'


@pytest.mark.slow
def test_solutions_that_are_right_pass_and_others_are_caught(unrun, tmp_path):
    unrun.cells[12] = _solution("def f(x):\n    return x + 3")
    own = {"LDVD_WORKSPACE": str(tmp_path)}
    before, after = (harness.statuses(notebook, tmp_path, own) for notebook in (unrun, harness.solved(unrun)))
    assert (before["99.1"], before["99.2"]) == ("not attempted yet", "not attempted yet")
    assert (after["99.1"], after["99.2"]) == ("passed", "not yet")


@pytest.mark.slow
def test_a_failing_notebook_raises_and_is_left_as_it_was(unrun, tmp_path):
    _edit(unrun, "answer", source="1 / 0")
    with pytest.raises(CellExecutionError):
        execute.run(unrun, tmp_path)
    path = tmp_path / NAME
    nbformat.write(unrun, path)
    before = path.read_bytes()
    command = [sys.executable, harness.REPOSITORY / "course" / "execute.py", path]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1 and "ZeroDivisionError" in result.stderr
    assert path.read_bytes() == before


@pytest.mark.slow
def test_execute_leaves_a_notebook_that_can_be_committed_and_nbval_repeats(unrun, tmp_path):
    timing = "import time\nprint('took', round(time.perf_counter(), 3), 's')"
    unrun.cells[5].source += f"\n{timing}"
    path = tmp_path / NAME
    nbformat.write(unrun, path)
    script = harness.REPOSITORY / "course" / "execute.py"
    subprocess.run([sys.executable, script, path], check=True, capture_output=True)
    written = nbformat.read(path, as_version=4)
    assert harness.problems(written, NAME) == []
    assert 0 < execute.seconds_taken(written) < execute.TIME_BUDGET_SECONDS
    assert _nbval(path) == 0

    before = path.read_bytes()
    subprocess.run([sys.executable, script, "--clean", path], check=True, capture_output=True)
    assert path.read_bytes() == before, "cleaning does not touch how long it took"

    notebook = nbformat.read(path, as_version=4)
    notebook.cells[7].outputs[0].data["text/plain"] = "✗ 99.1 A number: not yet."
    nbformat.write(notebook, path)
    assert _nbval(path) == 1, "an output that differs is caught"


def _nbval(path: Path) -> int:
    sanitize = Path(__file__).with_name("sanitize.cfg")
    options = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", sanitize, "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", *options, path]
    return subprocess.run(command, capture_output=True, cwd=path.parent).returncode
