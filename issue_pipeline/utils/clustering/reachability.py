"""Core distances and lists of neighbours: what the nearest of each point tell of the tree.

Mutual reachability is the largest of two points' distance and their core distances; a point's core
distance is that to its ``min_samples``-th neighbour.
"""

from dataclasses import dataclass

import numpy as np

from issue_pipeline.utils.clustering.neighbours import Block, Neighbours
from issue_pipeline.utils.clustering.space import Floats, Ranks

# Neighbours listed beyond those that give the core distance: more prove more, and cost more.
_MORE_NEIGHBOURS = 8
# Listed neighbours that are kept: the lists of many points are large, and the farther ones cost at
# least the core distance anyway.
_MOST_LISTED = 256


@dataclass(frozen=True, slots=True)
class Ranking:
    """Which ranks of neighbours the tree of n points is grown from.

    Attributes:
        core: That of the core distance, the point itself having rank 0.
        length: Neighbours that are searched, the point itself included.
    """

    core: int
    length: int

    @classmethod
    def of(cls, n: int, min_samples: int) -> "Ranking":
        """Rank for n points and HDBSCAN's ``min_samples``, which is capped at n - 1."""
        core = min(n - 1, min_samples)
        return cls(core, min(n, core + 1 + _MORE_NEIGHBOURS))

    @property
    def right(self) -> tuple[int, int]:
        """How many nearest must be the right ones, as the ``ranks`` of ``nearest``."""
        return self.core + 1, self.length

    @property
    def measured(self) -> slice:
        """Ranks whose distances must be measured, as of ``nearest``."""
        return slice(self.core, self.length)


class Lists:
    """The nearest neighbours of each of n points, filled in block by block.

    Attributes:
        rows: int32 (n, length), the point itself included.
        last: float64 (n, some), measured distances of the last of them; those before are no farther
            than the core distance.
        core: float64 (n,), core distances.
        bounds: float64 (n,): an edge to whoever is not listed costs at least as much.
    """

    def __init__(self, n: int, ranking: Ranking) -> None:
        """Make room."""
        self._ranking = ranking
        length = min(ranking.length, _MOST_LISTED)
        self._first = min(ranking.core, length)
        self.rows: Ranks = np.empty((n, length), np.int32)
        self.last: Floats = np.empty((n, length - self._first))
        self.core: Floats = np.empty(n)
        self.bounds: Floats = np.full(n, np.inf)

    def fill(self, block: Block, found: Neighbours) -> None:
        """List the neighbours of a block's rows, found with the ranks of the ranking."""
        n, length = self.rows.shape
        self.rows[block.rows] = found.rows[:, :length]
        self.last[block.rows] = found.distances[:, self._first : length]
        self.core[block.rows] = found.distances[:, self._ranking.core]
        if length < n:
            # Farther than the last that is listed, or no nearer than the core distance.
            rank = (
                self._ranking.length if length == self._ranking.length else self._ranking.core + 1
            )
            self.bounds[block.rows] = found.distances[:, rank - 1]
