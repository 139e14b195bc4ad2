"""The few posts that stand for a cluster, and the fingerprint made of their titles."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

from issue_pipeline.utils.clustering import centroid_distances
from issue_pipeline.utils.embeddings import Vectors

REPRESENTATIVES = 5
_WORD = re.compile(r"\w+")


def normalize_title(title: str) -> str:
    """Fold case, Unicode form and spacing, so that the same title is the same text."""
    return " ".join(unicodedata.normalize("NFKC", title).casefold().split())


def title_similarity(first: str, second: str) -> float:
    """Return the Jaccard index of the titles' word sets, in [0, 1]; 1 for two without words."""
    a, b = (set(_WORD.findall(normalize_title(title))) for title in (first, second))
    return len(a & b) / len(a | b) if a | b else 1.0


def select_representatives(
    titles: Sequence[str],
    embeddings: Vectors,
    k: int = REPRESENTATIVES,
    max_jaccard: float = 0.8,
) -> list[int]:
    """Choose the members nearest to the centroid, leaving out near-duplicate titles.

    Distances are ranked after rounding to 1e-3; ties go to the row that comes first, so pass the
    members in ``url_hash`` order.

    Args:
        titles: Titles of the members of one cluster.
        embeddings: float32 (n, d), one row per title.
        k: Most to choose, at least 0.
        max_jaccard: A title is left out when its word set has this Jaccard index or more with one
            already chosen; in (0, 1].

    Returns:
        Row numbers, nearest first; fewer than k where the titles run out; [] for no members.

    Raises:
        ValueError: Titles and embeddings differ in number.
    """
    if len(titles) != len(embeddings):
        raise ValueError(f"Got {len(titles)} titles and {len(embeddings)} embeddings.")
    if not len(titles):
        return []
    distances = centroid_distances(embeddings)
    order = sorted(range(len(titles)), key=lambda row: (distances[row], row))
    return [
        order[place] for place in distinct_titles([titles[row] for row in order], k, max_jaccard)
    ]


def distinct_titles(
    titles: Sequence[str], k: int = REPRESENTATIVES, max_jaccard: float = 0.8
) -> list[int]:
    """Return the places of the first titles that do not nearly repeat one before them.

    Args:
        titles: The best one first.
        k: Most to choose, at least 0.
        max_jaccard: As of :func:`select_representatives`.
    """
    chosen: list[int] = []
    for place, title in enumerate(titles):
        if len(chosen) == k:
            break
        if all(title_similarity(title, titles[other]) < max_jaccard for other in chosen):
            chosen.append(place)
    return chosen


def cluster_fingerprint(titles: Sequence[str]) -> str:
    """Return the SHA-256 hex digest of the representatives' normalised titles, sorted.

    Args:
        titles: Titles of the representatives, in any order; the first 5 count.
    """
    normalized = sorted(normalize_title(title) for title in titles[:REPRESENTATIVES])
    return hashlib.sha256("\n".join(normalized).encode()).hexdigest()
