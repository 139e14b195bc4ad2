"""HDBSCAN over embeddings, in two modes, with ids that do not depend on the order of rows.

``raw`` is HDBSCAN on the vectors as they are. ``smoothed`` first moves every vector to the mean of
its nearest neighbours, because in 384 dimensions the density differences that HDBSCAN needs
drown: on real days ``raw`` finds next to nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.clustering.dominant_topic import Chosen, dominant_topic
from issue_pipeline.utils.clustering.neighbours import Ranks, blocks, nearest, smooth
from issue_pipeline.utils.clustering.null_model import (
    NullModel,
    mean_cosine,
    mean_cosines_to_others,
)
from issue_pipeline.utils.clustering.tree import NOISE as NOISE
from issue_pipeline.utils.clustering.tree import ClusterTree, Rows
from issue_pipeline.utils.clustering.tree import Labels as Labels
from issue_pipeline.utils.embeddings import Vectors

MODES = ("raw", "smoothed")

# A tenth of the day is too much for one group, but a hundred posts are not.
CEILING_SHARE = 0.1
MIN_CEILING = 100
# Beyond the ceiling stays together what is at least half as alike as the clusters within it.
COHESION_SHARE = 0.5
# Of how alike the most central member of a cluster is to the others, what each must be.
MEMBER_SHARE = 0.2
# Of a noise point's neighbours, those that must lie in one cluster for it to join.
REASSIGN_SHARE = 0.35
# How often they are asked: those who have joined are asked by others.
REASSIGN_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Clustering:
    """A partition of n items.

    Attributes:
        labels: int64 (n,): 0..k-1, the largest cluster first, or -1 for noise. Ties of size are
            broken by the vectors themselves.
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

    Neither the partition nor its ids depend on the order of the rows.

    Args:
        embeddings: float32 (n, d), unit rows, finite.
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
        order, same = by_content(vectors)
        find = _smoothed if mode == "smoothed" else hdbscan_labels
        labels = find(vectors[order], min_cluster_size, min_samples)[same]
        labels[order] = largest_first(labels[order])
    return Clustering(labels, mode, min_cluster_size, min_samples)


def _checked(embeddings: Vectors) -> Vectors:
    vectors = np.asarray(embeddings, dtype=np.float32)
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        raise ValueError(f"Expected embeddings of shape (n, d), got {vectors.shape}.")
    # Of numbers that are finite themselves distances may not be.
    with np.errstate(over="ignore", invalid="ignore"):
        squared = np.square(vectors).sum(axis=1)
    if not np.isfinite(squared).all():
        rows = np.flatnonzero(~np.isfinite(squared))
        raise ValueError(f"Embeddings must be finite; rows {rows[:5].tolist()} are not.")
    return vectors


def by_content(vectors: Vectors) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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
    """Move every row to the mean of its neighbours, and group the moved rows."""
    n = len(vectors)
    near = nearest(vectors, 1 + smoothing_neighbours(n, min_cluster_size)).rows
    tree = ClusterTree(smooth(vectors, near), min_cluster_size, min_samples)
    ceiling = max(MIN_CEILING, int(CEILING_SHARE * n))
    return select_clusters(tree, vectors, near, min_cluster_size, ceiling=ceiling)


def select_clusters(
    tree: ClusterTree,
    vectors: Vectors,
    near: Ranks,
    min_cluster_size: int,
    *,
    ceiling: int,
    share: float = REASSIGN_SHARE,
    rounds: int = REASSIGN_ROUNDS,
) -> Labels:
    """Select clusters: split oversized ones, drop incoherent ones, reassign outliers.

    Args:
        tree: Of the n moved rows.
        vectors: float32 (n, d), the rows as they were.
        near: int32 (n, m), each row's nearest rows, itself included.
        min_cluster_size: Fewest items that make a cluster.
        ceiling: As of :func:`split_oversized` and :func:`reassign_outliers`.
        share: As of :func:`reassign_outliers`.
        rounds: Likewise; 0 for never.

    Returns:
        int64 (n,), -1 for noise, otherwise in no order.
    """
    null_model = NullModel.of(vectors, tree.labels())
    labels = split_oversized(tree, vectors, null_model, ceiling)
    labels = drop_incoherent(labels, vectors, null_model, min_cluster_size)
    labels = reassign_outliers(labels, near, ceiling=ceiling, share=share, rounds=rounds)
    labels = drop_incoherent(labels, vectors, null_model, min_cluster_size)
    return with_dominant_topic(labels, dominant_topic(vectors), min_cluster_size)


