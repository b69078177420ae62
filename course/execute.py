"""Run notebooks in place and leave them as they are committed: with outputs, without traces of the machine.

    python course/execute.py course/01_video_as_tensors.ipynb     # run and clean
    python course/execute.py --clean course/*.ipynb               # clean only

Cleaning also writes the two things that every notebook shares, the Colab badge under the title and the bootstrap cell,
and gives every picture a text alternative. A notebook that fails is left untouched.
"""

import argparse
import base64
import io
import itertools
import math
import os
import re
import sys
import time
import tomllib
from pathlib import Path

import nbformat
import numpy as np
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from PIL import Image
from tqdm.auto import tqdm

from ldvd_lib._kit.drawing import share_palette

REPOSITORY = Path(__file__).resolve().parents[1]
SIZE_LIMIT = 2_000_000
TIME_BUDGET_SECONDS = 120
CELL_TIMEOUT_SECONDS = 600

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_CAPTION = re.compile(r"\*{0,2}Figure \d")
_PROGRESS_BAR = re.compile(r"\s*\d+%\|[^|]*\| \d+/(\d+) \[")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def project() -> tuple[str, str]:
    """The course's address on GitHub, and its version."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return project["urls"]["Repository"], project["version"]


def badge(name: str) -> str:
    """The Markdown of the badge that opens the notebook of this file name in Colab."""
    address, _ = project()
    slug = address.removeprefix("https://github.com/")
    target = f"https://colab.research.google.com/github/{slug}/blob/main/course/{name}"
    return f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({target})"


def bootstrap() -> str:
    """The source of the cell that makes a notebook run on Colab, and does nothing where the library is installed.

    On Colab it installs only the library, at this version, and leaves what Colab brings as it is, since no dependency
    in pyproject.toml asks for another version of that. It need not switch on Colab's manager of custom widgets:
    anywidget does so itself when the first widget is made. Elsewhere it installs nothing, as the environment is
    somebody's own, and says how to.
    """
    address, version = project()
    requirement = f"ldvd-course @ git+{address}@v{version}"
    return (
        "# On Colab this installs the course's library (and keeps Colab's own PyTorch); "
        "elsewhere it installs nothing.\n"
        "import importlib.util\n"
        "import sys\n"
        "\n"
        'if importlib.util.find_spec("ldvd_lib") is None:\n'
        '    if "google.colab" in sys.modules:\n'
        f'        %pip install --quiet "{requirement}"\n'
        "\n"
        "        from ldvd_lib.classroom.environment import environment_report\n"
        "\n"
        '        print("Device:", environment_report().device_in_words)\n'
        "    else:\n"
        f"        print('This kernel lacks the library of the course. To install it: %pip install \"{requirement}\"')"
    )


def clean(notebook: NotebookNode, name: str) -> NotebookNode:
    """A copy as it is to be committed.

    Badge and bootstrap cell are written. Widget models (useless without their kernel), timestamps, editor state and
    the machine's Python version are removed; consecutive pieces of the same stream become one. How long the notebook
    took is kept. Pictures get a palette, which halves them, and keep the alternative text they came with; those without
    one, such as figures, get their caption as one.

    Args:
        notebook: The notebook.
        name: Its file name, which the badge points to.
    """
    notebook = nbformat.from_dict(notebook)
    seconds = seconds_taken(notebook)
    taken = {} if seconds is None else {"ldvd": {"seconds": seconds}}
    notebook.metadata = nbformat.from_dict(_NOTEBOOK_METADATA | taken)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    _write_badge(notebook, name)
    for cell, following in itertools.zip_longest(notebook.cells, notebook.cells[1:]):
        kept = {key: value for key, value in cell.metadata.items() if key == "tags" and value}
        cell.metadata = nbformat.from_dict(kept)
        if "bootstrap" in cell.metadata.get("tags", []):
            cell.source = bootstrap()
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
            for output in cell.outputs:
                if "data" in output:
                    output.data.pop(_WIDGET_VIEW, None)
                    if "text/plain" in output.data:  # the text stored with a progress bar is from its beginning
                        finished = _PROGRESS_BAR.sub(r" 100%|##########| \1/\1 [", output.data["text/plain"])
                        output.data["text/plain"] = finished
                    if "image/png" in output.data:
                        output.data.pop("image/jpeg", None)  # Pillow gives every picture twice
                        output.data["image/png"] = _small(output.data["image/png"])
                    output.metadata = _alternative_texts(output, _caption(following))
    return notebook


def seconds_taken(notebook: NotebookNode) -> int | None:
    """How long the notebook took when `run` last ran it, in whole seconds; None if that is not known."""
    return notebook.metadata.get("ldvd", {}).get("seconds")


def _caption(cell: NotebookNode | None) -> str:
    """The caption that a cell begins with, without Markdown's marks; empty if there is none."""
    if cell is None or cell.cell_type != "markdown" or not _CAPTION.match(cell.source):
        return ""
    caption = " ".join(cell.source.partition("\n\n")[0].split())
    return _LINK.sub(r"\1", caption).replace("*", "").replace("`", "")


