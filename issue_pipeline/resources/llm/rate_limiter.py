"""One rate limiter for all workers of a model: it learns the server's limits from its replies.

- Before the first reply, and after a refusal, one call goes ahead alone; then two, then all. What
  it meets shows whether the server counts what it refuses.
- A pause that the server asks for holds for every worker.
- Of what a reply says is left, the calls that were sent meanwhile are taken off, and nothing is
  added before the moment at which the server says that all of it is there again. That is right for
  windows and for buckets that fill continuously: neither is ever overdrawn, and in the long run
  both give their limit per window.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from issue_pipeline.records import Allowance
from issue_pipeline.resources.llm.limits import INPUT_TOKENS, OUTPUT_TOKENS, REQUESTS, TOKENS

# Longest wait for a limit. Where the server does not say, each further wait in a row is three times
# as long, up to a minute.
MAX_WAIT_S = 120.0
_WAIT_FACTOR = 3
_LONGEST_DEFAULT_WAIT_S = 60.0
# A first reply that takes longer is not waited for: the others need not stand idle.
FIRST_REPLY_S = 3.0


class Clock:
    """The time that limits are counted in, seconds; a test may let it run faster."""

    def now(self) -> float:
        """Return the seconds since some moment."""
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """Wait so long, or until notified; the condition's lock is held."""
        condition.wait(seconds)


class WaitTooLongError(Exception):
    """The server's limits would take longer to pass than a run may wait.

    Attributes:
        wait_s: How long.
    """

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"its limits want a wait of {wait_s:.0f} s")
        self.wait_s = wait_s


@dataclass(slots=True, eq=False)
class Permit:
    """The right to make one call, until it is given back.

    Attributes:
        sent_at: When it was given.
        costs: What the call takes of each kind of limit.
    """

    sent_at: float
    costs: dict[str, float]

    @property
    def max_tokens(self) -> int:
        """Most tokens of the answer that the permit is for."""
        return int(self.costs[OUTPUT_TOKENS])


@dataclass(slots=True)
class _Account:
    """What is known of one limit.

    Attributes:
        limit: Of a whole window; ``inf`` while unknown.
        remaining: As the server last said.
        said_at: When that was.
        full_at: When all of it is there again.
        window_s: Of the limit, if calls are counted here because replies do not say what is left.
        pending: Calls whose cost may not be in ``remaining``.
    """

    kind: str
    limit: float = float("inf")
    remaining: float = float("inf")
    said_at: float = float("-inf")
    full_at: float = float("-inf")
    window_s: float | None = None
    pending: dict[Permit, float] = field(default_factory=dict)

    def wait_s(self, cost: float, now: float) -> float:
        """Return the seconds until a call of this cost fits; ``inf``: when another is answered."""
        pending = sum(self.pending.values())
        # What costs more than a whole window is let through once that is there: the server decides.
        cost = min(cost, self.limit)
        if now < self.full_at and self.remaining - pending >= cost:
            return 0.0
        if self.limit - pending >= cost:
            return max(0.0, self.full_at - now)
        return float("inf")

    def learn(self, said: Allowance, permit: Permit, now: float) -> None:
        own = self.pending.pop(permit, 0.0)
        self.window_s = said.window_s
        if said.limit is not None:
            self.limit = max(said.limit, 1.0)
        if said.remaining is None:
            return
        is_newer = permit.sent_at >= self.said_at
        if is_newer or now >= self.full_at:
            self.remaining = said.remaining
        else:
            # Its reply may be older than the last one read.
            self.remaining = min(said.remaining, self.remaining - own)
        if said.limit is None and self.limit == float("inf"):
            self.limit = said.remaining + own
        full_at = now + said.reset_s
        self.said_at, self.full_at = now, full_at if is_newer else max(full_at, self.full_at)

    def spend(self, permit: Permit, now: float) -> None:
        """Count a call whose reply did not say what is left."""
        cost = self.pending.pop(permit, 0.0)
        if self.window_s is None:
            self.remaining -= cost
            return
        self.remaining = (self.limit if now >= self.full_at else self.remaining) - cost
        full_at = max(now, self.full_at) + cost / self.limit * self.window_s
        # However much was refused meanwhile: nothing is more than a window away from being full.
        self.full_at = min(full_at, now + self.window_s)


def _costs(prompt_tokens: float, max_tokens: float) -> dict[str, float]:
    return {
        REQUESTS: 1.0,
        TOKENS: prompt_tokens + max_tokens,
        INPUT_TOKENS: prompt_tokens,
        OUTPUT_TOKENS: max_tokens,
    }


