"""The one seam to the network: paced, patient with what passes, quick to give up on the rest."""

import gzip
import logging
import re
import socket
import traceback

import httpx
import pytest
import stamina

from issue_pipeline.errors import (
    AccessDeniedError,
    CollectionError,
    ConfigurationError,
    QuotaExhaustedError,
    RequestRejectedError,
    TimeBudgetError,
    TransientError,
    UnexpectedReplyError,
    UnreachableError,
)
from issue_pipeline.resources.collectors.http import (
    ATTEMPTS,
    ApiPolicy,
    expect,
    retry_after_s,
    server_time,
)
from issue_pipeline_tests.support.replays import answering, api_client

OK = httpx.Response(200, json={"fine": True})
BUSY = httpx.Response(503, text="busy")
CHIRPER = ApiPolicy("Chirper", "CHIRPER_API_URL", "CHIRPER_TOKEN")


def test_a_reply_is_parsed_and_says_who_asked():
    handler, asked = answering(OK)
    with api_client(handler, headers={"X-Version": "7"}) as client:
        assert client.get("/things", {"page": 2}).payload == {"fine": True}
    assert str(asked[0].url) == "http://api.test/things?page=2"
    assert asked[0].headers["user-agent"].startswith("issue-pipeline/")
    assert asked[0].headers["x-version"] == "7"


def test_a_path_of_the_base_url_is_kept():
    handler, asked = answering(OK)
    with api_client(handler, base_url="http://api.test/prefix/") as client:
        client.get("/things")
    assert asked[0].url.path == "/prefix/things"


def test_requests_keep_their_distance(clock):
    handler, _ = answering(OK, OK, OK)
    with api_client(handler, requests_per_minute=30) as client:
        for _ in range(3):
            client.get("/")
    assert clock.sleeps == [pytest.approx(2.0), pytest.approx(2.0)]
    assert client.waited_s == pytest.approx(4.0)


def test_time_spent_elsewhere_counts_for_the_distance(clock):
    handler, _ = answering(OK, OK)
    with api_client(handler, requests_per_minute=30) as client:
        client.get("/")
        clock.now_s += 1.5
        client.get("/")
    assert clock.sleeps == [pytest.approx(0.5)]


def test_a_wait_asked_for_in_a_good_reply_delays_only_the_next_request(clock):
    handler, _ = answering(httpx.Response(200, json={"pause": 12}), OK, OK)
    policy = ApiPolicy(
        "Chirper", "CHIRPER_API_URL", read_pause=lambda headers, payload: payload.get("pause", 0)
    )
    with api_client(handler, policy, requests_per_minute=60) as client:
        client.get("/")
        client.get("/")
        client.get("/")
    assert clock.sleeps == [pytest.approx(12.0), pytest.approx(1.0)]


def test_retry_after_is_obeyed_to_the_second(clock):
    handler, asked = answering(httpx.Response(429, headers={"Retry-After": "137"}), OK)
    with api_client(handler) as client:
        client.get("/")
    assert sum(clock.sleeps) == pytest.approx(137, abs=0.01)
    assert len(asked) == client.requests == 2
    assert client.waited_s == pytest.approx(137, abs=0.01)


def test_without_a_named_wait_the_distance_grows_from_try_to_try(clock):
    handler, _ = answering(BUSY, BUSY, BUSY, BUSY, OK)
    with api_client(handler) as client:
        assert client.get("/").payload == {"fine": True}
    waits = clock.sleeps
    assert len(waits) == 4
    assert all(low <= wait <= low + 1 for low, wait in zip((1, 2, 4, 8), waits, strict=True))


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("closed in the middle"),
        httpx.Response(500),
        httpx.Response(502, text="<html>bad gateway</html>"),
        httpx.Response(408),
        httpx.Response(429),
        httpx.Response(200, text='{"items": [{"id": 1'),
        httpx.Response(200, text="<html>maintenance</html>"),
        httpx.Response(200, text=""),
    ],
    ids=repr,
)
def test_what_passes_is_tried_again(trouble, clock):
    handler, asked = answering(trouble, OK)
    with api_client(handler) as client:
        assert client.get("/").payload == {"fine": True}
    assert len(asked) == 2


