"""What one person says about a problem, so that hardly two say it in the same words.

A problem has a limited stock of sentences. If each report drew from it blindly, many reports of
one day would share whole passages, and finding them again would be child's play. So the stock is
dealt like cards: the reports of a day first use up every piece of every telling, and only then
does a newly cut and shuffled deck begin.
"""

import random
import re
from collections.abc import Sequence

from issue_pipeline.sandbox.world.asides import BRIDGES, CONTEXTS
from issue_pipeline.sandbox.world.content import Problem
from issue_pipeline.sandbox.world.seeded import seeded_random

CONTEXT_SHARE = 0.4
"""Share of the reports in which people also talk about themselves."""

ASIDE_SHARE = 0.2
"""Share of the reports that mention another problem of the same category in passing. The truth of
such a report stays the problem of its title."""

WHOLE_TELLING_SHARE = 0.3
"""Share of the tellings that are told in one piece rather than by two people, half each."""

MIN_PIECE_WORDS = 8
"""A piece of a telling has at least so many words (unless the whole telling is shorter)."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])")


def tell(
    problem: Problem,
    neighbours: Sequence[Problem],
    day_key: Sequence[object],
    position: int,
    rng: random.Random,
) -> list[str]:
    """Return what the person who writes the report ``position`` of a day says.

    Args:
        problem: What the report is about.
        neighbours: Other problems; one may be mentioned in passing.
        day_key: What makes the day's deck its own (seed, day).
        position: 0, 1, ... among the day's reports of the problem.
        rng: The post's own generator.

    Returns:
        At least one paragraph, slots still open.
    """
    told = [_dealt(problem.tellings, position, (*day_key, problem.id, "tellings"))]
    # The first few can do without details; later ones would repeat an earlier report word for word.
    details = rng.choice((0, 1, 1, 2) if position < len(problem.tellings) else (1, 1, 2))
    for i in range(details):
        place = 2 * position + i
        told.insert(
            rng.choice((0, len(told), len(told))),
            _dealt(problem.details, place, (*day_key, problem.id, "details")),
        )
    if len(told) > 1 and rng.random() < 0.5:
        told = [" ".join(told[:-1]), told[-1]]
    if neighbours and rng.random() < ASIDE_SHARE:
        aside = rng.choice(rng.choice(neighbours).details)
        told.append(rng.choice(BRIDGES).format(aside=aside))
    if rng.random() < CONTEXT_SHARE:
        told.insert(rng.choice((0, len(told))), rng.choice(CONTEXTS))
    return told


def _dealt(passages: Sequence[str], position: int, key: Sequence[object]) -> str:
    """Return the piece at a position of the endless sequence of shuffled decks."""
    deal = 0
    while True:
        rng = seeded_random(*key, deal)
        deck = [piece for passage in passages for piece in _cut(passage, rng)]
        if position < len(deck):
            rng.shuffle(deck)
            return deck[position]
        position -= len(deck)
        deal += 1


def _cut(passage: str, rng: random.Random) -> list[str]:
    """Return the passage whole, or cut in two between sentences if both halves still say enough."""
    sentences = _SENTENCE_END.split(passage)
    halves = [(" ".join(sentences[:i]), " ".join(sentences[i:])) for i in range(1, len(sentences))]
    telling = [
        pair for pair in halves if min(len(half.split()) for half in pair) >= MIN_PIECE_WORDS
    ]
    if not telling or rng.random() < WHOLE_TELLING_SHARE:
        return [passage]
    return list(rng.choice(telling))
