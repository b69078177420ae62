"""The table explorer, driven in JupyterLab as a learner does."""

import re

import looks
import nbformat
import pytest
from playwright.sync_api import Locator, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

# Scores that were made up: TGAN-F is the best by FID, c0-c3 by IS, as it is not in the paper.
REPORT = """\
from ldvd_lib.runs import Result, write_results


def result(model, inception, distance, *, seed=0, steps=1200):
    return Result(
        model=model, preset="lite", seed=seed, steps=steps, data="216 clips (train), 32 px", protocol="actions-v1",
        weights="0" * 64, samples=1024, real="1,024 windows of 216 clips (train), 32 px (12345678), seed 0",
        values={
            "is": (inception, inception + 0.06, inception - 0.06),
            "fid": (distance, distance + 0.5, distance - 0.5),
        },
    )


results = [result("tgan", 5.0, 42), result("tgan-f", 5.4, 38), result("tgan-c0-c3", 5.7, 45)]
results += [result("tgan-2d", 3.1, 70), result("tgan-tsm", 5.2, 40), result("mocogan", 4.4, 51, steps=800)]
results += [result("tgan", 4.0 + 0.1 * seed, 60 + seed, seed=seed, steps=400) for seed in range(3)]
write_results(results, "mine.json")
"""
EXPLORER = """\
from ldvd_lib.widgets import TableExplorer

explorer = TableExplorer({"my runs": "mine.json"})
explorer"""


@pytest.fixture(scope="module")
def notebook(notebooks):
    """A notebook that shows a table explorer. The tests share it, and each starts from the same choices."""
    notebook = notebooks("tables.ipynb", [REPORT, EXPLORER])
    notebook.run_all()
    notebook.page.wait_for_selector(".ldvd-table-explorer .ldvd-dot")
    return notebook


@pytest.fixture
def widget(notebook) -> Locator:
    """The widget as it was in the beginning; afterwards the browser's console must not have complained."""
    notebook.page.mouse.move(0, 0)
    notebook.python(
        "explorer.table = '5a'; explorer.metric = 'is'; explorer.sort = ''; explorer.descending = False;"
        "explorer.condition = next(iter(explorer.conditions))"
    )
    widget = notebook.page.locator(".ldvd-table-explorer")
    expect(widget.locator("caption")).to_have_text("Table 5a: TGAN with factorized discriminators")
    expect(rows(widget)).to_have_text(["TGAN (Table 3a)", "c0", "c0-c1 = TGAN-F", "c0-c2", "c0-c3", "tgan-2d (yours)"])
    expect(widget.get_by_role("combobox", name="Column in the picture")).to_have_value("is")
    yield widget
    assert notebook.console_errors == []


def rows(widget: Locator) -> Locator:
    return widget.locator("tbody th")


def row(widget: Locator, name: str) -> Locator:
    return widget.locator("tbody tr").filter(has=widget.page.get_by_role("rowheader", name=name, exact=True))


def texts(found: Locator) -> list[str]:
    """What is written, whichever way its spaces break."""
    return [text.replace("\N{NO-BREAK SPACE}", " ") for text in found.all_inner_texts()]


def heading(widget: Locator, name: str) -> Locator:
    return widget.get_by_role("button", name=name)


def test_the_papers_figures_stand_beside_ones_own(widget):
    assert texts(row(widget, "c0-c1 = TGAN-F").locator("td > span")) == [
        "13.62 ± 0.06 ★",
        "8,943 ± 4 ★",
        "5.400 ± 0.060",
        "38.00 ± 0.50 ★",
    ]
    assert texts(row(widget, "c0-c1 = TGAN-F").locator("small")) == [
        "1.14 ×, place 1",
        "0.98 ×, place 1",
        "1.08 ×, place 2",
        "0.90 ×, place 1",
    ]
    expect(widget.locator(".ldvd-hint")).to_contain_text("×: relative to the row with 1.00 ×; places are among the")
    assert texts(row(widget, "c0-c2").locator("td")) == ["13.11 ± 0.06", "8,989 ± 4", "3.1M", "–", "–"]
    assert texts(row(widget, "tgan-2d (yours)").locator("td > span")) == [
        "–",
        "–",
        "3.100 ± 0.060",
        "70.00 ± 0.50",
    ]
    caption = widget.locator("figcaption")
    expect(caption).to_contain_text("not on the paper's scale: another judge (actions-v1), smaller networks")
    expect(caption).to_contain_text("1,200 steps instead of 100,000")
    expect(caption).to_contain_text(
        "IS, best first: in the paper c0-c1 = TGAN-F, c0-c3, TGAN; in your runs c0-c3, c0-c1 = TGAN-F, TGAN."
    )


def test_it_is_a_table_for_those_who_do_not_see_it(widget):
    table = widget.get_by_role("table", name="Table 5a")
    expect(table).to_have_count(1)
    expect(table.get_by_role("columnheader", name="Sort by FID of your runs")).to_have_count(1)
    assert {head.get_attribute("scope") for head in table.locator("th").all()} == {"col", "colgroup", "row"}
    spans = sum(int(head.get_attribute("colspan")) for head in table.locator("th[scope=colgroup]").all())
    assert spans + 1 == table.locator("thead tr").last.locator("th").count()


