"""The review cards, driven as a learner does; and the browser's rule of the boxes, held against Python's."""

import random
from datetime import date, timedelta

import looks
import pytest
from playwright.sync_api import Locator, Page, expect

from ldvd_lib import widgets
from ldvd_lib.classroom import deck
from ldvd_lib.classroom.leitner import answered, is_due
from ldvd_lib.classroom.records import record_of

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

TODAY = date(2026, 11, 28)
RIGHT = {card.question.replace("`", ""): card for card in deck.cards()}
NOTEBOOK = [
    f"""\
import os, tempfile
from datetime import date
os.environ["LDVD_WORKSPACE"] = os.path.join(tempfile.gettempdir(), f"review-{{os.getpid()}}")
from ldvd_lib import review
TODAY = date({TODAY.year}, {TODAY.month}, {TODAY.day})""",
    "cards = review(['00', '03'], limit=3, now=TODAY, seed=1)\ncards",
]


@pytest.fixture(scope="module")
def notebook(notebooks):
    """A notebook that the tests share."""
    notebook = notebooks("review.ipynb", NOTEBOOK)
    notebook.run_all()
    notebook.page.wait_for_selector(".ldvd-review-cards .ldvd-answer")
    return notebook


@pytest.fixture
def widget(notebook) -> Locator:
    """The widget with nothing answered yet; afterwards the browser's console must not have complained."""
    notebook.python("from ldvd_lib.classroom import progress; progress(reset=True)")
    notebook.command("notebook:run-all-cells")
    widget = notebook.page.locator(".ldvd-review-cards")
    expect(widget).to_have_count(1)
    expect(widget.locator(".ldvd-count")).to_have_text("3 cards to go, 10 more due")
    yield widget
    assert notebook.console_errors == []


def on_screen(widget: Locator) -> tuple[deck.Card, int]:
    """The card that is asked, and the place of its right answer, from 1."""
    card = RIGHT[widget.locator(".ldvd-question").inner_text()]
    texts = widget.locator(".ldvd-answer > span:nth-child(2)").all_inner_texts()
    return card, 1 + texts.index(card.right.text.replace("`", ""))


def wrong(place: int) -> int:
    return place % 3 + 1


def test_a_right_answer_is_explained_and_kept(notebook, widget):
    card, place = on_screen(widget)
    expect(widget.locator(".ldvd-why")).to_have_count(0)
    widget.locator(".ldvd-answer").nth(place - 1).click()
    expect(widget.get_by_role("status")).to_have_text("Right. The card comes back tomorrow.")
    whys = widget.locator(".ldvd-why").all_inner_texts()
    assert sorted(whys) == sorted(answer.why.replace("`", "") for answer in card.answers), "a reason for every answer"
    expect(widget.locator(".ldvd-right .ldvd-key")).to_have_text("✓")
    expect(widget.locator(".ldvd-wrong")).to_have_count(0)
    expect(widget.get_by_text(f"In the glossary: {', '.join(card.terms)}.")).to_be_visible()
    notebook.says("len(cards.due)", "12")
    notebook.says(
        f"__import__('ldvd_lib.classroom.records').classroom.records.places()[0]['{card.name}']",
        "Place(box=1, due=datetime.date(2026, 11, 29))",
    )


def test_a_wrong_answer_comes_again_in_the_round(notebook, widget):
    card, place = on_screen(widget)
    keyboard = notebook.page.keyboard
    widget.locator(".ldvd-question").click()
    keyboard.press(str(wrong(place)))
    expect(widget.get_by_role("status")).to_have_text("Not this one. The card comes again in this round.")
    expect(widget.locator(".ldvd-wrong .ldvd-key")).to_have_text("✗")
    expect(widget.locator(".ldvd-right .ldvd-key")).to_have_text("✓")
    expect(widget.locator(".ldvd-count")).to_have_text("3 cards to go, 10 more due")
    for _ in range(2):
        keyboard.press("Enter")
        keyboard.press(str(on_screen(widget)[1]))
    keyboard.press("Enter")
    again, place = on_screen(widget)
    assert again == card
    keyboard.press(str(place))
    expect(widget.get_by_role("status")).to_have_text("Right. The card comes back tomorrow.")
    notebook.says("len(cards.due)", "10")


