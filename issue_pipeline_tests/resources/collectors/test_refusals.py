"""Every refusal: the right kind, the right wait, and a message that blames the right thing."""

import re
from itertools import pairwise
from typing import Any

import httpx
import pytest
import stamina

from issue_pipeline.errors import (
    AccessDeniedError,
    CollectionError,
    ConfigurationError,
    NetworkBlockedError,
    PageTooLargeError,
    RequestRejectedError,
    TransientError,
)
from issue_pipeline.resources.collectors import (
    arctic_shift,
    github,
    hackernews,
    reddit,
    stackoverflow,
)
from issue_pipeline.resources.collectors.http import ApiPolicy, within_window
from issue_pipeline_tests.support.replays import answering, api_client

BLOCK_PAGE = (
    "<!doctype html><html><head><title>Blocked</title></head><body>whoa there, pardner!"
    " Your request has been blocked by network security.</body></html>"
)
CLOUDFLARE = "<html><head><title>Just a moment...</title></head><body>Ray ID: 1</body></html>"
HTML = {"content-type": "text/html; charset=UTF-8"}
GITHUB, SEARCH = github.API_POLICY, "/search/issues"
LIST = "/repos/a/b/issues"
REDDIT, NEW = reddit.API_POLICY, "/r/webdev/new"
ARCHIVE, POSTS = arctic_shift.API_POLICY, "/api/posts/search"
STACK, QUESTIONS = stackoverflow.API_POLICY, "/questions"
ALGOLIA, HITS = hackernews.API_POLICY, "/search_by_date"


def page(status: int, html: str = BLOCK_PAGE) -> httpx.Response:
    return httpx.Response(status, headers=HTML, text=html)


def said(status: int, /, **body: Any) -> httpx.Response:
    return httpx.Response(status, json=body)


# (API, path, reply, kind, what the message names, what it must not blame)
REFUSALS = [
    (REDDIT, NEW, page(403), NetworkBlockedError, "network", "r/webdev|take it out"),
    (REDDIT, NEW, page(403, CLOUDFLARE), NetworkBlockedError, "Just a moment", "r/webdev"),
    (reddit.LOGIN_POLICY, reddit.TOKEN_PATH, page(403), NetworkBlockedError, "network", "Check "),
    (REDDIT, NEW, page(429), TransientError, "429", "r/webdev"),
    (REDDIT, NEW, page(503, CLOUDFLARE), TransientError, "503", "r/webdev"),
    (REDDIT, NEW, said(403, reason="private", error=403), AccessDeniedError, "r/webdev is pri", ""),
    (REDDIT, NEW, said(404, reason="banned"), RequestRejectedError, "r/webdev is banned", ""),
    (REDDIT, NEW, said(404), RequestRejectedError, "knows no subreddit r/webdev", ""),
    (REDDIT, NEW, said(200, error=403, reason="private"), AccessDeniedError, "r/webdev is pri", ""),
    (REDDIT, NEW, page(200, CLOUDFLARE), TransientError, "web page", "r/webdev"),
    (REDDIT, NEW, page(451), NetworkBlockedError, "network", "r/webdev"),
    (REDDIT, NEW, httpx.Response(407), NetworkBlockedError, "proxy", "REDDIT"),
    (ARCHIVE, POSTS, said(400, data=None, error="Query timed out"), TransientError, "pass", "SUBR"),
    (ARCHIVE, POSTS, said(422, data=None, error="Query timed out"), TransientError, "pass", "SUBR"),
    (ARCHIVE, POSTS, said(422, error="Slow down a little"), TransientError, "pass", "SUBR"),
    (ARCHIVE, POSTS, said(400, error="Slow down"), TransientError, "pass", "SUBR"),
    (ARCHIVE, POSTS, said(200, data=None, error="Timeout"), TransientError, "pass", "SUBR"),
    (ARCHIVE, POSTS, said(422, error="too big"), PageTooLargeError, "so many posts", "SUBR"),
    (ARCHIVE, POSTS, said(400, error="Invalid subreddit"), RequestRejectedError, "SUBREDDITS", ""),
    (ARCHIVE, POSTS, page(403, CLOUDFLARE), NetworkBlockedError, "network", "SUBREDDITS"),
    (ARCHIVE, POSTS, page(502), TransientError, "502", "SUBREDDITS"),
    (GITHUB, SEARCH, page(403), NetworkBlockedError, "network", "Check GITHUB_TOKEN"),
    (GITHUB, SEARCH, said(422, message="Validation"), RequestRejectedError, "GITHUB_QUERY", ""),
    (GITHUB, LIST, said(422, message="pagination"), RequestRejectedError, "422", "GITHUB_QUERY"),
    (GITHUB, LIST, said(404, message="Not Found"), RequestRejectedError, "deleted, or is pri", ""),
    (GITHUB, LIST, said(410, message="disabled"), RequestRejectedError, "switched off", ""),
    (GITHUB, LIST, said(451, message="DMCA"), RequestRejectedError, "legal", "TOKEN is"),
    (GITHUB, LIST, said(403, message="SAML"), AccessDeniedError, "GITHUB_TOKEN may read a/b", ""),
    (GITHUB, "/repositories/7/issues", said(404), RequestRejectedError, "/repositories/7", ""),
    (GITHUB, SEARCH, said(401, message="Bad credentials"), AccessDeniedError, "GITHUB_TOKEN", ""),
    (GITHUB, SEARCH, said(429, message="slow"), TransientError, "429", "GITHUB_TOKEN"),
    (STACK, QUESTIONS, page(403, CLOUDFLARE), NetworkBlockedError, "network", "Check STACK"),
    (STACK, QUESTIONS, said(200, error_id=502, error_name="x"), TransientError, "502", "KEY"),
    (STACK, QUESTIONS, said(200, error_id=500), TransientError, "500", "KEY"),
    (ALGOLIA, HITS, said(403, message="Too Many Requests"), TransientError, "403", "HN_API"),
    (
        ALGOLIA,
        HITS,
        said(403, message="Invalid API key"),
        AccessDeniedError,
        "HN_API_URL",
        "Check ",
    ),
    (ALGOLIA, HITS, said(429, message="Too Many"), TransientError, "429", "HN_API"),
    (ALGOLIA, HITS, said(200, message="quota", status=429), TransientError, "429", "HN_API"),
    (ALGOLIA, HITS, said(400, message="invalid filter"), RequestRejectedError, "HN_API_URL", ""),
]