def test_sorting_goes_best_first_then_the_other_way_then_back(notebook, widget):
    with notebook.busy_kernel():
        paper = [text.removesuffix(" (yours)") for text in rows(widget).all_inner_texts()]
        press = heading(widget, "Sort by IS in the paper, higher is better")
        press.click()
        best_first = ["c0-c1 = TGAN-F", "c0-c2", "c0", "c0-c3", "TGAN (Table 3a)", "tgan-2d (yours)"]
        expect(rows(widget)).to_have_text(best_first)
        expect(widget.locator("th[aria-sort=descending]")).to_have_count(1)
        expect(widget.locator("text.ldvd-name").first).to_have_text("c0-c1 = TGAN-F")
        press.click()
        expect(rows(widget)).to_have_text([*best_first[-2::-1], best_first[-1]])  # what has no figure stays last
        expect(widget.locator("th[aria-sort=ascending]")).to_have_count(1)
        press.click()
        expect(widget.locator("th[aria-sort=none]")).to_have_count(6)
        assert [text.removesuffix(" (yours)") for text in rows(widget).all_inner_texts()] == paper
        heading(widget, "Sort by FID of your runs").click()
    expect(rows(widget).first).to_have_text("c0-c1 = TGAN-F")
    notebook.says("(explorer.sort, explorer.descending)", "('ours:fid', False)")
    widget.get_by_role("button", name="Paper's order").click()
    expect(rows(widget).first).to_have_text("TGAN (Table 3a)")
    notebook.says("explorer.sort", "")


def test_a_table_is_chosen_and_what_it_does_not_have_is_let_go(notebook, widget):
    heading(widget, "Sort by FID in the paper").click()
    widget.get_by_role("combobox", name="Table").select_option("6a")
    expect(widget.locator("caption")).to_have_text("Table 6a: TGAN with temporal shifts")
    expect(rows(widget)).to_have_text(
        ["TGAN (Table 3a)", "shift after c0", "after c0-c1", "after c0-c2 = TGAN-TSM", "tgan-2d (yours)"]
    )
    notebook.says("(explorer.table, explorer.metric, explorer.sort)", "('6a', 'is', '')")
    widget.get_by_role("combobox", name="Table").select_option("2")
    expect(row(widget, "MoCoGAN").locator("td > span").nth(2)).to_have_text("4.400 ± 0.060")
    expect(widget.get_by_role("combobox", name="Your runs")).to_have_value(re.compile("lite, 800 steps"))
    expect(widget.locator("figcaption")).to_contain_text("Two models of this table, judged alike, are needed")
    widget.get_by_role("combobox", name="Table").select_option("7")
    expect(widget.locator("figcaption")).to_contain_text("None of your runs is of a model in this table")
    expect(widget.locator(".ldvd-dot")).to_have_count(8)


def test_runs_of_another_condition_are_shown_apart(notebook, widget):
    choice = widget.get_by_role("combobox", name="Your runs")
    expect(choice.locator("option")).to_have_count(3)
    choice.select_option(index=2)
    expect(row(widget, "TGAN (Table 3a)").locator("td > span").nth(2)).to_have_text("4.10 ± 0.10")
    expect(rows(widget)).to_have_count(5)
    notebook.says("explorer.condition.split(';')[0]", "lite, 400 steps")


def test_a_row_is_read_out_under_the_mouse_and_by_keyboard(notebook, widget):
    widget.locator("figure").scroll_into_view_if_needed()
    readout = widget.get_by_role("status").first
    widget.locator(".ldvd-dot.ldvd-ours").nth(1).hover(force=True)
    expect(readout).to_have_text(
        "c0-c1 = TGAN-F: IS 13.62 ± 0.06 reported (1.14 × TGAN, place 1 of 3); 5.400 ± 0.060 in your runs (1.08 × "
        "TGAN, place 2 of 3): my runs; ± between 3 repetitions of one training, another may differ by more."
    )
    expect(widget.locator("tbody tr.ldvd-at th")).to_have_text("c0-c1 = TGAN-F")
    expect(widget.locator("rect.ldvd-at")).to_have_count(2)
    notebook.page.mouse.move(0, 0)
    expect(readout).to_have_text("Point at a row for its figures.")
    keyboard = notebook.page.keyboard
    widget.get_by_role("combobox", name="Column in the picture").focus()
    keyboard.press("ArrowDown")
    notebook.says("explorer.metric", "fid")
    keyboard.press("Tab")
    picture = widget.get_by_role("application")
    expect(picture).to_be_focused()
    assert picture.evaluate("svg => getComputedStyle(svg).outlineStyle") == "solid", "one sees the focus"
    keyboard.press("ArrowDown")
    keyboard.press("ArrowDown")
    expect(readout).to_have_text("c0: FID 9,031 ± 2 reported.")
    keyboard.press("End")
    expect(readout).to_contain_text("tgan-2d (yours): no FID reported; 70.00 ± 0.50 in your runs: my runs")
    keyboard.press("Escape")
    expect(widget.locator(".ldvd-at")).to_have_count(0)


