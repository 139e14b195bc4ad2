"""Counts the replies of each API, from outside, so that whatever happens inside is counted too."""

from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FIRST_ERROR_STATUS = 400
NO_REPLY = 0  # the connection broke before the first byte
_CRASHED = 500


class ReplyCounts:
    """Replies by API.

    Attributes:
        requests: Requests by API.
        errors: Replies with a status of 400 or more, and requests without any, by API.
        statuses: Replies by API and status, 0 standing for none.
    """

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.statuses: dict[str, Counter[int]] = {}

    def count(self, api: str, status: int) -> None:
        """Count one reply."""
        self.requests[api] += 1
        self.errors[api] += status >= FIRST_ERROR_STATUS or status == NO_REPLY
        self.statuses.setdefault(api, Counter())[status] += 1


class CountedApp:
    """An ASGI application whose replies are counted."""

    def __init__(self, app: ASGIApp, api: str, counts: ReplyCounts) -> None:
        self._app = app
        self._api = api
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and count how it ended; a crash counts as a 500."""
        status = NO_REPLY

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception:
            status = status or _CRASHED
            raise
        finally:
            self._counts.count(self._api, status)
