from typing import Any

import numpy as np
import pytest

from issue_pipeline.labels.hints import (
    CATEGORY_PHRASES,
    IMPACT_PHRASES,
    Hinter,
    impact,
    voted,
    would_pay,
)
from issue_pipeline.labels.problem_phrases import PAIRS
from issue_pipeline.labels.schema import CATEGORIES, IMPACT_LEVELS

AXES = np.eye(384, dtype=np.float32)
SILENT = "The invoice is booked twice."


class PhraseEncoder:
    """Each phrase has an axis of its own."""

    def __init__(self) -> None:
        self.phrases = [
            phrase
            for phrases in (*CATEGORY_PHRASES.values(), *IMPACT_PHRASES.values(), *PAIRS)
            for phrase in phrases
        ]

    def encode(self, sentences: list[str], **_: Any) -> Any:
        return AXES[[self.phrases.index(sentence) for sentence in sentences]]


def test_every_value_of_a_label_has_phrases():
    assert tuple(CATEGORY_PHRASES) == CATEGORIES
    # What is neither is medium.
    assert {*IMPACT_PHRASES, "medium"} == set(IMPACT_LEVELS)


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_category_is_the_one_whose_phrases_are_near_the_members(category: str):
    model = PhraseEncoder()
    members = model.encode(list(CATEGORY_PHRASES[category][:2]))
    assert Hinter(model).hints([SILENT] * 2, members).category == category


def test_every_post_has_one_vote_however_near_it_is():
    phrases = {"loud": AXES[[0]], "many": AXES[[1]]}
    votes = np.stack([AXES[0], 0.5 * AXES[1], 0.5 * AXES[1]])
    assert voted(votes, phrases, best=1) == "many"


def test_only_the_nearest_phrases_of_a_value_count():
    phrases = {"narrow": AXES[[0, 1]], "wide": AXES[[2, 3, 4, 5]]}
    post = np.array([[0.5, 0.1, 0.4, 0.4, 0, 0] + [0] * 378], dtype=np.float32)
    assert voted(post, phrases, best=1) == "narrow"
    assert voted(post, phrases, best=2) == "wide"
    assert voted(post, phrases, best=9) == "narrow"


def test_a_tie_goes_to_the_value_named_first():
    phrases = {"first": AXES[[0]], "second": AXES[[1]]}
    assert voted(AXES[:2], phrases, best=1) == "first"


NO_NEARER = {"low": AXES[[0]], "high": AXES[[1]]}


def levels(*texts: str) -> str:
    """The impact that posts speak of, whose vectors say nothing."""
    return impact(texts, AXES[[9] * len(texts)], NO_NEARER)


@pytest.mark.parametrize(
    "text",
    [
        "The whole site is down and nobody can work.",
        "It deleted all our records.",
        "Somebody could be injured by this.",
        "The regulator has fined us for it.",
        "Our money was stolen.",
    ],
)
def test_outage_loss_danger_and_law_are_high(text: str):
    assert levels(text) == "high"
    # One in a hundred is not what the posts are about.
    assert levels(text, *[SILENT] * 99) == "low"


def test_what_is_said_of_looks_only_is_low_and_what_stands_between_is_medium():
    assert levels("The icon has an ugly colour.") == "low"
    assert levels(*["The site is down."] * 2, *[SILENT] * 8) == "medium"


def test_vectors_near_the_phrases_of_a_level_count_too():
    assert impact([SILENT], AXES[[1]], NO_NEARER) == "high"
    assert impact([SILENT], AXES[[0]], NO_NEARER) == "low"


def test_the_score_decides_whether_it_is_a_problem():
    model = PhraseEncoder()
    bad, fine = (model.encode([pair[side] for pair in PAIRS[:5]]) for side in (0, 1))
    hinter = Hinter(model)
    assert hinter.hints([SILENT] * 5, bad).is_problem is True
    assert hinter.hints([SILENT] * 5, fine).is_problem is False
    assert hinter.problem_scores([SILENT] * 5, bad)[0] > hinter.problem_scores([""], fine[:1])[0]


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
