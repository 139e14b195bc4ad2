"""Which replies go wrong, and how: profiles of faults, drawn by a seed.

The faults of one API depend on the profile, its seed and the order of that API's own requests, and
on nothing else: the same client sees the same faults again.

Three sorts: faults of one reply, drawn for each request (``KINDS``); faults of single posts, drawn
for each post (the shares of a profile); and spells during which an API's index lacks something
(``IndexSpell``). ``/stats`` counts all of them by name under ``faults``.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

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
BLOCK_PAGE = "block_page"  # 403 of what stands before Reddit's API: a page about the network
SLOW_QUERY = "slow_query"  # the archive's own time-out, as 400 or 422; it passes by itself
ODD_RESET = "odd_reset"  # the archive's limit, with the end of its window in another unit
# In the reply.
BACKOFF_ASKED = "backoff"  # Stack Exchange's, in a good reply
INCOMPLETE_RESULTS = "incomplete_results"  # GitHub's: part of the items, and it says so
DUPLICATE = "duplicate"  # an item comes twice on a page
EMPTY = "empty"  # a page without items, that says there are none
MISSING = "missing"  # an item is not on its page, though the total counts it
# Of what is asked for, whenever it is.
HEAVY_QUERY = "heavy_query"  # the archive's 422, unless no more than 50 posts are asked for
HIDDEN = "hidden"  # an issue that GitHub's search counts and nobody is shown
GROWING = "growing"  # an issue of GitHub whose comments are still to come
MOVED = "moved"  # a repository of GitHub under its former name: 301
PRIVATE = "private"  # a subreddit that is closed: 403 in JSON
CROSSPOST = "crosspost"  # a post of Reddit whose text is its parent's
POLL = "poll"  # a post of Reddit that ends in the options of a poll
GALLERY = "gallery"  # a post of Reddit that ends in the captions of pictures
# Of an API's index, for a while.
STOPPED_INDEX = "stopped_index"  # has nothing later than some moment
SHRUNKEN_INDEX = "shrunken_index"  # has lost a share of its posts

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
    "reddit": (*_EVERYWHERE, BLOCK_PAGE),
    "archive": (*_EVERYWHERE, SLOW_QUERY, ODD_RESET),
    "hackernews": (*_EVERYWHERE, MISSING),
}
KINDS = tuple(dict.fromkeys(kind for kinds in KINDS_BY_API.values() for kind in kinds))
INDEXED_APIS = ("github", "stackexchange", "archive", "hackernews")
INDEX_KINDS = (STOPPED_INDEX, SHRUNKEN_INDEX)


@dataclass(frozen=True, slots=True)
class IndexSpell:
    """A while during which an API's index lacks posts that are there.

    Of GitHub it is the search's index; the lists of its repositories are not read from one.

    Attributes:
        api: One of ``INDEXED_APIS``.
        kind: ``stopped_index`` or ``shrunken_index``.
        behind: How long before the simulator's present a stopped index ends, above 0.
        lost_share: Of posts that a shrunken index has lost, above 0, at most 1.
        first_request: Of the API, counted from 1, with which it begins.
        last_request: With which it ends; ``None`` if it does not.
    """

    api: str
    kind: str
    behind: timedelta = timedelta(hours=12)
    lost_share: float = 0.9
    first_request: int = 1
    last_request: int | None = None

    def __post_init__(self) -> None:
        if self.api not in INDEXED_APIS or self.kind not in INDEX_KINDS:
            raise ValueError(
                f"no index of {self.api!r} can be {self.kind!r}; expected one of"
                f" {', '.join(INDEXED_APIS)} and one of {', '.join(INDEX_KINDS)}"
            )
        if self.behind <= timedelta() or not 0 < self.lost_share <= 1:
            raise ValueError(
                "behind must be above 0 and lost_share above 0 and at most 1,"
                f" got {self.behind} and {self.lost_share}"
            )

    def lasts_at(self, request: int) -> bool:
        """Return whether it lasts at the API's request of this number, from 1."""
        ended = self.last_request is not None and request > self.last_request
        return request >= self.first_request and not ended


