"""Clustering of posts: vectors alone do not show that a post says nothing."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from issue_pipeline.utils.clustering.api import (
    Clustering,
    cluster_embeddings,
    default_min_cluster_size,
)
from issue_pipeline.utils.clustering.tree import NOISE
from issue_pipeline.utils.embeddings import Vectors, has_words
from issue_pipeline.utils.executor import Executor


def cluster_posts(
    texts: Sequence[str],
    embeddings: Vectors,
    *,
    mode: str = "smoothed",
    min_cluster_size: int | None = None,
    executor: Executor | None = None,
) -> Clustering:
    """Cluster the posts that say something; the others are noise.

    The vectors of posts without words are nearly the same, and would make a cluster.

    Args:
        texts: The n texts that were embedded.
        embeddings: float32 (n, d), unit rows, finite.
        mode: As of :func:`cluster_embeddings`.
        min_cluster_size: Likewise; if not given, it depends on all n posts.
        executor: Likewise.

    Raises:
        ValueError: As :func:`cluster_embeddings` does.
    """
    size = default_min_cluster_size(len(texts)) if min_cluster_size is None else min_cluster_size
    says_something = np.array([has_words(text) for text in texts], dtype=bool)
    found = cluster_embeddings(
        embeddings[says_something], mode=mode, min_cluster_size=size, executor=executor
    )
    cluster_ids = np.full(len(texts), NOISE, dtype=np.int64)
    cluster_ids[says_something] = found.labels
    return replace(found, labels=cluster_ids)
