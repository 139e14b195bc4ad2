"""HDBSCAN's hierarchy of clusters, and a choice among them that knows when one is too large."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.clustering.reachability import Lists
from issue_pipeline.utils.clustering.space import SharedRows
from issue_pipeline.utils.clustering.spanning_tree import Edges, spanning_tree

NOISE = -1

ClusterIds = NDArray[np.int64]
Rows = NDArray[np.int64]
# Tells whether the rows of a cluster may stay together, given how they would be divided instead.
MayStay = Callable[[Rows, ClusterIds], bool]


class ClusterTree:
    """The condensed tree of HDBSCAN over some vectors."""

    def __init__(
        self,
        shared: SharedRows,
        min_cluster_size: int,
        min_samples: int,
        lists: Lists | None = None,
    ) -> None:
        """Grow it.

        Args:
            shared: n >= 2 rows.
            min_cluster_size: At least 2.
            min_samples: At least 1.
            lists: As of :func:`spanning_tree`.
        """
        # Imports that only clustering should pay.
        from hdbscan._hdbscan_tree import condense_tree

        merges = single_linkage(spanning_tree(shared, min_samples, lists))
        self._condensed: NDArray[Any] = condense_tree(merges, min_cluster_size)
        is_row = self._condensed["child_size"] == 1
        leaves, inner = self._condensed[is_row], self._condensed[~is_row]
        # Each row, and the smallest cluster it lies in.
        self._row: Rows = leaves["child"].astype(np.int64)
        self._home: Rows = leaves["parent"].astype(np.int64)
        self._sizes = dict(zip(inner["child"].tolist(), inner["child_size"].tolist(), strict=True))
        self._below: defaultdict[int, list[int]] = defaultdict(list)
        for parent, child in zip(inner["parent"].tolist(), inner["child"].tolist(), strict=True):
            self._below[parent].append(child)

    def cluster_ids(self) -> ClusterIds:
        """Choose clusters by excess of mass, as ``hdbscan`` does.

        Returns:
            int64 (n,), -1 for noise, otherwise 0..k-1 in no order.
        """
        from hdbscan._hdbscan_tree import get_clusters

        ids = get_clusters(self._condensed, self._stability())[0]
        return np.asarray(ids, dtype=np.int64)

    def limited_cluster_ids(self, ceiling: int, may_stay: MayStay) -> ClusterIds:
        """Choose clusters by excess of mass, but divide large ones that are not cohesive.

        A cluster that holds no smaller ones stays, however large: nothing would replace it.

        Args:
            ceiling: A cluster of more rows stays only if ``may_stay`` says so.
            may_stay: Takes the rows of such a cluster, int64 (m,), and their cluster ids if it is
                divided, int64 (m,), -1 for noise.

        Returns:
            int64 (n,), -1 for noise, otherwise 0..k-1 in no order.
        """
        mass = self._stability()
        chosen: set[int] = set()
        # A child's number is larger than its parent's; the root, the smallest, is no cluster.
        for node in sorted(self._sizes, reverse=True):
            below = self._below[node]
            divided = sum(mass[child] for child in below)
            stays = not below or not divided > mass[node]
            if stays and below and self._sizes[node] > ceiling:
                rows = self._rows_under(node)
                stays = may_stay(rows, self._ids_of(chosen)[rows])
            if stays:
                chosen.difference_update(self._nodes_under(node))
                chosen.add(node)
            else:
                mass[node] = divided
        return self._ids_of(chosen)

    def _stability(self) -> dict[int, float]:
        from hdbscan._hdbscan_tree import compute_stability

        stability: dict[int, float] = compute_stability(self._condensed)
        return stability

    def _nodes_under(self, node: int) -> list[int]:
        nodes = [node]
        for one in nodes:  # which grows meanwhile
            nodes += self._below[one]
        return nodes

    def _rows_under(self, node: int) -> Rows:
        rows: Rows = self._row[np.isin(self._home, self._nodes_under(node))]
        return rows

    def _ids_of(self, chosen: set[int]) -> ClusterIds:
        """Number the rows by the chosen cluster that they lie in, if any."""
        numbers = {node: number for number, node in enumerate(sorted(chosen))}
        id_of = np.full(int(self._home.max()) + 1, NOISE, dtype=np.int64)
        for node in numbers:
            id_of[self._nodes_under(node)] = numbers[node]
        ids = np.empty(len(self._row), dtype=np.int64)
        ids[self._row] = id_of[self._home]
        return ids


def single_linkage(tree: Edges) -> NDArray[np.float64]:
    """Merge along a spanning tree, from the cheapest edge on.

    hdbscan's own ``label`` gives the same; of 100,000 real rows it takes several times as long.

    Returns:
        float64 (n - 1, 4), as of ``scipy.cluster.hierarchy.linkage``: the two clusters merged, the
        weight of the edge between them, and how many rows they hold. Row i makes cluster n + i;
        those below n are the rows themselves.
    """
    n = len(tree.ends) + 1
    # Of each cluster one that it was merged into, or itself: plain lists are faster than arrays.
    into = list(range(2 * n - 1))
    sizes = [1] * n
    merged = []
    for number, ends in enumerate(tree.ends.tolist(), start=n):
        pair = []
        for end in ends:
            while into[end] != end:
                # Every step shortens the way of those that come later.
                into[end] = end = into[into[end]]
            into[end] = number
            pair.append(end)
        sizes.append(sizes[pair[0]] + sizes[pair[1]])
        merged.append(pair)
    clusters = np.array(merged, np.float64).reshape(n - 1, 2)
    return np.column_stack([clusters, tree.weights, sizes[n:]])
