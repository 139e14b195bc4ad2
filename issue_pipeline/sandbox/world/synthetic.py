"""A world of recurring problems told by many people, among as much unrelated chatter."""

import random
import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from issue_pipeline.sandbox.world import channels
from issue_pipeline.sandbox.world.content import (
    SOURCES,
    Bot,
    Content,
    Problem,
    Topic,
    shipped_content,
)  # fmt: skip
from issue_pipeline.sandbox.world.day_plan import PlannedPost, plan_day, topic_capacity
from issue_pipeline.sandbox.world.lifecycle import cluster_unit, largest_size
from issue_pipeline.sandbox.world.posts import SimulatedPost, Truth
from issue_pipeline.sandbox.world.seeded import seeded_random
from issue_pipeline.sandbox.world.telling import tell
from issue_pipeline.sandbox.world.titles import TitleWalk, problem_walk, topic_walk
from issue_pipeline.sandbox.world.writing import (
    WrittenPost,
    write_chatter,
    write_notice,
    write_report,
)

WORLD_BEGINS = date(2015, 1, 1)
"""Before this day nobody posted anything."""

NUMBERS_PER_DAY = 10_000
"""Post numbers that a day owns in each source."""

MAX_POSTS_PER_DAY = 20_000
"""More would not fit ``NUMBERS_PER_DAY`` with the uneven shares of the sources."""

MIN_POSTS_PER_DAY = 20

CACHED_DAYS = 8

BUSY_HOUR, BUSY_SHARE = 15, 0.12
"""The hour (UTC) in which this share of the posts is written, beside its part of the rest."""

SAME_SECOND_POSTS = 4
"""So many posts of each source share one second of the day."""

_DAY_S = 86_400


class SyntheticWorld:
    """The synthetic world; any day on demand, always the same for a seed.

    Days are made independently of one another and the last few are kept, so memory stays small
    and a day costs a fraction of a second. Safe to use from several threads.

    Args:
        seed: Another seed gives another world of the same content.
        posts_per_day: Posts of all four sources together.
        content: What the world can say; the shipped content by default.

    Raises:
        ValueError: ``posts_per_day`` is out of range.
        ContentError: The content cannot be used.
    """

    def __init__(
        self, seed: int = 7, posts_per_day: int = 1500, content: Content | None = None
    ) -> None:
        if not MIN_POSTS_PER_DAY <= posts_per_day <= MAX_POSTS_PER_DAY:
            raise ValueError(
                f"posts_per_day must be {MIN_POSTS_PER_DAY} to {MAX_POSTS_PER_DAY}, "
                f"got {posts_per_day}"
            )
        self._seed = seed
        self._posts_per_day = posts_per_day
        self._content = shipped_content() if content is None else content
        stride = largest_size(cluster_unit(posts_per_day))
        capacity = topic_capacity(self._content, posts_per_day)
        self._walks: dict[str, TitleWalk] = {
            **{p.id: problem_walk(seed, p, stride) for p in self._content.problems},
            **{t.id: topic_walk(seed, t, capacity) for t in self._content.topics},
        }
        self._days: OrderedDict[date, dict[str, tuple[SimulatedPost, ...]]] = OrderedDict()
        self._lock = threading.Lock()

    def posts(self, source: str, day: date) -> Sequence[SimulatedPost]:
        """Return the posts of one source created on one UTC day, by (created_at, number).

        Args:
            source: ``github``, ``stackoverflow``, ``reddit`` or ``hackernews``.
            day: Days before ``WORLD_BEGINS`` have no posts.

        Raises:
            ValueError: The source is unknown.
        """
        _require_source(source)
        if day < WORLD_BEGINS:
            return ()
        with self._lock:
            if day not in self._days:
                self._days[day] = self._make_day(day)
                if len(self._days) > CACHED_DAYS:
                    self._days.popitem(last=False)
            self._days.move_to_end(day)
            return self._days[day][source]

    def channels(self, source: str) -> tuple[str, ...]:
        """Return every channel of the source in which posts can appear, sorted.

        Raises:
            ValueError: The source is unknown.
        """
        _require_source(source)
        return channels.all_channels(source)

    def _make_day(self, day: date) -> dict[str, tuple[SimulatedPost, ...]]:
        ordinal = day.toordinal()
        plan = plan_day(self._content, self._seed, self._posts_per_day, ordinal)
        by_source: dict[str, list[PlannedPost]] = {source: [] for source in SOURCES}
        for planned in plan:
            by_source[planned.source].append(planned)
        return {
            source: self._make_posts(source, day, planned) for source, planned in by_source.items()
        }

    def _make_posts(
        self, source: str, day: date, planned: list[PlannedPost]
    ) -> tuple[SimulatedPost, ...]:
        seconds = _times_of_day(len(planned), seeded_random(self._seed, "times", source, day))
        first_number = (day - WORLD_BEGINS).days * NUMBERS_PER_DAY + 1
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return tuple(
            self._make_post(post, day, first_number + i, midnight + timedelta(seconds=second))
            for i, (post, second) in enumerate(zip(planned, seconds, strict=True))
        )

    def _make_post(
        self, planned: PlannedPost, day: date, number: int, created_at: datetime
    ) -> SimulatedPost:
        about, source = planned.about, planned.source
        rng = seeded_random(self._seed, "post", about.id, day, planned.position)
        written = self._write(planned, day, rng)
        comments, votes = channels.comments_and_votes(source, rng)
        return SimulatedPost(
            number=number,
            source=source,
            channel=written.channel,
            author=about.author if isinstance(about, Bot) else channels.author_name(source, rng),
            title=written.title,
            body=written.body,
            created_at=created_at,
            comment_count=comments,
            vote_count=votes,
            link=written.link,
            tags=channels.tags_for(source, written.channel, rng),
            truth=_truth(about),
        )

    def _write(self, planned: PlannedPost, day: date, rng: random.Random) -> WrittenPost:
        match planned.about:
            case Bot() as bot:
                return write_notice(bot, planned.position, planned.source, rng)
            case Problem() as problem:
                title = self._walks[problem.id].pattern(day.toordinal(), planned.position)
                neighbours = [
                    other
                    for other in self._content.problems
                    if other.category == problem.category and other is not problem
                ]
                told = tell(problem, neighbours, (self._seed, day), planned.position, rng)
                return write_report(problem, told, title, planned.source, rng)
            case Topic() as topic:
                title = self._walks[topic.id].pattern(day.toordinal(), planned.position)
                return write_chatter(topic, title, planned.source, rng)


def _require_source(source: str) -> None:
    if source not in SOURCES:
        raise ValueError(f"unknown source {source!r}; expected one of {', '.join(SOURCES)}")


def _truth(about: Problem | Bot | Topic) -> Truth | None:
    if isinstance(about, Topic):
        return None
    return Truth(about.id, about.category, about.would_pay, about.impact)


def _times_of_day(count: int, rng: random.Random) -> list[int]:
    """Return ``count`` sorted seconds of a day.

    The first and the last second of the day are always among them, several posts share one
    second, one hour is busy, and the rest is anywhere.
    """
    shared = rng.randrange(1, _DAY_S - 1)
    special = [0, _DAY_S - 1, *[shared] * SAME_SECOND_POSTS][:count]
    seconds = list(special)
    while len(seconds) < count:
        busy = rng.random() < BUSY_SHARE
        seconds.append(BUSY_HOUR * 3600 + rng.randrange(3600) if busy else rng.randrange(_DAY_S))
    return sorted(seconds)
