"""The simulated APIs on a real port, and collectors pointed at them."""

import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn

from issue_pipeline.resources.collectors import CollectorsResource
from issue_pipeline.resources.collectors.registry import SOURCES
from issue_pipeline.sandbox.apis.app import create_app
from issue_pipeline.sandbox.world.posts import SimulatedPost, World
from issue_pipeline_tests.support.hand_written import (
    CLIENT_ID,
    CLIENT_SECRET,
    NO_LIMITS,
    NOW,
    HandWrittenWorld,
)

STOP_LIMIT_S = 10
# Quick enough that no test waits for our own pace.
UNPACED = 1e6
HISTORY_DAYS = 30
PREFIXES = {source.prefix.lower(): name for name, source in SOURCES.items()}


@dataclass(frozen=True)
class Simulator:
    """A running simulator."""

    base_url: str

    def collectors(self, **settings: Any) -> CollectorsResource:
        """Collectors that ask this simulator, as fast as they can."""
        values: dict[str, Any] = {
            "github_api_url": f"{self.base_url}/github",
            "github_query": "is:issue",
            "github_requests_per_minute": UNPACED,
            "stackexchange_api_url": f"{self.base_url}/stackexchange",
            "stackexchange_requests_per_minute": UNPACED,
            "reddit_api_url": f"{self.base_url}/reddit",
            "reddit_auth_url": f"{self.base_url}/reddit",
            "reddit_client_id": CLIENT_ID,
            "reddit_client_secret": CLIENT_SECRET,
            "reddit_subreddits": ["shopkeepers"],
            "reddit_requests_per_minute": UNPACED,
            "hn_api_url": f"{self.base_url}/hackernews",
            "hn_requests_per_minute": UNPACED,
        }
        return collectors_of({**values, **settings})

    def requests(self, api: str) -> int:
        """Requests that one API has answered so far."""
        return int(self.stats()["requests"][api])

    def stats(self) -> dict[str, Any]:
        """What the simulator has counted so far, by API: requests, violations and so on."""
        counted: dict[str, Any] = httpx.get(f"{self.base_url}/stats", timeout=60).json()
        return counted


def collectors_of(settings: Mapping[str, Any]) -> CollectorsResource:
    """The resource of flat settings: ``github_token`` is the field ``token`` of ``github``."""
    nested: dict[str, Any] = {}
    for name, value in settings.items():
        prefix, _, field = name.partition("_")
        if prefix in PREFIXES:
            nested.setdefault(PREFIXES[prefix], {})[field] = value
        else:
            nested[name] = value
    return CollectorsResource(**nested)


@contextmanager
def simulator(posts: Iterable[SimulatedPost], **settings: Any) -> Iterator[Simulator]:
    """Serve a world of these posts, as it stands two days later, until the end of the block.

    Limits do not bite unless a ``time_scale`` is given.
    """
    with simulator_of(HandWrittenWorld(posts), **settings) as running:
        yield running


@contextmanager
def simulator_of(world: World, **settings: Any) -> Iterator[Simulator]:
    """Serve a world, as it stands at the hand-written one's present, until the block ends."""
    values: dict[str, Any] = {
        "now": lambda: NOW,
        "reddit_client_id": CLIENT_ID,
        "reddit_client_secret": CLIENT_SECRET,
        "history_days": HISTORY_DAYS,
        "time_scale": NO_LIMITS,
    }
    app = create_app(world, **{**values, **settings})
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        # The port listens already: the first request waits in its queue until it is served.
        yield Simulator(f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join(STOP_LIMIT_S)
        listener.close()
        assert not thread.is_alive()
