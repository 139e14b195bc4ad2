"""Reddit's OAuth API: the application-only token, a subreddit and its newest posts.

One choice the recordings leave open: for a subreddit that never was, the real API redirects (302)
to its subreddit search. Here it is the recorded 404, which is also what banned ones give.
"""

import base64
import binascii
import re
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from issue_pipeline.sandbox.apis.addresses import base36, stable_number
from issue_pipeline.sandbox.apis.conduct import Conduct
from issue_pipeline.sandbox.apis.content_faults import unless_empty, with_duplicate
from issue_pipeline.sandbox.apis.faults import NO_FAULTS, PRIVATE, FaultProfile
from issue_pipeline.sandbox.apis.limits import Allowance
from issue_pipeline.sandbox.apis.post_faults import TEXT, form_of
from issue_pipeline.sandbox.apis.reddit_items import SUBSCRIBERS, child, fullname
from issue_pipeline.sandbox.apis.replies import (
    ApiError,
    JsonReply,
    answer_api_error,
    limit_headers,
    set_limit_headers,
)
from issue_pipeline.sandbox.apis.timeline import Timeline
from issue_pipeline.sandbox.world.posts import SimulatedPost

SOURCE = "reddit"
EVERYTHING = "all"  # lists every public subreddit
MAX_LISTED = 1000  # the newest posts of a subreddit; older ones cannot be reached
MAX_LIMIT = 100
DEFAULT_LIMIT = 25
OLD = datetime(2010, 1, 1, tzinfo=UTC)  # when a subreddit began that the history does not show
REQUESTS_PER_WINDOW = 1000
_WINDOW_S = 600
_CURSOR = re.compile(r"t3_[0-9a-z]{1,13}")
_LIBRARY_AGENTS = re.compile(
    r"(python-httpx|python-requests|python-urllib3?|python/|aiohttp|curl|wget|okhttp|java/"
    r"|go-http-client|node-fetch|axios|libwww-perl)",
    re.IGNORECASE,
)


