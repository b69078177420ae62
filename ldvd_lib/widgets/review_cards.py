"""Questions of earlier chapters, brought back after days."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import traitlets

from ldvd_lib._kit.checks import whole_number
from ldvd_lib.classroom import deck, progress, records
from ldvd_lib.classroom.deck import Card
from ldvd_lib.classroom.leitner import is_due
from ldvd_lib.figures.cards import draw_card
from ldvd_lib.figures.training import draw_text
from ldvd_lib.widgets._course_widget import CourseWidget, png, script, style

__all__ = ["ReviewCards", "review"]

NOTHING_REACHED = (
    "No cards yet: they come with the chapters in which you have passed an exercise. "
    'For those of a certain chapter: review(["06"])'
)


class ReviewCards(CourseWidget):
    """One question after another, each with several answers and, once one is chosen, a reason for every one of them.

    A card whose answer is known comes back after 1, 3, 8, 21 and 60 days; one whose answer is not comes again in the
    same round, and then as if it were new. Every answer is kept in the workspace's ``progress.json``, for all notebooks
    and for tomorrow. The browser asks, and does not wait for the kernel; with the keyboard, a digit chooses an answer
    and Enter goes on.

    Args:
        cards: those that may be asked.
        limit: the most of a round; who wants more goes on to the next.
        now: the day that is taken for today, in place of the browser's.
        seed: of the order of cards and of their answers; by default it differs every time.

    Attributes:
        cards: those that may be asked.
        status: what is wrong with ``progress.json``, if anything.

    Raises:
        ValueError: `limit` is not a positive whole number.
    """

    _esm = script("leitner.js", "review_cards.js")
    _css = style("review_cards.css")

    _limit = traitlets.Int().tag(sync=True)
    _cards = traitlets.List(traitlets.Dict()).tag(sync=True)
    _boxes = traitlets.Dict().tag(sync=True)  # card → record; the browser moves cards in here
    # Every answer of this sitting: card, whether it was right, day. All of them, since a busy kernel hears the last
    # value of a trait only.
    _answers: traitlets.List[Any] = traitlets.List().tag(sync=True)
    _today = traitlets.Unicode().tag(sync=True)  # empty: the browser's
    _seed = traitlets.Int(None, allow_none=True).tag(sync=True)
    _nothing = traitlets.Unicode(NOTHING_REACHED).tag(sync=True)  # what is said where there are no cards
    _chooses = traitlets.Bool(False).tag(sync=True)  # whether one says in the widget how far one has read
    _upto = traitlets.Unicode().tag(sync=True)  # the last chapter that is asked about; empty: all that there are

    def __init__(
        self, cards: Iterable[Card], *, limit: int = 10, now: date | None = None, seed: int | None = None
    ) -> None:
        self.cards = tuple(cards)
        self._now = now
        self._kept = 0  # answers that are in the file
        places, problem = records.places()
        names = {card.name for card in self.cards}
        super().__init__(
            _limit=whole_number("limit", limit, least=1),
            _cards=[_plain(card) for card in self.cards],
            _boxes={name: records.record_of(place) for name, place in places.items() if name in names},
            _today="" if now is None else date(now.year, now.month, now.day).isoformat(),
            _seed=seed,
        )
        self._report(problem, failed=bool(problem))
        self.observe(self._keep, "_answers")

    @property
    def due(self) -> tuple[Card, ...]:
        """The cards that are to be asked today, those that were never asked among them."""
        places, _ = records.places()
        today = date.fromisoformat(self._today) if self._today else date.today()
        return tuple(card for card in self.cards if is_due(places.get(card.name), today))

    def for_page(self) -> dict[str, Any]:
        """These cards for a page without a kernel: nothing is answered, and one says there how far one has read.

        Returns:
            `widget` and `state` as in `ldvd_lib.widgets._course_widget.LIVE_TYPE`, and `keeps`: the traits that the
            browser has to remember.
        """
        names = ("_cards", "_limit", "_seed", "_today", "_nothing")
        blank = {"_boxes": {}, "_answers": [], "_chooses": True, "_upto": next(iter(deck.CHAPTERS))}
        state = {name: getattr(self, name) for name in names} | blank | {"status": "", "_failed": False}
        return {"widget": type(self).__name__, "state": state, "keeps": ["_boxes", "_upto"]}

    def _keep(self, change: dict[str, Any]) -> None:
        for name, right, day in self._answers[self._kept :]:
            problem = records.keep_answer(name, right, date.fromisoformat(day))
            self._report(problem, failed=bool(problem))
        self._kept = len(self._answers)

    def __repr__(self) -> str:
        return f"ReviewCards({len(self.due)} of {len(self.cards)} cards are due)"

    def _still_picture(self) -> tuple[bytes, str]:
        due = self.due
        if not due:
            text = "No card is due today." if self.cards else self._nothing
            return png(draw_text(text)), text
        headline = f"{len(due)} of {len(self.cards)} cards are due; the first is about {deck.heading(due[0].chapter)}"
        answers = sorted(answer.text for answer in due[0].answers)  # in an order that gives nothing away
        picture = png(draw_card(headline, due[0].question, answers))
        return picture, f"{headline}. {due[0].question} {' / '.join(answers)}"


def review(
    chapters: Sequence[str] | None = None, *, limit: int = 10, now: date | None = None, seed: int | None = None
) -> ReviewCards:
    """Questions about what you have read: those that are due today.

    Args:
        chapters: numbers, such as ``"06"``, or names of notebooks, such as ``"mocogan"``; by default all chapters up to
            the last in which you have passed an exercise.
        limit: the most cards of a round.
        now: the day that is taken for today.
        seed: of the order of cards and of their answers; by default it differs every time.

    Raises:
        ValueError: there is no such chapter, or `limit` is not a positive whole number.
    """
    if chapters is None:
        chapters = deck.reached(result.name for result in progress().results if result.passed)
    elif isinstance(chapters, str):
        chapters = [chapters]
    return ReviewCards(deck.of_chapters(chapters), limit=limit, now=now, seed=seed)


def _plain(card: Card) -> dict[str, Any]:
    """A card for the web browser; of the answers the first is right."""
    return {
        "id": card.name,
        "chapter": card.chapter,
        "heading": deck.heading(card.chapter),
        "question": card.question,
        "answers": [asdict(answer) for answer in card.answers],
        "terms": list(card.terms),
    }
