"""Indexes that have stopped, or lost a part of what they had."""

from datetime import timedelta

import pytest

from issue_pipeline.sandbox.apis.faults import INDEXED_APIS, FaultProfile, IndexSpell
from issue_pipeline_tests.support.hand_written import DAY, NOW, a_client, a_post

PATHS = {
    "github": "/github/search/issues?q=is:issue&per_page=100",
    "stackexchange": "/stackexchange/2.3/questions?site=stackoverflow&pagesize=100&sort=creation",
    "archive": "/archive/api/posts/search?subreddit=shopkeepers&limit=100",
    "hackernews": "/hackernews/api/v1/search_by_date?hitsPerPage=100",
}
SOURCES = ("github", "stackoverflow", "reddit", "hackernews")
POSTS = [a_post(source, 3_600 * hour) for source in SOURCES for hour in range(24)]
TWO_O_CLOCK = NOW - DAY - timedelta(hours=2)
TOTALS = {"github": "total_count", "hackernews": "nbHits"}


def found(client, api):
    body = client.get(PATHS[api]).json()
    items = body[{"hackernews": "hits", "archive": "data"}.get(api, "items")]
    assert body.get(TOTALS.get(api, ""), len(items)) == len(items)
    return len(items)


@pytest.mark.parametrize("api", INDEXED_APIS)
def test_a_stopped_index_has_nothing_later_and_says_nothing_about_it(api):
    spell = IndexSpell(api, "stopped_index", behind=TWO_O_CLOCK, last_request=3)
    client = a_client(*POSTS, faults=FaultProfile(index_spells=(spell,)))
    assert [found(client, api) for _ in range(5)] == [3, 3, 3, 24, 24]
    others = [other for other in INDEXED_APIS if other != api]
    assert [found(client, other) for other in others] == [24, 24, 24]
    counted = client.get("/stats").json()["faults"]
    assert {name: faults for name, faults in counted.items() if faults} == {
        api: {"stopped_index": 3}
    }


@pytest.mark.parametrize("api", INDEXED_APIS)
def test_a_shrunken_index_has_lost_the_same_posts_as_long_as_it_lasts(api):
    spell = IndexSpell(api, "shrunken_index", lost_share=0.7, first_request=2, last_request=3)
    client = a_client(*POSTS, faults=FaultProfile(index_spells=(spell,)))
    before, during, again, after = (found(client, api) for _ in range(4))
    assert before == after == 24
    assert 0 < during == again < 15
    assert client.get("/stats").json()["faults"][api] == {"shrunken_index": 2}


def test_a_spell_that_hides_nothing_is_not_counted():
    spell = IndexSpell("hackernews", "stopped_index", behind=timedelta(hours=1))
    client = a_client(*POSTS, faults=FaultProfile(index_spells=(spell,)))
    assert found(client, "hackernews") == 24
    assert client.get("/stats").json()["faults"]["hackernews"] == {}


def test_the_lists_of_repositories_are_not_read_from_an_index():
    spell = IndexSpell("github", "shrunken_index", lost_share=1.0)
    client = a_client(*POSTS, faults=FaultProfile(index_spells=(spell,)))
    assert found(client, "github") == 0
    listed = client.get("/github/repos/acme/rocket/issues?per_page=100").json()
    assert sum("pull_request" not in item for item in listed) == 24
