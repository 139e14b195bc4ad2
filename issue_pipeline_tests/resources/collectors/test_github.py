"""GitHub: every issue of a day, or the reason why not."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import stamina

from issue_pipeline.errors import (
    AccessDeniedError,
    ConfigurationError,
    RequestRejectedError,
    TransientError,
    UnexpectedReplyError,
)
from issue_pipeline.records import Collection, Post
from issue_pipeline.resources.collectors import github
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
# Requests of a day beside those for its pages: how many there are, and one for a later issue.
PROOF = 2
LATER = a_post("github", DAY_S + 9_000, channel="other/place")

# What each recorded refusal must lead to: a kind, and for limits the seconds to wait.
REFUSALS = {
    "conditional_304_not_modified": (RequestRejectedError, None),
    "error_401_bad_credentials": (AccessDeniedError, None),
    "error_401_rate_limit_endpoint": (AccessDeniedError, None),
    "error_403_abuse_detection_search": (TransientError, 60),
    "error_403_abuse_retry_after_30": (TransientError, 30),
    "error_403_missing_user_agent": (AccessDeniedError, None),
    "error_403_primary_rate_limit": (TransientError, 60),
    "error_403_rate_limit_exceeded_remaining_0": (TransientError, 60),
    "error_403_secondary_limit": (TransientError, 60),
    "error_403_secondary_limit_body_marker_only": (TransientError, 60),
    "error_404_rate_limit_disabled": (RequestRejectedError, None),
    "error_404_unknown_object": (RequestRejectedError, None),
    "error_422_validation_failed": (RequestRejectedError, None),
    "error_429_secondary_limit_retry_after_8": (TransientError, 8),
    "error_503_html_body": (TransientError, None),
    "error_503_service_down": (TransientError, None),
}


def issues_in(exchange: dict[str, Any]) -> list[dict[str, Any]]:
    """Items of a search page or a repository's list; none for anything else."""
    body = exchange["body"]
    items = body.get("items", []) if isinstance(body, dict) else body
    shaped = isinstance(items, list) and all("created_at" in item for item in items)
    return items if exchange["status"] == 200 and shaped else []


@pytest.mark.parametrize("exchange", recorded("github", lambda one: bool(issues_in(one))))
def test_every_recorded_page_is_read_without_loss(exchange):
    nothing_is_lost(issues_in(exchange), github.reader(keep_bots=True))
    for item in issues_in(exchange):
        post = github.parse_issue(item)
        # Old lists give a pull request's address as an issue's, and its own one beside it.
        if "/pull/" in f"{item['html_url']} {item.get('pull_request')}":
            assert post == "pull request"
            continue
        assert isinstance(post, Post)
        assert post.source == "github"
        assert post.url == item["html_url"]
        assert (post.title, post.body) == (item["title"], item["body"] or "")
        assert f"{post.created_at:%Y-%m-%dT%H:%M:%SZ}" == item["created_at"]
        assert post.created_at.utcoffset() == timedelta(0)
        assert post.comment_count == item["comments"]
        assert post.vote_count == (item["reactions"]["total_count"] if "reactions" in item else 0)


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [one for one in recorded_errors("github", REFUSALS) if not str(one.id).startswith("redirect")],
)
def test_every_recorded_refusal_is_taken_for_what_it_is(exchange, expected):
    kind, wait_s = expected
    handler, _ = answering(as_response(exchange))
    with (
        stamina.set_testing(True, attempts=1),
        api_client(handler, github.API_POLICY) as client,
        pytest.raises(kind) as refused,
    ):
        client.get("/search/issues")
    assert type(refused.value) is kind
    assert getattr(refused.value, "wait_s", None) == wait_s


def test_a_spent_window_is_waited_out_to_its_reset():
    reset = int(datetime.now(UTC).timestamp()) + 1200
    reply = httpx.Response(
        403, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset)}
    )
    error = github.read_error(reply)
    assert isinstance(error, TransientError)
    assert error.wait_s is not None
    assert 1195 <= error.wait_s <= 1202


def test_a_named_wait_goes_before_the_reset():
    headers = {"retry-after": "7", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "9e9"}
    error = github.read_error(httpx.Response(429, headers=headers))
    assert isinstance(error, TransientError)
    assert error.wait_s == 7


