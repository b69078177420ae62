"""When a card comes back: the boxes of Sebastian Leitner's learning machine.

A card that was known goes one box up, and from higher boxes cards come back after longer times; one that was not known
goes back to the first. FSRS would predict each memory more closely. But cards are also asked on pages that no kernel
stands behind, where the rule has to be written once more: ``widgets/static/leitner.js`` is this file in another
language, which is easy to see of three lines, and ``tests/browser/test_review.py`` holds the two against each other.
"""

from dataclasses import dataclass
from datetime import date, timedelta

DAYS = (0, 1, 3, 8, 21, 60)  # box → days until its cards come back; those of the first come again the same day


@dataclass(frozen=True)
class Place:
    """Where a card is that has been asked.

    Attributes:
        box: index of its box in `DAYS`.
        due: the day from which on it is asked again.
    """

    box: int
    due: date


def is_due(place: Place | None, day: date) -> bool:
    """Whether a card is to be asked on a day; one that never was (None) always is."""
    return place is None or place.due <= day


def answered(place: Place | None, right: bool, day: date) -> Place:
    """Where a card goes that is answered on a day.

    Args:
        place: where it is; None if it was never asked.
        right: whether the answer was.
        day: of the answer, in the learner's calendar.

    Returns:
        One box up, or in the first. A card that is not due stays: who has answered it elsewhere a moment ago has
        remembered nothing over any time.
    """
    if place is not None and not is_due(place, day):
        return place
    box = min((place.box if place else 0) + 1, len(DAYS) - 1) if right else 0
    return Place(box, day + timedelta(days=DAYS[box]))
