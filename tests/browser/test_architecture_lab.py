"""The architecture lab, driven in JupyterLab as a learner does."""

import re

import looks
import nbformat
import pytest
from playwright.sync_api import Locator, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

# Noise to train on, in memory.
STORE = """\
import numpy as np

from ldvd_lib.data import ClipStore

noise = np.random.default_rng(0).integers(0, 256, (4, 18, 32, 32, 3), dtype=np.uint8)
store = ClipStore.from_clips(noise)
"""
LAB = """\
from ldvd_lib.widgets import ArchitectureLab

lab = ArchitectureLab(store=store, directory="runs", limits={"parameters": 200_000, "multiply_adds": 21_000_000})
lab"""
RESET = """\
lab.kinds = ["3d"]  # so that what was said of the last one is gone in any case
lab.kinds, lab.preset, lab.width, lab.reference, lab.steps = ["2+1d", "2+1d", "2d", "2d"], "lite", 1, "tgan", 300"""


@pytest.fixture(scope="module")
def notebook(notebooks):
    """A notebook that shows an architecture lab. The tests share it, and each starts from the same choices."""
    notebook = notebooks("design.ipynb", [STORE, LAB])
    notebook.run_all()
    notebook.page.wait_for_selector(".ldvd-architecture-lab .ldvd-pile rect")
    return notebook


@pytest.fixture
def widget(notebook) -> Locator:
    """The widget as it was in the beginning; afterwards the browser's console must not have complained."""
    notebook.python(RESET)
    widget = notebook.page.locator(".ldvd-architecture-lab")
    expect(status(widget)).to_have_text(re.compile("^tgan-f at lite size: 178,880 parameters, 0.258 × those of tgan"))
    expect(widget).to_have_attribute("aria-busy", "false")
    yield widget
    assert notebook.console_errors == []


def status(widget: Locator) -> Locator:
    return widget.locator(".ldvd-status")


def menu(widget: Locator, name: str) -> Locator:
    return widget.get_by_role("combobox", name=name, exact=True)


def kinds_on_screen(widget: Locator) -> list[str]:
    return widget.locator(".ldvd-part select").evaluate_all("menus => menus.map(menu => menu.value)")


def sums_on_screen(widget: Locator) -> dict[str, list[str]]:
    lines = [line.split("\t") for line in widget.locator(".ldvd-sums tbody").inner_text().strip().split("\n")]
    return {label: [text.strip() for text in texts] for label, *texts in lines}


def settled(widget: Locator, kinds: list[str]) -> None:
    """Wait until the menus show these kinds, and the numbers belong to them."""
    menus = widget.locator(".ldvd-part select")
    expect(menus).to_have_count(len(kinds))
    for number, kind in enumerate(kinds):
        expect(menus.nth(number)).to_have_value(kind)
    expect(widget).to_have_attribute("aria-busy", "false")


def test_the_numbers_on_screen_are_pythons(notebook, widget):
    for layer, kind in ((0, "3d"), (3, "shift"), (1, "2d"), (2, "2+1d")):
        menu(widget, f"Kind of layer c{layer}").select_option(kind)
    settled(widget, ["3d", "2d", "2+1d", "shift"])
    notebook.says("lab.kinds", "['3d', '2d', '2+1d', 'shift']")
    expected = notebook.python(
        "from ldvd_lib import anatomy\nfrom ldvd_lib.discriminators import VideoDiscriminator\n"
        "found = anatomy.dissect(VideoDiscriminator(lab.kinds, 32, base_channels=16))\n"
        "for row in found.cells(): print(*row, sep='|')"
    )
    rows = widget.locator(".ldvd-all tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.children].map(cell => cell.textContent).join('|'))"
    )
    assert rows == expected.split("\n")
    sums = sums_on_screen(widget)
    assert [sums[name][0] for name in ("parameters", "multiply-adds", "activations kept")] == rows[-1].split("|")[3:6]
    reach = notebook.python("print(*found.receptive_field)").split()
    assert sums["frames seen"][0] == f"all 16 (reaches {reach[0]})" and sums["pixels seen"][0].endswith("(reaches 46)")
    shares = widget.locator(".ldvd-part").nth(3).locator(".ldvd-cost").all_inner_texts()
    assert len(shares) == 3 and shares[0].startswith("parameters")


def test_the_drawing_has_a_pile_of_as_many_sheets_as_there_are_frames(notebook, widget):
    def sheets() -> list[int]:
        return [pile.locator("rect").count() for pile in widget.locator(".ldvd-pile").all()]

    assert sheets() == [16, 8, 4, 4, 4, 1]
    menu(widget, "Kind of layer c0").select_option("2d")
    settled(widget, ["2d", "2+1d", "2d", "2d"])
    assert sheets() == [16, 16, 8, 8, 8, 1]


