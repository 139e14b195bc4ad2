"""Checks of a label besides its form: it is about its cluster, under a title of its own."""

import threading
from collections.abc import Collection, Iterable, Mapping

import numpy as np
from pydantic import ValidationError

from issue_pipeline.labels.schema import (
    IssueLabel,
    grounding_problem,
    least_grounding,
    masked_problem,
    tidy_title,
)
from issue_pipeline.records import IssueRow
from issue_pipeline.utils.cluster_representatives import normalize_title
from issue_pipeline.utils.embeddings import TextEncoder, Vectors, embed_texts
from issue_pipeline.utils.printable import printable

MAX_PROBLEM_CHARS = 200


class Grounding:
    """Measures how near texts are to a cluster. Safe to use from several threads."""

    def __init__(self, model: TextEncoder) -> None:
        self._model = model
        # Tokenizers refuse to be used from two threads at once.
        self._lock = threading.Lock()

    def embed(self, texts: list[str]) -> Vectors:
        """Return the vectors of texts: float32 (n, 384), unit rows."""
        with self._lock:
            return embed_texts(texts, self._model)

    def similarities(self, texts: list[str], embeddings: Vectors) -> list[float]:
        """Return each text's cosine to the centroid of a cluster, rounded to 1e-3.

        Args:
            texts: Any number of texts.
            embeddings: float32 (m, 384), the members of the cluster, m >= 1.

        Returns:
            Numbers in [-1, 1].
        """
        return cosines_to_centroid(self.embed(texts), embeddings)


def cosines_to_centroid(vectors: Vectors, embeddings: Vectors) -> list[float]:
    """Return the cosine of each row to the mean of the members' rows, rounded to 1e-3."""
    centroid = embeddings.mean(axis=0)
    length = max(float(np.linalg.norm(centroid)), 1e-12)
    return [round(float(vector @ centroid) / length, 3) for vector in vectors]


def first_grounding_problem(
    fields: Iterable[str], similarities: Iterable[float], *, is_problem: bool
) -> str | None:
    """Return what is wrong with the first field that is not about its posts, or ``None``."""
    for field, similarity in zip(fields, similarities, strict=True):
        if problem := grounding_problem(field, similarity, is_problem=is_problem):
            return problem
    return None


class ClusterCheck:
    """Checks the labels offered for one cluster (a ``LabelCheck`` of ``session.py``)."""

    def __init__(self, embeddings: Vectors, grounding: Grounding) -> None:
        self._embeddings = embeddings
        self._grounding = grounding

    def problem(self, label: IssueLabel, *, chosen: bool) -> str | None:
        """Return what is wrong with a label, or ``None``.

        Args:
            label: A valid label.
            chosen: Whether its texts are the posts' own: then they are about the posts.
        """
        if chosen:
            return None
        fields = list(least_grounding(is_problem=label.is_problem))
        texts = [getattr(label, field) for field in fields]
        similarities = self._grounding.similarities(texts, self._embeddings)
        return first_grounding_problem(fields, similarities, is_problem=label.is_problem)


class DayTitles:
    """The titles of a day: of several clusters that want one, the first in order has it.

    Those that agree with every other that wants it may have it, too: nothing tells them apart. A
    cluster agrees with another that has all of its representatives' titles. Who has a title in the
    end does not depend on the order in which they come for it: a cluster must do without if one
    before it, with which it does not agree, ever wanted it.

    Args:
        titles: The titles that are taken for good, each with its cluster's representatives' titles.
    """

    def __init__(self, titles: Iterable[tuple[str, Collection[str]]] = ()) -> None:
        # By title, who wanted it: place in order (below 0: taken for good) and own titles.
        self._claims: dict[str, dict[int, frozenset[str]]] = {}
        for number, (title, own) in enumerate(titles):
            self.claim(title, -1 - number, own)

    def taken(self, own: Collection[str] = ()) -> frozenset[str]:
        """Return the normalised titles taken for good from a cluster with these representatives."""
        mine = _normalized(own)
        return frozenset(
            title
            for title, claims in self._claims.items()
            if any(place < 0 and not _agree(mine, theirs) for place, theirs in claims.items())
        )

    def claim(self, title: str, place: int, own: Collection[str] = ()) -> list[int]:
        """Note that a cluster wants a title.

        Args:
            title: The title of its label.
            place: The cluster's place in the order of the day, at least 0.
            own: Its representatives' titles.

        Returns:
            Places of the clusters that cannot have it, or no longer: this one, or some after it.
        """
        claims = self._claims.setdefault(normalize_title(title), {})
        lost = _losers(claims)
        claims[place] = _normalized(own)
        return sorted(_losers(claims) - (lost - {place}))


def _losers(claims: Mapping[int, frozenset[str]]) -> set[int]:
    """Return the places that have one before them, with which they do not agree."""
    return {
        place
        for place, mine in claims.items()
        if any(before < place and not _agree(mine, theirs) for before, theirs in claims.items())
    }


def _agree(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    return bool(mine) and mine <= theirs


def _normalized(titles: Iterable[str]) -> frozenset[str]:
    """Fold titles without their tags, which are no part of what they say."""
    return frozenset(normalize_title(tidy_title(title)) for title in titles) - {""}


def stored_label_problem(row: IssueRow) -> str | None:
    """Return why today's rules would not take a stored label, or ``None`` if they would.

    Rules become stricter, and tables are edited by hand. A label from before problems were told
    from other themes lacks ``is_problem`` only, which is computed without a model.
    """
    fields = {name: getattr(row, name) for name in IssueLabel.model_fields}
    if fields["is_problem"] is None:
        fields["is_problem"] = True
    try:
        label = IssueLabel.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return f"{place}: {printable(first['msg'], MAX_PROBLEM_CHARS)}"
    return masked_problem(label)
