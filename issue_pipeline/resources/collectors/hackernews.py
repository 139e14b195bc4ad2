"""Hacker News: every story and Ask HN of a day, through Algolia's search.

Source: https://hn.algolia.com/api
A query gives at most 1,000 hits whatever the paging, newest first, so the day is walked back in
windows, each next one ending at the second where the last one had to stop.
"""

from typing import Any

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

HIT_CAP = 1_000
TAGS = "(story,ask_hn)"
SITE = "https://news.ycombinator.com"


def parse_hit(hit: dict[str, Any]) -> Post | str:
    """Read one hit; its text is HTML and stays so, and its permalink is its page on the site."""
    object_id = expect(hit, "objectID", str, "Hacker News")
    return Post(
        source="hackernews",
        url=f"{SITE}/item?id={object_id}",
        title=text(hit.get("title") or hit.get("story_title")),
        body=text(hit.get("story_text") or hit.get("comment_text")),
        created_at=from_epoch(expect(hit, "created_at_i", int, "Hacker News")),
        comment_count=count(hit.get("num_comments")),
        vote_count=count(hit.get("points")),
    )


def collect(client: ApiClient, day: Day) -> Collection:
    """Collect every story of the day.

    Raises:
        CollectionError: Algolia could not be read; nothing may be stored.
    """
    harvest = Harvest(day)
    expected: int | None = None
    problems = []
    start, end = epoch(day.start), epoch(day.end)
    while start < end:
        payload = client.get(
            "/search_by_date",
            {
                "tags": TAGS,
                "numericFilters": f"created_at_i>={start},created_at_i<{end}",
                "hitsPerPage": HIT_CAP,
            },
        ).payload
        total = expect(payload, "nbHits", int, "Hacker News")
        hits = expect(payload, "hits", list, "Hacker News")
        if expected is None:
            expected = total
        for hit in hits:
            harvest.add(expect(hit, "objectID", str, "Hacker News"), hit, parse_hit)
        if not hits or len(hits) >= total:
            break
        # The oldest second may go on beyond the cap: the next window includes it.
        next_end = min(expect(hit, "created_at_i", int, "Hacker News") for hit in hits) + 1
        if next_end == end:
            problems.append(f"more than {HIT_CAP} stories at {from_epoch(end - 1).isoformat()}")
            next_end -= 1
        end = next_end
    if not problems and harvest.fetched_count < (expected or 0):
        problems.append(f"Hacker News announced {expected} stories, gave {harvest.fetched_count}")
    return harvest.collection(client, expected_count=expected, problems=problems)
