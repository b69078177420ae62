"""The sample browser, driven in JupyterLab as a learner does."""

import json
import re

import looks
import nbformat
import numpy as np
import pytest
from playwright.sync_api import Locator, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

GENERATOR = """\
import torch

class Discs:
    fails = False
    latent_parts = {"content": slice(0, 6), "motion": slice(6, 8)}

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
NEGATIVE = """\
class Negative(Discs):
    def __call__(self, latents):
        return -super().__call__(latents)
"""
COMPARISON = """\
from ldvd_lib.widgets import SampleBrowser

browser = SampleBrowser({"discs": Discs(), "negative": Negative()}, num_videos=6, seed=3, save_directory="saved")
browser"""
BROWSER = """\
from ldvd_lib.widgets import SampleBrowser

generator = Discs()
browser = SampleBrowser(generator, num_videos=6, seed=3, fps=20, save_directory="saved")
browser"""

CLASSES = """\
from ldvd_lib import zoo
from ldvd_lib.runs import pretrained
from ldvd_lib.widgets import SampleBrowser

people = pretrained.load("mocogan-categories", data="weizmann")
untrained = zoo.build("dvd-gan-1d", num_categories=4).generator.eval()
untrained.class_names = people.class_names
browser = SampleBrowser({"mocogan": people, "dvd-gan": untrained}, num_videos=6, seed=3)
browser"""
ACTIONS = ["wave1", "wave2", "jack", "bend"]


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


def python_pixels(notebook, index: int, frame: int, videos: str = "browser.videos") -> np.ndarray:
    """What the kernel says that it should show."""
    return np.array(json.loads(notebook.python(f"print({videos}[{index}, :, {frame}].permute(1, 2, 0).tolist())")))


def pause_at(widget: Locator, frame: int) -> None:
    widget.get_by_role("slider", name="Frame").fill(str(frame))


def set_up(notebook, widget: Locator, *, seed: int = 3, frame: int = 2, selected: int | None = None) -> None:
    """Bring the widget back to its samples, and wait until they are on screen."""
    notebook.python(
        "generator.fails = False\n"
        f"browser.grid, browser.first, browser.second, browser.truncation = 'samples', 0, 5, 1.0\n"
        f"browser.seed, browser.selected = {seed}, {selected}"
    )
    for name, value in {"grid": "samples", "first": "0", "second": "5", "truncation": "1", "seed": str(seed)}.items():
        expect(widget).to_have_attribute(f"data-{name}", value)
    pressed = widget.locator(".ldvd-cell[aria-pressed=true]")
    expect(pressed).to_have_count(0 if selected is None else 1)
    pause_at(widget, frame)


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
            expect(widget.locator(".ldvd-count").first).to_have_text(f"{frame} / 15")


def test_the_keyboard_reaches_every_control_and_the_notebook_takes_no_key_away(notebook, widget):
    set_up(notebook, widget, frame=3)
    slider = widget.get_by_role("slider", name="Frame")
    slider.focus()
    notebook.page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("4")
    expect(slider).to_have_attribute("aria-valuetext", "frame 4 of 0 to 15")
    names = []
    for _ in range(9):
        notebook.page.keyboard.press("Tab")
        focused = "document.activeElement"
        names.append(
            notebook.page.evaluate(f"{focused}.ariaLabel ?? {focused}.labels?.[0]?.innerText ?? {focused}.innerText")
        )
        assert notebook.page.evaluate(f"getComputedStyle({focused}).outlineStyle") == "solid", "one sees the focus"
    assert [name.split("\n")[0].strip() for name in names] == [
        *("Frames per second", "seed", "Resample", "Truncation ψ", "grid", "Save GIF", "Save MP4", "Video 0", "Video 1")
    ]
    notebook.page.keyboard.press("Shift+Tab")
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
    assert np.array_equal(pixels(widget, ".ldvd-figure > canvas"), python_pixels(notebook, 4, 7))
    assert enlarged.locator(".ldvd-figure > canvas").bounding_box()["width"] > 2 * cell.bounding_box()["width"]
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


# The frames of one video


def test_the_strip_shows_every_frame_and_leads_to_each_without_the_kernel(notebook, widget):
    set_up(notebook, widget, selected=4)
    expected = [python_pixels(notebook, 4, frame) for frame in range(16)]
    strip = widget.get_by_role("group", name="Frames of video 4")
    expect(strip.get_by_role("button")).to_have_count(16)
    for frame, picture in enumerate(expected):
        assert np.array_equal(pixels(widget, ".ldvd-still canvas", frame), picture)
    notebook.python("browser.playing = True")
    expect(widget.get_by_role("button", name="Pause")).to_be_visible()
    with notebook.busy_kernel():
        strip.get_by_role("button", name="Frame 9", exact=True).click()
        assert np.array_equal(pixels(widget, ".ldvd-figure > canvas"), expected[9])
        expect(widget.get_by_role("slider", name="Frame")).to_have_value("9")
        expect(strip.locator("[aria-current=true]")).to_have_attribute("aria-label", "Frame 9")
    notebook.says("browser.playing", "False")


def test_the_keyboard_walks_along_the_strip(notebook, widget):
    set_up(notebook, widget, selected=5, frame=6)
    widget.get_by_role("button", name="Video 5", exact=True).focus()
    focused = "document.activeElement.ariaLabel"
    notebook.page.keyboard.press("Tab")
    assert notebook.page.evaluate(focused) == "Frame 6", "one stop for all frames, at the one on screen"
    for key, frame in {"ArrowRight": 7, "ArrowLeft": 6, "End": 15, "Home": 0}.items():
        notebook.page.keyboard.press(key)
        assert notebook.page.evaluate(focused) == f"Frame {frame}"
        expect(widget.locator(".ldvd-count").first).to_have_text(f"{frame} / 15")
    notebook.page.keyboard.press("Tab")
    assert notebook.page.evaluate("document.activeElement.innerText") == "Close"


# Other latents


def test_truncation_is_sampled_when_the_slider_is_let_go(notebook, widget):
    set_up(notebook, widget)
    slider = widget.get_by_role("slider", name="Truncation ψ")
    slider.evaluate("node => { node.value = '0.3'; node.dispatchEvent(new Event('input', {bubbles: true})); }")
    expect(widget.locator(".ldvd-psi")).to_have_text("0.30")
    expect(widget).to_have_attribute("aria-busy", "false")
    assert notebook.python("print(browser.truncation)") == "1.0"
    slider.evaluate("node => node.dispatchEvent(new Event('change', {bubbles: true}))")
    expect(widget).to_have_attribute("data-truncation", "0.3")
    expect(widget.locator(".ldvd-status")).to_contain_text("seed 3, truncation 0.30.")
    assert np.array_equal(pixels(widget, index=2), python_pixels(notebook, 2, 2))
    slider.press("ArrowLeft")
    notebook.says("browser.truncation", "0.25")
    notebook.python("browser.truncation = 0")
    expect(slider).to_have_value("0")
    expect(widget).to_have_attribute("data-truncation", "0")
    assert np.array_equal(pixels(widget, index=0), pixels(widget, index=5)), "all are the one video of the mean"


def test_a_walk_goes_from_the_enlarged_video_to_another(notebook, widget):
    set_up(notebook, widget)
    samples = [pixels(widget, index=index) for index in range(6)]
    widget.get_by_role("button", name="Video 4").click()
    menu = widget.get_by_role("combobox", name="grid")
    menu.select_option("walk between two")
    expect(widget).to_have_attribute("data-grid", "walk")
    start, end = (widget.get_by_role("combobox", name=name) for name in ("Walk from", "Walk to"))
    expect(start).to_have_value("4")
    expect(end).to_have_value("5")
    expect(widget.get_by_role("img", name="Video 4, enlarged")).to_be_visible()
    expect(widget.locator(".ldvd-cell[aria-pressed=true]")).to_have_attribute("aria-label", "Video 4")
    end.select_option("video 2")
    expect(widget).to_have_attribute("data-second", "2")
    assert np.array_equal(pixels(widget, index=0), samples[4])
    assert np.array_equal(pixels(widget, index=5), samples[2])
    assert np.array_equal(pixels(widget, index=3), python_pixels(notebook, 3, 2))
    expect(widget.locator(".ldvd-name").nth(3)).to_have_text("60 % of the way")
    assert notebook.python("print(browser.grid, browser.first, browser.second)") == "walk 4 2"
    notebook.python("browser.first = 1")
    expect(start).to_have_value("1")
    expect(widget).to_have_attribute("data-first", "1")
    assert np.array_equal(pixels(widget, index=0), samples[1])
    menu.select_option("samples")
    expect(widget).to_have_attribute("data-grid", "samples")
    expect(start).to_be_hidden()
    expect(widget.get_by_role("img", name="Video 1, enlarged")).to_be_visible()


@pytest.mark.parametrize(("grid", "other"), [("same content", "motion"), ("same motion", "content")])
def test_one_part_is_that_of_the_enlarged_video(notebook, widget, grid, other):
    set_up(notebook, widget, selected=3)
    before = pixels(widget, index=3)
    widget.get_by_role("combobox", name="grid").select_option(grid)
    expect(widget).to_have_attribute("data-grid", grid)
    expect(widget.locator(".ldvd-name").first).to_have_text(f"{other} of video 0")
    assert np.array_equal(pixels(widget, index=3), before)
    assert np.array_equal(pixels(widget, ".ldvd-figure > canvas"), before)
    assert np.array_equal(pixels(widget, index=0), python_pixels(notebook, 0, 2))
    shared = f"generator.latent_parts['{grid.removeprefix('same ')}']"
    assert notebook.python(f"print(len(browser.latents[:, {shared}].unique(dim=0)))") == "1"
    widget.get_by_role("combobox", name="Same as").select_option("video 1")
    expect(widget).to_have_attribute("data-first", "1")
    assert notebook.python("print(browser.first)") == "1"


def test_a_keyboard_alone_leads_to_a_walk(notebook, widget):
    set_up(notebook, widget)
    press = notebook.page.keyboard.press
    widget.get_by_role("button", name="Video 2").focus()
    press("Enter")
    expect(widget.get_by_role("img", name="Video 2, enlarged")).to_be_visible()
    widget.get_by_role("combobox", name="grid").focus()
    press("ArrowDown")
    expect(widget).to_have_attribute("data-grid", "walk")
    press("Tab")
    press("Tab")
    press("ArrowUp")
    expect(widget).to_have_attribute("data-second", "4")
    notebook.says("browser.grid, browser.first, browser.second", "walk 2 4")


def test_another_grid_leaves_the_old_one_on_screen_until_it_comes(notebook, widget):
    set_up(notebook, widget, selected=4)
    before = pixels(widget, ".ldvd-figure > canvas")
    with notebook.busy_kernel():
        widget.get_by_role("combobox", name="grid").select_option("walk")
        expect(widget).to_have_attribute("aria-busy", "true")
        assert np.array_equal(pixels(widget, ".ldvd-figure > canvas"), before)
        expect(widget.get_by_role("img", name="Video 4, enlarged")).to_be_visible()
    expect(widget).to_have_attribute("data-grid", "walk")
    expect(widget).to_have_attribute("aria-busy", "false")
    assert np.array_equal(pixels(widget, ".ldvd-figure > canvas"), before)


def test_a_grid_that_fails_says_so_and_the_next_one_comes(notebook, widget):
    set_up(notebook, widget)
    before = pixels(widget)
    notebook.python("generator.fails = True")
    widget.get_by_role("combobox", name="grid").select_option("walk")
    status = widget.locator(".ldvd-status")
    expect(status).to_have_text(
        "Seed 3, walk from video 0 to video 5 failed, still showing seed 3. RuntimeError: out of order"
    )
    expect(widget).to_have_attribute("aria-busy", "false")
    assert np.array_equal(pixels(widget), before)
    notebook.python("generator.fails = False")
    widget.get_by_role("combobox", name="grid").select_option("same motion")
    expect(widget).to_have_attribute("data-grid", "same motion")
    expect(status).to_have_class("ldvd-status")


def test_save_mp4_writes_every_frame_of_what_is_shown(notebook, widget):
    set_up(notebook, widget)
    widget.get_by_role("combobox", name="grid").select_option("walk")
    expect(widget).to_have_attribute("data-grid", "walk")
    widget.get_by_role("button", name="Save MP4").click()
    expect(widget.locator(".ldvd-status")).to_contain_text("Saved saved/walk-seed-3.mp4 (")
    reading = "from ldvd_lib.data.decode import probe; print(probe(browser.saved_path).num_frames)"
    assert notebook.python(reading) == "16"


# Two generators


@pytest.fixture(scope="module")
def compared(notebooks):
    notebook = notebooks("compare.ipynb", [GENERATOR + NEGATIVE, COMPARISON])
    notebook.run_all()
    notebook.page.wait_for_selector(".ldvd-cell canvas")
    return notebook


@pytest.fixture
def pair(compared) -> Locator:
    yield compared.page.locator(".ldvd-sample-browser")
    assert compared.console_errors == []


def test_two_generators_play_in_step_and_a_pick_counts_for_both(compared, pair):
    expect(pair.locator(".ldvd-model .ldvd-title")).to_have_text(["discs", "negative"])
    for frame in (3, 11):
        pause_at(pair, frame)
        for number, label in enumerate(["discs", "negative"]):
            expected = python_pixels(compared, 4, frame, f"browser.videos_by_label['{label}']")
            assert np.array_equal(pixels(pair, index=6 * number + 4), expected)
    pair.get_by_role("button", name="Video 4, negative").click()
    expect(pair.locator(".ldvd-cell[aria-pressed=true]")).to_have_count(2)
    compared.says("browser.selected", "4")
    for number, label in enumerate(["discs", "negative"]):
        expect(pair.get_by_role("img", name=f"Video 4, {label}, enlarged")).to_be_visible()
        expected = python_pixels(compared, 4, 11, f"browser.videos_by_label['{label}']")
        assert np.array_equal(pixels(pair, ".ldvd-figure > canvas", number), expected)
        assert np.array_equal(pixels(pair, ".ldvd-still canvas", 16 * number + 11), expected)
    pair.get_by_role("group", name="Frames of video 4, negative").get_by_role("button", name="Frame 2").click()
    for number, label in enumerate(["discs", "negative"]):
        expected = python_pixels(compared, 4, 2, f"browser.videos_by_label['{label}']")
        assert np.array_equal(pixels(pair, ".ldvd-figure > canvas", number), expected)


def test_two_generators_walk_together_and_are_saved_together(compared, pair):
    compared.python("browser.grid, browser.seed, browser.selected = 'samples', 3, 1")
    expect(pair).to_have_attribute("data-grid", "samples")
    expect(pair.locator(".ldvd-cell[aria-pressed=true]").first).to_have_attribute("aria-label", "Video 1, discs")
    pair.get_by_role("combobox", name="grid").select_option("walk")
    expect(pair).to_have_attribute("data-grid", "walk")
    pause_at(pair, 5)
    for number, label in enumerate(["discs", "negative"]):
        expected = python_pixels(compared, 3, 5, f"browser.videos_by_label['{label}']")
        assert np.array_equal(pixels(pair, index=6 * number + 3), expected)
    pair.get_by_role("button", name="Save GIF").click()
    expect(pair.locator(".ldvd-status")).to_contain_text("Saved saved/walk-seed-3")
    width, height = json.loads(
        compared.python("from PIL import Image; print(list(Image.open(browser.saved_path).size))")
    )
    assert width > 2 * 3 * 96 and height < width, "side by side"


def test_two_grids_stand_side_by_side_where_there_is_room_and_else_below_each_other(compared, pair):
    def corners() -> list[dict]:
        return [grid.bounding_box() for grid in pair.locator(".ldvd-model").all()]

    first, second = corners()
    assert first["y"] == second["y"] and second["x"] >= first["x"] + first["width"]
    compared.page.set_viewport_size({"width": 480, "height": 900})
    try:
        expect(pair).to_have_css("width", re.compile(r"^3\d\d"))  # JupyterLab has laid out its panels anew
        first, second = corners()
        assert first["x"] == second["x"] and second["y"] >= first["y"] + first["height"]
        assert_nothing_is_cut_off(compared, pair)
        pair.scroll_into_view_if_needed()
        compared.screenshot("sample-browser-compare-narrow")
    finally:
        compared.page.set_viewport_size({"width": 1100, "height": 900})
    pair.scroll_into_view_if_needed()
    compared.screenshot("sample-browser-compare")


# Classes, and two generators whose latents differ


@pytest.fixture(scope="module")
def told(notebooks):
    notebook = notebooks("classes.ipynb", [CLASSES])
    notebook.run_all()
    notebook.page.wait_for_selector(".ldvd-cell canvas")
    return notebook


@pytest.fixture
def halves(told) -> Locator:
    """The widget, back at its samples."""
    widget = told.page.locator(".ldvd-sample-browser")
    told.python("browser.grid, browser.category, browser.first, browser.selected = 'samples', 'as drawn', 0, None")
    for name, value in {"grid": "samples", "category": "as drawn", "first": "0"}.items():
        expect(widget).to_have_attribute(f"data-{name}", value)
    expect(widget.locator(".ldvd-cell")).to_have_count(2 * 6)
    pause_at(widget, 9)
    yield widget
    assert told.console_errors == []


def assert_shows_what_python_says(told, halves: Locator, video: int, count: int = 6, frame: int = 9) -> None:
    """Of both generators, each with its own videos, at the same frame."""
    for number, label in enumerate(["mocogan", "dvd-gan"]):
        expected = python_pixels(told, video, frame, f"browser.videos_by_label['{label}']")
        assert np.array_equal(pixels(halves, index=count * number + video), expected)


def test_over_each_half_stands_whose_it_is_and_one_clock_moves_both(told, halves):
    expect(halves.locator(".ldvd-model .ldvd-title")).to_have_text(["mocogan", "dvd-gan"])
    notes = ["latents: content 50, motion 170, class 4", "latents of its own: noise 64, class 4"]
    expect(halves.locator(".ldvd-note")).to_have_text(notes)
    assert_shows_what_python_says(told, halves, 1)
    pause_at(halves, 14)
    assert_shows_what_python_says(told, halves, 1, frame=14)


def test_an_action_chosen_from_the_menu_is_asked_of_every_video(told, halves):
    menu = halves.get_by_role("combobox", name="class")
    expect(menu.get_by_role("option")).to_have_text(["as drawn", *ACTIONS])
    menu.select_option("bend")
    expect(halves).to_have_attribute("data-category", "bend")
    expect(halves.locator(".ldvd-name")).to_have_text([f"video {index}, bend" for index in range(6)] * 2)
    expect(halves.locator(".ldvd-status")).to_contain_text("seed 3, class bend.")
    told.says("[int(g.classes(browser.latents_by_label[n]).min()) for n, g in browser.generators.items()]", "[3, 3]")
    assert_shows_what_python_says(told, halves, 4)
    told.python("browser.category = 'jack'")
    expect(menu).to_have_value("jack")
    expect(halves).to_have_attribute("data-category", "jack")


def test_one_noise_in_every_class_is_a_video_for_each_with_the_enlarged_one_among_them(told, halves):
    before = pixels(halves, index=2)
    kind = told.python("print(browser._sample['names'][0][2].split(', ')[1])")
    halves.get_by_role("button", name=f"Video 2, {kind}, mocogan").click()
    menu = halves.get_by_role("combobox", name="grid")
    menu.select_option("every class")
    expect(halves).to_have_attribute("data-grid", "every class")
    expect(halves.locator(".ldvd-name")).to_have_text(ACTIONS * 2)
    expect(halves.get_by_role("combobox", name="class")).to_be_hidden()
    expect(halves.get_by_role("img", name=f"{kind.capitalize()}, mocogan, enlarged")).to_be_visible()
    assert np.array_equal(pixels(halves, index=ACTIONS.index(kind)), before), "it is the same video"
    assert_shows_what_python_says(told, halves, 3, count=4)
    halves.get_by_role("combobox", name="Same as").select_option("video 5")
    expect(halves).to_have_attribute("data-first", "5")
    assert_shows_what_python_says(told, halves, 0, count=4)
    menu.select_option("samples")
    expect(halves.locator(".ldvd-cell")).to_have_count(2 * 6)
    expect(halves.get_by_role("img", name="Video 5, ").first).to_be_visible()


def test_a_keyboard_alone_chooses_a_class(told, halves):
    halves.get_by_role("slider", name="Truncation ψ").focus()
    told.page.keyboard.press("Tab")
    told.page.keyboard.press("ArrowDown")
    expect(halves).to_have_attribute("data-category", "wave1")
    told.says("browser.category", "wave1")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_two_halves_with_classes_are_legible_in_both_themes(told, halves, theme):
    halves.get_by_role("combobox", name="class").select_option("bend")
    expect(halves).to_have_attribute("data-category", "bend")
    told.set_theme(theme)
    told.page.mouse.move(0, 0)
    told.page.wait_for_timeout(300)  # for the theme's transitions
    looks.assert_contrast(halves.locator(".ldvd-title, .ldvd-note, .ldvd-name, .ldvd-field > span, select"))
    halves.scroll_into_view_if_needed()
    told.screenshot(f"sample-browser-classes-{theme}")


def test_two_halves_with_classes_fit_on_a_small_screen(told, halves):
    halves.get_by_role("combobox", name="grid").select_option("every class")
    expect(halves).to_have_attribute("data-grid", "every class")
    told.page.set_viewport_size({"width": 480, "height": 1000})
    try:
        expect(halves).to_have_css("width", re.compile(r"^3\d\d"))  # JupyterLab has laid out its panels anew
        assert_nothing_is_cut_off(told, halves)
        looks.assert_within(halves.locator(".ldvd-name, .ldvd-note"), halves)
        halves.scroll_into_view_if_needed()
        told.screenshot("sample-browser-classes-narrow")
    finally:
        told.page.set_viewport_size({"width": 1100, "height": 900})


# How it looks


def assert_nothing_is_cut_off(notebook, widget: Locator) -> None:
    frame = notebook.page.locator(".jp-OutputArea-output", has=widget)
    looks.assert_within(widget.locator("button, input, select, canvas"), frame)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_is_legible_in_both_themes(notebook, widget, theme):
    set_up(notebook, widget, seed=6, frame=4, selected=1)
    notebook.set_theme(theme)
    notebook.page.mouse.move(0, 0)
    notebook.page.wait_for_timeout(300)  # for the theme's transitions
    texts = ".ldvd-button, .ldvd-field > span, .ldvd-count, input[type=number], select, .ldvd-name, .ldvd-status"
    looks.assert_contrast(widget.locator(texts))
    widget.scroll_into_view_if_needed()
    notebook.screenshot(f"sample-browser-{theme}")


@pytest.mark.parametrize(("name", "width"), [("zoomed", 550), ("narrow", 480)])
def test_nothing_is_cut_off_at_twice_the_size_or_on_a_small_screen(notebook, widget, name, width):
    set_up(notebook, widget, selected=1)
    widget.get_by_role("combobox", name="grid").select_option("same content")
    expect(widget).to_have_attribute("data-grid", "same content")
    notebook.page.set_viewport_size({"width": width, "height": 450})  # 550: what is left of 1100 × 900 at 200 %
    try:
        expect(widget).to_have_css("width", re.compile(r"^[34]\d\d"))  # JupyterLab has laid out its panels anew
        assert_nothing_is_cut_off(notebook, widget)
        notebook.screenshot(f"sample-browser-{name}")
    finally:
        notebook.page.set_viewport_size({"width": 1100, "height": 900})


@pytest.fixture(scope="module")
def stored(published) -> nbformat.NotebookNode:
    return published(GENERATOR, BROWSER)


def test_a_notebook_that_was_never_run_here_shows_the_still_picture(notebooks, stored):
    looks.assert_picture_stands_in(notebooks("fresh.ipynb", stored), 8 * 64)


def test_a_stored_widget_of_a_trusted_notebook_plays_before_anything_is_run(notebooks, stored):
    opened = notebooks("trusted.ipynb", stored, trusted=True)
    widget = opened.page.locator(".ldvd-sample-browser")
    widget.wait_for()  # longer than an expectation waits: JupyterLab asks the kernel for its widgets first
    expect(widget.locator(".ldvd-cell")).to_have_count(6)
    assert is_moving(widget)
    assert opened.console_errors == []
