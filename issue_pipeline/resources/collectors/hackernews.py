"""Hacker News: the stories of a day, and its comments if wanted, through Algolia's search.

Source: https://hn.algolia.com/api
A query gives at most 1,000 hits whatever the paging, newest first.
"""

from datetime import datetime
from typing import Any

from issue_pipeline.records import Post
from issue_pipeline.resources.collectors.collection_builder import CollectionBuilder, Item, Reader
from issue_pipeline.resources.collectors.http import ApiClient, ApiPolicy, expect
from issue_pipeline.resources.collectors.parsing import count, from_epoch, identifier, number, text
from issue_pipeline.resources.collectors.windows import Page, Total, read_span

HIT_CAP = 1_000
STORIES = "(story,ask_hn)"
STORIES_AND_COMMENTS = "(story,ask_hn,comment)"
SITE = "https://news.ycombinator.com"
API_POLICY = ApiPolicy("Hacker News", "HN_API_URL")


def identify(hit: Item) -> tuple[str, datetime]:
    """Give the id of a hit, and when it was posted."""
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
        """Give the hits, how many there are, and whether the page is full.

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
        exact = payload.get("exhaustiveNbHits") is not False and not (
            isinstance(exhaustive, dict) and exhaustive.get("nbHits") is False
        )
        size = min(most, count(payload.get("hitsPerPage")) or most)
        return hits, Total(told, exact), len(hits) >= size

    def ask(first: int, last: int, _page: int) -> Page:
        hits, total, full = search(first, last, HIT_CAP)
        found = builder.add_page(hits, READER)
        if total.exact:
            more = len(found) < total.number
        else:
            # One post left out makes a full page look like the last: as long as there is progress,
            # there may be more, unless the estimate says that these are all.
            progress = any(at is not None and at < last for at in found.values())
            more = progress and len(found) != total.number
        return Page(found, total, more or full)

    first, last = builder.day.first_s, builder.day.last_s
    reading = read_span(
        ask,
        first,
        last,
        page_cap=1,
        noun="posts of Hacker News",
        newest_first=True,
        count=lambda: search(first, last, 1)[1],
    )
    builder.problems += reading.problems
    return reading.announced
