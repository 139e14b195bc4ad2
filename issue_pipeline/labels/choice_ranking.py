"""What titles and sentences of posts are worth as title and description of their cluster.

A title is worth its cosine to the centroid of the posts. A description is about the same as the
title above it, too: it is worth the mean of its cosines to the centroid and to the title, more if
it tells more, by the logarithm of its words, and less if it only repeats the title. Both gain by
how much they report a problem, and gain or lose by their words.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from issue_pipeline.labels.schema import MIN_GROUNDING
from issue_pipeline.utils.embeddings import Vectors

_MAX_TITLE_WORDS = 16
_MAX_PROBLEM_SCORE = 1.5
# What a text gains or loses beside its cosine, which is in [-1, 1].
_PER_PROBLEM_SCORE = 0.08
_CONSEQUENCE = 0.03
_ANECDOTE = -0.08
_QUESTION = -0.06
_NUMBER = -0.03
_LONG_TITLE = -0.06
_BRACKETS = -0.03
_LOWER_CASE = -0.02
_FIRST_PERSON = -0.02
_LEANS_ON_ANOTHER = -0.2
_RELIEF = -0.2
# A description alone: for the logarithm of its words; for each unit of cosine above the least at
# which it repeats the title; and if it is a title itself, which tells less than almost any sentence
# about the same.
_PER_LOG_WORDS = 0.13
_PER_REPETITION = -2.0
_MIN_REPETITION = 0.8
# Least cosine of two titles that say the same.
_MIN_RESTATEMENT = 0.5
_IS_TITLE = -0.3
_OWN_CASE = -0.05

_CAUSE_OR_CONSEQUENCE = re.compile(
    r"\b(?:because|since|so|therefore|as a result|due to|leads? to|causes?|caused|means?|every time"
    r"|whenever|when|until|unless|although|even though|instead of|costs?|we lose|without)\b",
    re.IGNORECASE,
)
_OWN = re.compile(r"\b(?:i|my|me|we|our|us)\b", re.IGNORECASE)
# A sentence that begins like this is about what stood before it.
_LEANING = re.compile(
    r"(?:so|but|and|then|also|or|however|yet|still|instead|otherwise|it|they|he|she|this|that|these"
    r"|those|here|there|yes|no|well|plus|only|same|both|which|because|apparently|you|ok|okay|fine"
    r"|useful|all (?:i|we|have|of))\b",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"(?:how|why|what|when|where|which|who|is|are|am|does|do|did|can|could|should|would|will|has|have"
    r"|any|anyone|anybody|anything|need|looking|help|please)\b",
    re.IGNORECASE,
)
# What works or helps, what was tried in vain, what should be done about it and what somebody would
# give for that, is neither cause nor consequence.
_WORKS_TRIED_OR_WISHES = re.compile(
    r"(?<!not )(?<!n['’]t )(?<!never )\b(?:correctly|properly|works? (?:fine|well|again|now)|helps?"
    r"|helped|is fine|fixed it|solved|no problem|(?:i|we)['’]d (?:\w+ )?(?:pay|like|love)"
    r"|would (?:\w+ )?(?:pay|like|love)|please|i pay|we pay)\b"
    r"|\b(?:changed nothing|changes nothing|no difference|(?:did|does)(?: not|n['’]t) help|no luck"
    r"|in vain|to no avail|tried|should|ought to)\b",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"\b(?:i['’]?m|i am|my (?:life|wife|husband|boss|mother|father|son|daughter|cousin|friend"
    r"|colleagues?|neighbou?r)|yesterday|today|tonight|last (?:week|month|year|night)|first time"
    r"|this morning|thanks?|hello|hi|sorry|lol|honestly|frankly"
    r"|(?:in|since|last) (?-i:January|February|March|April|May|June|July|August|September|October"
    r"|November|December))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class MeasuredText:
    """A text and how it relates to its cluster.

    Attributes:
        vector: float32 (d,), of length 1.
        cosine: To the centroid of the posts, in [-1, 1].
        problem_score: How much the text alone reports a problem; 0 where the cluster is no problem.
    """

    text: str
    vector: Vectors
    cosine: float
    problem_score: float


def ranked_titles(titles: Sequence[MeasuredText]) -> list[MeasuredText]:
    """Return titles, best first; those far from the centroid come last, ties keep their order."""
    return _ranked(
        titles, [title.cosine + _title_bonus(title) for title in titles], "canonical_title"
    )


def ranked_descriptions(
    sentences: Sequence[MeasuredText], titles: Sequence[MeasuredText], title: MeasuredText | None
) -> list[MeasuredText]:
    """Return what can stand as description, best first; what is far from the centroid comes last.

    Args:
        sentences: Of the posts.
        titles: Those that can stand as a description.
        title: The best title, which is likely to be the label's.
    """

    def worth(text: MeasuredText) -> float:
        to_title = float(text.vector @ title.vector) if title else text.cosine
        return (
            (text.cosine + to_title) / 2
            + _PER_REPETITION * max(0.0, to_title - _MIN_REPETITION)
            + _PER_LOG_WORDS * math.log(max(1, word_count(text.text)))
        )

    values = [worth(text) + _sentence_bonus(text) for text in sentences]
    values += [worth(text) + _title_bonus(text) + _IS_TITLE for text in titles]
    return _ranked([*sentences, *titles], values, "description")


def is_near(text: MeasuredText, *, field: str) -> bool:
    """Return whether a text is about the cluster, as the label's field must be."""
    return text.cosine >= MIN_GROUNDING[field]


