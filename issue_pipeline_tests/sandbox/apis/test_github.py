import re
import time
from datetime import timedelta

import pytest

from issue_pipeline_tests.support.hand_written import (
    DAY,
    ENDLESS_WINDOWS,
    a_client,
    a_post,
)
from issue_pipeline_tests.support.recordings import clashes, common_names, recorded

SEARCH = "/github/search/issues"
LISTING = "/github/repos/acme/rocket/issues"
WHOLE_DAY = "is:issue created:2026-03-10T00:00:00Z..2026-03-10T23:59:59Z"


def search(client, q=WHOLE_DAY, **parameters):
    return client.get(SEARCH, params={"q": q, **parameters})


def link_to(reply, relation):
    found = re.search(rf'<([^>]+)>; rel="{relation}"', reply.headers.get("link", ""))
    return found and found[1]


def walk(client, url, **parameters):
    """Follow the Link header from page to page."""
    reply = client.get(url, params=parameters)
    pages = [reply.json()]
    while url := link_to(reply, "next"):
        reply = client.get(url)
        assert reply.status_code == 200
        pages.append(reply.json())
    return pages


def test_a_day_holds_its_first_and_its_last_second_and_no_other():
    posts = [a_post("github", second) for second in (-1, 0, 86_399, 86_400)]
    body = search(a_client(*posts), sort="created", order="asc").json()
    assert body["total_count"] == 2
    assert body["incomplete_results"] is False
    assert [item["created_at"] for item in body["items"]] == [
        "2026-03-10T00:00:00Z",
        "2026-03-10T23:59:59Z",
    ]


