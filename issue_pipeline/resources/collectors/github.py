"""GitHub: the issues of a day that a search finds, and all those of chosen repositories.

Sources: https://docs.github.com/en/rest/search/search#search-issues-and-pull-requests and
https://docs.github.com/en/rest/issues/issues#list-repository-issues
A search gives at most 1,000 results whatever the paging, and may say that it ran out of time
(``incomplete_results``); a repository's list gives everything.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from issue_pipeline.errors import (
    CollectionError,
    ConfigurationError,
    RequestRejectedError,
    TransientError,
    UnexpectedReplyError,
)
from issue_pipeline.records import Post
from issue_pipeline.resources.collectors.collection_builder import (
    CollectionBuilder,
    Day,
    Item,
    Reader,
    ends_before,
    read_each,
)
from issue_pipeline.resources.collectors.http import (
    ApiClient,
    ApiPolicy,
    expect,
    retry_after_s,
    server_time,
)
from issue_pipeline.resources.collectors.parsing import (
    count,
    from_epoch,
    from_iso,
    identifier,
    number,
    text,
)
from issue_pipeline.resources.collectors.windows import Page, Total, read_span

# What people discuss on the day itself: see docs/sources.md for the choice.
DEFAULT_QUERY = "is:issue is:public comments:>=3"
PAGE_SIZE = 100
RESULT_CAP = 1_000
# Searches per minute: a little below the documented 30 and 10.
SEARCH_PACE_WITH_TOKEN = 28.0
SEARCH_PACE_WITHOUT_TOKEN = 9.0
# Other requests per minute; the documented 5,000 (without a token 60) an hour are kept by obeying
# the headers, which say when there are none left.
LIST_PACE = 60.0
# Documented least wait after a secondary limit that names none.
SECONDARY_LIMIT_WAIT_S = 60.0
# Times that a repository's list of several pages is read until it brings nothing new.
MAX_LISTINGS = 3

_REPOSITORY = re.compile(r"(?:https?://github\.com/)?([\w-][\w.-]*/[\w.-]*[\w-][\w.-]*)/?")
_KIND = re.compile(r"\b(?:is|type):issue\b", re.IGNORECASE)
_OURS = re.compile(r"(?<![\w-])(?:created|sort|order):", re.IGNORECASE)
_PULL_REQUEST = re.compile(r"/pull/\d+$")
_VISIBILITY = re.compile(r"\bis:(public|private)\b", re.IGNORECASE)


def check_query(query: str) -> str:
    """Accept what a search for the issues of a day can be.

    Raises:
        ConfigurationError: It looks for something else, or says itself when and in what order.
    """
    if not _KIND.search(query) or _OURS.search(query):
        raise ConfigurationError(
            f"GITHUB_QUERY is {query!r}; expected search qualifiers with is:issue, and without"
            " created: and sort:, which are ours."
        )
    return query


def repository_name(text: str) -> str:
    """Read ``owner/name``, or the address of a repository.

    Raises:
        ConfigurationError: It is neither.
    """
    match = _REPOSITORY.fullmatch(text.strip())
    if match is None:
        raise ConfigurationError(f"GITHUB_REPOS names {text!r}; expected owner/name.")
    return match[1]


def headers(token: str) -> dict[str, str]:
    """Give the headers GitHub asks for; a token raises the limits."""
    fixed = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    return fixed | ({"Authorization": f"Bearer {token}"} if token else {})


def read_error(response: httpx.Response) -> CollectionError | None:
    """Tell a limit from a refusal: both come as 403 (or 429), only a limit is worth waiting for."""
    if response.status_code in (404, 410, 451) and "/repos/" in response.request.url.path:
        return RequestRejectedError(
            f"GitHub knows no issues at {response.request.url.path}. Check GITHUB_REPOS, and that"
            " GITHUB_TOKEN may read the repository."
        )
    if response.status_code == 422:
        return RequestRejectedError(
            f"GitHub does not understand the search: {response.text[:300]!r}. Check GITHUB_QUERY."
        )
    if response.status_code not in (403, 429):
        return None
    said = f"GitHub answered {response.status_code}: {response.text[:200]!r}."
    if (wait_s := retry_after_s(response.headers)) is not None:
        return TransientError(said, wait_s=wait_s)
    if response.headers.get("x-ratelimit-remaining") == "0":
        return TransientError(said, wait_s=_until_reset_s(response.headers))
    if any(words in response.text.lower() for words in ("secondary rate", "abuse", "rate limit")):
        return TransientError(said, wait_s=SECONDARY_LIMIT_WAIT_S)
    return None


def read_pause(response_headers: httpx.Headers, _payload: Any) -> float:  # noqa: ANN401
    """Wait for the next window after the last request of this one."""
    spent = response_headers.get("x-ratelimit-remaining") == "0"
    return _until_reset_s(response_headers) if spent else 0.0


def _until_reset_s(response_headers: httpx.Headers) -> float:
    try:
        reset = datetime.fromtimestamp(float(response_headers["x-ratelimit-reset"]), UTC)
    except (KeyError, ValueError, OverflowError):
        return SECONDARY_LIMIT_WAIT_S
    return max(1.0, (reset - server_time(response_headers)).total_seconds() + 1.0)


API_POLICY = ApiPolicy(
    "GitHub", "GITHUB_API_URL", "GITHUB_TOKEN", read_error, read_pause, follow_redirects=True
)


def identify(item: Item) -> tuple[str, datetime]:
    """Give the id of an issue or pull request, and when it was created."""
    created_at = from_iso(expect(item, "created_at", str, "GitHub"))
    return identifier(item, "id", "GitHub"), created_at


def parse_issue(item: Item, *, keep_bots: bool = False) -> Post | str:
    """Read one item of a search or of a repository's list; pull requests are left out.

    Args:
        item: As GitHub gives it.
        keep_bots: Whether issues that a program opened are wanted.
    """
    if _is_pull_request(item):
        return "pull request"
    if not keep_bots and _is_bot(item.get("user")):
        return "bot account"
    reactions = item.get("reactions")
    return Post(
        source="github",
        url=expect(item, "html_url", str, "GitHub"),
        title=text(item.get("title")),
        body=text(item.get("body")),
        created_at=from_iso(expect(item, "created_at", str, "GitHub")),
        comment_count=count(item.get("comments")),
        vote_count=count(reactions.get("total_count") if isinstance(reactions, dict) else None),
    )


def _is_pull_request(item: Item) -> bool:
    # Old replies carry the key on plain issues too, with nothing but nulls in it.
    links = item.get("pull_request")
    has_links = isinstance(links, dict) and any(links.values())
    return has_links or _PULL_REQUEST.search(text(item.get("html_url"))) is not None


def _is_bot(user: object) -> bool:
    if not isinstance(user, dict):
        return False
    return user.get("type") == "Bot" or text(user.get("login")).endswith("[bot]")


def reader(*, keep_bots: bool) -> Reader:
    """Read issues with or without those of bots."""
    return Reader(identify, lambda item: parse_issue(item, keep_bots=keep_bots))


def collect_search(
    client: ApiClient, query: str, read: Reader, builder: CollectionBuilder
) -> int | None:
    """Collect every issue of the day that a query finds.

    Args:
        client: Paced for GitHub's search.
        query: Search qualifiers without ``created:``; must contain ``is:issue``. Private issues
            are searched only if it names them.
        read: How items are read.
        builder: Takes the issues, and the reasons why some are missing.

    Returns:
        How many GitHub says there are.

    Raises:
        CollectionError: GitHub could not be read.
    """
    # The token may see its owner's private repositories; what is collected is published.
    public = query if _VISIBILITY.search(query) else f"{query} is:public"

    def search(first: int, last: int, *, size: int, page: int) -> tuple[list[Any], int, bool]:
        """Give the items, the announced number of all, and whether GitHub looked everywhere."""
        span = f"created:{_moment(first)}..{_moment(last)}"
        payload = client.get(
            "/search/issues",
            {
                "q": f"{public} {span}",
                "sort": "created",
                "order": "asc",
                "per_page": size,
                "page": page,
            },
        ).payload
        total = number(payload, "total_count", "GitHub's search")
        items = expect(payload, "items", list, "GitHub's search")
        return items, total, not payload.get("incomplete_results")

    def ask(first: int, last: int, page: int) -> Page:
        items, total, whole = search(first, last, size=PAGE_SIZE, page=page)
        found = builder.add_page(items, read)
        given = (page - 1) * PAGE_SIZE + len(found)
        more = given < total or len(items) >= PAGE_SIZE
        return Page(found, Total(total), more, whole)

    first, last = builder.day.first_s, builder.day.last_s
    reading = read_span(
        ask,
        first,
        last,
        page_cap=RESULT_CAP // PAGE_SIZE,
        noun="issues of GitHub",
        count=lambda: Total(search(first, last, size=1, page=1)[1]),
    )
    builder.problems += reading.problems
    return reading.announced


def _moment(second: int) -> str:
    return f"{from_epoch(second):%Y-%m-%dT%H:%M:%SZ}"


def collect_repositories(
    searches: ApiClient,
    lists: ApiClient,
    repositories: Sequence[str],
    read: Reader,
    builder: CollectionBuilder,
) -> None:
    """Collect every issue of the day in some repositories.

    Args:
        searches: Paced for GitHub's search.
        lists: Paced for its other requests.
        repositories: ``owner/name``.
        read: How items are read.
        builder: Takes the issues, and the reasons why some are missing.

    Raises:
        CollectionError: GitHub could not be read, or knows no such repository.
    """

    def read_repository(repository: str) -> None:
        found: set[str] = set()
        total = 0
        for attempt in range(MAX_LISTINGS):
            listed, pages = _list_repository(lists, repository, read, builder)
            found |= listed
            if pages == 1:
                if found or attempt:
                    return
                continue  # that there is nothing takes two replies
            # Numbered pages shift when an issue vanishes between two of them.
            total = _count_issues(searches, repository, builder.day)
            if total <= len(found):
                return
        builder.problems.append(
            f"{total} issues of {repository} announced, {len(found)} given by its list"
        )

    read_each(repositories, read_repository, builder)


def _count_issues(client: ApiClient, repository: str, day: Day) -> int:
    span = f"created:{_moment(day.first_s)}..{_moment(day.last_s)}"
    query: dict[str, str | int] = {"q": f"repo:{repository} is:issue {span}", "per_page": 1}
    try:
        payload = client.get("/search/issues", query).payload
    except RequestRejectedError as error:
        raise RequestRejectedError(
            f"GitHub does not search the issues of {repository}. Check GITHUB_REPOS, and that"
            " GITHUB_TOKEN may read the repository."
        ) from error
    return number(payload, "total_count", "GitHub's search")


def _list_repository(
    client: ApiClient, repository: str, read: Reader, builder: CollectionBuilder
) -> tuple[set[str], int]:
    """Walk a repository's list back past the start of the day.

    Returns:
        The keys of the day's issues, pull requests left out; and the number of pages read.
    """
    day = builder.day
    path = f"/repos/{repository}/issues"
    query: dict[str, str | int] = {
        "state": "all",
        "sort": "created",
        "direction": "desc",
        # Whatever was created since then was also updated since then.
        "since": _moment(day.first_s),
        "per_page": PAGE_SIZE,
    }
    issues: set[str] = set()
    seen: set[str] = set()
    reply, pages = client.get(path, query), 1
    while True:
        items = reply.payload
        if not isinstance(items, list):
            raise UnexpectedReplyError(f"A list of issues of GitHub is none: {items!r:.200}.")
        found = builder.add_page(items, read, skip_other_days=True)
        issues |= {
            identify(item)[0]
            for item in items
            if isinstance(item, dict) and not _is_pull_request(item) and _is_of(day, item)
        }
        if not found or ends_before(day.first_s, found):
            return issues, pages
        if seen.issuperset(found):
            builder.problems.append(f"the list of {repository} repeats itself")
            return issues, pages
        seen.update(found)
        if not reply.next_url and len(items) < PAGE_SIZE:
            return issues, pages
        pages += 1
        # A full page without a word about the next may still have one; and a next one that is said
        # to lie elsewhere, as behind a proxy, has a number here.
        reply = (
            client.get(reply.next_url)
            if client.serves(reply.next_url)
            else client.get(path, query | {"page": pages})
        )


def _is_of(day: Day, item: Item) -> bool:
    try:
        return identify(item)[1] in day
    except UnexpectedReplyError:
        return False
