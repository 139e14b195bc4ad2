import pytest

from issue_pipeline.sandbox.apis import hackernews
from issue_pipeline_tests.support.hand_written import (
    DAY,
    ENDLESS_WINDOWS,
    a_client,
    a_post,
)
from issue_pipeline_tests.support.recordings import clashes, common_names, recorded

SEARCH = "/hackernews/api/v1/search_by_date"
DAY_S = int(DAY.timestamp())


def search(client, **parameters):
    return client.get(SEARCH, params={"hitsPerPage": 1000, **parameters})


@pytest.mark.parametrize(
    ("filters", "seconds"),
    [
        (f"created_at_i>={DAY_S + 1},created_at_i<{DAY_S + 3}", [2, 1]),
        (f"created_at_i>{DAY_S + 1}, created_at_i<={DAY_S + 3}", [3, 2]),
        (f"created_at_i={DAY_S + 2}", [2]),
        (f"created_at_i>={DAY_S + 1}.0,created_at_i<{DAY_S + 2}.0", [1]),
        (f"created_at_i<{DAY_S},created_at_i>{DAY_S}", []),
        ("", [4, 3, 2, 1, 0]),
    ],
)
def test_numeric_filters_mean_what_they_say(filters, seconds):
    client = a_client(*(a_post("hackernews", second) for second in range(5)))
    body = search(client, numericFilters=filters).json()
    assert [hit["created_at_i"] - DAY_S for hit in body["hits"]] == seconds
    assert body["nbHits"] == len(seconds)


@pytest.mark.parametrize(
    ("tags", "titles"),
    [
        ("story", {"s", "a", "h"}),
        ("ask_hn", {"a"}),
        ("(ask_hn,show_hn)", {"a", "h"}),
        ("(story,ask_hn)", {"s", "a", "h"}),
        ("story,show_hn", {"h"}),
        ("story,(ask_hn,show_hn),author_quietotter", {"a", "h"}),
        ("comment", set()),
        ("poll", set()),
        ("", {"s", "a", "h"}),
    ],
)
def test_a_comma_between_tags_is_and_and_within_parentheses_or(tags, titles):
    client = a_client(
        a_post("hackernews", title="s"),
        a_post("hackernews", title="a", channel="ask_hn"),
        a_post("hackernews", title="h", channel="show_hn"),
    )
    assert {hit["title"] for hit in search(client, tags=tags).json()["hits"]} == titles


def test_paging_shows_every_hit_once_newest_first():
    client = a_client(*(a_post("hackernews", second // 3) for second in range(130)))
    pages = [search(client, hitsPerPage=50, page=page).json() for page in range(4)]
    hits = [hit for page in pages for hit in page["hits"]]
    assert [page["nbPages"] for page in pages] == [3] * 4
    assert [len(page["hits"]) for page in pages] == [50, 50, 30, 0]
    assert len({hit["objectID"] for hit in hits}) == len(hits) == 130
    times = [hit["created_at_i"] for hit in hits]
    assert times == sorted(times, reverse=True)


def test_no_more_than_a_thousand_hits_can_be_reached():
    client = a_client(*(a_post("hackernews", second) for second in range(1100)))
    first = search(client, hitsPerPage=99_999).json()
    assert (len(first["hits"]), first["nbHits"], first["nbPages"]) == (1000, 1100, 1)
    assert first["hitsPerPage"] == 1000
    beyond = search(client, page=1)
    assert beyond.status_code == 200
    assert (beyond.json()["hits"], beyond.json()["nbHits"]) == ([], 0)
    assert "1000 hits" in beyond.json()["message"]
    crossing = search(client, hitsPerPage=300, page=3).json()
    assert (len(crossing["hits"]), crossing["nbPages"]) == (100, 4)


def test_a_page_of_nothing_tells_the_number_of_hits():
    client = a_client(*(a_post("hackernews", second) for second in range(7)))
    body = search(client, hitsPerPage=0).json()
    assert (body["hits"], body["nbHits"]) == ([], 7)


def test_a_hit_has_the_fields_and_types_of_the_recorded_ones():
    theirs = recorded("hackernews/algolia_2026_search_story_or_query.json")["body"]
    asks = [hit for hit in theirs["hits"] if "ask_hn" in hit["_tags"]]
    shows = [hit for hit in theirs["hits"] if "show_hn" in hit["_tags"] and "children" in hit]
    client = a_client(
        a_post("hackernews", 1, channel="ask_hn", author="pg"),
        a_post("hackernews", 0, channel="show_hn", link="https://example.org"),
    )
    ours = search(client).json()
    assert theirs.keys() - ours.keys() <= {"processingTimingsMS"}
    ask, show = ours["hits"]
    assert ask.keys() == common_names(asks)
    assert show.keys() == common_names(shows)
    assert clashes(show, shows) == clashes(ask, asks) == {}
    assert ask["_highlightResult"].keys() == asks[0]["_highlightResult"].keys()
    assert ask["_tags"] == ["story", "author_pg", f"story_{ask['objectID']}", "ask_hn"]
    assert len(asks[0]["_tags"]) == 4


def test_a_hit_without_comments_names_no_children():
    [hit] = search(a_client(a_post("hackernews", comment_count=0, body=None))).json()["hits"]
    assert not {"children", "story_text", "url"} & hit.keys()


def test_words_are_looked_for_in_title_and_text():
    client = a_client(
        a_post("hackernews", title="Rockets", body="It&#x27;s <p>late"),
        a_post("hackernews", title="Boats", body="late"),
    )
    assert [hit["title"] for hit in search(client, query="rocket LATE").json()["hits"]] == [
        "Rockets"
    ]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"numericFilters": "points>2"}, "invalid numeric attribute(points)"),
        ({"numericFilters": "created_at_i>noon"}, "invalid numeric filter"),
        ({"numericFilters": "created_at_i"}, "invalid numeric filter"),
        ({"numericFilters": "created_at_i>1,"}, "invalid numeric filter"),
        ({"page": -1}, "page"),
        ({"hitsPerPage": "all"}, "hitsPerPage"),
        ({"tags": "(story"}, "tags"),
        ({"tags": "story,,poll"}, "tags"),
    ],
)
def test_malformed_parameters_are_a_bad_request(parameters, words):
    reply = search(a_client(), **parameters)
    assert reply.status_code == 400
    assert reply.json()["code"] == 400
    assert words in reply.json()["message"]


def test_other_addresses_are_not_found():
    assert a_client().get("/hackernews/api/v1/search_by_luck").status_code == 404


def test_numbers_of_hits_can_be_called_inexact_as_in_2026():
    theirs = recorded("hackernews/algolia_2026_search_story_or_query.json")["body"]
    body = search(a_client(a_post("hackernews"), hn_exhaustive=False)).json()
    for name in ("exhaustive", "exhaustiveNbHits", "exhaustiveTypo"):
        assert body[name] == theirs[name]
    assert (body["nbHits"], len(body["hits"])) == (1, 1)
    assert search(a_client()).json()["exhaustiveNbHits"] is True


def test_a_request_beyond_the_hour_s_limit_is_too_many(monkeypatch):
    assert hackernews.REQUESTS_PER_HOUR == 10_000
    monkeypatch.setattr(hackernews, "REQUESTS_PER_HOUR", 3)
    client = a_client(time_scale=ENDLESS_WINDOWS)
    replies = [search(client) for _ in range(4)]
    assert [reply.status_code for reply in replies] == [200, 200, 200, 429]
    assert int(replies[-1].headers["retry-after"]) >= 1
    assert client.get("/stats").json()["violations"]["hackernews"] == {"requests": 1}
