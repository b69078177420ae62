"""The website in Chromium, without a network: on a desktop and on a phone, light and dark."""

import pytest
from playwright.sync_api import Route

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module", params=[(1280, "light"), (390, "dark")], ids=["desktop", "phone"])
def visitor(request, chromium):
    """A page of the browser, with what went wrong in it and what it asked of other hosts."""
    width, scheme = request.param
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.complaints = []

    def refuse(route: Route) -> None:
        page.complaints.append(f"asked for {route.request.url}")
        route.abort()

    context.route("http*://**", refuse)
    page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("requestfailed", lambda failed: page.complaints.append(f"did not get {failed.url}"))
    yield page
    context.close()


def test_pages_are_whole_fit_the_screen_and_complain_of_nothing(website, visitor):
    for path in sorted(website.glob("*.html")):
        visitor.goto(path.as_uri())
        visitor.evaluate("window.MathJax?.startup.promise")
        # A formula that could not be read would be there, too, as an error.
        formulas = visitor.locator("article .math").count()
        assert visitor.locator("article .math mjx-container svg").count() == formulas, path.name
        assert visitor.locator("[data-mml-node=merror]").count() == 0, path.name
        width, window = visitor.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= window, f"{path.name} is {width} pixels wide"
        assert visitor.evaluate("[...document.images].filter((image) => !image.naturalWidth).map((i) => i.src)") == []
        assert visitor.complaints == [], path.name


def test_a_solution_opens(website, visitor):
    visitor.goto((website / "05_loss_landscape.html").as_uri())
    solution = visitor.locator("details").first
    code = solution.locator("div.highlight").first
    assert not code.is_visible()
    solution.locator("summary").click()
    assert code.is_visible()


def test_the_theme_follows_the_system(website, visitor):
    visitor.goto((website / "index.html").as_uri())
    dark = visitor.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    red = int(visitor.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]"))
    assert red < 60 if dark else red > 200


def test_search_finds_a_notebook(website, visitor):
    visitor.goto((website / "search.html").as_uri() + "?q=lanczos")
    visitor.locator("#search-results li", has_text="The loss landscape").first.wait_for()
