"""What a notebook of the course must be, as a list of problems; and notebooks with their solutions put in."""

import ast
import copy
import importlib
import itertools
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import ipywidgets
import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from ldvd_lib import widgets

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "course"))

import execute  # noqa: E402

HEADINGS = ("what you will be able to do", "prerequisites", "time", "recap", "references")

_ABSOLUTE_PATH = re.compile(r"(?<![\w.~:/-])/(?:home|root|tmp|Users|mnt|var|opt|private|content|work|workspace)/[\w.-]")
_WINDOWS_PATH = re.compile(r"\b[A-Z]:\\\\?\w")
_INLINE_DATA = re.compile(r"data:[a-z]+/[a-z0-9+.-]+;base64,[A-Za-z0-9+/=\s]+")
_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\([^)]*\)")
_HTML_PICTURE = re.compile(r"<(?:img|video)\b[^>]*>")
_ALT = re.compile(r"""\b(?:alt|aria-label)=(["'])\s*[^\s"']""")
_CAPTION = re.compile(r"^\*{1,2}(Figure|Explorable) \d", re.MULTILINE)
_FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Exercise:
    """An exercise in a notebook: its name, and the indices of its three cells."""

    name: str
    stub: int
    check: int
    solution: int


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))


def syntax_tree(cell: NotebookNode) -> ast.Module:
    """A code cell as Python, its magics turned into calls.

    Raises:
        SyntaxError: It is not Python.
    """
    return ast.parse(TransformerManager().transform_cell(cell.source))


def checked_names(cell: NotebookNode) -> list[str]:
    """The exercises that a code cell calls ``check`` for."""
    return [
        node.args[0].value
        for node in ast.walk(syntax_tree(cell))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", None)) == "check"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]


def exercises(notebook: NotebookNode) -> list[Exercise]:
    """The exercises of a notebook: a stub, then its check, then its solution.

    Raises:
        ValueError: A stub is not followed by its check and its solution, in this order.
    """
    found = []
    starts = [index for index, cell in enumerate(notebook.cells) if "exercise" in tags(cell)]
    for start, end in itertools.pairwise([*starts, len(notebook.cells)]):
        between = range(start + 1, end)
        code = [index for index in between if notebook.cells[index].cell_type == "code"]
        checks = [index for index in code if checked_names(notebook.cells[index])]
        solutions = [index for index in between if "solution" in tags(notebook.cells[index])]
        if not checks or not solutions or solutions[0] < checks[0]:
            raise ValueError(f"cell {start}: an exercise must be followed by its check and then its solution")
        if code[0] != checks[0]:
            raise ValueError(f"cell {code[0]}: code stands between an exercise and its check")
        names = checked_names(notebook.cells[checks[0]])
        if len(names) != 1:
            raise ValueError(f"cell {checks[0]}: one check to a cell; this one has {', '.join(names)}")
        found.append(Exercise(names[0], start, checks[0], solutions[0]))
    return found


def solution_code(cell: NotebookNode) -> str:
    """The Python of a solution: its fenced blocks, in order."""
    return "\n\n".join(block.strip("\n") for block in _FENCE.findall(cell.source))


def solved(notebook: NotebookNode) -> NotebookNode:
    """A copy in which the solutions stand in place of the stubs."""
    notebook = copy.deepcopy(notebook)
    for exercise in exercises(notebook):
        notebook.cells[exercise.stub].source = solution_code(notebook.cells[exercise.solution])
    return notebook


def statuses(notebook: NotebookNode, directory: Path, environment: dict[str, str]) -> dict[str, str]:
    """Run a notebook and ask its kernel at the end how each exercise stands."""
    notebook = copy.deepcopy(notebook)
    question = "import json\nfrom ldvd_lib import classroom\nprint(json.dumps(classroom.progress().statuses))"
    notebook.cells.append(nbformat.v4.new_code_cell(question))
    return json.loads(printed(execute.run(notebook, directory, environment).cells[-1]).splitlines()[-1])


def printed(cell: NotebookNode) -> str:
    """What a cell wrote to its standard output, whole: a busy kernel may send even one line in several pieces."""
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def problems(notebook: NotebookNode, name: str) -> list[str]:
    """Everything that keeps a notebook from being committed; empty if it is fine.

    Args:
        notebook: The notebook.
        name: Its file name.
    """
    found = []
    for rule in (_parts, _code, _exercises, _figures, _outputs, _cleanliness, _budgets):
        try:
            found += rule(notebook, name)
        except (SyntaxError, ValueError) as error:
            found.append(str(error))
    return list(dict.fromkeys(found))


def _parts(notebook: NotebookNode, name: str) -> list[str]:
    found = []
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = [line for line in text.splitlines() if re.match(r"#+ ", line)]
    if not notebook.cells or not notebook.cells[0].source.startswith("# "):
        found.append("the first cell must begin with the title (# ...)")
    for wanted in HEADINGS:
        if not any(re.search(rf"\b{wanted}\b", heading, re.IGNORECASE) for heading in headings):
            found.append(f"no heading says {wanted!r}")
    if sum(bool(re.match(r"## \d+\. ", heading)) for heading in headings) < 2:
        found.append("sections are numbered (## 1. ...), and there are at least two")
    if execute.badge(name) not in text:
        found.append("no Colab badge for this notebook; course/execute.py writes it")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell for cell in code if "bootstrap" in tags(cell)] != code[:1]:
        found.append("the first code cell, and no other, is tagged bootstrap; course/execute.py writes it")
    return found