class RedditApi:
    """Endpoints over one timeline.

    Args:
        timeline: What there is.
        client_id: The only application that gets tokens.
        client_secret: Its secret.
        token_lifetime_s: How long a token is good.
        private_subreddits: Names that answer 403.
        time_scale: How many times shorter than the real ones the limit windows are.
        conduct: Where clients' violations are noted.
        profile: Says which posts come as crossposts, polls and galleries.
        faults: Counts those, and replies about private subreddits.
        clock: Seconds that only grow; what token lifetimes are measured with.
    """

    def __init__(
        self,
        timeline: Timeline,
        *,
        client_id: str,
        client_secret: str,
        token_lifetime_s: int,
        private_subreddits: Collection[str],
        time_scale: float,
        conduct: Conduct,
        profile: FaultProfile = NO_FAULTS,
        faults: Counter[str] | None = None,
        clock: Callable[[], float] = lambda: time.monotonic(),
    ) -> None:
        if not client_id or not client_secret:
            raise ValueError("the Reddit simulator needs a client id and a client secret")
        self._timeline = timeline
        self._credentials = f"{client_id}:{client_secret}".encode()
        self._token_lifetime_s = token_lifetime_s
        self._private = {name.lower() for name in private_subreddits}
        self._profile = profile
        self._faults = Counter() if faults is None else faults
        self._clock = clock
        self._expiries: dict[str, float] = {}
        self.requests = Allowance("requests", _WINDOW_S / time_scale, conduct)

    def app(self) -> Starlette:
        """Build the application to mount."""
        return Starlette(
            routes=[
                Route("/api/v1/access_token", self.grant_token, methods=["POST"]),
                Route("/r/{subreddit}/new", self.list_new),
                Route("/r/{subreddit}/about", self.about),
                Route("/{path:path}", self.unknown),
            ],
            exception_handlers={ApiError: answer_api_error},
        )

    async def grant_token(self, request: Request) -> Response:
        """``POST /api/v1/access_token``, ``grant_type=client_credentials`` only."""
        _check_user_agent(request)
        if not secrets.compare_digest(_basic_credentials(request), self._credentials):
            raise _error(401, "Unauthorized")
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        if form.get("grant_type") != ["client_credentials"]:
            raise ApiError(400, {"error": "unsupported_grant_type"})
        now_s = self._clock()
        self._expiries = {token: end for token, end in self._expiries.items() if end > now_s}
        token = secrets.token_urlsafe(24)
        self._expiries[token] = now_s + self._token_lifetime_s
        return JsonReply(
            {
                "access_token": token,
                "token_type": "bearer",
                "expires_in": self._token_lifetime_s,
                "scope": "*",
            }
        )

    async def list_new(self, request: Request) -> Response:
        """``GET /r/{subreddit}/new``: newest first, 1,000 at most over all pages."""
        self._admit(request)
        is_everything = request.path_params["subreddit"].lower() == EVERYTHING
        subreddit = None if is_everything else self._find(request)
        parameters = request.query_params
        limit = _read_limit(parameters.get("limit", ""))
        after = parameters.get("after") or None
        before = parameters.get("before") or None
        if any(cursor and not _CURSOR.fullmatch(cursor) for cursor in (after, before)):
            raise _error(400, "Bad Request")
        newest = self._timeline.newest_first(SOURCE, subreddit)
        public = (post for post in newest if post.channel.lower() not in self._private)
        listing = islice(public, MAX_LISTED)
        if before is not None:
            shown, more = _page_before(listing, before, limit), False
        else:
            shown, more = _page_after(listing, after, limit)
        shown = unless_empty(request, shown)
        raw = parameters.get("raw_json") == "1"
        listed = with_duplicate(request, shown)
        forms = [form_of(self._profile, post) for post in listed]
        self._faults.update(form for form in forms if form != TEXT)
        data = {
            "after": fullname(shown[-1]) if more and shown else None,
            "dist": len(listed),
            "modhash": "",
            "geo_filter": None,
            "children": [
                child(post, raw=raw, form=form) for post, form in zip(listed, forms, strict=True)
            ],
            "before": None,
        }
        return JsonReply({"kind": "Listing", "data": data}, headers=limit_headers(request))

    async def about(self, request: Request) -> Response:
        """``GET /r/{subreddit}/about``: founded by its first post, or just now without any.

        Where there are posts since the very beginning of the history, it is older than that.
        """
        self._admit(request)
        subreddit = self._find(request)
        first = deque(self._timeline.newest_first(SOURCE, subreddit), maxlen=1)
        founded = first[0].created_at if first else self._timeline.now()
        if founded < self._timeline.beginning() + timedelta(days=1):
            founded = OLD
        data = {
            "display_name": subreddit,
            "display_name_prefixed": f"r/{subreddit}",
            "url": f"/r/{subreddit}/",
            "title": subreddit,
            "public_description": "",
            "subreddit_type": "public",
            "subscribers": SUBSCRIBERS,
            "name": f"t5_{base36(stable_number(subreddit))}",
            "id": base36(stable_number(subreddit)),
            "created": float(int(founded.timestamp())),
            "created_utc": float(int(founded.timestamp())),
            "over18": False,
            "lang": "en",
        }
        return JsonReply({"kind": "t5", "data": data}, headers=limit_headers(request))

    async def unknown(self, request: Request) -> Response:
        """Any other address."""
        self._admit(request)
        raise _error(404, "Not Found")

    def _find(self, request: Request) -> str:
        """Find the subreddit that the path names, as the world spells it."""
        name = request.path_params["subreddit"]
        if name.lower() in self._private:
            self._faults[PRIVATE] += 1
            raise ApiError(403, {"reason": "private", "message": "Forbidden", "error": 403})
        subreddit = self._timeline.channel(SOURCE, name)
        if subreddit is None:
            raise _error(404, "Not Found")
        return subreddit

    def _admit(self, request: Request) -> None:
        """Check the user agent and the token, and count the request against its limit."""
        _check_user_agent(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        good = scheme.lower() == "bearer" and self._expiries.get(token.strip(), 0) > self._clock()
        if not good:
            challenge = 'Bearer realm="reddit", error="invalid_token"'
            raise _error(401, "Unauthorized", {"www-authenticate": challenge})
        # The limit is the application's, whichever of its tokens is used.
        usage = self.requests.take("application", REQUESTS_PER_WINDOW)
        set_limit_headers(
            request,
            {
                "x-ratelimit-remaining": f"{float(usage.remaining)}",
                "x-ratelimit-used": str(usage.used),
                "x-ratelimit-reset": str(usage.resets_in_s),
            },
        )
        if usage.is_exceeded:
            raise _error(429, "Too Many Requests")


def _page_after(
    listing: Iterator[SimulatedPost], after: str | None, limit: int
) -> tuple[list[SimulatedPost], bool]:
    """Take the page that follows a cursor; empty if the cursor is not in the listing.

    Returns:
        The page, and whether the listing goes on behind it.
    """
    if after is not None:
        for post in listing:
            if fullname(post) == after:
                break
    shown = list(islice(listing, limit))
    return shown, next(listing, None) is not None


def _page_before(listing: Iterator[SimulatedPost], before: str, limit: int) -> list[SimulatedPost]:
    """Take the page just newer than a cursor; the newest page if the cursor is not there."""
    newer: list[SimulatedPost] = []
    for post in listing:
        if fullname(post) == before:
            return newer[-limit:]
        newer.append(post)
    return newer[:limit]


def _check_user_agent(request: Request) -> None:
    agent = request.headers.get("user-agent", "").strip()
    if not agent or _LIBRARY_AGENTS.match(agent):
        raise _error(429, "Too Many Requests")


def _basic_credentials(request: Request) -> bytes:
    """Decode the basic credentials; empty if there are none that can be read."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        return b""


def _read_limit(text: str) -> int:
    """Read ``limit`` as Reddit does: held to 1..100, the default if it is no number."""
    if not re.fullmatch(r"\d{1,9}", text):
        return DEFAULT_LIMIT
    return min(max(int(text), 1), MAX_LIMIT)


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> ApiError:
    return ApiError(status, {"message": message, "error": status}, headers)
