"""Each trouble on the way to the live store is named as what it is."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from issue_pipeline.errors import ConfigurationError, LiveStoreAccessError, LiveStoreError
from issue_pipeline.resources.pocketbase import connection
from issue_pipeline.resources.pocketbase.replies import base_url
from issue_pipeline.resources.pocketbase.resource import PocketBaseResource

EMAIL, PASSWORD = "owner@shop.example", "open sesame"
HTML = "<html><head><title>ERR_ACCESS_DENIED</title></head></html>"


@contextmanager
def server(
    status: int, body: str, headers: Mapping[str, str] = {}, requests: list[str] | None = None
) -> Iterator[str]:
    """A server that answers everything alike; notes what it was sent."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length", 0)))
            if requests is not None:
                requests.append(f"{self.requestline}\n{sent.decode()}")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = do_CONNECT = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}"
        finally:
            running.shutdown()
            thread.join()


def failure(url: str) -> Exception:
    resource = PocketBaseResource(url=url, email=EMAIL, password=PASSWORD)
    with pytest.raises((LiveStoreError, ConfigurationError)) as caught, resource.connect():
        pass
    assert PASSWORD not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "named", "somebody_must_act"),
    [
        # What stands on the way.
        (403, HTML, "ERR_ACCESS_DENIED", False),
        (403, HTML, "password is not the cause", False),
        (401, "Authorization Required", "password is not the cause", False),
        (407, HTML, "wants a login: check HTTP_PROXY", False),
        (502, "<title>502 Bad Gateway</title>", "is PocketBase running?", False),
        (503, "", "is PocketBase running?", False),
        # Another server, or another path of it.
        (200, "<!doctype html><title>Sign in</title>", "'Sign in'", True),
        (200, "", "Check POCKETBASE_URL", True),
        (200, '"pong"', "Check POCKETBASE_URL", True),
        (200, "{}", "Check POCKETBASE_URL", True),
        (404, HTML, "is a prefix missing", True),
        (405, "", "Check POCKETBASE_URL", True),
        # PocketBase itself.
        (400, '{"message": "Failed to authenticate."}', "POCKETBASE_PASSWORD", True),
        (401, '{"mfaId": "a"}', "second factor", True),
        (403, '{"message": "You are not allowed."}', "superuser IPs", True),
        (404, '{"message": "Missing collection."}', "0.23 or newer", True),
        (500, '{"message": "Something went wrong."}', "Is its disk full?", False),
    ],
)
def test_a_login_that_fails_says_who_refused_and_what_to_do(status, body, named, somebody_must_act):
    with server(status, body) as url:
        error = failure(url)
    assert named in str(error)
    assert isinstance(error, LiveStoreAccessError) == somebody_must_act
    assert error.may_pass != somebody_must_act
    assert "NoneType" not in str(error)


def test_a_redirect_names_the_address_that_should_be_set():
    with server(308, "", {"location": "https://live.example/pb/"}) as url:
        error = failure(url)
    assert "https://live.example/pb/" in str(error)
    assert "set POCKETBASE_URL" in str(error)
    assert isinstance(error, LiveStoreAccessError)


@pytest.mark.parametrize(
    ("url", "named", "kind"),
    [
        ("http://127.0.0.1:9", "Is it running?", LiveStoreError),
        ("http://no-such-host.invalid", "Its host has no address", LiveStoreError),
        ("127.0.0.1:8090", "expected an address such as", ConfigurationError),
        ("ftp://127.0.0.1", "expected an address such as", ConfigurationError),
        ("http://", "expected an address such as", ConfigurationError),
    ],
)
def test_an_address_where_nothing_answers_is_named(url, named, kind, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    error = failure(url)
    assert named in str(error)
    assert type(error) is kind


@pytest.mark.parametrize(
    "pasted",
    [
        "http://a.example/pb",
        " http://a.example/pb/ ",
        "http://a.example/pb/_/",
        "http://a.example/pb/_",
        "http://a.example/pb/_/#/collections?collection=issues",
        "http://a.example/pb/_/?installer#",
        "http://a.example/pb/api/",
    ],
)
def test_the_address_of_the_dashboard_leads_to_the_server(pasted):
    assert base_url(pasted) == "http://a.example/pb"


@pytest.mark.parametrize("proxied", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_the_password_for_this_machine_goes_through_no_proxy(proxied, monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    seen: list[str] = []
    with server(403, HTML, requests=seen) as proxy:
        monkeypatch.setenv(proxied, proxy)
        with server(400, '{"message": "Failed to authenticate."}') as url:
            assert "POCKETBASE_PASSWORD" in str(failure(url))
            assert "POCKETBASE_PASSWORD" in str(failure(url.replace("127.0.0.1", "localhost")))
    assert seen == []


def test_a_proxys_refusal_is_its_own_and_no_wrong_password(monkeypatch):
    with server(403, HTML) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        error = failure("http://live.example")
        assert "ERR_ACCESS_DENIED" in str(error)
        assert "superuser's password is not the cause" in str(error)
        assert error.may_pass
        monkeypatch.setenv("https_proxy", proxy)
        error = failure("https://live.example")
        assert "The proxy on the way refuses: check HTTP_PROXY and HTTPS_PROXY" in str(error)


def test_limits_are_waited_for_and_named_when_that_was_in_vain(monkeypatch):
    now_s, waits = [0.0], []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now_s[0] += seconds

    monkeypatch.setattr(connection.time, "monotonic", lambda: now_s[0])
    monkeypatch.setattr(connection.time, "sleep", sleep)
    with server(429, '{"message": "Too Many Requests."}') as url:
        error = failure(url)
    assert waits[:6] == [1, 2, 4, 8, 16, 30]
    assert connection.RATE_LIMIT_WAITS_S - 30 <= sum(waits) <= connection.RATE_LIMIT_WAITS_S
    assert "rate limits were waited for in vain" in str(error)
    assert error.may_pass
    waits.clear()
    with server(429, "slow down", {"retry-after": "50"}) as url:
        error = failure(url)
    assert waits == [50, 50, 50]
    assert "A proxy before it limits requests" in str(error)
