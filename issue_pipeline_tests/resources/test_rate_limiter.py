"""The rate limiter in a time of its own: nobody sleeps, and a server counts what is overdrawn."""

import threading
from datetime import UTC, datetime

import pytest

from issue_pipeline.records import Allowance
from issue_pipeline.resources.llm.limits import (
    REQUESTS,
    TOKENS,
    duration_s,
    read_allowances,
    read_wait_s,
)
from issue_pipeline.resources.llm.rate_limiter import Clock, RateLimiter, WaitTooLongError
from issue_pipeline_tests.support.rate_limited import FixedWindow, TokenBucket

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
DATE = {"date": "Mon, 30 Nov 2026 12:00:00 GMT"}


class ManualClock(Clock):
    """Time that passes when somebody waits for it."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        assert seconds is not None, "waits for nobody"
        self.time += seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2m59.56s", 179.56),
        ("7.66s", 7.66),
        ("6ms", 0.006),
        ("250 milliseconds", 0.25),
        ("6 seconds", 6),
        ("1h2m3s", 3_723),
        ("12", 12),
        ("soon", None),
        ("", None),
    ],
)
def test_durations_are_read_as_providers_write_them(text: str, seconds: float | None):
    assert duration_s(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "text", "seconds"),
    [
        ({"retry-after": "7"}, "", 7),
        ({"retry-after": "0.5"}, "", 0.5),
        ({"retry-after": "Mon, 30 Nov 2026 12:00:30 GMT", **DATE}, "", 30),
        ({"retry-after-ms": "1500", "retry-after": "2"}, "", 1.5),
        ({}, "Please try again in 7.66s. Need more tokens?", 7.66),
        ({}, "Please try again in 1m2.5s.", 62.5),
        ({}, "Please retry after 6 seconds.", 6),
        ({}, '{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}', 34),
        ({}, "{'retryDelay': '34.5s'}", 34.5),
        ({}, '{"retry_after": 3}', 3),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "-5"}, "", None),
        ({"retry-after": "inf"}, "", None),
        ({}, "slow down", None),
    ],
)
def test_the_wait_that_a_server_asks_for_is_found(
    headers: dict[str, str], text: str, seconds: float | None
):
    assert read_wait_s(headers, text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            {
                "x-ratelimit-limit-requests": "14400",
                "x-ratelimit-remaining-requests": "14370",
                "x-ratelimit-reset-requests": "2m59.56s",
                "x-ratelimit-limit-tokens": "6000",
                "x-ratelimit-remaining-tokens": "5100",
                "x-ratelimit-reset-tokens": "9s",
            },
            {(REQUESTS, 14_400, 14_370, 179.56), (TOKENS, 6_000, 5_100, 9)},
        ),
        (
            {
                "anthropic-ratelimit-input-tokens-limit": "40000",
                "anthropic-ratelimit-input-tokens-remaining": "39000",
                "anthropic-ratelimit-input-tokens-reset": "2026-11-30T12:00:10Z",
                **DATE,
            },
            {("input-tokens", 40_000, 39_000, 10)},
        ),
        (
            {
                "x-ratelimit-limit-tokens-minute": "500000",
                "x-ratelimit-remaining-tokens-minute": "499000",
                "x-ratelimit-remaining-req-minute": "59",
            },
            {(TOKENS, 500_000, 499_000, 60), (REQUESTS, None, 59, 60)},
        ),
        (
            {"x-ratelimit-remaining-requests-day": "10", "x-ratelimit-remaining-tokens": "900"},
            {(REQUESTS, None, 10, 86_400), (TOKENS, None, 900, 60)},
        ),
        (
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1796040030000", **DATE},
            {(REQUESTS, None, 0, 30)},
        ),
        ({"ratelimit-limit": "10, 10;w=60", "ratelimit-remaining": "3", "ratelimit-reset": "5"},
         {(REQUESTS, 10, 3, 5)}),
        ({"x-ratelimit-remaining-tokens": "many", "content-type": "json"}, set()),
    ],
    ids=["groq", "anthropic", "mistral", "cerebras and azure", "openrouter", "ietf", "nonsense"],
)  # fmt: skip
def test_what_is_left_is_read_from_the_headers_of_each_provider(
    headers: dict[str, str], expected: set[tuple[str, float | None, float | None, float]]
):
    found = {
        (one.kind, one.limit, one.remaining, round(one.reset_s, 2))
        for one in read_allowances(headers)
    }
    assert found == expected


@pytest.mark.parametrize("cost", [700, 1_999, 2_000, 4_500, 6_000])
def test_a_bucket_of_tokens_is_never_overdrawn_and_hardly_ever_left_unused(cost: int):
    clock = ManualClock()
    limiter, bucket = RateLimiter(1, clock), TokenBucket(6_000, clock)
    for _ in range(100):
        permit = limiter.acquire(cost - 100, lambda: 100)
        assert bucket.take(cost) is None
        limiter.answered(permit, read_allowances(bucket.headers("tokens")))
    dictated_s = (100 * cost - 6_000) * 60 / 6_000
    assert dictated_s <= clock.time <= 1.1 * dictated_s + 60


def test_a_window_of_requests_is_never_overdrawn_where_it_is_stated():
    clock = ManualClock()
    limiter, window = RateLimiter(1, clock), FixedWindow(10, clock)
    for number in range(100):
        permit = limiter.acquire(1, lambda: 1)
        assert window.take() is None
        left = Allowance(REQUESTS, REQUESTS, 10, 9 - number % 10, 60 - clock.time % 60)
        limiter.answered(permit, [left])
    assert clock.time == pytest.approx(540)


def test_calls_under_way_are_taken_off_what_is_left():
    clock = ManualClock()
    limiter = RateLimiter(4, clock)
    first = limiter.acquire(100, lambda: 900)
    limiter.answered(first, [Allowance(TOKENS, TOKENS, 6_000, 2_500, 35)])
    limiter.acquire(100, lambda: 900)
    second = limiter.acquire(100, lambda: 900)
    assert clock.time == 0
    limiter.answered(second, [Allowance(TOKENS, TOKENS, 6_000, 500, 55)])
    limiter.acquire(100, lambda: 900)
    assert clock.time == 55


def test_what_only_a_refusals_words_state_is_counted_from_then_on():
    clock = ManualClock()
    limiter, bucket = RateLimiter(1, clock), TokenBucket(6_000, clock)
    for _ in range(50):
        permit = limiter.acquire(1_900, lambda: 100)
        used = 6_000 - bucket.left
        wait_s = bucket.take(2_000)
        if wait_s is None:
            limiter.answered(permit)
        else:
            words = (
                f"Rate limit reached on tokens per minute (TPM): Limit 6000, Used {used},"
                f" Requested 2000. Please try again in {wait_s:.3f}s."
            )
            limiter.refused(permit, read_wait_s({}, words), read_allowances({}, words))
    assert bucket.refused == 1
    dictated_s = (49 * 2_000 - 6_000) * 60 / 6_000
    assert clock.time <= 1.2 * dictated_s + 60


def test_a_limit_is_never_waited_for_longer_than_its_window():
    clock = ManualClock()
    limiter = RateLimiter(4, clock)
    limiter.answered(limiter.acquire(2_400, lambda: 100))
    limiter.answered(limiter.acquire(2_400, lambda: 100))
    first, *others = [limiter.acquire(2_400, lambda: 100) for _ in range(4)]
    words = (
        "Rate limit reached on tokens per minute (TPM): Limit 6000, Used 5800, Requested 2500."
        " Please try again in 23s."
    )
    limiter.refused(first, read_wait_s({}, words), read_allowances({}, words))
    for permit in others:
        limiter.answered(permit)
    limiter.acquire(2_400, lambda: 100)
    assert clock.time == 60


def test_whoever_was_refused_goes_before_those_who_were_not():
    limiter = RateLimiter(1)
    permit = limiter.acquire(1, lambda: 1)
    order: list[int] = []

    def wait(before: int) -> None:
        own = limiter.acquire(1, lambda: 1, before=before)
        order.append(before)
        limiter.answered(own)

    threads = [threading.Thread(target=wait, args=(before,)) for before in (0, 0, 2, 1)]
    for number, thread in enumerate(threads, start=1):
        thread.start()
        while len(limiter._waiting) < number:
            pass
    limiter.answered(permit)
    for thread in threads:
        thread.join()
    assert order == [2, 1, 0, 0]


def test_a_pause_is_the_longest_of_those_asked_for():
    clock = ManualClock()
    limiter = RateLimiter(2, clock)
    limiter.answered(limiter.acquire(1, lambda: 1))
    first, second = limiter.acquire(1, lambda: 1), limiter.acquire(1, lambda: 1)
    limiter.refused(first, 30.0)
    limiter.refused(second, 10.0)
    limiter.acquire(1, lambda: 1)
    assert clock.time == 30


def test_waits_that_nobody_states_grow_and_start_again_after_an_answer():
    clock = ManualClock()
    limiter = RateLimiter(1, clock)
    waits = []
    for _ in range(5):
        before = clock.time
        limiter.refused(limiter.acquire(1, lambda: 1), None, default_wait_s=5.0)
        waits.append(clock.time - before)
    limiter.answered(limiter.acquire(1, lambda: 1))
    before = clock.time
    limiter.refused(limiter.acquire(1, lambda: 1), None, default_wait_s=5.0)
    limiter.acquire(1, lambda: 1)
    assert [*waits, clock.time - before] == [0, 5, 15, 45, 60, 5]


def test_a_limit_of_a_day_is_not_waited_for():
    limiter = RateLimiter(1, ManualClock())
    permit = limiter.acquire(1, lambda: 1)
    limiter.answered(permit, [Allowance(REQUESTS, REQUESTS, 50, 0, 40_000)])
    with pytest.raises(WaitTooLongError, match="40000 s"):
        limiter.acquire(1, lambda: 1)


def test_a_stopped_limiter_lets_everybody_through():
    clock = ManualClock()
    limiter = RateLimiter(1, clock)
    limiter.refused(limiter.acquire(1, lambda: 1), 100.0)
    limiter.stop()
    limiter.acquire(1, lambda: 1)
    assert clock.time == 0
