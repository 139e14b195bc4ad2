"""The titles and descriptions that a model which chooses is offered: the best that posts have.

They come from the members of a cluster that are nearest to its centroid. A text is offered if it is
whole, shows no mask and states something; the ranking goes by nearness to the centroid and by how
much the text itself reports a problem. Where no title passes, sentences of the posts stand in, and
after them the longest unmasked parts of titles.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from issue_pipeline.labels.masking import MASK
from issue_pipeline.labels.schema import (
    MAX_TITLE_CHARS,
    MIN_GROUNDING,
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
_MAX_TITLE_WORDS = 16
_MIN_LETTER_SHARE = 0.85
# What a text gains or loses beside its cosine to the centroid, which is in [-1, 1].
_PER_PROBLEM_SCORE = 0.08
_MAX_PROBLEM_SCORE = 1.5
_CONSEQUENCE = 0.06
_ANECDOTE = -0.08
_QUESTION = -0.06
_NUMBER = -0.03
_LONG_TITLE = -0.06
_BRACKETS = -0.03
_LOWER_CASE = -0.02
_FIRST_PERSON = -0.02
_LEANS_ON_ANOTHER = -0.2
_RELIEF = -0.15

# Not after "e.g.", "U.S." or "No.": the next sentence starts with a capital or a digit.
_SENTENCE_BREAK = re.compile(
    r"(?<=[a-z0-9%)\"'][.!?…:])(?<!\.[a-z]\.)(?<!\s[a-z]\.)(?<!\b[Nn]o\.)(?<!\bvs\.)\s+"
    r"(?=[\"'(]?[A-Z0-9])|(?<=[。！？])"
)
# A title that ends like this was cut off or is only the first half of a sentence.
_DANGLING = re.compile(
    r"(?:…|\.{2,}|[,:;(\-–—&/+]|\b(?:a|an|the|of|to|in|on|at|by|for|with|from|and|or|but|that|which"
    r"|because|if|as|than|is|are|was|were|my|our|your|their|its|this|into|about))\s*$",
    re.IGNORECASE,
)
_CAUSE_OR_CONSEQUENCE = re.compile(
    r"\b(?:because|since|so|therefore|as a result|due to|leads? to|causes?|caused|means?|every time"
    r"|whenever|when|until|unless|although|even though|instead of|costs?|we lose|without)\b",
    re.IGNORECASE,
)
_OWN = re.compile(r"\b(?:i|my|me|we|our|us)\b", re.IGNORECASE)
# A sentence that begins like this is about what stood before it.
_LEANING = re.compile(
    r"(?:so|but|and|then|also|or|however|yet|still|instead|otherwise|it|they|he|she|this|that|these"
    r"|those|here|there|yes|no|well|plus|only|same|both|which|because|apparently|you)\b",
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
class Choices:
    """What a model may choose from, best first.

    Attributes:
        titles: Each a valid ``canonical_title``, no two nearly the same.
        descriptions: Each a valid ``description``.
    """

    titles: Sequence[str]
    descriptions: Sequence[str]


@dataclass(frozen=True, slots=True)
class MaskedPost:
    """A post in which words that no other post uses are masked."""

    title: str
    body: str


# The cosine of each text to the centroid of the cluster, and how much each reports a problem.
Ranking = Callable[[list[str]], tuple[Sequence[float], Sequence[float]]]


def rank_choices(posts: Sequence[MaskedPost], ranking: Ranking | None = None) -> Choices:
    """Return the titles and sentences of posts that can stand for their cluster, best first.

    Args:
        posts: Members of the cluster, nearest to its centroid first; the first 25 count.
        ranking: Scores texts; without it they are offered in the order of the posts.

    Returns:
        Up to 20 of each. A title is missing only where no post has two unmasked words in a row.
    """
    near = posts[:NEAREST_MEMBERS]
    sentences = _distinct(
        [text for post in near for text in _sentences(post.body) if states_something(text)]
    )
    titles = _distinct([text for post in near if (text := whole_title(post.title))])
    if ranking is not None:
        titles = _ranked(titles, ranking, _title_bonus, MIN_GROUNDING["canonical_title"])
        sentences = _ranked(sentences, ranking, _sentence_bonus, MIN_GROUNDING["description"])
    titles = _unlike(titles) or [text for text in sentences if len(text) <= MAX_TITLE_CHARS]
    titles = titles or _distinct(
        [text for post in near if (text := _longest_part(post.title, MAX_TITLE_CHARS))]
    )
    own = {normalize_title(title) for title in titles}
    told = [text for text in sentences if normalize_title(tidy_title(text)) not in own]
    # Where no post says more than its title, that is the description, too.
    told = told or [text for text in titles if length_problem(text) is None]
    return Choices(titles[:_KEPT], told[:_KEPT])


def whole_title(title: str) -> str:
    """Return a title without its tags if it is whole and shows no mask, or ``""``.

    One that is too long gives its first sentence, if that is short enough.
    """
    if MASK in title or title.rstrip().endswith(("…", "...")):
        return ""
    text = tidy_title(title, 4 * MAX_TITLE_CHARS)
    if len(text) > MAX_TITLE_CHARS:
        text = tidy_title(_SENTENCE_BREAK.split(text)[0], 4 * MAX_TITLE_CHARS)
    is_whole = (
        3 <= len(text) <= MAX_TITLE_CHARS
        and not _DANGLING.search(text)
        and all(text.count(left) == text.count(right) for left, right in ("()", "[]", "“”"))
        and text.count('"') % 2 == 0
    )
    return text if is_whole and _word_count(text) > 1 else ""


def states_something(sentence: str) -> bool:
    """Return whether it is no greeting, question, list of numbers, or piece that was cut off."""
    letters = sum(character.isalpha() or character.isspace() for character in sentence)
    return (
        MASK not in sentence
        and _word_count(sentence) >= _MIN_SENTENCE_WORDS
        and sentence[0].isalnum()
        and sentence.endswith((".", "!", "。", "！", '"', ")"))
        and letters >= _MIN_LETTER_SHARE * len(sentence)
        and length_problem(sentence) is None
    )


def _sentences(body: str) -> list[str]:
    parts = _SENTENCE_BREAK.split(body[:MAX_BODY_CHARS])
    # Nothing longer is tidied, which would cut it in its middle.
    return [
        tidy_text(part, MAX_DESCRIPTION_CHARS)
        for part in parts
        if len(part) <= MAX_DESCRIPTION_CHARS and MASK not in part
    ]


def _word_count(text: str) -> int:
    """Return the number of words; scripts without spaces have about two characters a word."""
    words = text.split()
    return len(words) if text.isascii() else max(len(words), sum(map(_is_unspaced, text)) // 2)


def _is_unspaced(character: str) -> bool:
    return "\u0e00" <= character <= "\u0eff" or "\u1780" <= character <= "\u9fff"


def _ranked(
    texts: list[str], ranking: Ranking, bonus: Callable[[str], float], least: float
) -> list[str]:
    """Return texts by what they are worth, best first; those far from the centroid come last."""
    if not texts:
        return []
    cosines, scores = ranking(texts)

    def worth(place: int) -> tuple[bool, float]:
        score = max(-_MAX_PROBLEM_SCORE, min(_MAX_PROBLEM_SCORE, scores[place]))
        total = cosines[place] + _PER_PROBLEM_SCORE * score + bonus(texts[place])
        return cosines[place] >= least, round(total, 3)

    order = sorted(range(len(texts)), key=lambda place: (worth(place), -place), reverse=True)
    return [texts[place] for place in order]


def _title_bonus(title: str) -> float:
    return (
        _QUESTION * title.endswith("?")
        + _NUMBER * len(re.findall(r"\d+", title)[:3])
        + _LONG_TITLE * (_word_count(title) > _MAX_TITLE_WORDS)
        + _ANECDOTE * bool(_PERSONAL.search(title))
        + _BRACKETS * bool(re.search(r"[(\[]", title))
        + _LOWER_CASE * title[0].islower()
        + _FIRST_PERSON * bool(_OWN.search(title))
    )


def _sentence_bonus(sentence: str) -> float:
    return (
        _CONSEQUENCE * bool(_CAUSE_OR_CONSEQUENCE.search(sentence))
        + _ANECDOTE * bool(_PERSONAL.search(sentence))
        + _FIRST_PERSON * bool(_OWN.search(sentence))
        + _LEANS_ON_ANOTHER * bool(_LEANING.match(sentence))
        + _RELIEF * bool(_WORKS_TRIED_OR_WISHES.search(sentence))
        + _NUMBER * len(re.findall(r"\d+", sentence)[:3])
    )


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
    parts = [tidy_title(part, max_chars) for part in title.split(MASK)]
    while any(_DANGLING.search(part) for part in parts):
        parts = [tidy_title(_DANGLING.sub("", part), max_chars) for part in parts]
    part = max(parts, key=len)
    return part if _word_count(part) > 1 else ""
