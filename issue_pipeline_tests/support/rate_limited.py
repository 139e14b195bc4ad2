"""Servers with rate limits, in a time that runs faster than ours, and the clock of that time."""

import threading
import time
from typing import Any

from issue_pipeline.resources.llm.rate_limiter import Clock
from issue_pipeline_tests.support.scripted_model import Reply


class FastClock(Clock):
    """So many seconds pass in one of ours."""

    def __init__(self, speed: float = 100.0) -> None:
        self.speed = speed

    def now(self) -> float:
        return time.monotonic() * self.speed

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        condition.wait(None if seconds is None else seconds / self.speed)


class TokenBucket:
    """So many tokens a window, filled continuously, as at Groq and OpenAI.

    Attributes:
        refused: Calls beyond the limit.
        spent: Tokens of the others.
    """

    def __init__(self, limit: float, clock: Clock, window_s: float = 60.0) -> None:
        self.limit, self.window_s, self._clock = limit, window_s, clock
        self._left, self._at = limit, clock.now()
        self._lock = threading.Lock()
        self.refused = 0
        self.spent = 0.0

    @property
    def left(self) -> int:
        """Tokens left."""
        with self._lock:
            self._fill()
            return int(self._left)

    def take(self, cost: float) -> float | None:
        """Spend tokens; return the seconds until there are enough, ``None`` if there were."""
        with self._lock:
            self._fill()
            if self._left < cost:
                self.refused += 1
                return (cost - self._left) * self.window_s / self.limit
            self._left -= cost
            self.spent += cost
            return None

    def _fill(self) -> None:
        now = self._clock.now()
        flown = (now - self._at) * self.limit / self.window_s
        self._left, self._at = min(self.limit, self._left + flown), now

    def headers(self, kind: str) -> dict[str, str]:
        """Return what is left, as Groq and OpenAI do."""
        with self._lock:
            reset_s = (self.limit - self._left) * self.window_s / self.limit
            return {
                f"x-ratelimit-limit-{kind}": str(int(self.limit)),
                f"x-ratelimit-remaining-{kind}": str(max(0, int(self._left))),
                f"x-ratelimit-reset-{kind}": f"{reset_s:.3f}s",
            }


class FixedWindow:
    """So many calls a window, counted anew in each, as at Gemini."""

    def __init__(self, limit: int, clock: Clock, window_s: float = 60.0) -> None:
        self.limit, self.window_s, self._clock = limit, window_s, clock
        self._began, self._calls = clock.now(), 0
        self._lock = threading.Lock()
        self.refused = 0

    def take(self) -> float | None:
        """Spend one call; return the seconds until the next window, ``None`` if there was one."""
        with self._lock:
            now = self._clock.now()
            if now >= self._began + self.window_s:
                self._began, self._calls = now, 0
            if self._calls >= self.limit:
                self.refused += 1
                return self._began + self.window_s - now
            self._calls += 1
            return None


def tokens_asked(request: dict[str, Any]) -> int:
    """Count the tokens of a request as Groq does: those of the prompt, and ``max_tokens``."""
    words = sum(len(one["content"]) for one in request["messages"])
    return words // 4 + int(request.get("max_tokens") or request.get("max_completion_tokens") or 0)


def with_headers(reply: Reply, headers: dict[str, str]) -> Reply:
    """Return the reply with further headers."""
    from dataclasses import replace

    return replace(reply, headers={**reply.headers, **headers})
