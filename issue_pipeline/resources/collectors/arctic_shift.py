"""Reddit's past: the posts of any day in a list of subreddits, from the Arctic Shift archive.

Source: https://github.com/ArthurHeitmann/arctic_shift/blob/master/api/README.md
The archive is run by volunteers, takes no credentials and promises no uptime; it may lag by hours.
It knows days that Reddit's own listings have long moved past, but the votes and comments of posts
younger than 36 hours are placeholders. It counts nothing, so every subreddit is read twice.
"""

from collections.abc import Sequence
from typing import Any

import httpx

from issue_pipeline.errors import (
    CollectionError,
    PageTooLargeError,
    RequestRejectedError,
    TransientError,
)
from issue_pipeline.resources.collectors.collection_builder import (
    CollectionBuilder,
    read_each_and_prove,
    why_not_past,
)
from issue_pipeline.resources.collectors.http import (
    ATTEMPTS,
    ApiClient,
    ApiPolicy,
    Parameters,
    expect,
    number_in,
    retry_after_s,
    within_window,
)
from issue_pipeline.resources.collectors.reddit import READER
from issue_pipeline.resources.collectors.windows import Page, read_span

# A query that takes it too long ends as 422; of a page of 50 instead of 100 it may come at once
# (arctic_shift#66).
PAGE_SIZES = (100, 50, 25, 10)
PAGE_SIZE = PAGE_SIZES[0]
# Tries of a page before a smaller one is tried.
ATTEMPTS_OF_A_SIZE = 2
# Posts are written here every few seconds: whether the archive is past a day.
BUSY_SUBREDDIT = "AskReddit"
MAX_PROBES = 3
# Windows of its limit are minutes; some replies tell a moment instead of seconds.
LONGEST_RESET_S = 600.0
_OVERTAXED = ("timeout", "timed out", "time out", "slow down", "too many", "overload", "busy",
              "try again", "temporar")  # fmt: skip
_THROTTLES = ("slow down", "too many")


def read_error(response: httpx.Response) -> CollectionError | None:
    """An overtaxed archive answers 400 or 422 and says so; that passes."""
    status, words = response.status_code, response.text.lower()
    said = f"Arctic Shift answered {status}: {response.text[:200]!r}."
    if status == 429:
        wait_s = retry_after_s(response.headers)
        if wait_s is None:
            wait_s = _until_reset_s(response.headers)
        wait_s = None if wait_s is None else min(wait_s, LONGEST_RESET_S)
        return TransientError(said, wait_s=wait_s, is_throttle=True)
    if status in (400, 422):
        if any(word in words for word in _OVERTAXED):
            is_throttle = not words.count("time") and any(one in words for one in _THROTTLES)
            return TransientError(f"{said} It is overtaxed; that passes.", is_throttle=is_throttle)
        if "subreddit" in words:
            return RequestRejectedError(f"{said} Check REDDIT_SUBREDDITS.")
        if status == 422 or "limit" in words:
            return PageTooLargeError(f"{said} It does not give so many posts at once.")
        return RequestRejectedError(
            f"{said} It does not understand the request. Check REDDIT_SUBREDDITS."
        )
    return None


def read_pause(headers: httpx.Headers, _payload: Any) -> float:  # noqa: ANN401
    """Wait for the next window after the last request of this one."""
    if number_in(headers, "x-ratelimit-remaining") != 0:
        return 0.0
    return _until_reset_s(headers) or 0.0


def read_body_status(payload: Any) -> int:  # noqa: ANN401
    """Read a refusal that came with a good status."""
    is_error = isinstance(payload, dict) and payload.get("error") and not payload.get("data")
    return 422 if is_error else 0


def _until_reset_s(headers: httpx.Headers) -> float | None:
    return within_window(number_in(headers, "x-ratelimit-reset"), LONGEST_RESET_S)


API_POLICY = ApiPolicy(
    "Arctic Shift",
    "REDDIT_ARCHIVE_URL",
    "",
    read_error,
    read_pause,
    read_body_status,
    follow_redirects=True,
)


def collect(client: ApiClient, subreddits: Sequence[str], builder: CollectionBuilder) -> None:
    """Collect the posts of the day in every subreddit.

    Raises:
        CollectionError: The archive could not be read.
    """
    archive = _Archive(client, builder)
    unproven, reason = read_each_and_prove(
        subreddits,
        archive.read_subreddit,
        lambda: why_not_past(
            archive.shows_later_posts,
            f"nor of r/{BUSY_SUBREDDIT}, it may not have got so far (or check REDDIT_SUBREDDITS)",
        ),
        builder,
    )
    if unproven:
        builder.problems.append(
            f"the archive has nothing of r/{', r/'.join(unproven)} after that day: {reason}"
        )


