"""No day is called whole that is not: replies that are empty, cut, or contradict each other."""

import random
from collections.abc import Callable
from itertools import chain, cycle, repeat
from typing import Any

import httpx
import pytest

from issue_pipeline.errors import AccessDeniedError, QuotaExhaustedError
from issue_pipeline.records import Collection
from issue_pipeline.resources.collectors import arctic_shift, github, hackernews, stackoverflow
from issue_pipeline.resources.collectors.http import Reply
from issue_pipeline.resources.collectors.windows import Total, prove_empty_by_counts
from issue_pipeline_tests.support.hand_written import DAY
from issue_pipeline_tests.support.replays import a_builder, api_client

DAY_S = 24 * 60 * 60
FIRST = int(DAY.timestamp())
LAST = FIRST + DAY_S - 1


def an_issue(number: int, second: int) -> dict[str, Any]:
    return {
        "id": number,
        "html_url": f"https://github.com/a/b/issues/{number}",
        "created_at": moment(second),
    }


def moment(second: int) -> str:
    day, rest = 10 + second // DAY_S, second % DAY_S
    return f"2026-03-{day:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"


class Direct:
    """A client that asks without pace, retries or network: hundreds of days in seconds."""

    def __init__(self, handler: Callable[[httpx.Request], httpx.Response]) -> None:
        self.requests, self.waited_s = 0, 0.0
        self._handler = handler

    def get(self, path: str, params: Any = None, *, attempts: int = 1) -> Reply:
        self.requests += 1
        reply = self._handler(httpx.Request("GET", f"http://api.test{path}", params=params))
        return Reply(reply.json())


class Search:
    """GitHub's search over issues at these seconds of the day, and one of the next day.

    Attributes:
        empty: Tells of each request whether it is answered as if there were nothing.
        hidden: Numbers of issues that are counted and never shown.
        grow: Called before each request; may add issues.
    """

    def __init__(self, seconds: list[int]) -> None:
        self.seconds = dict(enumerate([*seconds, DAY_S + 60]))
        self.empty: Callable[[], bool] = lambda: False
        self.hidden: set[int] = set()
        self.grow: Callable[[Search], None] = lambda search: None
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        self.grow(self)
        span = request.url.params["q"].split("created:")[1]
        low, high = span.split("..")
        there = sorted(
            (second, number)
            for number, second in self.seconds.items()
            if low <= moment(second) and (high == "*" or moment(second) <= high)
        )
        if self.empty():
            there = []
        size, page = (int(request.url.params[name]) for name in ("per_page", "page"))
        shown = there[(page - 1) * size : page * size]
        items = [an_issue(number, at) for at, number in shown if number not in self.hidden]
        return httpx.Response(200, json={"total_count": len(there), "items": items})

    @property
    def of_day(self) -> int:
        return sum(second < DAY_S for second in self.seconds.values())


def collected(handler: Callable[[httpx.Request], httpx.Response]) -> Collection:
    builder, client = a_builder(DAY.date()), Direct(handler)
    read = github.reader(keep_bots=False)
    expected = github.collect_search(client, "is:issue", read, builder)
    return builder.collection(client, expected_count=expected)


def spread(count: int) -> list[int]:
    return [number * (DAY_S // count) for number in range(count)]


NOTHING = {"total_count": 0, "incomplete_results": False, "items": []}


@pytest.mark.parametrize(
    ("go_on", "reason"),
    [
        (cycle, "400 counted, 100 given"),
        (lambda told: chain(told, repeat(NOTHING)), "400 counted, 100 given"),
        (lambda told: chain(told, repeat(told[-1])), "than the 1 given"),
    ],
    ids=["again", "nothing", "the last"],
)
def test_one_page_of_four_and_then_nothing_is_no_whole_day(go_on, reason):
    items = [an_issue(number, 60 * number) for number in range(100)]
    full = {"total_count": 400, "incomplete_results": False, "items": items}
    count = {**full, "items": items[:1]}
    told = [full, NOTHING, NOTHING, count, NOTHING, count]
    replies = go_on(told)
    collection = collected(lambda request: httpx.Response(200, json=next(replies)))
    assert len(collection.posts) == 100
    assert not collection.complete
    assert reason in collection.reason


def test_a_count_that_exceeds_what_was_seen_leaves_the_day_incomplete_with_both_numbers():
    """The search counts 400 once, and shows and counts 100 ever after."""
    search = Search(spread(100))

    def optimist(request: httpx.Request) -> httpx.Response:
        reply = search(request)
        body = reply.json() | ({"total_count": 400} if search.asked == 1 else {})
        return httpx.Response(200, json=body)

    collection = collected(optimist)
    assert not collection.complete
    assert "400 counted, 100 given" in collection.reason


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6])
def test_no_day_is_falsely_complete_however_many_replies_are_empty(share):
    complete = 0
    for seed in range(200):
        chance = random.Random(f"{share}/{seed}")
        count = chance.choice([0, 1, 5, 30, 150, 400])
        search = Search(sorted(chance.randrange(DAY_S) for _ in range(count)))
        search.empty = lambda chance=chance: chance.random() < share
        collection = collected(search)
        if collection.complete:
            complete += 1
            assert len(collection.posts) == count, (seed, collection.reason)
    assert complete > 50  # who never says "complete" would be right, too


