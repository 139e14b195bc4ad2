"""The GitHub REST API: issue search and the issues of a repository."""

import re
from collections import Counter
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from issue_pipeline.sandbox.apis.addresses import stable_number
from issue_pipeline.sandbox.apis.conduct import Conduct
from issue_pipeline.sandbox.apis.content_faults import (
    commits,
    unless_empty,
    with_duplicate,
    with_gap,
)
from issue_pipeline.sandbox.apis.faults import (
    GROWING,
    HIDDEN,
    INCOMPLETE_RESULTS,
    MOVED,
    NO_FAULTS,
    FaultProfile,
)
from issue_pipeline.sandbox.apis.github_items import has_pull_request, listing_item, search_item
from issue_pipeline.sandbox.apis.github_query import (
    ISSUE,
    PULL_REQUEST,
    IssueQuery,
    QueryError,
    parse_moment,
    parse_query,
)
from issue_pipeline.sandbox.apis.github_replies import (
    SEARCH_DOCS,
    invalid,
    limit_exceeded,
    moved,
    page_links,
    refusal,
)
from issue_pipeline.sandbox.apis.indexes import Index
from issue_pipeline.sandbox.apis.limits import Allowance
from issue_pipeline.sandbox.apis.post_faults import as_commented, is_growing, is_hidden
from issue_pipeline.sandbox.apis.replies import (
    ApiError,
    JsonReply,
    answer_api_error,
    limit_headers,
    set_limit_headers,
)
from issue_pipeline.sandbox.apis.timeline import Timeline
from issue_pipeline.sandbox.world.posts import SimulatedPost

SOURCE = "github"
MAX_RESULTS = 1000  # of one search, whatever the paging
MAX_PER_PAGE = 100
DEFAULT_PER_PAGE = 30
SEARCHES_PER_MINUTE = 30
ANONYMOUS_SEARCHES_PER_MINUTE = 10
REQUESTS_PER_HOUR = 5000
ANONYMOUS_REQUESTS_PER_HOUR = 60

Item = tuple[SimulatedPost, str]  # a post, and whether as "issue" or as "pull-request"


