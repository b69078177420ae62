"""The explorables in Chromium: in JupyterLab, and on the website, where no kernel stands behind them."""

import re

import looks
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Locator, Page, expect

from ldvd_lib.widgets import explorables

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

TITLES = {
    "Cloud": "Two clouds, and how far apart they are",
    "DiracGAN": "The smallest GAN, in orbit",
    "Dye": "Dye that runs through the layers",
    "Leash": "Three leashes for a matrix",
    "Stride": "A wheel, and the frames that are kept",
    "Valley": "A rate, and the steepest curvature",
}
PAGES = {  # where on the site each one is
    "Stride": "01_video_as_tensors",
    "Leash": "03_tgan_discriminator_and_svc",
    "Cloud": "04_measuring_video_gans",
    "Valley": "05_loss_landscape",
    "Dye": "08_temporal_shift",
    "DiracGAN": "10_tganv2_train_sparsely",
}
MAKE = "from IPython.display import display\nfrom ldvd_lib.widgets import explorables\n" + "\n".join(
    f"{name.lower()} = explorables.{name}()\ndisplay({name.lower()})" for name in TITLES
)

TEXTS = "text, .ldvd-title, .ldvd-hint, .ldvd-words, .ldvd-field > span, .ldvd-key, button"

every_one = pytest.mark.parametrize("name", TITLES)


@pytest.fixture(scope="module")
def notebook(notebooks):
    """A notebook that shows all explorables. The tests share it, and each resets what it uses."""
    notebook = notebooks("explorables.ipynb", [MAKE])
    notebook.run_all()
    expect(notebook.page.locator(".ldvd-explorable")).to_have_count(len(TITLES))
    return notebook


@pytest.fixture
def explorable(notebook, name) -> Locator:
    """One of them as it was in the beginning; afterwards the browser's console must not have complained."""
    widget = notebook.page.get_by_role("group", name=TITLES[name], exact=True)
    widget.scroll_into_view_if_needed()
    widget.get_by_role("button", name="Reset").click()
    yield widget
    assert notebook.console_errors == []


def words(widget: Locator) -> Locator:
    return widget.locator(".ldvd-words")


def test_there_is_a_test_of_each():
    assert sorted(TITLES) == sorted(PAGES) == sorted(explorables.__all__)


@every_one
def test_it_says_what_to_try_and_what_is_to_be_seen(explorable):
    assert len(explorable.locator(".ldvd-hint").inner_text()) > 60
    expect(words(explorable)).to_contain_text(".")
    expect(words(explorable)).to_have_attribute("aria-live", "polite")


@every_one
def test_the_controls_reach_as_far_as_the_attributes(explorable, name):
    for slider in explorable.locator("input[type=range]").filter(visible=True).all():
        label = slider.get_attribute("aria-label")
        slider.focus()
        for key, limit in (("Home", "min"), ("End", "max")):
            slider.press(key)
            assert float(slider.input_value()) == float(slider.get_attribute(limit)), label
    limits = {
        (float(slider.get_attribute("min")), float(slider.get_attribute("max")))
        for slider in explorable.locator("input[type=range]").all()
    }
    traits = getattr(explorables, name).class_traits(sync=True)
    limited = [trait for trait in traits.values() if getattr(trait, "max", None) is not None]
    allowed = {(float(trait.min), float(trait.max)) for trait in limited}
    # The place in time reaches as far as the map that is looked at.
    assert {limit for limit in limits if name != "Dye" or limit[1] == 4} <= allowed


