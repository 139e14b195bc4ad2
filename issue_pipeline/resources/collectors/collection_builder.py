"""What a collection has brought so far: every post once, and a count of whatever else came."""

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from issue_pipeline.errors import (
    CollectionError,
    NetworkBlockedError,
    QuotaExhaustedError,
    RequestRejectedError,
    TimeBudgetError,
    TransientError,
    UnexpectedReplyError,
    UnreachableError,
)
from issue_pipeline.records import Collection, Post
from issue_pipeline.resources.collectors.http import ApiClient
from issue_pipeline.resources.collectors.parsing import epoch
from issue_pipeline.resources.collectors.windows import Beyond
from issue_pipeline.utils.printable import printable
from issue_pipeline.utils.urls import is_web_address

logger = logging.getLogger(__name__)

MAX_TITLE_CHARS = 1_000
# How often a collection that takes long says how far it is.
PROGRESS_EVERY_S = 15.0
# Problems that a reason tells one by one.
_TOLD_PROBLEMS = 5
# Parts that fail one after the other, each after many tries, before the source is taken for down.
MAX_FAILING_PARTS = 3
# Looks for the end of the day after something later was seen elsewhere only.
_LOOKS_AGAIN = 2

Item = dict[str, Any]


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

    @property
    def first_s(self) -> int:
        """First second of the day, since 1970."""
        return epoch(self.start)

    @property
    def last_s(self) -> int:
        """Last second of the day, since 1970."""
        return epoch(self.end) - 1

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True)
class Reader:
    """How the items of one API are read. Both functions raise ``UnexpectedReplyError``.

    Attributes:
        identify: Gives an item's key, unique within the source, and its aware creation time.
        parse: Turns an item into a post, or gives the reason to leave it out.
    """

    identify: Callable[[Item], tuple[str, datetime]]
    parse: Callable[[Item], Post | str]


@dataclass(slots=True)
class CollectionBuilder:
    """Takes the items of overlapping pages: each post once.

    Attributes:
        day: Only its posts are kept.
        max_body_chars: Longer bodies are cut to this, and counted.
        posts: By the source's key.
        dropped: Items of the day left out, by reason.
        problems: Why the day is not complete.
        notes: What a complete day does not contain, and why it is complete nevertheless.
        hidden: Posts that the source counts and does not show.
        title: What the progress that is logged calls the source; ``""`` for none to be logged.
    """

    day: Day
    max_body_chars: int
    posts: dict[str, Post] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hidden: int = 0
    title: str = ""
    _logged_s: float = field(default_factory=time.monotonic)
    _seen: set[str] = field(default_factory=set)
    _cut: int = 0
    _unreadable: list[str] = field(default_factory=list)
    _has_read: bool = False

    def _log_progress(self, page: Mapping[str, int | None]) -> None:
        """Log every now and then how far the collection is: it may take an hour."""
        now_s = time.monotonic()
        if not self.title or now_s - self._logged_s < PROGRESS_EVERY_S:
            return
        self._logged_s = now_s
        newest = max((second for second in page.values() if second is not None), default=None)
        at = "" if newest is None else f", now at {datetime.fromtimestamp(newest, UTC):%H:%M:%S}"
        logger.info("%s: %d posts so far%s", self.title, len(self.posts), at)

    def add_page(
        self, items: Iterable[Any], reader: Reader, *, skip_other_days: bool = False
    ) -> dict[str, int | None]:
        """Take the items of one page, except those taken before.

        Args:
            items: As the source gave them.
            reader: How they are read.
            skip_other_days: Whether items of other days are to be expected. Otherwise they were
                not asked for, and are counted as dropped.

        Returns:
            The key of every item with its second since 1970; ``None`` where it cannot be read.

        Raises:
            UnexpectedReplyError: None of them can be read, nor any that came before: these are no
                pages of such items.
        """
        found: dict[str, int | None] = {}
        error = None
        for item in items:
            try:
                key, created_at = reader.identify(item)
                wanted = created_at in self.day or not skip_other_days
                if wanted and key not in self._seen:
                    self._add(key, created_at, reader.parse(item))
            except UnexpectedReplyError as unreadable:
                error = unreadable
                key = hashlib.sha256(repr(item).encode("utf-8", "replace")).hexdigest()
                found[key] = None
                self._note_unreadable(key, str(unreadable))
            else:
                found[key] = epoch(created_at)
        self._log_progress(found)
        self._has_read |= any(second is not None for second in found.values())
        if error is not None and not self._has_read:
            raise error
        return found

    def _add(self, key: str, created_at: datetime, parsed: Post | str) -> None:
        if isinstance(parsed, str):
            self.dropped[parsed] += 1
        elif created_at not in self.day:
            self.dropped["created on another day"] += 1
        elif not is_web_address(parsed.url):
            raise UnexpectedReplyError(f"Expected a web address, got {parsed.url[:200]!r}.")
        else:
            self.posts[key] = self._within_limits(parsed)
        self._seen.add(key)

    def keys(self) -> set[str]:
        """Return the keys of all items that were taken, dropped ones included."""
        return set(self._seen)

    def replace_body(self, key: str, body: str) -> None:
        """Set the body of a post of the day that came apart from the post itself."""
        self.posts[key] = self._within_limits(replace(self.posts[key], body=body))

    def _within_limits(self, post: Post) -> Post:
        if len(post.body) <= self.max_body_chars and len(post.title) <= MAX_TITLE_CHARS:
            return post
        self._cut += 1
        return replace(
            post, title=post.title[:MAX_TITLE_CHARS], body=post.body[: self.max_body_chars]
        )

    def _note_unreadable(self, key: str, why: str) -> None:
        if key not in self._seen:
            self._seen.add(key)
            self.dropped["unreadable"] += 1
            self._unreadable.append(why)

    @contextmanager
    def keeping_what_came(self) -> Iterator[None]:
        """End early, but with what has come, when the quota or the time is spent.

        Raises:
            QuotaExhaustedError: Nothing has come.
            TimeBudgetError: Likewise.
        """
        try:
            yield
        except (QuotaExhaustedError, TimeBudgetError) as error:
            if not self.posts:
                raise
            moments = [post.created_at for post in self.posts.values()]
            self.problems.append(
                f"{error} Until then {len(moments)} posts were read, from {min(moments):%H:%M:%S}"
                f" to {max(moments):%H:%M:%S} UTC"
            )

    @property
    def fetched_count(self) -> int:
        """Distinct items of the day received, dropped ones included."""
        return len(self.posts) + sum(self.dropped.values())

    def collection(self, *clients: ApiClient, expected_count: int | None = None) -> Collection:
        """Close the builder: the day is complete if there is no problem to report."""
        problems = list(self.problems)
        if self._unreadable:
            problems.append(
                f"{len(self._unreadable)} items could not be read, the first because:"
                f" {printable(self._unreadable[0], 200)}"
            )
        if (more := len(problems) - _TOLD_PROBLEMS) > 0:
            problems[_TOLD_PROBLEMS:] = [f"{more} more problems"]
        return Collection(
            posts=tuple(sorted(self.posts.values(), key=lambda post: (post.created_at, post.url))),
            expected_count=expected_count,
            fetched_count=self.fetched_count,
            dropped=dict(self.dropped),
            cut_count=self._cut,
            complete=not problems,
            reason="; ".join(problems or self.notes[:_TOLD_PROBLEMS]),
            requests=sum(client.requests for client in clients),
            waited_s=sum(client.waited_s for client in clients),
            hidden_count=self.hidden,
        )


