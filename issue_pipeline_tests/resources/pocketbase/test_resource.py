"""What the live store's answers mean: come back later, or somebody must act."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from issue_pipeline.errors import LiveStoreAccessError, LiveStoreError
from issue_pipeline.resources.pocketbase import connection
from issue_pipeline.resources.pocketbase.resource import PocketBaseResource

A_DAY = date(2026, 3, 10)
TOLD = {"message": "\x1b[31mno\u202e"}
WELCOME = {"token": "t", "record": {"id": "a", "collectionId": "b", "collectionName": "c"}}


@contextmanager
def answering(login_status: int, status: int) -> Iterator[PocketBaseResource]:
    """A server that answers the login with one status and everything else with another."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            code = login_status if "auth-with-password" in self.path else status
            body = json.dumps(WELCOME if code == 200 else TOLD).encode()
            self.send_response(code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield PocketBaseResource(
                url=f"http://joe:hush@127.0.0.1:{server.server_port}",
                email="owner@shop.example",
                password="open sesame",
            )
        finally:
            server.shutdown()
            thread.join()


def failure(login_status: int, status: int = 200) -> LiveStoreError:
    with (
        answering(login_status, status) as resource,
        pytest.raises(LiveStoreError) as caught,
        resource.connect() as store,
    ):
        store.issues_of_day(A_DAY)
    return caught.value


@pytest.mark.parametrize(
    ("statuses", "named"),
    [
        ((400,), "POCKETBASE_PASSWORD"),
        ((403,), "POCKETBASE_PASSWORD"),
        ((200, 404), "pb_migrations"),
        ((200, 403), "pb_migrations"),
    ],
)
def test_what_somebody_must_put_right_is_told_apart(statuses, named):
    error = failure(*statuses)
    assert isinstance(error, LiveStoreAccessError)
    assert named in str(error)


@pytest.mark.parametrize("statuses", [(500,), (429,), (200, 503)])
def test_what_passes_is_no_refusal(statuses, monkeypatch):
    monkeypatch.setattr(connection, "RATE_LIMIT_WAITS_S", 1.0)  # of minutes
    assert not isinstance(failure(*statuses), LiveStoreAccessError)


def test_an_error_tells_no_user_info_and_steers_no_terminal():
    error = failure(500)
    assert "http://127.0.0.1" in str(error)
    assert "hush" not in str(error)
    assert str(error).isprintable()
    assert error.__cause__ is None


def test_no_secret_shows_when_the_resource_is_printed():
    shown = repr(PocketBaseResource(url="http://a.example", email="joe@a.example", password="hush"))
    assert "hush" not in shown
    assert "joe@" not in shown
