import re

import pytest

from issue_pipeline.sandbox.apis import stackexchange
from issue_pipeline_tests.support.hand_written import (
    DAY,
    ENDLESS_WINDOWS,
    a_client,
    a_post,
)
from issue_pipeline_tests.support.recordings import clashes, common_names, recorded

QUESTIONS = "/stackexchange/2.3/questions"
DAY_S = int(DAY.timestamp())


def ask(client, headers=None, **parameters):
    given = {"site": "stackoverflow", "sort": "creation", "order": "asc", **parameters}
    return client.get(QUESTIONS, params=given, headers=headers)


def test_both_dates_are_inclusive():
    client = a_client(*(a_post("stackoverflow", second) for second in (9, 10, 20, 21)))
    items = ask(client, fromdate=DAY_S + 10, todate=DAY_S + 20).json()["items"]
    assert [item["creation_date"] - DAY_S for item in items] == [10, 20]


def test_paging_shows_every_question_once_and_says_when_it_ends():
    client = a_client(*(a_post("stackoverflow", second // 3) for second in range(200)))
    seen, page, more = [], 1, True
    while more:
        body = ask(client, page=page, pagesize=50).json()
        seen += [item["question_id"] for item in body["items"]]
        page, more = page + 1, body["has_more"]
    assert len(set(seen)) == len(seen) == 200
    assert page == 5


def test_questions_can_be_sorted_by_time_and_votes_both_ways():
    posts = [a_post("stackoverflow", second, vote_count=second * 3 % 7 - 2) for second in range(6)]
    client = a_client(*posts)
    scores = [item["score"] for item in ask(client, sort="votes", order="desc").json()["items"]]
    assert scores == [4, 3, 1, 0, -1, -2]
    dates = [item["creation_date"] for item in ask(client, order="desc").json()["items"]]
    assert dates == sorted(dates, reverse=True)


def test_a_question_has_the_fields_and_types_of_the_recorded_ones():
    theirs = recorded("stackoverflow/questions_withbody_2025_05a_page1.json")["body"]
    client = a_client(a_post("stackoverflow", tags=("python", "pandas")))
    ours = ask(client, filter="withbody").json()
    assert ours.keys() == theirs.keys()
    assert ours["items"][0].keys() == common_names(theirs["items"])
    assert clashes(ours["items"][0], theirs["items"]) == {}
    assert ours["items"][0]["owner"].keys() == common_names([i["owner"] for i in theirs["items"]])
    assert ours["items"][0]["tags"] == ["python", "pandas"]


def test_the_body_comes_only_with_the_filter():
    client = a_client(a_post("stackoverflow", body="<p>a &lt; b</p>"))
    assert "body" not in ask(client).json()["items"][0]
    assert ask(client, filter="withbody").json()["items"][0]["body"] == "<p>a &lt; b</p>"


def test_titles_are_escaped_with_the_apostrophe_in_decimal():
    client = a_client(a_post("stackoverflow", title='Why can\'t I use <T> & "x"?'))
    [item] = ask(client).json()["items"]
    assert item["title"] == "Why can&#39;t I use &lt;T&gt; &amp; &quot;x&quot;?"


def test_only_questions_with_all_the_tags_asked_for_come():
    both = a_post("stackoverflow", tags=("python", "pandas"))
    client = a_client(both, a_post("stackoverflow", tags=("python",)))
    assert len(ask(client, tagged="python").json()["items"]) == 2
    assert len(ask(client, tagged="python;Pandas").json()["items"]) == 1


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"site": ""}, "site is required"),
        ({"site": "nowhere"}, "No site found for name `nowhere`"),
        ({"pagesize": 101}, "pagesize"),
        ({"pagesize": "many"}, "pagesize"),
        ({"page": 0}, "page"),
        ({"fromdate": "2026-03-10"}, "fromdate"),
        ({"todate": "1e9"}, "todate"),
        ({"sort": "luck"}, "sort"),
        ({"order": "up"}, "order"),
        ({"filter": "everything"}, "filter"),
    ],
)
def test_a_bad_parameter_is_named_in_the_error(parameters, message):
    reply = ask(a_client(), **parameters)
    assert reply.status_code == 400
    assert reply.json() == {
        "error_id": 400,
        "error_message": message,
        "error_name": "bad_parameter",
    }