def ends_before(second: int, found: Mapping[str, int | None]) -> bool:
    """Return whether a page that lists the newest first ends before a second since 1970.

    Old posts may be pinned, and real lists are not always in order: of a page that is not, every
    post must be older.
    """
    readable = [at for at in found.values() if at is not None]
    if readable == sorted(readable, reverse=True):
        readable = readable[-1:]
    return bool(readable) and max(readable) < second


def read_each(
    names: Sequence[str], read: Callable[[str], None], builder: CollectionBuilder
) -> None:
    """Read one part of a source after the other.

    A part that cannot be read is named among the problems, and the others are read. Should time or
    quota end, or the source be down, those unread are named.

    Args:
        names: Of the parts.
        read: Reads one of them.
        builder: Takes the problems.

    Raises:
        CollectionError: The source as a whole refuses us, or no part could be read.
    """
    failures: list[CollectionError] = []
    in_a_row = 0
    was_read = False
    for place, name in enumerate(names):
        unread = f"not read to the end: {', '.join(names[place:])}"
        try:
            read(name)
        except (QuotaExhaustedError, TimeBudgetError):
            builder.problems.append(unread)
            raise
        except CollectionError as error:
            if not _is_of_a_part(error):
                raise
            failures.append(error)
            builder.problems.append(_named(name, error))
            in_a_row = in_a_row + 1 if isinstance(error, TransientError) else 0
            if in_a_row == MAX_FAILING_PARTS and place + 1 < len(names):
                builder.problems.append(unread)
                break
        else:
            in_a_row, was_read = 0, True
    if failures and not was_read:
        raise failures[0]


