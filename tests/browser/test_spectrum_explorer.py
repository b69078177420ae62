"""The spectrum explorer, driven in JupyterLab as a learner does."""

import re

import looks
import nbformat
import pytest
from playwright.sync_api import Locator, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

# Runs whose spectra were made up: value and residual of a dot tell its run, discriminator, step and rank.
RUNS = """\
import json
from pathlib import Path

import torch

from ldvd_lib import zoo
from ldvd_lib._kit.configuration import save_json, to_dict
from ldvd_lib.hessian import spectral_density
from ldvd_lib.runs.run import RunConfig


def write(name, height, steps, discriminators=("video",)):
    directory = Path(name)
    directory.mkdir(exist_ok=True)
    save_json(to_dict(RunConfig(zoo.config("mocogan"))), directory / "config.json")
    lines = []
    for number, discriminator in enumerate(discriminators):
        for step in steps:
            top = height * (1 + number) * (1 + step / 100 + torch.tensor(step / 70).sin().item() / 3)
            values = [top * 0.75**rank * (-1 if rank % 3 == 1 else 1) for rank in range(10)]
            lines.append({
                "step": step, "discriminator": discriminator, "eigenvalues": values,
                "residuals": [abs(value) * (0.004 + 0.01 * rank) for rank, value in enumerate(values)],
                "largest": max(values), "smallest": min(values), "converged": step != 200,
                "products": 30, "seconds": 0.5, "loss": 0.0,
            })
    (directory / "spectrum.jsonl").write_text("".join(json.dumps(line) + "\\n" for line in lines))
    return directory


bulk = 0.3 * torch.randn(500, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
outliers = torch.tensor([80.0, 45.0, 34.0, 19.0, -60.0, -25.0], dtype=torch.float64)
density = spectral_density(torch.diag(torch.cat([bulk, outliers])), samples=4, steps=40)
"""
EXPLORER = """\
from ldvd_lib.widgets import SpectrumExplorer

runs = {
    "tgan": write("tgan", 12.0, range(50, 601, 50)),
    "tgan-f": write("tgan-f", 1.5, range(60, 601, 60)),
    "mocogan": write("mocogan", 4.0, range(50, 601, 50), ("image", "video")),
}
explorer = SpectrumExplorer(runs, densities={"tgan": {300: density}})
explorer"""


@pytest.fixture(scope="module")
def notebook(notebooks):
    """A notebook that shows a spectrum explorer. The tests share it, and each starts from the same choices."""
    notebook = notebooks("explore.ipynb", [RUNS, EXPLORER])
    notebook.run_all()
    notebook.page.wait_for_selector(".ldvd-spectrum-explorer circle")
    return notebook


@pytest.fixture
def widget(notebook) -> Locator:
    """The widget as it was in the beginning; afterwards the browser's console must not have complained."""
    notebook.page.mouse.move(0, 0)
    notebook.python(
        "explorer.compare_run = None; explorer.run = 'tgan'; explorer.step = 600;"
        "explorer.num_eigenvalues = 10; explorer.scale = 'symlog'; explorer.density = False"
    )
    widget = notebook.page.locator(".ldvd-spectrum-explorer")
    expect(widget.locator("figcaption").first).to_contain_text("tgan, step 600")
    expect(widget.get_by_role("checkbox", name="Density")).not_to_be_checked()
    yield widget
    assert notebook.console_errors == []


def caption(widget: Locator, index: int = 0) -> Locator:
    return widget.locator("figcaption").nth(index)


def stems(widget: Locator, figure: int = 0) -> Locator:
    """The dots of the picture of one step."""
    return widget.locator("figure").nth(figure).locator(".ldvd-stem + .ldvd-dot, .ldvd-whisker + .ldvd-dot")


