"""Pairs of near rows, each packed into one number: to sort them is to rank the neighbours."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.clustering.space import Floats, Points

# int64 (m,), in no order. From the highest bits on: the place of a row in its tile, the bits of its
# squared distance to another row, and the number of that.
Pairs = NDArray[np.int64]
_OTHER_BITS = 20
_SQUARED_BITS = 31
# There are so many places and other rows at most. The place after the last one has a number, too.
MOST_PLACES = 1 << 11
MOST_ROWS = 1 << _OTHER_BITS


def packed(places: Points, squared: NDArray[np.float32], others: Points) -> Pairs:
    """Pack pairs.

    Args:
        places: int64 (m,), below ``MOST_PLACES``.
        squared: float32 (m,), squared distances; one below zero counts as zero.
        others: int64 (m,), below ``MOST_ROWS``.
    """
    # Numbers that are not negative are ordered as their bits are; the bits of others are negative.
    bits = np.maximum(squared.view(np.int32), 0)
    return (places << _SQUARED_BITS | bits) << _OTHER_BITS | others


def nearest_of_pairs(parts: Sequence[Pairs], rows: int, k: int) -> tuple[Points, Points, Floats]:
    """List the nearest of each row of a tile that has so many.

    Args:
        parts: The pairs of the tile.
        rows: The number of its rows.
        k: How many are listed.

    Returns:
        int64 (p,), the places of those rows, ascending; int64 (p, k), their nearest, nearest first;
        float64 (p, k), squared distances.
    """
    pairs = np.concatenate(parts)
    pairs.sort()
    starts = np.searchsorted(pairs, np.arange(rows + 1) << (_SQUARED_BITS + _OTHER_BITS))
    enough = np.flatnonzero(np.diff(starts) >= k)
    listed = pairs[starts[enough, None] + np.arange(k)]
    squared = (listed >> _OTHER_BITS & (1 << _SQUARED_BITS) - 1).astype(np.int32)
    return enough, listed & MOST_ROWS - 1, squared.view(np.float32).astype(np.float64)
