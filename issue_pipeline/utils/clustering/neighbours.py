"""The nearest rows of each, proposed by blocked matrix products and decided by differences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from issue_pipeline.utils.clustering.pairs import Pairs, nearest_of_pairs
from issue_pipeline.utils.clustering.space import (
    Floats,
    Points,
    Ranks,
    Space,
    blocks,
    on_device,
)
from issue_pipeline.utils.executor import Shared

if TYPE_CHECKING:
    from torch import Tensor

# Columns of which only the best is looked at first, when the nearest are picked.
_STRIDE = 8
# Ranks proposed beyond those asked for: a share of them, but a few at least. Products swap some.
_MORE_SHARE = 0.1
_MORE_AT_LEAST = 8


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows and those that they are compared with.

    Attributes:
        rows: A slice, or int64 (p,).
        columns: int64 (m,), ascending, or ``None`` for all.
        pairs: Of a range search of the rows among these, in parts; none if there was no search.
    """

    rows: slice | Points
    columns: Points | None = None
    pairs: Sequence[Pairs] = ()


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The k nearest of some rows, each itself included, nearest first.

    Attributes:
        rows: int32 (p, k).
        distances: float64 (p, k): measured around the ranks that were asked for, elsewhere what
            products give.
    """

    rows: Ranks
    distances: Floats

    def first(self, k: int) -> "Neighbours":
        """Copy the k nearest of each row."""
        return Neighbours(self.rows[:, :k].copy(), self.distances[:, :k].copy())


def nearest(
    block: Block,
    *arrays: Shared,
    ranks: Iterable[int],
    measured: slice = slice(0),
) -> Neighbours:
    """Find the nearest rows of a block's rows, a piece of work for an executor.

    Args:
        block: Which rows, among which.
        arrays: Of ``SharedRows``.
        ranks: Of each r of these, the first r neighbours are the r nearest by measured distance,
            and the distance of the last of them is measured. The largest is k.
        measured: Ranks, from 0, whose distances are measured, too.
    """
    space = Space(*arrays)
    rows = np.arange(space.n)[block.rows]
    count = space.n if block.columns is None else len(block.columns)
    wanted = sorted({min(rank, count) for rank in ranks})
    k = wanted[-1]
    listed = min(count, proposed(k))
    others, squared = _proposals(space, block, listed)
    # What a product is off, in a squared distance.
    slack = 2 * space.error(rows).cpu().numpy()[:, None]
    doubtful = np.zeros(squared.shape, bool)
    doubtful[:, measured] = True
    for rank in wanted:
        if rank < count:
            doubtful |= np.abs(squared - squared[:, rank - 1 : rank]) <= 2 * slack
    last = squared[:, -1].copy()
    in_doubt = np.nonzero(doubtful)
    squared[in_doubt] = space.pair_distances(rows[in_doubt[0]], others[in_doubt]) ** 2
    others, squared = _ranked(others, squared)
    if listed < count:
        # Whoever is not listed is farther than that.
        unproven = np.flatnonzero(squared[:, k - 1] > np.maximum(0, last - slack[:, 0]))
        for part in blocks(len(unproven), space.n, item_bytes=16):
            some = unproven[part]
            farthest = squared[some, k - 1] + slack[some, 0]
            found = _exactly(space, rows[some], k, farthest, block.columns)
            others[some, :k], squared[some, :k] = found
    return Neighbours(others[:, :k].astype(np.int32), np.sqrt(np.maximum(squared[:, :k], 0)))


def proposed(k: int) -> int:
    """Return how many ranks products propose, so that the k nearest are among them."""
    return k + max(_MORE_AT_LEAST, int(_MORE_SHARE * k))


def _proposals(space: Space, block: Block, length: int) -> tuple[Points, Floats]:
    """List the nearest of each row by products.

    Returns:
        int64 (p, length), nearest first; float64 (p, length), squared distances.
    """
    rows = np.arange(space.n)[block.rows]
    others, squared = np.empty((len(rows), length), np.int64), np.empty((len(rows), length))
    left = np.arange(len(rows))
    if block.pairs:
        enough, others_of, squared_of = nearest_of_pairs(block.pairs, len(rows), length)
        others[enough], squared[enough] = others_of, squared_of
        left = np.delete(left, enough)
    count = space.n if block.columns is None else len(block.columns)
    for part in blocks(len(left), count):
        some = left[part]
        products, _ = space.products(rows[some], block.columns)
        values, found = largest(products, length)
        squared[some] = (2 * (space.half[rows[some], None] - values.double())).cpu().numpy()
        places = found.cpu().numpy()
        others[some] = places if block.columns is None else block.columns[places]
    return others, squared


def _exactly(
    space: Space, rows: Points, k: int, farthest: Floats, columns: Points | None
) -> tuple[Points, Floats]:
    """Find the k nearest of rows by float64 products; these are measured and ranked, too.

    Args:
        space: Of all rows.
        rows: int64 (p,).
        k: How many.
        farthest: float64 (p,): of each row the k nearest have a squared distance by float32
            products of at most so much.
        columns: int64 (m,), among whom; all if not given.
    """
    products, _ = space.products(rows, columns)
    least = space.half[rows] - on_device(farthest) / 2
    near = (products >= least[:, None]).any(dim=0).nonzero()[:, 0].cpu().numpy()
    # More than k, for float64 products round as well.
    listed = min(proposed(k), products.shape[1])
    if len(near) < listed:
        near = np.arange(products.shape[1])
    chosen = near if columns is None else columns[near]
    found = space.squared_to(rows, chosen).topk(listed, dim=1, largest=False)
    others = chosen[found.indices.cpu().numpy()]
    others, squared = _ranked(others, space.distances(rows, others) ** 2)
    return others[:, :k], squared[:, :k]


def _ranked(others: Points, keys: Floats) -> tuple[Points, Floats]:
    """Order each row's others by their keys."""
    order = np.argsort(keys, axis=1, kind="stable")
    return np.take_along_axis(others, order, 1), np.take_along_axis(keys, order, 1)


