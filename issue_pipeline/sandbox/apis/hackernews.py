"""The Algolia search over Hacker News: posts by date.

No refusal for its limit was recorded. Here it is a plain 429 that says when to come back.
"""

import html
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from issue_pipeline.sandbox.apis.addresses import hackernews_id
from issue_pipeline.sandbox.apis.conduct import Conduct
from issue_pipeline.sandbox.apis.content_faults import unless_empty, with_duplicate, with_gap
from issue_pipeline.sandbox.apis.indexes import Index
from issue_pipeline.sandbox.apis.limits import Allowance
from issue_pipeline.sandbox.apis.replies import ApiError, JsonReply, answer_api_error
from issue_pipeline.sandbox.apis.timeline import Timeline, from_epoch
from issue_pipeline.sandbox.world.posts import SimulatedPost

SOURCE = "hackernews"
MAX_HITS = 1000  # of one query, whatever the paging
DEFAULT_HITS_PER_PAGE = 20
REQUESTS_PER_HOUR = 10_000
_HOUR_S = 3600
_MAX_CHILDREN = 5  # ids of answers that a hit names
_CONDITION = re.compile(r"\s*(\w+)\s*(<=|>=|!=|<|>|=)\s*(-?\d{1,15})(\.\d+)?\s*")
_TAG_GROUP = r"\([^()]+\)|[^(),]+"
_TAGS = re.compile(rf"(?:{_TAG_GROUP})(?:,(?:{_TAG_GROUP}))*")


