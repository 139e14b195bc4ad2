"""HDBSCAN over embeddings, in two modes, with ids that do not depend on the order of rows.

``raw`` is HDBSCAN on the vectors as they are. ``smoothed`` first moves every vector to the mean of
its nearest neighbours, because in 384 dimensions the density differences that HDBSCAN needs
drown: on real days ``raw`` finds next to nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.neighbours import Ranks, blocks, nearest, smooth
from issue_pipeline.utils.spanning_tree import spanning_tree

MODES = ("raw", "smoothed")
NOISE = -1

# A tenth of the day is too much for one group, but a hundred posts are not.
CEILING_SHARE = 0.1
MIN_CEILING = 100
# Of a noise point's neighbours, those that must lie in one cluster for it to join.
REJOIN_SHARE = 0.35
# How often they are asked: those who have joined are asked by others.
REJOIN_ROUNDS = 2

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


def cluster_embeddings(
    embeddings: Vectors, *, mode: str = "smoothed", min_cluster_size: int | None = None
) -> Clustering:
    """Group vectors by density: excess of mass, Euclidean distance, noise allowed.

    The partition does not depend on the order of the rows.

    Args:
        embeddings: float32 (n, d), unit rows, finite. Sort the rows by a key of their own where
            ties of size are to be broken independently of arrival.
        mode: ``raw`` or ``smoothed``.
        min_cluster_size: Fewest items that make a cluster, at least 2; ``max(5, n // 200)`` if not
            given. ``min_samples`` is half of it.

    Returns:
        The partition; with fewer rows than ``min_cluster_size`` everything is noise.

    Raises:
        ValueError: Another mode, too small a cluster size, not two dimensions, or numbers that are
            not finite.
    """
    if mode not in MODES:
        raise ValueError(f"Unknown clustering mode {mode!r}; expected one of {', '.join(MODES)}.")
    vectors = _checked(embeddings)
    n = len(vectors)
    if min_cluster_size is None:
        min_cluster_size = max(5, n // 200)
    if min_cluster_size < 2:
        raise ValueError(f"min_cluster_size is {min_cluster_size}; expected at least 2.")
    min_samples = min_cluster_size // 2
    if n < min_cluster_size:
        labels = np.full(n, NOISE, dtype=np.int64)
    else:
        # Sums round differently in another order of rows, and equal distances are ranked by row; so
        # the rows are put into an order that only their contents decide.
        order, same = _by_content(vectors)
        find = _smoothed if mode == "smoothed" else hdbscan_labels
        labels = find(vectors[order], min_cluster_size, min_samples)[same]
    return Clustering(largest_first(labels), mode, min_cluster_size, min_samples)


def _checked(embeddings: Vectors) -> Vectors:
    vectors = np.asarray(embeddings, dtype=np.float32)
    if vectors.ndim != 2:
        raise ValueError(f"Expected embeddings of shape (n, d), got {vectors.shape}.")
    if not np.isfinite(vectors).all():
        rows = np.unique(np.nonzero(~np.isfinite(vectors))[0])
        raise ValueError(f"Embeddings must be finite; rows {rows[:5].tolist()} are not.")
    return vectors


def _by_content(vectors: Vectors) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Order rows by their contents.

    Returns:
        int64 (n,), the rows in order; int64 (n,), each row's place in it, where identical rows
        share the place of the first of them: which is which, only their arrival would tell.
    """
    contents = np.ascontiguousarray(vectors).view(f"S{vectors.itemsize * vectors.shape[1]}")[:, 0]
    _, number = np.unique(contents, return_inverse=True)
    order = np.argsort(number, kind="stable")
    return order, np.searchsorted(number[order], number)


def _smoothed(vectors: Vectors, min_cluster_size: int, min_samples: int) -> Labels:
    """Smooth, cluster without giants, and bring back the noise that clearly belongs."""
    n = len(vectors)
    near = nearest(vectors, 1 + smoothing_neighbours(n, min_cluster_size)).rows
    moved = smooth(vectors, near)
    ceiling = max(MIN_CEILING, int(CEILING_SHARE * n))
    return rejoin(hdbscan_labels(moved, min_cluster_size, min_samples, ceiling), near)


def smoothing_neighbours(n: int, min_cluster_size: int) -> int:
    """How many neighbours are averaged: as many as the smallest group has members.

    But never more than a sixth of the items.
    """
    return max(1, min(min_cluster_size, n // 6))


def hdbscan_labels(
    vectors: Vectors, min_cluster_size: int, min_samples: int, ceiling: int = 0
) -> Labels:
    """Cluster as ``hdbscan.HDBSCAN`` does, from a spanning tree that is found faster.

    Args:
        vectors: float32 (n, d), n >= 2.
        min_cluster_size: At least 2.
        min_samples: At least 1.
        ceiling: Clusters of more items give way to those within them, if there are any; 0 for no
            limit.

    Returns:
        int64 (n,), -1 for noise, otherwise in no order.
    """
    # Imports that only clustering should pay.
    from hdbscan._hdbscan_linkage import label
    from hdbscan._hdbscan_tree import compute_stability, condense_tree, get_clusters

    tree = spanning_tree(vectors, min_samples)
    merges = label(np.column_stack([tree.ends.astype(np.float64), tree.weights]))
    condensed = condense_tree(merges, min_cluster_size)
    stability = compute_stability(condensed)
    if ceiling:
        # A large group that holds no smaller ones is one, however large: nothing replaces it. What
        # splits at no distance, identical rows, holds none.
        sizes, splits = condensed["child_size"], np.isfinite(condensed["lambda_val"])
        divided = condensed["parent"][(sizes > 1) & splits]
        whole = ~np.isin(condensed["child"], divided)
        sizes[whole] = np.minimum(sizes[whole], ceiling)
    labels = get_clusters(condensed, stability, max_cluster_size=ceiling)[0]
    return np.asarray(labels, dtype=np.int64)


def rejoin(
    labels: Labels, near: Ranks, *, share: float = REJOIN_SHARE, rounds: int = REJOIN_ROUNDS
) -> Labels:
    """Bring noise back to the cluster in which a good share of its neighbours lie.

    In one round all are judged by the same labels, so their order does not matter.

    Args:
        labels: int64 (n,), -1 for noise, otherwise 0..k-1.
        near: int32 (n, m), each row's nearest rows, itself included.
        share: Of the m - 1 neighbours, in (0, 1].
        rounds: At least 1.

    Returns:
        int64 (n,).
    """
    for _ in range(rounds):
        labels = _joined_once(labels, near, share)
    return labels


def _joined_once(labels: Labels, near: Ranks, share: float) -> Labels:
    joined = labels.copy()
    clusters = int(labels.max(initial=NOISE)) + 1
    noise = np.flatnonzero(labels == NOISE)
    for block in blocks(len(noise), near.shape[1] + clusters, item_bytes=8 * 4):
        some = noise[block]
        # Column 0 counts the noise around, the row itself included.
        cells = labels[near[some]] + 1 + np.arange(len(some))[:, None] * (clusters + 1)
        counts = np.bincount(cells.ravel(), minlength=len(some) * (clusters + 1))
        counts = counts.reshape(len(some), clusters + 1)
        counts[:, 0] = 0
        belongs = counts.max(axis=1) >= max(1, share * (near.shape[1] - 1))
        joined[some[belongs]] = counts[belongs].argmax(axis=1) - 1
    return joined


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