@dataclass(frozen=True, slots=True)
class FaultProfile:
    """What goes wrong, and how often. All shares are 0 to 1.

    Attributes:
        share: Of an API's replies that are faulty. A fault of the content that finds nothing to
            spoil (an empty page, a login) is left out, so slightly fewer are.
        kinds: The faults that happen, each as often as any other; an API has those that fit it.
        empty_share: Of an API's other replies that say there is nothing (``empty``), beside those
            among the kinds.
        burst_length: Server errors in a row, at least 1.
        stall_s: How long a stalled connection stays silent; not shortened by the time scale.
        wait_s: How long a client is asked to wait, in real time. The time scale shortens it, to
            whole seconds and at least 1, for headers state it so; 0 stays 0.
        restless_share: Of posts that appear late or vanish, half of them each.
        restless_requests: Within how many requests they do so.
        crowded_share: Of posts that were written in the first or last second of a quarter of their
            day.
        hidden_share: Of GitHub's issues that its search counts and nobody is shown (``hidden``).
        growing_share: Of GitHub's issues with three comments or more that have only two at first
            (``growing``).
        growing_requests: Within how many requests they get the others.
        heavy_share: Of places in a subreddit's past from which the archive can give no more than 50
            posts at once (``heavy_query``).
        reshaped_share: Of Reddit's text posts that come as a crosspost, a poll or a gallery.
        index_spells: When an API's index lacks posts, and which.
        seed: Of everything that is drawn.
    """

    share: float = 0.0
    kinds: tuple[str, ...] = KINDS
    empty_share: float = 0.0
    burst_length: int = 3
    stall_s: float = 2.0
    wait_s: float = 30.0
    restless_share: float = 0.0
    restless_requests: int = 20
    crowded_share: float = 0.0
    hidden_share: float = 0.0
    growing_share: float = 0.0
    growing_requests: int = 2_000
    heavy_share: float = 0.0
    reshaped_share: float = 0.0
    index_spells: tuple[IndexSpell, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        shares = {name: getattr(self, name) for name in _SHARES}
        if wrong := [f"{name} {share}" for name, share in shares.items() if not 0 <= share <= 1]:
            raise ValueError(f"every share must be within 0 and 1, got {', '.join(wrong)}")
        if unknown := set(self.kinds) - set(KINDS):
            raise ValueError(
                f"no fault is called {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}"
            )
        if min(self.burst_length, self.restless_requests, self.growing_requests) < 1:
            raise ValueError(
                "burst_length, restless_requests and growing_requests must be at least 1, got"
                f" {self.burst_length}, {self.restless_requests} and {self.growing_requests}"
            )
        if self.stall_s < 0 or self.wait_s < 0:
            raise ValueError(
                f"stall_s and wait_s must be at least 0, got {self.stall_s} and {self.wait_s}"
            )

    def told_wait_s(self, time_scale: float) -> int:
        """Return the wait as a header states it, in whole seconds."""
        return math.ceil(self.wait_s / time_scale)


_SHARES = tuple(name for name in FaultProfile.__dataclass_fields__ if name.endswith("share"))

# Indexes that have got as far as the afternoon before, and catch up while they are asked.
_CATCHING_UP = tuple(
    IndexSpell(api, STOPPED_INDEX, behind=timedelta(hours=14), last_request=20)
    for api in ("stackexchange", "archive", "hackernews")
)

NO_FAULTS = FaultProfile()
PROFILES: Mapping[str, FaultProfile] = {
    "none": NO_FAULTS,
    "flaky": FaultProfile(
        share=0.05,
        empty_share=0.02,
        restless_share=0.01,
        restless_requests=100,
        crowded_share=0.01,
        hidden_share=0.001,
        growing_share=0.01,
        heavy_share=0.01,
        reshaped_share=0.05,
    ),
    "worst": FaultProfile(
        share=0.2,
        empty_share=0.2,
        restless_share=0.05,
        restless_requests=100,
        crowded_share=0.05,
        hidden_share=0.02,
        growing_share=0.05,
        heavy_share=0.1,
        reshaped_share=0.2,
        index_spells=_CATCHING_UP,
    ),
    # Not part of the worst: a day that is first collected from such an index looks whole.
    "shrinking": FaultProfile(
        index_spells=tuple(
            IndexSpell(api, SHRUNKEN_INDEX, lost_share=0.9, first_request=60)
            for api in INDEXED_APIS
        )
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
        """Return which of ``count`` shapes it takes, from 0."""
        return int(self.detail * count)


class FaultPlan:
    """The faults of one API, request by request.

    Args:
        profile: What goes wrong.
        api: One of ``KINDS_BY_API``.
    """

    def __init__(self, profile: FaultProfile, api: str) -> None:
        self._random = random.Random(f"{profile.seed}/{api}")
        self._empties = random.Random(f"{profile.seed}/{api}/{EMPTY}")
        self._empty_share = profile.empty_share if EMPTY in KINDS_BY_API[api] else 0.0
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
        is_empty = self._empties.random() < self._empty_share
        drawn = self._next_of_kinds()
        return Fault(EMPTY, 0.0) if drawn is None and is_empty else drawn

    def _next_of_kinds(self) -> Fault | None:
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
