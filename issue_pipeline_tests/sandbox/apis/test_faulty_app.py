"""Every fault as a client meets it, over a real socket."""

import json
import time

import httpx
import pytest

from issue_pipeline.sandbox.apis.faults import KINDS, KINDS_BY_API, PROFILES, FaultProfile
from issue_pipeline_tests.support.hand_written import (
    AGENT,
    CLIENT_ID,
    CLIENT_SECRET,
    a_client,
    a_post,
)
from issue_pipeline_tests.support.simulated import simulator

STALL_S = 0.3
PATHS = {
    "github": "/github/search/issues?q=is:issue&per_page=100",
    "stackexchange": "/stackexchange/2.3/questions?site=stackoverflow&pagesize=100",
    "archive": "/archive/api/posts/search?subreddit=shopkeepers&limit=100",
    "hackernews": "/hackernews/api/v1/search_by_date?hitsPerPage=100",
}
SOURCES = ("github", "stackoverflow", "reddit", "hackernews")
POSTS = [a_post(source, second) for source in SOURCES for second in range(20)]


def only(kind, **settings):
    return FaultProfile(share=1.0, kinds=(kind,), stall_s=STALL_S, **settings)


def outcome(client, path):
    """What became of a request: the reply, or the error that took its place."""
    try:
        return client.get(path)
    except httpx.TransportError as error:
        return error


def items(reply, api="github"):
    key = {"hackernews": "hits", "archive": "data"}.get(api, "items")
    return reply.json()[key]


@pytest.fixture
def facing():
    """Ask a simulator with one kind of fault, and see what it counted."""

    def ask(kind, path=PATHS["github"], times=1, **settings):
        with (
            simulator(POSTS, faults=only(kind), **settings) as running,
            httpx.Client(base_url=running.base_url, headers=AGENT) as client,
        ):
            outcomes = [outcome(client, path) for _ in range(times)]
            return outcomes, running.stats()

    return ask


def test_a_connection_is_reset_before_the_first_byte(facing):
    [error], stats = facing("connection_reset")
    assert isinstance(error, httpx.ReadError)
    assert "reset" in str(error).lower()
    assert stats["statuses"]["github"] == {"0": 1}
    assert stats["errors"]["github"] == 1


def test_a_connection_closes_in_the_middle_of_the_body(facing):
    [error], stats = facing("cut_reply")
    assert isinstance(error, httpx.RemoteProtocolError)
    assert "incomplete" in str(error) or "without sending complete" in str(error)
    assert stats["faults"]["github"] == {"cut_reply": 1}


def test_a_stalled_connection_is_silent_and_then_closes(facing):
    began = time.monotonic()
    [error], _ = facing("stall")
    assert isinstance(error, httpx.RemoteProtocolError)
    assert time.monotonic() - began >= STALL_S


def test_a_client_that_gives_up_on_a_stall_frees_the_server():
    profile = FaultProfile(share=1.0, kinds=("stall",), stall_s=3_600)
    with simulator(POSTS, faults=profile) as running:
        running.stats()  # until it serves
        for _ in range(3):
            with pytest.raises(httpx.ReadTimeout):
                httpx.get(f"{running.base_url}{PATHS['github']}", headers=AGENT, timeout=0.2)
        assert running.stats()["requests"]["github"] == 3
        assert running.stats()["violations"]["github"] == {}


@pytest.mark.parametrize("api", PATHS)
def test_truncated_json_is_a_whole_reply_of_half_a_body(facing, api):
    replies, _ = facing("truncated_json", PATHS[api], times=5)
    for reply in replies:
        assert reply.status_code == 200
        assert int(reply.headers["content-length"]) == len(reply.content)
        with pytest.raises(json.JSONDecodeError):
            reply.json()


@pytest.mark.parametrize("api", PATHS)
def test_a_server_error_replaces_the_reply(facing, api):
    replies, stats = facing("server_error", PATHS[api], times=12)
    assert {reply.status_code for reply in replies} <= {500, 502, 503, 504}
    assert len({reply.status_code for reply in replies}) > 1
    assert stats["faults"][api] == {"server_error": 12}


def test_a_page_comes_in_place_of_json(facing):
    replies, _ = facing("html_page", times=12)
    assert {reply.status_code for reply in replies} == {200, 502}
    assert all("<html>" in reply.text for reply in replies)


@pytest.mark.parametrize("kind", ["too_many_requests", "secondary_limit"])
def test_asking_again_before_the_wait_is_over_is_a_violation(facing, kind):
    _, stats = facing(kind, times=3, time_scale=1.0)
    assert stats["violations"]["github"] == {"too_early": 2}


def test_a_secondary_limit_without_a_wait_asks_for_a_minute_all_the_same(facing):
    [first, _], stats = facing("secondary_limit_bare", times=2, time_scale=1.0)
    assert first.status_code == 403
    assert "retry-after" not in first.headers
    assert stats["violations"]["github"] == {"too_early": 1}
    _, stats = facing("secondary_limit_bare", times=2)  # when a minute is next to nothing
    assert stats["violations"]["github"] == {}