def test_it_opens_at_the_last_step_and_says_what_it_shows(notebook, widget):
    expect(widget.locator("figure:visible")).to_have_count(1)
    expect(widget.locator(".ldvd-dot")).to_have_count(12 * 10 + 10)
    expect(stems(widget)).to_have_count(10)
    largest, smallest = notebook.python(
        "spectrum = explorer.spectra['tgan']['video']\n"
        "print(*(f'{spectrum[key][-1]:.3g}'.replace('-', '−') for key in ('largest', 'smallest')))"
    ).split()
    expect(caption(widget)).to_contain_text(
        f"tgan, step 600: λ⁺ {largest}, λ⁻ {smallest}, largest residual 9.4 %. The axis is logarithmic beyond ±"
    )
    expect(widget.locator("text.ldvd-name").filter(has_text=f"λ⁺ = {largest}")).to_be_visible()
    expect(widget.locator("text.ldvd-name").filter(has_text="λ⁻ of the run: −")).to_be_visible()


def test_steps_and_hovering_do_not_wait_for_the_kernel(notebook, widget):
    values = {
        step: notebook.python(
            f"s = explorer.spectra['tgan']['video']; i = s['step'].tolist().index({step});"
            "print(f\"{s['eigenvalues'][i, 3]:.4g}\")"
        )
        for step in (150, 450)
    }
    widget.scroll_into_view_if_needed()
    with notebook.busy_kernel():
        for step, value in values.items():
            widget.get_by_role("slider", name="Training step").fill(str(step // 50 - 1))
            expect(caption(widget)).to_contain_text(f"step {step}:")
            # Signs are + - + + - + + - + +, magnitudes fall: by value, number 4 by magnitude is the third stem.
            stems(widget).nth(2).hover(force=True)
            tip = widget.locator(".ldvd-tip:visible")
            expect(tip).to_contain_text(f"λ = {value}")
            expect(tip).to_contain_text(re.compile(r"error bound \(residual\) ± [\d.]+, 3.4 %"))
            expect(tip).to_contain_text(f"step {step}, number 4 of 10 by magnitude")
            notebook.page.mouse.move(0, 0)
            expect(widget.locator(".ldvd-tip:visible")).to_have_count(0)
    notebook.says("explorer.step", "450")


def test_the_keyboard_does_everything_and_the_notebook_takes_no_key_away(notebook, widget):
    keyboard = notebook.page.keyboard
    slider = widget.get_by_role("slider", name="Training step")
    slider.focus()
    keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "step 550, number 11 of 12")
    keyboard.press("Tab")
    picture = widget.get_by_role("application")
    expect(picture).to_be_focused()
    assert picture.evaluate("svg => getComputedStyle(svg).outlineStyle") == "solid", "one sees the focus"
    keyboard.press("ArrowLeft")
    expect(caption(widget)).to_contain_text("step 500:")
    keyboard.press("ArrowDown")
    keyboard.press("ArrowDown")
    expect(widget.locator(".ldvd-tip:visible")).to_contain_text("step 500, number 3 of 10 by magnitude")
    keyboard.press("ArrowRight")
    expect(widget.locator(".ldvd-tip:visible")).to_contain_text("step 550, number 3 of 10 by magnitude")
    keyboard.press("Escape")
    expect(widget.locator(".ldvd-tip:visible")).to_have_count(0)
    keyboard.press("Home")
    expect(caption(widget)).to_contain_text("step 50:")
    select = widget.get_by_role("combobox", name="Run", exact=True)
    select.focus()
    keyboard.press("ArrowDown")
    expect(select).to_have_value("tgan-f")
    notebook.says("(explorer.run, explorer.step)", "('tgan-f', 60)")


def test_a_click_goes_to_the_step_under_it(notebook, widget):
    dot = widget.locator(".ldvd-dot").nth(4 * 10)
    dot.click(force=True)
    expect(caption(widget)).to_contain_text("step 250:")
    notebook.says("explorer.step", "250")


def test_play_goes_through_all_steps_from_the_first_and_stops(notebook, widget):
    caption(widget).evaluate(
        """caption => {
          window.said = [];
          const observer = new MutationObserver(() => window.said.push([caption.textContent, caption.ariaLive]));
          observer.observe(caption, { childList: true, characterData: true, subtree: true });
        }"""
    )
    widget.get_by_role("button", name="Play").click()
    notebook.page.wait_for_function("window.said.at(-1)?.[0].includes('step 600:')")
    expect(widget.get_by_role("button", name="Play")).to_be_visible()
    said = notebook.page.evaluate("window.said")
    steps = [int(re.search(r"step ([\d,]+):", text)[1].replace(",", "")) for text, _ in said]
    assert list(dict.fromkeys(steps)) == list(range(50, 601, 50))
    live = {live for step, (_, live) in zip(steps, said, strict=True) if step < 600}
    assert live == {"off"}, "nobody wants every step of a play read out"
    expect(caption(widget)).to_have_attribute("aria-live", "polite")


def test_pause_stops_where_it_is(notebook, widget):
    before, after = widget.evaluate(
        """async (widget) => {
          const wait = (ms) => new Promise((done) => setTimeout(done, ms));
          const step = () => widget.querySelector("input[type=range]").value;
          const button = widget.querySelector(".ldvd-play");
          button.click();
          await wait(1000);
          button.click();
          const stopped = step();
          await wait(1000);
          return [stopped, step()];
        }"""
    )
    assert 0 < int(before) < 11
    assert after == before
    expect(widget.get_by_role("button", name="Play")).to_be_visible()
    notebook.says("explorer.step", str(50 * (int(before) + 1)))


def test_fewer_eigenvalues_are_the_leading_ones(notebook, widget):
    field = widget.get_by_role("spinbutton", name="Number of eigenvalues")
    field.fill("4")
    expect(stems(widget)).to_have_count(4)
    expect(widget.locator(".ldvd-dot")).to_have_count(12 * 4 + 4)
    notebook.says("explorer.num_eigenvalues", "4")
    field.fill("11")
    field.blur()
    expect(field).to_have_value("4")


def test_the_axis_changes_and_the_order_stays(notebook, widget):
    def heights() -> list[float]:
        return [float(stem.get_attribute("cy")) for stem in stems(widget).all()]

    symlog = heights()
    widget.get_by_role("combobox", name="Axis").select_option("linear")
    expect(caption(widget)).not_to_contain_text("logarithmic")
    linear = heights()
    assert symlog == sorted(symlog) and linear == sorted(linear)
    assert max(abs(a - b) for a, b in zip(symlog, linear, strict=True)) > 10
    notebook.says("explorer.scale", "linear")


def test_two_runs_stand_side_by_side_on_one_axis(notebook, widget):
    widget.get_by_role("combobox", name="Compare with run").select_option("tgan-f")
    first, second = widget.locator("figure").all()
    assert first.bounding_box()["y"] == second.bounding_box()["y"]
    assert abs(first.bounding_box()["width"] - second.bounding_box()["width"]) < 2
    ticks = [
        [text.inner_html() for text in figure.locator("text[text-anchor=end]").all()] for figure in (first, second)
    ]
    assert ticks[0][:5] == ticks[1][:5]
    dots = [[float(dot.get_attribute("cy")) for dot in stems(widget, figure).all()] for figure in (0, 1)]
    assert dots[0][0] < dots[1][0] < dots[1][-1] < dots[0][-1], "the smaller curvature is inside the larger one"
    widget.get_by_role("slider", name="Training step").fill("1")
    expect(caption(widget, 0)).to_contain_text("tgan, step 50:")
    expect(caption(widget, 1)).to_contain_text("tgan-f, step 60:")
    notebook.says("explorer.shown", "[('tgan', 'video'), ('tgan-f', 'video')]")


def test_the_discriminators_of_a_run_can_be_compared(notebook, widget):
    widget.get_by_role("combobox", name="Run", exact=True).select_option("mocogan")
    widget.get_by_role("combobox", name="Compare with run").select_option("mocogan")
    expect(caption(widget, 0)).to_contain_text("mocogan video, step 600")
    expect(caption(widget, 1)).to_contain_text("mocogan image, step 600")
    widget.get_by_role("combobox", name="Discriminator", exact=True).select_option("image")
    expect(caption(widget, 0)).to_contain_text("mocogan image, step 600")
    notebook.says("explorer.shown", "[('mocogan', 'image'), ('mocogan', 'image')]")


def test_the_density_is_drawn_where_there_is_one_and_missed_in_words_where_not(notebook, widget):
    box = widget.get_by_role("checkbox", name="Density")
    box.check()
    expect(widget.locator("path.ldvd-density")).to_have_count(1)
    expect(caption(widget)).to_contain_text("Density measured at step 300.")
    expect(widget.get_by_text("density of step 300")).to_be_visible()
    widget.get_by_role("slider", name="Training step").fill("5")
    expect(widget.get_by_text("density (shaded)")).to_be_visible()
    widget.get_by_role("combobox", name="Run", exact=True).select_option("tgan-f")
    expect(box).to_be_disabled()
    expect(widget.get_by_text("density (none given for tgan-f)")).to_be_visible()
    expect(widget.locator("path.ldvd-density")).to_have_count(0)


def test_python_moves_the_controls(notebook, widget):
    notebook.python("explorer.step = 100; explorer.num_eigenvalues = 3; explorer.compare_run = 'mocogan'")
    expect(widget.get_by_role("slider", name="Training step")).to_have_value("1")
    expect(widget.get_by_role("spinbutton", name="Number of eigenvalues")).to_have_value("3")
    expect(widget.get_by_role("combobox", name="Compare with run")).to_have_value("mocogan")
    expect(widget.get_by_role("combobox", name="Discriminator to compare with")).to_have_value("video")
    expect(caption(widget, 1)).to_contain_text("mocogan video, step 100")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_is_legible_in_both_themes(notebook, widget, theme):
    notebook.python("explorer.compare_run = 'tgan-f'; explorer.density = True; explorer.step = 300")
    notebook.set_theme(theme)
    expect(caption(widget, 1)).to_contain_text("step 300:")
    widget.scroll_into_view_if_needed()
    notebook.page.wait_for_timeout(300)  # for the theme's transitions, which move things
    stems(widget, 1).nth(8).hover(force=True)
    expect(widget.locator(".ldvd-tip:visible")).to_have_count(1)
    selector = (
        "text, .ldvd-tip:not([hidden]) > *, .ldvd-title, figcaption, label > span, .ldvd-count, .ldvd-hint, button"
    )
    looks.assert_contrast(widget.locator(selector))
    looks.assert_contrast(widget.locator(".ldvd-chosen"), looks.VISIBLE)
    notebook.screenshot(f"spectrum-explorer-{theme}")


@pytest.mark.parametrize("width", [480, 700, 1000])
def test_nothing_is_cut_off_or_overlaps_at_any_width(notebook, widget, width):
    notebook.python("explorer.compare_run = 'tgan-f'; explorer.density = True; explorer.step = 300")
    notebook.page.set_viewport_size({"width": 1300, "height": 1200})
    widget.evaluate("(root, width) => { root.style.width = `${width}px` }", width)
    try:
        notebook.page.wait_for_timeout(300)
        assert widget.bounding_box()["width"] == width
        looks.assert_within(widget.locator("button, input, select, svg, text"), widget)
        for figure in widget.locator("figure").all():
            looks.assert_apart(figure.locator("text:not(.ldvd-name)").all())
    finally:
        widget.evaluate("root => { root.style.width = '' }")
        notebook.page.set_viewport_size({"width": 1100, "height": 900})


@pytest.fixture(scope="module")
def stored(published) -> nbformat.NotebookNode:
    return published(RUNS, EXPLORER)


def test_a_notebook_that_was_never_run_here_shows_the_still_picture(notebooks, stored):
    looks.assert_picture_stands_in(notebooks("unexplored.ipynb", stored))


def test_a_stored_widget_of_a_trusted_notebook_can_be_explored_before_anything_is_run(notebooks, stored):
    opened = notebooks("explored.ipynb", stored, trusted=True)
    widget = opened.page.locator(".ldvd-spectrum-explorer")
    widget.wait_for()  # longer than an expectation waits: JupyterLab asks the kernel for its widgets first
    expect(caption(widget)).to_contain_text("tgan, step 600")
    widget.get_by_role("combobox", name="Compare with run").select_option("mocogan")
    widget.get_by_role("slider", name="Training step").fill("2")
    expect(caption(widget, 1)).to_contain_text("mocogan video, step 150")
    assert opened.console_errors == []
