"""Counts requests in windows of time, for the limit headers of the APIs and their refusals.

They run on the wall clock and not on the simulator's clock, which may stand still.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from issue_pipeline.sandbox.apis.conduct import TOO_EARLY, Conduct


@dataclass(frozen=True, slots=True)
class Usage:
    """What one client has used of one window.

    Attributes:
        limit: Requests allowed in the window.
        used: Requests made in it, the present one included; may exceed the limit.
        resets_at_s: When the window ends, seconds since the epoch, rounded up.
        resets_in_s: The same from now, at least 1.
    """

    limit: int
    used: int
    resets_at_s: int
    resets_in_s: int

    @property
    def remaining(self) -> int:
        """Number of requests left in the window, at least 0."""
        return max(0, self.limit - self.used)

    @property
    def is_exceeded(self) -> bool:
        """Whether the present request is beyond the limit, so that it must be refused."""
        return self.used > self.limit


class Allowance:
    """Counts requests per client in windows of fixed length, aligned to the epoch.

    A request beyond the limit is a violation, named after the allowance. Every further one in the
    same window is also too early, for the first refusal stated when the window ends.

    Args:
        name: What a violation is called, such as ``search``.
        window_s: Length of a window, above 0.
        conduct: Where violations are noted.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        name: str,
        window_s: float,
        conduct: Conduct,
        clock: Callable[[], float] = lambda: time.time(),
    ) -> None:
        if window_s <= 0:
            raise ValueError(f"window_s must be above 0, got {window_s}")
        self._name = name
        self._window_s = window_s
        self._conduct = conduct
        self._clock = clock
        self._used: dict[str, tuple[int, int]] = {}

    def take(self, client: str, limit: int) -> Usage:
        """Count one request of a client.

        Args:
            client: Whoever the API counts together: a token, a key, an address.
            limit: Requests this client may make in a window.

        Returns:
            The window after this request.
        """
        now_s = self._clock()
        window = int(now_s // self._window_s)
        counted_window, used = self._used.get(client, (window, 0))
        used = used + 1 if counted_window == window else 1
        self._used[client] = (window, used)
        if used > limit:
            self._conduct.note(self._name)
        if used > limit + 1:
            self._conduct.note(TOO_EARLY)
        end_s = (window + 1) * self._window_s
        return Usage(
            limit=limit,
            used=used,
            resets_at_s=int(-(-end_s // 1)),
            resets_in_s=max(1, int(-(-(end_s - now_s) // 1))),
        )