@pytest.mark.parametrize(
    ("policy", "path", "reply", "kind", "names", "spares"),
    REFUSALS,
    ids=[f"{one[0].name} {one[2].status_code} {one[2].text[:40]}" for one in REFUSALS],
)
def test_a_refusal_is_taken_for_what_it_is(policy, path, reply, kind, names, spares):
    handler, _ = answering(reply)
    with (
        stamina.set_testing(True, attempts=1),
        api_client(handler, policy) as client,
        pytest.raises(CollectionError) as refused,
    ):
        client.get(path)
    assert type(refused.value) is kind
    assert re.search(names, str(refused.value))
    assert not spares or not re.search(spares, str(refused.value))


@pytest.mark.parametrize(
    ("policy", "path", "reply"),
    [
        (REDDIT, NEW, httpx.Response(429)),
        (STACK, QUESTIONS, said(400, error_id=502, error_message="too many requests")),
        (ARCHIVE, POSTS, said(422, error="Slow down a little")),
        (ARCHIVE, POSTS, httpx.Response(429)),
        (ALGOLIA, HITS, httpx.Response(429)),
        (ApiPolicy("Chirper", "URL"), "/", httpx.Response(429)),
    ],
    ids=["Reddit", "Stack Exchange", "archive, slow down", "archive", "Hacker News", "another"],
)
def test_a_throttle_that_names_no_wait_is_waited_out_for_half_a_minute_and_longer(
    policy, path, reply, clock
):
    handler, asked = answering(reply, reply, reply, httpx.Response(200, json={}))
    moments: list[float] = []

    def timed(request: httpx.Request) -> httpx.Response:
        moments.append(clock.now_s)
        return handler(request)

    with api_client(timed, policy) as client:
        client.get(path)
    waits = [later - earlier for earlier, later in pairwise(moments)]
    assert waits == [pytest.approx(30, abs=1), pytest.approx(60, abs=1), pytest.approx(120, abs=1)]
    assert len(asked) == 4


NOW = 1_773_144_000.0


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (None, None),
        (float("nan"), None),
        (-5, 0),
        (40, 40),
        (86_400, 600),
        (NOW + 90, 90),
        (NOW - 90, 0),
        ((NOW + 90) * 1_000, 90),
        (NOW + 86_400, 600),
    ],
)
def test_the_end_of_a_window_is_read_as_seconds_or_as_a_moment(told, seconds, clock):
    clock.now_s = NOW
    assert within_window(told, 600) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("reset", ["1773144090", "86400"])
def test_a_reset_of_the_archive_never_holds_it_for_a_day(reset, clock):
    clock.now_s = NOW
    spent = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    handler, _ = answering(
        httpx.Response(200, headers=spent, json={}), httpx.Response(200, json={})
    )
    with api_client(handler, ARCHIVE) as client:
        client.get(POSTS)
        client.get(POSTS)
    assert sum(clock.sleeps) <= arctic_shift.LONGEST_RESET_S + 1


def test_a_reset_of_github_in_the_far_future_holds_it_for_an_hour():
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9e9"}
    error = github.read_error(httpx.Response(403, headers=headers))
    assert isinstance(error, TransientError)
    assert error.wait_s is not None
    assert error.wait_s <= github.LONGEST_RESET_S + 1


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("is:issue label:bug", "is:issue label:bug"),
        (
            "is:issue label:bug OR label:regression",
            "(is:issue label:bug OR label:regression) is:issue",
        ),
        ("is:issue (label:a OR label:b)", "is:issue (label:a OR label:b)"),
        ('is:issue "this OR that"', 'is:issue "this OR that"'),
        ("is:issue label:ORM", "is:issue label:ORM"),
    ],
)
def test_alternatives_are_put_in_parentheses(query, sent):
    assert github.check_query(query) == sent
    assert github.check_query(sent) == sent


@pytest.mark.parametrize("query", ["is:issue (a OR b", "is:issue a) OR (b", "is:issue )"])
def test_parentheses_that_do_not_match_are_refused_at_once(query):
    with pytest.raises(ConfigurationError, match="GITHUB_QUERY"):
        github.check_query(query)
