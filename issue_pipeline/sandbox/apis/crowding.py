"""Moves posts into a few seconds of the day, those with which a client's windows begin and end.

A client that asks for a day by halves, quarters and so on must neither lose what was written in the
first or the last second of a window nor count it twice.
"""

import zlib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from issue_pipeline.sandbox.world.posts import SimulatedPost, World

_WINDOW_S = 6 * 3600  # of a day halved twice
# First and last second of each window, in order.
EDGES_S = tuple(
    edge_s
    for start_s in range(0, 86_400, _WINDOW_S)
    for edge_s in (start_s, start_s + _WINDOW_S - 1)
)


class CrowdedWorld:
    """A world with a share of its posts moved to the nearest such second of the same day.

    Args:
        world: The posts.
        share: Of posts that are moved, 0 to 1.
        seed: Which ones.
    """

    def __init__(self, world: World, share: float, seed: int) -> None:
        self._world = world
        self._share = share
        self._seed = seed

    def posts(self, source: str, day: date) -> Sequence[SimulatedPost]:
        """Return the posts of one source created on one UTC day, by (created_at, number)."""
        moved = (self._moved(post) for post in self._world.posts(source, day))
        return sorted(moved, key=lambda post: (post.created_at, post.number))

    def channels(self, source: str) -> tuple[str, ...]:
        """Return every channel of the source in which posts can appear, sorted."""
        return self._world.channels(source)

    def _moved(self, post: SimulatedPost) -> SimulatedPost:
        name = f"edge/{self._seed}/{post.source}/{post.number}"
        if zlib.crc32(name.encode()) / 2**32 >= self._share:
            return post
        midnight = datetime.combine(post.created_at.date(), time(), UTC)
        at_s = int((post.created_at - midnight).total_seconds())
        return replace(post, created_at=midnight + timedelta(seconds=_nearest_edge_s(at_s)))


def _nearest_edge_s(at_s: int) -> int:
    """Return the edge nearest to a second of the day; of two as near, the earlier."""
    after = bisect_left(EDGES_S, at_s)
    candidates = EDGES_S[max(0, after - 1) : after + 1]
    return min(candidates, key=lambda edge_s: abs(edge_s - at_s))
