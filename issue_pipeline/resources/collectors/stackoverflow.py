"""Stack Overflow: every question of a day, through Stack Exchange's API 2.3.

Source: https://api.stackexchange.com/docs/questions and https://api.stackexchange.com/docs/throttle
Any reply may ask for a pause (``backoff``), and says how much of the day's quota is left.
"""

import re
from datetime import datetime
from functools import partial
from typing import Any

import httpx

from issue_pipeline.errors import (
    AccessDeniedError,
    CollectionError,
    QuotaExhaustedError,
    TransientError,
    UnexpectedReplyError,
)
from issue_pipeline.records import Post
from issue_pipeline.resources.collectors.collection_builder import (
    CollectionBuilder,
    Item,
    Reader,
    look_beyond,
)
from issue_pipeline.resources.collectors.http import ApiClient, ApiPolicy, Parameters, expect
from issue_pipeline.resources.collectors.parsing import (
    count,
    from_epoch,
    identifier,
    number,
    text,
    writer,
)
from issue_pipeline.resources.collectors.windows import (
    Page,
    Total,
    prove_empty_by_counts,
    read_span,
)
from issue_pipeline.utils.printable import printable

SITE = "https://stackoverflow.com"
API_VERSION = "2.3"
PAGE_SIZE = 100
ORDER = {"sort": "creation", "order": "asc", "filter": "withbody"}
# Without a key; more pages of one second there never are.
LAST_PAGE = 25
# Added to every wait the server names, so that clocks need not agree.
BACKOFF_MARGIN_S = 1.0
# Times that the site is asked for what follows the last question of the day.
MAX_LOOKS = 4
_REMEDY = (
    "Set STACKEXCHANGE_KEY (10,000 requests a day instead of 300), or try again after midnight UTC."
)
_THROTTLE_VIOLATION = 502
_SERVER_TROUBLE = (500, 503)
# A token or key is required, invalid, not allowed to do this, or revoked.
_KEY_TROUBLE = (401, 402, 403, 405, 406)


def headers(key: str) -> dict[str, str]:
    """Return the header that carries the key, which raises the daily quota from 300 to 10,000."""
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
    error_id = number(wrapper, "error_id", "Stack Exchange") if "error_id" in wrapper else 0
    if error_id == _THROTTLE_VIOLATION:
        if wrapper.get("quota_remaining") == 0:
            return QuotaExhaustedError(f"{said} The day's quota is spent. {_REMEDY}")
        return TransientError(said, wait_s=_named_wait_s(wrapper), is_throttle=True)
    if error_id in _SERVER_TROUBLE:
        return TransientError(said)
    if error_id in _KEY_TROUBLE or "`key`" in text(wrapper.get("error_message")):
        return AccessDeniedError(f"{said} Check STACKEXCHANGE_KEY.")
    return None


def read_pause(_headers: httpx.Headers, payload: Any) -> float:  # noqa: ANN401
    """Read the pause that any reply may ask for."""
    if not isinstance(payload, dict) or payload.get("backoff") is None:
        return 0.0
    backoff = number(payload, "backoff", "Stack Exchange")
    return backoff + BACKOFF_MARGIN_S if backoff > 0 else 0.0


def _named_wait_s(wrapper: dict[str, Any]) -> float | None:
    """Read the wait of a throttle violation: a field, or "more requests available in N seconds"."""
    if isinstance(backoff := wrapper.get("backoff"), int):
        return backoff + BACKOFF_MARGIN_S
    named = re.search(r"in (\d{1,9}) ?s", text(wrapper.get("error_message")))
    return int(named[1]) + BACKOFF_MARGIN_S if named else None


def read_body_status(payload: Any) -> int:  # noqa: ANN401
    """Read a refusal that came with a good status; the error's own number says which."""
    is_error = isinstance(payload, dict) and "error_id" in payload and "items" not in payload
    return 400 if is_error else 0


API_POLICY = ApiPolicy(
    "Stack Exchange",
    "STACKEXCHANGE_API_URL",
    "STACKEXCHANGE_KEY",
    read_error,
    read_pause,
    read_body_status,
    follow_redirects=True,
)


