"""Hacker News: every story of a day, or the reason why not."""

from typing import Any

import httpx
import pytest

from issue_pipeline.errors import UnexpectedReplyError
from issue_pipeline.records import Collection, Post
from issue_pipeline.resources.collectors import hackernews
from issue_pipeline.sandbox.apis.addresses import permalink
from issue_pipeline_tests.support.hand_written import DAY, a_post
from issue_pipeline_tests.support.replays import (
    a_builder,
    answering,
    api_client,
    nothing_is_lost,
    recorded,
    urls,
)
from issue_pipeline_tests.support.simulated import simulator

DAY_S = 24 * 60 * 60
# Requests of a day beside those for its pages: how many there are, and one for a later story.
PROOF = 2
LATER = a_post("hackernews", DAY_S + 9_000)


@pytest.mark.parametrize("exchange", recorded("hackernews", lambda one: "hits" in one["body"]))
def test_every_recorded_page_is_read_without_loss(exchange):
    nothing_is_lost(exchange["body"]["hits"], hackernews.READER)
    for hit in exchange["body"]["hits"]:
        post = hackernews.parse_hit(hit)
        assert isinstance(post, Post)
        assert post.source == "hackernews"
        assert post.url == f"https://news.ycombinator.com/item?id={hit['objectID']}"
        assert post.title == (hit.get("title") or hit.get("story_title"))
        told = [hit[name] for name in ("story_text", "comment_text") if hit.get(name)]
        assert [post.body] == (told or [""])
        assert post.created_at.timestamp() == hit["created_at_i"]
        assert f"{post.created_at:%Y-%m-%dT%H:%M:%S}" == hit["created_at"][:19]
        assert post.comment_count == (hit["num_comments"] or 0)
        assert post.vote_count == (hit["points"] or 0)


def collected(posts) -> tuple[Collection, int]:
    """Collect the day from a simulator of these posts; the collection and the requests served."""
    with simulator([*posts, LATER]) as running:
        collection = running.collectors().collect("hackernews", DAY.date())
        return collection, running.requests("hackernews")


