"""The sample browser, driven in JupyterLab as a learner does."""

import json

import nbformat
import numpy as np
import pytest
from playwright.sync_api import Locator, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

GENERATOR = """\
import torch

class Discs:
    fails = False

    def sample_latents(self, n, *, generator=None):
        return torch.rand(n, 8, generator=generator)

    def __call__(self, latents):
        if self.fails:
            raise RuntimeError("out of order")
        y, x = torch.meshgrid(torch.linspace(-1, 1, 32), torch.linspace(-1, 1, 32), indexing="ij")
        angle = 6.283 * (latents[:, 6, None] + torch.arange(16) / 16)  # (N, T)
        centre_x, centre_y = 0.5 * angle.cos()[..., None, None], 0.5 * angle.sin()[..., None, None]
        disc = torch.sigmoid(25 * (0.35 - torch.hypot(x - centre_x, y - centre_y)))[:, None]  # (N, 1, T, H, W)
        colour, ground = latents[:, :6, None, None, None].chunk(2, dim=1)
        return disc * (0.5 + 0.5 * colour) * 2 + (1 - disc) * ground * (0.8 + 0.3 * y) - 1
"""
BROWSER = """\
from ldvd_lib.widgets import SampleBrowser

generator = Discs()
browser = SampleBrowser(generator, num_videos=6, seed=3, fps=20, save_directory="saved")
browser"""


@pytest.fixture(scope="module")
def notebook(notebooks):
    """A notebook that shows a sample browser. The tests share it, and each brings it into the state it needs."""
    notebook = notebooks("browse.ipynb", [GENERATOR, BROWSER])
    notebook.run_all()
    notebook.page.wait_for_selector(".ldvd-cell canvas")
    return notebook


@pytest.fixture
def widget(notebook) -> Locator:
    """The widget; afterwards the browser's console must not have complained."""
    yield notebook.page.locator(".ldvd-sample-browser")
    assert notebook.console_errors == []


def pixels(widget: Locator, selector: str = ".ldvd-cell canvas", index: int = 0) -> np.ndarray:
    """What a canvas shows, ``(H, W, 3)``."""
    script = "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"
    return np.array(widget.locator(selector).nth(index).evaluate(script), dtype=np.uint8).reshape(32, 32, 4)[..., :3]


def is_moving(widget: Locator) -> bool:
    """Whether the first video shows several frames within half a second."""
    seen = set()
    for _ in range(8):
        seen.add(pixels(widget).tobytes())
        widget.page.wait_for_timeout(60)
    assert len(seen) == 1 or len(seen) > 3, "it either stands still or goes on"
    return len(seen) > 1


def python_pixels(notebook, index: int, frame: int) -> np.ndarray:
    """What the kernel says that it should show."""
    return np.array(
        json.loads(notebook.python(f"print(browser.videos[{index}, :, {frame}].permute(1, 2, 0).tolist())"))
    )


def pause_at(widget: Locator, frame: int) -> None:
    widget.get_by_role("slider", name="Frame").fill(str(frame))


def test_videos_play_and_pause(notebook, widget):
    notebook.python("browser.playing = True")
    expect(widget.get_by_role("button", name="Pause")).to_be_visible()
    assert is_moving(widget)
    widget.get_by_role("button", name="Pause").click()
    expect(widget.get_by_role("button", name="Play")).to_be_visible()
    notebook.says("browser.playing", "False")
    assert not is_moving(widget)


def test_scrubbing_shows_the_very_pixels_and_does_not_wait_for_the_kernel(notebook, widget):
    expected = {frame: python_pixels(notebook, 4, frame) for frame in (0, 5, 15)}
    with notebook.busy_kernel():
        for frame, picture in expected.items():
            pause_at(widget, frame)
            assert np.array_equal(pixels(widget, index=4), picture)
            expect(widget.locator(".ldvd-count")).to_have_text(f"{frame} / 15")