def test_a_bare_429_asks_for_nothing(facing):
    [first, _], stats = facing("too_many_requests_bare", times=2, time_scale=1.0)
    assert first.status_code == 429
    assert "retry-after" not in first.headers
    assert stats["violations"]["github"] == {}


def test_a_backoff_comes_in_a_good_reply_and_is_to_be_honoured(facing):
    path = PATHS["stackexchange"]
    [first, _], stats = facing("backoff", path, times=2, time_scale=1.0)
    assert (first.json()["backoff"], len(items(first))) == (30, 20)
    assert stats["violations"]["stackexchange"] == {"backoff": 1}
    assert stats["faults"]["stackexchange"] == {"backoff": 2}


def test_a_backoff_that_was_honoured_is_no_violation():
    profile = only("backoff", wait_s=0)
    client = a_client(*POSTS, faults=profile)
    assert [client.get(PATHS["stackexchange"]).json()["backoff"] for _ in range(3)] == [0, 0, 0]
    assert client.get("/stats").json()["violations"]["stackexchange"] == {}


def test_incomplete_results_say_so_and_count_only_what_they_found(facing):
    [reply], stats = facing("incomplete_results")
    assert reply.json()["incomplete_results"] is True
    assert reply.json()["total_count"] == len(items(reply)) == 10
    assert stats["faults"]["github"] == {"incomplete_results": 1}


@pytest.mark.parametrize("api", PATHS)
def test_a_duplicate_comes_beside_all_the_others(facing, api):
    [reply], _ = facing("duplicate", PATHS[api])
    shown = [json.dumps(item, sort_keys=True) for item in items(reply, api)]
    assert (len(shown), len(set(shown))) == (21, 20)


def test_a_duplicate_in_reddit_s_listing_leaves_its_cursor_alone():
    with simulator(POSTS, faults=only("duplicate")) as running:
        client = httpx.Client(base_url=f"{running.base_url}/reddit", headers=AGENT)
        form = {"grant_type": "client_credentials"}
        login = client.post("/api/v1/access_token", data=form, auth=(CLIENT_ID, CLIENT_SECRET))
        client.headers["Authorization"] = f"bearer {login.json()['access_token']}"
        seen, after = [], ""
        while after is not None:
            page = client.get(f"/r/shopkeepers/new?limit=8&after={after}").json()["data"]
            names = [child["data"]["name"] for child in page["children"]]
            assert len(names) == len(set(names)) + 1 == page["dist"]
            seen += names
            after = page["after"]
        client.close()
        assert len(set(seen)) == 20


@pytest.mark.parametrize(("api", "total"), [("github", "total_count"), ("hackernews", "nbHits")])
def test_a_missing_item_is_counted_but_not_shown(facing, api, total):
    replies, _ = facing("missing", PATHS[api], times=6)
    for reply in replies:
        assert (reply.json()[total], len(items(reply, api))) == (20, 19)
    shown = [json.dumps(items(reply, api)) for reply in replies]
    assert len(set(shown)) > 1  # and another time it is another one


@pytest.mark.parametrize("api", PATHS)
def test_a_page_comes_empty_as_if_there_were_nothing(api):
    reply = a_client(*POSTS, faults=only("empty")).get(PATHS[api])
    assert (reply.status_code, items(reply, api)) == (200, [])


def test_a_fault_that_finds_nothing_to_spoil_is_not_counted():
    client = a_client(faults=only("duplicate"))
    assert client.get(PATHS["github"]).json()["items"] == []
    assert client.get("/stats").json()["faults"]["github"] == {}


def test_reddit_s_login_fails_like_everything_else():
    client = a_client(faults=only("server_error"))
    form = {"grant_type": "client_credentials"}
    reply = client.post("/reddit/api/v1/access_token", data=form, auth=(CLIENT_ID, CLIENT_SECRET))
    assert reply.status_code >= 500


def summary(running, count):
    with httpx.Client(base_url=running.base_url, headers=AGENT) as client:
        for _ in range(count):
            reply = outcome(client, PATHS["github"])
            if isinstance(reply, httpx.Response):
                yield reply.status_code, len(reply.content)
            else:
                yield type(reply).__name__, 0


def test_the_same_seed_and_requests_meet_the_same_faults():
    quick = tuple(kind for kind in KINDS if kind != "stall")
    told = []
    for seed in (3, 3, 4):
        profile = FaultProfile(share=0.5, kinds=quick, restless_share=0.3, seed=seed)
        with simulator(POSTS, faults=profile) as running:
            told.append((list(summary(running, 60)), running.stats()["faults"]))
    assert told[0] == told[1] != told[2]


def test_a_client_that_walks_through_the_worst_meets_every_fault_and_is_never_concurrent():
    profile = FaultProfile(share=0.6, stall_s=0.05, wait_s=0, restless_share=0.1)
    assert PROFILES["worst"].kinds == profile.kinds
    with simulator(POSTS, faults=profile) as running:
        assert len(list(summary(running, 250))) == 250
        stats = running.stats()
    assert stats["faults"]["github"].keys() == set(KINDS_BY_API["github"])
    assert stats["violations"]["github"] == {}
    assert stats["requests"]["github"] == 250
