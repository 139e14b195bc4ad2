"""The Stack Exchange API 2.3: the questions of Stack Overflow."""

import html
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from issue_pipeline.sandbox.apis.addresses import permalink, stable_number, stackoverflow_id
from issue_pipeline.sandbox.apis.conduct import BACKOFF, Conduct
from issue_pipeline.sandbox.apis.content_faults import asked_wait_s, unless_empty, with_duplicate
from issue_pipeline.sandbox.apis.faults import BACKOFF_ASKED
from issue_pipeline.sandbox.apis.indexes import Index
from issue_pipeline.sandbox.apis.limits import Allowance, Usage
from issue_pipeline.sandbox.apis.replies import ApiError, JsonReply, answer_api_error
from issue_pipeline.sandbox.apis.timeline import Timeline, from_epoch
from issue_pipeline.sandbox.world.posts import SimulatedPost

SOURCE = "stackoverflow"
SITE = "stackoverflow"
MAX_PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 30
LAST_PAGE_WITHOUT_KEY = 25
DAILY_QUOTA = 10_000
DAILY_QUOTA_WITHOUT_KEY = 300
REQUESTS_PER_SECOND = 30  # of one address, whatever its keys
_SORTS = ("activity", "creation", "votes")
_BODY_BY_FILTER = {"default": False, "withbody": True}
_TOTAL_FILTER = "total"  # answers with the number of questions and nothing else
_INTEGER = re.compile(r"-?\d{1,15}")
_DAY_S = 86_400


