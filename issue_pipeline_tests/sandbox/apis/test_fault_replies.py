import json
import time

import pytest

from issue_pipeline.sandbox.apis.fault_replies import REPLY_KINDS, fault_reply
from issue_pipeline.sandbox.apis.faults import KINDS_BY_API, Fault
from issue_pipeline_tests.support.recordings import recorded

DETAILS = [step / 16 for step in range(16)]


def replies(api, kind, wait_s=7):
    return [fault_reply(api, Fault(kind, detail), wait_s) for detail in DETAILS]


def body(reply):
    return json.loads(reply.body)


@pytest.mark.parametrize("api", KINDS_BY_API)
def test_server_errors_have_all_four_statuses_each_in_json_and_html(api):
    seen = {(reply.status, reply.body[:1] == b"{") for reply in replies(api, "server_error")}
    assert seen == {(status, is_json) for status in (500, 502, 503, 504) for is_json in (0, 1)}


@pytest.mark.parametrize("api", KINDS_BY_API)
def test_a_page_instead_of_json_comes_with_a_good_and_a_bad_status(api):
    pages = replies(api, "html_page")
    assert {page.status for page in pages} == {200, 502}
    assert all(page.body.startswith(b"<!DOCTYPE html>") for page in pages)


@pytest.mark.parametrize("api", KINDS_BY_API)
def test_a_bare_429_has_no_header_that_helps(api):
    for reply in replies(api, "too_many_requests_bare"):
        assert reply.headers == {}
        assert reply.status == 429 or (api, reply.status) in (
            ("archive", 422),
            ("stackexchange", 400),
        )


def test_stack_exchange_also_calls_its_limit_a_violation_without_saying_for_how_long():
    bare = replies("stackexchange", "too_many_requests_bare")
    [said] = {reply.body for reply in bare if reply.status == 400}
    assert (json.loads(said)["error_id"], json.loads(said)["error_name"]) == (
        502,
        "throttle_violation",
    )
    assert not any(letter.isdigit() for letter in json.loads(said)["error_message"])


def test_the_archive_s_own_time_out_comes_in_three_wordings_as_400_and_as_422():
    seen = {
        (reply.status, body(reply)["error"])
        for reply in replies("archive", "slow_query")
        if body(reply)["data"] is None
    }
    assert {status for status, _ in seen} == {400, 422}
    assert {said for _, said in seen} == {
        "Query timed out",
        "Slow down a little",
        "Timeout. Maybe slow down a bit",
    }
    assert len(seen) == 6


def test_the_archive_tells_the_end_of_its_window_in_milliseconds_or_since_1970():
    now_s = time.time()
    resets = {
        int(reply.headers["X-RateLimit-Reset"])
        for reply in replies("archive", "odd_reset")
        if (reply.status, reply.headers["X-RateLimit-Remaining"]) == (429, "0")
    }
    milliseconds, since_1970_s, since_1970_ms = sorted(resets)
    assert milliseconds == 7_000
    assert now_s + 7 <= since_1970_s <= now_s + 9
    assert since_1970_ms == 1_000 * since_1970_s


def test_reddit_s_block_page_is_html_that_speaks_of_the_network():
    pages = replies("reddit", "block_page")
    assert {(page.status, page.content_type) for page in pages} == {
        (403, "text/html; charset=utf-8")
    }
    words = [page.body.decode() for page in pages]
    assert all("blocked" in page and "network" in page for page in words)
    assert len(set(words)) == 2


def test_the_archive_also_calls_its_limit_a_timeout_with_422():
    bare = replies("archive", "too_many_requests_bare")
    [said] = {reply.body for reply in bare if reply.status == 422}
    assert json.loads(said)["data"] is None
    assert json.loads(said)["error"].startswith("Timeout")


@pytest.mark.parametrize("api", KINDS_BY_API)
def test_every_fault_that_fits_an_api_can_be_worded(api):
    for kind in set(REPLY_KINDS) & set(KINDS_BY_API[api]):
        assert all(reply.status and reply.body for reply in replies(api, kind))


def test_a_fault_without_a_reply_is_refused():
    with pytest.raises(ValueError, match=r"'stall'.*server_error"):
        fault_reply("github", Fault("stall", 0.5), 1)


@pytest.mark.parametrize("name", ["", "_body_marker_only"])
def test_github_s_secondary_limit_is_worded_as_recorded(name):
    theirs = recorded(f"github/error_403_secondary_limit{name}.json")
    ours = replies("github", "secondary_limit_bare")[0]
    assert ours.status == theirs["status"]
    assert theirs["body"]["message"].rstrip(".") == body(ours)["message"].rstrip(".")
    assert "Retry-After" not in ours.headers
    assert int(ours.headers["X-RateLimit-Remaining"]) > 0


def test_github_s_secondary_limit_with_a_wait_is_worded_as_recorded():
    told = {body(reply)["message"] for reply in replies("github", "secondary_limit")}
    theirs = ["error_429_secondary_limit_retry_after_8", "error_403_abuse_detection_search"]
    assert told == {recorded(f"github/{name}.json")["body"]["message"] for name in theirs}
    for reply in replies("github", "secondary_limit"):
        assert (reply.status, reply.headers["Retry-After"]) == (403, "7")


def test_github_s_limits_come_with_retry_after_or_with_the_end_of_the_window():
    now_s = time.time()
    by_status = {reply.status: reply.headers for reply in replies("github", "too_many_requests")}
    assert by_status.keys() == {403, 429}
    assert by_status[429]["Retry-After"] == "7"
    assert by_status[403]["X-RateLimit-Remaining"] == "0"
    # Never before the wait is over, though told in whole seconds.
    assert now_s + 7 <= int(by_status[403]["X-RateLimit-Reset"]) <= now_s + 9


def test_stack_exchange_tells_its_wait_in_the_recorded_words():
    theirs = recorded("stackoverflow/error_502_throttle_violation.json")
    for reply in replies("stackexchange", "too_many_requests"):
        assert reply.status == theirs["status"]
        told = {**theirs["body"]}
        told["error_message"] = told["error_message"].replace("76366", "7")
        assert body(reply) == told


def test_only_a_limit_of_stack_exchange_has_the_number_of_limits():
    errors = [reply for reply in replies("stackexchange", "server_error") if reply.body[:1] == b"{"]
    assert {body(reply)["error_id"] for reply in errors} == {500, 503}


def test_reddit_is_worded_as_recorded():
    theirs = recorded("reddit/error_500_internal_server_error.json")["body"]
    assert theirs in [
        body(reply) for reply in replies("reddit", "server_error") if reply.body[:1] == b"{"
    ]
    theirs = recorded("reddit/error_429_default_user_agent.json")["body"]
    assert body(replies("reddit", "too_many_requests_bare")[0]) == theirs
    waits = [reply.headers for reply in replies("reddit", "too_many_requests")]
    assert {"Retry-After": "7"} in waits
    assert any(headers.get("x-ratelimit-reset") == "7" for headers in waits)


def test_github_sends_html_as_json_as_it_was_recorded_to():
    theirs = recorded("github/error_503_html_body.json")
    assert (theirs["status"], theirs["headers"]["content-type"]) == (
        503,
        "application/json; charset=utf-8",
    )
    pages = [r for r in replies("github", "server_error") if r.body[:1] == b"<"]
    assert {page.content_type for page in pages if page.status == 503} == {
        "application/json; charset=utf-8"
    }
