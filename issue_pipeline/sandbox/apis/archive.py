"""The archive of Reddit posts (Arctic Shift): one subreddit's posts by time, however old.

Choices, where the real one's documentation is silent: ``after`` and ``before`` are both exclusive,
a client has 120 requests a minute, and posts of one second come by id. As there, a post is kept as
it was seen soon after it was written: its score and comments count only from 36 hours on. And from
some places in the past it cannot give as many posts as may be asked for: a 422 that repeats itself
until fewer are wanted (ArthurHeitmann/arctic_shift#66).
"""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from issue_pipeline.sandbox.apis.chance import chance
from issue_pipeline.sandbox.apis.conduct import Conduct
from issue_pipeline.sandbox.apis.content_faults import unless_empty, with_duplicate
from issue_pipeline.sandbox.apis.faults import HEAVY_QUERY, NO_FAULTS, FaultProfile
from issue_pipeline.sandbox.apis.indexes import Index
from issue_pipeline.sandbox.apis.limits import Allowance
from issue_pipeline.sandbox.apis.post_faults import TEXT, form_of
from issue_pipeline.sandbox.apis.reddit_items import child
from issue_pipeline.sandbox.apis.replies import (
    ApiError,
    JsonReply,
    answer_api_error,
    limit_headers,
    set_limit_headers,
)
from issue_pipeline.sandbox.apis.timeline import Timeline, from_epoch
from issue_pipeline.sandbox.world.posts import SimulatedPost

SOURCE = "reddit"
MAX_LIMIT = 100
DEFAULT_LIMIT = 25
LIGHT_LIMIT = 50  # as many posts can be given from anywhere
REQUESTS_PER_MINUTE = 120
_FIRST_LOOK = timedelta(seconds=15)  # after a post was written
_SECOND_LOOK = timedelta(hours=36)
_SECONDS = re.compile(r"\d{1,11}")
_MILLISECONDS = re.compile(r"\d{12,14}")


class ArchiveApi:
    """Endpoints over one timeline.

    Args:
        timeline: What there is, or what the archive has of it.
        time_scale: How many times shorter than a minute the limit's window is.
        conduct: Where clients' violations are noted.
        profile: Says which queries are too heavy, and which posts come in another form.
        faults: Counts those.
    """

    def __init__(
        self,
        timeline: Timeline | Index,
        *,
        time_scale: float,
        conduct: Conduct,
        profile: FaultProfile = NO_FAULTS,
        faults: Counter[str] | None = None,
    ) -> None:
        self._timeline = timeline
        self._profile = profile
        self._faults = Counter() if faults is None else faults
        self.requests = Allowance("requests", 60 / time_scale, conduct)

    def app(self) -> Starlette:
        """Build the application to mount."""
        return Starlette(
            routes=[
                Route("/api/posts/search", self.search_posts),
                Route("/{path:path}", self.unknown),
            ],
            exception_handlers={ApiError: answer_api_error},
        )

    async def search_posts(self, request: Request) -> Response:
        """``GET /api/posts/search``: nothing of a subreddit that is not there."""
        self._admit(request)
        parameters = request.query_params
        name = parameters.get("subreddit", "")
        if not name:
            raise _error(400, "Parameter 'subreddit' is required")
        sort = parameters.get("sort") or "desc"
        if sort not in ("asc", "desc"):
            raise _error(400, "Parameter 'sort' must be one of asc, desc")
        limit = _read_limit(parameters.get("limit") or str(DEFAULT_LIMIT))
        after, before = (_read_moment(parameters, bound) for bound in ("after", "before"))
        start = None if after is None else after + timedelta(seconds=1)
        if limit > LIGHT_LIMIT and self._is_heavy(f"{name.lower()}/{after}/{before}/{sort}"):
            self._faults[HEAVY_QUERY] += 1
            raise _error(422, "Timeout. Maybe slow down a bit")
        subreddit = self._timeline.channel(SOURCE, name)
        found = (
            [] if subreddit is None else self._timeline.between(SOURCE, start, before, subreddit)
        )
        if sort == "desc":
            found.reverse()
        now = self._timeline.now()
        shown = with_duplicate(request, unless_empty(request, found[:limit]))
        forms = [form_of(self._profile, post) for post in shown]
        self._faults.update(form for form in forms if form != TEXT)
        archived = [_archived(post, form, now) for post, form in zip(shown, forms, strict=True)]
        return JsonReply({"data": archived}, headers=limit_headers(request))

    async def unknown(self, request: Request) -> Response:
        """Any other address."""
        self._admit(request)
        raise _error(404, "Not found")

    def _is_heavy(self, query: str) -> bool:
        """Return whether only a part of what the query asks for can be given, today and later."""
        return chance(f"heavy/{self._profile.seed}/{query}") < self._profile.heavy_share

    def _admit(self, request: Request) -> None:
        usage = self.requests.take("address", REQUESTS_PER_MINUTE)
        limits = {
            "X-RateLimit-Limit": str(usage.limit),
            "X-RateLimit-Remaining": str(usage.remaining),
            "X-RateLimit-Reset": str(usage.resets_in_s),
        }
        set_limit_headers(request, limits)
        if usage.is_exceeded:
            raise _error(429, "Too many requests")


def _archived(post: SimulatedPost, form: str, now: datetime) -> dict[str, Any]:
    data: dict[str, Any] = child(post, raw=True, form=form)["data"]
    data["created"] = data["created_utc"] = int(post.created_at.timestamp())
    seen_at = post.created_at + _SECOND_LOOK
    if seen_at > now:
        seen_at = min(now, post.created_at + _FIRST_LOOK)
        data |= {"score": 1, "ups": 1, "num_comments": 0, "upvote_ratio": 1.0}
    data["retrieved_on"] = int(seen_at.timestamp())
    return data


def _read_limit(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise _error(400, f"Parameter 'limit' must be between 1 and {MAX_LIMIT}")
    return int(text)


def _read_moment(parameters: Mapping[str, str], name: str) -> datetime | None:
    """Read seconds or milliseconds since the epoch, or ISO 8601, UTC unless it says otherwise."""
    text = parameters.get(name)
    if not text:
        return None
    if _SECONDS.fullmatch(text):
        return from_epoch(int(text))
    if _MILLISECONDS.fullmatch(text):
        return from_epoch(int(text) // 1000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _error(400, f"Parameter '{name}' is not a valid date") from error
    in_utc = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return from_epoch(int(in_utc.timestamp()))


def _error(status: int, message: str) -> ApiError:
    return ApiError(status, {"data": None, "error": message})
