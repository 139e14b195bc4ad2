"""Stack Overflow: every question of a day, through Stack Exchange's API 2.3.

Source: https://api.stackexchange.com/docs/questions and https://api.stackexchange.com/docs/throttle
Without a key an answer has at most 25 pages, so the day is walked in windows: oldest first, each
next window beginning at the second where the last one had to stop.
"""

from typing import Any

import httpx

from issue_pipeline.errors import (
    AccessDeniedError,
    CollectionError,
    QuotaExhaustedError,
    TransientError,
)
from issue_pipeline.records import Collection, Post
from issue_pipeline.resources.collectors.http import ApiClient, expect
from issue_pipeline.resources.collectors.parsing import (
    Day,
    Harvest,
    count,
    epoch,
    from_epoch,
    text,
)
from issue_pipeline.utils.printable import printable

API_VERSION = "2.3"
PAGE_SIZE = 100
PAGES_PER_WINDOW = 25
# Added to every wait the server names, so that clocks need not agree.
BACKOFF_MARGIN_S = 1.0
_THROTTLE_VIOLATION = 502
_SERVER_TROUBLE = (500, 503)
# A token or key is required, invalid, not allowed to do this, or revoked.
_KEY_TROUBLE = (401, 402, 403, 405, 406)


def headers(key: str) -> dict[str, str]:
    """Give the header that carries the key, which raises the daily quota from 300 to 10,000."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def read_error(response: httpx.Response) -> CollectionError | None:
    """Read the error in the body: the HTTP status alone does not tell a throttle from a mistake."""
    try:
        wrapper = response.json()
    except ValueError:
        return None
    if not isinstance(wrapper, dict):
        return None
    said = (
        f"Stack Exchange answered {response.status_code}, error"
        f" {printable(text(wrapper.get('error_id')), 20)}"
        f" ({printable(text(wrapper.get('error_name')), 60)}):"
        f" {text(wrapper.get('error_message'))[:200]!r}."
    )
    if wrapper.get("error_id") == _THROTTLE_VIOLATION:
        if not wrapper.get("quota_remaining", 1):
            return QuotaExhaustedError(f"{said} The day's quota is spent. Set STACKEXCHANGE_KEY.")
        return TransientError(said, wait_s=_named_wait_s(wrapper))
    if wrapper.get("error_id") in _SERVER_TROUBLE:
        return TransientError(said)
    if wrapper.get("error_id") in _KEY_TROUBLE or "`key`" in text(wrapper.get("error_message")):
        return AccessDeniedError(f"{said} Check STACKEXCHANGE_KEY.")
    return None


def _named_wait_s(wrapper: dict[str, Any]) -> float | None:
    """Read the wait of a throttle violation: a field, or "more requests available in N seconds"."""
    if isinstance(backoff := wrapper.get("backoff"), int):
        return backoff + BACKOFF_MARGIN_S
    words = text(wrapper.get("error_message")).split()
    seconds = [int(word) for word in words if word.isdigit()]
    return seconds[-1] + BACKOFF_MARGIN_S if seconds else None


def parse_question(item: dict[str, Any]) -> Post | str:
    """Read one question; its title comes HTML-escaped and its body as HTML, and stay so."""
    return Post(
        source="stackoverflow",
        url=expect(item, "link", str, "Stack Exchange"),
        title=text(item.get("title")),
        body=text(item.get("body")),
        created_at=from_epoch(expect(item, "creation_date", int, "Stack Exchange")),
        comment_count=count(item.get("answer_count"), item.get("comment_count")),
        vote_count=count(item.get("score")),
    )


def collect(client: ApiClient, day: Day) -> Collection:
    """Collect every question of the day.

    Raises:
        CollectionError: Stack Exchange could not be read; nothing may be stored.
    """
    harvest = Harvest(day)
    first, last = epoch(day.start), epoch(day.end) - 1
    problems = []
    while first <= last:
        newest, more = _read_window(client, first, last, harvest)
        if not more:
            break
        if newest == first:
            problems.append(f"more questions at {from_epoch(first).isoformat()} than can be read")
            newest += 1
        first = newest
    return harvest.collection(client, expected_count=None, problems=problems)


def _read_window(client: ApiClient, first: int, last: int, harvest: Harvest) -> tuple[int, bool]:
    """Read up to 25 pages; give the newest second seen and whether there is more."""
    newest = first
    for page in range(1, PAGES_PER_WINDOW + 1):
        payload = client.get(
            "/questions",
            {
                "site": "stackoverflow",
                "fromdate": first,
                "todate": last,
                "sort": "creation",
                "order": "asc",
                "page": page,
                "pagesize": PAGE_SIZE,
                "filter": "withbody",
            },
        ).payload
        for item in expect(payload, "items", list, "Stack Exchange"):
            harvest.add(
                str(expect(item, "question_id", int, "Stack Exchange")), item, parse_question
            )
            newest = max(newest, item["creation_date"])
        if backoff := count(payload.get("backoff")):
            client.hold_for(backoff + BACKOFF_MARGIN_S)
        more = bool(payload.get("has_more"))
        if more and payload.get("quota_remaining") == 0:
            raise QuotaExhaustedError(
                "Stack Exchange's quota of the day is spent before the day was collected."
                " Set STACKEXCHANGE_KEY (10,000 requests a day instead of 300)."
            )
        if not more:
            return newest, False
    return newest, True