def parse_question(item: Item) -> Post | str:
    """Read one question; its title comes HTML-escaped and its body as HTML, and stay so.

    Without a link the question has its short address, which the site redirects.
    """
    question_id, created_at = identify(item)
    return Post(
        source="stackoverflow",
        url=text(item.get("link")) or f"{SITE}/questions/{question_id}",
        title=text(item.get("title")),
        body=text(item.get("body")),
        created_at=created_at,
        comment_count=count(item.get("answer_count"), item.get("comment_count")),
        vote_count=count(item.get("score")),
        author=_owner(item.get("owner")),
    )


def _owner(owner: object) -> str | None:
    """Return who asked: an account's number, for its name may change and be another's, too."""
    if not isinstance(owner, dict):
        return None
    return writer(owner.get("user_id")) or writer(owner.get("display_name"))


def identify(item: Item) -> tuple[str, datetime]:
    """Return the id of a question, and when it was asked."""
    created_at = from_epoch(number(item, "creation_date", "Stack Exchange"))
    return identifier(item, "question_id", "Stack Exchange"), created_at


READER = Reader(identify, parse_question)


def collect(client: ApiClient, builder: CollectionBuilder) -> int | None:
    """Collect every question of the day.

    Returns:
        How many Stack Exchange says there are; ``None`` if it was not asked or did not say.

    Raises:
        CollectionError: Stack Exchange could not be read.
    """

    def questions(first: int, last: int | None, more: Parameters) -> dict[str, Any]:
        until: Parameters = {} if last is None else {"todate": last}
        parameters = {"site": "stackoverflow", "fromdate": first, **until, **more}
        payload = client.get("/questions", parameters).payload
        if not isinstance(payload, dict):
            raise UnexpectedReplyError(f"Stack Exchange's reply is no object: {payload!r:.200}.")
        return payload

    def ask(first: int, last: int, page: int) -> Page:
        # Whether the last second belongs to the span is not documented: one more, skipped again.
        payload = questions(first, last + 1, {**ORDER, "page": page, "pagesize": PAGE_SIZE})
        items = expect(payload, "items", list, "Stack Exchange")
        found = builder.add_page(items, READER, skip_other_days=True)
        has_more = expect(payload, "has_more", bool, "Stack Exchange")
        if has_more and payload.get("quota_remaining") == 0:
            raise QuotaExhaustedError(f"Stack Exchange's quota of the day is spent. {_REMEDY}")
        # Neither is a full page the last one because it says so, nor an empty one followed by more.
        more = bool(items) and (has_more or len(items) >= PAGE_SIZE)
        inside = {key: at for key, at in found.items() if at is None or first <= at <= last}
        return Page(inside, None, more=more, is_passed=len(inside) < len(found))

    def count_between(first: int, last: int) -> Total | None:
        total = questions(first, last, {"filter": "total"}).get("total")
        is_number = isinstance(total, int) and not isinstance(total, bool)
        return Total(count(total)) if is_number else None

    def from_on(since: int) -> list[Any]:
        payload = questions(since, None, {**ORDER, "page": 1, "pagesize": PAGE_SIZE})
        return payload.get("items") or []

    day = builder.day
    reading = read_span(
        ask,
        day.first_s,
        day.last_s,
        page_cap=LAST_PAGE,
        noun="questions of Stack Overflow",
        count=lambda: count_between(day.first_s, day.last_s),
        prove_empty=lambda: prove_empty_by_counts(count_between, day.first_s, day.last_s),
        look_beyond=lambda since: look_beyond(
            # The last second may fill a page by itself: what follows it is asked for in turn.
            [partial(from_on, since), partial(from_on, since + 1)] * (MAX_LOOKS // 2),
            READER,
            builder,
            "Stack Exchange shows no question that is later than the day: it may not have got so"
            " far",
        ),
    )
    builder.problems += reading.problems
    builder.notes += reading.notes
    return reading.announced
