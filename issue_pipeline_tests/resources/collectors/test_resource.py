"""The resource: each source under the configured address, with the configured credentials."""

from datetime import date

import pytest

from issue_pipeline.errors import ConfigurationError, UnreachableError
from issue_pipeline.partitions import SOURCES
from issue_pipeline.resources.collectors import CollectorsResource
from issue_pipeline.sandbox.apis.addresses import permalink
from issue_pipeline_tests.support.hand_written import CLIENT_ID, CLIENT_SECRET, DAY, a_post
from issue_pipeline_tests.support.replays import urls
from issue_pipeline_tests.support.simulated import simulator

A_DAY = date(2026, 3, 10)


def test_every_source_gives_its_own_posts_of_the_day():
    posts = [a_post(source, second) for source in SOURCES for second in (0, 3_600, 86_399)]
    others = [a_post(source, second) for source in SOURCES for second in (-1, 86_400)]
    with simulator([*posts, *others]) as running:
        for source in SOURCES:
            collection = running.collectors().collect(source, DAY.date())
            wanted = sorted(permalink(post) for post in posts if post.source == source)
            assert urls(collection) == wanted
            assert {post.source for post in collection.posts} == {source}
            assert collection.complete


def test_addresses_may_be_written_with_or_without_the_api_s_own_path():
    posts = [a_post(source, 60) for source in SOURCES]
    earlier = a_post("reddit", -60)
    with simulator([*posts, earlier]) as running:
        collectors = running.collectors(
            github_api_url=f"{running.base_url}/github/",
            stackexchange_api_url=f"{running.base_url}/stackexchange/2.3/",
            reddit_api_url=f"{running.base_url}/reddit/",
            reddit_auth_url=f"{running.base_url}/reddit/api/v1/access_token",
            hn_api_url=f"{running.base_url}/hackernews/api/v1",
        )
        for source in SOURCES:
            assert len(collectors.collect(source, DAY.date()).posts) == 1, source


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET"),
        ({"reddit_client_id": CLIENT_ID}, "REDDIT_CLIENT_SECRET"),
        ({"reddit_client_secret": CLIENT_SECRET}, "REDDIT_CLIENT_ID"),
        (
            {
                "reddit_client_id": CLIENT_ID,
                "reddit_client_secret": CLIENT_SECRET,
                "reddit_subreddits": [],
            },
            "REDDIT_SUBREDDITS",
        ),
    ],
)
def test_what_reddit_needs_is_named_when_it_is_missing(settings, named):
    with pytest.raises(ConfigurationError, match=named):
        CollectorsResource(**settings).collect("reddit", A_DAY)


def test_a_source_nobody_knows_is_named():
    with pytest.raises(ConfigurationError, match=r"usenet.*github"):
        CollectorsResource().collect("usenet", A_DAY)


@pytest.mark.parametrize("setting", ["github_requests_per_minute", "hn_requests_per_minute"])
def test_a_pace_of_nothing_is_refused(setting):
    with pytest.raises(ValueError, match=setting):
        CollectorsResource(**{setting: 0})


def test_a_server_that_is_not_there_is_named(clock):
    nobody = CollectorsResource(hn_api_url="http://127.0.0.1:9/hn")
    with pytest.raises(UnreachableError, match=r"Hacker News.*127\.0\.0\.1:9"):
        nobody.collect("hackernews", A_DAY)
    assert len(clock.sleeps) >= 2  # it was tried again before it was given up


def test_no_secret_shows_when_the_resource_is_printed():
    secret = "hush"
    names = ("github_token", "stackexchange_key", "reddit_client_id", "reddit_client_secret")
    assert secret not in repr(CollectorsResource(**dict.fromkeys(names, secret)))
