from itertools import pairwise

import pytest

from issue_pipeline.sandbox.apis.faults import FaultProfile
from issue_pipeline.sandbox.apis.restless import Restlessness, restless_posts, vanishes
from issue_pipeline_tests.support.hand_written import a_client, a_post, reddit_headers

PROFILE = FaultProfile(restless_share=0.4, restless_requests=10)
POSTS = [a_post("hackernews", second, number=second) for second in range(1_000)]


def seen_after(requests, source="hackernews"):
    restlessness = Restlessness(PROFILE)
    for _ in range(requests):
        restlessness.note_request(source)
    return {post.number for post in POSTS if restlessness.is_visible(post)}


def numbers(posts):
    return {post.number for post in posts}


def test_about_the_share_asked_for_is_restless_half_of_it_for_good():
    restless = restless_posts(PROFILE, POSTS)
    assert len(restless) == pytest.approx(400, abs=60)
    gone = [post for post in restless if vanishes(PROFILE, post)]
    assert len(gone) == pytest.approx(200, abs=45)
    assert restless_posts(FaultProfile(), POSTS) == []


def test_first_the_late_are_missing_and_in_the_end_the_vanishing():
    restless = restless_posts(PROFILE, POSTS)
    gone = {post.number for post in restless if vanishes(PROFILE, post)}
    late = numbers(restless) - gone
    assert seen_after(1) == numbers(POSTS) - late
    assert seen_after(11) == seen_after(1_000) == numbers(POSTS) - gone


def test_in_between_they_turn_one_after_the_other_and_nobody_turns_twice():
    seen = [seen_after(requests) for requests in range(1, 12)]
    assert len({frozenset(state) for state in seen}) == 11
    for number in numbers(restless_posts(PROFILE, POSTS)):
        presence = [number in state for state in seen]
        assert sum(before != after for before, after in pairwise(presence)) == 1


def test_requests_about_another_source_change_nothing():
    assert seen_after(50, "github") == seen_after(0)


def test_another_seed_makes_other_posts_restless():
    other = FaultProfile(restless_share=0.4, seed=1)
    assert numbers(restless_posts(other, POSTS)) != numbers(restless_posts(PROFILE, POSTS))


def test_the_apis_show_what_is_visible_at_the_time():
    posts = [a_post("hackernews", second) for second in range(60)]
    client = a_client(*posts, faults=PROFILE)
    path = "/hackernews/api/v1/search_by_date?hitsPerPage=100"
    totals = [client.get(path).json()["nbHits"] for _ in range(12)]
    restless = restless_posts(PROFILE, posts)
    gone = sum(vanishes(PROFILE, post) for post in restless)
    assert totals[0] == 60 - (len(restless) - gone)
    assert totals[-1] == 60 - gone
    assert len(set(totals)) > 2


def test_the_archive_and_the_listing_of_reddit_move_together():
    posts = [a_post("reddit", second) for second in range(60)]
    client = a_client(*posts, faults=PROFILE)
    headers = reddit_headers(client)
    for _ in range(10):
        client.get("/reddit/r/shopkeepers/about", headers=headers)
    listing = client.get("/reddit/r/shopkeepers/new?limit=100", headers=headers).json()["data"]
    archive = client.get("/archive/api/posts/search?subreddit=shopkeepers&limit=100").json()["data"]
    assert [child["data"]["id"] for child in listing["children"]] == [
        post["id"] for post in archive
    ]
    assert len(archive) < 60
