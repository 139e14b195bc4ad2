"""HDBSCAN over embeddings, in two modes, with ids that do not depend on the order of rows.

``raw`` is HDBSCAN on the vectors as they are. ``smoothed`` first moves every vector to the mean of
its nearest neighbours, because in 384 dimensions the density differences that HDBSCAN needs
drown: on real days ``raw`` finds next to nothing.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.neighbours import smooth

MODES = ("raw", "smoothed")
NOISE = -1

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Clustering:
    """A partition of n items.

    Attributes:
        labels: int64 (n,): 0..k-1, the largest cluster first, or -1 for noise. Ties of size go to
            the cluster whose first row comes first.
        mode: ``raw`` or ``smoothed``.
        min_cluster_size: Fewest items that make a cluster.
        min_samples: Neighbours that make a point dense.
    """

    labels: Labels
    mode: str
    min_cluster_size: int
    min_samples: int


@dataclass(frozen=True, slots=True)
class ClusterQuality:
    """How tight one cluster is.

    Attributes:
        size: Number of members.
        mean_distance: Mean Euclidean distance of the members to their centroid, in [0, 2].
    """

    size: int
    mean_distance: float


def cluster_embeddings(embeddings: Vectors, *, mode: str = "smoothed") -> Clustering:
    """Group vectors by density: excess of mass, Euclidean distance, noise allowed.

    ``min_cluster_size = max(5, n // 200)`` and ``min_samples = min_cluster_size // 2``.

    Args:
        embeddings: float32 (n, d), unit rows, finite. Sort the rows by a key of their own where
            ties are to be broken independently of arrival.
        mode: ``raw`` or ``smoothed``.

    Returns:
        The partition; with fewer rows than ``min_cluster_size`` everything is noise.

    Raises:
        ValueError: Another mode, not two dimensions, or numbers that are not finite.
    """
    if mode not in MODES:
        raise ValueError(f"Unknown clustering mode {mode!r}; expected one of {', '.join(MODES)}.")
    vectors = np.asarray(embeddings, dtype=np.float32)
    if vectors.ndim != 2:
        raise ValueError(f"Expected embeddings of shape (n, d), got {vectors.shape}.")
    if not np.isfinite(vectors).all():
        rows = np.unique(np.nonzero(~np.isfinite(vectors))[0])
        raise ValueError(f"Embeddings must be finite; rows {rows[:5].tolist()} are not.")
    n = len(vectors)
    min_cluster_size = max(5, n // 200)
    min_samples = min_cluster_size // 2
    if n < min_cluster_size:
        labels = np.full(n, NOISE, dtype=np.int64)
    else:
        if mode == "smoothed":
            neighbours = smoothing_neighbours(n, min_cluster_size, min_samples)
            vectors = smooth(vectors, neighbours=neighbours)
        labels = _hdbscan(vectors, min_cluster_size, min_samples)
    return Clustering(largest_first(labels), mode, min_cluster_size, min_samples)


def smoothing_neighbours(n: int, min_cluster_size: int, min_samples: int) -> int:
    """How many neighbours are averaged: as many as HDBSCAN looks at, and at least 15.

    But never more than the smallest group we look for, which would be blurred into its
    surroundings, nor more than a sixth of the items.
    """
    return max(1, min(max(15, min_samples), min_cluster_size, n // 6))


def _hdbscan(vectors: Vectors, min_cluster_size: int, min_samples: int) -> Labels:
    from hdbscan import HDBSCAN  # half a second of imports that only clustering should pay

    with warnings.catch_warnings():
        # hdbscan passes scikit-learn arguments that newer releases rename.
        warnings.simplefilter("ignore", FutureWarning)
        fitted = HDBSCAN(
            min_cluster_size=min_cluster_size,
            min_samples=min_samples,
            metric="euclidean",
            cluster_selection_method="eom",
            core_dist_n_jobs=1,
        ).fit(vectors.astype(np.float64))
    return np.asarray(fitted.labels_, dtype=np.int64)


def largest_first(labels: Labels) -> Labels:
    """Renumber clusters 0..k-1, largest first, ties by the row that comes first; noise stays -1."""
    ids, first_rows, sizes = np.unique(labels, return_index=True, return_counts=True)
    order = sorted(
        (i for i in range(len(ids)) if ids[i] != NOISE), key=lambda i: (-sizes[i], first_rows[i])
    )
    renumbered = np.full(len(labels), NOISE, dtype=np.int64)
    for new, i in enumerate(order):
        renumbered[labels == ids[i]] = new
    return renumbered


def centroid_distances(embeddings: Vectors) -> NDArray[np.float64]:
    """Give each member's Euclidean distance to the plain mean of all, rounded to 1e-3.

    Rounded, so that ranks do not hang on the last bits of a sum.

    Args:
        embeddings: float32 (m, d), the members of one cluster, m >= 1.

    Returns:
        float64 (m,).
    """
    vectors = embeddings.astype(np.float64)
    distances: NDArray[np.float64] = np.linalg.norm(vectors - vectors.mean(axis=0), axis=1)
    return np.round(distances, 3)


def cluster_quality(embeddings: Vectors, labels: Labels) -> list[ClusterQuality]:
    """Measure every cluster, by id, on the original embeddings.

    Args:
        embeddings: float32 (n, d).
        labels: int64 (n,), as of :class:`Clustering`.
    """
    qualities = []
    for cluster_id in range(int(labels.max(initial=NOISE)) + 1):
        members = embeddings[labels == cluster_id].astype(np.float64)
        distances = np.linalg.norm(members - members.mean(axis=0), axis=1)
        qualities.append(ClusterQuality(len(members), float(distances.mean())))
    return qualities


def outlier_ratio(labels: Sequence[int] | Labels) -> float:
    """Give the share of noise, in [0, 1]; 0 for no items."""
    return float(np.mean(np.asarray(labels) == NOISE)) if len(labels) else 0.0
