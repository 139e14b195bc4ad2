"""GitHub: every issue of a day that a search query finds.

Source: https://docs.github.com/en/rest/search/search#search-issues-and-pull-requests
A query gives at most 1,000 results whatever the paging, so the day is walked in windows: oldest
first, each next window beginning at the second where the last one had to stop.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from issue_pipeline.errors import CollectionError, TransientError
from issue_pipeline.records import Collection, Post
from issue_pipeline.resources.collectors.http import ApiClient, expect, retry_after_s
from issue_pipeline.resources.collectors.parsing import Day, Harvest, count, from_iso, text

PAGE_SIZE = 100
RESULT_CAP = 1_000
# Searches per minute: a little below the documented 30 and 10.
PACE_WITH_TOKEN = 28.0
PACE_WITHOUT_TOKEN = 9.0
_SECOND = timedelta(seconds=1)
# Documented least wait after a secondary limit that names none.
SECONDARY_LIMIT_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class _Window:
    total: int
    found: int
    incomplete: bool
    newest: datetime


def headers(token: str) -> dict[str, str]:
    """Give the headers GitHub asks for; a token raises the limits."""
    fixed = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    return fixed | ({"Authorization": f"Bearer {token}"} if token else {})


def read_error(response: httpx.Response) -> CollectionError | None:
    """Tell a limit from a refusal: both come as 403 (or 429), only a limit is worth waiting for."""
    if response.status_code not in (403, 429):
        return None
    said = f"GitHub answered {response.status_code}: {response.text[:200]!r}."
    if (wait_s := retry_after_s(response.headers)) is not None:
        return TransientError(said, wait_s=wait_s)
    if response.headers.get("x-ratelimit-remaining") == "0":
        return TransientError(said, wait_s=_until_reset_s(response.headers))
    if any(words in response.text.lower() for words in ("secondary rate", "abuse", "rate limit")):
        return TransientError(said, wait_s=SECONDARY_LIMIT_WAIT_S)
    return None


def _until_reset_s(response_headers: httpx.Headers) -> float:
    try:
        reset = float(response_headers["x-ratelimit-reset"])
    except (KeyError, ValueError):
        return SECONDARY_LIMIT_WAIT_S
    return max(1.0, reset - datetime.now().timestamp() + 1.0)


def parse_issue(item: dict[str, Any]) -> Post | str:
    """Read one item of a search or of a repository's list; pull requests are left out."""
    # Old replies carry the key on plain issues too, with nothing but nulls in it.
    links = item.get("pull_request")
    if isinstance(links, dict) and any(links.values()):
        return "pull request"
    reactions = item.get("reactions")
    return Post(
        source="github",
        url=expect(item, "html_url", str, "GitHub"),
        title=text(item.get("title")),
        body=text(item.get("body")),
        created_at=from_iso(expect(item, "created_at", str, "GitHub")),
        comment_count=count(item.get("comments")),
        vote_count=count(reactions.get("total_count") if isinstance(reactions, dict) else None),
    )


def collect(client: ApiClient, query: str, day: Day) -> Collection:
    """Collect every issue of the day that the query finds.

    Args:
        client: Paced for GitHub's search.
        query: Search qualifiers without ``created:``; must contain ``is:issue``.
        day: UTC day.

    Raises:
        CollectionError: GitHub could not be read; nothing may be stored.
    """
    harvest = Harvest(day)
    expected: int | None = None
    problems = []
    windows = [(day.start, day.end - _SECOND)]
    while windows:
        first, last = windows.pop()
        window = _read_window(client, query, first, last, harvest)
        if (first, last) == (day.start, day.end - _SECOND) and not window.incomplete:
            expected = window.total
        if window.incomplete and first < last:
            middle = (first + (last - first) / 2).replace(microsecond=0)
            windows += [(middle + _SECOND, last), (first, middle)]
        elif window.incomplete:
            problems.append(f"GitHub's search stayed incomplete at {first.isoformat()}")
        elif window.total > RESULT_CAP and window.newest > first:
            windows.append((window.newest, last))
        elif window.total > RESULT_CAP:
            problems.append(f"more than {RESULT_CAP} issues at {first.isoformat()}")
            if first < last:
                windows.append((first + _SECOND, last))
        elif window.found < window.total:
            problems.append(
                f"GitHub announced {window.total} issues from {first.isoformat()} to"
                f" {last.isoformat()} and gave {window.found}"
            )
    if not problems and harvest.fetched_count < (expected or 0):
        problems.append(f"GitHub announced {expected} issues and gave {harvest.fetched_count}")
    return harvest.collection(client, expected_count=expected, problems=problems)


def _read_window(
    client: ApiClient, query: str, first: datetime, last: datetime, harvest: Harvest
) -> _Window:
    """Read the pages of one window, both ends included, into the harvest."""
    span = f"created:{first:%Y-%m-%dT%H:%M:%SZ}..{last:%Y-%m-%dT%H:%M:%SZ}"
    newest = first
    found: set[int] = set()
    for page in range(1, RESULT_CAP // PAGE_SIZE + 1):
        payload = client.get(
            "/search/issues",
            {
                "q": f"{query} {span}",
                "sort": "created",
                "order": "asc",
                "per_page": PAGE_SIZE,
                "page": page,
            },
        ).payload
        total = expect(payload, "total_count", int, "GitHub's search")
        incomplete = bool(payload.get("incomplete_results"))
        items = expect(payload, "items", list, "GitHub's search")
        for item in items:
            key = expect(item, "id", int, "GitHub")
            found.add(key)
            harvest.add(str(key), item, parse_issue)
            newest = max(newest, from_iso(expect(item, "created_at", str, "GitHub")))
        # A page may be short for no reason; only an empty one says that there is no more.
        if incomplete or not items or page * PAGE_SIZE >= total:
            break
    return _Window(total, len(found), incomplete, newest)
