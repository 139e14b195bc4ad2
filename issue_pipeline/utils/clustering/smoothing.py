"""Smoothing: every vector moves to the mean of itself and its nearest.

In 384 dimensions the differences of density that HDBSCAN needs drown; among means they show.
"""

from functools import partial

import numpy as np

from issue_pipeline.utils.clustering.cells import blocks_of
from issue_pipeline.utils.clustering.neighbours import Block, nearest
from issue_pipeline.utils.clustering.space import Ranks, SharedRows, on_device
from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.executor import Shared


def smooth(shared: SharedRows, neighbours: int) -> Vectors:
    """Move every row to the mean of its nearest rows, scaled to unit length.

    Args:
        shared: n rows.
        neighbours: How many are averaged, the row itself included: 1 to n.

    Returns:
        float32 (n, d), unit rows, in the same order.
    """
    moved = np.empty_like(shared.vectors)
    pieces = blocks_of(shared, neighbours)
    move = partial(_moved, neighbours=neighbours)
    for block, means in shared.mapped(move, pieces):
        moved[block.rows] = means
    return moved


def _moved(block: Block, *arrays: Shared, neighbours: int) -> Vectors:
    """Return the means of a block's rows, a piece of work for an executor."""
    return means(nearest(block, *arrays, ranks=[neighbours]).rows, arrays[0])


def means(near: Ranks, vectors: Shared) -> Vectors:
    """Average rows, and scale to unit length.

    Args:
        near: int32 (p, k), the rows of each mean.
        vectors: float32 (n, d).

    Returns:
        float32 (p, d).
    """
    import torch
    from torch.nn.functional import embedding_bag, normalize

    # Ascending, so that a mean is summed in an order that does not hang on ranks.
    members = torch.from_numpy(np.sort(near, axis=1))
    rows = on_device(vectors)
    mean: Vectors = (
        normalize(embedding_bag(members.to(rows.device), rows, mode="mean")).cpu().numpy()
    )
    return mean