@every_one
def test_a_control_changes_the_drawing_and_the_words_at_once_and_python_hears_of_it(notebook, explorable, name):
    attribute, label, keys, value = {
        "Stride": ("stride", "stride", ["Home", "ArrowRight"], "2"),
        "Leash": ("leash", "leash", ["End"], "weights"),
        "Valley": ("rate", "rate η", ["End"], "1.0"),
        "DiracGAN": ("game", "play", ["ArrowDown", "ArrowDown", "ArrowDown"], "r1"),
        "Cloud": ("count", "samples of each", ["End"], "400"),
        "Dye": ("layers", "after layer", ["End"], "4"),
    }[name]
    drawing, before = explorable.locator(".ldvd-stage svg g").first, words(explorable).inner_text()
    drawn = drawing.inner_html()
    with notebook.busy_kernel():
        control = explorable.get_by_label(label, exact=True).first
        control.focus()
        for key in keys:
            control.press(key)
        expect(words(explorable)).not_to_have_text(before)
        assert drawing.inner_html() != drawn
    notebook.says(f"{name.lower()}.{attribute}", value)


def test_python_moves_the_controls(notebook):
    stride = notebook.page.get_by_role("group", name=TITLES["Stride"], exact=True)
    notebook.python("stride.stride = 20")
    expect(words(stride)).to_contain_text("stand still")
    expect(stride.get_by_label("stride", exact=True)).to_have_value("20")
    leash = notebook.page.get_by_role("group", name=TITLES["Leash"], exact=True)
    notebook.python("leash.matrix = (2, 0, 0, 2); leash.leash = 'sn'")
    expect(words(leash)).to_contain_text("divides everything by 2.00")