class GitHubApi:
    """Endpoints over one timeline.

    Args:
        timeline: What there is.
        token: The only good token; ``None`` takes any. Requests without one are anonymous.
        time_scale: How many times shorter than the real ones the limit windows are.
        conduct: Where clients' violations are noted.
        index: What the search finds of it; everything by default.
        moved: Former names of repositories, in lower case, with their present ones.
        profile: Says which issues are hidden, and which get their comments late.
        faults: Counts replies that leave these out, and redirections.
    """

    def __init__(
        self,
        timeline: Timeline,
        *,
        token: str | None,
        time_scale: float,
        conduct: Conduct,
        index: Index | None = None,
        moved: Mapping[str, str] | None = None,
        profile: FaultProfile = NO_FAULTS,
        faults: Counter[str] | None = None,
    ) -> None:
        self._timeline = timeline
        self._index = index or timeline
        self._moved = moved or {}
        self._profile = profile
        self._faults = Counter() if faults is None else faults
        self._requests = 0
        self._token = token
        self.searches = Allowance("search", 60 / time_scale, conduct)
        self.requests = Allowance("core", 3600 / time_scale, conduct)

    def app(self) -> Starlette:
        """Build the application to mount."""
        return Starlette(
            routes=[
                Route("/search/issues", self.search),
                Route("/repos/{owner}/{name}/issues", self.list_by_name),
                Route("/repositories/{number:int}/issues", self.list_by_number),
                Route("/{path:path}", self.unknown),
            ],
            exception_handlers={ApiError: answer_api_error},
        )

    async def search(self, request: Request) -> Response:
        """``GET /search/issues``."""
        client = self._admit(request)
        limit = SEARCHES_PER_MINUTE if client else ANONYMOUS_SEARCHES_PER_MINUTE
        _spend(request, self.searches, client, limit, "search")
        query = self._read_query(request.query_params)
        sort, order = _read_sort(request.query_params, "order", ("created", "updated", "comments"))
        page, per_page = _read_page(request.query_params)
        if (page - 1) * per_page >= MAX_RESULTS:
            raise refusal(422, "Only the first 1000 search results are available", docs=SEARCH_DOCS)
        found = unless_empty(request, self._find(query))
        _sort(found, sort, order)
        is_incomplete = commits(request, INCOMPLETE_RESULTS)
        if is_incomplete:  # the search ran out of time, and counts what it found until then
            found = found[: len(found) // 2]
        on_page = found[:MAX_RESULTS][(page - 1) * per_page : page * per_page]
        visible = [item for item in on_page if not is_hidden(self._profile, item[0])]
        self._faults[HIDDEN] += len(visible) < len(on_page)
        shown = with_gap(request, with_duplicate(request, visible))
        return JsonReply(
            {
                "total_count": len(found),
                "incomplete_results": is_incomplete,
                "items": [search_item(post, kind) for post, kind in shown],
            },
            headers={
                **limit_headers(request),
                **page_links(request.url, page, per_page, min(len(found), MAX_RESULTS)),
            },
        )

    async def list_by_name(self, request: Request) -> Response:
        """``GET /repos/{owner}/{repo}/issues``; a former name leads to the repository's number."""
        name = f"{request.path_params['owner']}/{request.path_params['name']}"
        if (present := self._moved.get(name.lower())) is not None:
            self._admit(request)
            self._faults[MOVED] += 1
            raise moved(str(request.url.replace(path=_path_by_number(request, present))))
        return self._list(request, self._timeline.channel(SOURCE, name))

    async def list_by_number(self, request: Request) -> Response:
        """``GET /repositories/{id}/issues``, where the Link headers of listings point."""
        number = request.path_params["number"]
        names = self._timeline.channels(SOURCE)
        name = next((name for name in names if stable_number(name) == number), None)
        return self._list(request, name)

    async def unknown(self, request: Request) -> Response:
        """Any other address."""
        self._admit(request)
        raise refusal(404, "Not Found")

    def _list(self, request: Request, repository: str | None) -> Response:
        client = self._admit(request)
        limit = REQUESTS_PER_HOUR if client else ANONYMOUS_REQUESTS_PER_HOUR
        _spend(request, self.requests, client, limit, "core")
        if repository is None:
            raise refusal(404, "Not Found")
        parameters = request.query_params
        state = parameters.get("state", "open")
        if state not in ("open", "closed", "all"):
            raise invalid("Issue", "state", f"{state!r} is not open, closed or all.")
        sort, order = _read_sort(parameters, "direction", ("created", "updated", "comments"))
        try:
            since = parse_moment(parameters["since"])[0] if parameters.get("since") else None
        except QueryError as error:
            raise invalid("Issue", "since", str(error)) from error
        page, per_page = _read_page(parameters)
        found: list[Item] = []
        # Nothing is ever closed or edited here: all are open, and updated when they were created.
        if state != "closed":
            for post in self._timeline.between(SOURCE, since, None, repository):
                if is_hidden(self._profile, post):
                    continue
                commented = self._as_commented(post)
                found.append((commented, ISSUE))
                if has_pull_request(post):
                    found.append((commented, PULL_REQUEST))
        found = unless_empty(request, found)
        _sort(found, sort, order)
        shown = with_duplicate(request, found[(page - 1) * per_page : page * per_page])
        path = _path_by_number(request, repository)
        return JsonReply(
            [listing_item(post, kind) for post, kind in shown],
            headers={
                **limit_headers(request),
                **page_links(request.url.replace(path=path), page, per_page, len(found)),
            },
        )

    def _find(self, query: IssueQuery) -> list[Item]:
        """Return everything that a query is for, oldest first, hidden issues included."""
        posts = self._index.between(SOURCE, query.start, query.end)
        commented = [self._as_commented(post) for post in posts]
        return [
            (post, kind)
            for post in commented
            for kind in query.kinds
            if query.finds(post, kind) and (kind == ISSUE or has_pull_request(post))
        ]

    def _as_commented(self, post: SimulatedPost) -> SimulatedPost:
        if not is_growing(self._profile, post):
            return post
        commented = as_commented(self._profile, post, self._requests)
        self._faults[GROWING] += commented is not post
        return commented

    def _admit(self, request: Request) -> str:
        """Check who asks, and count the request.

        Returns:
            The token, or an empty string for an anonymous client.
        """
        self._requests += 1
        if not request.headers.get("user-agent", "").strip():
            raise ApiError(
                403,
                {
                    "message": "Missing or invalid User Agent string. "
                    "See http://developer.github.com/v3/#user-agent-required"
                },
            )
        header = request.headers.get("authorization", "")
        scheme, _, token = header.partition(" ")
        if not header:
            return ""
        wrong = self._token is not None and token.strip() != self._token
        if scheme.lower() not in ("bearer", "token") or not token.strip() or wrong:
            raise refusal(401, "Bad credentials")
        return token.strip()

    def _read_query(self, parameters: Mapping[str, str]) -> IssueQuery:
        text = parameters.get("q", "").strip()
        if not text:
            raise invalid("Search", "q", None, code="missing")
        try:
            query = parse_query(text)
        except QueryError as error:
            raise invalid("Search", "q", str(error)) from error
        known = [self._timeline.channel(SOURCE, name) for name in query.repositories]
        if known and not any(known):
            raise invalid(
                "Search",
                "q",
                "The listed users and repositories cannot be searched either because the resources "
                "do not exist or you do not have permission to view them.",
            )
        return query


def _path_by_number(request: Request, repository: str) -> str:
    root = request.scope.get("root_path", "")
    return f"{root}/repositories/{stable_number(repository)}/issues"


def _spend(request: Request, allowance: Allowance, client: str, limit: int, resource: str) -> None:
    """Count the request against its limit; refuse it when nothing is left."""
    usage = allowance.take(client, limit)
    limits = {
        "X-GitHub-Media-Type": "github.v3; format=json",
        "X-RateLimit-Limit": str(usage.limit),
        "X-RateLimit-Remaining": str(usage.remaining),
        "X-RateLimit-Reset": str(usage.resets_at_s),
        "X-RateLimit-Used": str(usage.used),
        "X-RateLimit-Resource": resource,
    }
    set_limit_headers(request, limits)
    if usage.is_exceeded:
        raise limit_exceeded(client)


def _read_page(parameters: Mapping[str, str]) -> tuple[int, int]:
    """Read ``page`` and ``per_page``; as on GitHub, what makes no sense becomes the default."""

    def read(name: str, default: int) -> int:
        text = parameters.get(name, "")
        sensible = re.fullmatch(r"\d{1,9}", text) is not None
        return int(text) or default if sensible else default

    return read("page", 1), min(read("per_page", DEFAULT_PER_PAGE), MAX_PER_PAGE)


def _read_sort(
    parameters: Mapping[str, str], order_name: str, sorts: tuple[str, ...]
) -> tuple[str, str]:
    sort = parameters.get("sort") or "created"
    order = parameters.get(order_name) or "desc"
    if sort not in sorts:
        raise invalid("Search", "sort", f"{sort!r} is not one of {', '.join(sorts)}.")
    if order not in ("asc", "desc"):
        raise invalid("Search", order_name, f"{order!r} is not asc or desc.")
    return sort, order


def _sort(found: list[Item], sort: str, order: str) -> None:
    """Sort in place; found is oldest first, and updates are creations here."""
    if sort == "comments":
        found.sort(key=lambda item: item[0].comment_count)
    if order == "desc":
        found.reverse()
