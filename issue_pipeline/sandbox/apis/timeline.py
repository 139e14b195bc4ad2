"""Range queries over a world: which posts were there between two moments, up to now.

A world knows days. The APIs ask for ranges of seconds, for one channel, or for the newest posts.
Nothing later than the simulator's clock is ever given out, and no query looks back further than a
fixed span from its end, so that an open-ended one cannot make a world without end.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from issue_pipeline.sandbox.world.posts import SimulatedPost, World

DEFAULT_HISTORY_DAYS = 400
MAX_CACHED_POSTS = 150_000  # some 300 MB of posts of ordinary length
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


def from_epoch(seconds: int) -> datetime:
    """Turn seconds since the epoch into UTC; what no calendar holds goes to its nearest end."""
    last = int((_END_OF_TIME - EPOCH).total_seconds())
    return EPOCH + timedelta(seconds=min(max(seconds, 0), last))


@dataclass(slots=True)
class _Day:
    """One source-day of the world."""

    posts: Sequence[SimulatedPost]
    by_channel: dict[str, list[SimulatedPost]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for post in self.posts:
            self.by_channel.setdefault(post.channel, []).append(post)

    def of(self, channel: str | None) -> Sequence[SimulatedPost]:
        return self.posts if channel is None else self.by_channel.get(channel, ())


class Timeline:
    """The world as it stands now. Days are cached, the ones not used for longest dropped first.

    Args:
        world: The posts.
        now: The simulator's clock, with a zone.
        history_days: How far a query looks back from its end, at least 1.
        is_visible: Whether a post is shown at present; all are by default.
    """

    def __init__(
        self,
        world: World,
        now: Callable[[], datetime],
        history_days: int = DEFAULT_HISTORY_DAYS,
        is_visible: Callable[[SimulatedPost], bool] = lambda post: True,
    ) -> None:
        if history_days < 1:
            raise ValueError(f"history_days must be at least 1, got {history_days}")
        self._world = world
        self._now = now
        self._span = timedelta(days=history_days)
        self._is_visible = is_visible
        self._days: OrderedDict[tuple[str, date], _Day] = OrderedDict()
        self._cached_posts = 0

    def now(self) -> datetime:
        """Return the simulator's time, UTC, whole seconds."""
        return self._now().astimezone(UTC).replace(microsecond=0)

    def beginning(self) -> datetime:
        """Return the earliest moment that an open-ended query covers, UTC."""
        return self._bounds(None, None)[0]

    def between(
        self,
        source: str,
        start: datetime | None,
        end: datetime | None,
        channel: str | None = None,
    ) -> list[SimulatedPost]:
        """Return the posts created in ``[start, end)``, none of them later than now.

        Args:
            source: One of the four sources.
            start: UTC; ``None``, or anything earlier, is the history's length before the end.
            end: UTC; ``None`` is now.
            channel: Only this channel, spelt as in the world.

        Returns:
            Posts by (created_at, number), oldest first; empty if the range is.
        """
        first, after = self._bounds(start, end)
        found: list[SimulatedPost] = []
        day = first.date()
        while first < after and day <= (after - _SECOND).date():
            posts = self._day(source, day).of(channel)
            low = bisect_left(posts, first, key=_created)
            high = bisect_left(posts, after, key=_created)
            found.extend(filter(self._is_visible, posts[low:high]))
            day += _DAY
        return found

    def newest_first(self, source: str, channel: str | None) -> Iterator[SimulatedPost]:
        """Yield the posts of one channel, reading days only as far back as the caller goes.

        Args:
            source: One of the four sources.
            channel: Spelt as in the world; ``None`` for all of them.

        Yields:
            Posts by (created_at, number), newest first, as far back as the history goes.
        """
        first, after = self._bounds(None, None)
        day = (after - _SECOND).date()
        while day >= first.date():
            posts = self._day(source, day).of(channel)
            newest = bisect_left(posts, after, key=_created)
            oldest = bisect_left(posts, first, key=_created)
            yield from filter(self._is_visible, reversed(posts[oldest:newest]))
            day -= _DAY

    def channel(self, source: str, name: str) -> str | None:
        """Find a channel whatever its case; ``None`` if the source has no such channel."""
        return self._channels.get(source, {}).get(name.lower())

    def channels(self, source: str) -> Sequence[str]:
        """Return every channel of a source."""
        return list(self._channels[source].values())

    @cached_property
    def _channels(self) -> Mapping[str, Mapping[str, str]]:
        sources = ("github", "stackoverflow", "reddit", "hackernews")
        return {
            source: {name.lower(): name for name in self._world.channels(source)}
            for source in sources
        }

    def _bounds(self, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
        now = self.now() + _SECOND
        after = now if end is None else min(end, now)
        if after <= EPOCH + self._span:
            return EPOCH, EPOCH
        earliest = after - self._span
        return (earliest if start is None else max(start, earliest)), after

    def _day(self, source: str, day: date) -> _Day:
        key = (source, day)
        cached = self._days.get(key)
        if cached is not None:
            self._days.move_to_end(key)
            return cached
        made = self._days[key] = _Day(self._world.posts(source, day))
        self._cached_posts += len(made.posts)
        while self._cached_posts > MAX_CACHED_POSTS and len(self._days) > 1:
            _, dropped = self._days.popitem(last=False)
            self._cached_posts -= len(dropped.posts)
        return made


def _created(post: SimulatedPost) -> datetime:
    return post.created_at
