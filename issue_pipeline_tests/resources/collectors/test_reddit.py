"""Reddit: every post of a day in every subreddit, or the reason why not."""

import re
from itertools import cycle
from typing import Any

import httpx
import pytest
import stamina

from issue_pipeline.errors import (
    AccessDeniedError,
    ConfigurationError,
    RequestRejectedError,
    TokenExpiredError,
    TransientError,
    UnexpectedReplyError,
)
from issue_pipeline.records import Collection, Post
from issue_pipeline.resources.collectors import reddit
from issue_pipeline.sandbox.apis.addresses import permalink
from issue_pipeline_tests.support.hand_written import CLIENT_ID, CLIENT_SECRET, DAY, a_post
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

# What each recorded refusal must lead to when a subreddit was asked for, and what it must name.
REFUSALS = {
    "error_400_html_body": (RequestRejectedError, "400"),
    "error_400_user_does_not_exist": (RequestRejectedError, "400"),
    "error_401_invalid_token": (TokenExpiredError, "REDDIT_CLIENT_SECRET"),
    "error_403_quarantined_subreddit": (AccessDeniedError, "r/webdev.*REDDIT_SUBREDDITS"),
    "error_403_short_body": (AccessDeniedError, "r/webdev.*REDDIT_SUBREDDITS"),
    "error_404_not_found": (RequestRejectedError, "r/webdev.*REDDIT_SUBREDDITS"),
    "error_429_default_user_agent": (TransientError, "429"),
    "error_500_internal_server_error": (TransientError, "500"),
    "redirect_301_html_body": (RequestRejectedError, "301"),
    "redirect_302_sticky": (RequestRejectedError, "r/webdev.*REDDIT_SUBREDDITS"),
}


def posts_in(exchange: dict[str, Any]) -> list[dict[str, Any]]:
    """The ``data`` of a listing's posts; other kinds are never in a subreddit's ``/new``."""
    body = exchange["body"]
    if exchange["status"] != 200 or body.get("kind") != "Listing":
        return []
    return [child["data"] for child in body["data"]["children"] if child["kind"] == "t3"]


@pytest.mark.parametrize("exchange", recorded("reddit", lambda one: bool(posts_in(one))))
def test_every_recorded_page_is_read_without_loss(exchange):
    nothing_is_lost(posts_in(exchange), reddit.READER)
    for item in posts_in(exchange):
        post = reddit.parse_post(item)
        assert isinstance(post, Post)
        assert post.source == "reddit"
        assert post.url == f"https://www.reddit.com{item['permalink']}"
        assert item["id"] in post.url
        assert (post.title, post.body) == (item["title"], item["selftext"])
        assert post.created_at.timestamp() == item["created_utc"]
        assert (post.comment_count, post.vote_count) == (item["num_comments"], item["score"])


@pytest.mark.parametrize(("exchange", "expected"), recorded_errors("reddit", REFUSALS))
def test_every_recorded_refusal_is_taken_for_what_it_is(exchange, expected):
    kind, named = expected
    handler, _ = answering(as_response(exchange))
    with (
        stamina.set_testing(True, attempts=1),
        api_client(handler, reddit.API_POLICY) as client,
        pytest.raises(kind, match=named) as refused,
    ):
        client.get("/r/webdev/new")
    assert type(refused.value) is kind


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"x-ratelimit-reset": "386", "x-ratelimit-remaining": "0.0"}, 386),
        ({"retry-after": "9", "x-ratelimit-reset": "386"}, 9),
        ({"x-ratelimit-reset": "soon"}, None),
        ({}, None),
    ],
)
def test_too_many_requests_are_waited_out_as_the_headers_say(headers, wait_s):
    handler, _ = answering(httpx.Response(429, headers=headers))
    with (
        stamina.set_testing(True, attempts=1),
        api_client(handler, reddit.API_POLICY) as client,
        pytest.raises(TransientError) as refused,
    ):
        client.get("/r/webdev/new")
    assert refused.value.wait_s == wait_s


def collected(
    posts, subreddits=("shopkeepers",), *, goes_on: bool = True, **settings: Any
) -> tuple[Collection, int]:
    """Collect the day from a simulator of these posts; the collection and the requests served.

    Args:
        goes_on: Whether there is a later post in the first of the subreddits.
    """
    later = [a_post("reddit", DAY_S + 9_000, channel=subreddits[0])] if goes_on else []
    with simulator([*posts, *later], **settings) as running:
        collectors = running.collectors(reddit_subreddits=list(subreddits))
        collection = collectors.collect("reddit", DAY.date())
        return collection, running.requests("reddit")


