"""Reddit: the posts of a day in a list of subreddits, by the official OAuth API.

Source: https://www.reddit.com/dev/api#GET_new and https://github.com/reddit-archive/reddit/wiki/OAuth2
``/new`` lists the newest 1,000 posts of a subreddit and has no date filter, so it is walked back
until it passes the start of the day. A listing that ends before that leaves the day incomplete.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx

from issue_pipeline.errors import (
    AccessDeniedError,
    CollectionError,
    RequestRejectedError,
    TransientError,
)
from issue_pipeline.records import Collection, Post
from issue_pipeline.resources.collectors.http import ApiClient, expect, retry_after_s
from issue_pipeline.resources.collectors.parsing import (
    Day,
    Harvest,
    count,
    epoch,
    from_epoch,
    text,
)
from issue_pipeline.utils.printable import printable

PAGE_SIZE = 100
LISTING_CAP = 1_000
TOKEN_PATH = "/api/v1/access_token"  # noqa: S105  (a path)
SITE = "https://www.reddit.com"
# Renew a token this long before it expires.
TOKEN_MARGIN_S = 60.0


def read_error(response: httpx.Response) -> CollectionError | None:
    """Tell an unknown or closed subreddit from a refused client, and name the setting to change."""
    if response.status_code == 429 and retry_after_s(response.headers) is None:
        return TransientError(
            f"Reddit answered 429: {response.text[:200]!r}.", wait_s=_until_reset_s(response)
        )
    path = response.request.url.path
    if "/r/" not in path:
        return None
    subreddit = path.split("/r/")[1].split("/")[0]
    if response.status_code in (302, 404):
        return RequestRejectedError(
            f"Reddit knows no subreddit r/{subreddit}. Check REDDIT_SUBREDDITS."
        )
    if response.status_code == 403:
        return AccessDeniedError(
            f"Reddit does not let us read r/{subreddit} ({response.text[:100]!r})."
            " It may be private or quarantined: take it out of REDDIT_SUBREDDITS."
        )
    return None


def _until_reset_s(response: httpx.Response) -> float | None:
    """Read how long the window of the limit still lasts: Reddit's own header, in seconds."""
    try:
        return max(1.0, float(response.headers["x-ratelimit-reset"]))
    except (KeyError, ValueError):
        return None


class TokenSource:
    """Fetches an application-only token and renews it before it expires."""

    def __init__(self, auth: ApiClient, client_id: str, client_secret: str) -> None:
        self._auth = auth
        self._credentials = (client_id, client_secret)
        self._token = ""
        self._expires_at = 0.0

    @property
    def requests(self) -> int:
        """Requests made for tokens."""
        return self._auth.requests

    @property
    def waited_s(self) -> float:
        """Seconds spent waiting before them."""
        return self._auth.waited_s

    def token(self) -> str:
        """Give a token that is valid for at least another minute.

        Raises:
            CollectionError: Reddit refuses the credentials or cannot be reached.
        """
        if time.monotonic() >= self._expires_at - TOKEN_MARGIN_S:
            payload = self._auth.request(
                "POST",
                TOKEN_PATH,
                form={"grant_type": "client_credentials"},
                auth=self._credentials,
            ).payload
            # Some refusals come with status 200.
            if isinstance(payload, dict) and payload.get("error"):
                raise AccessDeniedError(
                    f"Reddit refuses the application ({printable(text(payload['error']), 60)})."
                    " Check REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET."
                )
            self._token = expect(payload, "access_token", str, "Reddit's token page")
            self._expires_at = time.monotonic() + count(payload.get("expires_in"))
        return self._token


def parse_post(item: dict[str, Any]) -> Post | str:
    """Read the ``data`` of one listed post (kind ``t3``)."""
    permalink = expect(item, "permalink", str, "Reddit")
    return Post(
        source="reddit",
        url=f"{SITE}{permalink}",
        title=text(item.get("title")),
        body=text(item.get("selftext")),
        created_at=from_epoch(_created(item)),
        comment_count=count(item.get("num_comments")),
        vote_count=count(item.get("score")),
    )


def _created(item: dict[str, Any]) -> float:
    created = item.get("created_utc")
    # Reddit writes whole seconds as a float.
    return created if isinstance(created, int) else expect(item, "created_utc", float, "Reddit")


def collect(
    client: ApiClient, tokens: TokenSource, subreddits: Sequence[str], day: Day
) -> Collection:
    """Collect the posts of the day in every subreddit.

    Raises:
        CollectionError: Reddit could not be read; nothing may be stored.
    """
    harvest = Harvest(day)
    problems = [
        problem
        for subreddit in subreddits
        if (problem := _walk_back(client, tokens, subreddit, harvest))
    ]
    collection = harvest.collection(client, expected_count=None, problems=problems)
    return replace(
        collection,
        requests=collection.requests + tokens.requests,
        waited_s=collection.waited_s + tokens.waited_s,
    )


def _walk_back(client: ApiClient, tokens: TokenSource, subreddit: str, harvest: Harvest) -> str:
    """Read ``/new`` back past the start of the day; give the reason if it ends before that."""
    start = epoch(harvest.day.start)
    after, listed = "", 0
    while True:
        client.set_header("Authorization", f"Bearer {tokens.token()}")
        params: dict[str, str | int] = {"limit": PAGE_SIZE, "raw_json": 1}
        payload = client.get(
            f"/r/{subreddit}/new", params | ({"after": after} if after else {})
        ).payload
        listing = expect(payload, "data", dict, "Reddit's listing")
        children = expect(listing, "children", list, "Reddit's listing")
        oldest = float("inf")
        for child in children:
            item = expect(child, "data", dict, "Reddit's listing")
            harvest.add(expect(item, "name", str, "Reddit"), item, parse_post)
            oldest = min(oldest, _created(item))
        listed += len(children)
        if oldest < start:
            return ""
        after = text(listing.get("after"))
        if not after:
            break
    if listed < LISTING_CAP and _founded(client, subreddit) >= start:
        return ""  # the listing reaches back to the subreddit's first post
    return f"r/{subreddit}: the listing ends after {listed} posts, before the start of the day"


def _founded(client: ApiClient, subreddit: str) -> float:
    payload = client.get(f"/r/{subreddit}/about", {"raw_json": 1}).payload
    return _created(expect(payload, "data", dict, "Reddit"))
