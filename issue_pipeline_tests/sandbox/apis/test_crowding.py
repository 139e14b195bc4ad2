from collections import Counter

import pytest

from issue_pipeline.sandbox.apis.crowding import EDGES_S, CrowdedWorld
from issue_pipeline.sandbox.apis.faults import FaultProfile
from issue_pipeline_tests.support.hand_written import DAY, HandWrittenWorld, a_client, a_post

POSTS = [a_post("github", second) for second in range(0, 86_400, 300)]


def seconds(share, seed=0, posts=POSTS):
    world = CrowdedWorld(HandWrittenWorld(posts), share, seed)
    return [(post.created_at - DAY).total_seconds() for post in world.posts("github", DAY.date())]


@pytest.mark.parametrize(
    ("at_s", "edge_s"),
    [(0, 0), (10_799, 0), (10_800, 21_599), (21_600, 21_600), (86_000, 86_399), (86_399, 86_399)],
)
def test_a_moved_post_goes_to_the_nearest_edge_of_its_quarter_of_the_day(at_s, edge_s):
    assert seconds(1, posts=[a_post("github", at_s)]) == [edge_s]


def test_every_edge_is_crowded_and_no_post_is_lost():
    crowds = Counter(seconds(1))
    assert crowds.keys() == set(EDGES_S)
    assert sum(crowds.values()) == len(POSTS)
    assert min(crowds.values()) > 10


def test_the_share_asked_for_is_moved_and_the_order_kept():
    moved = seconds(0.3)
    assert moved == sorted(moved)
    before = {(post.created_at - DAY).total_seconds() for post in POSTS}
    assert len(before - set(moved)) / len(POSTS) == pytest.approx(0.3, abs=0.08)
    assert seconds(0.3) != seconds(0.3, seed=1)
    assert set(seconds(0)) == before


def test_the_apis_serve_the_crowded_times():
    client = a_client(a_post("github", 10), faults=FaultProfile(crowded_share=1.0))
    [item] = client.get("/github/search/issues?q=is:issue").json()["items"]
    assert item["created_at"] == "2026-03-10T00:00:00Z"
