"""Totals that never settle: hidden issues that are counted, and matches that keep coming in.

A small day in the suite; one of six thousand issues with ``make soak``.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from issue_pipeline.records import Collection
from issue_pipeline.resources.collectors import github
from issue_pipeline.sandbox.apis.addresses import permalink
from issue_pipeline.sandbox.apis.faults import FaultProfile
from issue_pipeline.sandbox.apis.post_faults import growing_posts, hidden_posts
from issue_pipeline.sandbox.world.posts import SimulatedPost
from issue_pipeline_tests.support.hand_written import DAY, HandWrittenWorld, a_post
from issue_pipeline_tests.support.soak import SOAK
from issue_pipeline_tests.support.virtual import virtual_simulator

pytestmark = pytest.mark.slow

SIZE = 6_000 if SOAK else 900
SEEDS = range(6)
DAY_S = 86_400
# At 28 searches a minute, matches that come in at 1.5 a minute.
GROWTH_PER_REQUEST = 1.5 / 28
GROWING_REQUESTS = 400


@pytest.fixture(scope="module")
def posts() -> list[SimulatedPost]:
    of_day = [a_post("github", number * DAY_S / SIZE) for number in range(SIZE)]
    posts = [*of_day, a_post("github", DAY_S + 60), a_post("github", -60)]
    # By their numbers it is drawn which are hidden: the same ones whatever ran before.
    return [replace(post, number=number) for number, post in enumerate(posts, start=1)]


@pytest.fixture
def collect(posts: list[SimulatedPost], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    def collect(profile: FaultProfile) -> Collection:
        folder = tmp_path / f"{profile.seed}-{profile.hidden_share}-{profile.growing_share}"
        with virtual_simulator(HandWrittenWorld(posts), monkeypatch, faults=profile) as running:
            collectors = running.collectors(
                cache_dir=str(folder),
                github_query=github.DEFAULT_QUERY,
                github_requests_per_minute=None,
                github_token="a-token",
            )
            collection = collectors.collect("github", DAY.date())
            assert running.stats()["violations"]["github"] == {}
        return collection

    return collect


def addresses(posts: list[SimulatedPost]) -> set[str]:
    return {permalink(post) for post in posts if post.created_at.date() == DAY.date()}


@pytest.mark.parametrize("share", [0.001, 0.005, 0.02])
def test_hidden_issues_cost_at_most_twice_the_requests_and_are_named(collect, posts, share):
    undisturbed = collect(FaultProfile())
    assert undisturbed.complete
    for seed in SEEDS:
        profile = FaultProfile(hidden_share=share, seed=seed)
        hidden = addresses(hidden_posts(profile, posts))
        collection = collect(profile)
        assert {post.url for post in collection.posts} == addresses(posts) - hidden
        assert collection.requests <= 2 * undisturbed.requests
        assert collection.complete, collection.reason
        assert bool(hidden) == ("hid" in collection.reason), collection.reason


def test_matches_that_keep_coming_in_leave_the_day_complete_as_of_its_beginning(collect, posts):
    undisturbed = collect(FaultProfile())
    share = GROWTH_PER_REQUEST * GROWING_REQUESTS / SIZE
    for seed in SEEDS:
        profile = FaultProfile(growing_share=share, growing_requests=GROWING_REQUESTS, seed=seed)
        growing = addresses(growing_posts(profile, posts))
        collection = collect(profile)
        found = {post.url for post in collection.posts}
        assert addresses(posts) - growing <= found <= addresses(posts)
        assert collection.requests <= 2 * undisturbed.requests
        assert collection.complete, collection.reason
