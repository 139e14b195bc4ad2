"""The simulated APIs without sockets and without waiting: hundreds of days in a minute.

Every request of the process's HTTP clients is answered by the simulator in the same thread, and
time passes only by sleeping and by looking at it. So limits, backoffs and budgets are the real
ones, in hours if need be, and cost nothing.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from issue_pipeline.sandbox.apis.app import create_app
from issue_pipeline.sandbox.apis.indexes import Index
from issue_pipeline.sandbox.world.posts import World
from issue_pipeline_tests.support.hand_written import CLIENT_ID, CLIENT_SECRET, NOW
from issue_pipeline_tests.support.simulated import HISTORY_DAYS, Simulator

# What a request costs, besides the waits between them.
LATENCY_S = 0.2


class VirtualTime:
    """Seconds since 1970 that pass only by sleeping and by looking at them."""

    def __init__(self, start_s: float) -> None:
        self.now_s = start_s

    def now(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += max(0.0, seconds)


@dataclass(frozen=True)
class VirtualSimulator(Simulator):
    """A simulator that answers every request of this process, whatever its host."""

    app: Starlette
    clock: VirtualTime

    @property
    def indexes(self) -> dict[str, Index]:
        """What each API finds, to be stopped, shrunken or healed at a certain moment."""
        indexes: dict[str, Index] = self.app.state.indexes
        return indexes

    def stats(self) -> dict[str, Any]:
        reply = self.answer(httpx.Request("GET", f"{self.base_url}/stats"))
        counted: dict[str, Any] = json.loads(reply.read())
        return counted

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Serve one request to its end.

        Raises:
            httpx.ReadError: The simulator broke the connection.
        """
        self.clock.sleep(LATENCY_S)
        connection = _Connection(request.read())
        url = request.url
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.split(b"?")[0],
            "query_string": url.query,
            "server": (url.host, url.port or 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
        }
        # Nothing in it waits for anything, so that it needs no event loop.
        serving = self.app(scope, connection.receive, connection.send)
        try:
            while True:
                serving.send(None)
        except StopIteration:
            pass
        return connection.response(request, formatdate(self.clock.now_s, usegmt=True))


class _Transport:
    """Stands for the connection, which some faults break."""

    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def get_extra_info(self, _name: str) -> "_Transport":
        return self

    def setsockopt(self, *_option: Any) -> None:
        """A connection that is no socket has no options."""


class _Connection:
    """One request and its reply, as the server interface sees them."""

    def __init__(self, body: bytes) -> None:
        self.transport = _Transport()
        self._body: bytes | None = body
        self._start: dict[str, Any] = {}
        self._content = b""

    async def receive(self) -> dict[str, Any]:
        if self._body is None:
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        else:
            self._content += message.get("body", b"")

    def response(self, request: httpx.Request, date: str) -> httpx.Response:
        if self.transport.is_closed or not self._start:
            raise httpx.ReadError("the simulator broke the connection", request=request)
        headers = [*self._start["headers"], (b"date", date.encode())]
        stream = httpx.ByteStream(self._content)
        return httpx.Response(self._start["status"], headers=headers, stream=stream)


@contextmanager
def virtual_simulator(
    world: World, monkeypatch: pytest.MonkeyPatch, *, present: datetime = NOW, **settings: Any
) -> Iterator[VirtualSimulator]:
    """Answer all requests from a simulator over this world until the end of the block.

    Limits are the real ones. A stall would need an event loop: leave it out of the faults.

    Args:
        world: The posts.
        monkeypatch: Undoes everything at the end.
        present: When the block begins; its time passes as the clock says.
        settings: Of ``create_app``.
    """
    clock = VirtualTime(present.timestamp())
    values: dict[str, Any] = {
        "now": lambda: datetime.fromtimestamp(clock.now_s, UTC),
        "reddit_client_id": CLIENT_ID,
        "reddit_client_secret": CLIENT_SECRET,
        "history_days": HISTORY_DAYS,
        "busy_reddit": True,
    }
    with monkeypatch.context() as patched:
        patched.setattr(time, "sleep", clock.sleep)
        patched.setattr(time, "monotonic", clock.now)
        patched.setattr(time, "time", clock.now)
        app = create_app(world, **{**values, **settings})
        running = VirtualSimulator("http://simulator.test", app, clock)
        # Of the real transport nothing is made: that alone would take longer than a reply.
        for name in ("__init__", "__enter__", "__exit__", "close"):
            patched.setattr(httpx.HTTPTransport, name, lambda *_args, **_settings: None)
        patched.setattr(
            httpx.HTTPTransport,
            "handle_request",
            lambda _transport, request: running.answer(request),
        )
        yield running
