"""Nearest rows by blocked matrix products, and the neighbour mean made of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.embeddings import Vectors

if TYPE_CHECKING:
    from torch import Tensor

Ranks = NDArray[np.int32]

# Products held at a time: as many rows as fit, compared with all others.
BLOCK_BYTES = 64 * 1024**2
_MAX_BLOCK_ROWS = 1_024
# Columns of which only the best is looked at first, when the nearest are picked.
_STRIDE = 16
SMOOTHING_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The k nearest rows of each of n rows, nearest first.

    Attributes:
        rows: int32 (n, k), the row itself included.
        squared: float32 (n, k), squared Euclidean distances as a float32 product gives them: off by
            rounding, and so possibly below 0.
    """

    rows: Ranks
    squared: Vectors

    def first(self, k: int) -> "Neighbours":
        """Copy the k nearest of each row."""
        return Neighbours(self.rows[:, :k].copy(), self.squared[:, :k].copy())


def smooth(vectors: Vectors, near: Ranks, *, rounds: int = SMOOTHING_ROUNDS) -> Vectors:
    """Move every row to the mean of itself and its nearest rows, scaled to unit length.

    The first round takes the neighbours given, each later one searches among the moved rows for as
    many. Deterministic; memory is O(n x (d + k)).

    Args:
        vectors: float32 (n, d), unit rows.
        near: int32 (n, k), each row's nearest rows, itself included.
        rounds: At least 1.

    Returns:
        float32 (n, d), unit rows, in the same order.
    """
    import torch
    from torch.nn.functional import embedding_bag, normalize

    moved = torch.from_numpy(vectors).to(device())
    for number in range(rounds):
        rows = near if number == 0 else nearest(moved.cpu().numpy(), near.shape[1]).rows
        # Ascending, so that a mean is summed in an order that rounding cannot change.
        members = torch.from_numpy(np.sort(rows, axis=1)).to(device())
        moved = normalize(embedding_bag(members, moved, mode="mean"))
    result: Vectors = moved.cpu().numpy()
    return result


def nearest(vectors: Vectors, k: int) -> Neighbours:
    """Find each row's k nearest rows by Euclidean distance, itself included.

    Exact up to float32 rounding of the products; memory is O(n x (d + k)).

    Args:
        vectors: float32 (n, d), finite.
        k: 1 to n.
    """
    import torch

    n = len(vectors)
    found = Neighbours(np.empty((n, k), np.int32), np.empty((n, k), np.float32))
    # |x - y|² = |x|² + |y|² - 2xy; of one x, the nearest y has the largest xy - |y|²/2. The columns
    # are padded to a multiple of the stride by rows that are never near.
    padding = -n % _STRIDE
    x = torch.nn.functional.pad(torch.from_numpy(vectors), (0, 0, 0, padding)).to(device())
    half = x.square().sum(dim=1) / 2
    bias = -half
    bias[n:] = -torch.inf
    for block in blocks(n, n + padding):
        values, rows = _largest(torch.addmm(bias, x[block], x.T), k)
        found.rows[block] = rows.cpu().numpy()
        found.squared[block] = (2 * (half[block, None] - values)).cpu().numpy()
    return found


def _largest(values: "Tensor", k: int) -> "tuple[Tensor, Tensor]":
    """Do what ``torch.topk`` does on each row, several times as fast.

    The k largest of a row lie in the k groups with the largest maxima, so only those are ranked. A
    group holds columns that are far apart: the maxima are then taken over whole runs of memory.

    Args:
        values: (rows, columns), columns a multiple of the stride.
        k: 1 to the number of columns.
    """
    groups = values.shape[1] // _STRIDE
    if k >= groups // 2:
        top = values.topk(k, dim=1)
        return top.values, top.indices
    import torch

    best = values.view(-1, _STRIDE, groups).amax(dim=1).topk(k, dim=1, sorted=False).indices
    offsets = torch.arange(_STRIDE, device=values.device) * groups
    candidates = (best[:, :, None] + offsets).flatten(1)
    top = values.gather(1, candidates).topk(k, dim=1)
    return top.values, candidates.gather(1, top.indices)


def blocks(
    n: int, columns: int, *, item_bytes: int = 4, block_bytes: int = BLOCK_BYTES
) -> Iterator[slice]:
    """Cut n rows of so many columns into blocks that fit into so many bytes."""
    rows = min(_MAX_BLOCK_ROWS, max(1, block_bytes // (item_bytes * max(1, columns))))
    return (slice(start, min(n, start + rows)) for start in range(0, n, rows))


def device() -> str:
    """Where products are computed: on the GPU when there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
