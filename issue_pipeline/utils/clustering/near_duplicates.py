"""Near duplicates: a bot that posts several texts again and again writes about one thing.

Density counts posts. Each text that is posted many times, with other numbers in it, makes a clump
denser than anything that people write, and by density alone nothing shows that the clumps belong
together. So copies of such texts count only as often as cannot make a text dense by itself; what
they belong to, other texts decide. A single text that is posted often is left alone: it is a clump,
and a cluster.
"""

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.clustering.space import Ranks
from issue_pipeline.utils.clustering.tree import NOISE, ClusterIds
from issue_pipeline.utils.embeddings import Vectors

# Two posts are near duplicates from this cosine on. A bot's notices of one wording, other numbers
# and names in them, have 0.95 and more; reports of one problem by two people hardly ever.
NEAR_DUPLICATE_COSINE = 0.95
# Neighbours of each row that are looked at, a few at a time while there may be more, and rows at a
# time.
_LISTED = (2, 8, 32)
_BLOCK_ROWS = 1_024
# By how much cosines may rise from one neighbour to the next: those ranked by products are not
# ranked to the last digit.
_RANKING_ERROR = 0.001

Groups = NDArray[np.int64]
Rows = NDArray[np.int64]


def near_duplicates(vectors: Vectors, near: Ranks) -> Groups:
    """Group rows that are near duplicates, directly or by way of others.

    Args:
        vectors: float32 (n, d), unit rows.
        near: int32 (n, m), nearest rows of each, nearest first, of which 32 are looked at. Of more
            copies of a text some may be missed; they make several groups.

    Returns:
        int64 (n,): the group of each row, 0..g-1, most of them of one row.
    """
    # Imports that only clustering should pay.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(vectors)
    found: list[tuple[Rows, Ranks]] = []
    for start in range(0, n, _BLOCK_ROWS):
        rows, first = np.arange(start, min(n, start + _BLOCK_ROWS)), 0
        for last in _LISTED:
            others = near[rows, first:last]
            cosines = np.einsum("nmd,nd->nm", vectors[others], vectors[rows])
            places, ranks = np.nonzero(cosines >= NEAR_DUPLICATE_COSINE)
            found.append((rows[places], others[places, ranks]))
            if last >= near.shape[1]:
                break
            rows = rows[cosines[:, -1] >= NEAR_DUPLICATE_COSINE - _RANKING_ERROR]
            first = last
    starts, ends = map(np.concatenate, zip(*found, strict=True))
    pairs = coo_array((np.ones(len(starts), bool), (starts, ends)), shape=(n, n))
    groups: Groups = connected_components(pairs, directed=False)[1].astype(np.int64)
    return groups


def without_copies(vectors: Vectors, groups: Groups, most: int) -> Rows:
    """Choose rows such that of several texts of one author only so many copies are left.

    Args:
        vectors: float32 (n, d), unit rows.
        groups: int64 (n,), as of :func:`near_duplicates`.
        most: Of a group of more rows the first are kept, at least 1; if among twice as many rows
            that are nearest to the group, but not in it, one is of such a group, too.

    Returns:
        int64 (k,), ascending.
    """
    sizes = np.bincount(groups)
    large = np.flatnonzero(sizes > most)
    is_kept = np.ones(len(groups), bool)
    for group in large:
        members = np.flatnonzero(groups == group)
        # Rounded, so that ranks do not hang on the last bits of a product.
        cosines = np.round(vectors @ vectors[members].mean(axis=0), 5)
        cosines[members] = -np.inf
        # Not the nearest alone: a copy with a longer name in it may stand by itself.
        around = np.argsort(-cosines, kind="stable")[: min(2 * most, len(groups) - len(members))]
        if (sizes[groups[around]] > most).any():
            is_kept[members[most:]] = False
    return np.flatnonzero(is_kept)


def with_copies(
    cluster_ids: ClusterIds, kept: Rows, groups: Groups, min_cluster_size: int
) -> ClusterIds:
    """Assign rows that were left out to the clusters of those that were kept of their group.

    All of a group join the cluster that most of its kept rows are in. If these are noise, the group
    is a cluster of its own, if it is large enough.

    Args:
        cluster_ids: int64 (k,), of the kept rows, -1 for noise.
        kept: int64 (k,), as of :func:`without_copies`.
        groups: int64 (n,), as of :func:`near_duplicates`.
        min_cluster_size: Fewest rows of a cluster.

    Returns:
        int64 (n,), -1 for noise, otherwise in no order.
    """
    every = np.full(len(groups), NOISE, np.int64)
    every[kept] = cluster_ids
    next_id = cluster_ids.max(initial=NOISE) + 1
    is_left_out = np.ones(len(groups), bool)
    is_left_out[kept] = False
    for group in np.unique(groups[is_left_out]):
        members = np.flatnonzero(groups == group)
        ids, votes = np.unique(every[members[~is_left_out[members]]], return_counts=True)
        home = ids[votes.argmax()]
        if home == NOISE and len(members) >= min_cluster_size:
            home, next_id = next_id, next_id + 1
        every[members] = home
    return every
