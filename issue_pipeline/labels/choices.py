"""The titles and descriptions that a model which chooses is offered: the best that posts have.

They come from the members of a cluster that are nearest to its centroid. A text is offered if it is
whole, shows no mask and states something; ``choice_ranking.py`` ranks them. Where no title passes,
sentences of the posts stand in, and after them the longest unmasked parts of titles. Where no
sentence says more, the title of another post is the description; where one does, such a title may
stand before it.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from issue_pipeline.labels.choice_ranking import (
    MeasuredText,
    is_near,
    ranked_descriptions,
    ranked_titles,
    repeats,
    restates,
    word_count,
)
from issue_pipeline.labels.schema import (
    ANY_MASK,
    MAX_TITLE_CHARS,
    description_problem,
    length_problem,
    tidy_text,
    tidy_title,
)
from issue_pipeline.utils.cluster_representatives import normalize_title, title_similarity

# Members that are looked at, nearest first, and how much of their bodies is read.
NEAREST_MEMBERS = 25
MAX_BODY_CHARS = 800
MAX_CANDIDATES = 60
MAX_DESCRIPTION_CHARS = 300
_KEPT = 20
_MAX_JACCARD = 0.8
_MIN_SENTENCE_WORDS = 6
_MIN_LETTER_SHARE = 0.85
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！")
_CLOSING = "\"'”’»)]"

# Not after "e.g.", "U.S." or "No.": the next sentence starts with a capital or a digit.
_SENTENCE_BREAK = re.compile(
    r"(?<=[a-z0-9%)\"'][.!?…:])(?<!\.[a-z]\.)(?<!\s[a-z]\.)(?<!\b[Nn]o\.)(?<!\bvs\.)\s+"
    r"(?=[\"'(]?[A-Z0-9])|(?<=[。！？])"
)
# What cleaning leaves of "returns `null`. If it ...": something stood before the full stop.
_GAP = re.compile(r"\s[.,)](?=\s|$)|[(\[]\s")
# A title that ends like this was cut off or is only the first half of a sentence.
_DANGLING = re.compile(
    r"(?:…|\.{2,}|[,:;(\-–—&/+]|\b(?:a|an|the|of|to|in|on|at|by|for|with|from|and|or|but|that|which"
    r"|because|if|as|than|is|are|was|were|my|our|your|their|its|this|into|about))\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a model may choose from, best first.

    Attributes:
        titles: Each a valid ``canonical_title``, no two nearly the same.
        descriptions: Each a valid ``description``.
        restatements: To each of the titles those of other posts that say the same in other words.
    """

    titles: Sequence[str]
    descriptions: Sequence[str]
    restatements: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def description_of(self, title: str, taken: Collection[str] = frozenset()) -> str:
        """Return what a label with this title says: the matter in other words, and the sentence.

        The sentence alone, where no other post's title can stand before it.

        Args:
            title: One of the titles.
            taken: Normalised titles that other clusters have.
        """
        said = self.descriptions[0]
        for other in self.restatements.get(title, ()) if said != title else ():
            both = f"{_as_sentence(other)} {_as_sentence(said)}"
            is_free = other != said and normalize_title(other) not in taken
            if is_free and description_problem(both) is None:
                return both
        return said


@dataclass(frozen=True, slots=True)
class MaskedPost:
    """A post in which words that no other post uses are masked."""

    title: str
    body: str


# Embeds texts and compares them with their cluster; in the same order.
Measure = Callable[[list[str]], list[MeasuredText]]


def rank_choices(posts: Sequence[MaskedPost], measure: Measure | None = None) -> Choices:
    """Return the titles and sentences of posts that can stand for their cluster, best first.

    Args:
        posts: Members of the cluster, nearest to its centroid first; the first 25 count.
        measure: Called at most three times, with at most 110 texts in all. Without it texts are
            offered in the order of the posts.

    Returns:
        Up to 20 of each. A title is missing only where no post has two unmasked words in a row. A
        description may be one of the titles: that of another post, or where nothing else is about
        the cluster the first.
    """
    near = posts[:NEAREST_MEMBERS]
    sentences = _distinct(
        [text for post in near for text in _sentences(post.body) if states_something(text)]
    )
    titles = _distinct([text for post in near if (text := whole_title(post.title))])
    restated: Mapping[str, Sequence[str]] = {}
    parts = _distinct(
        [text for post in near if (text := _longest_part(post.title, MAX_TITLE_CHARS))]
    )
    if measure is None:
        titles = _unlike(titles) or _short(sentences) or parts
        own = {normalize_title(title) for title in titles}
        told = [text for text in sentences if _folded(text) not in own]
    else:
        titles, told, restated = _measured_choices(titles, sentences, parts, measure)
    # Where no post says more than its title, that is the description, too.
    told = told or [text for text in titles if length_problem(text) is None]
    return Choices(titles[:_KEPT], told[:_KEPT], restated)


