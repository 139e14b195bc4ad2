"""Whether a stored label is about another cluster too, that has the same titles.

A fingerprint is that of five titles, and "Help please" is the title of any problem. So a label that
is kept or reused passes the checks that a fresh one passes, against its own cluster.
"""

import re
from collections.abc import Sequence

import numpy as np

from issue_pipeline.labels.masking import MASK
from issue_pipeline.labels.schema import least_grounding
from issue_pipeline.labels.validation import Grounding, first_grounding_problem
from issue_pipeline.records import IssueRow
from issue_pipeline.utils.embeddings import Vectors

# A text was chosen among the posts' own if so many of its words stand in one of them: what was
# masked, or was no plain text, is missing in it.
_OWN_SHARE = 0.8
# Cosine of the centroids of clusters that say the same.
_SAME_POSTS = 0.95
_WORD = re.compile(r"\w+")
_MAX_TEXT_CHARS = 10_000


def reuse_problem(
    row: IssueRow, texts: Sequence[str], embeddings: Vectors, grounding: Grounding
) -> str | None:
    """Return why a stored label may not stand for a cluster, or ``None`` if it may.

    Args:
        row: A row with a good label.
        texts: The clean texts of the cluster's posts.
        embeddings: float32 (m, 384), of the same posts.
        grounding: Measures how near a label is to them.
    """
    # A label from before problems were told from other themes does not say.
    is_problem = row.is_problem is not False
    fields = [
        one
        for one in least_grounding(is_problem=is_problem)
        if not _is_own(str(getattr(row, one)), texts)
    ]
    if not fields:
        return None
    similarities = grounding.similarities([str(getattr(row, one)) for one in fields], embeddings)
    return first_grounding_problem(fields, similarities, is_problem=is_problem)


def same_posts(first: Vectors, second: Vectors) -> bool:
    """Return whether two clusters with the same titles say the same in their bodies, too.

    Args:
        first: float32 (m, 384), the members of one, m >= 1.
        second: float32 (n, 384), those of the other, n >= 1.
    """
    ours, theirs = first.mean(axis=0), second.mean(axis=0)
    lengths = max(float(np.linalg.norm(ours) * np.linalg.norm(theirs)), 1e-12)
    return round(float(ours @ theirs) / lengths, 3) >= _SAME_POSTS


def _is_own(text: str, texts: Sequence[str]) -> bool:
    """Return whether a text is one of the posts' own, but for what was taken out of it."""
    words = set(_words(text.replace(MASK, " ")))
    return any(
        len(words & set(_words(post[:_MAX_TEXT_CHARS]))) >= _OWN_SHARE * len(words)
        for post in texts
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
