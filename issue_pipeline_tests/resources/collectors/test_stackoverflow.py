"""Stack Overflow: every question of a day, within its quota and at its pace."""

import html
from typing import Any

import httpx
import pytest
import stamina

from issue_pipeline.errors import (
    AccessDeniedError,
    CollectionError,
    QuotaExhaustedError,
    RequestRejectedError,
    TransientError,
    UnexpectedReplyError,
)
from issue_pipeline.records import Collection, Post
from issue_pipeline.resources.collectors import stackoverflow
from issue_pipeline.sandbox.apis.addresses import permalink
from issue_pipeline_tests.support.hand_written import DAY, a_post
from issue_pipeline_tests.support.replays import (
    a_builder,
    answering,
    api_client,
    as_response,
    nothing_is_lost,
    recorded,
    recorded_errors,
    urls,
)
from issue_pipeline_tests.support.simulated import simulator

DAY_S = 24 * 60 * 60
# Requests of a day beside those for its pages: how many there are, and one for a later question.
PROOF = 2
LATER = a_post("stackoverflow", DAY_S + 9_000)
REFUSALS = {"error_502_throttle_violation": QuotaExhaustedError}  # it names 21 hours


def questions_in(exchange: dict[str, Any]) -> list[dict[str, Any]]:
    """Questions of a page; none for a page of anything else."""
    items = exchange["body"].get("items", [])
    return items if all({"title", "link", "creation_date"} <= set(item) for item in items) else []


@pytest.mark.parametrize("exchange", recorded("stackoverflow", lambda one: bool(questions_in(one))))
def test_every_recorded_page_is_read_without_loss(exchange):
    nothing_is_lost(questions_in(exchange), stackoverflow.READER)
    for item in questions_in(exchange):
        post = stackoverflow.parse_question(item)
        assert isinstance(post, Post)
        assert post.source == "stackoverflow"
        assert post.url == item["link"]
        assert (post.title, post.body) == (item["title"], item.get("body", ""))
        assert post.created_at.timestamp() == item["creation_date"]
        assert (post.comment_count, post.vote_count) == (item["answer_count"], item["score"])


@pytest.mark.parametrize(("exchange", "expected"), recorded_errors("stackoverflow", REFUSALS))
def test_every_recorded_refusal_is_taken_for_what_it_is(exchange, expected, clock):
    handler, asked = answering(as_response(exchange))
    with (
        api_client(handler, stackoverflow.API_POLICY) as client,
        pytest.raises(expected) as refused,
    ):
        client.get("/questions")
    assert type(refused.value) is expected
    assert len(asked) == 1


def a_refusal(status: int, error_id: int, message: str, **more: Any) -> httpx.Response:
    body = {"error_id": error_id, "error_name": "name", "error_message": message, **more}
    return httpx.Response(status, json=body)


@pytest.mark.parametrize(
    ("reply", "kind", "wait_s"),
    [
        (a_refusal(400, 502, "more requests available in 17 seconds"), TransientError, 18),
        (a_refusal(502, 502, "violation of backoff parameter", backoff=30), TransientError, 31),
        (a_refusal(400, 502, "too many requests"), TransientError, None),
        (a_refusal(400, 502, "too many", quota_remaining=0), QuotaExhaustedError, None),
        (a_refusal(500, 500, "internal error"), TransientError, None),
        (a_refusal(400, 503, "come back later"), TransientError, None),
        (a_refusal(400, 400, "`key` doesn't match a known application"), AccessDeniedError, None),
        (a_refusal(400, 403, "page above 25 requires access token"), AccessDeniedError, None),
        (a_refusal(400, 400, "pagesize"), RequestRejectedError, None),
        (a_refusal(404, 404, "no method found"), RequestRejectedError, None),
        (httpx.Response(502, text="<html>bad gateway</html>"), TransientError, None),
        (httpx.Response(400, json=["not", "a", "wrapper"]), RequestRejectedError, None),
    ],
)
def test_the_body_tells_a_throttle_from_a_mistake(reply, kind, wait_s):
    handler, _ = answering(reply)
    with (
        stamina.set_testing(True, attempts=1),
        api_client(handler, stackoverflow.API_POLICY) as client,
        pytest.raises(CollectionError) as refused,
    ):
        client.get("/questions")
    assert type(refused.value) is kind
    assert getattr(refused.value, "wait_s", None) == wait_s
    if kind in (AccessDeniedError, QuotaExhaustedError):
        assert "STACKEXCHANGE_KEY" in str(refused.value)


def collected(posts, **settings: Any) -> tuple[Collection, int]:
    """Collect the day from a simulator of these posts; the collection and the requests served."""
    with simulator([*posts, LATER]) as running:
        collection = running.collectors(**settings).collect("stackoverflow", DAY.date())
        return collection, running.requests("stackexchange")