def _measured_choices(
    titles: list[str], sentences: list[str], parts: list[str], measure: Measure
) -> tuple[list[str], list[str], Mapping[str, Sequence[str]]]:
    """Return titles, descriptions and restatements of each title, best first."""
    measured = measure(sentences)
    ranked = ranked_titles(measure(titles))
    if not ranked:
        # A sentence on something else is no better than a part of a title.
        short = set(_short(sentences))
        near = [
            sentence
            for sentence in measured
            if sentence.text in short and is_near(sentence, field="canonical_title")
        ]
        long = [part for part in parts if _is_statement(part)]
        ranked = ranked_titles(near or measure(long or parts))
    kept = _unlike([title.text for title in ranked]) or _short(sentences)
    said = {_folded(sentence) for sentence in sentences}
    told = [
        title
        for title in ranked
        if title.text in kept and _is_statement(title.text) and _folded(title.text) not in said
    ]
    descriptions = ranked_descriptions(measured, told, ranked[0] if ranked else None)
    others = [
        title for title in told if title.text in titles and not repeats(title, descriptions[0])
    ]
    restated = {
        title.text: [other.text for other in others if restates(other, title)]
        for title in ranked
        if title.text in kept
    }
    return kept, [one.text for one in descriptions], restated


def whole_title(title: str) -> str:
    """Return a title without its tags if it is whole and shows no mask, or ``""``.

    One that is too long gives its first sentence, if that is short enough.
    """
    if ANY_MASK.search(title) or title.rstrip().endswith(("…", "...")):
        return ""
    text = tidy_title(title, 4 * MAX_TITLE_CHARS)
    if len(text) > MAX_TITLE_CHARS:
        text = tidy_title(_SENTENCE_BREAK.split(text)[0], 4 * MAX_TITLE_CHARS)
    is_whole = (
        3 <= len(text) <= MAX_TITLE_CHARS
        and not _DANGLING.search(text)
        and not _GAP.search(text)
        and all(text.count(left) == text.count(right) for left, right in ("()", "[]", "“”"))
        and text.count('"') % 2 == 0
    )
    return text if is_whole and word_count(text) > 1 else ""


def states_something(sentence: str) -> bool:
    """Return whether it is no greeting, question, list of numbers, or piece that was cut off."""
    letters = sum(character.isalpha() or character.isspace() for character in sentence)
    return (
        not ANY_MASK.search(sentence)
        and not _GAP.search(sentence)
        and word_count(sentence) >= _MIN_SENTENCE_WORDS
        and sentence[0].isalnum()
        and sentence.endswith((".", "!", "。", "！", '"', ")"))
        and letters >= _MIN_LETTER_SHARE * len(sentence)
        and length_problem(sentence) is None
    )


def _as_sentence(text: str) -> str:
    """Return a text with a full stop, if none is there, maybe within quotes or brackets."""
    return text if text.rstrip(_CLOSING).endswith(_SENTENCE_ENDS) else f"{text}."


def _is_statement(title: str) -> bool:
    return (
        word_count(title) >= _MIN_SENTENCE_WORDS
        and not title.endswith("?")
        and length_problem(title) is None
    )


def _folded(text: str) -> str:
    return normalize_title(tidy_title(text))


def _short(sentences: Sequence[str]) -> list[str]:
    return [text for text in sentences if len(text) <= MAX_TITLE_CHARS]


def _sentences(body: str) -> list[str]:
    parts = _SENTENCE_BREAK.split(body[:MAX_BODY_CHARS])
    # Nothing longer is tidied, which would cut it in its middle.
    return [
        tidy_text(part, MAX_DESCRIPTION_CHARS)
        for part in parts
        if len(part) <= MAX_DESCRIPTION_CHARS and not ANY_MASK.search(part)
    ]


def _distinct(texts: Sequence[str]) -> list[str]:
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(normalize_title(text), text)
    return list(first.values())[:MAX_CANDIDATES]


def _unlike(titles: Sequence[str]) -> list[str]:
    """Return titles without those that have nearly the words of one before them."""
    kept: list[str] = []
    for title in titles:
        if len(kept) == _KEPT:
            break
        if all(title_similarity(title, other) < _MAX_JACCARD for other in kept):
            kept.append(title)
    return kept


def _longest_part(title: str, max_chars: int) -> str:
    """Return the longest part of a masked title, without dangling words; ``""`` for one word."""
    parts = [tidy_title(part, max_chars) for part in ANY_MASK.split(title)]
    while any(_DANGLING.search(part) for part in parts):
        parts = [tidy_title(_DANGLING.sub("", part), max_chars) for part in parts]
    part = max(parts, key=len)
    return part if word_count(part) > 1 else ""