def test_the_keyboard_reaches_every_control_and_the_notebook_takes_no_key_away(notebook, widget):
    pause_at(widget, 3)
    slider = widget.get_by_role("slider", name="Frame")
    slider.focus()
    notebook.page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("4")
    expect(slider).to_have_attribute("aria-valuetext", "frame 4 of 0 to 15")
    names = []
    for _ in range(5):
        notebook.page.keyboard.press("Tab")
        focused = "document.activeElement"
        names.append(
            notebook.page.evaluate(f"{focused}.ariaLabel ?? {focused}.labels?.[0]?.innerText ?? {focused}.innerText")
        )
        assert notebook.page.evaluate(f"getComputedStyle({focused}).outlineStyle") == "solid", "one sees the focus"
    assert [name.strip() for name in names] == ["Frames per second", "seed", "Resample", "Save GIF", "Video 0"]
    notebook.python("browser.selected = None")
    notebook.page.keyboard.press("Enter")
    expect(widget.get_by_role("button", name="Video 0")).to_have_attribute("aria-pressed", "true")
    notebook.page.keyboard.press("Space")
    expect(widget.get_by_role("button", name="Video 0")).to_have_attribute("aria-pressed", "false")


def test_a_seed_typed_in_is_sampled_and_resample_takes_the_next(notebook, widget):
    pause_at(widget, 2)
    field = widget.get_by_role("spinbutton", name="seed")
    notebook.type_into(field, "11")
    expect(widget.locator(".ldvd-status")).to_have_text("6 videos of 16 frames, 32 × 32 pixels, seed 11.")
    expect(widget).to_have_attribute("data-seed", "11")
    assert notebook.python("print(browser.seed)") == "11"
    assert np.array_equal(pixels(widget, index=1), python_pixels(notebook, 1, 2))
    widget.get_by_role("button", name="Resample").click()
    expect(widget).to_have_attribute("data-seed", "12")
    expect(field).to_have_value("12")
    assert notebook.python("print(browser.seed)") == "12"
    notebook.python("browser.seed = 3")
    expect(field).to_have_value("3")
    expect(widget).to_have_attribute("data-seed", "3")


def test_what_is_no_seed_is_refused_in_words(notebook, widget):
    field = widget.get_by_role("spinbutton", name="seed")
    notebook.type_into(field, "-4")
    expect(widget.locator(".ldvd-status")).to_contain_text("“-4” is not a whole number")
    expect(field).to_have_value(notebook.python("print(browser.seed)"))


def test_a_slow_sample_says_that_it_is_coming(notebook, widget):
    with notebook.busy_kernel():
        widget.get_by_role("button", name="Resample").click()
        expect(widget.locator(".ldvd-status")).to_contain_text("Sampling seed")
        expect(widget).to_have_attribute("aria-busy", "true")
    expect(widget.locator(".ldvd-status")).to_contain_text("6 videos")
    expect(widget).to_have_attribute("aria-busy", "false")


def test_a_click_enlarges_a_video_and_tells_python_which(notebook, widget):
    notebook.python("browser.selected = None")
    enlarged = widget.locator(".ldvd-enlarged")
    expect(enlarged).to_be_hidden()
    pause_at(widget, 7)
    cell = widget.get_by_role("button", name="Video 4")
    cell.click()
    expect(enlarged).to_be_visible()
    assert np.array_equal(pixels(widget, ".ldvd-enlarged canvas"), python_pixels(notebook, 4, 7))
    assert enlarged.locator("canvas").bounding_box()["width"] > 2 * cell.bounding_box()["width"]
    notebook.says("browser.selected", "4")
    assert notebook.python("print(browser.latents[browser.selected].shape)") == "torch.Size([8])"
    widget.get_by_role("button", name="Close").click()
    expect(enlarged).to_be_hidden()
    expect(cell).to_be_focused()
    notebook.says("browser.selected", "None")
    notebook.python("browser.selected = 2")
    expect(widget.get_by_role("img", name="Video 2, enlarged")).to_be_visible()


def test_the_rate_changes_on_both_sides(notebook, widget):
    field = widget.get_by_role("spinbutton", name="Frames per second")
    notebook.type_into(field, "8")
    notebook.says("browser.fps", "8.0")
    notebook.python("browser.fps = 20")
    expect(field).to_have_value("20")