def test_a_compressed_reply_that_was_cut_is_tried_again(clock):
    class Cut(httpx.SyncByteStream):
        def __iter__(self):
            yield b"not gzip at all"

    handler, asked = answering(
        httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Cut()),
        httpx.Response(
            200, headers={"content-encoding": "gzip"}, content=gzip.compress(b'{"fine": true}')
        ),
    )
    with api_client(handler) as client:
        assert client.get("/").payload == {"fine": True}
    assert len(asked) == 2


def test_the_last_error_comes_through_when_nothing_helps(caplog):
    troubles = [httpx.Response(503, text=f"busy {number}") for number in range(ATTEMPTS)]
    handler, asked = answering(*troubles)
    with (
        stamina.set_testing(True, attempts=100, cap=True),
        caplog.at_level(logging.WARNING),
        api_client(handler, CHIRPER) as client,
        pytest.raises(TransientError, match=r"Chirper answered 503.*busy 7"),
    ):
        client.get("/")
    assert len(asked) == ATTEMPTS
    assert "busy 0" in caplog.text


def test_an_unreachable_server_is_named_with_what_to_check():
    handler, _ = answering(httpx.ConnectError("no route"))
    with (
        stamina.set_testing(True, attempts=1),
        api_client(handler, CHIRPER) as client,
        pytest.raises(
            TransientError, match=r"Chirper.*http://api\.test.*no route.*CHIRPER_API_URL"
        ),
    ):
        client.get("/")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, RequestRejectedError),
        (400, RequestRejectedError),
        (401, AccessDeniedError),
        (403, AccessDeniedError),
        (404, RequestRejectedError),
        (422, RequestRejectedError),
    ],
)
def test_a_refusal_ends_it_at_once(status, kind, clock):
    handler, asked = answering(httpx.Response(status, json={"message": "no"}))
    with api_client(handler, CHIRPER) as client, pytest.raises(kind, match="no"):
        client.get("/")
    assert len(asked) == 1
    assert clock.sleeps == []


def test_a_refused_credential_is_named():
    handler, _ = answering(httpx.Response(401))
    with (
        api_client(handler, CHIRPER) as client,
        pytest.raises(AccessDeniedError, match="CHIRPER_TOKEN"),
    ):
        client.get("/")


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_of_an_api_without_a_credential_names_its_address(status):
    handler, _ = answering(httpx.Response(status))
    with (
        api_client(handler, ApiPolicy("Chirper", "CHIRPER_API_URL")) as client,
        pytest.raises(CollectionError, match=r"Check CHIRPER_API_URL\."),
    ):
        client.get("/")


def test_a_wait_beyond_our_time_is_a_spent_quota(clock):
    handler, asked = answering(
        httpx.Response(429, headers={"Retry-After": "3901"}, text="tomorrow")
    )
    with (
        api_client(handler, CHIRPER, minutes=60) as client,
        pytest.raises(QuotaExhaustedError, match=r"tomorrow.*3901 s; 3600 s.*CHIRPER_TOKEN"),
    ):
        client.get("/")
    assert len(asked) == 1
    assert clock.sleeps == []


def test_the_time_of_a_source_day_ends(clock):
    handler, asked = answering(*[OK] * 10)
    with (
        api_client(handler, CHIRPER, requests_per_minute=1, minutes=3.5) as client,
        pytest.raises(TimeBudgetError, match=r"Chirper.*3\.5 minutes.*COLLECT_TIME_BUDGET_MINUTES"),
    ):
        for _ in range(10):
            client.get("/")
    assert len(asked) == 4  # after 0, 1, 2 and 3 minutes


def test_an_api_may_read_its_own_refusals_first(clock):
    def read_error(response: httpx.Response) -> CollectionError | None:
        return TransientError("it is only a limit", wait_s=3) if "limit" in response.text else None

    handler, asked = answering(httpx.Response(400, text="limit"), httpx.Response(400, text="nope"))
    with (
        api_client(
            handler, ApiPolicy("Chirper", "CHIRPER_API_URL", read_error=read_error)
        ) as client,
        pytest.raises(RequestRejectedError, match="nope"),
    ):
        client.get("/")
    assert len(asked) == 2
    assert sum(clock.sleeps) == pytest.approx(3, abs=0.01)


