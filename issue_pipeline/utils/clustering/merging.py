"""Merging: parts of one topic that smoothing has divided are put together again.

Smoothing over as many neighbours as the smallest cluster has members makes several dense clumps of
any larger topic, and excess of mass prefers the clumps. Two things show that clumps are parts of
one topic: without smoothing, HDBSCAN finds no sparser region between them, but one cluster; and
their cosines across exceed the null model by most of what those within them do.
"""

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.clustering.null_model import NullModel, mean_cosine
from issue_pipeline.utils.clustering.outliers import reassign_outliers
from issue_pipeline.utils.clustering.space import Ranks
from issue_pipeline.utils.clustering.tree import NOISE, ClusterIds
from issue_pipeline.utils.embeddings import Vectors

# Of a part's members, those that must lie in one cluster of the vectors as they are.
SAME_CLUSTER_SHARE = 0.6
# Of the excess cosine within parts, what that across them must reach for them to be one topic.
MERGE_SHARE = 0.6
# The same, for parts whose pairs the null model must not take for unrelated ones.
RELATED_SHARE = 0.5
# How often the null model and the related parts are estimated from each other; they settle sooner.
_ESTIMATES = 4

Floats = NDArray[np.float64]


def merge_parts(
    cluster_ids: ClusterIds, unsmoothed_ids: ClusterIds, vectors: Vectors, null_mean: float
) -> ClusterIds:
    """Merge clusters that lie in one cluster of the vectors as they are, if they are one topic.

    Args:
        cluster_ids: int64 (n,), -1 for noise: of the smoothed vectors.
        unsmoothed_ids: int64 (n,), -1 for noise: what HDBSCAN finds without smoothing.
        vectors: float32 (n, d), unit rows, as they were before smoothing.
        null_mean: Mean cosine of the null model.

    Returns:
        int64 (n,), -1 for noise, otherwise 0..k-1 in no order.
    """
    parts = _numbered(cluster_ids)
    homes = np.full(parts.max(initial=NOISE) + 1, NOISE)
    for part in range(len(homes)):
        inside = unsmoothed_ids[parts == part]
        votes = np.bincount(inside[inside != NOISE], minlength=1)
        if votes.max() >= SAME_CLUSTER_SHARE * len(inside):
            homes[part] = votes.argmax()
    merged = parts.copy()
    for home in np.unique(homes[homes != NOISE]):
        of_home = np.flatnonzero(homes == home)
        merged_to = of_home[_agglomerated(vectors, parts, of_home, null_mean, MERGE_SHARE)]
        for one, target in zip(of_home, merged_to, strict=True):
            merged[parts == one] = target
    return _numbered(merged)


def estimate_null_model(vectors: Vectors, cluster_ids: ClusterIds, near: Ranks) -> NullModel:
    """Estimate the null model from pairs of posts that are not even related.

    Pairs of different clusters would do if no topic were divided. A large topic may be, by the
    other rules or for the time being, and its pairs would make everything else seem unrelated. So
    pairs of related clusters, and of the outliers around them, are left out: those whose cosines
    across exceed the null model by half of what those within do. The null model and what is related
    by it are estimated in turn.

    Args:
        vectors: float32 (n, d), unit rows, n >= 2.
        cluster_ids: int64 (n,), -1 for noise.
        near: int32 (n, m), each row's nearest rows, itself included.
    """
    parts = _numbered(cluster_ids)
    every = np.arange(parts.max(initial=NOISE) + 1)
    null_model = NullModel.of(vectors, parts)
    # Outliers are the posts of which a divided topic has fewest.
    outliers = vectors[parts == NOISE]
    null_mean = null_model.mean
    if len(outliers) >= 2:
        null_mean = min(null_mean, mean_cosine(outliers))
    merged_to = None
    for _ in range(_ESTIMATES):
        last = merged_to
        merged_to = _agglomerated(vectors, parts, every, null_mean, RELATED_SHARE)
        if last is not None and (merged_to == last).all():
            break
        related = _numbered(np.append(merged_to, NOISE)[parts])
        around = reassign_outliers(related, near, ceiling=len(parts))
        null_model = NullModel.of(vectors, around)
        null_mean = null_model.mean
    return null_model


