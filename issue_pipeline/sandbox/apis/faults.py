"""Which replies go wrong, and how: profiles of faults, drawn by a seed.

The faults of one API depend on the profile, its seed and the order of that API's own requests, and
on nothing else: the same client sees the same faults again.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

# Before the reply, or instead of it.
SERVER_ERROR = "server_error"  # 500, 502, 503 or 504, in bursts, in JSON or HTML
HTML_PAGE = "html_page"  # with 200 or 502
TOO_MANY_REQUESTS = "too_many_requests"  # says how long to wait
TOO_MANY_REQUESTS_BARE = "too_many_requests_bare"  # not a word about how long
SECONDARY_LIMIT = "secondary_limit"  # GitHub's, with Retry-After
SECONDARY_LIMIT_BARE = "secondary_limit_bare"  # GitHub's, known only by its message
CONNECTION_RESET = "connection_reset"  # before the first byte
CUT_REPLY = "cut_reply"  # the connection closes in the middle of the body
STALL = "stall"  # not a byte for a while, then the connection closes
TRUNCATED_JSON = "truncated_json"  # a whole reply of half the JSON
# In the reply.
BACKOFF_ASKED = "backoff"  # Stack Exchange's, in a good reply
INCOMPLETE_RESULTS = "incomplete_results"  # GitHub's: part of the items, and it says so
DUPLICATE = "duplicate"  # an item comes twice on a page
EMPTY = "empty"  # a page without items, that says there are none
MISSING = "missing"  # an item is not on its page, though the total counts it

_EVERYWHERE = (
    SERVER_ERROR,
    HTML_PAGE,
    TOO_MANY_REQUESTS,
    TOO_MANY_REQUESTS_BARE,
    CONNECTION_RESET,
    CUT_REPLY,
    STALL,
    TRUNCATED_JSON,
    DUPLICATE,
    EMPTY,
)
KINDS_BY_API: Mapping[str, tuple[str, ...]] = {
    "github": (
        *_EVERYWHERE,
        SECONDARY_LIMIT,
        SECONDARY_LIMIT_BARE,
        INCOMPLETE_RESULTS,
        MISSING,
    ),
    "stackexchange": (*_EVERYWHERE, BACKOFF_ASKED),
    "reddit": _EVERYWHERE,
    "archive": _EVERYWHERE,
    "hackernews": (*_EVERYWHERE, MISSING),
}
KINDS = tuple(dict.fromkeys(kind for kinds in KINDS_BY_API.values() for kind in kinds))


@dataclass(frozen=True, slots=True)
class FaultProfile:
    """What goes wrong, and how often.

    Attributes:
        share: Of an API's replies that are faulty, 0 to 1. A fault of the content that finds
            nothing to spoil (an empty page, a login) is left out, so slightly fewer are.
        kinds: The faults that happen, each as often as any other; an API has those that fit it.
        burst_length: Server errors in a row, at least 1.
        stall_s: How long a stalled connection stays silent; not shortened by the time scale.
        wait_s: How long a client is asked to wait, in real time. The time scale shortens it, to
            whole seconds and at least 1, for that is how it is told; 0 stays 0.
        restless_share: Of posts that appear late or vanish, half of them each, 0 to 1.
        restless_requests: Within how many requests they do so.
        crowded_share: Of posts that were written in the first or last second of a quarter of their
            day, 0 to 1.
        seed: Of everything that is drawn.
    """

    share: float = 0.0
    kinds: tuple[str, ...] = KINDS
    burst_length: int = 3
    stall_s: float = 2.0
    wait_s: float = 30.0
    restless_share: float = 0.0
    restless_requests: int = 20
    crowded_share: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        shares = (self.share, self.restless_share, self.crowded_share)
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError(
                "share, restless_share and crowded_share must be within 0 and 1,"
                f" got {', '.join(map(str, shares))}"
            )
        if unknown := set(self.kinds) - set(KINDS):
            raise ValueError(
                f"no fault is called {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}"
            )
        if self.burst_length < 1 or self.restless_requests < 1:
            raise ValueError(
                "burst_length and restless_requests must be at least 1,"
                f" got {self.burst_length} and {self.restless_requests}"
            )
        if self.stall_s < 0 or self.wait_s < 0:
            raise ValueError(
                f"stall_s and wait_s must be at least 0, got {self.stall_s} and {self.wait_s}"
            )

    def told_wait_s(self, time_scale: float) -> int:
        """Give the wait as a header tells it, in whole seconds."""
        return math.ceil(self.wait_s / time_scale)


NO_FAULTS = FaultProfile()
PROFILES: Mapping[str, FaultProfile] = {
    "none": NO_FAULTS,
    "flaky": FaultProfile(
        share=0.05, restless_share=0.01, restless_requests=100, crowded_share=0.01
    ),
    "worst": FaultProfile(
        share=0.2, restless_share=0.05, restless_requests=100, crowded_share=0.05
    ),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        kind: One of ``KINDS``.
        detail: From 0 to below 1, evenly: decides between the shapes that the kind can take.
    """

    kind: str
    detail: float

    def pick(self, count: int) -> int:
        """Choose one of ``count`` shapes, from 0."""
        return int(self.detail * count)


class FaultPlan:
    """The faults of one API, request by request.

    Args:
        profile: What goes wrong.
        api: One of ``KINDS_BY_API``.
    """

    def __init__(self, profile: FaultProfile, api: str) -> None:
        self._random = random.Random(f"{profile.seed}/{api}")
        self._kinds = tuple(kind for kind in profile.kinds if kind in KINDS_BY_API[api])
        self._burst_length = profile.burst_length
        self._burst_left = 0
        # A burst makes several replies faulty: so that the share holds, faults begin less often.
        bursts = SERVER_ERROR in self._kinds
        length = 1 + (self._burst_length - 1) * bursts / max(1, len(self._kinds))
        self._rate = profile.share / (length * (1 - profile.share) + profile.share)

    def next(self) -> Fault | None:
        """Draw the fault of the next request; ``None`` if it is answered as it should be."""
        # Always as many draws, so that one request's fault does not depend on another's.
        start, choice, detail = (self._random.random() for _ in range(3))
        if self._burst_left:
            self._burst_left -= 1
            return Fault(SERVER_ERROR, detail)
        if not self._kinds or start >= self._rate:
            return None
        kind = self._kinds[int(choice * len(self._kinds))]
        if kind == SERVER_ERROR:
            self._burst_left = self._burst_length - 1
        return Fault(kind, detail)