def _code(notebook: NotebookNode, name: str) -> list[str]:
    found = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            for node in ast.walk(syntax_tree(cell)):
                found += [f"cell {index}: {problem}" for problem in _import_problems(node)]
    return found


def _import_problems(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        wanted = [(alias.name, None) for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        wanted = [(node.module or "", alias.name) for alias in node.names]
    else:
        return []
    found = []
    for module, attribute in wanted:
        if module.split(".")[0] == "torchvision":
            found.append("imports torchvision, which only the library does")
        if module.split(".")[0] != "ldvd_lib":
            continue
        full = f"{module}.{attribute}" if attribute else module
        if any(part.startswith("_") for part in full.split(".")):
            found.append(f"{full} is private")
        elif not _exists(module, attribute):
            found.append(f"{full} does not exist")
    return found


def _exists(module: str, attribute: str | None) -> bool:
    try:
        if attribute is None or hasattr(importlib.import_module(module), attribute):
            importlib.import_module(module)
            return True
        importlib.import_module(f"{module}.{attribute}")
    except ModuleNotFoundError:
        return False
    return True


def _exercises(notebook: NotebookNode, name: str) -> list[str]:
    found = []
    present = exercises(notebook)
    if len(present) < 2:
        found.append(f"at least two exercises, and there are {len(present)}")
    for exercise in present:
        stub, check, solution = (notebook.cells[index] for index in (exercise.stub, exercise.check, exercise.solution))
        where = f"exercise {exercise.name}"
        if exercise.name.partition(".")[0] != name[:2]:
            found.append(f"{where}: belongs to another notebook")
        if stub.cell_type != "code":
            found.append(f"{where}: the stub is not a code cell")
        if "..." not in stub.source:
            found.append(f"{where}: the stub has no ... to fill in")
        if not _is_last_expression(check, exercise.name):
            found.append(f"{where}: its check must be the last thing in its cell, or nobody sees what it says")
        if any("✓" in _text(output) for output in check.get("outputs", [])):
            found.append(f"{where}: passes before it is solved")
        if solution.cell_type != "markdown" or not re.match(r"<details>\s*<summary>", solution.source):
            found.append(f"{where}: the solution is a Markdown cell that begins with <details><summary>")
        if not solution_code(solution):
            found.append(f"{where}: the solution has no ```python block")
        ast.parse(solution_code(solution))
    return found


def _is_last_expression(cell: NotebookNode, name: str) -> bool:
    last = syntax_tree(cell).body[-1]
    return isinstance(last, ast.Expr) and checked_names(nbformat.v4.new_code_cell(ast.unparse(last))) == [name]


def _figures(notebook: NotebookNode, name: str) -> list[str]:
    found = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown" and "badge" not in tags(cell):
            images = list(_IMAGE.finditer(cell.source))
            if any(not image["alt"].strip() for image in images) or _lacks_alt(cell.source):
                found.append(f"cell {index}: an image without alternative text")
            if images and not _CAPTION.search(cell.source):
                found.append(f"cell {index}: an image without a caption (*Figure 1. ...*)")
        for output in cell.get("outputs", []):
            if _lacks_alt(_text(output)) or _pictures_without_alt(output):
                found.append(f"cell {index}: an image without alternative text in an output")
            if _is_widget(output) and not _is_picture(output):
                found.append(f"cell {index}: a widget without a picture for readers who have no kernel")
            if _is_picture(output):
                after = notebook.cells[index + 1] if index + 1 < len(notebook.cells) else None
                if after is None or after.cell_type != "markdown" or not _CAPTION.match(after.source):
                    found.append(f"cell {index}: no caption (*Figure 1. ...*) begins the cell after this picture")
    return found


def _lacks_alt(text: str) -> bool:
    return any(not _ALT.search(image) for image in _HTML_PICTURE.findall(text))


def _pictures_without_alt(output: NotebookNode) -> bool:
    """Whether an output holds a picture that nothing stands in for where it is not seen."""
    kinds = [kind for kind in output.get("data", {}) if kind.startswith("image/")]
    return any(not output.metadata.get(kind, {}).get("alt", "").strip() for kind in kinds)


def _is_widget(output: NotebookNode) -> bool:
    """Whether an output is a widget's: its model is cleaned away, but not the text that stands beside it."""
    name = output.get("data", {}).get("text/plain", "").partition("(")[0]
    rooms = (widgets, widgets.explorables, ipywidgets)
    shown = next((getattr(room, name) for room in rooms if hasattr(room, name)), None)
    return isinstance(shown, type) and issubclass(shown, ipywidgets.Widget)


def _is_picture(output: NotebookNode) -> bool:
    kinds = output.get("data", {})
    return any(kind.startswith("image/") for kind in kinds) or bool(re.search(r"<(img|video)\b", _text(output)))


def _outputs(notebook: NotebookNode, name: str) -> list[str]:
    found = []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("not run from the first cell to the last in a fresh kernel; course/execute.py does that")
    ignored = sum("nbval-ignore-output" in tags(cell) for cell in code)
    if ignored > len(code) / 2:
        found.append(f"{ignored} of {len(code)} code cells are tagged nbval-ignore-output: at most half may be")
    for index, cell in enumerate(notebook.cells):
        if _names_a_path(cell.source):
            found.append(f"cell {index}: an absolute path")
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                found.append(f"cell {index}: an error output")
            if output.get("name") == "stderr":
                found.append(f"cell {index}: warnings or other text on stderr")
            if _names_a_path(_text(output)):
                found.append(f"cell {index}: an absolute path in an output")
    return found


def _names_a_path(text: str) -> bool:
    text = _INLINE_DATA.sub("", text)
    return bool(_ABSOLUTE_PATH.search(text) or _WINDOWS_PATH.search(text))


def _text(output: NotebookNode) -> str:
    """All that is text in an output."""
    parts = [output.get("text", ""), *output.get("traceback", [])]
    parts += [str(data) for kind, data in output.get("data", {}).items() if kind.startswith("text/")]
    return "\n".join(parts)


def _cleanliness(notebook: NotebookNode, name: str) -> list[str]:
    found = []
    if execute.clean(notebook, name) != notebook:
        found.append("holds timestamps, widget models or other traces; course/execute.py --clean removes them")
    return found


def _budgets(notebook: NotebookNode, name: str) -> list[str]:
    found = []
    size = len(nbformat.writes(notebook).encode())
    if size > execute.SIZE_LIMIT:
        found.append(f"{size / 1e6:.1f} MB, and the limit is {execute.SIZE_LIMIT / 1e6:.0f} MB")
    seconds = execute.seconds_taken(notebook)
    if seconds is None:
        found.append("does not say how long it takes; course/execute.py measures that")
    elif seconds > execute.TIME_BUDGET_SECONDS:
        found.append(f"takes {seconds} s, and the limit is {execute.TIME_BUDGET_SECONDS} s")
    return found