def test_paging_shows_every_issue_once_even_those_of_one_second():
    posts = [a_post("github", second // 7) for second in range(250)]
    client = a_client(*posts)
    for order in ("asc", "desc"):
        pages = walk(client, SEARCH, q=WHOLE_DAY, sort="created", order=order, per_page=40)
        items = [item for page in pages for item in page["items"]]
        assert len({item["id"] for item in items}) == len(items) == 250
        created = [item["created_at"] for item in items]
        assert created == sorted(created, reverse=order == "desc")


def test_at_most_a_hundred_issues_come_on_a_page():
    client = a_client(*(a_post("github", second) for second in range(120)))
    assert len(search(client, per_page=500).json()["items"]) == 100
    assert len(search(client).json()["items"]) == 30
    assert len(search(client, per_page="lots", page="first").json()["items"]) == 30


def test_more_than_a_thousand_results_are_told_but_not_given():
    client = a_client(*(a_post("github", second) for second in range(1050)))
    tenth = search(client, per_page=100, page=10)
    assert tenth.json()["total_count"] == 1050
    assert len(tenth.json()["items"]) == 100
    assert link_to(tenth, "next") is None
    refused = search(client, per_page=100, page=11)
    assert refused.status_code == 422
    assert refused.json()["message"] == "Only the first 1000 search results are available"
    crossing = search(client, per_page=30, page=34).json()
    assert len(crossing["items"]) == 10


def test_a_search_without_a_kind_is_refused():
    reply = search(a_client(), "created:2026-03-10")
    assert reply.status_code == 422
    [error] = reply.json()["errors"]
    assert error["message"] == "Query must include 'is:issue' or 'is:pull-request'"


@pytest.mark.parametrize(
    "parameters",
    [
        {"q": ""},
        {"q": "is:issue created:soon"},
        {"q": "is:issue repo:no/where"},
        {"q": "is:issue", "sort": "luck"},
        {"q": "is:issue", "order": "up"},
    ],
)
def test_a_malformed_search_is_refused(parameters):
    reply = a_client().get(SEARCH, params=parameters)
    assert reply.status_code == 422
    assert reply.json()["message"] == "Validation Failed"
    assert reply.json()["errors"][0]["resource"] == "Search"


def test_issues_can_be_sorted_by_comments():
    posts = [a_post("github", second, comment_count=second * 3 % 7) for second in range(6)]
    items = search(a_client(*posts), sort="comments").json()["items"]
    assert [item["comments"] for item in items] == [6, 5, 3, 2, 1, 0]


def test_an_issue_has_the_fields_and_types_of_the_recorded_ones():
    theirs = recorded("github/search_issues_is_issue_closed_page1.json")["body"]["items"]
    client = a_client(a_post("github", tags=("bug",), body="# Steps\n\n```\nlog\n```"))
    [ours] = search(client).json()["items"]
    assert ours.keys() == common_names(theirs)
    assert clashes(ours, theirs) == {}
    assert ours["user"].keys() == theirs[0]["user"].keys()
    assert ours["reactions"].keys() == theirs[0]["reactions"].keys()
    assert ours["body"] == "# Steps\n\n```\nlog\n```"


def test_a_listed_issue_and_pull_request_have_the_recorded_fields():
    issues = recorded("github/repo_issues_closed_with_issue_type.json")["body"]
    pulls = [
        item
        for item in recorded("github/repo_issues_pygithub_recent.json")["body"]
        if "pull_request" in item
    ]
    pull, issue = a_client(a_post("github", number=9)).get(LISTING).json()
    assert issue.keys() == common_names(issues)
    assert pull.keys() == common_names(pulls)
    assert pull["pull_request"].keys() == pulls[0]["pull_request"].keys()
    assert clashes(issue, issues) == clashes(pull, pulls) == {}
    assert issue["labels"] == []


def test_an_empty_body_is_null():
    [item] = search(a_client(a_post("github", body=None))).json()["items"]
    assert item["body"] is None


def test_broken_unicode_reaches_the_client():
    [item] = search(a_client(a_post("github", title="half \ud83d"))).json()["items"]
    assert item["title"] == "half \ud83d"


def test_pull_requests_are_found_only_when_asked_for():
    client = a_client(*(a_post("github", second, number=second) for second in range(1, 28)))
    issues = search(client, per_page=100).json()
    pulls = search(client, WHOLE_DAY.replace("issue", "pull-request"), per_page=100).json()
    assert (issues["total_count"], pulls["total_count"]) == (27, 3)
    assert not any("pull_request" in item for item in issues["items"])
    assert all("pull_request" in item for item in pulls["items"])


def test_the_listing_of_a_repository_is_whole_and_mixes_in_pull_requests():
    posts = [a_post("github", second, number=second) for second in range(1, 1201)]
    client = a_client(*posts, a_post("github", channel="acme/other"))
    pages = walk(client, LISTING, state="all", per_page=100, direction="asc", sort="created")
    items = [item for page in pages for item in page]
    assert len({item["id"] for item in items}) == len(items) == 1200 + 1200 // 9
    assert sum("pull_request" not in item for item in items) == 1200
    assert {item["repository_url"][-11:] for item in items} == {"acme/rocket"}


def test_a_listing_can_begin_at_a_moment():
    client = a_client(*(a_post("github", hour * 3600, number=hour) for hour in range(1, 8)))
    since = (DAY + timedelta(hours=5)).isoformat().replace("+00:00", "Z")
    items = client.get(LISTING, params={"since": since, "direction": "asc"}).json()
    assert [item["created_at"][11:13] for item in items] == ["05", "06", "07"]
    assert client.get(LISTING, params={"since": "lately"}).status_code == 422
    assert client.get(LISTING, params={"state": "closed"}).json() == []
    assert client.get(LISTING, params={"state": "lost"}).status_code == 422


def test_an_unknown_repository_is_not_found():
    client = a_client()
    for path in ("/github/repos/no/where/issues", "/github/repositories/1/issues", "/github/user"):
        reply = client.get(path)
        assert (reply.status_code, reply.json()["message"]) == (404, "Not Found")


def test_without_a_user_agent_nothing_is_served():
    reply = a_client().get(SEARCH, params={"q": WHOLE_DAY}, headers={"User-Agent": ""})
    assert reply.status_code == 403
    assert "User Agent" in reply.json()["message"]


def test_a_bad_token_is_refused_where_one_is_set():
    strict, lenient = a_client(github_token="good"), a_client()
    for header in ("Bearer good", "token good"):
        assert search_as(strict, header).status_code == 200
    for header in ("Bearer bad", "good", "Bearer "):
        assert search_as(strict, header).status_code == 401
    assert search_as(lenient, "Bearer anything").status_code == 200
    assert search_as(lenient, "anything at all").status_code == 401
    assert search(strict).status_code == 200


def search_as(client, authorization):
    return client.get(SEARCH, params={"q": WHOLE_DAY}, headers={"Authorization": authorization})


def test_limit_headers_count_down_with_and_without_a_token():
    client = a_client(time_scale=ENDLESS_WINDOWS)
    assert search(client).headers["x-ratelimit-limit"] == "10"
    with_token = [search_as(client, "Bearer me").headers for _ in range(2)]
    assert [headers["x-ratelimit-limit"] for headers in with_token] == ["30", "30"]
    assert [headers["x-ratelimit-remaining"] for headers in with_token] == ["29", "28"]
    assert with_token[0]["x-ratelimit-resource"] == "search"
    assert client.get(LISTING).headers["x-ratelimit-resource"] == "core"
    refused = search(client, "created:2026-03-10")
    assert refused.headers["x-ratelimit-resource"] == "search"


def test_limit_headers_have_the_recorded_names():
    theirs = recorded("github/search_issues_is_issue_closed_page1.json")["headers"]
    ours = {name.lower() for name in search(a_client()).headers}
    assert {name.lower() for name in theirs if name.startswith("X-RateLimit")} <= ours


@pytest.mark.parametrize(
    ("path", "authorization", "limit", "resource"),
    [
        (f"{SEARCH}?q=is:issue", "", 10, "search"),
        (f"{SEARCH}?q=is:issue", "Bearer me", 30, "search"),
        (LISTING, "", 60, "core"),
    ],
)
def test_a_request_beyond_the_primary_limit_is_refused_and_counted(
    path, authorization, limit, resource
):
    client = a_client(time_scale=ENDLESS_WINDOWS)
    headers = {"Authorization": authorization} if authorization else {}
    assert {client.get(path, headers=headers).status_code for _ in range(limit)} == {200}
    refused = client.get(path, headers=headers)
    assert refused.status_code == 403
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert int(refused.headers["x-ratelimit-reset"]) > time.time()
    assert refused.headers["x-ratelimit-resource"] == resource
    assert "rate limit exceeded" in refused.json()["message"].lower()
    assert client.get("/stats").json()["violations"]["github"] == {resource: 1}
    client.get(path, headers=headers)
    assert client.get("/stats").json()["violations"]["github"] == {resource: 2, "too_early": 1}


def test_a_refused_client_does_not_block_another_nor_the_other_resource():
    client = a_client(time_scale=ENDLESS_WINDOWS)
    for _ in range(11):
        refused = search(client)
    assert refused.status_code == 403
    assert search_as(client, "Bearer me").status_code == 200
    assert client.get(LISTING).status_code == 200


def test_a_refusal_looks_like_the_recorded_ones():
    theirs = recorded("github/error_403_primary_rate_limit.json")
    client = a_client(time_scale=ENDLESS_WINDOWS)
    ours = [search(client) for _ in range(11)][-1]
    assert ours.status_code == theirs["status"]
    assert ours.headers["x-ratelimit-remaining"] == theirs["headers"]["x-ratelimit-remaining"]
    beginning = "api rate limit exceeded for "
    for body in (ours.json(), theirs["body"]):
        assert body["message"].lower().startswith(beginning)


FORMER = "/github/repos/acme/Lander/issues"
MOVED = {"acme/lander": "acme/rocket"}


def test_a_repository_under_its_former_name_leads_to_its_number_on_every_page():
    posts = [a_post("github", second) for second in range(130)]
    client = a_client(*posts, moved_repositories=MOVED)
    reply = client.get(FORMER, params={"state": "all", "per_page": 60})
    theirs = recorded("github/redirect_301_moved_permanently.json")
    assert reply.status_code == theirs["status"]
    assert reply.json().keys() == theirs["body"].keys()
    assert reply.json()["message"] == theirs["body"]["message"]
    assert re.search(
        r"/github/repositories/\d+/issues\?state=all&per_page=60$", reply.headers["location"]
    )
    client.follow_redirects = True
    former = walk(client, FORMER, state="all", per_page=60)
    assert former == walk(client, LISTING, state="all", per_page=60)
    assert len(former) > 1
    assert client.get("/stats").json()["faults"]["github"] == {"moved": 2}


def test_a_search_knows_no_former_name():
    client = a_client(a_post("github"), moved_repositories=MOVED)
    reply = search(client, "is:issue repo:acme/lander")
    assert reply.status_code == 422
    assert "cannot be searched" in reply.json()["errors"][0]["message"]


def test_or_without_parentheses_finds_every_day_and_pull_requests_too():
    posts = [a_post("github", -86_400 * day, tags=("bug",)) for day in range(20)]
    posts += [a_post("github", second, tags=("regression",)) for second in range(20)]
    client = a_client(*posts)
    meant = "is:issue (label:bug OR label:regression) created:2026-03-10"
    assert search(client, meant).json()["total_count"] == 21
    sent = "is:issue label:bug OR label:regression created:2026-03-10"
    body = search(client, sent, per_page=100).json()
    assert body["total_count"] == len(body["items"]) > 40
    assert any("pull_request" in item for item in body["items"])
