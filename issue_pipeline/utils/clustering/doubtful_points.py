"""Points whose lists do not prove which edge out of their component is the cheapest.

A sample of them is compared with all others; for the rest the triangle inequality mostly suffices.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.clustering.neighbours import largest
from issue_pipeline.utils.clustering.space import (
    Floats,
    Points,
    SharedRows,
    Space,
    blocks,
    on_device,
)
from issue_pipeline.utils.executor import Shared

# Round by round every so manieth of the points that are left is compared with all others: each
# settles most of the rest.
_COMPARED_EVERY = (32, 6, 1)
# Points of a piece of work.
_PIECE_POINTS = 128
# Ends that products propose for a point.
_PROPOSED = 8


def cheapest_edges(
    shared: SharedRows,
    core: Floats,
    component: Points,
    points: Points,
    cost: Floats,
    bounds: Floats,
) -> tuple[Points, Points, Floats]:
    """Find cheapest edges out of the components of some points, among all.

    A sample of the points is compared with all others. What these are far from, points near them
    are nearly as far from: where that proves that a point has no cheaper edge than the cheapest
    known of its component, it is not compared itself. Of those that are left a larger sample is
    next.

    Args:
        shared: n rows.
        core: float64 (n,), core distances.
        component: int64 (n,): 0..c-1.
        points: int64 (p,), those in doubt.
        cost: float64 (c,), of each component's cheapest known edge.
        bounds: float64 (n,), what an unknown edge of each point costs at least. Those of the points
            are raised.

    Returns:
        int64 (m,), the points that were compared; int64 (m,), the other ends; float64 (m,), the
        weights.
    """
    cost = cost.copy()
    left = points[np.argsort(component[points], kind="stable")]
    compared = []
    for every in _COMPARED_EVERY:
        sample = left[::every]
        ends, weights, reach = _compared(shared, core, component, sample)
        compared.append((sample, ends, weights))
        np.minimum.at(cost, component[sample], weights)
        if every > 1:  # else there is nobody left to be told
            bounds[left] = np.maximum(bounds[left], _as_near(shared.space, left, sample, reach))
        bounds[sample] = weights
        left = left[bounds[left] < cost[component[left]]]
    starts, ends, weights = map(np.concatenate, zip(*compared, strict=True))
    return starts, ends, weights


def _as_near(space: Space, points: Points, sample: Points, reach: Floats) -> Floats:
    """Bound what a point's edges out of its component cost, by the reach of others.

    A reach, being a distance or the other end's core distance, changes from one point to the next
    by their distance at most. That of a point in another component bounds nothing, but does not
    mislead: it is no more than the distance to this point, or than this point's core distance.

    Returns:
        float64 (p,), for each of the points the best bound that the sample gives.
    """
    import torch

    reaches = torch.from_numpy(reach).to(space.x.device)
    bounds = np.empty(len(points))
    for block in blocks(len(points), len(sample), item_bytes=8):
        some = points[block]
        products, error = space.products(some, sample)
        # Rounded up, by more than measured distances are off, too.
        squared = 2 * (space.half[some, None] - products + error[:, None])
        bounds[block] = (reaches - squared.clamp_(min=0).sqrt_()).amax(dim=1).cpu().numpy()
    return bounds


def _compared(
    shared: SharedRows, core: Floats, component: Points, points: Points
) -> tuple[Points, Floats, Floats]:
    """Find each point's cheapest edge out of its component, among all.

    Returns:
        int64 (p,), the other ends; float64 (p,), the weights; float64 (p,), the reach: what each
        edge costs at least if the point's own core distance is left out.
    """
    pieces = [
        points[start : start + _PIECE_POINTS] for start in range(0, len(points), _PIECE_POINTS)
    ]
    more = shared.executor.share(core), shared.executor.share(component)
    found = list(shared.map(_compared_piece, pieces, *more))
    if not found:
        return np.empty(0, np.int64), np.empty(0), np.empty(0)
    ends, weights, reach = map(np.concatenate, zip(*found, strict=True))
    return ends, weights, reach


def _compared_piece(
    points: Points, vectors: Shared, half: Shared, cores: Shared, components: Shared
) -> tuple[Points, Floats, Floats]:
    """Compare points with all, a piece of work for an executor.

    Products propose a few ends, whose edges are measured; where the next best might be cheaper yet,
    float64 products decide.
    """
    space = Space(vectors, half)
    core, component = (on_device(array).cpu().numpy() for array in (cores, components))
    ends, reach = np.empty(len(points), np.int64), np.empty(len(points))
    proven = np.zeros(len(points), bool)
    if space.n > _PROPOSED:
        proven = _propose(space, core, component, points, ends, reach)
    unproven = np.flatnonzero(~proven)
    for block in blocks(len(unproven), space.n, item_bytes=16):
        some = unproven[block]
        ends[some], reach[some] = _exactly(space, core, component, points[some])
    distances = space.pair_distances(points, ends)
    return ends, np.maximum(distances, np.maximum(core[points], core[ends])), reach


def _propose(
    space: Space, core: Floats, component: Points, points: Points, ends: Points, reach: Floats
) -> NDArray[np.bool_]:
    """Fill in ends of the cheapest edges and reaches; tell which are proven: bool (p,)."""
    import torch

    # In halves of squares, below zero, in place: what passes over n numbers costs as much as the
    # product.
    products, error = space.products(points)
    gains = products.sub_(space.half[points, None].float())
    half_core = on_device((core**2 / -2).astype(np.float32))
    components = on_device(component)
    for own, rows in _runs(component[points]):
        # One pass for the core distances and for those that the edges must not lead to.
        most = half_core.masked_fill(components == own, -torch.inf)
        torch.minimum(gains[rows], most, out=gains[rows])
    values, columns = largest(gains, _PROPOSED + 1)
    near = columns[:, :_PROPOSED].cpu().numpy()
    weights = np.maximum(space.distances(points, near), core[near])
    weights[~torch.isfinite(values[:, :_PROPOSED]).cpu().numpy()] = np.inf
    cheapest = weights.argmin(axis=1)
    ends[:] = np.take_along_axis(near, cheapest[:, None], axis=1)[:, 0]
    next_best = -2 * (values[:, _PROPOSED].double() + error)
    beyond: Floats = next_best.clamp(min=0).sqrt().cpu().numpy()
    reach[:] = np.minimum(weights.min(axis=1), beyond)
    # No edge of a point is cheaper than its core distance.
    proven: NDArray[np.bool_] = weights.min(axis=1) <= np.maximum(beyond, core[points])
    return proven


def _runs(components: Points) -> Iterator[tuple[int, slice]]:
    """Find successive places with the same component: that, and the places."""
    starts = np.flatnonzero(np.diff(components, prepend=-1))
    for start, end in pairwise([*starts.tolist(), len(components)]):
        yield int(components[start]), slice(start, end)


def _exactly(
    space: Space, core: Floats, component: Points, points: Points
) -> tuple[Points, Floats]:
    """Find the ends of the cheapest edges, and the reaches, by float64 products."""
    import torch

    components = on_device(component)
    cost = torch.maximum(space.squared_to(points).sqrt_(), on_device(core))
    cost[components[points, None] == components] = torch.inf
    least = cost.min(dim=1)
    return least.indices.cpu().numpy(), least.values.cpu().numpy()
