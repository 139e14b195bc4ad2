"""Which clusters of the smoothed vectors count: neither too large, nor by chance, nor divided."""

import numpy as np

from issue_pipeline.utils.clustering.dominant_topic import Chosen, dominant_topic
from issue_pipeline.utils.clustering.merging import estimate_null_model, merge_parts
from issue_pipeline.utils.clustering.null_model import (
    NullModel,
    mean_cosine,
    mean_cosines_to_others,
)
from issue_pipeline.utils.clustering.outliers import (
    REASSIGN_ROUNDS,
    REASSIGN_SHARE,
    reassign_outliers,
)
from issue_pipeline.utils.clustering.space import Ranks
from issue_pipeline.utils.clustering.tree import NOISE, ClusterIds, ClusterTree, Rows
from issue_pipeline.utils.embeddings import Vectors

# A tenth of the day is too much for one cluster, but a hundred posts are not.
CEILING_SHARE = 0.1
MIN_CEILING = 100
# Beyond the ceiling stays together what is at least half as alike as the clusters within it.
COHESION_SHARE = 0.5
# Of how alike the most central member of a cluster is to the others, what each must be.
MEMBER_SHARE = 0.2


def select_clusters(
    tree: ClusterTree,
    unsmoothed_ids: ClusterIds,
    vectors: Vectors,
    near: Ranks,
    min_cluster_size: int,
    *,
    ceiling: int,
    share: float = REASSIGN_SHARE,
    rounds: int = REASSIGN_ROUNDS,
) -> ClusterIds:
    """Split oversized clusters, drop incoherent ones, reassign outliers, merge divided topics.

    Args:
        tree: Of the n smoothed vectors.
        unsmoothed_ids: int64 (n,), -1 for noise: what HDBSCAN finds without smoothing.
        vectors: float32 (n, d), as they were before smoothing.
        near: int32 (n, m), each row's nearest rows, itself included.
        min_cluster_size: Fewest items that make a cluster.
        ceiling: As of :func:`split_oversized` and :func:`reassign_outliers`.
        share: As of :func:`reassign_outliers`.
        rounds: Likewise; 0 for never.

    Returns:
        int64 (n,), -1 for noise, otherwise in no order.
    """
    first = NullModel.of(vectors, tree.cluster_ids())
    ids = split_oversized(tree, vectors, first, ceiling)
    # Merged for the estimate only: outliers are reassigned part by part, below the ceiling.
    whole = merge_parts(ids, unsmoothed_ids, vectors, first.mean)
    null_model = estimate_null_model(vectors, whole, near)
    ids = drop_incoherent(ids, vectors, null_model, min_cluster_size)
    ids = reassign_outliers(ids, near, ceiling=ceiling, share=share, rounds=rounds)
    ids = drop_incoherent(ids, vectors, null_model, min_cluster_size)
    ids = merge_parts(ids, unsmoothed_ids, vectors, null_model.mean)
    return with_dominant_topic(ids, dominant_topic(vectors), min_cluster_size)


def split_oversized(
    tree: ClusterTree, vectors: Vectors, null_model: NullModel, ceiling: int
) -> ClusterIds:
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

    def is_cohesive(rows: Rows, divided: ClusterIds) -> bool:
        parts = [rows[divided == one] for one in np.unique(divided[divided != NOISE])]
        alike = [mean_cosine(vectors[part]) - null_model.mean for part in parts]
        within = np.average(alike, weights=[len(part) for part in parts])
        return bool(mean_cosine(vectors[rows]) - null_model.mean >= COHESION_SHARE * within)

    return tree.limited_cluster_ids(ceiling, is_cohesive)


def drop_incoherent(
    cluster_ids: ClusterIds, vectors: Vectors, null_model: NullModel, min_cluster_size: int
) -> ClusterIds:
    """Make noise of clusters, and of members, whose cosines the null model explains.

    Smoothing makes groups of whatever it is given. So the mean cosine of a cluster of m posts must
    exceed the null model's upper bound for the best choice of m of the n posts; and each member's
    mean cosine to the others must exceed the null model's mean by at least a fifth of what that of
    the most central member does.

    Args:
        cluster_ids: int64 (n,), -1 for noise, otherwise 0..k-1.
        vectors: float32 (n, d), unit rows.
        null_model: Of these rows.
        min_cluster_size: A cluster that keeps fewer members goes.

    Returns:
        int64 (n,), the clusters numbered as before, some of them perhaps missing.
    """
    n, kept = len(cluster_ids), cluster_ids.copy()
    for cluster in np.unique(cluster_ids[cluster_ids != NOISE]):
        members = np.flatnonzero(cluster_ids == cluster)
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


def with_dominant_topic(
    cluster_ids: ClusterIds, topic: Chosen | None, min_cluster_size: int
) -> ClusterIds:
    """Make one cluster of the topic of most of the day, whatever it was divided into.

    Args:
        cluster_ids: int64 (n,), -1 for noise.
        topic: bool (n,), as of :func:`dominant_topic`.
        min_cluster_size: A cluster of which the topic leaves fewer members goes.

    Returns:
        int64 (n,).
    """
    if topic is None:
        return cluster_ids
    cluster_ids = cluster_ids.copy()
    cluster_ids[topic] = cluster_ids.max(initial=NOISE) + 1
    left, number, sizes = np.unique(cluster_ids, return_inverse=True, return_counts=True)
    return np.where(sizes[number] < min_cluster_size, NOISE, left[number])
