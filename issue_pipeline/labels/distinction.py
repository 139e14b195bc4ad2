"""What sets a cluster apart from others of its day that want the same title."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from issue_pipeline.labels.schema import MAX_TITLE_CHARS, IssueLabel

# A word says what a cluster is about if so many of its posts use it, and at least two: no single
# post can put a word of its own into a title.
_LEAST_SHARE: Final = 0.5
_LEAST_POSTS: Final = 2
_MOST_WORDS: Final = 3
_MAX_TEXT_CHARS: Final = 2_000
_WORD = re.compile(r"[^\W_][\w.+#-]*[^\W_]|[^\W_]")
_LEAST_WORD_CHARS: Final = 3


class DayWords:
    """The words of every cluster of a day, by how many clusters use them.

    Args:
        texts: By cluster id, the clean texts of its posts.
        urls: By cluster id, their URLs, which say in which repository or forum they stand.
    """

    def __init__(
        self, texts: Mapping[int, Sequence[str]], urls: Mapping[int, Sequence[str]]
    ) -> None:
        self._words = {one: _common_words(posts) for one, posts in texts.items()}
        self._places = {one: _common_place(posts) for one, posts in urls.items()}
        self._clusters_with = Counter(word for words in self._words.values() for word in words)
        self._clusters_at = Counter(self._places.values())

    def distinguishing(self, cluster_id: int) -> list[str]:
        """Return what sets a cluster apart, the most telling first.

        Args:
            cluster_id: One of the day's.

        Returns:
            Words that few other clusters have in common with it, one, two and three together, then
            the repository or forum of its posts, if that is its own; maybe nothing.
        """
        words = self._words[cluster_id]
        most = len(self._words)
        rare = sorted(
            (word for word in words if 2 * self._clusters_with[word] <= most or most == 1),
            key=lambda word: (self._clusters_with[word], -words[word][0], words[word][1]),
        )[:_MOST_WORDS]
        found = [
            ", ".join(words[word][2] for word in rare[: count + 1]) for count in range(len(rare))
        ]
        place = self._places[cluster_id]
        if place and self._clusters_at[place] == 1:
            found.append(place)
        return found


def qualified_labels(label: IssueLabel, qualifiers: Collection[str]) -> Iterator[IssueLabel]:
    """Yield a label under titles that add what sets its cluster apart.

    Args:
        label: A valid label whose title another cluster has.
        qualifiers: As of :meth:`DayWords.distinguishing`.
    """
    for qualifier in qualifiers:
        if qualifier.casefold() in label.canonical_title.casefold():
            continue
        room = MAX_TITLE_CHARS - len(qualifier) - 3
        title = label.canonical_title
        if len(title) > room:
            title = title[: room + 1].rsplit(" ", 1)[0]
        try:
            yield IssueLabel.model_validate(
                {**label.model_dump(), "canonical_title": f"{title} ({qualifier})"}
            )
        except ValidationError:
            continue


def _common_words(posts: Sequence[str]) -> dict[str, tuple[int, int, str]]:
    """Return the words that most posts use: in how many, where first, and how it is spelt there."""
    found: dict[str, tuple[int, int, str]] = {}
    for post in posts:
        seen = set()
        for place, match in enumerate(_WORD.finditer(post[:_MAX_TEXT_CHARS])):
            word = match[0].casefold()
            if word in seen or len(word) < _LEAST_WORD_CHARS:
                continue
            seen.add(word)
            count, first, spelt = found.get(word, (0, place, match[0]))
            found[word] = (count + 1, min(first, place), spelt)
    least = max(_LEAST_POSTS, _LEAST_SHARE * len(posts))
    return {word: use for word, use in found.items() if use[0] >= least}


def _common_place(urls: Sequence[str]) -> str:
    """Return ``owner/name`` of a repository, or ``r/name`` of a forum, if all posts stand in it."""
    places = {"/".join(urlsplit(url).path.strip("/").split("/")[:2]) for url in urls}
    place = places.pop() if len(places) == 1 and len(urls) >= _LEAST_POSTS else ""
    return place if "/" in place and not place.startswith(("questions/", "q/")) else ""