class _Archive:
    """Reads subreddits one after the other."""

    def __init__(self, client: ApiClient, builder: CollectionBuilder) -> None:
        self._client = client
        self._builder = builder
        self._day = builder.day
        self._size = 0
        self._largest = 0
        self._asked = PAGE_SIZE

    def read_subreddit(self, subreddit: str) -> bool:
        """Read the posts of the day in one subreddit; return whether it shows a later one."""
        self._size = self._largest
        is_past = False

        def ask(first: int, last: int, _page: int) -> Page:
            nonlocal is_past
            # Whether the ends belong to the span is not documented: one second more before, which
            # is skipped again. The day's end is left open, for what lies behind it shows that the
            # archive has got so far.
            span = {"after": first - 1}
            if last < self._day.last_s:
                span["before"] = last + 1
            posts = self._search(subreddit, "asc", span)
            found = self._builder.add_page(posts, READER, skip_other_days=True)
            inside = {key: at for key, at in found.items() if at is None or first <= at <= last}
            passes = any(at is not None and at > last for at in found.values())
            is_past |= passes
            # It may give fewer than asked for: as long as there is progress, there may be more.
            progress = any(second is not None and second > first for second in inside.values())
            more = not passes and (progress or len(posts) >= self._asked)
            return Page(inside, None, more, is_passed=passes)

        reading = read_span(
            ask,
            self._day.first_s,
            self._day.last_s,
            page_cap=1,
            noun=f"posts of r/{subreddit}",
            count=lambda: None,
            prove_empty=lambda: is_past or self._newest(subreddit, self._builder) is not None,
        )
        if reading.problems and reading.seen:
            self._builder.problems += reading.problems
        elif not is_past:
            self._judge_quiet(subreddit, reading.seen)
        return is_past

    def _judge_quiet(self, subreddit: str, seen: set[str]) -> None:
        """Judge a subreddit of which nothing came that is later than the day, by its newest post.

        The archive gives the same answer of a subreddit without posts that day, of one that it
        does not know, and of a day that it has not got to.
        """
        newest = self._newest(subreddit, self._builder)
        if newest is None:
            self._builder.problems.append(
                f"the archive has nothing of r/{subreddit} at all (check REDDIT_SUBREDDITS)"
            )
            return
        key, second = newest
        if second >= self._day.first_s and key not in seen:
            self._builder.problems.append(
                f"the archive's pages of r/{subreddit} end before its newest post"
            )

    def shows_later_posts(self) -> bool:
        """Return whether the archive shows a post of a busy subreddit that is later than the day.

        What it shows is read with a builder of its own, for nobody wants it.
        """
        aside = CollectionBuilder(self._day, self._builder.max_body_chars)
        newest = self._newest(BUSY_SUBREDDIT, aside, {"after": self._day.last_s})
        return newest is not None and newest[1] > self._day.last_s

    def _newest(
        self, subreddit: str, builder: CollectionBuilder, span: Parameters | None = None
    ) -> tuple[str, int] | None:
        """Return key and second of the newest post; ``None`` where there is none."""
        for _ in range(MAX_PROBES):
            posts = self._search(subreddit, "desc", span or {}, limit=1)
            found = builder.add_page(posts, READER, skip_other_days=True)
            for key, second in found.items():
                if second is not None:
                    return key, second
        return None

    def _search(
        self, subreddit: str, sort: str, span: Parameters, *, limit: int | None = None
    ) -> list[Any]:
        """Ask for a page; for a smaller one where the archive cannot give so much."""
        while True:
            is_smallest = limit is not None or self._size + 1 == len(PAGE_SIZES)
            query = {
                "subreddit": subreddit,
                "sort": sort,
                "limit": limit or PAGE_SIZES[self._size],
                **span,
            }
            try:
                payload = self._client.get(
                    "/api/posts/search",
                    query,
                    attempts=ATTEMPTS if is_smallest else ATTEMPTS_OF_A_SIZE,
                ).payload
            except (TransientError, PageTooLargeError) as error:
                if is_smallest and isinstance(error, PageTooLargeError):
                    raise RequestRejectedError(f"{error} Nor any at all.") from error
                if is_smallest:
                    raise
                self._size += 1
                if isinstance(error, PageTooLargeError):
                    self._largest = self._size
            else:
                self._asked = limit or PAGE_SIZES[self._size]
                # What was slow may be so at one place only.
                self._size = max(self._largest, self._size - (limit is None))
                return expect(payload, "data", list, "Arctic Shift")
