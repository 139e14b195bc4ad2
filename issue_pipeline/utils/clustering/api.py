"""HDBSCAN over embeddings, in two modes, with ids that do not depend on the order of rows.

``raw`` is HDBSCAN on the vectors as they are. ``smoothed`` first moves every vector to the mean of
its nearest neighbours, because in 384 dimensions the density differences that HDBSCAN needs
drown: on real days ``raw`` finds next to nothing. What ``raw`` does find, ``smoothed`` keeps in one
piece.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.clustering.cells import blocks_of, in_cell_order
from issue_pipeline.utils.clustering.near_duplicates import (
    near_duplicates,
    with_copies,
    without_copies,
)
from issue_pipeline.utils.clustering.neighbours import Block, Neighbours, nearest
from issue_pipeline.utils.clustering.reachability import Lists, Ranking
from issue_pipeline.utils.clustering.selection import CEILING_SHARE, MIN_CEILING, select_clusters
from issue_pipeline.utils.clustering.smoothing import means, smooth
from issue_pipeline.utils.clustering.space import Ranks, SharedRows
from issue_pipeline.utils.clustering.tree import NOISE, ClusterIds, ClusterTree
from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.executor import Executor, LocalExecutor, Shared

MODES = ("raw", "smoothed")
# Neighbours that have a say in where an outlier belongs: no more, or the lists of many posts would
# fill the memory.
_MOST_VOTES = 256


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

    labels: ClusterIds
    mode: str
    min_cluster_size: int
    min_samples: int


def cluster_embeddings(
    embeddings: Vectors,
    *,
    mode: str = "smoothed",
    min_cluster_size: int | None = None,
    executor: Executor | None = None,
) -> Clustering:
    """Group vectors by density: excess of mass, Euclidean distance, noise allowed.

    Neither the partition nor its ids depend on the order of the rows, or on who computes them. Of
    more than 50,000 rows each is compared only with those around it, so that the partition is
    nearly, not exactly, HDBSCAN's.

    Args:
        embeddings: float32 (n, d), unit rows, finite.
        mode: ``raw`` or ``smoothed``.
        min_cluster_size: Fewest items that make a cluster, at least 2; ``max(5, n // 200)`` if not
            given. ``min_samples`` is half of it.
        executor: Runs the pieces of the search; in this process if not given.

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
        min_cluster_size = default_min_cluster_size(n)
    if min_cluster_size < 2:
        raise ValueError(f"min_cluster_size is {min_cluster_size}; expected at least 2.")
    min_samples = min_cluster_size // 2
    if n < min_cluster_size:
        return Clustering(np.full(n, NOISE, np.int64), mode, min_cluster_size, min_samples)
    # Sums round differently in another order of rows, and equal distances are ranked by row; so
    # the rows are put into an order that only their contents decide.
    by_contents, same = by_content(vectors)
    order = by_contents
    find = _smoothed_clusters if mode == "smoothed" else hdbscan_clusters
    executor = executor or LocalExecutor()
    shared = SharedRows.of(vectors[order], executor)
    by_cell = in_cell_order(shared)
    if by_cell is not None:
        order, same = order[by_cell], np.argsort(by_cell)[same]
        shared = SharedRows.of(vectors[order], executor)
    cluster_ids = find(shared, min_cluster_size, min_samples)[same]
    cluster_ids[by_contents] = largest_first(cluster_ids[by_contents])
    return Clustering(cluster_ids, mode, min_cluster_size, min_samples)


def default_min_cluster_size(n: int) -> int:
    """Return the fewest items that make a cluster of n items, if nothing else is set."""
    return max(5, n // 200)


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


def hdbscan_clusters(shared: SharedRows, min_cluster_size: int, min_samples: int) -> ClusterIds:
    """Cluster as ``hdbscan.HDBSCAN`` does, from a spanning tree that is found faster.

    Args:
        shared: n >= 2 rows.
        min_cluster_size: At least 2.
        min_samples: At least 1.

    Returns:
        int64 (n,), -1 for noise, otherwise in no order.
    """
    return ClusterTree(shared, min_cluster_size, min_samples).cluster_ids()


def _smoothed_clusters(shared: SharedRows, min_cluster_size: int, min_samples: int) -> ClusterIds:
    """Cluster without smoothing and with it, and select among what both find."""
    n = shared.n
    averaged = 1 + smoothing_neighbours(n, min_cluster_size)
    lists, near, moved = _searched_once(shared, averaged, Ranking.of(n, min_samples))
    groups = near_duplicates(shared.vectors, near)
    kept = without_copies(shared.vectors, groups, max(1, min_samples))
    if min_cluster_size <= len(kept) < n:
        del lists, near, moved
        fewer = SharedRows.of(shared.vectors[kept], shared.executor)
        ids = _smoothed_clusters(fewer, min_cluster_size, min_samples)
        return with_copies(ids, kept, groups, min_cluster_size)
    unsmoothed = ClusterTree(shared, min_cluster_size, min_samples, lists).cluster_ids()
    del lists
    once = SharedRows.of(moved, shared.executor, smoothed=True)
    twice = SharedRows.of(smooth(once, averaged), shared.executor, smoothed=True)
    smoothed = ClusterTree(twice, min_cluster_size, min_samples)
    return select_clusters(
        smoothed,
        unsmoothed,
        shared.vectors,
        near,
        min_cluster_size,
        ceiling=max(MIN_CEILING, int(CEILING_SHARE * n)),
    )


def _searched_once(
    shared: SharedRows, averaged: int, ranking: Ranking
) -> tuple[Lists, Ranks, Vectors]:
    """Search the neighbours once for both: the tree of the rows as they are, and the first means.

    Returns:
        The lists; int32 (n, m), each row's nearest, itself included; float32 (n, d), the means.
    """
    lists = Lists(shared.n, ranking)
    near = np.empty((shared.n, min(averaged, _MOST_VOTES)), np.int32)
    moved = np.empty_like(shared.vectors)
    pieces = blocks_of(shared, max(averaged, ranking.length))
    search = partial(_neighbours_and_means, averaged=averaged, ranking=ranking)
    for block, (found, mean) in shared.mapped(search, pieces):
        lists.fill(block, found)
        near[block.rows] = found.rows[:, : near.shape[1]]
        moved[block.rows] = mean
    return lists, near, moved


def _neighbours_and_means(
    block: Block, *arrays: Shared, averaged: int, ranking: Ranking
) -> tuple[Neighbours, Vectors]:
    ranks = {*ranking.right, averaged, min(averaged, _MOST_VOTES)}
    found = nearest(block, *arrays, ranks=ranks, measured=ranking.measured)
    # What is only averaged need not travel.
    used = max(ranking.length, min(averaged, _MOST_VOTES))
    return found.first(used), means(found.rows[:, :averaged], arrays[0])


def smoothing_neighbours(n: int, min_cluster_size: int) -> int:
    """Return how many neighbours are averaged: as many as the smallest group has members.

    But never more than a sixth of the items.
    """
    return max(1, min(min_cluster_size, n // 6))


def largest_first(cluster_ids: ClusterIds) -> ClusterIds:
    """Renumber clusters 0..k-1, largest first, ties by the row that comes first; noise stays -1."""
    ids, first_rows, sizes = np.unique(cluster_ids, return_index=True, return_counts=True)
    order = sorted(
        (i for i in range(len(ids)) if ids[i] != NOISE), key=lambda i: (-sizes[i], first_rows[i])
    )
    renumbered = np.full(len(cluster_ids), NOISE, dtype=np.int64)
    for new, i in enumerate(order):
        renumbered[cluster_ids == ids[i]] = new
    return renumbered
