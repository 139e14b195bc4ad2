"""Finds boilerplate: sentences that posts share word for word and that is all they have in common.

A code of conduct, a bot's signature or a line of a form shows in one post no more than that it is
somebody's sentence. Many posts of a day that have it, and that are about different things by their
titles, show that it says nothing about any of them. People who quote the same error message have
more in common than the message.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import log, sqrt

# The sentences that posts of a day share, as :func:`sentence_key` writes them.
Sentences = frozenset[str]

# So many posts of a day make a sentence boilerplate.
MIN_POSTS = 5
# Shorter ones ("Why?", "Thanks.") make no posts alike.
_MIN_CHARS = 8
# Posts are related if the mean cosine of their titles, as TF-IDF vectors, is at least this. Of
# 16,306 real posts any two have 0.01, two of a repository or a forum 0.01 to 0.05; those that share
# what they are about 0.10 and more: a thread that comes each month, one error message.
RELATED_COSINE = 0.06

_BREAK = re.compile(r"(?<=[.!?…:])\s+|(?<=[。！？])|\n")
_WORD = re.compile(r"[^\W\d_]{2,}")
_NUMBER = re.compile(r"\d+")

TermWeights = Mapping[str, float]


def shared_sentences(
    titles: Sequence[str], bodies: Sequence[str], min_posts: int = MIN_POSTS
) -> Sentences:
    """Return the sentences that unrelated posts share.

    Args:
        titles: Of a day's n posts, clean, in any order.
        bodies: Their n clean bodies.
        min_posts: How many posts have to share a sentence.

    Returns:
        The sentences in the form of :func:`sentence_key`; none for fewer posts than ``min_posts``.
    """
    having = defaultdict[str, list[int]](list)
    for number, body in enumerate(bodies):
        for key in {sentence_key(sentence) for sentence in _sentences(body)}:
            having[key].append(number)
    shared = {key: numbers for key, numbers in having.items() if len(numbers) >= min_posts}
    shared.pop("", None)
    if not shared:
        return frozenset()
    terms = [Counter(_WORD.findall(title.casefold())) for title in titles]
    weights = _inverse_frequencies(terms)
    return frozenset(
        key
        for key, numbers in shared.items()
        if _mean_cosine([terms[number] for number in numbers], weights) < RELATED_COSINE
    )


def without_sentences(text: str, sentences: Sentences) -> str:
    """Drop sentences from clean text, and the lines of which nothing is left."""
    if not sentences:
        return text
    lines = (
        " ".join(one for one in _sentences(line) if sentence_key(one) not in sentences)
        for line in text.split("\n")
    )
    return "\n".join(line for line in lines if line)


def sentence_key(sentence: str) -> str:
    """Return a sentence to compare it by, without numbers, letter case and marks around it.

    Returns:
        ``""`` for one that is too short to be boilerplate.
    """
    key = _NUMBER.sub("0", " ".join(sentence.split()).casefold()).strip(" .:!*_#-")
    return key if len(key) >= _MIN_CHARS else ""


def _sentences(text: str) -> Iterator[str]:
    return (sentence for sentence in _BREAK.split(text) if sentence.strip())


def _inverse_frequencies(documents: Sequence[Iterable[str]]) -> TermWeights:
    counts = Counter(term for document in documents for term in set(document))
    return {term: log(1 + len(documents) / count) for term, count in counts.items()}


def _mean_cosine(documents: Sequence[Mapping[str, int]], weights: TermWeights) -> float:
    """Return the mean cosine of all pairs of different documents, as TF-IDF vectors, k >= 2."""
    total = Counter[str]()
    directions = 0
    for document in documents:
        vector = {term: count * weights[term] for term, count in document.items()}
        length = sqrt(sum(weight * weight for weight in vector.values()))
        if length:
            directions += 1
            total.update({term: weight / length for term, weight in vector.items()})
    pairs = len(documents) * (len(documents) - 1)
    return (sum(weight * weight for weight in total.values()) - directions) / pairs
