"""Reddit's past, from the archive: any day, whole, without credentials."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
import stamina

from issue_pipeline.errors import RequestRejectedError, TransientError, UnexpectedReplyError
from issue_pipeline.records import Collection
from issue_pipeline.resources.collectors import arctic_shift
from issue_pipeline.sandbox.apis.addresses import permalink
from issue_pipeline_tests.support.hand_written import DAY, NOW, a_post
from issue_pipeline_tests.support.replays import (
    a_builder,
    answering,
    api_client,
    urls,
)
from issue_pipeline_tests.support.simulated import simulator

DAY_S = 24 * 60 * 60


def collected(posts, *subreddits: str, **settings: Any) -> Collection:
    with simulator(posts, **settings) as running:
        collectors = running.collectors(
            reddit_backend="archive",
            reddit_archive_url=f"{running.base_url}/archive",
            reddit_client_id="",
            reddit_client_secret="",
            reddit_subreddits=list(subreddits or ("shopkeepers",)),
        )
        return collectors.collect("reddit", DAY.date())


def test_a_day_has_its_midnight_and_not_the_next():
    inside = [a_post("reddit", second) for second in (0, 1, DAY_S // 2, DAY_S - 1)]
    outside = [a_post("reddit", second) for second in (-DAY_S, -1, DAY_S, DAY_S + 1)]
    collection = collected([*inside, *outside])
    assert urls(collection) == sorted(permalink(post) for post in inside)
    assert collection.complete
    assert collection.requests == 2  # the second brings nothing new


def test_a_day_that_the_listing_has_long_moved_past_is_whole():
    posts = [a_post("reddit", index * 50) for index in range(1_500)]
    since = [a_post("reddit", DAY_S + index * 30) for index in range(2_000)]
    collection = collected([*posts, *since], now=lambda: NOW + timedelta(days=9))
    assert urls(collection) == sorted(permalink(post) for post in posts)
    assert collection.complete


def test_posts_of_all_subreddits_come_each_once():
    posts = [
        a_post("reddit", index * 60, channel=("shopkeepers", "clinic_it")[index % 2])
        for index in range(500)
    ]
    collection = collected(posts, "shopkeepers", "clinic_it")
    assert urls(collection) == sorted(permalink(post) for post in posts)


def test_more_posts_in_a_second_than_a_page_holds_are_missed_and_told():
    collection = collected([a_post("reddit", 5) for _ in range(130)])
    assert len(collection.posts) == 100
    assert not collection.complete
    assert "r/shopkeepers" in collection.reason


OVERTAXED = {"data": None, "error": "Timeout. Maybe slow down a bit"}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (httpx.Response(422, json=OVERTAXED), TransientError),
        (httpx.Response(400, json={"data": None, "error": "limit"}), RequestRejectedError),
        (httpx.Response(429, headers={"x-ratelimit-reset": "9"}), TransientError),
        (httpx.Response(200, json=OVERTAXED), TransientError),
        (httpx.Response(200, json={"data": None, "error": ""}), UnexpectedReplyError),
    ],
)
def test_an_overtaxed_archive_is_asked_again_and_a_mistake_is_not(reply, kind, clock):
    handler, _ = answering(*[reply] * len(arctic_shift.PAGE_SIZES))
    with (
        stamina.set_testing(True, attempts=1),
        api_client(handler, arctic_shift.API_POLICY) as client,
        pytest.raises(kind) as refused,
    ):
        arctic_shift.collect(client, ["webdev"], a_builder(DAY.date()))
    assert type(refused.value) is kind


def test_a_day_the_archive_has_not_got_to_is_not_called_empty():
    collection = collected([a_post("reddit", -DAY_S)])
    assert collection.posts == ()
    assert not collection.complete
    assert "nothing of r/shopkeepers" in collection.reason
    assert "REDDIT_SUBREDDITS" in collection.reason


def test_a_name_that_the_archive_does_not_take_names_its_setting():
    handler, _ = answering(httpx.Response(400, json={"data": None, "error": "Invalid subreddit"}))
    with (
        api_client(handler, arctic_shift.API_POLICY) as client,
        pytest.raises(RequestRejectedError, match=r"Invalid subreddit.*REDDIT_SUBREDDITS"),
    ):
        arctic_shift.collect(client, ["webdev"], a_builder(DAY.date()))


def test_a_quiet_day_that_it_has_got_beyond_is_whole():
    collection = collected([a_post("reddit", -DAY_S), a_post("reddit", DAY_S + 5)])
    assert collection.posts == ()
    assert collection.complete
