"""What a label must keep besides its form: to be about its cluster, under a title of its own."""

import threading
from collections.abc import Collection, Iterable

import numpy as np

from issue_pipeline.labels import MIN_GROUNDING, IssueLabel, grounding_problem, tidy_title
from issue_pipeline.utils.cluster_representatives import normalize_title
from issue_pipeline.utils.embeddings import TextEncoder, Vectors, embed_texts


class Grounding:
    """Measures how near texts are to a cluster. Safe to use from several threads."""

    def __init__(self, model: TextEncoder) -> None:
        self._model = model
        # Tokenizers refuse to be used from two threads at once.
        self._lock = threading.Lock()

    def similarities(self, texts: list[str], embeddings: Vectors) -> list[float]:
        """Give each text's cosine to the centroid of a cluster, rounded to 1e-3.

        Args:
            texts: Any number of texts.
            embeddings: float32 (m, 384), the members of the cluster, m >= 1.

        Returns:
            Numbers in [-1, 1].
        """
        centroid = embeddings.mean(axis=0)
        with self._lock:
            vectors = embed_texts(texts, self._model)
        length = max(float(np.linalg.norm(centroid)), 1e-12)
        return [round(float(vector @ centroid) / length, 3) for vector in vectors]


class DayTitles:
    """The titles of a day: each belongs to one cluster, and to those that agree with it.

    A cluster agrees with another that has all of its representatives' titles: nothing could tell
    the two apart. Safe to use from several threads.

    Args:
        titles: The titles that are taken, each with its cluster's representatives' titles.
    """

    def __init__(self, titles: Iterable[tuple[str, Collection[str]]] = ()) -> None:
        self._holders: dict[str, frozenset[str]] = {}
        self._lock = threading.Lock()
        for title, own in titles:
            self._holders.setdefault(normalize_title(title), _normalized(own))

    def taken(self, own: Collection[str] = ()) -> Collection[str]:
        """Give the normalised titles that a cluster with these representatives may not have."""
        mine = _normalized(own)
        with self._lock:
            return frozenset(
                title for title, others in self._holders.items() if not _agree(mine, others)
            )

    def claim(self, title: str, own: Collection[str] = ()) -> bool:
        """Take a title; ``False`` if a cluster that does not agree took it before."""
        key, mine = normalize_title(title), _normalized(own)
        with self._lock:
            if key in self._holders:
                return _agree(mine, self._holders[key])
            self._holders[key] = mine
            return True


def _normalized(titles: Iterable[str]) -> frozenset[str]:
    """Fold titles without their tags, which are no part of what they say."""
    return frozenset(normalize_title(tidy_title(title)) for title in titles)


def _agree(own: frozenset[str], others: frozenset[str]) -> bool:
    return bool(own) and own <= others


class ClusterCheck:
    """Checks the labels offered for one cluster (a ``LabelCheck`` of ``asking.py``)."""

    def __init__(
        self,
        embeddings: Vectors,
        grounding: Grounding,
        titles: DayTitles,
        own_titles: Collection[str] = (),
    ) -> None:
        self._embeddings = embeddings
        self._grounding = grounding
        self._titles = titles
        self._own_titles = own_titles

    def taken_titles(self) -> Collection[str]:
        """Give the normalised titles of the day's other clusters, but of those that agree."""
        return self._titles.taken(self._own_titles)

    def problem(self, label: IssueLabel, *, chosen: bool) -> str | None:
        """Say what is wrong with a label, or take its title and return ``None``.

        Args:
            label: A valid label.
            chosen: Whether its texts are the posts' own: then they are about the posts.
        """
        if not chosen:
            texts = [getattr(label, field) for field in MIN_GROUNDING]
            similarities = self._grounding.similarities(texts, self._embeddings)
            for field, similarity in zip(MIN_GROUNDING, similarities, strict=True):
                if (problem := grounding_problem(field, similarity)) is not None:
                    return problem
        if not self._titles.claim(label.canonical_title, self._own_titles):
            return (
                "canonical_title: is the title of another problem of the day; expected what sets"
                " this one apart"
            )
        return None
