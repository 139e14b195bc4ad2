"""Hacker News: the stories of a day, and its comments if wanted, through Algolia's search.

Source: https://hn.algolia.com/api
A query gives at most 1,000 hits whatever the paging, newest first. The index has stopped before
(algolia/hn-search#215).
"""

from datetime import datetime
from functools import partial
from typing import Any

import httpx

from issue_pipeline.errors import (
    AccessDeniedError,
    CollectionError,
    RequestRejectedError,
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
from issue_pipeline.resources.collectors.http import ApiClient, ApiPolicy, expect
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

HIT_CAP = 1_000
STORIES = "(story,ask_hn,poll)"
STORIES_AND_COMMENTS = "(story,ask_hn,poll,comment)"
SITE = "https://news.ycombinator.com"
# How far beyond the day the index is asked for what follows its last post, in minutes: the newest
# come first, and all must fit on a page. More than once each, for a reply may be empty by mistake.
LOOKS_MIN = (360, 360, 360, 1_440, 1_440, 43_200, 43_200)
LOOKS_WITH_COMMENTS_MIN = (20, 20, *LOOKS_MIN)


def read_error(response: httpx.Response) -> CollectionError | None:
    """Distinguish a limit and a closed index from a wrong address by Algolia's words."""
    said = f"Hacker News's search answered {response.status_code}: {response.text[:200]!r}."
    words = response.text.lower()
    if response.status_code in (400, 403) and any(
        word in words for word in ("too many", "rate limit", "quota", "over-quota")
    ):
        return TransientError(said, is_throttle=True)
    if response.status_code == 403:
        return AccessDeniedError(
            f"{said} It needs no credentials: the index is closed to us, or HN_API_URL leads"
            " elsewhere."
        )
    if response.status_code == 400:
        return RequestRejectedError(
            f"{said} It does not understand the search. Check that HN_API_URL is Algolia's search"
            " of Hacker News."
        )
    return None


def read_body_status(payload: Any) -> int:  # noqa: ANN401
    """Read a refusal that came with a good status: its number stands in the body."""
    if not isinstance(payload, dict) or "hits" in payload:
        return 0
    status = payload.get("status", payload.get("code"))
    return status if isinstance(status, int) and 400 <= status < 600 else 0


API_POLICY = ApiPolicy(
    "Hacker News",
    "HN_API_URL",
    read_error=read_error,
    read_body_status=read_body_status,
    follow_redirects=True,
)


def identify(hit: Item) -> tuple[str, datetime]:
    """Return the id of a hit, and when it was posted."""
    created_at = from_epoch(number(hit, "created_at_i", "Hacker News"))
    return identifier(hit, "objectID", "Hacker News"), created_at


def parse_hit(hit: Item) -> Post | str:
    """Read one hit; its text is HTML and stays so, and its permalink is its page on the site."""
    object_id, created_at = identify(hit)
    return Post(
        source="hackernews",
        url=f"{SITE}/item?id={object_id}",
        title=text(hit.get("title") or hit.get("story_title")),
        body=text(hit.get("story_text") or hit.get("comment_text")),
        created_at=created_at,
        comment_count=count(hit.get("num_comments")),
        vote_count=count(hit.get("points")),
        author=writer(hit.get("author")),
    )


READER = Reader(identify, parse_hit)


def collect(client: ApiClient, builder: CollectionBuilder, *, comments: bool) -> int | None:
    """Collect every story of the day, and every comment if wanted.

    Returns:
        How many there are, where Algolia counted them all.

    Raises:
        CollectionError: Algolia could not be read.
    """

    def search(first: int, last: int, most: int) -> tuple[list[Any], Total, bool]:
        """Return the hits, how many there are, and whether the page is full.

        Algolia often says that its number is an estimate, even of a handful of hits.
        """
        payload = client.get(
            "/search_by_date",
            {
                "tags": STORIES_AND_COMMENTS if comments else STORIES,
                "numericFilters": f"created_at_i>={first},created_at_i<{last + 1}",
                "hitsPerPage": most,
            },
        ).payload
        told = number(payload, "nbHits", "Hacker News")
        hits = expect(payload, "hits", list, "Hacker News")
        exhaustive = payload.get("exhaustive")
        # A number below what comes with it counts nothing.
        exact = (
            payload.get("exhaustiveNbHits") is not False
            and not (isinstance(exhaustive, dict) and exhaustive.get("nbHits") is False)
            and told >= len(hits)
        )
        size = min(most, count(payload.get("hitsPerPage")) or most)
        return hits, Total(told, exact), len(hits) >= size

    def ask(first: int, last: int, _page: int) -> Page:
        hits, total, full = search(first, last, HIT_CAP)
        found = builder.add_page(hits, READER)
        polls.update(_polls(hits))
        # One post left out makes a full page look like the last: as long as there is progress,
        # there may be more, unless the number says that these are all.
        progress = any(at is not None and at < last for at in found.values())
        fits = len(found) >= total.number if total.exact else len(found) == total.number
        more = progress and not fits
        return Page(found, total, more or full, is_full=full)

    def count_between(first: int, last: int) -> Total:
        return search(first, last, 1)[1]

    def from_on(since: int, minutes: int) -> list[Any]:
        """Return what follows a second, to so long after the day; nothing if it is too much."""
        hits, _, full = search(since, day.last_s + 60 * minutes, HIT_CAP)
        polls.update(_polls(hits))
        reaches_back = any(
            isinstance(hit, dict) and hit.get("created_at_i") == since for hit in hits
        )
        return hits if reaches_back or not full else []

    polls: set[str] = set()
    day = builder.day
    reading = read_span(
        ask,
        day.first_s,
        day.last_s,
        page_cap=1,
        noun="posts of Hacker News",
        newest_first=True,
        # With the hits, which show a number that is too small for what it is.
        count=lambda: search(day.first_s, day.last_s, HIT_CAP)[1],
        prove_empty=lambda: prove_empty_by_counts(count_between, day.first_s, day.last_s),
        look_beyond=lambda since: look_beyond(
            [
                partial(from_on, since, minutes)
                for minutes in (LOOKS_WITH_COMMENTS_MIN if comments else LOOKS_MIN)
            ],
            READER,
            builder,
            "Algolia's index shows no post that is later than the day: it has not got so far, or"
            " has stopped",
        ),
    )
    builder.problems += reading.problems
    builder.notes += reading.notes
    for poll in sorted(polls & builder.posts.keys()):
        _add_options(client, poll, builder)
    return reading.announced


def _polls(hits: list[Any]) -> set[str]:
    """Return the ids of the polls among the hits."""
    return {
        str(hit.get("objectID"))
        for hit in hits
        if isinstance(hit, dict) and "poll" in (hit.get("_tags") or ())
    }


def _add_options(client: ApiClient, poll: str, builder: CollectionBuilder) -> None:
    """Append the options of a poll to its text; only its own page has them, and not always."""
    try:
        payload = client.get(f"/items/{poll}").payload
    except (RequestRejectedError, UnexpectedReplyError, TransientError):
        builder.notes.append(f"the options of the poll {poll} could not be read")
        return
    if not isinstance(payload, dict):
        return
    listed = [payload.get("options"), payload.get("children")]
    options = [
        text(option.get("text"))
        for of_one_kind in listed
        for option in (of_one_kind if isinstance(of_one_kind, list) else ())
        if isinstance(option, dict)
        and option.get("type", "pollopt") == "pollopt"
        and option.get("text")
    ]
    if options:
        post = builder.posts[poll]
        items = "".join(f"<li>{option}" for option in dict.fromkeys(options))
        builder.replace_body(poll, f"{post.body}<ul>{items}</ul>")