BEFORE = a_post("reddit", -1)  # lets a listing reach back beyond the day


def test_a_day_has_its_midnight_and_not_the_next():
    inside = [a_post("reddit", second) for second in (0, 1, DAY_S // 2, DAY_S - 1)]
    outside = [a_post("reddit", second) for second in (-DAY_S, -1, DAY_S, DAY_S + 1)]
    collection, requests = collected([*inside, *outside])
    assert urls(collection) == sorted(permalink(post) for post in inside)
    assert collection.complete
    assert collection.fetched_count == 4
    assert collection.expected_count is None  # Reddit does not say
    assert collection.requests == requests == 2  # the token's among them


def test_every_field_arrives():
    written = a_post(
        "reddit", 7, title="Is x < y & z?", body="> quoted\n\n*Markdown*", comment_count=0
    )
    link = a_post("reddit", 8, body=None, link="https://example.org/", vote_count=-2)
    posts = sorted(collected([BEFORE, written, link])[0].posts, key=lambda post: post.created_at)
    assert posts[0] == Post(
        "reddit",
        permalink(written),
        written.title,
        written.body or "",
        written.created_at,
        0,
        5,
        written.author,
    )
    assert (posts[1].url, posts[1].body, posts[1].vote_count) == (permalink(link), "", -2)


def test_posts_of_all_subreddits_come_each_once():
    names = ["shopkeepers", "clinic_it", "webdev"]
    posts = [
        a_post("reddit", index * 40, channel=name)
        for name, size in zip(names, (250, 900, 1), strict=True)
        for index in range(size)
    ]
    earlier = [a_post("reddit", -100, channel=name) for name in names]
    later = [a_post("reddit", DAY_S + second, channel="webdev") for second in range(130)]
    collection, requests = collected([*earlier, *posts, *later], names)
    assert urls(collection) == sorted(permalink(post) for post in posts)
    assert collection.complete
    # Listings of several pages are read twice.
    assert requests == collection.requests <= 2 * 1.3 * (3 + 9 + 2) + 8


def test_1100_posts_within_a_few_seconds_come_each_once():
    posts = [
        a_post("reddit", 40_000 + index // 300, channel=("shopkeepers", "clinic_it")[index % 2])
        for index in range(1_100)
    ]
    earlier = [a_post("reddit", -100, channel=name) for name in ("shopkeepers", "clinic_it")]
    collection, _ = collected([*earlier, *posts], ["shopkeepers", "clinic_it"])
    assert urls(collection) == sorted(permalink(post) for post in posts)
    assert collection.complete


def test_a_crowd_at_the_very_start_of_the_day_is_read_to_its_end():
    posts = [a_post("reddit", 0) for _ in range(230)]
    collection, _ = collected([BEFORE, *posts])
    assert urls(collection) == sorted(permalink(post) for post in posts)
    assert collection.complete


def test_a_subreddit_named_twice_is_stored_once():
    posts = [a_post("reddit", second) for second in range(5)]
    collection, _ = collected([BEFORE, *posts], ["shopkeepers", "Shopkeepers"])
    assert urls(collection) == sorted(permalink(post) for post in posts)


def test_a_listing_that_ends_within_the_day_leaves_it_incomplete():
    posts = [a_post("reddit", index * 20) for index in range(1_500)]
    collection, _ = collected([BEFORE, *posts], goes_on=False)
    assert urls(collection) == sorted(permalink(post) for post in posts[500:])
    assert not collection.complete
    assert collection.reason == (
        "the listing of r/shopkeepers ends after 1000 posts, before the start of the day"
    )


def test_a_listing_that_ends_after_the_day_gives_nothing_and_says_so():
    missed = a_post("reddit", 100)
    moved_on = [a_post("reddit", DAY_S + second) for second in range(1_000)]
    collection, _ = collected([missed, *moved_on])
    assert collection.posts == ()
    assert not collection.complete
    assert "r/shopkeepers" in collection.reason


def test_one_short_listing_does_not_stop_the_others():
    crowd = [a_post("reddit", 10 + index) for index in range(1_001)]
    quiet = a_post("reddit", 50, channel="clinic_it")
    around = [a_post("reddit", second, channel="clinic_it") for second in (-50, DAY_S + 50)]
    names = ["shopkeepers", "clinic_it"]
    collection, _ = collected([*crowd, quiet, *around], names, goes_on=False)
    assert permalink(quiet) in urls(collection)
    assert len(collection.posts) == 1_001
    assert "r/shopkeepers" in collection.reason
    assert "clinic_it" not in collection.reason


@pytest.mark.parametrize("first_s", [0, 50])
def test_a_subreddit_founded_within_the_day_is_complete(first_s):
    posts = [a_post("reddit", first_s + index) for index in range(3)]
    collection, _ = collected(posts)
    assert urls(collection) == sorted(permalink(post) for post in posts)
    assert collection.complete


def test_a_subreddit_without_any_earlier_post_is_complete():
    collection, _ = collected([])
    assert collection.posts == ()
    assert collection.complete


def test_a_site_that_shows_nothing_later_than_the_day_leaves_it_incomplete():
    with simulator([BEFORE, a_post("reddit", 60)]) as running:
        collection = running.collectors().collect("reddit", DAY.date())
    assert len(collection.posts) == 1
    assert not collection.complete
    assert "no post that is later than the day" in collection.reason


@pytest.mark.parametrize(
    "refusal",
    [
        httpx.Response(403, json={"reason": "private"}),
        httpx.Response(404),
        httpx.Response(503),
        httpx.Response(403, html="<html><body>You've been blocked by network security."),
    ],
    ids=lambda refusal: f"{refusal.status_code} {refusal.text[:6]}",
)
def test_a_look_at_all_of_reddit_that_is_refused_costs_no_subreddit(refusal, clock):
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/r/all/"):
            return refusal
        return a_listing([(1, 500), (2, -10)], None)

    auth_handler, _ = answering(httpx.Response(200, json=a_token("a")))
    builder = a_builder(DAY.date())
    with api_client(auth_handler) as auth, api_client(handler, reddit.API_POLICY) as client:
        tokens = reddit.TokenSource(auth, CLIENT_ID, CLIENT_SECRET)
        reddit.collect(client, tokens, ["webdev"], builder)
    assert len(builder.posts) == 1
    (problem,) = builder.problems
    assert "later than the day in r/webdev" in problem
    assert "could not be seen" in problem


def test_a_token_that_expires_on_the_way_is_renewed():
    posts = [a_post("reddit", index) for index in range(250)]
    collection, requests = collected([BEFORE, *posts], reddit_token_lifetime_s=1)
    assert len(collection.posts) == 250
    assert requests == collection.requests >= 1 + 3


def test_a_token_is_kept_while_it_is_good(clock):
    granted = [httpx.Response(200, json=a_token(f"token-{number}")) for number in range(2)]
    handler, asked = answering(*granted)
    with api_client(handler) as auth:
        tokens = reddit.TokenSource(auth, CLIENT_ID, CLIENT_SECRET)
        assert [tokens.token() for _ in range(3)] == ["token-0"] * 3
        clock.now_s += 3600 - reddit.TOKEN_MARGIN_S - 1
        assert tokens.token() == "token-0"
        clock.now_s += 2
        assert tokens.token() == "token-1"
    assert len(asked) == auth.requests == 2
    assert asked[0].method == "POST"
    assert asked[0].content == b"grant_type=client_credentials"


def a_token(name: str) -> dict[str, Any]:
    return {"access_token": name, "token_type": "bearer", "expires_in": 3600, "scope": "*"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": "unsupported_grant_type"}, AccessDeniedError),
        ({"token_type": "bearer"}, UnexpectedReplyError),
        ([], UnexpectedReplyError),
    ],
)
def test_a_login_that_gives_no_token_is_an_error(body, kind):
    handler, _ = answering(httpx.Response(200, json=body))
    with api_client(handler) as auth, pytest.raises(kind):
        reddit.TokenSource(auth, CLIENT_ID, CLIENT_SECRET).token()


@pytest.mark.parametrize(
    "exchange", recorded("reddit", lambda one: "access_token" in str(one["body"])[:200])
)
def test_a_recorded_token_is_read(exchange):
    handler, _ = answering(as_response(exchange))
    with api_client(handler) as auth:
        token = reddit.TokenSource(auth, CLIENT_ID, CLIENT_SECRET).token()
    assert token == exchange["body"]["access_token"]


def test_an_unknown_subreddit_is_named_and_costs_no_other():
    posts = [a_post("reddit", 5)]
    collection, _ = collected([BEFORE, *posts], ["shopkeepers", "never_was"])
    assert urls(collection) == [permalink(posts[0])]
    assert not collection.complete
    assert re.search(r"r/never_was.*REDDIT_SUBREDDITS", collection.reason)


def test_where_no_subreddit_can_be_read_the_day_fails():
    with pytest.raises(RequestRejectedError, match=r"r/never_was.*REDDIT_SUBREDDITS"):
        collected([BEFORE], ["never_was", "nor_this"], goes_on=False)


def test_a_private_subreddit_names_its_setting():
    with pytest.raises(AccessDeniedError, match=r"r/shopkeepers.*REDDIT_SUBREDDITS"):
        collected([BEFORE], private_subreddits=["shopkeepers"])


def test_a_wrong_secret_names_its_settings():
    with (
        simulator([]) as running,
        pytest.raises(AccessDeniedError, match="REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET"),
    ):
        running.collectors(reddit_client_secret="wrong").collect("reddit", DAY.date())


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"data": {}},
        {"data": {"children": [{}]}},
        {"data": {"children": [{"data": {"name": "t3_a", "permalink": "/r/a/"}}]}},
    ],
)
def test_a_reply_of_another_shape_is_an_error_and_no_empty_day(body):
    auth_handler, _ = answering(httpx.Response(200, json=a_token("a")))
    handler, _ = answering(httpx.Response(200, json=body))
    with api_client(auth_handler) as auth, api_client(handler, reddit.API_POLICY) as client:
        tokens = reddit.TokenSource(auth, CLIENT_ID, CLIENT_SECRET)
        with pytest.raises(UnexpectedReplyError):
            reddit.collect(client, tokens, ["webdev"], a_builder(DAY.date()))


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ({"permalink": "/r/webdev/comments/x/a/"}, "/r/webdev/comments/x/a/"),
        ({"permalink": "https://www.reddit.com/r/webdev/comments/x/a/"}, "/r/webdev/comments/x/a/"),
        ({"permalink": "/comments/x/a/"}, "/comments/x/a/"),
        ({"permalink": None, "subreddit": "webdev"}, "/r/webdev/comments/x/"),
        ({"subreddit": "webdev"}, "/r/webdev/comments/x/"),
        ({"permalink": "https://evil.test/", "subreddit": "webdev"}, "/r/webdev/comments/x/"),
    ],
)
def test_a_post_has_its_page_whether_reddit_tells_it_or_not(told, address):
    post = reddit.parse_post({"id": "x", "created_utc": DAY.timestamp(), **told})
    assert isinstance(post, Post)
    assert post.url == f"https://www.reddit.com{address}"


