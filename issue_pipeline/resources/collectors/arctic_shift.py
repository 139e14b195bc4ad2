"""Reddit's past: the posts of any day in a list of subreddits, from the Arctic Shift archive.

Source: https://github.com/ArthurHeitmann/arctic_shift/blob/master/api/README.md
The archive is run by volunteers, takes no credentials and promises no uptime. It knows days that
Reddit's own listings have long moved past, but the votes and comments of posts younger than 36
hours are placeholders.
"""

from collections.abc import Sequence
from typing import Any

import httpx

from issue_pipeline.errors import CollectionError, TransientError
from issue_pipeline.resources.collectors.harvest import Harvest
from issue_pipeline.resources.collectors.http import ApiClient, Manners, expect, retry_after_s
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
    if response.status_code in (400, 422) and "timeout" in response.text.lower():
        return TransientError(f"Arctic Shift was overtaxed: {response.text[:200]!r}.")
    return None


def read_pause(headers: httpx.Headers, _payload: Any) -> float:  # noqa: ANN401
    """Wait for the next window after the last request of this one."""
    if _seconds(headers, "x-ratelimit-remaining") != 0:
        return 0.0
    return _seconds(headers, "x-ratelimit-reset") or 0.0


def _seconds(headers: httpx.Headers, name: str) -> float | None:
    try:
        return max(0.0, float(headers[name]))
    except (KeyError, ValueError):
        return None


MANNERS = Manners("Arctic Shift", "", read_error, read_pause)


def collect(client: ApiClient, subreddits: Sequence[str], harvest: Harvest) -> None:
    """Collect the posts of the day in every subreddit.

    A subreddit that the archive does not know is an empty one: it does not tell them apart.

    Raises:
        CollectionError: The archive could not be read.
    """
    for subreddit in subreddits:
        _read_subreddit(client, subreddit, harvest)


def _read_subreddit(client: ApiClient, subreddit: str, harvest: Harvest) -> None:
    def ask(first: int, last: int, _page: int) -> Page:
        payload = client.get(
            "/api/posts/search",
            {
                "subreddit": subreddit,
                # Whether the ends belong to the span is not documented: one second more on either
                # side, which is skipped again.
                "after": first - 1,
                "before": last + 1,
                "sort": "asc",
                "limit": PAGE_SIZE,
            },
        ).payload
        posts = expect(payload, "data", list, "Arctic Shift")
        found = harvest.add_page(posts, READER, skip_other_days=True)
        return Page(found, None, more=len(posts) >= PAGE_SIZE)

    reading = read_span(
        ask,
        harvest.day.first_s,
        harvest.day.last_s,
        page_cap=1,
        noun=f"posts of r/{subreddit}",
        count=lambda: None,
    )
    harvest.problems += reading.problems
