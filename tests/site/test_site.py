"""The website shows the course as it is committed, and everything in it leads somewhere."""

import itertools
import json
import re
from base64 import b64decode
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup

from ldvd_lib.widgets import explorables
from ldvd_lib.widgets._course_widget import LIVE_TYPE

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((REPOSITORY / "course").glob("[0-9][0-9]_*.ipynb"))
PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # one pixel
)


@pytest.fixture(scope="module")
def pages(website) -> dict[str, BeautifulSoup]:
    """Every page by its file name."""
    return {path.name: BeautifulSoup(path.read_text(), "html.parser") for path in website.glob("*.html")}


@pytest.fixture(scope="module")
def notebooks() -> dict[str, nbformat.NotebookNode]:
    """Every notebook by its page's file name."""
    return {path.with_suffix(".html").name: nbformat.read(path, as_version=4) for path in NOTEBOOKS}


def test_every_page_is_in_the_contents_and_the_notebooks_come_in_order(pages, notebooks):
    links = pages["index.html"].select(".bd-sidebar-primary nav a.reference.internal")
    listed = [link["href"] for link in links if not link["href"].startswith("#")]
    assert listed[: len(NOTEBOOKS)] == list(notebooks)
    assert set(listed) == pages.keys() - {"index.html", "search.html"}


def test_every_page_has_one_title(pages):
    for name, page in pages.items():
        (title,) = page.select("article h1, main > h1, .bd-search-container h1")
        assert title.get_text().strip()
        assert page.title.get_text().strip(), name


def test_pages_follow_each_other(pages, notebooks):
    names = list(notebooks)
    for name, following in itertools.pairwise(names):
        assert pages[name].select_one("a.right-next")["href"] == following
        assert pages[following].select_one("a.left-prev")["href"] == name


def test_outputs_are_the_committed_ones(website, pages, notebooks):
    """Every picture, byte for byte and in order; every printed line; every table and check's card."""
    for name, notebook in notebooks.items():
        page = pages[name]
        outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
        data = [output.get("data", {}) for output in outputs]
        shown = [(website / image["src"]).read_bytes() for image in page.select(".cell_output img")]
        assert shown == [b64decode(bundle["image/png"]) for bundle in data if "image/png" in bundle], name
        text = _words(page.get_text())
        for output in outputs:
            assert _words(output.get("text", "")) in text, name
        for html in (bundle["text/html"] for bundle in data if "text/html" in bundle):
            assert _words(BeautifulSoup(html, "html.parser").get_text()) in text, name


def test_solutions_are_there_and_folded_up(pages, notebooks):
    for name, notebook in notebooks.items():
        solutions = sum("solution" in cell.metadata.get("tags", []) for cell in notebook.cells)
        folded = pages[name].select("article details:not([open])")
        assert len(folded) == len(pages[name].select("article details")) == solutions
        assert all(details.select_one("div.highlight") for details in folded)


def test_a_notebook_can_be_downloaded_and_opened_in_colab(website, pages):
    for path in NOTEBOOKS:
        page = pages[path.with_suffix(".html").name]
        (download,) = page.select("article a.download")
        assert (website / download["href"]).read_bytes() == path.read_bytes()
        (colab,) = [link for link in page.select("article a") if link.get_text() == "Open in Colab"]
        assert colab["href"].endswith(f"/course/{path.name}")


def test_what_serves_notebooks_only_is_left_out(pages, notebooks):
    for name in notebooks:
        text = pages[name].get_text()
        assert "%pip install" not in text, "the bootstrap cell"
        assert not re.search(r"\d%\|.*step/s\]", text), "a progress bar that stands still"


def test_links_images_and_anchors_resolve(website, pages):
    identifiers = {name: {tag["id"] for tag in page.select("[id]")} for name, page in pages.items()}
    broken = []
    for name, page in pages.items():
        targets = [tag[key] for key in ("href", "src") for tag in page.select(f"[{key}]")]
        for target in targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            path = unquote(parts.path) or name
            if not (website / path).is_file():
                broken.append(f"{name}: {target}")
            elif parts.fragment and path in pages and unquote(parts.fragment) not in identifiers[path]:
                broken.append(f"{name}: {target}, an anchor")
    assert not broken


def test_pictures_say_what_they_show(pages):
    for name, page in pages.items():
        for image in page.select("img"):
            alternative = image.get("alt", "").strip()
            assert alternative and alternative != image["src"], f"{name}: execute.py --clean writes those of outputs"


