"""The resource: each source under the configured address, with the configured credentials."""

import re
from datetime import date

import pytest

from issue_pipeline.errors import ConfigurationError, UnreachableError
from issue_pipeline.partitions import SOURCES
from issue_pipeline.resources.collectors import CollectorsResource
from issue_pipeline.resources.collectors.collection_builder import CollectionBuilder, Day
from issue_pipeline.resources.collectors.http import user_agent
from issue_pipeline.resources.collectors.rate_limits import TimeBudget
from issue_pipeline.resources.collectors.source import SourceDay
from issue_pipeline.sandbox.apis.addresses import permalink
from issue_pipeline_tests.support.hand_written import CLIENT_ID, CLIENT_SECRET, DAY, a_post
from issue_pipeline_tests.support.replays import API_POLICY, urls
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
        ({"backend": "api"}, "REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET"),
        ({"client_id": CLIENT_ID}, "REDDIT_CLIENT_SECRET"),
        ({"backend": "api", "client_secret": CLIENT_SECRET}, "REDDIT_CLIENT_ID"),
        ({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "subreddits": []}, "SUBREDDITS"),
        ({"subreddits": []}, "REDDIT_SUBREDDITS"),
    ],
)
def test_what_reddit_needs_is_named_when_it_is_missing(settings, named):
    with pytest.raises(ConfigurationError, match=named):
        CollectorsResource(reddit=settings).collect("reddit", A_DAY)


def test_a_source_nobody_knows_is_named():
    with pytest.raises(ConfigurationError, match=r"usenet.*github"):
        CollectorsResource().collect("usenet", A_DAY)


@pytest.mark.parametrize("source", SOURCES)
def test_a_pace_of_nothing_is_refused(source):
    with pytest.raises(ValueError, match="requests_per_minute"):
        CollectorsResource(**{source: {"requests_per_minute": 0}})


def test_a_server_that_is_not_there_is_named(clock):
    nobody = CollectorsResource(hackernews={"api_url": "http://127.0.0.1:9/hn"})
    with pytest.raises(UnreachableError, match=r"Hacker News.*127\.0\.0\.1:9"):
        nobody.collect("hackernews", A_DAY)
    assert len(clock.sleeps) >= 2  # it was tried again before it was given up


def test_no_secret_shows_when_the_resource_is_printed():
    secret = "hush"
    collectors = CollectorsResource(
        github={"token": secret},
        stackoverflow={"key": secret},
        reddit={"client_id": secret, "client_secret": secret},
    )
    assert secret not in repr(collectors)


def test_without_an_application_reddit_is_read_from_the_archive():
    with simulator([a_post("reddit", 60), a_post("reddit", 86_500)]) as running:
        collectors = running.collectors(
            reddit_client_id="",
            reddit_client_secret="",
            reddit_archive_url=f"{running.base_url}/archive",
        )
        assert len(collectors.collect("reddit", DAY.date()).posts) == 1


def test_the_user_agent_names_the_project_its_version_and_whom_to_ask():
    assert re.fullmatch(
        r"issue-pipeline/\d[\w.]* \(collects public posts; contact: ops@example\.org\)",
        user_agent("ops@example.org"),
    )
    assert "contact" not in user_agent()


def test_every_client_of_a_source_day_says_who_it_is(tmp_path, clock):
    day = SourceDay(CollectionBuilder(Day(A_DAY), 100), TimeBudget(1), tmp_path, "ops@example.org")
    with day.client(API_POLICY, "http://api.test", 60, {"Authorization": "Bearer x"}) as client:
        assert "ops@example.org" in client._http.headers["User-Agent"]
        assert client._http.headers["Authorization"] == "Bearer x"
