from datetime import timedelta

import pytest

from issue_pipeline.sandbox.apis.faults import FaultProfile, IndexSpell
from issue_pipeline_tests.support.hand_written import (
    DAY,
    ENDLESS_WINDOWS,
    NOW,
    a_client,
    a_post,
    reddit_headers,
)

SEARCH = "/archive/api/posts/search"
DAY_S = int(DAY.timestamp())
NOW_S = int((NOW - DAY).total_seconds())


def search(client, **parameters):
    return client.get(SEARCH, params={"subreddit": "shopkeepers", **parameters})


def seconds(reply):
    assert reply.status_code == 200
    return [post["created_utc"] - DAY_S for post in reply.json()["data"]]


@pytest.mark.parametrize(
    ("after", "before"),
    [
        (DAY_S + 1, DAY_S + 4),
        ((DAY_S + 1) * 1000, (DAY_S + 4) * 1000),
        ("2026-03-10T00:00:01Z", "2026-03-10T00:00:04Z"),
        ("2026-03-10T00:00:01.000Z", "2026-03-10T00:00:04.000Z"),
        ("2026-03-10 00:00:01", "2026-03-10T01:00:04+01:00"),
    ],
)
def test_both_bounds_are_exclusive_however_they_are_written(after, before):
    client = a_client(*(a_post("reddit", second) for second in range(6)))
    assert seconds(search(client, after=after, before=before, sort="asc")) == [2, 3]


def test_a_day_can_be_written_without_its_time():
    client = a_client(*(a_post("reddit", hour * 3600) for hour in (-1, 1, 23, 25)))
    shown = seconds(search(client, after="2026-03-10", before="2026-03-11", sort="asc"))
    assert shown == [3600, 23 * 3600]


def test_walking_on_from_the_last_second_shown_reaches_every_post_beyond_a_thousand():
    client = a_client(*(a_post("reddit", second) for second in range(1_250)))
    seen, after = [], DAY_S - 1
    while page := search(client, after=after, sort="asc", limit=100).json()["data"]:
        assert len(page) <= 100
        seen += [post["id"] for post in page]
        after = page[-1]["created_utc"]
    assert len(set(seen)) == len(seen) == 1_250


def test_the_newest_come_first_and_25_of_them_unless_asked():
    client = a_client(*(a_post("reddit", second) for second in range(30)))
    assert seconds(search(client)) == list(range(29, 4, -1))


def test_posts_are_the_listing_s_with_raw_text_and_whole_seconds():
    client = a_client(a_post("reddit", title="a < b", body="x & y"))
    [archived] = search(client).json()["data"]
    reply = client.get("/reddit/r/shopkeepers/new?raw_json=1", headers=reddit_headers(client))
    [listed] = [child["data"] for child in reply.json()["data"]["children"]]
    assert archived.pop("retrieved_on") >= DAY_S
    assert archived == listed
    assert (archived["title"], archived["selftext"]) == ("a < b", "x & y")
    assert isinstance(archived["created_utc"], int)


def test_scores_of_young_posts_are_placeholders():
    old_s, young_s = NOW_S - 36 * 3600, NOW_S - 36 * 3600 + 1
    client = a_client(
        a_post("reddit", old_s, vote_count=41), a_post("reddit", young_s, vote_count=42)
    )
    young, old = search(client).json()["data"]
    assert (old["score"], old["num_comments"]) == (41, 3)
    assert (young["score"], young["num_comments"]) == (1, 0)
    assert old["retrieved_on"] - old["created_utc"] == timedelta(hours=36).total_seconds()
    assert young["retrieved_on"] - young["created_utc"] < 60


def test_an_unknown_subreddit_has_no_posts_and_names_have_no_case():
    client = a_client(a_post("reddit"))
    assert search(client, subreddit="nowhere").json() == {"data": []}
    assert seconds(search(client, subreddit="ShopKeepers")) == [0]


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({"subreddit": ""}, "subreddit"),
        ({"after": "lately"}, "after"),
        ({"before": "-5"}, "before"),
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "auto"}, "limit"),
        ({"sort": "up"}, "sort"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_named(parameters, word):
    reply = search(a_client(), **parameters)
    assert reply.status_code == 400
    assert reply.json()["data"] is None
    assert word in reply.json()["error"]


def test_the_limit_is_told_and_the_request_beyond_it_refused():
    client = a_client(time_scale=ENDLESS_WINDOWS)
    replies = [search(client) for _ in range(121)]
    assert replies[0].headers["x-ratelimit-limit"] == "120"
    assert replies[0].headers["x-ratelimit-remaining"] == "119"
    assert int(replies[0].headers["x-ratelimit-reset"]) >= 1
    assert {reply.status_code for reply in replies[:120]} == {200}
    assert (replies[120].status_code, replies[120].json()["data"]) == (429, None)
    assert client.get("/stats").json()["violations"]["archive"] == {"requests": 1}


def test_another_address_is_not_found():
    assert a_client().get("/archive/api/comments/search").status_code == 404


def test_from_a_heavy_place_no_more_than_fifty_posts_can_be_given_whenever_they_are_asked_for():
    posts = [a_post("reddit", second) for second in range(120)]
    client = a_client(*posts, faults=FaultProfile(heavy_share=1.0))
    for _ in range(2):
        refused = search(client, limit=100, after=DAY_S - 1, sort="asc")
        assert refused.status_code == 422
        assert refused.json() == {"data": None, "error": "Timeout. Maybe slow down a bit"}
    assert seconds(search(client, limit=50, after=DAY_S - 1, sort="asc")) == list(range(50))
    assert client.get("/stats").json()["faults"]["archive"] == {"heavy_query": 2}


def test_only_some_places_are_heavy_and_these_for_good():
    client = a_client(a_post("reddit"), faults=FaultProfile(heavy_share=0.5))
    first, again = (
        [search(client, limit=100, after=DAY_S + at).status_code for at in range(40)]
        for _ in range(2)
    )
    assert first == again
    assert set(first) == {200, 422}


def test_the_busiest_subreddit_shows_how_far_the_archive_has_got():
    lag = IndexSpell("archive", "stopped_index", behind=timedelta(hours=20), last_request=1)
    client = a_client(faults=FaultProfile(index_spells=(lag,)), busy_reddit=True)
    newest = [
        search(client, subreddit="AskReddit", sort="desc", limit=1).json()["data"][0]
        for _ in range(2)
    ]
    behind_s = [NOW.timestamp() - post["created_utc"] for post in newest]
    assert 72_000 <= behind_s[0] < 72_600
    assert behind_s[1] < 600
