"""How the course becomes a website (Sphinx with MyST-NB): `make site`.

The notebooks are shown with the outputs that are committed; nothing is executed. Their files stay as they are: what the
site shows differently is changed in memory, by ``prepare``.
"""

import importlib.util
import json
import re
import tomllib
from collections.abc import Iterable
from operator import attrgetter
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
# Without a kernel, a widget is shown as its picture, which live.js replaces by the widget where it can do without one.
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 4
nitpicky = True

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["style.css", "live.js", str(_MATHJAX)]
html_css_files = ["style.css"]
html_js_files = [("live.js", {"defer": "defer"})]
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
_LIVE_TYPE = "application/vnd.ldvd.live+json"  # as in ldvd_lib.widgets; importing that takes seconds
_CARDS = "<!-- ReviewCards -->"  # where the page of the review has its widget
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
            for name in set_up_live(cell):
                write_live(app, docname, name)
        source[0] = nbformat.writes(notebook)
    else:
        source[0] = linked_to_github(source[0])
        if _CARDS in source[0]:
            source[0] = source[0].replace(_CARDS, f"```{{raw}} html\n{place_cards(app, docname)}\n```")


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


def set_up_live(cell: NotebookNode) -> list[str]:
    """Put a place for live.js behind the picture of each widget that needs no kernel; returns these widgets' names."""
    lives = [output.data.pop(_LIVE_TYPE) for output in cell.get("outputs", []) if _LIVE_TYPE in output.get("data", {})]
    for live in lives:
        cell.outputs.append(nbformat.v4.new_output("display_data", {"text/html": place_of(live)}))
    return [live["widget"] for live in lives]


def place_of(live: dict, keeps: Iterable[str] = ()) -> str:
    """The element in which live.js brings a widget to life, and which of its traits are kept from visit to visit."""
    state = json.dumps(live["state"]).replace("<", r"\u003c")  # no text in it can end the script
    script = f'<script type="application/json">{state}</script>'
    kept = f' data-keeps="{" ".join(keeps)}"' if keeps else ""
    return f'<div class="ldvd-live" data-widget="{live["widget"]}"{kept}>{script}</div>'


def place_cards(app: Sphinx, docname: str) -> str:
    """The place of the cards of all chapters."""
    from ldvd_lib.classroom import deck
    from ldvd_lib.widgets import ReviewCards

    live = ReviewCards(deck.cards()).for_page()
    write_live(app, docname, live["widget"])
    for cards in deck.DIRECTORY.iterdir():
        app.env.note_dependency(str(cards), docname=docname)
    return place_of(live, live["keeps"])


def write_live(app: Sphinx, docname: str, name: str) -> None:
    """Write script and style of the widget of this name to where live.js fetches them."""
    from ldvd_lib import widgets

    widget = attrgetter(name)(widgets)
    directory = Path(app.outdir) / "_static" / "live"
    directory.mkdir(parents=True, exist_ok=True)
    # An anywidget is a module, which a browser does not read from a disk; a function keeps its names apart as well.
    script = widget._esm.replace("export default", f"window.ldvdWidgets[{name!r}] =")
    (directory / f"{name}.js").write_text(f"(() => {{\n{script}}})();\n")
    (directory / f"{name}.css").write_text(widget._css)
    for source in (Path(widgets.__file__).parent / "static").iterdir():
        app.env.note_dependency(str(source), docname=docname)


def linked_to_github(text: str) -> str:
    """Markdown in which links to files outside the site lead to the repository."""
    return _OUTSIDE.sub(rf"]({_ADDRESS}/blob/main/\g<path>)", text)


def setup(app: Sphinx) -> None:
    """Sphinx calls this once."""
    app.connect("source-read", prepare)
