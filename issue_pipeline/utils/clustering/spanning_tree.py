"""The minimum spanning tree that HDBSCAN is made of, exactly and without an n x n matrix.

HDBSCAN joins points by their mutual reachability: the largest of their distance and their two core
distances, a point's core distance being that to its ``min_samples``-th neighbour. The tree is grown
in Borůvka's rounds: every component takes the cheapest edge that leaves it. The candidates are the
points' nearest neighbours, found by float32 products. What a point's list leaves out costs at least
a bound that is known, so most components can prove that their edge is the cheapest. Where none can,
a sample of the points in doubt is compared with all others; for the rest the triangle inequality
mostly suffices.

Weights come from the differences of the rows, so they do not depend on how a product rounds.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.clustering.neighbours import (
    Neighbours,
    Ranks,
    blocks,
    device,
    nearest,
)
from issue_pipeline.utils.embeddings import Vectors

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]
Points = NDArray[np.int64]

# Neighbours listed beyond those that give the core distance: more prove more, and cost more.
_MORE_NEIGHBOURS = 8
# Ranks before the core distance's whose distances are measured: rounding may have swapped some.
_MEASURED_BEFORE = 4
# Cheapest edges kept of each point's list.
_KEPT_EDGES = 32
# Ends that float32 products propose for a point whose list proves nothing.
_PROPOSED = 8
# Points in doubt that are dealt with at a time, where lists prove nothing.
_SEARCHED_POINTS = 1_024
# Every so manieth of them is compared with all others first, which settles most of the rest.
_SAMPLED_EVERY = 8
# Differences of rows are taken in pieces that stay in the processor's cache.
_CACHED_BYTES = 2 * 1024**2


@dataclass(frozen=True, slots=True)
class Edges:
    """Weighted edges, from the cheapest on, ties by their points.

    Attributes:
        ends: int64 (m, 2), the smaller point first.
        weights: float64 (m,).
    """

    ends: Points
    weights: Floats

    @classmethod
    def sorted(cls, starts: Points, ends: Points, weights: Floats) -> "Edges":
        """Order edges, dropping none."""
        low, high = np.minimum(starts, ends), np.maximum(starts, ends)
        order = np.lexsort((high, low, weights))
        return cls(np.stack([low[order], high[order]], axis=1), weights[order])

    def where(self, chosen: NDArray[np.bool_] | Points) -> "Edges":
        """Keep some, given in ascending order."""
        return Edges(self.ends[chosen], self.weights[chosen])

    def merged(self, others: "Edges") -> "Edges":
        """Return these and others, in order."""
        ends = np.concatenate([self.ends, others.ends])
        weights = np.concatenate([self.weights, others.weights])
        return Edges.sorted(ends[:, 0], ends[:, 1], weights)


@dataclass(frozen=True, slots=True)
class _Lists:
    """The nearest neighbours of each point.

    Attributes:
        rows: int32 (n, length), the point itself included.
        last: float64 (n, some), measured distances of the last of them; those before are no farther
            than the core distance.
        core: float64 (n,), core distances.
        outside: float64 (n,): whoever is not listed is at least as far.
    """

    rows: Ranks
    last: Floats
    core: Floats
    outside: Floats


def spanning_tree(vectors: Vectors, min_samples: int, near: Neighbours | None = None) -> Edges:
    """Build the minimum spanning tree of the mutual-reachability graph, by Euclidean distance.

    Args:
        vectors: float32 (n, d), finite, n >= 2, neither tiny nor huge (1e-18 to 1e18). Rows that
            are a million times as far from the origin as from each other are told apart by float64
            products only roughly: a neighbour may be taken for the nearest that is not quite.
        min_samples: Rank of the neighbour at the core distance, the point itself having rank 0; at
            least 1, capped at n - 1.
        near: At least ``listed_neighbours(n, min_samples)`` nearest rows of each, if they have been
            searched already.

    Returns:
        n - 1 edges.
    """
    space = _Space(vectors)
    length = listed_neighbours(space.n, min_samples)
    found = nearest(space.vectors, length) if near is None else near.first(length)
    lists = _listed(space, min(space.n - 1, min_samples), found)
    candidates, bounds = _candidates(lists)
    return _grown(space, lists.core, candidates, bounds)


class _Space:
    """The rows, and distances between them."""

    def __init__(self, vectors: Vectors) -> None:
        import torch

        self.vectors = np.ascontiguousarray(vectors)
        self.n, self.d = vectors.shape
        self.x = torch.from_numpy(self.vectors).to(device())
        self.half = torch.empty(self.n, dtype=torch.float64, device=self.x.device)
        for block in blocks(self.n, self.d, item_bytes=8):
            self.half[block] = self.x[block].double().square_().sum(dim=1) / 2
        # The most by which a float32 product of d terms, and the sums made of it, may be off.
        self.slack = float(8 * (self.d + 4) * np.finfo(np.float32).eps * self.half.max())

    def distances(self, rows: Points, others: NDArray[np.integer[Any]]) -> Floats:
        """Measure each of the rows (p,) against its others (p, m): float64 (p, m)."""
        import torch

        distances = np.empty(others.shape)
        pairs = blocks(len(rows), others.shape[1] * self.d, block_bytes=_CACHED_BYTES)
        for block in pairs:
            difference = self.x[rows[block], None] - self.x[others[block]]
            norms = torch.linalg.vector_norm(difference, dim=-1, dtype=torch.float64)
            distances[block] = norms.cpu().numpy()
        return distances

    def squared_to_all(self, rows: Points) -> "Tensor":
        """Return float64 squared distances of a few rows to all, by products: (rows, n)."""
        import torch

        some = self.x[rows].double()
        products = torch.empty((len(rows), self.n), dtype=torch.float64, device=self.x.device)
        for block in blocks(self.n, self.d, item_bytes=8):
            products[:, block] = some @ self.x[block].double().T
        return products.neg_().add_(self.half).add_(self.half[rows, None]).mul_(2).clamp_(min=0)


def listed_neighbours(n: int, min_samples: int) -> int:
    """Return how many nearest rows of each of n rows, itself included, the tree is grown from."""
    return min(n, min(n - 1, min_samples) + 1 + _MORE_NEIGHBOURS)


def _listed(space: _Space, rank: int, near: Neighbours) -> _Lists:
    """Measure listed neighbours, and search by float64 products where float32 ones may mislead."""
    rows = near.rows
    length = rows.shape[1]
    first = max(0, rank - _MEASURED_BEFORE)
    last = space.distances(np.arange(space.n), rows[:, first:])
    core = np.partition(last, rank - first, axis=1)[:, rank - first]
    outside = np.full(space.n, np.inf)
    if length < space.n:
        outside = np.sqrt(np.maximum(near.squared[:, -1].astype(np.float64) - space.slack, 0))
    if first:
        # Where a rank that was not measured may be farther than the core distance, all are.
        doubtful = np.flatnonzero(near.squared[:, first - 1] + space.slack > core**2)
        for block in blocks(len(doubtful), length, item_bytes=16):
            some = doubtful[block]
            rows[some], measured = _ranked(space, some, rows[some])
            last[some], core[some] = measured[:, first:], measured[:, rank]
    doubtful = np.flatnonzero(outside < core)
    for block in blocks(len(doubtful), space.n, item_bytes=16):
        some = doubtful[block]
        found = space.squared_to_all(some).topk(length, dim=1, largest=False).indices.cpu().numpy()
        rows[some], measured = _ranked(space, some, found)
        last[some], core[some] = measured[:, first:], measured[:, rank]
        outside[some] = measured[:, -1]
    return _Lists(rows, last, core, outside)


def _ranked(
    space: _Space, points: Points, others: NDArray[np.integer[Any]]
) -> tuple[Ranks, Floats]:
    """Order points' others (p, m) by their measured distances: int32 (p, m), float64 (p, m)."""
    measured = space.distances(points, others)
    order = np.argsort(measured, axis=1, kind="stable")
    ranked = np.take_along_axis(others, order, axis=1).astype(np.int32)
    return ranked, np.take_along_axis(measured, order, axis=1)


