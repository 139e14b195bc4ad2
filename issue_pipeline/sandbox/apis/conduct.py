"""Counts what the clients of an API do against its rules, by kind of rule.

There are the limits on requests (``limits``), which count here under names of their own, and two
more rules: no request before the end of a wait that the API asked for, and no two requests to
GitHub at the same time.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOO_EARLY = "too_early"  # before the end of a wait that the API asked for
BACKOFF = "backoff"  # before the end of a Stack Exchange backoff, which comes in a good reply
CONCURRENT = "concurrent"  # while another request of the same client was under way
_POLICY = (TOO_EARLY, BACKOFF, CONCURRENT)

# Turns of the event loop in which a request that waits in a socket is surely seen: one to accept
# its connection, one to read it, one to start it, and some.
_SETTLING_ROUNDS = 6


class Conduct:
    """The violations by the clients of one API.

    Args:
        clock: Seconds that only grow.

    Attributes:
        violations: Requests by the kind of rule that they broke.
    """

    def __init__(self, clock: Callable[[], float] = lambda: time.monotonic()) -> None:
        self.violations: Counter[str] = Counter()
        self._clock = clock
        self._waits_until_s: dict[str, float] = {}

    @property
    def over_limit(self) -> int:
        """Number of requests beyond any of the limits."""
        return sum(count for kind, count in self.violations.items() if kind not in _POLICY)

    def note(self, kind: str) -> None:
        """Count one violation."""
        self.violations[kind] += 1

    def ask_to_wait(self, seconds: float, kind: str = TOO_EARLY) -> None:
        """Note that the API asked for a wait, in seconds from now; the longest one counts."""
        until_s = self._clock() + seconds
        self._waits_until_s[kind] = max(until_s, self._waits_until_s.get(kind, until_s))

    def note_arrival(self) -> None:
        """Count a request that comes before the end of a wait."""
        now_s = self._clock()
        for kind, until_s in self._waits_until_s.items():
            if now_s < until_s:
                self.note(kind)


class WatchedApp:
    """An API whose clients are watched.

    Args:
        app: The API.
        conduct: Where violations are noted.
        one_at_a_time: Whether a client shall not ask again before it has been answered.
    """

    def __init__(self, app: ASGIApp, conduct: Conduct, *, one_at_a_time: bool = False) -> None:
        self._app = app
        self._conduct = conduct
        self._one_at_a_time = one_at_a_time
        self._under_way: Counter[bytes] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        self._conduct.note_arrival()
        if self._one_at_a_time:
            await self._serve_alone(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve_alone(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = dict(scope["headers"]).get(b"authorization", b"")
        if self._under_way[client]:
            self._conduct.note(CONCURRENT)
        self._under_way[client] += 1

        async def send_when_settled(message: Message) -> None:
            # Others may have arrived while the reply was computed. They must be seen before it
            # leaves: what comes after may be the same client's next request, and that is fair.
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                for _ in range(_SETTLING_ROUNDS):
                    await asyncio.sleep(0)
            await send(message)

        try:
            await self._app(scope, receive, send_when_settled)
        finally:
            self._under_way[client] -= 1
