"""A world of explicit posts, and the simulator over it."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import httpx
from starlette.applications import Starlette

from issue_pipeline.sandbox.apis.app import create_app
from issue_pipeline.sandbox.world.posts import SimulatedPost

DAY = datetime(2026, 3, 10, tzinfo=UTC)
NOW = datetime(2026, 3, 12, 6, tzinfo=UTC)
AGENT = {"User-Agent": "issue-pipeline-tests/1"}
CLIENT_ID = "an-id"
CLIENT_SECRET = "a-secret"
# Windows so short that no test meets a limit, or so long that none ends during a test.
NO_LIMITS = 1e6
ENDLESS_WINDOWS = 1e-6

_numbers = count(1)
_CHANNELS = {
    "github": "acme/rocket",
    "stackoverflow": "python",
    "reddit": "shopkeepers",
    "hackernews": "story",
}


class HandWrittenWorld:
    """Serves the posts it was given, and records which days were asked for."""

    def __init__(self, posts: Iterable[SimulatedPost]) -> None:
        self._posts = sorted(posts, key=lambda post: (post.created_at, post.number))
        self.days_asked: list[tuple[str, date]] = []

    def posts(self, source: str, day: date) -> Sequence[SimulatedPost]:
        self.days_asked.append((source, day))
        return [
            post for post in self._posts if post.source == source and post.created_at.date() == day
        ]

    def channels(self, source: str) -> tuple[str, ...]:
        used = {post.channel for post in self._posts if post.source == source}
        return tuple(sorted(used | {_CHANNELS[source]}))


class InProcess(httpx.BaseTransport):
    """Lets a plain client ask an application without a socket; a crash is a 500."""

    def __init__(self, app: Starlette) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._ask(request))

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        reply = await self._transport.handle_async_request(request)
        assert isinstance(reply.stream, httpx.AsyncByteStream)
        raw = b"".join([chunk async for chunk in reply.stream])
        return httpx.Response(
            reply.status_code, headers=reply.headers, stream=httpx.ByteStream(raw)
        )


def a_post(source: str, at_s: float = 0, **given: Any) -> SimulatedPost:
    """One post, so many seconds into the day."""
    values: dict[str, Any] = {
        "number": next(_numbers),
        "source": source,
        "channel": _CHANNELS[source],
        "author": "quietotter",
        "title": "The nightly export stops halfway",
        "body": "It has done so since Monday.",
        "created_at": DAY + timedelta(seconds=at_s),
        "comment_count": 3,
        "vote_count": 5,
    }
    return SimulatedPost(**{**values, **given})


def a_client(*posts: SimulatedPost, **settings: Any) -> httpx.Client:
    """The simulator over these posts, two days later."""
    return client_of(HandWrittenWorld(posts), **settings)


def client_of(world: HandWrittenWorld, **settings: Any) -> httpx.Client:
    values: dict[str, Any] = {
        "now": lambda: NOW,
        "reddit_client_id": CLIENT_ID,
        "reddit_client_secret": CLIENT_SECRET,
        "time_scale": NO_LIMITS,
    }
    return httpx.Client(
        transport=InProcess(create_app(world, **{**values, **settings})),
        base_url="http://simulator",
        headers=AGENT,
    )


def reddit_headers(client: httpx.Client) -> dict[str, str]:
    """Headers with a fresh token."""
    reply = client.post(
        "/reddit/api/v1/access_token",
        data={"grant_type": "client_credentials"},
        auth=(CLIENT_ID, CLIENT_SECRET),
    )
    assert reply.status_code == 200
    return {"Authorization": f"bearer {reply.json()['access_token']}"}