def _candidates(lists: _Lists) -> tuple[Edges, Floats]:
    """Weigh the listed edges, keep each point's cheapest, and bound those that are not kept.

    Returns:
        The edges; float64 (n,), what any other edge of a point costs at least.
    """
    n, length = lists.rows.shape
    kept = min(length, _KEPT_EDGES)
    first = length - lists.last.shape[1]
    ends, weights = np.empty((n, kept), np.int64), np.empty((n, kept))
    bounds = np.maximum(lists.outside, lists.core)
    for block in blocks(n, length, item_bytes=8 * 4):
        rows = lists.rows[block]
        cost = np.maximum(lists.core[block, None], lists.core[rows])
        cost[:, first:] = np.maximum(cost[:, first:], lists.last[block])
        cost[rows == np.arange(n)[block, None]] = np.inf
        order = np.argsort(cost, axis=1, kind="stable")
        cost = np.take_along_axis(cost, order, axis=1)
        if kept < length:
            bounds[block] = np.minimum(bounds[block], cost[:, kept])
        ends[block] = np.take_along_axis(rows, order[:, :kept], axis=1)
        weights[block] = cost[:, :kept]
    real = np.isfinite(weights).ravel()
    starts = np.repeat(np.arange(n), kept)
    return Edges.sorted(starts[real], ends.ravel()[real], weights.ravel()[real]), bounds