def a_listing(posts: list[tuple[int, int]], after: str | None) -> httpx.Response:
    """A page of posts, by number and second of the day."""
    children = [
        {
            "kind": "t3",
            "data": {
                "id": f"x{number}",
                "permalink": f"/r/webdev/comments/x{number}/",
                "created_utc": DAY.timestamp() + second,
            },
        }
        for number, second in posts
    ]
    return httpx.Response(200, json={"data": {"after": after, "children": children}})


LATER_S = DAY_S + 5


def listings(*pages: tuple[list[tuple[int, int]], str | None]) -> tuple[Collection, int]:
    """Collect from pages of (number, second of the day) and their cursors, again and again.

    Elsewhere the site goes on. Returns the collection, and how many of the pages were asked for.
    """
    replies = cycle(pages)
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/r/all/"):
            return a_listing([(9_999, LATER_S)], None)
        asked.append(request)
        return a_listing(*next(replies))

    auth_handler, _ = answering(httpx.Response(200, json=a_token("a")))
    builder = a_builder(DAY.date())
    with api_client(auth_handler) as auth, api_client(handler, reddit.API_POLICY) as client:
        tokens = reddit.TokenSource(auth, CLIENT_ID, CLIENT_SECRET)
        reddit.collect(client, tokens, ["webdev"], builder)
    return builder.collection(auth, client), len(asked)


