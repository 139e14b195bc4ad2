from typing import Any

import numpy as np
import pytest

from issue_pipeline.labels.hints import (
    CATEGORY_PHRASES,
    IMPACT_PHRASES,
    Hinter,
    Hints,
    nearest,
    would_pay,
)
from issue_pipeline.labels.schema import CATEGORIES, IMPACT_LEVELS

AXES = np.eye(384, dtype=np.float32)
SILENT = "The invoice is booked twice."


class PhraseEncoder:
    """Each phrase has an axis of its own."""

    def __init__(self) -> None:
        self.phrases = [
            phrase
            for phrases in (*CATEGORY_PHRASES.values(), *IMPACT_PHRASES.values())
            for phrase in phrases
        ]

    def encode(self, sentences: list[str], **_: Any) -> Any:
        return AXES[[self.phrases.index(sentence) for sentence in sentences]]


def test_every_value_of_a_label_has_phrases():
    assert tuple(CATEGORY_PHRASES) == CATEGORIES
    assert tuple(IMPACT_PHRASES) == IMPACT_LEVELS


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("impact", IMPACT_LEVELS)
def test_hints_are_the_values_whose_phrases_are_near_the_members(category: str, impact: str):
    model = PhraseEncoder()
    members = model.encode([*CATEGORY_PHRASES[category][:2], *IMPACT_PHRASES[impact]])
    hints = Hinter(model).hints([SILENT] * len(members), members)
    assert hints == Hints(category, impact, would_pay=False)


def test_only_the_nearest_phrases_of_a_value_count():
    phrases = {"narrow": AXES[[0, 1]], "wide": AXES[[2, 3, 4, 5]]}
    centroid = np.array([0.5, 0.1, 0.4, 0.4, 0, 0] + [0] * 378, dtype=np.float32)
    assert nearest(centroid, phrases, best=1) == "narrow"
    assert nearest(centroid, phrases, best=2) == "wide"
    assert nearest(centroid, phrases, best=9) == "narrow"


def test_a_tie_goes_to_the_value_named_first():
    phrases = {"first": AXES[[0]], "second": AXES[[1]]}
    centroid = AXES[:2].mean(axis=0)
    assert nearest(centroid + AXES[1] * 1e-4, phrases, best=1) == "first"


@pytest.mark.parametrize(
    "text",
    [
        "I would happily pay for a tool that does this.",
        "We'd gladly\nbuy an add-on.",
        "SHUT UP AND TAKE MY MONEY",
        "We already pay a vendor to clean this up.",
        "There is a budget for it.",
        "Is there a paid plugin?",
        "Last year we hired somebody for it.",
        "They are paying some consultant.",
    ],
)
def test_willingness_and_past_payment_are_heard(text: str):
    assert would_pay([text])


@pytest.mark.parametrize(
    "text",
    [
        SILENT,
        "Customers pay by card and the payment fails.",
        "I spent two days on this.",
        "Please pay attention to the second line; I pay attention to it, too.",
        "The vendor's API returns 500.",
        "Buying and selling stops at noon.",
        "",
    ],
)
def test_talk_of_money_alone_is_no_sign(text: str):
    assert not would_pay([text])


def test_enough_members_must_say_so():
    said = "We would pay for this."
    assert would_pay([said] * 3 + [SILENT] * 17)
    assert not would_pay([said] * 2 + [SILENT] * 18)