def read_each_and_prove(
    names: Sequence[str],
    read: Callable[[str], bool],
    why_not_past: Callable[[], str],
    builder: CollectionBuilder,
) -> tuple[list[str], str]:
    """Read each part, as :func:`read_each`; see that the source was past the day when it was read.

    One that shows nothing later than the day is proven by one read before it that did. Without such
    an one the source is looked at elsewhere, once. What was read before the source showed that it
    is past the day is read again, for it may have caught up meanwhile.

    Args:
        names: Of the parts.
        read: Reads one of them, and returns whether it showed something later than the day.
        why_not_past: Looks elsewhere; returns why the source is not known to be past the day.
        builder: Takes the problems. A part that has one needs no proof.

    Returns:
        The parts without a proof, and the reason.

    Raises:
        CollectionError: The source as a whole refuses us, or no part could be read.
    """
    unproven: list[str] = []
    is_past, reason = False, ""

    def read_one(name: str) -> None:
        nonlocal is_past, reason
        known = len(builder.problems)
        is_past |= read(name)
        if is_past or len(builder.problems) > known:
            return
        if not reason:
            reason = why_not_past()
            is_past = not reason
        if is_past:
            read_again(name)
        else:
            unproven.append(name)

    def read_again(name: str) -> None:
        # What the first reading brought stays, though this one fails.
        try:
            read(name)
        except CollectionError as error:
            if not _leaves_what_was_read(error):
                raise
            builder.problems.append(_named(name, error))

    read_each(names, read_one, builder)
    if is_past:
        # A later part has shown it after all.
        while unproven:
            read_again(unproven.pop(0))
    return unproven, reason


def _named(name: str, error: CollectionError) -> str:
    return str(error) if name in str(error) else f"{name}: {error}"


def look_beyond(
    looks: Sequence[Callable[[], Iterable[Any]]],
    read: Reader,
    builder: CollectionBuilder,
    nothing_later: str,
    elsewhere: Callable[[], bool] = lambda: False,
) -> Beyond:
    """Ask a source for what follows the last known post, until it shows something later.

    One reply must show both what the day still holds and something later: a source may answer in
    turn from several copies, and one that lags behind shows no end that is later than the day.

    Args:
        looks: Each asks for everything from some second on, and returns what came; one after the
            other, for a reply may be empty by mistake.
        read: How items are read.
        builder: Takes those of the day.
        nothing_later: The reason where nothing later comes.
        elsewhere: Returns whether the source has something later of another kind.

    Returns:
        The posts of the day that came, and whether the source is past it.

    Raises:
        CollectionError: Key, quota or time are at an end. Otherwise what was read stays, though
            not proven.
    """
    day = builder.day
    known = builder.keys()

    def found_in(items: Iterable[Any]) -> tuple[dict[str, int | None], bool]:
        of_day, is_past = [], False
        for item in items:
            try:
                _, created_at = read.identify(item)
            except UnexpectedReplyError:
                continue
            is_past |= created_at >= day.end
            if created_at in day:
                of_day.append(item)
        return (builder.add_page(of_day, read) if of_day else {}), is_past

    found: dict[str, int | None] = {}

    def is_past(looks: Iterable[Callable[[], Iterable[Any]]]) -> bool:
        for look in looks:
            came, has_later = found_in(item for item in look() if isinstance(item, dict))
            found.update(came)
            if has_later:
                return True
            if not found.keys() <= known:
                return False  # the day goes on: to be read on first
        return False

    try:
        if is_past(looks):
            return Beyond(found, is_past=True)
        if found.keys() <= known and elsewhere():
            # No reply can show both: what was asked before is asked once more.
            is_past(looks[:_LOOKS_AGAIN])
            return Beyond(found, is_past=found.keys() <= known)
    except CollectionError as error:
        if not _leaves_what_was_read(error):
            raise
        return Beyond(found, reason=f"that the source is past the day could not be seen: {error}")
    return Beyond(found, reason="" if not found.keys() <= known else nothing_later)


def shows_later(
    look: Callable[[], Iterable[Any]],
    identify: Callable[[Item], tuple[str, datetime]],
    day: Day,
    *,
    looks: int,
) -> bool:
    """Return whether a source shows an item that is later than the day.

    Args:
        look: Asks for what is later, and returns what came: anything, or nothing.
        identify: As of :class:`Reader`.
        day: The day.
        looks: How often it is asked at most; a reply may be empty by mistake.

    Raises:
        CollectionError: The source could not be asked.
    """

    def is_later(item: object) -> bool:
        try:
            return isinstance(item, dict) and identify(item)[1] >= day.end
        except UnexpectedReplyError:
            return False

    return any(is_later(item) for _ in range(looks) for item in look())


def why_not_past(shows_later: Callable[[], bool], nothing_later: str) -> str:
    """Return why a source is not known to be past the day; ``""`` where it is.

    Args:
        shows_later: Asks the source for something later than the day.
        nothing_later: The reason where it has nothing.

    Raises:
        CollectionError: Key, quota or time are at an end. Otherwise what was read stays, though
            not proven.
    """
    try:
        return "" if shows_later() else nothing_later
    except CollectionError as error:
        if not _leaves_what_was_read(error):
            raise
        return f"that the source is past the day could not be seen: {error}"


def _is_of_a_part(error: CollectionError) -> bool:
    """Return whether an error leaves the other parts of a source readable."""
    passing = (TransientError, UnexpectedReplyError, RequestRejectedError)
    return bool(error.part) or isinstance(error, passing)


def _leaves_what_was_read(error: CollectionError) -> bool:
    """Return whether an error that comes after a good reading is no reason to give that up."""
    return _is_of_a_part(error) or isinstance(error, NetworkBlockedError | UnreachableError)