def test_an_empty_listing_is_not_believed_at_once():
    collection, asked = listings(([], None), ([(3, LATER_S), (1, 500), (2, -10)], None))
    assert len(collection.posts) == 1
    assert collection.complete
    assert asked == 2


def test_pinned_old_posts_do_not_end_the_day():
    collection, _ = listings(
        ([(1, -900_000), (2, 500), (3, 400)], "t3_x3"), ([(4, 300), (5, -10)], None)
    )
    assert len(collection.posts) == 3
    assert collection.complete


def test_posts_out_of_order_do_not_end_the_day():
    collection, _ = listings(
        ([(1, 500), (2, -60), (3, 400), (4, -70)], "t3_x4"),
        ([(5, 450), (6, 300)], "t3_x6"),
        ([(7, -80), (8, -90)], "t3_x8"),
    )
    assert len(collection.posts) == 4
    assert collection.complete


def test_an_empty_page_that_goes_on_is_followed():
    collection, _ = listings(([(1, 500)], "t3_x1"), ([], "t3_x2"), ([(3, 400), (4, -1)], None))
    assert len(collection.posts) == 2
    assert collection.complete


@pytest.mark.parametrize(
    ("written", "name"), [("webdev", "webdev"), ("r/webdev", "webdev"), (" /r/webdev/ ", "webdev")]
)
def test_a_subreddit_may_be_written_with_its_prefix(written, name):
    assert reddit.subreddit_name(written) == name