def an_item(**given: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": 1,
        "html_url": "https://github.com/acme/rocket/issues/1",
        "created_at": "2026-03-10T12:00:00Z",
    }
    return {**values, **given}


def test_an_issue_of_which_nearly_nothing_is_known_is_still_an_issue():
    post = github.parse_issue(an_item(title=None, body=None, reactions=None, comments=None))
    assert isinstance(post, Post)
    assert (post.title, post.body, post.comment_count, post.vote_count) == ("", "", 0, 0)


def test_a_time_in_another_zone_becomes_utc():
    post = github.parse_issue(an_item(created_at="2026-03-11T01:30:00+02:00"))
    assert isinstance(post, Post)
    assert post.created_at.isoformat() == "2026-03-10T23:30:00+00:00"


@pytest.mark.parametrize(
    "wrong", [{"created_at": "yesterday"}, {"created_at": None}, {"html_url": 1}]
)
def test_an_issue_without_time_or_place_is_an_error(wrong):
    with pytest.raises(UnexpectedReplyError):
        github.parse_issue(an_item(**wrong))


def test_a_null_pull_request_is_an_issue():
    old = {"html_url": None, "diff_url": None, "patch_url": None}
    assert isinstance(github.parse_issue(an_item(pull_request=old)), Post)
    assert isinstance(github.parse_issue(an_item(pull_request=None)), Post)
    assert github.parse_issue(an_item(pull_request={"url": "https://…"})) == "pull request"


def collected(posts, **settings: Any) -> tuple[Collection, int]:
    """Collect the day from a simulator of these posts; the collection and the requests served.

    The world goes on after the day, elsewhere.
    """
    with simulator([*posts, LATER]) as running:
        collection = running.collectors(**settings).collect("github", DAY.date())
        return collection, running.requests("github")