def test_a_day_has_its_midnight_and_not_the_next():
    inside = [a_post("stackoverflow", second) for second in (0, 1, DAY_S // 2, DAY_S - 1)]
    outside = [a_post("stackoverflow", second) for second in (-DAY_S, -1, DAY_S, DAY_S + 1)]
    collection, requests = collected([*inside, *outside])
    assert urls(collection) == sorted(permalink(post) for post in inside)
    assert collection.complete
    assert collection.requests == requests == 1 + PROOF


def test_every_field_arrives_as_the_api_writes_it():
    written = a_post(
        "stackoverflow",
        7,
        title="Why is a < b && 'c'?",
        body="<p>x &lt; y</p><pre><code>z</code></pre>",
        comment_count=2,
        vote_count=-3,
    )
    (post,) = collected([written])[0].posts
    assert html.unescape(post.title) == written.title
    assert post.title == "Why is a &lt; b &amp;&amp; &#39;c&#39;?"
    assert (post.source, post.url, post.body) == ("stackoverflow", permalink(written), written.body)
    assert (post.created_at, post.comment_count, post.vote_count) == (written.created_at, 2, -3)


@pytest.mark.parametrize("key", ["", "a-key"])
def test_more_questions_than_25_pages_come_each_once(key):
    posts = [a_post("stackoverflow", index * 30) for index in range(2_700)]
    collection, requests = collected(posts, stackexchange_key=key)
    assert urls(collection) == sorted(permalink(post) for post in posts)
    assert collection.complete
    assert requests == collection.requests <= 1.3 * 27 + 8


def test_1100_questions_within_a_few_seconds_come_each_once():
    posts = [a_post("stackoverflow", 40_000 + index // 300) for index in range(1_100)]
    collection, _ = collected(posts)
    assert urls(collection) == sorted(permalink(post) for post in posts)
    assert collection.complete


def test_a_window_that_ends_within_a_second_goes_on_at_that_second():
    posts = [a_post("stackoverflow", 1_000 + (index >= 2_390)) for index in range(2_420)]
    collection, _ = collected(posts)
    assert urls(collection) == sorted(permalink(post) for post in posts)
    assert collection.complete


def test_more_questions_in_one_second_than_can_be_read_leave_the_day_incomplete():
    crowd = [a_post("stackoverflow", 1_000) for _ in range(2_510)]
    later = a_post("stackoverflow", 5_000)
    collection, _ = collected([*crowd, later])
    assert permalink(later) in urls(collection)
    assert len(collection.posts) == 2_501
    assert not collection.complete
    assert "2026-03-10T00:16:40" in collection.reason


def test_a_bad_key_names_its_setting():
    with (
        simulator([], stackexchange_key="the-good-one") as running,
        pytest.raises(AccessDeniedError, match="STACKEXCHANGE_KEY"),
    ):
        running.collectors(stackexchange_key="another").collect("stackoverflow", DAY.date())


def collected_from(*bodies: Any) -> tuple[Collection, list[httpx.Request]]:
    handler, asked = answering(*(httpx.Response(200, json=body) for body in bodies))
    builder = a_builder(DAY.date())
    headers = stackoverflow.headers("a-key")
    with api_client(handler, stackoverflow.API_POLICY, headers=headers) as client:
        expected = stackoverflow.collect(client, builder)
        return builder.collection(client, expected_count=expected), asked


def test_the_key_travels_in_the_header_only():
    _, asked = collected_from({"items": [a_question(1, 5)], "has_more": False}, *proof(1))
    request = asked[0]
    assert request.headers["authorization"] == "Bearer a-key"
    assert "a-key" not in str(request.url)
    assert stackoverflow.headers("") == {}


@pytest.mark.parametrize(
    "exchange", recorded("stackoverflow", lambda one: "backoff" in one["body"])
)
def test_a_recorded_backoff_holds_the_next_request(exchange, clock):
    handler, _ = answering(as_response(exchange), httpx.Response(200, json={}))
    with api_client(handler, stackoverflow.API_POLICY) as client:
        client.get("/questions")
        client.get("/questions")
    assert clock.sleeps == [pytest.approx(exchange["body"]["backoff"] + 1, abs=0.01)]


def a_question(number: int, second: int = 60) -> dict[str, Any]:
    return {
        "question_id": number,
        "link": f"https://stackoverflow.com/questions/{number}",
        "creation_date": int(DAY.timestamp()) + second,
    }


def proof(total: int) -> list[dict[str, Any]]:
    """The replies that end a day: a later question, and how many there are."""
    return [{"items": [a_question(9_999, DAY_S + 5)], "has_more": True}, {"total": total}]


def test_a_quota_spent_on_the_way_keeps_what_came_and_says_how_far_that_is():
    posts = [a_post("stackoverflow", index * 60) for index in range(1_000)]
    builder = a_builder(DAY.date())
    with simulator(posts) as running, httpx.Client() as plain:

        def spent_after_three(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            url = f"{running.base_url}/stackexchange/2.3/questions?{request.url.query.decode()}"
            body = plain.get(url).json()
            return httpx.Response(200, json=body | {"quota_remaining": 3 - len(asked)})

        asked: list[httpx.Request] = []
        with (
            api_client(spent_after_three, stackoverflow.API_POLICY) as client,
            builder.keeping_what_came(),
        ):
            stackoverflow.collect(client, builder)
    collection = builder.collection(client)
    assert len(asked) == 3
    assert len(collection.posts) == 298  # a page begins with the last post of the one before
    assert not collection.complete
    assert "STACKEXCHANGE_KEY" in collection.reason
    assert "to 04:57:00 UTC" in collection.reason


def test_the_number_of_questions_is_asked_for_at_the_end():
    posts = [a_post("stackoverflow", index * 60) for index in range(150)]
    collection, requests = collected(posts)
    assert collection.expected_count == 150
    assert requests == 2 + PROOF


def test_a_quota_spent_before_the_end_is_an_error_and_no_day():
    with pytest.raises(QuotaExhaustedError, match="STACKEXCHANGE_KEY"):
        collected_from({"items": [], "has_more": True, "quota_remaining": 0})


@pytest.mark.parametrize("link", [{}, {"link": None}, {"link": ""}])
def test_a_question_without_a_link_has_its_short_address(link):
    question = {name: value for name, value in a_question(7, 5).items() if name != "link"}
    post = stackoverflow.parse_question(question | link)
    assert isinstance(post, Post)
    assert post.url == "https://stackoverflow.com/questions/7"


def test_an_empty_day_that_cannot_be_confirmed_is_no_empty_day():
    empty = {"items": [], "has_more": False}
    around = [{"total": 7}, {"total": 3}, {"total": 4}]
    assert collected_from(*[empty] * 3, *proof(0), *around)[0].complete
    found = {"items": [a_question(1, 5)], "has_more": False}
    collection, _ = collected_from(*[empty] * 3, *proof(1), found, {"total": 1})
    assert len(collection.posts) == 1
    assert collection.complete


def test_a_quota_spent_by_the_last_page_leaves_the_day_unproven():
    last = {"items": [a_question(1, 5)], "has_more": False, "quota_remaining": 0}
    spent = {"error_id": 502, "error_message": "too many requests", "quota_remaining": 0}
    handler, _ = answering(httpx.Response(200, json=last), httpx.Response(400, json=spent))
    builder = a_builder(DAY.date())
    with api_client(handler, stackoverflow.API_POLICY) as client, builder.keeping_what_came():
        stackoverflow.collect(client, builder)
    collection = builder.collection(client)
    assert len(collection.posts) == 1
    assert not collection.complete
    assert "STACKEXCHANGE_KEY" in collection.reason


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"items": None},
        {"items": []},
        {"items": [], "has_more": "false"},
        {"items": [{"question_id": 1}]},
        {"items": [{"question_id": 1, "link": "https://…", "creation_date": 1e15}]},
    ],
)
def test_a_reply_of_another_shape_is_an_error_and_no_empty_day(body):
    with pytest.raises(UnexpectedReplyError):
        collected_from(body)


def test_milliseconds_are_no_date():
    item = {"link": "https://stackoverflow.com/questions/1", "creation_date": 1_773_144_000_000_000}
    with pytest.raises(UnexpectedReplyError, match="seconds since 1970"):
        stackoverflow.parse_question(item)


def test_a_full_page_is_read_on_even_if_it_claims_to_be_the_last():
    full = [a_question(number, number * 60) for number in range(100)]
    collection, _ = collected_from(
        {"items": full, "has_more": False},
        {"items": [full[-1], a_question(500, 80_000)], "has_more": False},
        *proof(101),
    )
    assert len(collection.posts) == 101
    assert collection.complete


def test_the_last_second_of_the_day_is_asked_for_whether_or_not_the_end_counts():
    items = [a_question(1, DAY_S - 1), a_question(2, DAY_S)]
    collection, asked = collected_from({"items": items, "has_more": False}, *proof(1))
    assert int(asked[0].url.params["todate"]) == int(DAY.timestamp()) + DAY_S
    assert len(collection.posts) == 1
    assert collection.dropped == {}