def test_a_round_by_keyboard_alone_and_the_next_one(notebook, widget):
    """JupyterLab's own shortcuts, which turn a cell into a heading at the press of a digit, stay out of it."""
    keyboard = notebook.page.keyboard
    widget.locator(".ldvd-answer").first.focus()
    for _ in range(3):
        keyboard.press(str(on_screen(widget)[1]))
        expect(widget.get_by_role("button", name="Next")).to_be_focused()
        keyboard.press("Enter")
    expect(widget.locator(".ldvd-question")).to_have_text("The round is done. 10 more cards are due.")
    expect(widget.locator(".ldvd-question")).to_be_focused()
    keyboard.press("Enter")
    expect(widget.locator(".ldvd-count")).to_have_text("3 cards to go, 7 more due")
    notebook.says("len(cards.due)", "10")
    expect(notebook.page.locator(".jp-CodeCell")).to_have_count(2)


def test_when_nothing_is_due_it_says_what_comes_next(notebook, widget):
    notebook.python(
        "from ldvd_lib.classroom import records\n"
        "for number, card in enumerate(cards.cards): records.keep_answer(card.name, True, TODAY)"
    )
    notebook.command("notebook:run-all-cells")
    expect(widget.locator(".ldvd-question")).to_have_text("Nothing more is due today. Next: 13 cards tomorrow.")
    expect(widget.locator(".ldvd-answer")).to_have_count(0)
    expect(widget.get_by_role("button")).to_have_count(0)


def test_answers_that_a_busy_kernel_did_not_hear_are_not_lost(notebook, widget):
    with notebook.busy_kernel():
        for _ in range(3):
            widget.locator(".ldvd-answer").nth(on_screen(widget)[1] - 1).click()
            widget.get_by_role("button", name="Next").click()
        expect(widget.locator(".ldvd-question")).to_have_text("The round is done. 10 more cards are due.")
    notebook.says("len(cards.due)", "10")