@pytest.mark.parametrize("name", ["Leash", "Valley", "DiracGAN", "Cloud"])
def test_a_handle_moves_by_keyboard_and_by_dragging(notebook, explorable, name):
    attribute = {"Leash": "matrix", "Cloud": "centre"}.get(name, "start")
    notebook.says(f"{name.lower()}.{attribute}", notebook.python(f"print(explorables.{name}().{attribute})"))
    handle = explorable.locator(".ldvd-handle").first
    before = words(explorable).inner_text()
    handle.focus()
    value = float(handle.get_attribute("aria-valuenow"))
    handle.press("ArrowLeft")
    expect(handle).to_have_attribute("aria-valuetext", re.compile(f"^{abs(value - 0.1):.2f}|^−{abs(value - 0.1):.2f}"))
    handle.press("Shift+ArrowUp")
    if name != "Valley":  # whose words do not depend on where it starts
        expect(words(explorable)).not_to_have_text(before)
    at = handle.bounding_box()
    centre = (at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    mouse = notebook.page.mouse
    mouse.move(*centre)
    mouse.down()
    mouse.move(centre[0] + 20, centre[1] + 30, steps=3)
    mouse.up()
    moved = handle.bounding_box()
    assert moved["x"] - at["x"] == pytest.approx(20, abs=2)
    assert moved["y"] - at["y"] == pytest.approx(30, abs=2)


@pytest.mark.parametrize("name", ["Stride", "DiracGAN", "Dye"])
def test_what_plays_can_be_paused_and_says_nothing_meanwhile(explorable, name):
    player = explorable.locator(".ldvd-play")
    slider = explorable.get_by_label({"Stride": "kept frame", "DiracGAN": "rounds", "Dye": "after layer"}[name])
    slider.focus()
    slider.press("Home")
    player.click()
    expect(player).to_have_text("Pause")
    expect(words(explorable)).to_have_attribute("aria-live", "off")
    expect(slider).not_to_have_value(slider.get_attribute("min"))
    player.click()
    expect(player).to_have_text("Play")
    value = slider.input_value()
    explorable.page.wait_for_timeout(1000)
    assert slider.input_value() == value
    expect(words(explorable)).to_have_attribute("aria-live", "polite")


@pytest.mark.parametrize("theme", ["light", "dark"])
@every_one
def test_every_text_is_legible_in_both_themes(notebook, explorable, screenshots, name, theme):
    notebook.set_theme(theme)
    notebook.page.wait_for_timeout(300)
    explorable.scroll_into_view_if_needed()
    looks.assert_contrast(explorable.locator(TEXTS))
    looks.assert_contrast(explorable.locator(".ldvd-line:not(.ldvd-arrow, .ldvd-thin)"), looks.VISIBLE)
    explorable.screenshot(path=screenshots / f"explorable-{name}-{theme}.png")


@pytest.mark.parametrize("width", [340, 620, 1000])
@every_one
def test_nothing_is_cut_off_at_any_width(explorable, name, width):
    explorable.page.set_viewport_size({"width": 1300, "height": 1200})
    explorable.evaluate("(root, width) => { root.style.width = `${width}px` }", width)
    try:
        explorable.page.wait_for_timeout(300)
        assert explorable.bounding_box()["width"] == width
        looks.assert_within(explorable.locator("button, input, select, .ldvd-stage > svg, text, p"), explorable)
        assert explorable.locator(".ldvd-stage svg").first.bounding_box()["width"] > 0.7 * min(width, 760)
    finally:
        explorable.evaluate("root => { root.style.width = '' }")
        explorable.page.set_viewport_size({"width": 1100, "height": 900})


# On the website


@pytest.fixture(scope="module", params=[(1280, "light"), (390, "dark")], ids=["desktop", "phone"])
def visitor(request, chromium):
    """A page of the browser that may fetch nothing from elsewhere, with what went wrong in it."""
    width, scheme = request.param
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.complaints = []
    context.route("http*://**", lambda route: (page.complaints.append(route.request.url), route.abort()))
    page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("requestfailed", lambda failed: page.complaints.append(f"did not get {failed.url}"))
    yield page
    context.close()


def found(page: Page, website, name: str) -> Locator:
    """The explorable on its page of the site, when one has scrolled there."""
    page.goto((website / f"{PAGES[name]}.html").as_uri(), wait_until="domcontentloaded")
    page.locator(f'[data-widget="explorables.{name}"]').locator("xpath=..").scroll_into_view_if_needed()
    widget = page.get_by_role("group", name=TITLES[name], exact=True)
    widget.wait_for()
    widget.scroll_into_view_if_needed()
    return widget


@every_one
def test_it_is_alive_on_the_website_without_a_kernel(website, visitor, screenshots, name):
    widget = found(visitor, website, name)
    place = visitor.locator(f'[data-widget="explorables.{name}"]')
    pictures = place.locator('xpath=ancestor::*[contains(concat(" ", @class, " "), " cell_output ")]').locator("img")
    expect(pictures).to_have_count(1)
    expect(pictures).to_be_hidden()
    control = widget.locator("input[type=range]:visible, select:visible").first
    before = words(widget).inner_text()
    drawn = widget.locator(".ldvd-stage svg g").first.inner_html()
    control.focus()
    control.press("End")
    assert widget.locator(".ldvd-stage svg g").first.inner_html() != drawn
    widget.get_by_role("button", name="Reset").click()
    expect(words(widget)).to_have_text(before)
    visitor.mouse.move(0, 0)
    looks.assert_contrast(widget.locator(TEXTS))
    width, window = visitor.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= window
    widget.screenshot(path=screenshots / f"site-explorable-{name}-{window}.png")
    assert visitor.complaints == []


@every_one
def test_without_scripts_the_website_shows_the_still_picture(website, chromium, name):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((website / f"{PAGES[name]}.html").as_uri(), wait_until="domcontentloaded")
    html = BeautifulSoup((website / f"{PAGES[name]}.html").read_text(), "html.parser")
    (place,) = html.select(f'[data-widget="explorables.{name}"]')
    picture = place.find_parent(class_="cell_output").select_one("img")
    expect(page.locator(f'img[src="{picture["src"]}"]')).to_be_visible()
    context.close()


def test_who_wants_nothing_to_move_goes_step_by_step(website, chromium):
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    widget = found(page, website, "Stride")
    player, slider = widget.locator(".ldvd-play"), widget.get_by_label("kept frame")
    expect(player).to_have_text("Step")
    value = int(slider.input_value())
    player.click()
    expect(slider).to_have_value(str(value + 1))
    page.wait_for_timeout(700)
    expect(slider).to_have_value(str(value + 1))
    context.close()
