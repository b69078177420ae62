"""The cards that `ldvd_lib.review` asks: questions about the chapters, with a reason for every answer.

They are data, a file for each chapter in ``cards/``. What a learner has answered is kept under a card's name, and a
card belongs to a chapter by the chapter's name: numbers of chapters may change, and names of cards must not.
"""

import functools
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ldvd_lib._kit.checks import one_of

DIRECTORY = Path(__file__).parent / "cards"

# Every chapter in order: the name of its notebook, without the number, and its title.
CHAPTERS = {
    "start_here": "Start here",
    "video_as_tensors": "Video as tensors",
    "tgan_generator": "TGAN: the generator",
    "tgan_discriminator_and_svc": "TGAN: the discriminator and SVC",
    "measuring_video_gans": "Measuring video GANs",
    "loss_landscape": "The loss landscape",
    "mocogan": "MoCoGAN: content, motion and two judges",
    "factorized_discriminators": "Factorized discriminators",
    "temporal_shift": "The temporal shift",
    "higher_resolution": "Higher resolution",
    "tganv2_train_sparsely": "TGANv2: train sparsely, generate densely",
    "dvd_gan_two_judges": "DVD-GAN: who does what, and two judges for it",
    "ssw_gan_stage_by_stage": "SSW-GAN: stage by stage",
    "capstone_design_a_discriminator": "Capstone: design a discriminator",
}


@dataclass(frozen=True)
class Answer:
    """A possible answer, and why it is right, or which mistake it comes from."""

    text: str
    why: str


@dataclass(frozen=True)
class Card:
    """A question with several answers, of which one is right.

    Texts are plain, with `code` between backticks, and write mathematics with its own characters: no page that shows a
    card can be relied on to set formulas.

    Attributes:
        name: what its record is kept under.
        chapter: the chapter that has the answer, one of `CHAPTERS`.
        terms: entries of the glossary that it is about.
        source: sentences of the chapter that hold the figures of the card; None if it has no figures, and empty if they
            are an example of its own.
    """

    name: str
    chapter: str
    question: str
    right: Answer
    wrong: tuple[Answer, ...]
    terms: tuple[str, ...]
    source: tuple[str, ...] | None = None

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All answers, the right one first."""
        return (self.right, *self.wrong)


def heading(chapter: str) -> str:
    """Number and title of a chapter, as its notebook has them."""
    return f"{list(CHAPTERS).index(chapter):02d} · {CHAPTERS[chapter]}"


@functools.cache
def cards() -> tuple[Card, ...]:
    """Every card of the course, in the order of the chapters."""
    found = {path.stem: tomllib.loads(path.read_text(encoding="utf-8"))["cards"] for path in DIRECTORY.glob("*.toml")}
    return tuple(_card(chapter, entry) for chapter in CHAPTERS for entry in found.get(chapter, []))


def of_chapters(chapters: Iterable[str]) -> tuple[Card, ...]:
    """The cards of some chapters.

    Args:
        chapters: names of `CHAPTERS`, or numbers, such as "06".

    Raises:
        ValueError: there is no such chapter.
    """
    numbers = {f"{number:02d}": name for number, name in enumerate(CHAPTERS)}
    wanted = {numbers.get(name) or one_of("chapter", name, CHAPTERS) for name in chapters}
    return tuple(card for card in cards() if card.chapter in wanted)


def reached(exercises: Iterable[str]) -> tuple[str, ...]:
    """The chapters up to the last one in which an exercise was passed; none if there is no such exercise.

    Args:
        exercises: names of those that were passed, such as "06.1".
    """
    numbers = [int(name.partition(".")[0]) for name in exercises]
    return tuple(CHAPTERS)[: max(numbers) + 1] if numbers else ()


def _card(chapter: str, entry: dict[str, Any]) -> Card:
    source = entry.get("source")
    return Card(
        name=entry["id"],
        chapter=chapter,
        question=_line(entry["question"]),
        right=_answer(entry["right"]),
        wrong=tuple(_answer(pair) for pair in entry["wrong"]),
        terms=tuple(entry["terms"]),
        source=None if source is None else tuple(source),
    )


def _answer(pair: Sequence[str]) -> Answer:
    text, why = pair
    return Answer(_line(text), _line(why))


def _line(text: str) -> str:
    """Text that may be spread over several lines of a file, as one."""
    return " ".join(text.split())