def test_sorting_by_keyboard_keeps_the_focus(notebook, widget):
    press = heading(widget, "Sort by model")
    press.focus()
    notebook.page.keyboard.press("Enter")
    expect(rows(widget).first).to_have_text("c0")
    expect(press).to_be_focused()
    notebook.page.keyboard.press("Tab")
    expect(heading(widget, "Sort by IS in the paper")).to_be_focused()


def test_python_moves_the_controls(notebook, widget):
    notebook.python("explorer.table = '8'; explorer.metric = 'fid'; explorer.sort = 'fid'")
    expect(widget.get_by_role("combobox", name="Table")).to_have_value("8")
    expect(widget.get_by_role("combobox", name="Column in the picture")).to_have_value("fid")
    expect(rows(widget).first).to_have_text("TGAN-F")
    expect(rows(widget).last).to_have_text("tgan-2d (yours)")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_is_legible_in_both_themes(notebook, widget, theme):
    notebook.set_theme(theme)
    notebook.page.set_viewport_size({"width": 1100, "height": 1300})
    notebook.page.wait_for_timeout(300)  # for the theme's transitions
    row(widget, "c0-c3").hover()
    expect(widget.locator("tbody tr.ldvd-at")).to_have_count(1)
    texts = widget.locator("text, caption, th, td > span, small, figcaption, label > span, p:visible, button:enabled")
    looks.assert_contrast(texts)
    looks.assert_contrast(widget.locator(".ldvd-dot"), looks.VISIBLE)
    notebook.screenshot(f"table-explorer-{theme}")
    notebook.page.set_viewport_size({"width": 1100, "height": 900})


@pytest.mark.parametrize("width", [340, 480, 1000])
@pytest.mark.parametrize("table", ["5a", "8", "7"])
def test_nothing_is_cut_off_or_overlaps_at_any_width(notebook, widget, table, width):
    notebook.python(f"explorer.table = '{table}'")
    notebook.page.set_viewport_size({"width": 1300, "height": 1500})
    widget.evaluate("(root, width) => { root.style.width = `${width}px` }", width)
    try:
        notebook.page.wait_for_timeout(300)
        assert widget.bounding_box()["width"] == width
        scrolls = widget.get_by_role("region", name="Table, scrolls sideways")
        assert scrolls.count() == 0 or (width < 500 and table != "7"), "only a phone has to scroll, and only then"
        cells = "" if scrolls.count() else ", th, td, th button"
        looks.assert_within(widget.locator(f".ldvd-bar button, select, svg, text, p{cells}"), widget)
        looks.assert_apart(widget.locator("svg text").all())
        notebook.screenshot(f"table-explorer-{table}-{width}")
    finally:
        widget.evaluate("root => { root.style.width = '' }")
        notebook.page.set_viewport_size({"width": 1100, "height": 900})


@pytest.fixture(scope="module")
def stored(published) -> nbformat.NotebookNode:
    return published(REPORT, EXPLORER)


def test_a_notebook_that_was_never_run_here_shows_the_still_picture(notebooks, stored):
    looks.assert_picture_stands_in(notebooks("untouched.ipynb", stored))


def test_a_stored_widget_of_a_trusted_notebook_can_be_browsed_before_anything_is_run(notebooks, stored):
    opened = notebooks("browsed.ipynb", stored, trusted=True)
    widget = opened.page.locator(".ldvd-table-explorer")
    widget.wait_for()  # longer than an expectation waits: JupyterLab asks the kernel for its widgets first
    widget.get_by_role("combobox", name="Table").select_option("9")
    heading(widget, "Sort by parameters").click()
    expect(rows(widget).first).to_have_text("TGAN-F, 16×128×128")
    assert opened.console_errors == []


def test_runs_that_are_not_the_readers_are_not_called_so(notebooks):
    opened = notebooks(
        "ours.ipynb", [REPORT, "from ldvd_lib import TableExplorer\nTableExplorer('mine.json', whose='our')"]
    )
    opened.run_all()
    widget = opened.page.locator(".ldvd-table-explorer")
    expect(rows(widget).last).to_have_text("tgan-2d (ours)")
    expect(widget.get_by_role("combobox", name="Our runs")).to_have_count(1)
    expect(widget.locator("figcaption")).to_contain_text("Our runs are not on the paper's scale")
    assert "your" not in widget.inner_text().lower()
    assert opened.console_errors == []


def test_without_results_the_paper_can_be_browsed(notebooks):
    opened = notebooks(
        "paper.ipynb", ["from ldvd_lib import TableExplorer\nexplorer = TableExplorer(table='10')\nexplorer"]
    )
    opened.run_all()
    widget = opened.page.locator(".ldvd-table-explorer")
    expect(widget.locator("caption")).to_have_text("Table 10: which clips people prefer")
    expect(widget.get_by_role("combobox", name="Your runs")).to_have_count(0)
    expect(widget.locator(".ldvd-best, .ldvd-star")).to_have_count(0)
    assert opened.console_errors == []
