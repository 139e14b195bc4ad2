import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from issue_pipeline.sandbox.apis.app import create_app
from issue_pipeline_tests.support.hand_written import (
    AGENT,
    CLIENT_ID,
    CLIENT_SECRET,
    ENDLESS_WINDOWS,
    NOW,
    HandWrittenWorld,
    a_client,
    a_post,
    client_of,
)

START_LIMIT_S = 10


class CrashingWorld(HandWrittenWorld):
    def posts(self, source, day):
        raise RuntimeError("the world ended")


@pytest.fixture
def base_url() -> Iterator[str]:
    """The simulator on a real port."""
    world = HandWrittenWorld(a_post("stackoverflow", second) for second in range(40))
    app = create_app(
        world, now=lambda: NOW, reddit_client_id=CLIENT_ID, reddit_client_secret=CLIENT_SECRET
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(START_LIMIT_S)
    listener.close()
    assert not thread.is_alive()


def wait_until_healthy(client: httpx.Client) -> None:
    """The port already listens, so the first request waits in its queue until it is served."""
    deadline = time.monotonic() + START_LIMIT_S
    while client.get("/health", timeout=START_LIMIT_S).json() != {"status": "ok"}:
        assert time.monotonic() < deadline


def test_over_a_real_port_a_plain_client_gets_compressed_questions(base_url):
    with httpx.Client(base_url=base_url, headers=AGENT) as client:
        wait_until_healthy(client)
        reply = client.get("/stackexchange/2.3/questions", params={"site": "stackoverflow"})
        assert reply.headers["content-encoding"] == "gzip"
        assert len(reply.json()["items"]) == 30
        assert client.get("/stats").json()["requests"]["stackexchange"] == 1


def test_over_a_real_port_reddit_refuses_the_library_s_own_agent(base_url):
    with httpx.Client(base_url=base_url) as client:
        assert client.get("/reddit/r/shopkeepers/new").status_code == 429


def test_the_statistics_count_requests_and_errors_by_api():
    client = a_client()
    client.get("/github/search/issues?q=is:issue")
    client.get("/github/search/issues?q=nothing")
    client.get("/hackernews/api/v1/search_by_date")
    body = client.get("/stats").json()
    none = dict.fromkeys(("github", "stackexchange", "reddit", "archive", "hackernews"), 0)
    assert body["requests"] == {**none, "github": 2, "hackernews": 1}
    assert body["errors"] == {**none, "github": 1}
    assert body["violations"] == {api: {} for api in none}
    assert body["statuses"]["github"] == {"200": 1, "422": 1}


def test_requests_beyond_a_limit_are_counted():
    client = a_client(time_scale=ENDLESS_WINDOWS)
    for _ in range(12):
        client.get("/github/search/issues?q=is:issue")
    assert client.get("/stats").json()["over_limit"]["github"] == 2


def test_a_crash_is_counted_as_an_error():
    client = client_of(CrashingWorld([]))
    assert client.get("/hackernews/api/v1/search_by_date").status_code == 500
    assert client.get("/stats").json()["errors"]["hackernews"] == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"reddit_client_id": ""},
        {"reddit_client_secret": ""},
        {"time_scale": 0},
        {"history_days": 0},
    ],
)
def test_settings_that_cannot_work_are_refused(settings):
    with pytest.raises(ValueError, match=r"client id|time_scale|history_days"):
        a_client(**settings)