def test_a_day_has_its_midnight_and_not_the_next():
    inside = [a_post("github", second) for second in (0, 1, DAY_S // 2, DAY_S - 1)]
    outside = [a_post("github", second) for second in (-DAY_S, -1, DAY_S, DAY_S + 1)]
    collection, requests = collected([*inside, *outside])
    assert urls(collection) == sorted(permalink(post) for post in inside)
    assert collection.complete
    assert collection.reason == ""
    assert collection.expected_count == collection.fetched_count == 4
    assert collection.requests == requests == 1 + PROOF


def test_every_field_arrives():
    written = a_post(
        "github",
        7,
        title="Ünïcode \U0001f600",
        body="a\n```\nb\n```",
        comment_count=9,
        vote_count=4,
    )
    silent = a_post("github", 8, body=None)
    collection, _ = collected([written, silent])
    first, second = sorted(collection.posts, key=lambda post: post.created_at)
    assert first == Post(
        "github",
        permalink(written),
        written.title,
        "a\n```\nb\n```",
        written.created_at,
        9,
        4,
        written.author,
    )
    assert second.body == ""


def test_an_empty_day_is_complete_if_the_counts_around_it_leave_nothing_for_it():
    collection, requests = collected([a_post("github", -DAY_S)])
    assert collection.posts == ()
    assert collection.complete, collection.reason
    assert requests == 3 + 3 + PROOF


def test_an_empty_day_of_which_nothing_shows_that_it_is_empty_is_not_complete():
    collection, _ = collected([], github_query="is:issue comments:>=4")
    assert collection.posts == ()
    assert not collection.complete
    assert "nothing shows that there are none" in collection.reason


def test_more_issues_than_a_search_gives_come_each_once():
    posts = [a_post("github", index * 33) for index in range(2_600)]
    collection, requests = collected(posts)
    assert urls(collection) == sorted(permalink(post) for post in posts)
    assert collection.complete
    assert collection.expected_count == collection.fetched_count == 2_600
    assert requests == collection.requests <= 1.3 * 26 + 8
    assert requests == 27 + PROOF  # one page begins with the last issue of the one before


def test_1100_issues_within_a_few_seconds_come_each_once():
    posts = [a_post("github", 40_000 + index // 300) for index in range(1_100)]
    collection, _ = collected(posts)
    assert urls(collection) == sorted(permalink(post) for post in posts)
    assert collection.complete


def test_more_issues_in_one_second_than_a_search_gives_leave_the_day_incomplete():
    crowd = [a_post("github", 40_000) for _ in range(1_020)]
    rest = [a_post("github", second) for second in (5, 40_001, 50_000)]
    collection, _ = collected([*crowd, *rest])
    assert len(set(urls(collection))) == len(collection.posts) == 1_003
    assert {permalink(post) for post in rest} <= set(urls(collection))
    assert not collection.complete
    assert "more issues of GitHub at 2026-03-10T11:06:40+00:00 than the 1000" in collection.reason


def test_a_crowd_in_the_last_second_ends_the_day():
    collection, _ = collected([a_post("github", DAY_S - 1) for _ in range(1_001)])
    assert len(collection.posts) == 1_000
    assert not collection.complete


def test_the_query_is_asked_for_as_configured():
    liked = a_post("github", 5, comment_count=8)
    collection, _ = collected(
        [liked, a_post("github", 6, comment_count=1)], github_query="is:issue comments:>=3"
    )
    assert urls(collection) == [permalink(liked)]


@pytest.mark.parametrize(
    "query",
    ["nothing", "is:pr", "is:issue created:>2026-01-01", "is:issue sort:comments", ""],
)
def test_a_query_that_cannot_be_a_day_s_names_its_setting(query):
    with pytest.raises(ConfigurationError, match=r"GITHUB_QUERY.*is:issue"):
        github.check_query(query)


def test_a_query_github_does_not_understand_names_its_setting():
    with pytest.raises(RequestRejectedError, match="GITHUB_QUERY"):
        collected([], github_query="is:issue comments:>=many")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("a/b", "a/b"),
        (" dotnet/runtime.ext ", "dotnet/runtime.ext"),
        ("https://github.com/a/.github/", "a/.github"),
    ],
)
def test_a_repository_may_be_written_as_its_address(written, name):
    assert github.repository_name(written) == name


@pytest.mark.parametrize("written", ["..", "a", "a/..", "a/b/c", "../x", "a b/c", ".a/b", "a/"])
def test_what_is_no_repository_is_refused_before_anybody_is_asked(written):
    with pytest.raises(ConfigurationError, match="GITHUB_REPOS"):
        github.repository_name(written)


def test_a_busy_repository_is_listed_once_and_counted():
    posts = [a_post("github", second * 40, comment_count=0) for second in range(2_000)]
    earlier = a_post("github", -5)
    collection, requests = collected(
        [*posts, earlier], github_query="is:issue comments:>=3", github_repos=[REPOSITORY]
    )
    assert len(collection.posts) == 2_000
    assert collection.complete
    assert requests <= 1.3 * 20 + 8


def test_a_list_without_a_word_of_its_next_page_is_read_on():
    pages = [[an_issue(100 * page + number) for number in range(100)] for page in (1, 2)]
    handler, _ = answering(
        *(httpx.Response(200, json=page) for page in [*pages, [AN_EARLIER_ISSUE]]),
        a_page(total=200),
    )
    builder = a_builder(DAY.date())
    with api_client(handler, github.API_POLICY) as client:
        read = github.reader(keep_bots=False)
        github.collect_repositories(client, client, ["a/b"], read, builder)
    assert len(builder.posts) == 200
    assert builder.problems == []


def test_a_list_that_goes_round_in_circles_is_left():
    link = {"link": '<http://api.test/repos/a/b/issues?page=1>; rel="next"'}
    handler, asked = answering(
        *(httpx.Response(200, json=[an_issue(1)], headers=link) for _ in range(2)), a_page(total=1)
    )
    builder = a_builder(DAY.date())
    with api_client(handler, github.API_POLICY) as client:
        read = github.reader(keep_bots=False)
        github.collect_repositories(client, client, ["a/b"], read, builder)
    assert builder.problems == ["the list of a/b repeats itself"]
    assert len(asked) <= 4


def test_a_total_that_is_the_cap_is_not_taken_for_the_whole():
    first = [
        an_item(
            id=number,
            created_at=f"2026-03-10T00:{number // 60:02}:{number % 60:02}Z",
            html_url=f"https://github.com/a/b/issues/{number}",
        )
        for number in range(100)
    ]
    rest = [an_item(id=500, created_at="2026-03-10T09:00:00Z")]
    count = a_page(*first, total=100)
    reading = [a_page(*first, total=100), a_page(first[-1], *rest, total=2)]
    # Its totals contradict each other, so its parts are asked for again, which brings nothing new.
    collection, asked = collected_from(*reading, A_LATER_ISSUE, count, *reading)
    assert len(collection.posts) == 101
    assert collection.complete
    assert len(asked) == 6


def test_a_bad_token_names_its_setting():
    with (
        simulator([], github_token="the-good-one") as running,
        pytest.raises(AccessDeniedError, match="GITHUB_TOKEN"),
    ):
        running.collectors(github_token="another").collect("github", DAY.date())


def a_page(*items: dict[str, Any], total: int, incomplete: bool = False) -> httpx.Response:
    return httpx.Response(
        200, json={"total_count": total, "incomplete_results": incomplete, "items": list(items)}
    )


A_LATER_ISSUE = a_page(an_item(id=9_999, created_at="2026-03-11T00:00:05Z"), total=1)


def an_issue(number: int) -> dict[str, Any]:
    return an_item(id=number, html_url=f"https://github.com/acme/rocket/issues/{number}")


def collected_from(*replies: httpx.Response) -> tuple[Collection, list[httpx.Request]]:
    handler, asked = answering(*replies)
    builder = a_builder(DAY.date())
    with api_client(handler, github.API_POLICY) as client:
        expected = github.collect_search(
            client, "is:issue", github.reader(keep_bots=False), builder
        )
        return builder.collection(client, expected_count=expected), asked


def test_an_incomplete_answer_is_never_taken_for_the_answer():
    collection, asked = collected_from(
        a_page(an_issue(1), total=1, incomplete=True),
        a_page(an_issue(1), an_issue(2), total=2),
        a_page(an_issue(3), total=1),
        A_LATER_ISSUE,
        a_page(an_issue(1), total=3),
    )
    assert len(collection.posts) == 3
    assert collection.complete
    assert collection.expected_count == 3
    assert [request.url.params["q"].split()[-1] for request in asked] == [
        "created:2026-03-10T00:00:00Z..2026-03-10T23:59:59Z",
        "created:2026-03-10T00:00:00Z..2026-03-10T11:59:59Z",
        "created:2026-03-10T12:00:00Z..2026-03-10T23:59:59Z",
        "created:2026-03-10T12:00:00Z..*",  # what follows the last one: is the day over?
        "created:2026-03-10T00:00:00Z..2026-03-10T23:59:59Z",  # are those all?
    ]


def test_a_search_that_never_completes_is_given_up_before_it_costs_a_fortune():
    def never(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return a_page(an_issue(1), total=7, incomplete=True)

    asked: list[httpx.Request] = []
    builder = a_builder(DAY.date())
    with api_client(never, github.API_POLICY) as client:
        github.collect_search(client, "is:issue", github.reader(keep_bots=False), builder)
    collection = builder.collection(client)
    assert not collection.complete
    assert "given up" in collection.reason
    assert len(collection.posts) == 1
    assert len(asked) < 50


@pytest.mark.parametrize(
    ("query", "asked_for"),
    [
        ("is:issue", "is:issue is:public"),
        ("is:issue is:private", "is:issue is:private"),
        ("is:issue is:public", "is:issue is:public"),
    ],
)
def test_private_issues_are_searched_only_if_asked_for(query, asked_for):
    handler, asked = answering(a_page(an_issue(1), total=1), A_LATER_ISSUE, a_page(total=1))
    with api_client(handler) as client:
        read = github.reader(keep_bots=False)
        github.collect_search(client, query, read, a_builder(DAY.date()))
    assert asked[0].url.params["q"].startswith(f"{asked_for} created:")


@pytest.mark.parametrize(
    ("user", "is_bot"),
    [
        ({"login": "renovate[bot]", "type": "User"}, True),
        ({"login": "octo-helper", "type": "Bot"}, True),
        ({"login": "bot", "type": "User"}, False),
        (None, False),
    ],
)
def test_issues_of_bots_are_left_out_unless_wanted(user, is_bot):
    issue = an_item(user=user)
    assert (github.parse_issue(issue) == "bot account") is is_bot
    assert isinstance(github.parse_issue(issue, keep_bots=True), Post)


def test_bots_are_counted():
    posts = [a_post("github", 1), a_post("github", 2, author="renovate[bot]")]
    collection, _ = collected(posts)
    assert urls(collection) == [permalink(posts[0])]
    assert collection.dropped == {"bot account": 1}
    assert collection.complete
    assert len(collected(posts, github_keep_bots=True)[0].posts) == 2


def test_one_issue_that_cannot_be_read_does_not_hide_the_others():
    page = a_page(an_issue(1), {"id": 2}, an_issue(3), total=3)
    collection, _ = collected_from(page, A_LATER_ISSUE, page)
    assert len(collection.posts) == 2
    assert collection.dropped == {"unreadable": 1}
    assert not collection.complete
    assert "1 items could not be read" in collection.reason


REPOSITORY = "acme/rocket"
AN_EARLIER_ISSUE = an_item(id=7_777, created_at="2026-03-09T23:59:59Z")


def test_a_repository_is_read_whole_whatever_the_search_leaves_out():
    quiet = [a_post("github", second * 300, comment_count=0) for second in range(250)]
    around = [a_post("github", second, comment_count=0) for second in (-1, DAY_S)]
    elsewhere = a_post("github", 7, channel="other/place", comment_count=0)
    discussed = a_post("github", 8, channel="other/place", comment_count=5)
    collection, _ = collected(
        [*quiet, *around, elsewhere, discussed],
        github_query="is:issue comments:>=3",
        github_repos=[REPOSITORY],
    )
    assert urls(collection) == sorted(permalink(post) for post in [*quiet, discussed])
    assert collection.complete
    assert "pull request" in collection.dropped


def test_an_issue_found_both_ways_is_stored_once():
    posts = [a_post("github", second) for second in range(5)]
    collection, _ = collected(posts, github_repos=[REPOSITORY])
    assert urls(collection) == sorted(permalink(post) for post in posts)


def test_a_quiet_repository_costs_one_request():
    posts = [a_post("github", 5), a_post("github", -5)]
    _, requests = collected(posts, github_repos=[REPOSITORY])
    assert requests == 2 + PROOF  # with the search


def test_an_empty_list_of_a_repository_is_not_believed_at_once():
    pages = ([], [an_issue(1), AN_EARLIER_ISSUE])
    empty, full = (httpx.Response(200, json=page) for page in pages)
    handler, asked = answering(empty, a_page(total=0), full)
    builder = a_builder(DAY.date())
    with api_client(handler, github.API_POLICY) as client:
        read = github.reader(keep_bots=False)
        github.collect_repositories(client, client, ["a/b"], read, builder)
    assert len(builder.posts) == 1
    assert builder.problems == []
    assert len(asked) == 3


def test_an_unknown_repository_is_named_and_costs_nothing_else():
    posts = [a_post("github", 5), a_post("github", -5)]
    collection, _ = collected(posts, github_repos=["no/where", REPOSITORY])
    assert len(collection.posts) == 1
    assert not collection.complete
    assert re.search(r"no/where.*GITHUB_REPOS", collection.reason)


def test_a_renamed_repository_is_followed():
    moved = httpx.Response(301, headers={"location": "http://api.test/repositories/7/issues"})
    handler, asked = answering(moved, httpx.Response(200, json=[an_issue(1), AN_EARLIER_ISSUE]))
    builder = a_builder(DAY.date())
    with api_client(handler, github.API_POLICY) as client:
        read = github.reader(keep_bots=False)
        github.collect_repositories(client, client, ["old/name"], read, builder)
    assert len(builder.posts) == 1
    assert asked[1].url.path == "/repositories/7/issues"


ELSEWHERE = [
    {"link": '<https://evil.test/?page=2>; rel="next"'},
    {"link": '<http://[::1>; rel="next"'},
]


@pytest.mark.parametrize("link", ELSEWHERE, ids=str)
def test_a_list_that_continues_elsewhere_is_read_on_where_it_began(link):
    handler, asked = answering(
        httpx.Response(200, json=[an_issue(1)], headers=link),
        httpx.Response(200, json=[an_issue(2), AN_EARLIER_ISSUE]),
        a_page(total=2),
    )
    builder = a_builder(DAY.date())
    with api_client(handler, github.API_POLICY) as client:
        read = github.reader(keep_bots=False)
        github.collect_repositories(client, client, ["a/b"], read, builder)
    assert {request.url.host for request in asked} == {"api.test"}
    assert asked[1].url.params["page"] == "2"
    assert len(builder.posts) == 2


@pytest.mark.parametrize("link", ELSEWHERE, ids=str)
def test_where_a_search_continues_does_not_matter(link):
    page = {"total_count": 1, "items": [an_issue(1)]}
    reading, counting = (httpx.Response(200, headers=link, json=page) for _ in range(2))
    collection, _ = collected_from(reading, A_LATER_ISSUE, counting)
    assert collection.complete


@pytest.mark.parametrize("status", [404, 410, 451])
def test_a_repository_that_is_not_given_names_its_setting(status):
    handler, _ = answering(httpx.Response(status))
    with (
        api_client(handler, github.API_POLICY) as client,
        pytest.raises(RequestRejectedError, match=r"a/b.*GITHUB_REPOS"),
    ):
        read = github.reader(keep_bots=False)
        github.collect_repositories(client, client, ["a/b"], read, a_builder(DAY.date()))


def test_a_repository_that_cannot_be_counted_is_read_until_two_lists_agree():
    page = [an_issue(number) for number in range(100)]
    reading = [httpx.Response(200, json=one) for one in (page, [AN_EARLIER_ISSUE])]
    handler, asked = answering(*[*reading, httpx.Response(422)] * 2)
    builder = a_builder(DAY.date())
    with api_client(handler, github.API_POLICY) as client:
        read = github.reader(keep_bots=False)
        github.collect_repositories(client, client, ["a/b"], read, builder)
    assert len(builder.posts) == 100
    assert builder.problems == []
    assert len(asked) == 6


@pytest.mark.parametrize(
    ("counted", "hidden", "problem"),
    [(100, 0, ""), (102, 2, ""), (110, 0, "110 issues of a/b announced, 100 given by its list")],
)
def test_a_list_that_lacks_a_few_counted_issues_twice_names_them(counted, hidden, problem):
    """The search may count what GitHub hides from the list as well; many are no such thing."""
    listing = [[an_issue(number) for number in range(100)], [AN_EARLIER_ISSUE]]
    reading = [httpx.Response(200, json=page) for page in listing]
    handler, _ = answering(*[*reading, a_page(total=counted)] * 3)
    builder = a_builder(DAY.date())
    with api_client(handler, github.API_POLICY) as client:
        read = github.reader(keep_bots=False)
        github.collect_repositories(client, client, ["a/b"], read, builder)
    assert len(builder.posts) == 100
    assert builder.problems == ([problem] if problem else [])
    assert builder.hidden == hidden
    assert [f"{hidden} hidden by the source" in note for note in builder.notes] == [True] * (
        hidden > 0
    )


def test_an_announced_page_of_a_list_that_comes_empty_is_asked_for_again():
    link = {"link": '<http://api.test/repos/a/b/issues?page=2>; rel="next"'}
    first = [an_issue(number) for number in range(100)]
    empty = httpx.Response(200, json=[])
    handler, asked = answering(
        httpx.Response(200, json=first, headers=link),
        *[empty] * 4,
        httpx.Response(200, json=[an_issue(200), AN_EARLIER_ISSUE]),
        a_page(total=101),
    )
    builder = a_builder(DAY.date())
    with api_client(handler, github.API_POLICY) as client:
        read = github.reader(keep_bots=False)
        github.collect_repositories(client, client, ["a/b"], read, builder)
    assert len(builder.posts) == 101
    assert builder.problems == []
    assert len(asked) == 7


@pytest.mark.parametrize(
    ("path", "is_pull_request"),
    [("a/b/pull/7", True), ("a/b/issues/7", False), ("a/pull/issues/7", False)],
)
def test_a_pull_request_is_known_by_its_address_too(path, is_pull_request):
    read = github.parse_issue(an_item(html_url=f"https://github.com/{path}"))
    assert (read == "pull request") is is_pull_request


def test_the_last_request_of_a_window_waits_for_the_next(clock):
    spent = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(clock.now_s) + 40)}
    handler, _ = answering(
        httpx.Response(200, headers=spent, json={}), httpx.Response(200, json={})
    )
    with api_client(handler, github.API_POLICY) as client:
        client.get("/search/issues")
        client.get("/search/issues")
    assert sum(clock.sleeps) == pytest.approx(41, abs=1)


@pytest.mark.parametrize(
    "body", [{}, [], {"total_count": "many", "items": []}, {"total_count": 1, "items": ["one"]}]
)
def test_a_reply_of_another_shape_is_an_error_and_no_empty_day(body):
    with pytest.raises(UnexpectedReplyError):
        collected_from(httpx.Response(200, json=body))