def test_it_says_what_it_shows_to_those_who_do_not_see_it(widget):
    card, place = on_screen(widget)
    group = widget.get_by_role("group", name=card.question.replace("`", ""))
    expect(group.get_by_role("list").get_by_role("button")).to_have_count(len(card.answers))
    widget.locator(".ldvd-answer").nth(wrong(place) - 1).click()
    right = group.get_by_role("button", name="(right)")
    expect(right).to_have_count(1)
    expect(right).to_have_attribute("aria-disabled", "true")
    expect(group.get_by_role("button", name="(wrong, your answer)")).to_have_count(1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_is_legible_in_both_themes(notebook, widget, theme):
    notebook.set_theme(theme)
    notebook.page.wait_for_timeout(300)  # for the theme's transitions
    texts = "p, .ldvd-answer > span:not(.ldvd-said), button"
    looks.assert_contrast(widget.locator(texts))
    widget.locator(".ldvd-answer").nth(wrong(on_screen(widget)[1]) - 1).click()
    notebook.page.mouse.move(0, 0)
    looks.assert_contrast(widget.locator(texts))
    widget.scroll_into_view_if_needed()
    notebook.screenshot(f"review-cards-{theme}")


@pytest.mark.parametrize("width", [320, 480, 900])
def test_nothing_is_cut_off_at_any_width(notebook, widget, width):
    notebook.page.set_viewport_size({"width": 1300, "height": 1300})
    widget.evaluate("(root, width) => { root.style.width = `${width}px` }", width)
    looks.assert_within(widget.locator("p, li, button"), widget)
    widget.locator(".ldvd-answer").first.click()
    looks.assert_within(widget.locator("p, li, button"), widget)
    notebook.screenshot(f"review-cards-{width}")
    notebook.page.set_viewport_size({"width": 1100, "height": 900})


def test_without_a_kernel_a_picture_stands_in(notebooks, published):
    looks.assert_picture_stands_in(notebooks("stored.ipynb", published(*NOTEBOOK)))


# On the website


@pytest.fixture
def visitor(website, chromium) -> Page:
    """The page of the review, on a certain day, with what went wrong in it."""
    context = chromium.new_context(viewport={"width": 390, "height": 900}, color_scheme="dark")
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.clock.set_fixed_time("2026-11-28T20:00:00")
    page.goto((website / "review.html").as_uri())
    yield page
    assert page.complaints == []
    context.close()


def test_a_visitor_is_asked_and_remembered(visitor):
    cards = visitor.locator(".ldvd-review-cards")
    first = [card for card in deck.cards() if card.chapter == "start_here"]
    count = cards.locator(".ldvd-count")
    expect(count).to_have_text(f"{len(first)} cards to go")
    visitor.locator(".ldvd-question").click()
    visitor.keyboard.press(str(on_screen(cards)[1]))
    expect(cards.get_by_role("status")).to_have_text("Right. The card comes back tomorrow.")
    visitor.reload()
    expect(count).to_have_text(f"{len(first) - 1} cards to go")
    upto = cards.get_by_role("combobox", name="Ask about the chapters up to")
    upto.select_option(label="02 · TGAN: the generator")
    more = sum(card.chapter in ("video_as_tensors", "tgan_generator") for card in deck.cards())
    expect(count).to_have_text(f"10 cards to go, {len(first) - 1 + more - 10} more due")
    visitor.clock.set_fixed_time("2026-11-29T08:00:00")
    visitor.reload()
    expect(upto).to_have_value("tgan_generator")
    expect(count).to_have_text(f"10 cards to go, {len(first) + more - 10} more due")
    card, _ = on_screen(cards)
    assert card.chapter == "start_here", "what comes back is asked before what is new"
    looks.assert_contrast(cards.locator("p, .ldvd-answer > span, button, label > span"))
    looks.assert_within(cards.locator("p, li, button, select"), cards)
    cards.scroll_into_view_if_needed()
    visitor.screenshot(path=looks.artifacts() / "review-cards-site.png")


def test_a_browser_that_keeps_nothing_says_so(visitor):
    visitor.evaluate("() => { Storage.prototype.setItem = () => { throw new DOMException('full'); }; }")
    cards = visitor.locator(".ldvd-review-cards")
    cards.locator(".ldvd-answer").first.click()
    expect(cards.locator(".ldvd-status")).to_contain_text("This browser keeps nothing of this page")
    expect(cards.locator(".ldvd-why")).to_have_count(4)


# The rule, in two languages


@pytest.fixture(scope="module")
def page(chromium) -> Page:
    """A page that knows the rule of the boxes."""
    page = chromium.new_page()
    page.add_script_tag(content=widgets._course_widget.script("leitner.js"))
    yield page
    page.close()


def test_browser_and_python_send_cards_to_the_same_boxes(page):
    """On random histories of two hundred cards: answered when due, or before, or long after, over leap days, too."""
    chance = random.Random(0)
    histories = []
    for _ in range(200):
        day, history = date(2027, 1, 1) + timedelta(days=chance.randrange(900)), []
        for _ in range(chance.randrange(1, 30)):
            history.append((chance.random() < 0.7, day.isoformat()))
            day += timedelta(days=chance.choice((0, 0, 1, 2, 3, 8, 21, 60, 365)))
        histories.append(history)
    found = page.evaluate(
        """histories => histories.map((history) => {
          let place;
          return history.map(([isRight, day]) => {
            const wasDue = isDue(place, day);
            place = answered(place, isRight, day);
            return [wasDue, place, daysFrom(day, place.due)];
          });
        })""",
        histories,
    )
    boxes = set()
    for history, of_browser in zip(histories, found, strict=True):
        place = None
        for (right, day), step in zip(history, of_browser, strict=True):
            today = date.fromisoformat(day)
            was_due = is_due(place, today)
            place = answered(place, right, today)
            assert step == [was_due, record_of(place), (place.due - today).days]
            boxes.add(place.box)
    assert boxes == set(range(6)), "the histories reach every box"


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "UTC"])
def test_a_day_is_that_of_the_calendar_on_the_wall(chromium, zone):
    context = chromium.new_context(timezone_id=zone)
    page = context.new_page()
    page.add_script_tag(content=widgets._course_widget.script("leitner.js"))
    assert page.evaluate("[0, 11, 23].map((hour) => calendarDay(new Date(2027, 2, 9, hour, 30)))") == ["2027-03-09"] * 3
    assert page.evaluate("daysAfter('2028-02-28', 2)") == "2028-03-01"
    assert page.evaluate("daysFrom('2027-03-13', '2027-03-15')") == 2, "over the night that has an hour less"
    context.close()