def test_designs_of_the_paper_fill_the_menus(notebook, widget):
    designs = menu(widget, "Design")
    expect(designs).to_have_value("tgan-f")
    designs.select_option("tgan-tsm")
    settled(widget, ["shift", "shift", "shift", "2d"])
    notebook.says("lab.kinds", "['shift', 'shift', 'shift', '2d']")
    menu(widget, "Kind of layer c1").select_option("3d")
    expect(designs).to_have_value("")
    expect(designs.locator("option:checked")).to_have_text("your own")


def test_sizes_widths_and_the_reference(notebook, widget):
    menu(widget, "Size").select_option("paper")
    expect(status(widget)).to_have_text("tgan-f at paper size: 2,847,488 parameters, 0.258 × those of tgan.")
    menu(widget, "Compare with").select_option("tgan-f")
    expect(status(widget)).to_contain_text("2,847,488 parameters, 1 × those of tgan-f.")
    menu(widget, "Compare with").select_option("tgan")
    expect(status(widget)).to_contain_text("those of tgan.")
    assert sums_on_screen(widget)["parameters"][:2] == ["2,847,488", "11,032,320"]
    channels = menu(widget, "Channels of the first layer")
    expect(channels.locator("option:checked")).to_have_text("64 channels")
    channels.select_option("0.5")
    notebook.says("(lab.width, lab.base_channels)", "(0.5, 32)")
    expect(status(widget)).to_contain_text("tgan-f (0.5 × channels) at paper size: 715,136")


def test_limits_are_kept_or_not_in_words(notebook, widget):
    assert sums_on_screen(widget)["parameters"][3] == "200,000 ✓ kept"
    menu(widget, "Design").select_option("tgan")
    expect(status(widget)).to_contain_text("Over the limit: parameters")
    assert sums_on_screen(widget)["parameters"][3] == "200,000 ✗ over"


def test_an_impossible_stack_is_explained_and_the_last_one_stays(notebook, widget):
    before = sums_on_screen(widget)
    menu(widget, "Number of layers").select_option("6")
    expect(status(widget)).to_contain_text("This stack is impossible: layer c5 ('2d') needs more pixels than the 1")
    expect(status(widget)).to_contain_text("Still on show: tgan-f at lite size.")
    expect(status(widget)).to_have_class("ldvd-status ldvd-failed")
    assert sums_on_screen(widget) == before
    assert len(kinds_on_screen(widget)) == 6
    expect(widget.get_by_role("button", name="Train")).to_be_disabled()
    menu(widget, "Number of layers").select_option("5")
    settled(widget, ["2+1d", "2+1d", "2d", "2d", "2d"])
    expect(status(widget)).to_have_class("ldvd-status")
    expect(widget.get_by_role("button", name="Train")).to_be_enabled()
    menu(widget, "Number of layers").select_option("6")
    expect(status(widget)).to_contain_text("Still on show: 2+1d · 2+1d · 2d · 2d · 2d at lite size.")
    menu(widget, "Size").select_option("paper")
    expect(status(widget)).to_contain_text("at paper size:")


def test_the_menus_do_not_wait_for_a_busy_kernel(notebook, widget):
    with notebook.busy_kernel():
        menu(widget, "Kind of layer c0").select_option("3d")
        menu(widget, "Number of layers").select_option("3")
        assert kinds_on_screen(widget) == ["3d", "2+1d", "2d"]
        expect(menu(widget, "Design")).to_have_value("")
        expect(widget).to_have_attribute("aria-busy", "true")
        expect(widget.get_by_role("button", name="Train")).to_be_disabled()
        expect(status(widget)).to_have_text(
            "The kernel is busy, or it is not running. The numbers are still those of tgan-f at lite size."
        )
        menu(widget, "Design").select_option("tgan-c0")
        assert kinds_on_screen(widget) == ["2+1d", "2d", "2d", "2d"]
    expect(status(widget)).to_contain_text("tgan-c0 at lite size:")
    expect(widget).to_have_attribute("aria-busy", "false")
    assert kinds_on_screen(widget) == ["2+1d", "2d", "2d", "2d"]


def test_python_moves_the_menus(notebook, widget):
    notebook.python("lab.kinds = ['3d', 'shift']; lab.preset = 'paper'; lab.width = 2; lab.reference = 'tgan-c0'")
    expect(status(widget)).to_contain_text("3d · shift (2 × channels) at paper size")
    settled(widget, ["3d", "shift"])
    expect(menu(widget, "Number of layers")).to_have_value("2")
    expect(menu(widget, "Size")).to_have_value("paper")
    expect(menu(widget, "Channels of the first layer").locator("option:checked")).to_have_text("128 channels")
    expect(menu(widget, "Compare with")).to_have_value("tgan-c0")


def test_the_keyboard_does_everything_and_a_menu_keeps_the_focus(notebook, widget):
    keyboard = notebook.page.keyboard
    menu(widget, "Compare with").focus()
    keyboard.press("Tab")
    first = menu(widget, "Kind of layer c0")
    expect(first).to_be_focused()
    keyboard.press("ArrowDown")  # from 2+1d to 2d
    settled(widget, ["2d", "2+1d", "2d", "2d"])
    expect(first).to_be_focused()
    for layer in (1, 2, 3):
        keyboard.press("Tab")
        expect(menu(widget, f"Kind of layer c{layer}")).to_be_focused()
    keyboard.press("Tab")
    expect(widget.locator("summary")).to_be_focused()
    keyboard.press("Enter")
    expect(widget.locator(".ldvd-all")).to_be_visible()
    keyboard.press("Enter")
    keyboard.press("Tab")
    expect(widget.get_by_role("spinbutton", name="Training steps")).to_be_focused()
    keyboard.press("Tab")
    expect(widget.get_by_role("button", name="Train")).to_be_focused()


