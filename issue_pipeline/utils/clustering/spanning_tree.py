"""The minimum spanning tree that HDBSCAN is made of, exactly and without an n x n matrix.

HDBSCAN joins points by their mutual reachability. The tree is grown in Borůvka's rounds: every
component takes the cheapest edge that leaves it. The candidates are edges to the points' nearest
neighbours. What a point's list leaves out costs at least a bound that is known, so most components
can prove that their edge is the cheapest; where none can, points in doubt are compared with all.

Weights come from the differences of the rows, so they do not depend on how a product rounds.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.clustering.cells import blocks_of
from issue_pipeline.utils.clustering.doubtful_points import cheapest_edges
from issue_pipeline.utils.clustering.neighbours import nearest
from issue_pipeline.utils.clustering.reachability import Lists, Ranking
from issue_pipeline.utils.clustering.space import (
    Floats,
    Points,
    SharedRows,
    blocks,
    give_memory_back,
)

# Cheapest edges kept of each point's list.
_KEPT_EDGES = 32
# Points in doubt that are dealt with at a time, where lists prove nothing.
_SEARCHED_POINTS = 4_096


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
        # As lexsort, in two sorts instead of three.
        by_points = np.argsort(low * (high.max(initial=0) + 1) + high)
        order = by_points[np.argsort(weights[by_points], kind="stable")]
        return cls(np.stack([low[order], high[order]], axis=1), weights[order])

    def where(self, chosen: NDArray[np.bool_] | Points) -> "Edges":
        """Keep some, given in ascending order."""
        return Edges(self.ends[chosen], self.weights[chosen])

    def merged(self, others: "Edges") -> "Edges":
        """Return these and others, in order."""
        ends = np.concatenate([self.ends, others.ends])
        weights = np.concatenate([self.weights, others.weights])
        return Edges.sorted(ends[:, 0], ends[:, 1], weights)


def spanning_tree(shared: SharedRows, min_samples: int, lists: Lists | None = None) -> Edges:
    """Build the minimum spanning tree of the mutual-reachability graph, by Euclidean distance.

    Args:
        shared: n >= 2 rows, neither tiny nor huge (1e-18 to 1e18). Rows that are a million times
            as far from the origin as from each other are told apart by float64 products only
            roughly: a neighbour may be taken for the nearest that is not quite.
        min_samples: Rank of the neighbour at the core distance, the point itself having rank 0; at
            least 1, capped at n - 1.
        lists: Of ``Ranking.of(n, min_samples)``, if the neighbours have been searched already.

    Returns:
        n - 1 edges.
    """
    lists = lists or _listed(shared, Ranking.of(shared.n, min_samples))
    candidates, bounds = _candidates(lists)
    give_memory_back()
    return _grown(shared, lists.core, candidates, bounds)


def _listed(shared: SharedRows, ranking: Ranking) -> Lists:
    lists = Lists(shared.n, ranking)
    pieces = blocks_of(shared, ranking.length)
    search = partial(nearest, ranks=ranking.right, measured=ranking.measured)
    for block, found in shared.mapped(search, pieces):
        lists.fill(block, found)
    return lists


def _candidates(lists: Lists) -> tuple[Edges, Floats]:
    """Weigh the listed edges, keep each point's cheapest, and bound those that are not kept.

    Returns:
        The edges; float64 (n,), what any other edge of a point costs at least.
    """
    n, length = lists.rows.shape
    kept = min(length, _KEPT_EDGES)
    first = length - lists.last.shape[1]
    ends, weights = np.empty((n, kept), np.int64), np.empty((n, kept))
    bounds = lists.bounds.copy()
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


def _grown(shared: SharedRows, core: Floats, candidates: Edges, bounds: Floats) -> Edges:
    """Join components by proven edges until one is left.

    Ties cannot close a circle: of equal edges, all components prefer the same.
    """
    component = np.arange(shared.n)
    count = shared.n
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
            found = cheapest_edges(shared, core, component, points, cost, bounds)
            candidates = candidates.merged(Edges.sorted(*found))
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