def test_save_gif_writes_a_file_and_says_where(notebook, widget):
    notebook.python("browser.seed = 3")
    widget.get_by_role("button", name="Save GIF").click()
    expect(widget.locator(".ldvd-status")).to_contain_text("Saved saved/samples-seed-3.gif (")
    assert (notebook.lab.directory / "saved" / "samples-seed-3.gif").read_bytes().startswith(b"GIF89a")
    assert notebook.python("print(browser.saved_path)") == "saved/samples-seed-3.gif"


def test_an_error_is_shown_and_the_last_sample_stays(notebook, widget):
    notebook.python("browser.seed = 3; generator.fails = True")
    expect(widget).to_have_attribute("data-seed", "3")
    pause_at(widget, 0)
    before = pixels(widget)
    widget.get_by_role("button", name="Resample").click()
    status = widget.locator(".ldvd-status")
    expect(status).to_have_text("Seed 4 failed, still showing seed 3. RuntimeError: out of order")
    expect(status).to_have_class("ldvd-status ldvd-failed")
    assert np.array_equal(pixels(widget), before)
    notebook.python("generator.fails = False")
    widget.get_by_role("button", name="Resample").click()
    expect(status).to_contain_text("seed 5")
    expect(status).to_have_class("ldvd-status")


LUMINANCE = """element => {
  const channels = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  let ground = element;
  while ((channels(getComputedStyle(ground).backgroundColor)[3] ?? 1) === 0) ground = ground.parentElement;
  return [luminance(channels(getComputedStyle(element).color)),
          luminance(channels(getComputedStyle(ground).backgroundColor))];
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_is_legible_in_both_themes(notebook, widget, theme):
    notebook.python("browser.selected = 1; browser.seed = 6")
    expect(widget).to_have_attribute("data-seed", "6")
    notebook.set_theme(theme)
    pause_at(widget, 4)
    notebook.page.mouse.move(0, 0)
    notebook.page.wait_for_timeout(300)  # for the theme's transitions
    texts = widget.locator(".ldvd-button, .ldvd-field > span, .ldvd-count, input[type=number], .ldvd-status")
    for text in texts.all():
        lighter, darker = sorted(text.evaluate(LUMINANCE), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, f"{text.inner_text()} in the {theme} theme"
    widget.scroll_into_view_if_needed()
    notebook.screenshot(f"sample-browser-{theme}")


def test_nothing_is_cut_off_at_twice_the_size(notebook, widget):
    notebook.python("browser.selected = 1")
    notebook.page.set_viewport_size({"width": 550, "height": 450})  # what is left of 1100 × 900 at 200 %
    notebook.page.wait_for_timeout(300)
    try:
        frame = notebook.page.locator(".jp-OutputArea-output", has=widget).bounding_box()
        for part in widget.locator("button, input, canvas").all():
            box = part.bounding_box()
            assert box["x"] >= frame["x"] - 1 and box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
        notebook.screenshot("sample-browser-zoomed")
    finally:
        notebook.page.set_viewport_size({"width": 1100, "height": 900})


@pytest.fixture(scope="module")
def stored(published) -> nbformat.NotebookNode:
    return published(GENERATOR, BROWSER)


def test_a_notebook_that_was_never_run_here_shows_the_still_picture(notebooks, stored):
    opened = notebooks("fresh.ipynb", stored)
    picture = opened.page.locator(".jp-OutputArea-output img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 8 * 64
    expect(opened.page.locator(".jp-OutputArea-output")).to_have_count(1)
    assert opened.console_errors == []


def test_a_stored_widget_of_a_trusted_notebook_plays_before_anything_is_run(notebooks, stored):
    opened = notebooks("trusted.ipynb", stored, trusted=True)
    widget = opened.page.locator(".ldvd-sample-browser")
    widget.wait_for()  # longer than an expectation waits: JupyterLab asks the kernel for its widgets first
    expect(widget.locator(".ldvd-cell")).to_have_count(6)
    assert is_moving(widget)
    assert opened.console_errors == []
