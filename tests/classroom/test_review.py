"""The cards, the rule by which they come back, and what is kept of them; the widget's other side is driven in
tests/browser/test_review.py."""

import base64
import io
import json
import random
import re
from datetime import date, timedelta
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from ldvd_lib import review
from ldvd_lib.classroom import CheckResult, deck, progress, records
from ldvd_lib.classroom.leitner import DAYS, Place, answered, is_due
from ldvd_lib.widgets import ReviewCards

TODAY = date(2026, 11, 28)
WITHOUT = ("capstone_design_a_discriminator",)  # chapters that have no cards, so far
LONGER = 0.4  # of the cards may have a right answer that is longer than all others
FIGURE = re.compile(r"(?<![\w.,×-])\d[\d.,]*\d")  # single digits count things; longer numbers are figures


@pytest.fixture(autouse=True)
def own_workspace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A workspace and results for these tests only."""
    monkeypatch.setenv("LDVD_WORKSPACE", str(tmp_path))
    monkeypatch.setattr(records, "session_statuses", {})


@pytest.fixture
def progress_file(tmp_path: Path) -> Path:
    """The file that keeps what was answered."""
    return tmp_path / "progress.json"


def words(text: str) -> str:
    """Without line breaks."""
    return " ".join(text.split())


def passed(*exercises: str) -> None:
    for name in exercises:
        records.keep(CheckResult(name, "", "passed", ""))


def give(widget: ReviewCards, *answers: tuple[str, bool], day: date = TODAY) -> None:
    """Answer as the browser does: all answers of the sitting so far."""
    widget._answers = [*widget._answers, *([name, right, day.isoformat()] for name, right in answers)]


# The cards


def test_there_are_enough_and_chapters_that_have_some_have_enough() -> None:
    counts = {chapter: sum(card.chapter == chapter for card in deck.cards()) for chapter in deck.CHAPTERS}
    assert sum(counts.values()) >= 60
    for chapter in WITHOUT:
        assert counts.pop(chapter) == 0
    assert min(counts.values()) >= 5
    assert {path.stem for path in deck.DIRECTORY.iterdir()} == counts.keys()


def test_chapters_are_the_notebooks(repository) -> None:
    notebooks = {}
    for path in sorted((repository / "course").glob("[0-9][0-9]_*.ipynb")):
        title = nbformat.read(path, 4).cells[0].source.splitlines()[0].removeprefix("# ")
        notebooks[path.stem[3:]] = title
    assert list(deck.CHAPTERS) == list(notebooks)
    assert [deck.heading(chapter) for chapter in deck.CHAPTERS] == list(notebooks.values())


def test_cards_have_names_of_their_own() -> None:
    names = [card.name for card in deck.cards()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)
    questions = [card.question for card in deck.cards()]
    assert len(questions) == len(set(questions))


@pytest.mark.parametrize("card", deck.cards(), ids=lambda card: card.name)
def test_a_card_is_whole(card, repository) -> None:
    """A question, three or four different answers, a sentence for each of them, and terms that can be looked up."""
    assert card.question.endswith("?")
    assert 3 <= len(card.answers) <= 4
    assert len({answer.text for answer in card.answers}) == len({a.why for a in card.answers}) == len(card.answers)
    for answer in card.answers:
        assert not answer.text.endswith("."), answer
        assert answer.why.endswith("."), answer
        assert answer.why[0].isupper() or not answer.why[0].isalpha(), answer
        assert len(answer.why.split()) >= 4, answer
    for text in (card.question, *(part for answer in card.answers for part in (answer.text, answer.why))):
        assert text and text.count("`") % 2 == 0
        assert not set("$\\<>") & set(text), "cards write mathematics without formulas"
    assert card.terms and set(card.terms) <= glossary(repository)


def glossary(repository: Path) -> set[str]:
    """The entries of the glossary."""
    rows = re.findall(r"^\| (.+?) \|", (repository / "course" / "glossary.md").read_text(), re.MULTILINE)
    return {row.replace("*", "") for row in rows}


@pytest.mark.parametrize("card", deck.cards(), ids=lambda card: card.name)
def test_figures_of_a_card_are_those_of_its_chapter(card, repository) -> None:
    (path,) = (repository / "course").glob(f"[0-9][0-9]_{card.chapter}.ipynb")
    cells = nbformat.read(path, 4).cells
    outputs = [output.get("text", "") for cell in cells for output in cell.get("outputs", [])]
    chapter = words("\n".join([cell.source for cell in cells] + outputs))
    for sentence in card.source or ():
        assert words(sentence) in chapter
    stated = [card.question, card.right.text, *(answer.why for answer in card.answers)]
    figures = {figure for text in stated for figure in FIGURE.findall(text)}
    if card.source != ():  # an example of the card's own
        assert figures <= {figure for sentence in card.source or () for figure in FIGURE.findall(sentence)}


def test_length_does_not_give_the_right_answer_away() -> None:
    longest = [len(card.right.text) > max(len(answer.text) for answer in card.wrong) for card in deck.cards()]
    assert sum(longest) <= LONGER * len(longest)


def test_cards_are_found_by_number_and_by_name() -> None:
    by_name = deck.of_chapters(["mocogan"])
    assert by_name and by_name == deck.of_chapters(["06"])
    assert deck.of_chapters(deck.CHAPTERS) == deck.cards()
    with pytest.raises(ValueError, match=r"chapter 'mocogann' is unknown: did you mean 'mocogan'"):
        review(["mocogann"])


# The rule


def test_a_known_card_climbs_and_comes_back_ever_later() -> None:
    place, day, waits = None, TODAY, []
    for _ in range(7):
        assert is_due(place, day)
        place = answered(place, True, day)
        waits.append((place.due - day).days)
        assert not is_due(place, place.due - timedelta(days=1))
        day = place.due
    assert waits == [1, 3, 8, 21, 60, 60, 60]


@pytest.mark.parametrize("box", range(len(DAYS)))
def test_a_card_that_was_not_known_comes_again_the_same_day_and_begins_anew(box) -> None:
    place = answered(Place(box, TODAY), False, TODAY)
    assert place == Place(0, TODAY) and is_due(place, TODAY)
    assert answered(place, True, TODAY) == Place(1, TODAY + timedelta(days=1))


def test_a_card_that_is_not_due_stays() -> None:
    place = Place(2, TODAY + timedelta(days=1))
    assert answered(place, True, TODAY) == answered(place, False, TODAY) == place


# What is kept


def test_answers_are_kept_beside_what_was_passed(progress_file) -> None:
    passed("03.1")
    widget = review(now=TODAY)
    first, second = widget.cards[:2]
    give(widget, (first.name, True))
    give(widget, (second.name, False), (second.name, True))
    tomorrow = {"box": 1, "due": "2026-11-29"}
    assert json.loads(progress_file.read_text()) == {
        "version": 1 + len(records.RENUMBERED),
        "exercises": {"03.1": "passed"},
        "cards": {first.name: tomorrow, second.name: tomorrow},
    }
    assert [card.name for card in widget.due] == [card.name for card in widget.cards[2:]]
    assert len(review(now=TODAY + timedelta(days=1)).due) == len(widget.cards)
    passed("03.2")
    assert records.places()[0][first.name] == Place(1, TODAY + timedelta(days=1)), "a check leaves cards alone"


def test_two_notebooks_may_ask_at_once() -> None:
    one, other = (review(["03"], now=TODAY) for _ in range(2))
    first, second = (card.name for card in one.cards[:2])
    give(one, (first, True))
    give(other, (second, True), (first, True))
    assert {place.box for place in records.places()[0].values()} == {1}, "no card climbs twice in a day"


def test_renumbering_notebooks_leaves_cards_alone(progress_file) -> None:
    kept = {"a-card": {"box": 2, "due": "2026-12-06"}}
    progress_file.write_text(json.dumps({"exercises": {"10.1": "passed"}, "cards": kept}))
    assert records.places() == ({"a-card": Place(2, date(2026, 12, 6))}, "")
    passed("00.1")
    assert json.loads(progress_file.read_text())["cards"] == kept


def test_starting_over_forgets_cards_too() -> None:
    give(review(["00"], now=TODAY), (deck.cards()[0].name, True))
    assert records.places()[0]
    progress(reset=True)
    assert records.places() == ({}, "")


@pytest.mark.parametrize(
    "record",
    [3, None, {}, {"box": 1}, {"box": 1, "due": 5}, *({"box": box, "due": "2026-11-28"} for box in (9, True, -1))],
)
def test_a_record_without_sense_is_told_of_and_counts_as_never_asked(progress_file, record) -> None:
    card = deck.of_chapters(["00"])[0].name
    progress_file.write_text(json.dumps({"cards": {card: record}}))
    widget = review(["00"], now=TODAY)
    assert card in widget.status and widget._failed
    assert len(widget.due) == len(widget.cards)
    give(widget, (card, True))
    assert records.places() == ({card: Place(1, TODAY + timedelta(days=1))}, "")


def test_a_damaged_file_stops_nobody(progress_file) -> None:
    progress_file.write_text('{"cards": [')
    widget = review(["00"], now=TODAY)
    assert "damaged" in widget.status
    give(widget, (widget.cards[0].name, True))
    assert "begun anew" in widget.status
    assert len(records.places()[0]) == 1


def test_a_file_that_cannot_be_written_is_told_of(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LDVD_WORKSPACE", str(tmp_path / "file" / "below"))
    widget = review(["00"], now=TODAY)
    give(widget, (widget.cards[0].name, True))
    assert "cannot be written" in widget.status and widget._failed


# Who is asked what


def test_only_what_was_reached_is_asked(progress_file) -> None:
    assert review().cards == () and repr(review()) == "ReviewCards(0 of 0 cards are due)"
    passed("00.1", "02.1")
    records.keep(CheckResult("05.1", "", "not yet", ""))
    assert {card.chapter for card in review().cards} == {"start_here", "video_as_tensors", "tgan_generator"}
    passed(f"{len(deck.CHAPTERS) - 1:02d}.1")
    assert review().cards == deck.cards()


def test_the_day_may_be_given_as_a_moment() -> None:
    from datetime import datetime

    assert review(["00"], now=datetime(2026, 11, 28, 23, 59))._today == "2026-11-28"
    assert review(["00"])._today == ""


@pytest.mark.parametrize("limit", [0, 2.5, "3"])
def test_a_round_has_cards(limit) -> None:
    with pytest.raises(ValueError, match="limit must be a whole number"):
        review(["00"], limit=limit)


def test_all_that_the_browser_needs_travels() -> None:
    widget = review("05", now=TODAY, limit=4, seed=3)
    sent = json.loads(json.dumps({name: widget.get_state()[name] for name in ("_cards", "_boxes", "_limit", "_seed")}))
    assert (sent["_limit"], sent["_seed"], sent["_boxes"]) == (4, 3, {})
    for plain, card in zip(sent["_cards"], widget.cards, strict=True):
        assert plain["heading"] == "05 · The loss landscape"
        assert [(each["text"], each["why"]) for each in plain["answers"]] == [(a.text, a.why) for a in card.answers]


def test_a_page_without_a_kernel_begins_with_nothing_answered() -> None:
    widget = ReviewCards(deck.cards(), limit=7)
    give(widget, (widget.cards[0].name, True))
    live = json.loads(json.dumps(widget.for_page()))
    state = live["state"]
    assert (live["widget"], state["_boxes"], state["_answers"], state["_limit"]) == ("ReviewCards", {}, [], 7)
    assert state["_upto"] == "start_here" and len(state["_cards"]) == len(deck.cards())
    asked_for = set(re.findall(r'model.get\("(\w+)"\)', str(widget._esm)))
    assert asked_for <= state.keys() and set(live["keeps"]) <= state.keys()


def test_without_a_kernel_a_picture_asks_the_first_question() -> None:
    widget = review(["04"], now=TODAY)
    data, metadata = widget._repr_mimebundle_()
    image = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert image.width > 400
    alt = metadata["image/png"]["alt"]
    assert widget.cards[0].question in alt and all(answer.text in alt for answer in widget.cards[0].answers)
    assert not any(answer.why in alt for answer in widget.cards[0].answers)
    give(widget, *((card.name, True) for card in widget.cards))
    _, metadata = widget._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == "No card is due today."


def test_pictures_have_room_for_every_card() -> None:
    from ldvd_lib.figures.cards import draw_card

    for card in random.Random(0).sample(deck.cards(), 6):
        figure = draw_card("headline", card.question, [answer.text for answer in card.answers])
        figure.canvas.draw()
        for text in figure.texts:
            box = text.get_window_extent()
            assert box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y0 >= 0 and box.y1 <= figure.bbox.height
