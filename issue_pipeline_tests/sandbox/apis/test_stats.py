import asyncio

import httpx
import pytest

from issue_pipeline.sandbox.apis.stats import CountedApp, ReplyCounts


def ask(app):
    async def get():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return await client.get("http://simulator/")

    return asyncio.run(get())


def answering(status):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


async def silent(scope, receive, send):
    pass


async def dying_in_silence(scope, receive, send):
    raise RuntimeError("no reply")


def test_replies_are_counted_by_api_and_status():
    counts = ReplyCounts()
    for api, status in (("a", 200), ("a", 399), ("a", 400), ("b", 503)):
        assert ask(CountedApp(answering(status), api, counts)).status_code == status
    assert counts.requests == {"a": 3, "b": 1}
    assert counts.errors == {"a": 1, "b": 1}
    assert counts.statuses["a"] == {200: 1, 399: 1, 400: 1}


def test_a_crash_before_the_reply_is_a_500():
    counts = ReplyCounts()
    with pytest.raises(RuntimeError):
        ask(CountedApp(dying_in_silence, "a", counts))
    assert counts.errors == {"a": 1}
    assert counts.statuses["a"] == {500: 1}


def test_a_request_that_never_got_a_reply_is_an_error_without_a_status():
    counts = ReplyCounts()
    asyncio.run(CountedApp(silent, "a", counts)({"type": "http"}, None, None))
    assert counts.errors == {"a": 1}
    assert counts.statuses["a"] == {0: 1}