def test_a_token_with_a_line_break_is_refused_without_showing_it(caplog):
    secret = "top" + "secret"  # in two, so that quoted source is no find
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        api_client(
            None,
            CHIRPER,
            base_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
            headers={"Authorization": f"Bearer {secret}\n"},
        ) as client,
        pytest.raises(ConfigurationError, match="CHIRPER_TOKEN") as refused,
    ):
        client.get("/")
    told = "".join(traceback.format_exception(refused.value))
    assert "CHIRPER_TOKEN" in told
    assert secret not in told + caplog.text


def test_a_url_without_a_scheme_is_a_mistake_in_the_settings():
    with (
        api_client(None, base_url="localhost/api") as client,
        pytest.raises(ConfigurationError, match="_API_URL"),
    ):
        client.get("/")


NOON = {"Date": "Tue, 10 Mar 2026 12:00:00 GMT"}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("8", 8.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("soon", None),
        (None, None),
        ("Tue, 10 Mar 2026 12:01:30 GMT", 90.0),
        ("Tue, 10 Mar 2026 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_read_in_seconds(value, seconds):
    headers = httpx.Headers(NOON if value is None else {**NOON, "Retry-After": value})
    assert retry_after_s(headers) == seconds


def test_a_server_without_a_clock_has_ours(clock):
    assert server_time(httpx.Headers(NOON)).isoformat() == "2026-03-10T12:00:00+00:00"
    assert server_time(httpx.Headers()).timestamp() == clock.now_s


@pytest.mark.parametrize("payload", [{}, {"id": None}, {"id": "7"}, [7], None, "id"])
def test_what_every_reply_must_have_is_demanded(payload):
    with pytest.raises(UnexpectedReplyError, match="Chirper has no id of type int"):
        expect(payload, "id", int, "Chirper")


def test_what_is_there_is_given():
    assert expect({"id": 7}, "id", int, "Chirper") == 7


def test_every_second_slept_before_a_request_counts_as_waiting(clock):
    busy = httpx.Response(429, headers={"Retry-After": "7"})
    handler, _ = answering(OK, BUSY, busy, OK)
    with api_client(handler, requests_per_minute=30) as client:
        client.get("/")
        client.get("/")
    assert len(clock.sleeps) >= 3  # our own pace, our own backoff, the server's wait
    assert client.waited_s == pytest.approx(sum(clock.sleeps))


def test_a_wait_that_is_never_taken_does_not_count(clock):
    handler, _ = answering(*[httpx.Response(429, headers={"Retry-After": "7"})] * ATTEMPTS)
    with api_client(handler) as client, pytest.raises(TransientError):
        client.get("/")
    assert client.waited_s == pytest.approx(sum(clock.sleeps))


@pytest.mark.parametrize(
    "trouble", [httpx.Response(404), httpx.ConnectError("no \x1b[31m route")], ids=repr
)
def test_no_error_tells_the_user_info_of_a_url_or_steers_the_terminal(trouble):
    handler, _ = answering(trouble)
    with (
        stamina.set_testing(True, attempts=1),
        api_client(handler, base_url="http://joe:hush@api.test") as client,
        pytest.raises(CollectionError, match=r"http://api\.test") as caught,
    ):
        client.get("/")
    assert not {"joe", "hush", "\x1b"} & set(re.split(r"[/:@ []", str(caught.value)))


def test_no_network_at_all_is_given_up_soon_and_names_the_setting(clock):
    handler, asked = answering(*[httpx.ConnectError("no route")] * 9)
    with (
        api_client(handler, CHIRPER) as client,
        pytest.raises(UnreachableError, match=r"Chirper.*no route.*CHIRPER_API_URL"),
    ):
        client.get("/")
    assert len(asked) == 3
    assert sum(clock.sleeps) < 10


def test_a_server_that_was_there_is_waited_for(clock):
    handler, asked = answering(OK, *[httpx.ConnectError("no route")] * 5, OK)
    with api_client(handler, CHIRPER) as client:
        client.get("/")
        client.get("/")
    assert len(asked) == 7


def test_a_short_wait_named_again_and_again_does_not_end_our_patience(clock):
    busy = httpx.Response(503, headers={"Retry-After": "0"})
    handler, _ = answering(*[busy] * (ATTEMPTS - 1), OK)
    with api_client(handler) as client:
        client.get("/")
    assert sum(clock.sleeps) > 60


@pytest.mark.parametrize("pause", [1e9, 100_000])
def test_an_endless_pause_asked_for_in_a_good_reply_ends_the_day(clock, pause):
    policy = ApiPolicy("Chirper", "URL", read_pause=lambda headers, payload: pause)
    handler, asked = answering(OK, OK)
    with api_client(handler, policy) as client, pytest.raises(QuotaExhaustedError, match="pause"):
        client.get("/")
        client.get("/")
    assert len(asked) == 1


def test_a_reply_without_end_is_cut_off(clock):
    class Endless(httpx.SyncByteStream):
        def __iter__(self):
            while True:
                yield b" " * 1_000_000

    handler, asked = answering(httpx.Response(200, stream=Endless()), OK)
    with api_client(handler) as client:
        assert client.get("/").payload == {"fine": True}
    assert len(asked) == 2


def test_a_reply_that_drips_is_cut_off(clock):
    class Dripping(httpx.SyncByteStream):
        def __iter__(self):
            while True:
                clock.now_s += 20
                yield b" "

    handler, asked = answering(httpx.Response(200, stream=Dripping()), OK)
    with api_client(handler) as client:
        assert client.get("/").payload == {"fine": True}
    assert len(asked) == 2


def test_a_refusal_that_repeats_our_token_does_not_spread_it():
    secret = "hush" + "hush"
    handler, _ = answering(httpx.Response(401, text=f"Bad token: Bearer {secret}"))
    headers = {"Authorization": f"Bearer {secret}"}
    with (
        api_client(handler, CHIRPER, headers=headers) as client,
        pytest.raises(AccessDeniedError) as no,
    ):
        client.get("/")
    assert secret not in str(no.value)
    assert "[secret]" in str(no.value)


def test_a_refusal_is_quoted_as_it_came_but_for_our_token():
    handler, _ = answering(httpx.Response(400, text="application/json of 2022-11-28"))
    headers = {"Accept": "application/json", "X-Version": "2022-11-28"}
    with (
        api_client(handler, CHIRPER, headers=headers) as client,
        pytest.raises(RequestRejectedError, match="application/json of 2022-11-28"),
    ):
        client.get("/")


@pytest.mark.parametrize(
    ("body", "read"),
    [(b'["caf\xe9"]', ["caf\ufffd"]), (b'\xef\xbb\xbf["\xff"]', ["\ufffd"])],
)
def test_a_byte_that_is_no_text_costs_no_page(body, read):
    handler, _ = answering(httpx.Response(200, content=body))
    with api_client(handler) as client:
        assert client.get("/").payload == read


def test_a_reply_cut_within_a_letter_is_tried_again(clock):
    handler, asked = answering(httpx.Response(200, content='["é'.encode()[:-1]), OK)
    with api_client(handler) as client:
        assert client.get("/").payload == {"fine": True}
    assert len(asked) == 2


@pytest.mark.parametrize("url", ["http://api.test/?page=2", "http://api.test:80/a"])
def test_an_address_of_the_api_is_served_by_it(url):
    with api_client(None) as client:
        assert client.serves(url)


@pytest.mark.parametrize(
    "url", ["", "http://evil.test/", "https://api.test/", "http://api.test:81/", "http://[::1"]
)
def test_no_other_address_is(url):
    with api_client(None) as client:
        assert not client.serves(url)


@pytest.mark.parametrize(
    "wrong",
    [{"base_url": "http://[::1"}, {"headers": {"Authorization": "Bearer “quoted”"}}],
    ids=str,
)
def test_settings_that_cannot_be_sent_are_named(wrong):
    with (
        pytest.raises(ConfigurationError, match=r"CHIRPER_API_URL and CHIRPER_TOKEN"),
        api_client(None, CHIRPER, **wrong) as client,
    ):
        client.get("/")


def test_json_too_deep_to_read_is_tried_again(clock):
    handler, asked = answering(httpx.Response(200, text="[" * 200_000), OK)
    with api_client(handler) as client:
        client.get("/")
    assert len(asked) == 2


def test_redirects_in_a_circle_are_left():
    def round_and_round(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(302, headers={"location": "http://api.test/again"})

    asked: list[httpx.Request] = []
    policy = ApiPolicy("Chirper", "CHIRPER_API_URL", follow_redirects=True)
    with api_client(round_and_round, policy) as client, pytest.raises(RequestRejectedError):
        client.get("/")
    assert len(asked) < 6
