"""Which rows are compared with which: all with all, until there are too many of them.

Beyond that each row is compared with the 50,000 rows around its cell, so that time grows with n and
no longer with its square. Cells are those of an inverted file: the Voronoi cells of k-means.
"""

from functools import partial

import numpy as np

from issue_pipeline.utils.clustering.neighbours import Block
from issue_pipeline.utils.clustering.space import Points, SharedRows, blocks, on_device
from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.executor import Shared

# A row is compared with so many others, or all there are. Up to so many the search is exact.
COMPARED_ROWS = 50_000
# Beyond, rows that were smoothed need fewer: their neighbours are in few cells.
_SMOOTHED_COMPARED = 20_000
# Mean size of a cell, whose rows share what they are compared with.
_CELL_ROWS = 1_024
_ITERATIONS = 8
# Rows that k-means learns from, for each cell.
_LEARNT_FROM = 64


def blocks_of(shared: SharedRows, neighbours: int) -> list[Block]:
    """Divide rows into pieces of work, each with the rows that it is compared with.

    Args:
        shared: n rows.
        neighbours: How many nearest rows are searched: at least five times as many are compared.

    Returns:
        Blocks that hold each row once; the same for the same rows in the same order.
    """
    if shared.n <= max(COMPARED_ROWS, 5 * neighbours):
        return [Block(rows) for rows in blocks(shared.n, shared.n)]
    compared = max(_SMOOTHED_COMPARED if shared.smoothed else COMPARED_ROWS, 5 * neighbours)
    cells, centres = _cells(shared)
    members = [np.flatnonzero(cells == cell) for cell in range(len(centres))]
    sizes = np.array([len(rows) for rows in members])
    found = []
    for centre, rows in zip(centres, members, strict=True):
        nearest = np.argsort(np.square(centres - centre).sum(axis=1), kind="stable")
        enough = int(np.searchsorted(np.cumsum(sizes[nearest]), compared)) + 1
        columns = np.sort(np.concatenate([members[cell] for cell in nearest[:enough]]))
        found += [Block(rows[part], columns) for part in blocks(len(rows), len(columns))]
    return found


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
    pieces = list(blocks(shared.n, len(centres)))
    assign = partial(_nearest_centre, centres=centres)
    for rows, found in zip(pieces, shared.map(assign, pieces), strict=True):
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