class HackerNewsApi:
    """Endpoints over one timeline.

    Args:
        timeline: What there is, or what its index has of it.
        time_scale: How many times shorter than an hour the limit's window is.
        conduct: Where clients' violations are noted.
        exhaustive: What replies say of ``nbHits``, which is right either way: as in the recordings
            of 2014, or as in that of 2026, which calls even six hits not exhaustive.
    """

    def __init__(
        self, timeline: Timeline | Index, *, time_scale: float, conduct: Conduct, exhaustive: bool
    ) -> None:
        self._timeline = timeline
        self._exhaustive = exhaustive
        self.requests = Allowance("requests", _HOUR_S / time_scale, conduct)

    def app(self) -> Starlette:
        """Build the application to mount."""
        return Starlette(
            routes=[
                Route("/api/v1/search_by_date", self.search_by_date),
                Route("/{path:path}", self.unknown),
            ],
            exception_handlers={ApiError: answer_api_error},
        )

    async def search_by_date(self, request: Request) -> Response:
        """``GET /api/v1/search_by_date``: newest first."""
        self._admit()
        parameters = request.query_params
        page = _read_natural(parameters, "page", 0)
        per_page = min(_read_natural(parameters, "hitsPerPage", DEFAULT_HITS_PER_PAGE), MAX_HITS)
        has_tags = _parse_tags(parameters.get("tags", ""))
        start, end = _parse_range(parameters.get("numericFilters", ""))
        query = parameters.get("query", "")
        words = query.lower().replace('"', " ").split()
        common = {
            "exhaustive": {"nbHits": self._exhaustive, "typo": self._exhaustive},
            "exhaustiveNbHits": self._exhaustive,
            "exhaustiveTypo": self._exhaustive,
            "hitsPerPage": per_page,
            "page": page,
            "params": urlencode({**parameters, "advancedSyntax": "true"}),
            "processingTimeMS": 1,
            "query": query,
            "serverTimeMS": 1,
        }
        if page * per_page >= MAX_HITS:
            message = (
                "you can only fetch the 1000 hits for this query. You can extend the number of "
                "hits returned via the paginationLimitedTo index parameter or use the browse "
                "method."
            )
            return JsonReply({**common, "hits": [], "nbHits": 0, "nbPages": 0, "message": message})
        found = [
            post
            for post in reversed(self._timeline.between(SOURCE, start, end))
            if has_tags(_tags(post)) and _holds(post, words)
        ]
        found = unless_empty(request, found)
        reachable = found[:MAX_HITS]
        shown = reachable[page * per_page : (page + 1) * per_page]
        return JsonReply(
            {
                **common,
                "hits": [_hit(post) for post in with_gap(request, with_duplicate(request, shown))],
                "nbHits": len(found),
                "nbPages": -(-len(reachable) // per_page) if per_page else 0,
            }
        )

    def _admit(self) -> None:
        usage = self.requests.take("address", REQUESTS_PER_HOUR)
        if usage.is_exceeded:
            retry_after = {"Retry-After": str(usage.resets_in_s)}
            raise ApiError(429, {"status": 429, "message": "Too Many Requests"}, retry_after)

    async def unknown(self, request: Request) -> Response:
        """Any other address."""
        raise ApiError(404, {"status": 404, "error": "Not Found"})


def _hit(post: SimulatedPost) -> dict[str, Any]:
    """Return a post as a hit; like the real index it leaves out what a post does not have."""
    number = hackernews_id(post)
    created = post.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    texts = {
        "author": post.author,
        "story_text": post.body,
        "title": post.title,
        "url": post.link,
    }
    present = {name: text for name, text in texts.items() if text is not None}
    hit: dict[str, Any] = {
        **present,
        "_highlightResult": {
            name: {"matchLevel": "none", "matchedWords": [], "value": text}
            for name, text in present.items()
        },
        "_tags": _tags(post),
        "created_at": created,
        "created_at_i": int(post.created_at.timestamp()),
        "num_comments": post.comment_count,
        "objectID": str(number),
        "points": post.vote_count,
        "story_id": number,
        "updated_at": created,
    }
    if post.comment_count:
        answers = min(post.comment_count, _MAX_CHILDREN)
        hit["children"] = [number + 1 + offset for offset in range(answers)]
    return hit


def _tags(post: SimulatedPost) -> list[str]:
    """Every post is a story; Ask HN and Show HN are also that."""
    tags = ["story", f"author_{post.author}", f"story_{hackernews_id(post)}"]
    return tags if post.channel == "story" else [*tags, post.channel]


def _holds(post: SimulatedPost, words: list[str]) -> bool:
    text = f"{post.title} {html.unescape(post.body or '')} {post.link or ''}".lower()
    return all(word in text for word in words)


def _parse_tags(text: str) -> Callable[[list[str]], bool]:
    """Read ``a,(b,c)``: commas mean and, inside parentheses or."""
    if text and not _TAGS.fullmatch(text):
        raise _bad_request(f"tags: cannot read {json.dumps(text)}")
    groups = [
        {tag.strip() for tag in group.strip("()").split(",")}
        for group in re.findall(_TAG_GROUP, text)
    ]
    return lambda tags: all(not group.isdisjoint(tags) for group in groups)


def _parse_range(text: str) -> tuple[datetime | None, datetime | None]:
    """Read conditions on ``created_at_i``, all of which must hold, as a half-open range."""
    start: datetime | None = None
    end: datetime | None = None
    for part in text.split(",") if text.strip() else []:
        condition = _CONDITION.fullmatch(part)
        if condition is None or condition[2] == "!=":
            raise _bad_request(f"invalid numeric filter expression: {json.dumps(part)}")
        name, sign = condition[1], condition[2]
        if name != "created_at_i":
            raise _bad_request(
                f"invalid numeric attribute({name}), "
                "attribute not specified in numericAttributesForFiltering setting"
            )
        moment = from_epoch(int(condition[3]))
        following = moment + timedelta(seconds=1)
        if sign in (">", ">=", "="):
            low = following if sign == ">" else moment
            start = low if start is None else max(start, low)
        if sign in ("<", "<=", "="):
            high = moment if sign == "<" else following
            end = high if end is None else min(end, high)
    return start, end


def _read_natural(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name)
    if text is None or text == "":
        return default
    if not re.fullmatch(r"\d{1,18}", text):
        raise _bad_request(
            f'Invalid value for "{name}" parameter, '
            "expected integer between 0 and 9223372036854775807"
        )
    return int(text)


def _bad_request(message: str) -> ApiError:
    return ApiError(400, {"code": 400, "message": message})