def _grown(space: _Space, core: Floats, candidates: Edges, bounds: Floats) -> Edges:
    """Join components by proven edges until one is left.

    Ties cannot close a circle: of equal edges, all components prefer the same.
    """
    component = np.arange(space.n)
    count = space.n
    taken: list[Edges] = []
    while count > 1:
        a, b = component[candidates.ends].T
        leaving = a != b
        candidates, a, b = candidates.where(leaving), a[leaving], b[leaving]
        cheapest = np.minimum(_first(a, count), _first(b, count))
        cost = np.append(candidates.weights, np.inf)[cheapest]
        in_doubt = bounds < cost[component]
        doubts = np.bincount(component[in_doubt], minlength=count)
        proven = np.unique(cheapest[doubts == 0])
        if len(proven):
            taken.append(candidates.where(proven))
            component = _joined(count, a[proven], b[proven])[component]
            count = int(component.max()) + 1
        else:
            points = _in_least_doubt(component, in_doubt, doubts)
            found = _search(space, core, component, points, cost, bounds)
            candidates = candidates.merged(found)
    every = np.concatenate([edges.ends for edges in taken])
    cost = np.concatenate([edges.weights for edges in taken])
    return Edges.sorted(every[:, 0], every[:, 1], cost)


def _first(values: Points, count: int) -> Points:
    """Find where each of 0..count-1 comes first; the length of the values where it does not."""
    positions = np.full(count, len(values))
    # Of several that are assigned to one place, the last stays.
    positions[values[::-1]] = np.arange(len(values))[::-1]
    return positions