def restates(title: MeasuredText, other: MeasuredText) -> bool:
    """Return whether a title says in a statement of its own what another title says."""
    return (
        float(title.vector @ other.vector) >= _MIN_RESTATEMENT
        and not repeats(title, other)
        and is_near(title, field="canonical_title")
        and not title.text[0].islower()
        and not _ASKING.match(title.text)
        and not _LEANING.match(title.text)
    )


def repeats(text: MeasuredText, other: MeasuredText) -> bool:
    """Return whether two texts say the same in nearly the same words."""
    return float(text.vector @ other.vector) >= _MIN_REPETITION


def _ranked(
    texts: Sequence[MeasuredText], values: Sequence[float], field: str
) -> list[MeasuredText]:
    order = sorted(
        range(len(texts)),
        key=lambda place: (not is_near(texts[place], field=field), -round(values[place], 3)),
    )
    return [texts[place] for place in order]


def _bounded(problem_score: float) -> float:
    return max(-_MAX_PROBLEM_SCORE, min(_MAX_PROBLEM_SCORE, problem_score))


def _title_bonus(measured: MeasuredText) -> float:
    title = measured.text
    return (
        _PER_PROBLEM_SCORE * _bounded(measured.problem_score)
        + _QUESTION * title.endswith("?")
        + _NUMBER * len(re.findall(r"\d+", title)[:3])
        + _LONG_TITLE * (word_count(title) > _MAX_TITLE_WORDS)
        + _ANECDOTE * bool(_PERSONAL.search(title))
        + _BRACKETS * bool(re.search(r"[(\[]", title))
        + _LOWER_CASE * title[0].islower()
        + _FIRST_PERSON * bool(_OWN.search(title))
    )


def _sentence_bonus(measured: MeasuredText) -> float:
    sentence = measured.text
    return (
        _PER_PROBLEM_SCORE * _bounded(measured.problem_score)
        + _CONSEQUENCE * bool(_CAUSE_OR_CONSEQUENCE.search(sentence))
        + _ANECDOTE * bool(_PERSONAL.search(sentence))
        + _OWN_CASE * bool(_OWN.search(sentence))
        + _LEANS_ON_ANOTHER * bool(_LEANING.match(sentence))
        + _RELIEF * bool(_WORKS_TRIED_OR_WISHES.search(sentence))
        + _NUMBER * len(re.findall(r"\d+", sentence)[:3])
    )


def word_count(text: str) -> int:
    """Return the number of words; scripts without spaces have about two characters a word."""
    words = text.split()
    return len(words) if text.isascii() else max(len(words), sum(map(_is_unspaced, text)) // 2)


def _is_unspaced(character: str) -> bool:
    return "\u0e00" <= character <= "\u0eff" or "\u1780" <= character <= "\u9fff"
