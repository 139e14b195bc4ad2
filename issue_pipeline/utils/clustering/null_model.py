"""How alike posts are that have nothing to do with each other, and how alike they can be by chance.

Among a few dozen posts some five are always nearer to each other than the rest. What they must
exceed to count as a cluster is what the best choice among as many unrelated posts would reach.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.embeddings import Vectors


@dataclass(frozen=True, slots=True)
class NullModel:
    """Cosines between posts that no cluster holds together.

    Attributes:
        mean: In [-1, 1].
        deviation: Their standard deviation.
    """

    mean: float
    deviation: float

    @classmethod
    def of(cls, vectors: Vectors, cluster_ids: NDArray[np.int64]) -> "NullModel":
        """Measure all pairs but those within a cluster, without an n x n matrix.

        Args:
            vectors: float32 (n, d), unit rows, n >= 2.
            cluster_ids: int64 (n,): 0..k-1, or -1 for noise.
        """
        clusters = range(int(cluster_ids.max(initial=-1)) + 1)
        within = sum((_pair_sums(vectors[cluster_ids == one]) for one in clusters), np.zeros(3))
        return cls(*_mean_and_deviation(_pair_sums(vectors) - within))

    def upper_bound(self, pairs: float, log_choices: float) -> float:
        """Bound the mean cosine of so many unrelated pairs, in the best of so many choices.

        The mean of p independent cosines strays by ``deviation / sqrt(p)``, and the largest of W
        such means by at most ``sqrt(2 log W)`` times that (Boucheron, Lugosi and Massart,
        "Concentration Inequalities", 2013, section 2.5).

        Args:
            pairs: At least 1.
            log_choices: Natural logarithm of W.
        """
        return self.mean + self.deviation * float(np.sqrt(2 * log_choices / pairs))


def mean_cosine(vectors: Vectors) -> float:
    """Return the mean cosine of all pairs of different rows: float32 (m, d), unit rows, m >= 2."""
    m = len(vectors)
    total = vectors.sum(axis=0, dtype=np.float64)
    return float((total @ total - m) / (m * (m - 1)))


def cosine_deviation(vectors: Vectors) -> float:
    """Return the standard deviation of the cosines of all pairs of different rows, m >= 2."""
    return _mean_and_deviation(_pair_sums(vectors))[1]


def mean_cosines_to_others(vectors: Vectors) -> NDArray[np.float64]:
    """Return each row's mean cosine to the other rows: float64 (m,), of float32 (m, d), m >= 2."""
    return mean_cosines(vectors, vectors, np.ones(len(vectors), bool))


def mean_cosines(
    vectors: Vectors, group: Vectors, is_member: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return each row's mean cosine to a group, itself left out.

    Args:
        vectors: float32 (n, d), unit rows.
        group: float32 (m, d), those of the rows that are in the group, m >= 2.
        is_member: bool (n,), which they are.

    Returns:
        float64 (n,).
    """
    # Back to float32, or every row would be copied to float64 for the product.
    total = group.sum(axis=0, dtype=np.float64).astype(np.float32)
    cosines: NDArray[np.float64] = (vectors @ total - is_member) / (len(group) - is_member)
    return cosines


def _pair_sums(vectors: Vectors) -> NDArray[np.float64]:
    """Over all pairs of different rows: their number, the sum of cosines and that of squares."""
    m, d = vectors.shape
    total = vectors.sum(axis=0, dtype=np.float64)
    # Both products have the same sum of squares; the smaller one is taken.
    products = vectors.T @ vectors if m > d else vectors @ vectors.T
    squares = np.square(products, dtype=np.float64).sum()
    return np.array([m * (m - 1), total @ total - m, squares - m]) / 2


def _mean_and_deviation(sums: NDArray[np.float64]) -> tuple[float, float]:
    """Of the pairs that were summed; zeros for none."""
    count, total, squares = sums
    if count < 1:
        return 0.0, 0.0
    mean = total / count
    return float(mean), float(np.sqrt(max(0.0, squares / count - mean**2)))