def _joined(count: int, a: Points, b: Points) -> Points:
    """Number the connected components of so many nodes: int64 (count,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(count, count))
    numbers: Points = connected_components(graph, directed=False)[1].astype(np.int64)
    return numbers


def _in_least_doubt(component: Points, in_doubt: NDArray[np.bool_], doubts: Points) -> Points:
    """Choose the points in doubt of the components that have fewest of them, one at least."""
    by_doubts = np.argsort(doubts, kind="stable")
    fitting = np.searchsorted(np.cumsum(doubts[by_doubts]), _SEARCHED_POINTS, side="right")
    chosen = np.zeros(len(doubts), bool)
    chosen[by_doubts[: max(1, int(fitting))]] = True
    return np.flatnonzero(in_doubt & chosen[component])


def _search(
    space: _Space, core: Floats, component: Points, points: Points, cost: Floats, bounds: Floats
) -> Edges:
    """Find cheapest edges out of the components of some points in doubt, among all.

    A sample of the points is compared with all others first. What these are far from, points near
    them are nearly as far from: where that proves that a point has no cheaper edge than the
    cheapest known of its component (``cost``), it is not compared itself. Raises ``bounds``.
    """
    sample = points[np.argsort(component[points], kind="stable")][::_SAMPLED_EVERY]
    ends, weights, reach = _compared(space, core, component, sample)
    bounds[sample] = weights
    cost = cost.copy()
    np.minimum.at(cost, component[sample], weights)
    bounds[points] = np.maximum(bounds[points], _as_near(space, points, sample, reach))
    rest = points[bounds[points] < cost[component[points]]]
    other_ends, other_weights, _ = _compared(space, core, component, rest)
    bounds[rest] = other_weights
    return Edges.sorted(
        np.concatenate([sample, rest]),
        np.concatenate([ends, other_ends]),
        np.concatenate([weights, other_weights]),
    )


def _as_near(space: _Space, points: Points, sample: Points, reach: Floats) -> Floats:
    """Bound what a point's edges out of its component cost, by the reach of others.

    A reach, being a distance or the other end's core distance, changes from one point to the next
    by their distance at most. That of a point in another component bounds nothing, but does not
    mislead: it is no more than the distance to this point, or than this point's core distance.

    Returns:
        float64 (m,), for each of the points the best bound that the sample gives.
    """
    import torch

    reaches = torch.from_numpy(reach).to(space.x.device)
    bounds = np.empty(len(points))
    for block in blocks(len(points), len(sample), item_bytes=8):
        some = points[block]
        squared = space.half[some, None] + space.half[sample] - space.x[some] @ space.x[sample].T
        # Rounded up by the slack, which is more than measured distances are off by, too.
        distances = squared.mul_(2).add_(space.slack).clamp_(min=0).sqrt_()
        bounds[block] = (reaches - distances).amax(dim=1).cpu().numpy()
    return bounds


def _compared(
    space: _Space, core: Floats, component: Points, points: Points
) -> tuple[Points, Floats, Floats]:
    """Find each point's cheapest edge out of its component, among all.

    Float32 products propose a few ends, whose edges are measured; where the next best might be
    cheaper yet, float64 products decide.

    Returns:
        int64 (m,), the other ends; float64 (m,), the weights; float64 (m,), the reach: what each
        edge costs at least if the point's own core distance is left out.
    """
    ends, reach = np.empty(len(points), np.int64), np.empty(len(points))
    if space.n > _PROPOSED:
        proven = _propose(space, core, component, points, ends, reach)
    else:
        proven = np.zeros(len(points), bool)
    doubtful = np.flatnonzero(~proven)
    ends[doubtful], reach[doubtful] = _compared_with_all(space, core, component, points[doubtful])
    distances = space.distances(points, ends[:, None])[:, 0]
    return ends, np.maximum(distances, np.maximum(core[points], core[ends])), reach


def _propose(
    space: _Space,
    core: Floats,
    component: Points,
    points: Points,
    ends: Points,
    reach: Floats,
) -> NDArray[np.bool_]:
    """Fill in ends of the cheapest edges and reaches by float32 products; tell which are proven."""
    import torch

    squared_core = torch.from_numpy((core**2).astype(np.float32)).to(space.x.device)
    components = torch.from_numpy(component).to(space.x.device)
    half = space.half.float()
    proven = np.empty(len(points), bool)
    for block in blocks(len(points), space.n):
        some = points[block]
        squared = torch.addmm(half, space.x[some], space.x.T, alpha=-1).add_(half[some, None])
        cost = torch.maximum(squared.mul_(2), squared_core)
        cost[components[some, None] == components] = torch.inf
        best = cost.topk(_PROPOSED + 1, dim=1, largest=False)
        near = best.indices[:, :_PROPOSED].cpu().numpy()
        weights = np.maximum(space.distances(some, near), core[near])
        weights[~torch.isfinite(best.values[:, :_PROPOSED]).cpu().numpy()] = np.inf
        cheapest = weights.argmin(axis=1)
        ends[block] = np.take_along_axis(near, cheapest[:, None], axis=1)[:, 0]
        beyond = best.values[:, _PROPOSED].double().cpu().numpy() - space.slack
        beyond = np.sqrt(np.maximum(beyond, 0))
        reach[block] = np.minimum(weights.min(axis=1), beyond)
        # No edge of a point is cheaper than its core distance.
        proven[block] = weights.min(axis=1) <= np.maximum(beyond, core[some])
    return proven


def _compared_with_all(
    space: _Space, core: Floats, component: Points, points: Points
) -> tuple[Points, Floats]:
    """Find the ends of the cheapest edges, and the reaches, by float64 products."""
    import torch

    cores = torch.from_numpy(core).to(space.x.device)
    components = torch.from_numpy(component).to(space.x.device)
    ends, reach = np.empty(len(points), np.int64), np.empty(len(points))
    for block in blocks(len(points), space.n, item_bytes=16):
        some = points[block]
        cost = torch.maximum(space.squared_to_all(some).sqrt_(), cores)
        cost[components[some, None] == components] = torch.inf
        least = cost.min(dim=1)
        ends[block], reach[block] = least.indices.cpu().numpy(), least.values.cpu().numpy()
    return ends, reach
