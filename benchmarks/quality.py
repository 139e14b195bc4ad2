"""How well a partition of labelled items matches their labels.

Noise (-1) counts as one more group for the adjusted Rand index and the mutual information; purity
is that of the items in clusters.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Quality:
    """One partition, measured.

    Attributes:
        clusters: Number of clusters.
        noise: Share of items in none, in [0, 1].
        largest: Share of items in the largest, in [0, 1].
        purity: Share of the items in clusters that have their cluster's commonest label.
        correct: Share of all items that are in a cluster and have its commonest label.
        nmi: Normalised mutual information, in [0, 1].
        ari: Adjusted Rand index, at most 1.
    """

    clusters: int
    noise: float
    largest: float
    purity: float
    correct: float
    nmi: float
    ari: float


def quality(found: Labels, truth: Labels) -> Quality:
    """Measure a partition.

    Args:
        found: int64 (n,), -1 for noise.
        truth: int64 (n,), numbered from 0.
    """
    sizes = np.bincount(found[found >= 0])
    sizes = sizes[sizes > 0]
    correct = correct_share(found, truth)
    clustered = float(np.mean(found >= 0)) if len(found) else 0.0
    return Quality(
        clusters=len(sizes),
        noise=1.0 - clustered,
        largest=float(sizes.max(initial=0) / max(1, len(found))),
        purity=correct / clustered if clustered else 0.0,
        correct=correct,
        nmi=nmi(found, truth),
        ari=ari(found, truth),
    )


def correct_share(found: Labels, truth: Labels) -> float:
    """Return the share of items that are in a cluster and have its commonest label: purity of the
    clustered times the share clustered.
    """  # noqa: D205
    if not len(found):
        return 0.0
    right = sum(
        int(np.bincount(truth[found == cluster]).max()) for cluster in np.unique(found[found >= 0])
    )
    return right / len(found)


def nmi(found: Labels, truth: Labels) -> float:
    """Normalised mutual information of two partitions, noise as one group."""
    return float(normalized_mutual_info_score(truth, found))


def ari(first: Labels, second: Labels) -> float:
    """Adjusted Rand index of two partitions, noise as one group."""
    return float(adjusted_rand_score(first, second))


def ari_of_clustered(first: Labels, second: Labels) -> float:
    """Adjusted Rand index over the items that both partitions put into clusters; 1 for none."""
    both = (first >= 0) & (second >= 0)
    return ari(first[both], second[both]) if both.any() else 1.0