def test_a_day_has_its_midnight_and_not_the_next():
    inside = [a_post("hackernews", second) for second in (0, 1, DAY_S // 2, DAY_S - 1)]
    outside = [a_post("hackernews", second) for second in (-DAY_S, -1, DAY_S, DAY_S + 1)]
    collection, requests = collected([*inside, *outside])
    assert urls(collection) == sorted(permalink(post) for post in inside)
    assert collection.complete
    assert collection.expected_count == collection.fetched_count == 4
    assert collection.requests == requests == 1 + PROOF


def test_stories_and_questions_come_with_every_field():
    link = a_post("hackernews", 5, body=None, link="https://example.org/a?b=c")
    ask = a_post(
        "hackernews",
        6,
        channel="ask_hn",
        title="Ask HN: x < y?",
        body="<p>Why &amp; how",
        comment_count=0,
        vote_count=1,
    )
    first, second = sorted(collected([link, ask])[0].posts, key=lambda post: post.created_at)
    assert (first.url, first.body, first.comment_count) == (permalink(link), "", 3)
    assert second == Post(
        "hackernews",
        permalink(ask),
        ask.title,
        "<p>Why &amp; how",
        ask.created_at,
        0,
        1,
        ask.author,
    )


def test_an_empty_day_is_complete_if_the_counts_around_it_leave_nothing_for_it():
    collection, requests = collected([a_post("hackernews", -5)])
    assert collection.posts == ()
    assert collection.complete
    assert requests == 3 + 3 + PROOF


def test_an_empty_day_that_the_index_has_not_got_beyond_is_not_complete():
    with simulator([a_post("hackernews", -5)]) as running:
        collection = running.collectors().collect("hackernews", DAY.date())
    assert not collection.complete
    assert "later than the day" in collection.reason


def test_more_stories_than_a_query_gives_come_each_once():
    posts = [a_post("hackernews", index * 33) for index in range(2_600)]
    collection, requests = collected(posts)
    assert urls(collection) == sorted(permalink(post) for post in posts)
    assert collection.complete
    assert collection.expected_count == collection.fetched_count == 2_600
    assert requests == collection.requests == 3 + PROOF


def test_1100_stories_within_a_few_seconds_come_each_once():
    posts = [a_post("hackernews", 40_000 + index // 300) for index in range(1_100)]
    collection, _ = collected(posts)
    assert urls(collection) == sorted(permalink(post) for post in posts)
    assert collection.complete


def test_more_stories_in_one_second_than_a_query_gives_leave_the_day_incomplete():
    crowd = [a_post("hackernews", 40_000) for _ in range(1_020)]
    rest = [a_post("hackernews", second) for second in (5, 39_999, 50_000)]
    collection, _ = collected([*crowd, *rest])
    assert len(set(urls(collection))) == len(collection.posts) == 1_003
    assert {permalink(post) for post in rest} <= set(urls(collection))
    assert not collection.complete
    assert collection.reason == (
        "more posts of Hacker News at 2026-03-10T11:06:40+00:00 than the 1000 given"
    )


def test_a_crowd_in_the_first_second_ends_the_day():
    collection, _ = collected([a_post("hackernews", 0) for _ in range(1_001)])
    assert len(collection.posts) == 1_000
    assert not collection.complete


def collected_from(*bodies: Any) -> Collection:
    handler, _ = answering(*(httpx.Response(200, json=body) for body in bodies))
    builder = a_builder(DAY.date())
    with api_client(handler, hackernews.API_POLICY) as client:
        expected = hackernews.collect(client, builder, comments=False)
        return builder.collection(client, expected_count=expected)


def a_hit(number: int, second: int = 60) -> dict[str, Any]:
    return {"objectID": str(number), "created_at_i": int(DAY.timestamp()) + second}


def test_fewer_stories_than_announced_leave_the_day_incomplete():
    def hiding(request: httpx.Request) -> httpx.Response:
        """Announces a story at noon and never shows it."""
        first, last = span_of(request)
        shown = [a_hit(1, 60), a_hit(2, 80_000)]
        hits = [hit for hit in reversed(shown) if first <= hit["created_at_i"] < last]
        hidden = first <= DAY.timestamp() + 43_200 < last
        return httpx.Response(200, json={"nbHits": len(hits) + hidden, "hits": hits})

    builder = a_builder(DAY.date())
    with api_client(hiding, hackernews.API_POLICY) as client:
        hackernews.collect(client, builder, comments=False)
    collection = builder.collection(client)
    assert len(collection.posts) == 2
    assert not collection.complete
    assert "announced" in collection.reason


def span_of(request: httpx.Request) -> tuple[int, int]:
    """The first second asked for and the first one after."""
    low, _, high = request.url.params["numericFilters"].partition(",")
    last = int(high.removeprefix("created_at_i<") or 9e9)
    return int(low.removeprefix("created_at_i>=")), last


ESTIMATED = [{"exhaustiveNbHits": False}, {"exhaustive": {"nbHits": False}}]


def collected_by_estimate(
    seconds: list[int], *, page: int, told: dict[str, Any], hidden: tuple[int, ...] = ()
) -> Collection:
    """Collect stories of these seconds from a server that gives so many a page and tells this.

    Those of ``hidden`` seconds take their place on a page and are not shown.
    """
    seconds = [DAY_S + 5, *seconds]
    newest_first = [a_hit(second, second) for second in sorted(seconds, reverse=True)]

    def serve(request: httpx.Request) -> httpx.Response:
        first, last = span_of(request)
        hits = [hit for hit in newest_first if first <= hit["created_at_i"] < last]
        shown = [hit for hit in hits[:page] if hit["objectID"] not in map(str, hidden)]
        body = {"hitsPerPage": page, "nbHits": len(hits), "hits": shown, **told}
        return httpx.Response(200, json=body)

    builder = a_builder(DAY.date())
    with api_client(serve, hackernews.API_POLICY) as client:
        expected = hackernews.collect(client, builder, comments=False)
        return builder.collection(client, expected_count=expected)


@pytest.mark.parametrize("estimated", ESTIMATED)
def test_a_number_that_is_only_estimated_is_no_announcement(estimated):
    collection = collected_by_estimate([60, 600], page=10, told={"nbHits": 9, **estimated})
    assert collection.complete
    assert collection.expected_count is None
    assert len(collection.posts) == 2


@pytest.mark.parametrize("estimated", ESTIMATED)
def test_an_estimate_that_fits_costs_no_second_reading(estimated):
    collection = collected_by_estimate([60, 600], page=10, told=estimated)
    assert collection.complete
    assert collection.requests == 1 + PROOF


def test_full_pages_are_read_on_whatever_the_number_says():
    """A server that gives two hits a page, and counts no further."""
    told = {"nbHits": 2, "exhaustiveNbHits": False}
    collection = collected_by_estimate([60, 600, 900, 1_200, 1_500], page=2, told=told)
    assert len(collection.posts) == 5
    assert collection.complete


@pytest.mark.parametrize("estimated", ESTIMATED)
def test_a_page_that_lacks_a_hit_is_not_taken_for_the_last(estimated):
    collection = collected_by_estimate(
        [60, 600, 900, 1_200, 1_500], page=3, told=estimated, hidden=(1_200,)
    )
    assert len(collection.posts) == 4


def a_whole_day(*hits: dict[str, Any]) -> list[dict[str, Any]]:
    """The replies of a day of these hits: the page, a later one, and how many there are."""
    page = {"nbHits": len(hits or "1"), "hits": list(hits or [a_hit(7)])}
    return [page, {"nbHits": 1, "hits": [a_hit(9_999, DAY_S + 5)]}, page]


def test_comments_come_if_wanted():
    handler, asked = answering(*(httpx.Response(200, json=body) for body in a_whole_day()))
    with api_client(handler) as client:
        hackernews.collect(client, a_builder(DAY.date()), comments=True)
    assert "comment" in asked[0].url.params["tags"]


def test_a_comment_is_called_after_its_story():
    hit = {**a_hit(5), "title": None, "story_title": "Show HN: X", "comment_text": "<p>No"}
    post = hackernews.parse_hit(hit)
    assert isinstance(post, Post)
    assert (post.title, post.body) == ("Show HN: X", "<p>No")


def test_a_story_of_which_nearly_nothing_is_known_is_still_a_story():
    (post,) = collected_from(*a_whole_day(a_hit(7))).posts
    assert (post.title, post.body, post.comment_count, post.vote_count) == ("", "", 0, 0)


@pytest.mark.parametrize(
    "body", [{}, {"nbHits": 1}, {"nbHits": 1, "hits": [{}]}, {"hits": [], "nbHits": "many"}, "hits"]
)
def test_a_reply_of_another_shape_is_an_error_and_no_empty_day(body):
    with pytest.raises(UnexpectedReplyError):
        collected_from(body)


@pytest.mark.parametrize(
    ("item", "body"),
    [
        ({"options": [{"text": "Yes"}, {"text": "No"}]}, "Which?<ul><li>Yes<li>No</ul>"),
        ({"children": [{"type": "pollopt", "text": "Yes"}, {"type": "comment", "text": "No"}]},
         "Which?<ul><li>Yes</ul>"),
        ({"options": [7, None, {"text": None}], "children": "none"}, "Which?"),
        ([], "Which?"),
    ],
)  # fmt: skip
def test_a_poll_comes_with_its_options_where_its_page_has_them(item, body):
    poll = {**a_hit(7), "_tags": ["poll", "story_7"], "story_text": "Which?"}
    collection = collected_from(*a_whole_day(poll), item)
    assert [post.body for post in collection.posts] == [body]
    assert collection.complete


def test_a_poll_whose_page_is_not_there_is_a_post_all_the_same():
    poll = {**a_hit(7), "_tags": ["poll", "story_7"], "story_text": "Which?"}
    replies = [httpx.Response(200, json=body) for body in a_whole_day(poll)]
    handler, _ = answering(*replies, httpx.Response(404))
    builder = a_builder(DAY.date())
    with api_client(handler, hackernews.API_POLICY) as client:
        hackernews.collect(client, builder, comments=False)
    collection = builder.collection(client)
    assert [post.body for post in collection.posts] == ["Which?"]
    assert collection.complete
    assert "the poll 7" in collection.reason
