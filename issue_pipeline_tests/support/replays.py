"""Replies without a server, recorded ones where they are at hand; a clock nobody waits for."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from issue_pipeline.records import Collection
from issue_pipeline.resources.collectors.collection_builder import CollectionBuilder, Day, Reader
from issue_pipeline.resources.collectors.http import ApiClient, ApiPolicy
from issue_pipeline.resources.collectors.rate_limits import RateLimiter, TimeBudget

RECORDINGS = Path(__file__).parents[3] / "shared" / "data" / "api"
# Describe how the bytes travelled, which a recording does not keep.
_TRANSFER_HEADERS = ("content-encoding", "content-length", "transfer-encoding")

API_POLICY = ApiPolicy("The API", "THE_API_URL")

Handler = Callable[[httpx.Request], httpx.Response]


def recorded(folder: str, wanted: Callable[[dict[str, Any]], bool]) -> list[Any]:
    """Parameters of a test: every recorded exchange of a folder that is wanted, or one skip."""
    paths = sorted((RECORDINGS / folder).glob("*.json"))
    if not paths:
        reason = "the recorded replies (../shared/data/api) are not at hand"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="no-recordings")]
    exchanges = [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in paths]
    return [pytest.param(one, id=name) for name, one in exchanges if wanted(one)]


def recorded_errors(folder: str, expected: dict[str, Any]) -> list[Any]:
    """Parameters of a test: every recorded refusal of a folder with what it must lead to."""
    parameters = recorded(folder, lambda exchange: exchange["status"] != 200)
    return [
        pytest.param(*one.values, expected.get(str(one.id)), id=one.id, marks=one.marks)
        for one in parameters
    ]


def as_response(exchange: dict[str, Any]) -> httpx.Response:
    """A recorded exchange as the reply of a server."""
    body = exchange["body"]
    content = body if isinstance(body, str) else json.dumps(body)
    headers = {
        name: value
        for name, value in exchange["headers"].items()
        if name.lower() not in _TRANSFER_HEADERS
    }
    return httpx.Response(exchange["status"], headers=headers, content=content.encode())


@contextmanager
def api_client(
    handler: Handler | None,
    policy: ApiPolicy = API_POLICY,
    *,
    requests_per_minute: float = 1e6,
    minutes: float = 120,
    base_url: str = "http://api.test",
    headers: dict[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[ApiClient]:
    """A client whose requests the handler answers; without one, the network."""
    with TemporaryDirectory() as own:
        budget = TimeBudget(minutes)
        pace = RateLimiter(folder or Path(own), base_url, requests_per_minute, budget)
        transport = httpx.MockTransport(handler) if handler else None
        with ApiClient(
            policy, base_url, pace, budget, headers=headers, transport=transport
        ) as client:
            yield client


def answering(*replies: httpx.Response | Exception) -> tuple[Handler, list[httpx.Request]]:
    """A handler that gives these replies in turn, and the list of what it was asked."""
    asked: list[httpx.Request] = []
    left = list(replies)

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        reply = left.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    return handler, asked


class Clock:
    """Time that passes only by sleeping; records every sleep."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.sleeps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now_s += seconds

    def now(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replaces the process's clock: waiting costs nothing and is recorded."""
    fake = Clock()
    monkeypatch.setattr(time, "sleep", fake.sleep)
    monkeypatch.setattr(time, "monotonic", fake.now)
    monkeypatch.setattr(time, "time", fake.now)
    return fake


def urls(collection: Collection) -> list[str]:
    """Permalinks of a collection, sorted; a post that came twice is there twice."""
    return sorted(post.url for post in collection.posts)


def nothing_is_lost(items: list[Any], reader: Reader) -> None:
    """Promise that every item of a page arrives, readable, in a builder."""
    builder = a_builder(date(2026, 3, 10))
    found = builder.add_page(items, reader)
    keys = {reader.identify(item)[0] for item in items}
    assert found.keys() == keys
    assert builder.fetched_count == len(keys)
    assert "unreadable" not in builder.dropped


def a_builder(day: date) -> CollectionBuilder:
    """An empty builder of a day."""
    return CollectionBuilder(Day(day), max_body_chars=100_000)