def smoothing_neighbours(n: int, min_cluster_size: int) -> int:
    """How many neighbours are averaged: as many as the smallest group has members.

    But never more than a sixth of the items.
    """
    return max(1, min(min_cluster_size, n // 6))


def hdbscan_labels(vectors: Vectors, min_cluster_size: int, min_samples: int) -> Labels:
    """Cluster as ``hdbscan.HDBSCAN`` does, from a spanning tree that is found faster.

    Args:
        vectors: float32 (n, d), n >= 2.
        min_cluster_size: At least 2.
        min_samples: At least 1.

    Returns:
        int64 (n,), -1 for noise, otherwise in no order.
    """
    return ClusterTree(vectors, min_cluster_size, min_samples).labels()


def split_oversized(
    tree: ClusterTree, vectors: Vectors, null_model: NullModel, ceiling: int
) -> Labels:
    """Divide clusters above the ceiling, unless they are about one thing.

    A cluster is cohesive if its mean cosine exceeds that of the null model by at least half as much
    as the mean cosine of the clusters within it does; then they are no more than its denser parts.

    Args:
        tree: Of the n moved rows.
        vectors: float32 (n, d), the rows as they were.
        null_model: Of these rows.
        ceiling: At least 1.

    Returns:
        int64 (n,), -1 for noise, otherwise 0..k-1 in no order.
    """

    def is_cohesive(rows: Rows, divided: Labels) -> bool:
        parts = [rows[divided == one] for one in np.unique(divided[divided != NOISE])]
        alike = [mean_cosine(vectors[part]) - null_model.mean for part in parts]
        within = np.average(alike, weights=[len(part) for part in parts])
        return bool(mean_cosine(vectors[rows]) - null_model.mean >= COHESION_SHARE * within)

    return tree.limited_labels(ceiling, is_cohesive)


def drop_incoherent(
    labels: Labels, vectors: Vectors, null_model: NullModel, min_cluster_size: int
) -> Labels:
    """Make noise of clusters, and of members, whose cosines the null model explains.

    Smoothing makes groups of whatever it is given. So the mean cosine of a cluster of m posts must
    exceed the null model's upper bound for the best choice of m of the n posts; and each member's
    mean cosine to the others must exceed the null model's mean by at least a fifth of what that of
    the most central member does.

    Args:
        labels: int64 (n,), -1 for noise, otherwise 0..k-1.
        vectors: float32 (n, d), unit rows.
        null_model: Of these rows.
        min_cluster_size: A cluster that keeps fewer members goes.

    Returns:
        int64 (n,), the clusters numbered as before, some of them perhaps missing.
    """
    n, kept = len(labels), labels.copy()
    for cluster in np.unique(labels[labels != NOISE]):
        members = np.flatnonzero(labels == cluster)
        m = len(members)
        # There are at most (e n / m)^m ways to choose m of n posts.
        chance = null_model.upper_bound(m * (m - 1) / 2, m * (1 + np.log(n / m)))
        if mean_cosine(vectors[members]) > chance:
            to_others = mean_cosines_to_others(vectors[members]) - null_model.mean
            belongs = to_others >= MEMBER_SHARE * to_others.max()
        else:
            belongs = np.zeros(m, bool)
        if belongs.sum() < min_cluster_size:
            belongs[:] = False
        kept[members[~belongs]] = NOISE
    return kept


def with_dominant_topic(labels: Labels, topic: Chosen | None, min_cluster_size: int) -> Labels:
    """Make one cluster of the topic of most of the day, whatever it was divided into.

    Args:
        labels: int64 (n,), -1 for noise.
        topic: bool (n,), as of :func:`dominant_topic`.
        min_cluster_size: A cluster of which the topic leaves fewer members goes.

    Returns:
        int64 (n,).
    """
    if topic is None:
        return labels
    labels = labels.copy()
    labels[topic] = labels.max(initial=NOISE) + 1
    left, number, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return np.where(sizes[number] < min_cluster_size, NOISE, left[number])


def reassign_outliers(
    labels: Labels,
    near: Ranks,
    *,
    ceiling: int,
    share: float = REASSIGN_SHARE,
    rounds: int = REASSIGN_ROUNDS,
) -> Labels:
    """Bring noise back to the cluster in which a good share of its neighbours lie.

    In one round all are judged by the same labels, so their order does not matter.

    Args:
        labels: int64 (n,), -1 for noise, otherwise 0..k-1.
        near: int32 (n, m), each row's nearest rows, itself included.
        ceiling: No cluster grows beyond so many rows: of those who would join, it takes the ones
            with the most neighbours in it, and of equal ones none if there is no room for all.
        share: Of the m - 1 neighbours, in (0, 1].
        rounds: 0 for never.

    Returns:
        int64 (n,).
    """
    for _ in range(rounds):
        labels = _reassigned_once(labels, near, ceiling, share)
    return labels


def _reassigned_once(labels: Labels, near: Ranks, ceiling: int, share: float) -> Labels:
    clusters = int(labels.max(initial=NOISE)) + 1
    noise = np.flatnonzero(labels == NOISE)
    home, votes = np.full(len(noise), NOISE), np.zeros(len(noise), np.int64)
    for block in blocks(len(noise), near.shape[1] + clusters, item_bytes=8 * 4):
        some = noise[block]
        # Column 0 counts the noise around, the row itself included.
        cells = labels[near[some]] + 1 + np.arange(len(some))[:, None] * (clusters + 1)
        counts = np.bincount(cells.ravel(), minlength=len(some) * (clusters + 1))
        counts = counts.reshape(len(some), clusters + 1)
        counts[:, 0] = 0
        home[block], votes[block] = counts.argmax(axis=1) - 1, counts.max(axis=1)
    belongs = votes >= max(1, share * (near.shape[1] - 1))
    joined = labels.copy()
    for cluster in np.unique(home[belongs]):
        candidates = np.flatnonzero(belongs & (home == cluster))
        room = max(0, ceiling - int(np.sum(labels == cluster)))
        if len(candidates) > room:
            first_left_out = np.sort(votes[candidates])[::-1][room]
            candidates = candidates[votes[candidates] > first_left_out]
        joined[noise[candidates]] = cluster
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
