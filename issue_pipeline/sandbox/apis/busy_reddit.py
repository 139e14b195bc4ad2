"""The rest of Reddit: a subreddit in which somebody writes at any time of the day.

The real site never rests, and a client may look at its busiest subreddit, or at ``r/all``, to see
how far a listing or an archive has got. A world knows a few subreddits only.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from issue_pipeline.sandbox.world.posts import SimulatedPost, World

BUSY_SUBREDDIT = "AskReddit"
INTERVAL = timedelta(minutes=10)
# Far beyond the numbers of any world.
_FIRST_NUMBER = 10_000_000_000
_EPOCH = date(1970, 1, 1)
_PER_DAY = timedelta(days=1) // INTERVAL


class BusyWorld:
    """A world, and beside it a subreddit with a post every ten minutes.

    Args:
        world: All other posts.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def posts(self, source: str, day: date) -> Sequence[SimulatedPost]:
        """Return the posts of one source created on one UTC day, by (created_at, number)."""
        posts = self._world.posts(source, day)
        if source != "reddit":
            return posts
        return sorted([*posts, *_busy(day)], key=lambda post: (post.created_at, post.number))

    def channels(self, source: str) -> tuple[str, ...]:
        """Return every channel of the source in which posts can appear, sorted."""
        channels = self._world.channels(source)
        return tuple(sorted({*channels, BUSY_SUBREDDIT})) if source == "reddit" else channels


def _busy(day: date) -> list[SimulatedPost]:
    midnight = datetime.combine(day, time(), UTC)
    first = _FIRST_NUMBER + (day - _EPOCH).days * _PER_DAY
    return [
        SimulatedPost(
            number=first + place,
            source="reddit",
            channel=BUSY_SUBREDDIT,
            author="everybody",
            title="What did you do all day?",
            body=None,
            created_at=midnight + place * INTERVAL,
            comment_count=1,
            vote_count=1,
        )
        for place in range(_PER_DAY)
    ]