@pytest.mark.parametrize(
    "written", ["", "a b", "../x", "..", "r/", "a/b", "https://reddit.com/r/a"]
)
def test_what_is_no_subreddit_is_refused_before_anybody_is_asked(written):
    with pytest.raises(ConfigurationError, match="REDDIT_SUBREDDITS"):
        reddit.subreddit_name(written)


def test_a_token_refused_before_its_time_is_renewed_once():
    granted = [httpx.Response(200, json=a_token(f"token-{number}")) for number in range(2)]
    auth_handler, logins = answering(*granted)
    post = {"id": "a", "permalink": "/r/webdev/a", "created_utc": DAY.timestamp() - 5}
    page = {"data": {"children": [{"kind": "t3", "data": post}], "after": None}}
    later = a_listing([(9_999, LATER_S)], None)
    reading, again = (httpx.Response(200, json=page) for _ in range(2))
    handler, asked = answering(httpx.Response(401), reading, later, again)
    with api_client(auth_handler) as auth, api_client(handler, reddit.API_POLICY) as client:
        tokens = reddit.TokenSource(auth, CLIENT_ID, CLIENT_SECRET)
        reddit.collect(client, tokens, ["webdev"], a_builder(DAY.date()))
    assert len(logins) == 2
    assert asked[1].headers["authorization"] == "Bearer token-1"


A_POST = {"id": "a", "permalink": "/r/webdev/comments/a/", "created_utc": DAY.timestamp()}
PARENT = {"selftext": "The parent's words", "title": "Another title"}
POLL = {"poll_data": {"options": [{"id": "1", "text": "Yes"}, {"id": "2", "text": "No"}]}}
GALLERY = {"gallery_data": {"items": [{"caption": "Before"}, {"media_id": "x"}, {"caption": " "}]}}


@pytest.mark.parametrize(
    ("told", "body"),
    [
        ({"selftext": "Mine"}, "Mine"),
        ({"selftext": "", "crosspost_parent_list": [PARENT]}, "The parent's words"),
        ({"selftext": "Mine", "crosspost_parent_list": [PARENT]}, "Mine\n\nThe parent's words"),
        ({"selftext": "Same", "crosspost_parent_list": [{"selftext": "Same"}]}, "Same"),
        ({"selftext": "", "crosspost_parent_list": [{"selftext": "[removed]"}]}, ""),
        ({"selftext": "", "crosspost_parent_list": [{**PARENT, **POLL}]},
         "The parent's words\n\n- Yes\n- No"),
        ({"selftext": "Which?", **POLL}, "Which?\n\n- Yes\n- No"),
        ({"selftext": "", **GALLERY}, "Before"),
        ({"selftext": "Look", **GALLERY, **POLL}, "Look\n\n- Yes\n- No\n\nBefore"),
        ({"selftext": None, "poll_data": None, "gallery_data": None}, ""),
        ({"selftext": "x", "crosspost_parent_list": [], "poll_data": {"options": None}}, "x"),
        ({"selftext": "x", "crosspost_parent_list": ["t3_b"], "poll_data": ["y"]}, "x"),
        ({"selftext": "x", "gallery_data": {"items": {"caption": "no list"}}}, "x"),
    ],
)  # fmt: skip
def test_the_body_holds_all_that_the_author_wrote(told, body):
    post = reddit.parse_post({**A_POST, **told})
    assert isinstance(post, Post)
    assert post.body == body