def test_dates_beyond_every_calendar_are_answered():
    client = a_client(a_post("stackoverflow"))
    assert len(ask(client, fromdate=0, todate=10**14).json()["items"]) == 1
    assert ask(client, fromdate=10**14).json()["items"] == []


def test_pages_above_25_need_a_key():
    client = a_client(*(a_post("stackoverflow", second) for second in range(30)))
    refused = ask(client, page=26, pagesize=1)
    assert (refused.status_code, refused.json()["error_id"]) == (400, 403)
    assert refused.json()["error_name"] == "access_denied"
    in_header = {"Authorization": "Bearer k"}
    assert len(ask(client, in_header, page=26, pagesize=1).json()["items"]) == 1
    assert len(ask(client, page=26, pagesize=1, key="k").json()["items"]) == 1


def test_the_quota_is_larger_with_a_key_and_goes_down():
    client = a_client()
    without, with_key = ask(client).json(), ask(client, key="k").json()
    assert (without["quota_max"], without["quota_remaining"]) == (300, 299)
    assert (with_key["quota_max"], with_key["quota_remaining"]) == (10_000, 9_999)


def test_a_wrong_key_is_refused_where_one_is_set():
    client = a_client(stackexchange_key="good")
    assert ask(client, key="good").status_code == 200
    refused = ask(client, key="bad")
    assert (refused.status_code, refused.json()["error_name"]) == (400, "bad_parameter")


def test_replies_are_compressed():
    client = a_client(*(a_post("stackoverflow", second) for second in range(5)))
    assert ask(client).headers["content-encoding"] == "gzip"


def test_an_unknown_method_is_no_method():
    reply = a_client().get("/stackexchange/2.3/riddles")
    assert (reply.status_code, reply.json()["error_name"]) == (404, "no_method")


def test_the_filter_total_tells_the_number_of_questions_and_nothing_else():
    client = a_client(*(a_post("stackoverflow", second) for second in range(7)))
    reply = ask(client, filter="total", fromdate=DAY_S + 2, pagesize=1)
    assert reply.json() == {"total": 5}


def test_a_request_beyond_the_quota_is_throttled_as_recorded(monkeypatch):
    monkeypatch.setattr(stackexchange, "DAILY_QUOTA_WITHOUT_KEY", 3)
    client = a_client(time_scale=ENDLESS_WINDOWS)
    replies = [ask(client) for _ in range(4)]
    assert [reply.status_code for reply in replies] == [200, 200, 200, 400]
    assert replies[2].json()["quota_remaining"] == 0
    theirs = recorded("stackoverflow/error_502_throttle_violation.json")
    assert replies[3].status_code == theirs["status"]
    assert worded(replies[3].json()) == worded(theirs["body"])
    assert ask(client, key="k").status_code == 200
    assert client.get("/stats").json()["violations"]["stackexchange"] == {"quota": 1}


def test_the_31st_request_of_a_second_is_throttled_whatever_its_key():
    client = a_client(time_scale=ENDLESS_WINDOWS)
    replies = [ask(client, key=f"k{number}") for number in range(31)]
    assert {reply.status_code for reply in replies[:30]} == {200}
    assert (replies[30].status_code, replies[30].json()["error_id"]) == (400, 502)
    assert client.get("/stats").json()["violations"]["stackexchange"] == {"burst": 1}


def worded(body):
    """The refusal with its number of seconds left out."""
    return {**body, "error_message": re.sub(r"\d+ seconds", "N seconds", body["error_message"])}