class StackExchangeApi:
    """Endpoints over one timeline.

    Args:
        timeline: What there is, or what its index has of it.
        key: The only good key; ``None`` takes any. Requests without one have the small quota.
        time_scale: How many times shorter than the real ones the limit windows are.
        conduct: Where clients' violations are noted.
    """

    def __init__(
        self, timeline: Timeline | Index, *, key: str | None, time_scale: float, conduct: Conduct
    ) -> None:
        self._timeline = timeline
        self._key = key
        self._conduct = conduct
        self.quota = Allowance("quota", _DAY_S / time_scale, conduct)
        self.bursts = Allowance("burst", 1 / time_scale, conduct)

    def app(self) -> Starlette:
        """Build the application to mount; like the real one it compresses its replies."""
        return Starlette(
            routes=[Route("/2.3/questions", self.questions), Route("/{path:path}", self.unknown)],
            exception_handlers={ApiError: answer_api_error},
            middleware=[Middleware(GZipMiddleware, minimum_size=500, compresslevel=1)],
        )

    async def questions(self, request: Request) -> Response:
        """``GET /2.3/questions``."""
        parameters = request.query_params
        key = self._read_key(request)
        usage = self._spend(key)
        site = parameters.get("site")
        if not site:
            raise _bad_parameter("site is required")
        if site.removesuffix(".com") != SITE:
            raise _bad_parameter(f"No site found for name `{site}`")
        page = _read_integer(parameters, "page", 1)
        page_size = _read_integer(parameters, "pagesize", DEFAULT_PAGE_SIZE)
        if page < 1:
            raise _bad_parameter("page")
        if not 0 <= page_size <= MAX_PAGE_SIZE:
            raise _bad_parameter("pagesize")
        if page > LAST_PAGE_WITHOUT_KEY and not key:
            raise ApiError(
                400,
                {
                    "error_id": 403,
                    "error_message": "page above 25 requires access token or app key",
                    "error_name": "access_denied",
                },
            )
        chosen_filter = parameters.get("filter", "default")
        if chosen_filter == _TOTAL_FILTER:
            return JsonReply({"total": len(self._find(parameters))})
        with_body = _BODY_BY_FILTER.get(chosen_filter)
        if with_body is None:
            raise _bad_parameter("filter")
        found = unless_empty(request, self._find(parameters))
        shown = with_duplicate(request, found[(page - 1) * page_size : page * page_size])
        body = {
            "items": [_question(post, with_body) for post in shown],
            "has_more": page * page_size < len(found),
            "quota_max": usage.limit,
            "quota_remaining": usage.remaining,
        }
        backoff_s = asked_wait_s(request, BACKOFF_ASKED)
        if backoff_s is not None:
            body["backoff"] = backoff_s
            self._conduct.ask_to_wait(backoff_s, BACKOFF)
        return JsonReply(body)

    async def unknown(self, request: Request) -> Response:
        """Any other method."""
        message = f"no method found with this name: {request.path_params['path']}"
        body = {"error_id": 404, "error_message": message, "error_name": "no_method"}
        raise ApiError(404, body)

    def _spend(self, key: str) -> Usage:
        """Count the request against both limits; refuse it when nothing is left of one."""
        burst = self.bursts.take("address", REQUESTS_PER_SECOND)
        if burst.is_exceeded:
            raise throttled(burst.resets_in_s)
        quota = self.quota.take(key, DAILY_QUOTA if key else DAILY_QUOTA_WITHOUT_KEY)
        if quota.is_exceeded:
            raise throttled(quota.resets_in_s)
        return quota

    def _read_key(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        from_header = token.strip() if scheme.lower() == "bearer" else ""
        key = from_header or request.query_params.get("key", "")
        if key and self._key is not None and key != self._key:
            raise _bad_parameter("`key` doesn't match a known application")
        return key

    def _find(self, parameters: Mapping[str, str]) -> list[SimulatedPost]:
        """Select and sort; ``fromdate`` and ``todate`` are both inclusive."""
        sort, order = parameters.get("sort", "activity"), parameters.get("order", "desc")
        if sort not in _SORTS:
            raise _bad_parameter("sort")
        if order not in ("asc", "desc"):
            raise _bad_parameter("order")
        start, last = (
            from_epoch(_read_integer(parameters, name, 0)) if parameters.get(name) else None
            for name in ("fromdate", "todate")
        )
        end = None if last is None else last + timedelta(seconds=1)
        tags = {tag.lower() for tag in parameters.get("tagged", "").split(";") if tag}
        found = [
            post
            for post in self._timeline.between(SOURCE, start, end)
            if tags <= {tag.lower() for tag in _tags(post)}
        ]
        if sort == "votes":
            found.sort(key=lambda post: post.vote_count)
        if order == "desc":
            found.reverse()
        return found


def throttled(wait_s: int) -> ApiError:
    """Refuse a request beyond a limit, with 400 as clients report it."""
    message = f"too many requests from this IP, more requests available in {wait_s} seconds"
    body = {"error_id": 502, "error_message": message, "error_name": "throttle_violation"}
    return ApiError(400, body)


def _question(post: SimulatedPost, with_body: bool) -> dict[str, Any]:
    created_s = int(post.created_at.timestamp())
    item = {
        "tags": list(_tags(post)),
        "owner": _owner(post.author),
        "is_answered": post.comment_count > 1,
        "view_count": 12 + 9 * post.comment_count + 4 * max(0, post.vote_count),
        "answer_count": post.comment_count,
        "score": post.vote_count,
        "last_activity_date": created_s,
        "creation_date": created_s,
        "question_id": stackoverflow_id(post),
        "content_license": "CC BY-SA 4.0",
        "link": permalink(post),
        "title": _escape(post.title),
    }
    if with_body:
        item["body"] = post.body or ""
    return item


def _tags(post: SimulatedPost) -> tuple[str, ...]:
    return post.tags or (post.channel,)


def _owner(name: str) -> dict[str, Any]:
    number = stable_number(name)
    return {
        "account_id": number,
        "reputation": 1 + number % 4000,
        "user_id": number,
        "user_type": "registered",
        "profile_image": f"https://www.gravatar.com/avatar/{number:032x}?s=256&d=identicon&r=PG",
        "display_name": _escape(name),
        "link": f"https://stackoverflow.com/users/{number}",
    }


def _escape(text: str) -> str:
    """Escape as the API does, which writes the apostrophe in decimal."""
    return html.escape(text).replace("&#x27;", "&#39;")


def _read_integer(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    if not _INTEGER.fullmatch(text):
        raise _bad_parameter(name)
    return int(text)


def _bad_parameter(message: str) -> ApiError:
    body = {"error_id": 400, "error_message": message, "error_name": "bad_parameter"}
    return ApiError(400, body)