def test_nothing_is_fetched_from_another_host(website, pages):
    for name, page in pages.items():
        fetched = [tag["src"] for tag in page.select("[src]")]
        fetched += [tag["href"] for tag in page.select("link[rel~=stylesheet], link[rel~=preload], link[rel~=icon]")]
        assert not [address for address in fetched if urlsplit(address).netloc], name
    styles = "".join(path.read_text() for path in website.rglob("*.css"))
    assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", styles)


def test_nothing_is_executed_and_a_widget_is_its_picture(build_site, tmp_path):
    """A notebook whose code would leave a trace and then fail is built all the same, with what it once put out."""
    trace = tmp_path / "executed"
    cell = nbformat.v4.new_code_cell(f"open({str(trace)!r}, 'w')\nraise SystemExit")
    bundle = {
        "application/vnd.jupyter.widget-view+json": {"model_id": "gone", "version_major": 2, "version_minor": 0},
        "image/png": PICTURE,
        "text/plain": "Widget(of=long_ago)",
    }
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="said long ago\n"),
        nbformat.v4.new_output("display_data", bundle, metadata={"image/png": {"alt": "What the widget showed"}}),
    ]
    built = build_site(tmp_path / "html", _small_course(tmp_path, "See [the front](index.md).", cell))
    assert built.returncode == 0, built.stderr
    assert not trace.exists()
    page = BeautifulSoup((tmp_path / "html" / "00_small.html").read_text(), "html.parser")
    assert "said long ago" in page.get_text()
    (image,) = page.select(".cell_output img")
    assert image["alt"] == "What the widget showed"
    assert "widget-view" not in str(page)


def test_a_widget_that_needs_no_kernel_has_a_place_behind_its_picture(build_site, tmp_path):
    """With its state, whatever that holds, and its script and style in files that live.js fetches."""
    state = {"stride": 5, "text": "</script><b>\\u003c 'é"}
    bundle = {"image/png": PICTURE, LIVE_TYPE: {"widget": "explorables.Stride", "state": state}}
    cell = nbformat.v4.new_code_cell("Stride()")
    cell.outputs = [nbformat.v4.new_output("display_data", bundle, metadata={"image/png": {"alt": "A wheel"}})]
    built = build_site(tmp_path / "html", _small_course(tmp_path, "See [the front](index.md).", cell))
    assert built.returncode == 0, built.stderr
    page = BeautifulSoup((tmp_path / "html" / "00_small.html").read_text(), "html.parser")
    (output,) = page.select(".cell_output")
    assert output.select_one("img")["alt"] == "A wheel"
    (place,) = output.select(".ldvd-live")
    assert place["data-widget"] == "explorables.Stride"
    assert json.loads(place.select_one("script[type='application/json']").string) == state
    scripts = [urlsplit(tag["src"]).path for tag in page.select("script[src]")]
    assert "_static/live.js" in scripts
    live = tmp_path / "html" / "_static" / "live"
    assert (live / "explorables.Stride.css").read_text() == explorables.Stride._css
    assert "export " not in (live / "explorables.Stride.js").read_text(), "modules cannot be read from a disk"


@pytest.mark.parametrize("target", ["missing.md", "01_missing.ipynb", "index.md#missing", "figures/missing.png"])
def test_a_link_that_leads_nowhere_stops_the_build(build_site, tmp_path, target):
    mark = "!" if target.endswith(".png") else ""
    built = build_site(tmp_path / "html", _small_course(tmp_path, f"See {mark}[this]({target})."))
    assert built.returncode != 0
    assert target.partition("#")[2] or target in built.stderr


def _small_course(directory: Path, text: str, *cells: nbformat.NotebookNode) -> Path:
    """A front page and one notebook."""
    source = directory / "course"
    source.mkdir()
    (source / "index.md").write_text("# Front\n\n```{toctree}\n:glob:\n\n*\n```\n")
    metadata = {"language_info": {"name": "python"}}
    notebook = nbformat.v4.new_notebook(
        metadata=metadata, cells=[nbformat.v4.new_markdown_cell(f"# Small\n\n{text}"), *cells]
    )
    nbformat.write(notebook, source / "00_small.ipynb")
    return source


def _words(text: str) -> str:
    return " ".join(text.split())