def test_a_day_of_which_every_reply_is_empty_is_never_complete():
    search = Search(spread(300))
    search.empty = lambda: True
    collection = collected(search)
    assert not collection.complete
    assert search.asked < 60


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6])
def test_counts_that_may_be_nought_never_prove_a_day_empty_that_is_not(share):
    for seed in range(300):
        chance = random.Random(f"{share}/{seed}")
        posts = [chance.randrange(-DAY_S, 2 * DAY_S) for _ in range(40)]

        def count(first: int, last: int, posts=posts, chance=chance) -> Total:
            there = sum(first <= FIRST + second <= last for second in posts)
            return Total(0 if chance.random() < share else there)

        is_empty = not any(0 <= second < DAY_S for second in posts)
        assert not prove_empty_by_counts(count, FIRST, LAST) or is_empty


@pytest.mark.parametrize("distance_d", [1, 20, 300])
def test_a_day_between_posts_is_proven_empty(distance_d):
    posts = [FIRST - distance_d * DAY_S, LAST + 50]
    assert prove_empty_by_counts(
        lambda first, last: Total(sum(first <= second <= last for second in posts)), FIRST, LAST
    )


@pytest.mark.parametrize("share", [0.001, 0.02])
def test_hidden_issues_are_named_and_cost_at_most_twice_the_requests(share):
    plain = Search(spread(1_500))
    undisturbed = collected(plain)
    assert undisturbed.complete
    search = Search(spread(1_500))
    search.hidden = set(random.Random(7).sample(range(1_500), max(1, int(share * 1_500))))
    collection = collected(search)
    assert len(collection.posts) == 1_500 - len(search.hidden)
    assert collection.complete, collection.reason
    assert f"{len(search.hidden)} hidden by the source" in collection.reason
    assert collection.expected_count == 1_500
    assert collection.requests <= 2 * undisturbed.requests


@pytest.mark.parametrize(("count", "hidden"), [(100, 10), (30, 2), (3, 1)])
def test_more_hidden_issues_than_there_can_be_leave_the_day_incomplete(count, hidden):
    search = Search(spread(count))
    search.hidden = set(range(hidden))
    collection = collected(search)
    assert not collection.complete
    assert f"{count} counted, {count - hidden} given" in collection.reason


@pytest.mark.parametrize("hidden_share", [0.0, 0.01])
@pytest.mark.parametrize("growth", [0.0, 0.05])
def test_a_post_that_replies_leave_out_again_and_again_is_not_taken_for_a_hidden_one(
    hidden_share, growth
):
    complete = 0
    for seed in range(60):
        chance = random.Random(f"{hidden_share}/{growth}/{seed}")
        search = Search(
            sorted(chance.randrange(DAY_S) for _ in range(chance.choice([34, 90, 250])))
        )
        count = search.of_day
        search.hidden = {number for number in range(count) if chance.random() < hidden_share}
        share = chance.choice([0.02, 0.2, 0.5])

        def grow(growing: Search, chance=chance) -> None:
            if chance.random() < growth:
                growing.seconds[len(growing.seconds)] = chance.randrange(DAY_S)

        def careless(request: httpx.Request, search=search, chance=chance, share=share) -> Any:
            body = search(request).json()
            if body["items"] and chance.random() < share:
                body["items"].pop(chance.randrange(len(body["items"])))
            return httpx.Response(200, json=body)

        search.grow = grow
        collection = collected(careless)
        if collection.complete:
            complete += 1
            found = {int(post.url.rsplit("/", 1)[1]) for post in collection.posts}
            assert set(range(count)) - search.hidden <= found, (seed, collection.reason)
    assert complete > 30  # who never says "complete" would be right, too


