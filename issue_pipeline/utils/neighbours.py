"""Nearest neighbours by blocked matrix products, and the neighbour mean made of them."""

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.embeddings import Vectors

# Rows compared with all others at a time: 1,024 x 100,000 float32 products are 400 MB.
BLOCK_ROWS = 1_024
SMOOTHING_ROUNDS = 2


def smooth(vectors: Vectors, *, neighbours: int, rounds: int = SMOOTHING_ROUNDS) -> Vectors:
    """Move every row to the mean of itself and its nearest rows, scaled to unit length.

    Each round searches again among the moved rows. Deterministic; memory is O(n x d + block x n).

    Args:
        vectors: float32 (n, d), unit rows, n >= 1.
        neighbours: How many besides the row itself, at least 1; capped at n - 1.
        rounds: At least 1.

    Returns:
        float32 (n, d), unit rows, in the same order.
    """
    moved = vectors
    for _ in range(rounds):
        indices = nearest(moved, min(neighbours + 1, len(moved)))
        means = _means(moved, indices)
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        moved = (means / np.maximum(lengths, 1e-12)).astype(np.float32)
    return moved


def _means(vectors: Vectors, indices: NDArray[np.int64]) -> Vectors:
    """Average the rows named by each row of indices, a block at a time: no (n, k, d) array."""
    means = np.empty_like(vectors)
    for start in range(0, len(vectors), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        means[block] = vectors[indices[block]].mean(axis=1)
    return means


def nearest(vectors: Vectors, k: int) -> NDArray[np.int64]:
    """Find each row's k nearest rows by cosine, itself included.

    Args:
        vectors: float32 (n, d), unit rows.
        k: 1 to n.

    Returns:
        int64 (n, k), each row in ascending order of index.
    """
    n = len(vectors)
    indices = np.empty((n, k), dtype=np.int64)
    for start in range(0, n, BLOCK_ROWS):
        block = vectors[start : start + BLOCK_ROWS]
        similarity = block @ vectors.T
        chosen = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
        # Sorted, so that the mean is summed in an order that rounding cannot change.
        indices[start : start + BLOCK_ROWS] = np.sort(chosen, axis=1)
    return indices
