"""How the course becomes a website (Sphinx with MyST-NB): `make site`.

The notebooks are shown with the outputs that are committed; nothing is executed. Their files stay as they are: what the
site shows differently is changed in memory, by ``prepare``.
"""

import importlib.util
import re
import tomllib
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from sphinx.application import Sphinx

REPOSITORY = Path(__file__).resolve().parents[2]
_PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
_ADDRESS = _PROJECT["urls"]["Repository"]
# Formulas must be shown without a network: MathJax, a single file that needs no fonts, becomes part of the site.
_MATHJAX = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax" / "tex-svg.js"

project = "What makes a good discriminator for video GANs?"
copyright = f"the course's contributors, {_PROJECT['license']} licence"
version = release = _PROJECT["version"]
extensions = ["myst_nb"]
exclude_patterns = ["site", "**/.ipynb_checkpoints"]

nb_execution_mode = "off"
# Without a kernel, a widget is shown as its picture.
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 4
nitpicky = True

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["style.css", str(_MATHJAX)]
html_css_files = ["style.css"]
mathjax_path = _MATHJAX.name
html_use_index = False
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "repository_url": _ADDRESS,
    "use_repository_button": True,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "navbar_persistent": [],
    "footer_content_items": ["copyright.html"],
}
html_context = {"default_mode": "auto"}

linkcheck_timeout = 30
linkcheck_anchors = False

_BADGE_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\(https://[^)]*\)")
_OUTSIDE = re.compile(r"\]\(\.\./(?P<path>[^)]+)(?<!\.png)\)")  # pictures become part of the site
_PROGRESS = re.compile(r"\d%\|.*\[.*\]$")


def prepare(app: Sphinx, docname: str, source: list[str]) -> None:
    """Change a page as it is read: ``source`` holds its text.

    In notebooks, the Colab badge becomes two links (its picture would come from another host); the bootstrap cell and
    progress bars, which would stand still, are left out. In all pages, links to files outside course/ lead to GitHub.
    """
    if app.env.doc2path(docname).suffix == ".ipynb":
        notebook = nbformat.reads(source[0], as_version=4)
        for cell in notebook.cells:
            prepare_cell(cell, docname)
        source[0] = nbformat.writes(notebook)
    else:
        source[0] = linked_to_github(source[0])


def prepare_cell(cell: NotebookNode, docname: str) -> None:
    """Change one cell of the notebook of this name."""
    tags = cell.metadata.get("tags", [])
    if "badge" in tags:
        cell.source = _BADGE_IMAGE.sub(r"\g<alt>", cell.source)
        cell.source += f" · [Download this notebook](<path:{docname}.ipynb>)"
    elif "bootstrap" in tags:
        cell.metadata.tags = [*tags, "remove-cell"]
    elif cell.cell_type == "code":
        cell.outputs = [
            output for output in cell.outputs if not _PROGRESS.search(output.get("data", {}).get("text/plain", ""))
        ]
        # MyST-NB looks for a picture's alternative text with the cell, Jupyter's tools with the output.
        for output in cell.outputs:
            if "alt" in output.get("metadata", {}).get("image/png", {}):
                cell.metadata.mystnb = {"image": {"alt": output.metadata["image/png"]["alt"]}}
    else:
        cell.source = linked_to_github(cell.source)


def linked_to_github(text: str) -> str:
    """Markdown in which links to files outside the site lead to the repository."""
    return _OUTSIDE.sub(rf"]({_ADDRESS}/blob/main/\g<path>)", text)


def setup(app: Sphinx) -> None:
    """Sphinx calls this once."""
    app.connect("source-read", prepare)