def largest(values: "Tensor", k: int) -> "tuple[Tensor, Tensor]":
    """Do what ``torch.topk`` does on each row, many times as fast.

    The k largest of a row lie in the k groups with the largest maxima, so only those are ranked. A
    group holds columns that are far apart: the maxima are then taken over whole runs of memory.

    Args:
        values: (rows, columns).
        k: 1 to the number of columns.
    """
    import torch

    columns = values.shape[1]
    groups = columns // _STRIDE
    if k >= groups // 2:
        chosen = _largest_columns(values, k)
        return values.gather(1, chosen), chosen
    whole = groups * _STRIDE
    best = values[:, :whole].view(-1, _STRIDE, groups).amax(dim=1)
    offsets = torch.arange(_STRIDE, device=values.device) * groups
    candidates = (_largest_columns(best, k)[:, :, None] + offsets).flatten(1)
    if whole < columns:  # those that fill no group are all ranked
        rest = torch.arange(whole, columns, device=values.device).expand(len(values), -1)
        candidates = torch.cat([candidates, rest], dim=1)
    listed = values.gather(1, candidates)
    chosen = _largest_columns(listed, k)
    return listed.gather(1, chosen), candidates.gather(1, chosen)


def _largest_columns(values: "Tensor", k: int) -> "Tensor":
    """Return the columns of each row's k largest, the largest first: int64 (rows, k)."""
    import torch

    if values.is_cuda:
        return values.topk(k, dim=1).indices
    # Two to four times as fast as torch's on a processor.
    columns = torch.from_numpy(np.argpartition(values.numpy(), -k, axis=1)[:, -k:])
    order = np.argsort(values.gather(1, columns).neg_().numpy(), axis=1)
    return columns.gather(1, torch.from_numpy(order))