def test_a_gap_costs_no_more_than_twice_the_requests_however_few_pages_there_are():
    for count in (40, 90, 250, 700):
        undisturbed = collected(Search(spread(count)))
        search = Search(spread(count))
        search.hidden = {count // 2}
        collection = collected(search)
        assert collection.complete, collection.reason
        assert "1 hidden by the source" in collection.reason
        assert undisturbed.requests < collection.requests <= 2 * undisturbed.requests


@pytest.mark.parametrize("seed", range(6))
def test_matches_that_keep_coming_leave_the_day_whole_as_of_the_last_readings_start(seed):
    chance = random.Random(seed)
    undisturbed = collected(Search(spread(1_500)))

    def grow(search: Search) -> None:
        if chance.random() < 0.07:
            search.seconds[len(search.seconds)] = chance.randrange(DAY_S)

    search = Search(spread(1_500))
    search.grow = grow
    collection = collected(search)
    assert collection.complete, collection.reason
    assert 1_500 <= len(collection.posts) <= search.of_day
    assert collection.requests <= 2 * undisturbed.requests


def test_growth_that_is_no_growth_leaves_the_day_incomplete():
    """Every count is larger than what was read, by far: pages are kept from us."""
    search = Search(spread(200))

    def grow(growing: Search) -> None:
        for _ in range(30):
            growing.seconds[len(growing.seconds)] = DAY_S // 2

    search.grow = grow
    search.hidden = set(range(201, 10_000))
    collection = collected(search)
    assert not collection.complete
    assert "given" in collection.reason


def test_a_search_that_shows_nothing_later_than_the_day_leaves_it_incomplete():
    search = Search(spread(50))
    del search.seconds[50]
    collection = collected(search)
    assert len(collection.posts) == 50
    assert not collection.complete
    assert "later than the day" in collection.reason


@pytest.mark.parametrize("hidden_later", [1, 5])
def test_hidden_issues_right_after_the_day_do_not_keep_it_incomplete(hidden_later):
    search = Search(spread(50))
    search.seconds |= {51 + place: DAY_S + place for place in range(hidden_later)}
    search.hidden = set(range(51, 51 + hidden_later))
    collection = collected(search)
    assert collection.complete, collection.reason


def day_of(handler: Callable[[httpx.Request], httpx.Response]) -> Collection:
    """The day of GitHub's search, with a client that obeys its policy."""
    builder = a_builder(DAY.date())
    with api_client(handler, github.API_POLICY) as client, builder.keeping_what_came():
        github.collect_search(client, "is:issue", github.reader(keep_bots=False), builder)
    return builder.collection(client)


def except_beyond_the_day(search: Search, refusal: httpx.Response | Exception) -> Any:
    """A search that refuses, or fails, whenever something later than the day is asked for."""

    def serve(request: httpx.Request) -> httpx.Response:
        if not request.url.params["q"].endswith("..*"):
            return search(request)
        if isinstance(refusal, Exception):
            raise refusal
        return refusal

    return serve


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (httpx.Response(422, json={"message": "no"}), "could not be seen: GitHub does not"),
        (httpx.Response(503, text="down"), "could not be seen: "),
        (httpx.ReadTimeout("slow"), "could not be seen: "),
        (httpx.Response(200, json={"total_count": 1}), "could not be seen: "),
        (QuotaExhaustedError("The quota is spent."), "The quota is spent. Until then 50 posts"),
    ],
)
def test_a_failing_look_beyond_the_day_costs_nothing_of_the_day_but_its_proof(refusal, said, clock):
    collection = day_of(except_beyond_the_day(Search(spread(50)), refusal))
    assert len(collection.posts) == 50
    assert not collection.complete
    assert said in collection.reason


def test_a_key_that_is_refused_for_a_look_beyond_the_day_ends_the_step():
    refusal = httpx.Response(401, json={"message": "Bad credentials"})
    with pytest.raises(AccessDeniedError, match="GITHUB_TOKEN"):
        day_of(except_beyond_the_day(Search(spread(50)), refusal))


