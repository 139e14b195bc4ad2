"""Outlier reassignment: noise joins the cluster in which enough of its neighbours lie."""

import numpy as np

from issue_pipeline.utils.clustering.space import Ranks, blocks
from issue_pipeline.utils.clustering.tree import NOISE, ClusterIds

# Of a noise point's neighbours, those that must lie in one cluster for it to join.
REASSIGN_SHARE = 0.35
# How often noise is judged: neighbours that have joined count in the next round.
REASSIGN_ROUNDS = 2


def reassign_outliers(
    cluster_ids: ClusterIds,
    near: Ranks,
    *,
    ceiling: int,
    share: float = REASSIGN_SHARE,
    rounds: int = REASSIGN_ROUNDS,
) -> ClusterIds:
    """Bring noise back to the cluster in which a good share of its neighbours lie.

    In one round all are judged by the same cluster_ids, so their order does not matter.

    Args:
        cluster_ids: int64 (n,), -1 for noise, otherwise 0..k-1.
        near: int32 (n, m), each row's nearest rows, itself included.
        ceiling: No cluster grows beyond so many rows: of those who would join, it takes the ones
            with the most neighbours in it, and of equal ones none if there is no room for all.
        share: Of the m - 1 neighbours, in (0, 1].
        rounds: 0 for never.

    Returns:
        int64 (n,).
    """
    for _ in range(rounds):
        cluster_ids = _reassigned_once(cluster_ids, near, ceiling, share)
    return cluster_ids


def _reassigned_once(
    cluster_ids: ClusterIds, near: Ranks, ceiling: int, share: float
) -> ClusterIds:
    clusters = int(cluster_ids.max(initial=NOISE)) + 1
    noise = np.flatnonzero(cluster_ids == NOISE)
    home, votes = np.full(len(noise), NOISE), np.zeros(len(noise), np.int64)
    for block in blocks(len(noise), near.shape[1] + clusters, item_bytes=8 * 4):
        some = noise[block]
        # Column 0 counts the noise around, the row itself included.
        cells = cluster_ids[near[some]] + 1 + np.arange(len(some))[:, None] * (clusters + 1)
        counts = np.bincount(cells.ravel(), minlength=len(some) * (clusters + 1))
        counts = counts.reshape(len(some), clusters + 1)
        counts[:, 0] = 0
        home[block], votes[block] = counts.argmax(axis=1) - 1, counts.max(axis=1)
    belongs = votes >= max(1, share * (near.shape[1] - 1))
    joined = cluster_ids.copy()
    for cluster in np.unique(home[belongs]):
        candidates = np.flatnonzero(belongs & (home == cluster))
        room = max(0, ceiling - int(np.sum(cluster_ids == cluster)))
        if len(candidates) > room:
            first_left_out = np.sort(votes[candidates])[::-1][room]
            candidates = candidates[votes[candidates] > first_left_out]
        joined[noise[candidates]] = cluster
    return joined