class RateLimiter:
    """Lets the calls to one model through. Safe to use from several threads.

    Args:
        at_once: Most calls under way at the same time.
        clock: The time that limits are counted in.
    """

    def __init__(self, at_once: int, clock: Clock | None = None) -> None:
        self._at_once = at_once
        self._clock = clock or Clock()
        self._changed = threading.Condition()
        self._accounts: dict[str, _Account] = {}
        self._open = 1
        self._refusals = 0
        self._paused_until = float("-inf")
        self._pause_began = float("-inf")
        self._first_sent_at: float | None = None
        self._under_way: set[Permit] = set()
        self._is_stopped = False
        self._waited_s = 0.0
        # Who waits: most calls before first, then in the order of arrival.
        self._waiting: set[tuple[int, int]] = set()
        self._tickets = 0

    @property
    def waited_s(self) -> float:
        """Seconds in which the next call waited for the server's limits."""
        return self._waited_s

    @property
    def tokens_per_window(self) -> float | None:
        """The smallest known limit of prompt and answer together; ``None`` if none is known."""
        limits = [
            one.limit
            for one in self._accounts.values()
            if one.kind == TOKENS and one.limit < float("inf")
        ]
        return min(limits, default=None)

    def acquire(
        self, prompt_tokens: float, max_tokens: Callable[[], float], *, before: int = 0
    ) -> Permit:
        """Wait until a call may be made.

        Args:
            prompt_tokens: What the call sends, at most.
            max_tokens: Returns what it may get: less, once a limit of tokens is known.
            before: Calls made before for the same label: who was refused goes first.

        Returns:
            To be given back with :meth:`answered`, :meth:`refused` or :meth:`failed`. Once the
            limiter is stopped it comes at once.

        Raises:
            WaitTooLongError: That would take longer than ``MAX_WAIT_S``.
        """
        with self._changed:
            self._tickets += 1
            ticket = (-before, self._tickets)
            self._waiting.add(ticket)
            try:
                return self._wait_for_permit(ticket, prompt_tokens, max_tokens)
            finally:
                self._waiting.discard(ticket)
                self._changed.notify_all()

    def _wait_for_permit(
        self, ticket: tuple[int, int], prompt_tokens: float, max_tokens: Callable[[], float]
    ) -> Permit:
        costs = _costs(prompt_tokens, max_tokens())
        while not self._is_stopped:
            if ticket != min(self._waiting):
                self._clock.wait(self._changed, None)
                continue
            costs = _costs(prompt_tokens, max_tokens())
            now = self._clock.now()
            wait_s = self._paused_until - now
            for account in self._accounts.values():
                wait_s = max(wait_s, account.wait_s(costs[account.kind], now))
            if MAX_WAIT_S < wait_s < float("inf"):
                raise WaitTooLongError(wait_s)
            if wait_s <= 0:
                if len(self._under_way) < self._may_be_under_way(now):
                    break
                self._clock.wait(self._changed, self._until_first_reply_s(now))
            elif wait_s == float("inf"):
                self._clock.wait(self._changed, None)
            else:
                self._clock.wait(self._changed, wait_s)
                self._waited_s += self._clock.now() - now
        permit = Permit(self._clock.now(), costs)
        self._under_way.add(permit)
        if self._first_sent_at is None:
            self._first_sent_at = permit.sent_at
        for account in self._accounts.values():
            account.pending[permit] = costs[account.kind]
        return permit

    def answered(self, permit: Permit, allowances: Sequence[Allowance] = ()) -> None:
        """Release a permit after an answer, with what the reply says is left."""
        with self._changed:
            self._refusals = 0
            named = {said.name for said in allowances}
            for name, account in self._accounts.items():
                if name not in named:
                    account.spend(permit, self._clock.now())
            if permit.sent_at >= self._pause_began:
                self._open = min(self._at_once, 2 * self._open)
            self._give_back(permit, allowances)

    def refused(
        self,
        permit: Permit,
        wait_s: float | None,
        allowances: Sequence[Allowance] = (),
        *,
        default_wait_s: float = 5.0,
    ) -> None:
        """Release a permit after a refusal that passes: all workers pause, then one goes first.

        Args:
            permit: Of the call that was refused.
            wait_s: What the server asks for; ``None`` if it does not say.
            allowances: What it says is left.
            default_wait_s: The first wait in a row where it does not say.
        """
        with self._changed:
            now = self._clock.now()
            # Several calls that were under way together are refused for one reason.
            if permit.sent_at >= self._pause_began:
                self._refusals += 1
                self._pause_began = now
            if wait_s is None:
                steps = _WAIT_FACTOR ** max(0, self._refusals - 1)
                wait_s = min(default_wait_s * steps, _LONGEST_DEFAULT_WAIT_S)
            self._paused_until = max(self._paused_until, now + wait_s)
            self._open = 1
            self._give_back(permit, allowances)

    def failed(self, permit: Permit, allowances: Sequence[Allowance] = ()) -> None:
        """Release a permit after a call that failed for a reason of its own."""
        with self._changed:
            self._give_back(permit, allowances)

    def stop(self) -> None:
        """Let everybody through at once."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def _give_back(self, permit: Permit, allowances: Sequence[Allowance]) -> None:
        now = self._clock.now()
        for said in allowances:
            if said.name not in self._accounts:
                account = self._accounts[said.name] = _Account(said.kind)
                account.pending.update((one, one.costs[said.kind]) for one in self._under_way)
            self._accounts[said.name].learn(said, permit, now)
        self._under_way.discard(permit)
        for account in self._accounts.values():
            account.pending.pop(permit, None)
        self._changed.notify_all()

    def _may_be_under_way(self, now: float) -> int:
        if self._until_first_reply_s(now) == 0.0:
            return self._at_once
        return self._open

    def _until_first_reply_s(self, now: float) -> float | None:
        """Return the seconds until the first reply is not waited for; ``None``: it came."""
        was_refused = self._pause_began > float("-inf")
        if self._first_sent_at is None or self._open > 1 or was_refused or self._at_once == 1:
            return None
        return max(0.0, self._first_sent_at + FIRST_REPLY_S - now)
