"""What the four parsers share: tolerant with what may be missing, strict with what may not."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from issue_pipeline.errors import UnexpectedReplyError
from issue_pipeline.records import Collection, Post
from issue_pipeline.resources.collectors.http import ApiClient
from issue_pipeline.utils.urls import is_web_address

# The largest whole number that every store keeps exactly.
MAX_COUNT = 2**53 - 1

# One raw item of a reply to a post, or the reason to leave it out.
Parser = Callable[[dict[str, Any]], Post | str]


@dataclass(frozen=True, slots=True)
class Day:
    """A UTC calendar day as the half-open span [start, end)."""

    date: date

    @property
    def start(self) -> datetime:
        """Midnight at which the day begins."""
        return datetime(self.date.year, self.date.month, self.date.day, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """Midnight at which the next day begins."""
        return self.start + timedelta(days=1)

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


@dataclass(slots=True)
class Harvest:
    """Collects the items of overlapping pages: each post once, and a count of what was dropped."""

    day: Day
    posts: dict[str, Post] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    _seen: set[str] = field(default_factory=set)

    def add(self, key: str, item: dict[str, Any], parse: Parser) -> None:
        """Take an item, unless one with this key was taken before."""
        if key in self._seen:
            return
        self._seen.add(key)
        parsed = parse(item)
        if isinstance(parsed, str):
            self.dropped[parsed] += 1
        elif parsed.created_at not in self.day:
            return
        elif not is_web_address(parsed.url):
            self.dropped["no web address"] += 1
        else:
            self.posts[key] = parsed

    @property
    def fetched_count(self) -> int:
        """Distinct items of the day received, dropped ones included."""
        return len(self.posts) + sum(self.dropped.values())

    def collection(
        self, client: ApiClient, *, expected_count: int | None, problems: Sequence[str]
    ) -> Collection:
        """Close the harvest: the day is complete if there is no problem to report."""
        return Collection(
            posts=tuple(self.posts.values()),
            expected_count=expected_count,
            fetched_count=self.fetched_count,
            dropped=dict(self.dropped),
            complete=not problems,
            reason="; ".join(problems),
            requests=client.requests,
            waited_s=client.waited_s,
        )


def text(value: object) -> str:
    """Read a text field: ``None`` becomes ``""``, half surrogate pairs become U+FFFD."""
    if value is None:
        return ""
    return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def count(*values: object) -> int:
    """Read a count: the sum of the numbers given, anything else (NaN, infinity) counting 0."""
    total = sum(
        int(value)
        for value in values
        if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    )
    return max(-MAX_COUNT, min(total, MAX_COUNT))


def from_epoch(seconds: float) -> datetime:
    """Read seconds since 1970 as an aware UTC datetime.

    Raises:
        UnexpectedReplyError: No calendar has that second, as with milliseconds.
    """
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UnexpectedReplyError(f"Expected seconds since 1970, got {seconds!r}.") from error


def from_iso(moment: str) -> datetime:
    """Read an ISO 8601 time as an aware UTC datetime; one that names no zone is UTC.

    Raises:
        UnexpectedReplyError: It is no such time.
    """
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError as error:
        raise UnexpectedReplyError(f"Expected an ISO 8601 time, got {moment[:100]!r}.") from error
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def epoch(moment: datetime) -> int:
    """Write an aware datetime as whole seconds since 1970."""
    return int(moment.timestamp())