def _alternative_texts(output: NotebookNode, caption: str) -> NotebookNode:
    """The metadata of an output: what each of its pictures shows, where Jupyter's tools look for it."""
    texts = {}
    for kind in output.data:
        if kind.startswith("image/"):
            present = output.metadata.get(kind, {}).get("alt", "")
            # A text that was a caption is replaced when the caption changes.
            text = caption if not present or _CAPTION.match(present) else present
            if text:
                texts[kind] = {"alt": text}
    return nbformat.from_dict(texts)


def _small(picture: str) -> str:
    """A PNG in base64 with a palette of 256 colours, where that saves bytes; films and what is transparent stay."""
    with Image.open(io.BytesIO(base64.b64decode(picture))) as opened:
        if opened.mode == "P" or getattr(opened, "is_animated", False):
            return picture
        *_, (least_opaque, _) = opened.convert("RGBA").getextrema()
        if least_opaque < 255:
            return picture
        pixels = np.asarray(opened.convert("RGB"))
    smaller = io.BytesIO()
    share_palette(pixels[None])[0].save(smaller, "PNG", optimize=True)
    encoded = base64.b64encode(smaller.getvalue()).decode()
    return encoded if len(encoded) < len(picture) else picture


def _write_badge(notebook: NotebookNode, name: str) -> None:
    tagged = [cell for cell in notebook.cells if "badge" in cell.metadata.get("tags", [])]
    if not tagged:
        tagged = [nbformat.v4.new_markdown_cell(metadata={"tags": ["badge"]})]
        notebook.cells[1:1] = tagged
    for cell in tagged:
        cell.source = badge(name)


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    joined: list[NotebookNode] = []
    for output in outputs:
        if joined and output.output_type == joined[-1].output_type == "stream" and output.name == joined[-1].name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    for output in joined:
        if output.output_type == "stream":
            # As in a terminal: what follows a carriage return replaces what stood before it on its line.
            output.text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in output.text.split("\n"))
    return joined


def run(notebook: NotebookNode, directory: Path, environment: dict[str, str] | None = None) -> NotebookNode:
    """A copy with fresh outputs, run from the first cell to the last in a new kernel, and how long that took.

    Args:
        notebook: The notebook.
        directory: The kernel's working directory.
        environment: Variables set for the kernel on top of this process's.

    Raises:
        CellExecutionError: A cell failed.
    """
    notebook = nbformat.from_dict(notebook)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_TIMEOUT_SECONDS,
        store_widget_state=False,
        record_timing=False,
        resources={"metadata": {"path": str(directory)}},
    )
    started = time.perf_counter()
    client.execute(env=os.environ | (environment or {}))
    notebook.metadata["ldvd"] = nbformat.from_dict({"seconds": math.ceil(time.perf_counter() - started)})
    return notebook


def save(notebook: NotebookNode, path: Path) -> None:
    """Write the notebook in one step.

    Raises:
        ValueError: It is over the size limit; the message names the largest outputs.
    """
    text = nbformat.writes(notebook) + "\n"
    size = len(text.encode())
    if size > SIZE_LIMIT:
        weights = sorted(((len(str(cell)), index) for index, cell in enumerate(notebook.cells)), reverse=True)
        heaviest = ", ".join(f"cell {index} ({weight / 1e6:.1f} MB)" for weight, index in weights[:3])
        raise ValueError(
            f"{path.name} is {size / 1e6:.1f} MB and the limit is {SIZE_LIMIT / 1e6:.0f} MB; heaviest: {heaviest}. "
            "Show fewer or smaller videos."
        )
    partial = path.with_suffix(".ipynb.partial")
    partial.write_text(text)
    partial.replace(path)


def main() -> int:
    """Run the command line; the exit status is the number of notebooks that failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--clean", action="store_true", help="only clean: keep the outputs that are there")
    arguments = parser.parse_args()
    failures = 0
    for path in tqdm(arguments.notebooks, unit="notebook", disable=len(arguments.notebooks) == 1):
        try:
            notebook = clean(nbformat.read(path, as_version=4), path.name)
            if not arguments.clean:
                notebook = clean(run(notebook, path.resolve().parent), path.name)
            save(notebook, path)
        except (CellExecutionError, OSError, ValueError, nbformat.ValidationError) as error:
            failures += 1
            tqdm.write(f"{path}: not written\n{error}", file=sys.stderr)
            continue
        seconds = seconds_taken(notebook)
        took = "not timed" if seconds is None else f"{seconds} s"
        late = f" (over the budget of {TIME_BUDGET_SECONDS} s)" if (seconds or 0) > TIME_BUDGET_SECONDS else ""
        tqdm.write(f"{path}: {took}{late}, {path.stat().st_size / 1e6:.2f} MB")
    return failures


if __name__ == "__main__":
    sys.exit(main())