def test_a_total_below_what_comes_with_it_counts_nothing():
    items = [an_issue(number, 60 * number) for number in range(5)]
    body = {"total_count": 0, "incomplete_results": False, "items": items}
    later = {"total_count": 0, "items": [an_issue(9, DAY_S + 5)]}

    def low(request: httpx.Request) -> httpx.Response:
        is_probe = request.url.params["q"].endswith("..*")
        return httpx.Response(200, json=later if is_probe else body)

    collection = collected(low)
    assert len(collection.posts) == 5
    assert collection.complete  # two readings agree


# The other sources


def stack_exchange(questions: list[int], *, count: int, more: bool, later: bool = True) -> Any:
    """Stack Exchange with these questions, that says ``more`` whatever comes."""

    def serve(request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        if asked.get("filter") == "total":
            return httpx.Response(200, json={"total": count})
        at = [FIRST + second for second in [*questions, *([DAY_S + 60] if later else [])]]
        high = int(asked.get("todate", 9e9))
        there = [second for second in at if int(asked["fromdate"]) <= second <= high]
        size, page = int(asked["pagesize"]), int(asked["page"])
        items = [
            {"question_id": second, "creation_date": second}
            for second in there[(page - 1) * size : page * size]
        ]
        return httpx.Response(200, json={"items": items, "has_more": more})

    return serve


def stack_overflow_day(handler: Any) -> Collection:
    builder = a_builder(DAY.date())
    with api_client(handler, stackoverflow.API_POLICY) as client:
        stackoverflow.collect(client, builder)
        return builder.collection(client)


@pytest.mark.parametrize("more", [False, True])
def test_whether_there_is_more_is_not_taken_on_trust(more):
    collection = stack_overflow_day(stack_exchange(spread(250), count=250, more=more))
    assert len(collection.posts) == 250
    assert collection.complete, collection.reason


@pytest.mark.parametrize("more", [False, True])
def test_more_questions_counted_than_given_leave_the_day_incomplete(more):
    collection = stack_overflow_day(stack_exchange(spread(60), count=75, more=more))
    assert not collection.complete
    assert "75 counted, 60 given" in collection.reason


def test_a_site_without_later_questions_leaves_the_day_incomplete():
    collection = stack_overflow_day(stack_exchange(spread(60), count=60, more=False, later=False))
    assert not collection.complete
    assert "later than the day" in collection.reason


def algolia(stories: list[int], told: Callable[[int], dict[str, Any]]) -> Any:
    """Algolia with these stories, that tells this of so many hits."""

    def serve(request: httpx.Request) -> httpx.Response:
        low, _, high = request.url.params["numericFilters"].partition(",")
        first = int(low.removeprefix("created_at_i>="))
        end = int(high.removeprefix("created_at_i<") or 9e9)
        there = [FIRST + at for at in sorted(stories, reverse=True) if first <= FIRST + at < end]
        size = int(request.url.params["hitsPerPage"])
        hits = [{"objectID": str(at), "created_at_i": at} for at in there[:size]]
        return httpx.Response(200, json={"hits": hits, "hitsPerPage": size} | told(len(there)))

    return serve


def hacker_news_day(handler: Any) -> Collection:
    builder = a_builder(DAY.date())
    with api_client(handler, hackernews.API_POLICY) as client:
        hackernews.collect(client, builder, comments=False)
        return builder.collection(client)


LATER = DAY_S + 60


@pytest.mark.parametrize("nought", [lambda count: 0, lambda count: count // 2])
def test_a_number_of_hits_that_is_too_small_is_no_number(nought):
    stories = [*spread(60), LATER]
    collection = hacker_news_day(algolia(stories, lambda count: {"nbHits": nought(count)}))
    assert len(collection.posts) == 60
    # Two readings agree; nothing was counted that was not seen.
    assert collection.complete, collection.reason


def test_more_hits_counted_than_given_leave_the_day_incomplete():
    stories = [*spread(60), LATER]
    collection = hacker_news_day(algolia(stories, lambda count: {"nbHits": count + 15}))
    assert not collection.complete
    assert "75 counted, 60 given" in collection.reason


def test_an_index_that_stopped_leaves_the_day_incomplete():
    stories = [at for at in spread(60) if at < 2 * 3600]  # newest hit at 01:59
    collection = hacker_news_day(algolia(stories, lambda count: {"nbHits": count}))
    assert not collection.complete
    assert "stopped" in collection.reason


class Archive:
    """The archive: posts of subreddits by second of the day."""

    def __init__(self, **posts: list[int]) -> None:
        self.posts = posts
        self.refuse: Callable[[httpx.Request], httpx.Response | None] = lambda request: None
        self.empty: Callable[[], bool] = lambda: False
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = dict(request.url.params)
        self.asked.append(asked)
        if (refusal := self.refuse(request)) is not None:
            return refusal
        after, before = int(asked.get("after", 0)), int(asked.get("before", 9e9))
        there = sorted(
            FIRST + at
            for at in self.posts.get(asked["subreddit"], [])
            if after < FIRST + at < before
        )
        if asked["sort"] == "desc":
            there.reverse()
        shown = [] if self.empty() else there[: int(asked["limit"])]
        subreddit = asked["subreddit"]
        data = [{"id": f"{subreddit}{at}", "created_utc": at, "subreddit": "x"} for at in shown]
        return httpx.Response(200, json={"data": data})


def archive_day(archive: Archive, *subreddits: str) -> Collection:
    builder = a_builder(DAY.date())
    with api_client(archive, arctic_shift.API_POLICY) as client:
        arctic_shift.collect(client, subreddits, builder)
        return builder.collection(client)


def test_an_archive_that_ends_within_the_day_leaves_it_incomplete():
    archive = Archive(webdev=[at for at in spread(300) if at < 14 * 3600 + 50 * 60])
    collection = archive_day(archive, "webdev")
    assert len(collection.posts) > 100
    assert not collection.complete
    assert "may not have got so far" in collection.reason


def test_a_quiet_subreddit_is_whole_when_the_archive_is_past_the_day_elsewhere():
    archive = Archive(healthIT=[-5 * DAY_S, 60], AskReddit=[LATER])
    collection = archive_day(archive, "healthIT")
    assert len(collection.posts) == 1
    assert collection.complete, collection.reason


def test_a_silent_subreddit_is_empty_when_its_newest_post_is_older_and_others_go_on():
    archive = Archive(healthIT=[-5 * DAY_S], webdev=[30, LATER])
    collection = archive_day(archive, "healthIT", "webdev")
    assert len(collection.posts) == 1
    assert collection.complete, collection.reason


def test_what_was_read_before_the_archive_showed_how_far_it_is_is_read_again():
    """It stops in the middle of the day, and has caught up when r/AskReddit is asked for."""
    archive = Archive(webdev=[-60, *spread(40)], AskReddit=[LATER])
    stopped = True

    def catch_up(request: httpx.Request) -> httpx.Response | None:
        nonlocal stopped
        stopped &= request.url.params["subreddit"] != "AskReddit"
        archive.posts["webdev"] = [at for at in [-60, *spread(40)] if not stopped or at < 50_000]
        return None

    archive.refuse = catch_up
    collection = archive_day(archive, "webdev")
    assert len(collection.posts) == 40
    assert collection.complete, collection.reason


@pytest.mark.parametrize("status", [400, 403, 404, 422, 503])
def test_a_look_beyond_the_day_that_the_archive_refuses_costs_no_subreddit(status, clock):
    archive = Archive(healthIT=[-60, 60])

    def refuse(request: httpx.Request) -> httpx.Response | None:
        is_look = request.url.params["subreddit"] == "AskReddit"
        return httpx.Response(status, json={"error": "no"}) if is_look else None

    archive.refuse = refuse
    if status == 403:
        with pytest.raises(AccessDeniedError):
            archive_day(archive, "healthIT")
        return
    collection = archive_day(archive, "healthIT")
    assert len(collection.posts) == 1
    assert not collection.complete
    assert "r/healthIT after that day" in collection.reason
    assert "could not be seen" in collection.reason


def test_nothing_of_the_busy_subreddit_is_stored_whatever_the_archive_shows_of_it():
    archive = Archive(healthIT=[-60, 60], AskReddit=[70])

    def serve(request: httpx.Request) -> httpx.Response:
        params = dict(request.url.params)
        if params["subreddit"] == "AskReddit":
            params.pop("after", None)  # it does not mind what was asked for
        return archive(httpx.Request("GET", request.url.copy_with(params=params)))

    builder = a_builder(DAY.date())
    with api_client(serve, arctic_shift.API_POLICY) as client:
        arctic_shift.collect(client, ["healthIT"], builder)
    assert len(builder.posts) == 1
    assert builder.problems


def test_a_subreddit_that_the_archive_does_not_know_is_named():
    collection = archive_day(Archive(webdev=[30, LATER]), "wbdev", "webdev")
    assert len(collection.posts) == 1
    assert not collection.complete
    assert "nothing of r/wbdev at all (check REDDIT_SUBREDDITS)" in collection.reason


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6])
def test_empty_pages_of_the_archive_never_make_a_day_whole_that_is_not(share):
    complete = 0
    for seed in range(100):
        chance = random.Random(f"{share}/{seed}")
        count = chance.choice([0, 1, 5, 150])
        ends = [LATER] if chance.random() < 0.5 else []
        posts = [-DAY_S, *(chance.randrange(DAY_S) for _ in range(count)), *ends]
        archive = Archive(webdev=posts, AskReddit=[LATER])
        archive.empty = lambda chance=chance: chance.random() < share
        builder, client = a_builder(DAY.date()), Direct(archive)
        arctic_shift.collect(client, ["webdev"], builder)
        collection = builder.collection(client)
        if collection.complete:
            complete += 1
            assert len(collection.posts) == len({at for at in posts if 0 <= at < DAY_S}), seed
    assert complete > 25


@pytest.mark.parametrize("words", ["Timeout. Maybe slow down a bit", "no more than 50", ""])
def test_an_archive_that_does_not_give_a_hundred_is_asked_for_fifty(words, clock):
    archive = Archive(webdev=[*spread(300), LATER])

    def refuse(request: httpx.Request) -> httpx.Response | None:
        too_much = int(request.url.params["limit"]) > 50
        return httpx.Response(422, json={"data": None, "error": words}) if too_much else None

    archive.refuse = refuse
    collection = archive_day(archive, "webdev")
    assert len(collection.posts) == 300
    assert collection.complete, collection.reason
    assert {"100", "50"} == {asked["limit"] for asked in archive.asked}


def test_a_window_that_stays_too_heavy_costs_no_other_subreddit(clock):
    archive = Archive(webdev=[30, LATER], devops=[40, LATER])

    def refuse(request: httpx.Request) -> httpx.Response | None:
        is_heavy = request.url.params["subreddit"] == "webdev"
        return httpx.Response(422, json={"error": "Query timed out"}) if is_heavy else None

    archive.refuse = refuse
    collection = archive_day(archive, "webdev", "devops")
    assert len(collection.posts) == 1
    assert not collection.complete
    assert "webdev: " in collection.reason
    assert "timed out" in collection.reason
    assert "REDDIT_SUBREDDITS" not in collection.reason


def test_a_renamed_repository_of_several_pages_is_read_whole():
    """Its old address answers 301, and the search knows its new name only."""
    issues = [
        an_issue(number, 60 * number) | {"html_url": f"https://github.com/new/name/issues/{number}"}
        for number in range(250)
    ]
    listed = [*reversed(issues), {**issues[0], "id": 9_999, "created_at": "2026-03-09T12:00:00Z"}]
    counted: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        path, page = request.url.path, int(request.url.params.get("page", 1))
        if path == "/repos/old/name/issues":
            target = request.url.copy_with(path="/repositories/7/issues")
            return httpx.Response(301, headers={"location": str(target)})
        if path == "/search/issues":
            counted.append(request.url.params["q"])
            status = 200 if "repo:new/name" in counted[-1] else 422
            return httpx.Response(status, json={"total_count": 250, "items": []})
        shown = listed[100 * (page - 1) : 100 * page]
        following = request.url.copy_set_param("page", page + 1)
        headers = {"link": f'<{following}>; rel="next"'} if 100 * page < len(listed) else {}
        return httpx.Response(200, json=shown, headers=headers)

    builder = a_builder(DAY.date())
    with api_client(serve, github.API_POLICY) as client:
        read = github.reader(keep_bots=False)
        github.collect_repositories(client, client, ["old/name"], read, builder)
    assert len(builder.posts) == 250
    assert builder.problems == []
    assert len(counted) == 1


@pytest.mark.parametrize("ends_at", [30, 99])
def test_a_list_of_a_repository_that_ends_early_is_no_whole_day(ends_at):
    listed = [an_issue(number, 80_000 - number) for number in range(1, ends_at + 1)]

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/search/issues":
            return httpx.Response(200, json={"total_count": 120, "items": []})
        return httpx.Response(200, json=listed)

    builder = a_builder(DAY.date())
    with api_client(serve, github.API_POLICY) as client:
        read = github.reader(keep_bots=False)
        github.collect_repositories(client, client, ["a/b"], read, builder)
    (problem,) = builder.problems
    assert problem == f"120 issues of a/b announced, {ends_at} given by its list"
