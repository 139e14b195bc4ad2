"""Reddit's past: the posts of any day in a list of subreddits, from the Arctic Shift archive.

Source: https://github.com/ArthurHeitmann/arctic_shift/blob/master/api/README.md
The archive is run by volunteers, takes no credentials and promises no uptime. It knows days that
Reddit's own listings have long moved past, but the votes and comments of posts younger than 36
hours are placeholders.
"""

from collections.abc import Sequence
from typing import Any

import httpx

from issue_pipeline.errors import CollectionError, RequestRejectedError, TransientError
from issue_pipeline.resources.collectors.collection_builder import CollectionBuilder, read_each
from issue_pipeline.resources.collectors.http import (
    ApiClient,
    ApiPolicy,
    Parameters,
    expect,
    number_in,
    retry_after_s,
)
from issue_pipeline.resources.collectors.reddit import READER
from issue_pipeline.resources.collectors.windows import Page, read_span

PAGE_SIZE = 100


def read_error(response: httpx.Response) -> CollectionError | None:
    """An overtaxed archive answers 422 with the word "timeout"; that passes."""
    if response.status_code == 429 and retry_after_s(response.headers) is None:
        return TransientError(
            f"Arctic Shift answered 429: {response.text[:200]!r}.",
            wait_s=_seconds(response.headers, "x-ratelimit-reset"),
        )
    if response.status_code in (400, 422):
        if "timeout" in response.text.lower():
            return TransientError(f"Arctic Shift was overtaxed: {response.text[:200]!r}.")
        return RequestRejectedError(
            f"Arctic Shift does not understand the request: {response.text[:200]!r}."
            " Check REDDIT_SUBREDDITS."
        )
    return None


def read_pause(headers: httpx.Headers, _payload: Any) -> float:  # noqa: ANN401
    """Wait for the next window after the last request of this one."""
    if _seconds(headers, "x-ratelimit-remaining") != 0:
        return 0.0
    return _seconds(headers, "x-ratelimit-reset") or 0.0


def _seconds(headers: httpx.Headers, name: str) -> float | None:
    seconds = number_in(headers, name)
    return None if seconds is None else max(0.0, seconds)


API_POLICY = ApiPolicy("Arctic Shift", "REDDIT_ARCHIVE_URL", "", read_error, read_pause)


def collect(client: ApiClient, subreddits: Sequence[str], builder: CollectionBuilder) -> None:
    """Collect the posts of the day in every subreddit.

    Raises:
        CollectionError: The archive could not be read.
    """
    read_each(subreddits, lambda subreddit: _read_subreddit(client, subreddit, builder), builder)


def _read_subreddit(client: ApiClient, subreddit: str, builder: CollectionBuilder) -> None:
    def search(span: Parameters, limit: int) -> list[Any]:
        query = {"subreddit": subreddit, "sort": "asc", "limit": limit, **span}
        payload = client.get("/api/posts/search", query).payload
        return expect(payload, "data", list, "Arctic Shift")

    def ask(first: int, last: int, _page: int) -> Page:
        # Whether the ends belong to the span is not documented: one second more on either side,
        # which is skipped again.
        posts = search({"after": first - 1, "before": last + 1}, PAGE_SIZE)
        found = builder.add_page(posts, READER, skip_other_days=True)
        # It may give fewer than asked for: as long as there is progress, there may be more.
        progress = any(second is not None and second > first for second in found.values())
        return Page(found, None, more=progress or len(posts) >= PAGE_SIZE)

    reading = read_span(
        ask,
        builder.day.first_s,
        builder.day.last_s,
        page_cap=1,
        noun=f"posts of r/{subreddit}",
        count=lambda: None,
    )
    builder.problems += reading.problems
    if not reading.seen and not search({"after": builder.day.last_s}, 1):
        # It gives the same answer of a subreddit without posts that day, of one that it does not
        # know, and of a day that it has not got to; but not of one that it has got beyond.
        builder.problems.append(
            f"the archive has nothing of r/{subreddit} on that day or after it (check"
            " REDDIT_SUBREDDITS, or wait until the archive has got that far)"
        )
