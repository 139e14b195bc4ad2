"""The one kind of post that every simulated API serves, and what a world must be able to tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Truth:
    """What a synthetic report is really about; never served by an API.

    Attributes:
        problem: Id of the problem, the same in every report of it.
        category: One of the eight label categories.
        would_pay: Whether the tellers of the problem would pay for a fix.
        impact: ``low``, ``medium`` or ``high``.
    """

    problem: str
    category: str
    would_pay: bool
    impact: str


@dataclass(frozen=True, slots=True)
class SimulatedPost:
    """One post as its author wrote it, before any API dresses it up.

    Attributes:
        number: Unique within its source over all days; the APIs derive their ids from it.
        source: ``github``, ``stackoverflow``, ``reddit`` or ``hackernews``.
        channel: ``owner/repo``, first tag, subreddit, or ``story`` / ``ask_hn`` / ``show_hn``.
        author: Login of the author.
        title: Plain text; an API escapes it where the real one does.
        body: In the source's own markup (GitHub and Reddit: Markdown; Stack Overflow and
            Hacker News: HTML); ``None`` where the author left it empty.
        created_at: UTC, whole seconds.
        comment_count: Comments or answers, at least 0.
        vote_count: Reactions, score or points.
        link: Where a link post (Reddit, Hacker News) points; ``None`` for a text post.
        tags: Stack Overflow tags or GitHub labels.
        truth: What the report is about; ``None`` for chatter and for real posts.
    """

    number: int
    source: str
    channel: str
    author: str
    title: str
    body: str | None
    created_at: datetime
    comment_count: int
    vote_count: int
    link: str | None = None
    tags: tuple[str, ...] = ()
    truth: Truth | None = None


class World(Protocol):
    """Anything that knows which posts were written on which UTC day."""

    def posts(self, source: str, day: date) -> Sequence[SimulatedPost]:
        """Posts of one source created on one UTC day, by (created_at, number); maybe none."""
        ...

    def channels(self, source: str) -> tuple[str, ...]:
        """Every channel of the source in which posts can appear, sorted."""
        ...
