"""Which rows are compared with which: all with all, until there are too many of them.

Beyond that each row is compared with some 65,000 rows around its cell, so that time grows with n
and no longer with its square. Cells are those of an inverted file: the Voronoi cells of k-means.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.clustering.neighbours import Block, proposed
from issue_pipeline.utils.clustering.pairs import MOST_ROWS
from issue_pipeline.utils.clustering.range_search import Tile, pairs_within_reach
from issue_pipeline.utils.clustering.space import Points, SharedRows, blocks, device, on_device
from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.executor import Shared

# A row is compared with so many others at least, or all there are. Up to so many the search is
# exact.
COMPARED_ROWS = 50_000
# Beyond, rows that were smoothed need fewer: their neighbours are in few cells.
_SMOOTHED_COMPARED = 20_000
# Mean size of a cell, whose rows share what they are compared with.
_CELL_ROWS = 1_024
_ITERATIONS = 8
# Fewer rows are not worth a range search.
_LEAST_SEARCHED = 4_096
# Rows that k-means learns from, for each cell.
_LEARNT_FROM = 64


def blocks_of(shared: SharedRows, neighbours: int) -> Iterator[Block]:
    """Divide rows into pieces of work, each with the rows that it is compared with.

    Args:
        shared: n rows.
        neighbours: How many nearest rows are searched: at least five times as many are compared.

    Yields:
        Blocks that hold each row once; the same for the same rows in the same order.
    """
    length = proposed(neighbours)
    tiles, meets = _tiles(shared, 5 * length)
    few = shared.n < max(_LEAST_SEARCHED, 5 * length)
    if few or shared.n > MOST_ROWS or device() != "cpu":
        for tile, met in zip(tiles, meets, strict=True):
            yield Block(tile, None if met.all() else _rows_of(tiles, met))
    else:
        found = pairs_within_reach(shared, tiles, meets, length)
        for tile, met, pairs in zip(tiles, meets, found, strict=True):
            # The few rows that lack neighbours are compared with all: no others need be gathered.
            yield Block(tile, None if pairs or met.all() else _rows_of(tiles, met), pairs)


def in_cell_order(shared: SharedRows) -> Points | None:
    """Order rows by their cells: neighbours stand together then, in the processor's cache, too.

    Returns:
        int64 (n,), the rows of one cell after the other, each cell's in their order; ``None`` where
        there are so few rows that all are compared.
    """
    if shared.n <= COMPARED_ROWS:
        return None
    cells, _ = _cells(shared)
    return np.argsort(cells, kind="stable")


def _tiles(shared: SharedRows, least: int) -> tuple[list[Tile], NDArray[np.bool_]]:
    """Divide rows into tiles, and choose which of these are compared: all, or those around.

    Returns:
        The tiles; bool (t, t), those that each is compared with, at least so many rows: itself,
        those around it, and those that it is around.
    """
    n = shared.n
    if n <= max(COMPARED_ROWS, least):
        all_rows: list[Tile] = list(blocks(n, n))
        return all_rows, np.ones((len(all_rows), len(all_rows)), bool)
    compared = max(_SMOOTHED_COMPARED if shared.smoothed else COMPARED_ROWS, least)
    cells, centres = _cells(shared)
    members = [np.flatnonzero(cells == cell) for cell in range(len(centres))]
    sizes = np.array([len(rows) for rows in members])
    meets = np.zeros((len(centres), len(centres)), bool)
    for cell, centre in enumerate(centres):
        nearest = np.argsort(np.square(centres - centre).sum(axis=1), kind="stable")
        enough = int(np.searchsorted(np.cumsum(sizes[nearest]), compared)) + 1
        meets[cell, nearest[:enough]] = meets[nearest[:enough], cell] = True
    np.fill_diagonal(meets, True)
    parts = [(cell, part) for cell, size in enumerate(sizes) for part in blocks(size, compared)]
    tiles: list[Tile] = [members[cell][part] for cell, part in parts]
    cell_of = [cell for cell, _ in parts]
    return tiles, meets[np.ix_(cell_of, cell_of)]


def _rows_of(tiles: list[Tile], chosen: NDArray[np.bool_]) -> Points:
    return np.sort(np.concatenate([tiles[number] for number in np.flatnonzero(chosen)]))


def _cells(shared: SharedRows) -> tuple[Points, Vectors]:
    """Find the cells by k-means: int64 (n,), each row's cell; float32 (c, d), their centres."""
    count = shared.n // _CELL_ROWS
    learnt_from = np.linspace(0, shared.n - 1, min(shared.n, count * _LEARNT_FROM)).astype(np.int64)
    sample = SharedRows.of(shared.vectors[learnt_from], shared.executor)
    centres = sample.vectors[:: len(learnt_from) // count][:count].copy()
    for _ in range(_ITERATIONS):
        centres = _means_of_cells(sample.vectors, _assigned(sample, centres), centres)
    return _assigned(shared, centres), centres


def _assigned(shared: SharedRows, centres: Vectors) -> Points:
    cells = np.empty(shared.n, np.int64)
    assign = partial(_nearest_centre, centres=centres)
    for rows, found in shared.mapped(assign, blocks(shared.n, len(centres))):
        cells[rows] = found
    return cells


def _nearest_centre(rows: slice, vectors: Shared, _: Shared, *, centres: Vectors) -> Points:
    import torch

    others = on_device(centres)
    bias = others.square().sum(dim=1) / -2
    found: Points = (
        torch.addmm(bias, on_device(vectors)[rows], others.T).argmax(dim=1).cpu().numpy()
    )
    return found


def _means_of_cells(vectors: Vectors, cells: Points, centres: Vectors) -> Vectors:
    """Return the mean of each cell's rows; the centre it had where it has none."""
    from scipy.sparse import coo_array

    n, count = len(vectors), len(centres)
    sizes = np.bincount(cells, minlength=count)[:, None]
    ones = np.ones(n, np.float32)
    sums = coo_array((ones, (cells, np.arange(n))), shape=(count, n)).tocsr() @ vectors
    means: Vectors = np.where(sizes > 0, sums / np.maximum(sizes, 1), centres).astype(np.float32)
    return means