def test_the_button_trains_below_and_the_menus_do_not_disturb_it(notebook, widget):
    page = notebook.page
    menu(widget, "Design").select_option("tgan-tsm")
    expect(status(widget)).to_contain_text("tgan-tsm at lite size")
    notebook.type_into(widget.get_by_role("spinbutton", name="Training steps"), "3")
    widget.get_by_role("button", name="Train").click()
    expect(status(widget)).to_contain_text(
        "Training shift · shift · shift · 2d for 3 steps, into runs/lab-tsm-tsm-tsm-2d."
    )
    monitor = page.locator(".ldvd-training-monitor")
    expect(monitor).to_be_visible()
    assert monitor.bounding_box()["y"] > widget.bounding_box()["y"] + widget.bounding_box()["height"] - 1
    menu(widget, "Kind of layer c0").select_option("3d")
    expect(monitor).to_contain_text("Finished: step 3 of 3", timeout=60_000)
    expect(widget.get_by_role("button", name="Train")).to_be_enabled()
    trained = "print(*lab.monitor.run.config.model.discriminators['video'].options['kinds'])"
    assert notebook.python(trained) == "shift shift shift 2d"
    assert notebook.python("print(lab.monitor.run.newest_step)") == "3"
    notebook.says("lab.kinds", "['3d', 'shift', 'shift', '2d']")


def test_a_training_that_cannot_start_says_why(notebook, widget):
    notebook.python("whole, lab.store = lab.store, ClipStore.from_clips(noise[:, :, :16, :16])")
    for _ in range(2):  # a second time the same is said, and the button must not hang
        widget.get_by_role("button", name="Train").click()
        expect(status(widget)).to_contain_text("The training could not start. ValueError: the sampler gives clips")
        expect(widget.get_by_role("button", name="Train")).to_be_enabled()
    notebook.python("lab.store = whole")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_is_legible_in_both_themes(notebook, widget, theme):
    notebook.python("lab.kinds = ['3d', '2+1d', '2d', 'shift']")
    settled(widget, ["3d", "2+1d", "2d", "shift"])
    notebook.set_theme(theme)
    notebook.page.wait_for_timeout(300)  # for the theme's transitions
    texts = "button, select, label > span, .ldvd-name, .ldvd-kind, .ldvd-about div, .ldvd-legend li, td, th, summary, p"
    looks.assert_contrast(widget.locator(texts))
    widget.scroll_into_view_if_needed()
    notebook.screenshot(f"architecture-lab-{theme}")


@pytest.mark.parametrize("width", [480, 550, 1100])
def test_nothing_is_cut_off_at_any_width(notebook, widget, width):
    notebook.python("lab.kinds = ['2d'] * 5")
    settled(widget, ["2d"] * 5)
    widget.locator("summary").click()
    notebook.page.set_viewport_size({"width": width, "height": 900})  # 550: what is left of 1100 at 200 %
    try:
        notebook.page.wait_for_timeout(300)
        frame = notebook.page.locator(".jp-OutputArea-output", has=widget)
        parts = "button, input, select, svg, .ldvd-sums, .ldvd-sums td, .ldvd-scroller, .ldvd-part, .ldvd-cost span"
        looks.assert_within(widget.locator(parts), frame)
        for card in widget.locator(".ldvd-part").all():
            edges = card.evaluate("card => [card.scrollWidth, card.clientWidth]")
            assert edges[0] <= edges[1]
        notebook.screenshot(f"architecture-lab-{width}")
    finally:
        widget.locator("summary").click()
        notebook.page.set_viewport_size({"width": 1100, "height": 900})


@pytest.fixture(scope="module")
def stored(published) -> nbformat.NotebookNode:
    return published(STORE, LAB)


def test_a_notebook_that_was_never_run_here_shows_the_still_picture(notebooks, stored):
    looks.assert_picture_stands_in(notebooks("undesigned.ipynb", stored), 600)


def test_a_stored_lab_of_a_trusted_notebook_shows_its_design_and_says_that_it_waits(notebooks, stored):
    opened = notebooks("designed.ipynb", stored, trusted=True)
    widget = opened.page.locator(".ldvd-architecture-lab")
    widget.wait_for()  # longer than an expectation waits: JupyterLab asks the kernel for its widgets first
    expect(status(widget)).to_contain_text("178,880 parameters")
    menu(widget, "Kind of layer c2").select_option("shift")
    expect(status(widget)).to_contain_text("The kernel is busy, or it is not running. The numbers are still those of")
    assert opened.console_errors == []