def _numbered(cluster_ids: ClusterIds) -> ClusterIds:
    """Number clusters 0..k-1 without gaps, in the order that they had; noise stays -1."""
    numbered = np.unique(np.append(cluster_ids, NOISE), return_inverse=True)[1]
    return (numbered[:-1] - 1).astype(np.int64)


def _agglomerated(
    vectors: Vectors, parts: ClusterIds, chosen: NDArray[np.int64], null_mean: float, share: float
) -> NDArray[np.int64]:
    """Merge the best union again and again, while its parts are alike enough.

    Of a union of parts, the mean cosine of all pairs of different parts must exceed that of the
    null model by a share of what the mean cosine within the parts does, weighted by size. The parts
    stay the measure, however many are merged: a chain of neighbours is not one topic.

    Args:
        vectors: float32 (n, d), unit rows.
        parts: int64 (n,), the cluster of each row, -1 for noise.
        chosen: int64 (p,), the parts that may be merged, ascending, each of 2 rows or more.
        null_mean: Mean cosine of the null model.
        share: In (0, 1].

    Returns:
        int64 (p,): for each of the chosen the position of the first part that it is merged with.
    """
    count = len(chosen)
    merged_to = np.arange(count)
    if count < 2:
        return merged_to
    rows = [np.flatnonzero(parts == part) for part in chosen]
    size = np.array([len(some) for some in rows], np.float64)
    totals = np.stack([vectors[some].sum(axis=0, dtype=np.float64) for some in rows])
    across = totals @ totals.T
    within = (np.diag(across) - size) / (size * (size - 1)) - null_mean
    unions = _Unions(size, across, within * size, null_mean)
    ratios = np.stack([unions.ratios(one) for one in range(count)])
    best, best_with = ratios.max(axis=1), ratios.argmax(axis=1)
    while best.max() >= share:
        first = int(best.argmax())
        a, b = sorted((first, int(best_with[first])))
        unions.join(a, b)
        merged_to[merged_to == b] = a
        ratios[b], ratios[:, b] = -np.inf, -np.inf
        ratios[a] = ratios[:, a] = unions.ratios(a)
        # Only who was nearest to one of the two, or is nearer to both now, has another best.
        changed = np.isin(best_with, (a, b)) | (ratios[:, a] > best)
        changed[[a, b]] = True
        best[changed] = ratios[changed].max(axis=1)
        best_with[changed] = ratios[changed].argmax(axis=1)
    return merged_to


class _Unions:
    """Unions of parts, each at the position of its first part."""

    def __init__(self, size: Floats, across: Floats, excess: Floats, null_mean: float) -> None:
        self._size, self._across, self._excess = size.copy(), across.copy(), excess.copy()
        self._null_mean = null_mean
        # Between the parts of one union: the sum of cosines, and the number of pairs.
        self._inner, self._inner_pairs = np.zeros(len(size)), np.zeros(len(size))
        self._alive = np.ones(len(size), bool)

    def ratios(self, one: int) -> Floats:
        """Compare across with within, for this union together with each other one: float64 (p,)."""
        pairs = self._size[one] * self._size + self._inner_pairs[one] + self._inner_pairs
        total = self._across[one] + self._inner[one] + self._inner
        within = (self._excess[one] + self._excess) / (self._size[one] + self._size)
        # Parts that the null model explains are no topic, together neither.
        found = np.full(len(pairs), -np.inf)
        np.divide(total / pairs - self._null_mean, within, out=found, where=within > 0)
        found[~self._alive] = -np.inf
        found[one] = -np.inf
        return found

    def join(self, a: int, b: int) -> None:
        """Make one union of two, at the position of the first."""
        self._inner[a] += self._inner[b] + self._across[a, b]
        self._inner_pairs[a] += self._inner_pairs[b] + self._size[a] * self._size[b]
        self._excess[a] += self._excess[b]
        self._size[a] += self._size[b]
        self._across[a] += self._across[b]
        self._across[:, a] += self._across[:, b]
        self._alive[b] = False
