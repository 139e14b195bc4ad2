"""What is measured of clusters: how tight each is, and how much is in none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.clustering.tree import NOISE, ClusterIds
from issue_pipeline.utils.embeddings import Vectors


@dataclass(frozen=True, slots=True)
class ClusterQuality:
    """How tight one cluster is.

    Attributes:
        size: Number of members.
        mean_distance: Mean Euclidean distance of the members to their centroid, in [0, 2].
    """

    size: int
    mean_distance: float


def centroid_distances(embeddings: Vectors) -> NDArray[np.float64]:
    """Return each member's Euclidean distance to the plain mean of all, rounded to 1e-3.

    Rounded, so that ranks do not hang on the last bits of a sum.

    Args:
        embeddings: float32 (m, d), the members of one cluster, m >= 1.

    Returns:
        float64 (m,).
    """
    vectors = embeddings.astype(np.float64)
    distances: NDArray[np.float64] = np.linalg.norm(vectors - vectors.mean(axis=0), axis=1)
    return np.round(distances, 3)


def cluster_quality(embeddings: Vectors, cluster_ids: ClusterIds) -> list[ClusterQuality]:
    """Measure every cluster, by id, on the original embeddings.

    Args:
        embeddings: float32 (n, d).
        cluster_ids: int64 (n,), -1 for noise, otherwise 0..k-1.
    """
    qualities = []
    for cluster_id in range(int(cluster_ids.max(initial=NOISE)) + 1):
        members = embeddings[cluster_ids == cluster_id].astype(np.float64)
        distances = np.linalg.norm(members - members.mean(axis=0), axis=1)
        qualities.append(ClusterQuality(len(members), float(distances.mean())))
    return qualities


def outlier_ratio(cluster_ids: Sequence[int] | ClusterIds) -> float:
    """Return the share of noise, in [0, 1]; 0 for no items."""
    return float(np.mean(np.asarray(cluster_ids) == NOISE)) if len(cluster_ids) else 0.0
