"""GitHub: the issues of a day that a search finds, and all those of chosen repositories.

Sources: https://docs.github.com/en/rest/search/search#search-issues-and-pull-requests and
https://docs.github.com/en/rest/issues/issues#list-repository-issues
A search gives at most 1,000 results whatever the paging, may say that it ran out of time
(``incomplete_results``), and sometimes finds nothing although there are hundreds
(max-sixty/tend#345); a repository's list gives everything.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from issue_pipeline.errors import (
    AccessDeniedError,
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
    why_not_past,
)
from issue_pipeline.resources.collectors.http import (
    ApiClient,
    ApiPolicy,
    expect,
    retry_after_s,
    server_time,
    within_window,
)
from issue_pipeline.resources.collectors.parsing import (
    count,
    from_epoch,
    from_iso,
    identifier,
    number,
    text,
)
from issue_pipeline.resources.collectors.windows import (
    Page,
    Total,
    prove_empty_by_counts,
    read_span,
)

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
# The window of a primary limit is an hour.
LONGEST_RESET_S = 3_700.0
# Times that a repository's list is read until two readings agree.
MAX_LISTINGS = 3
# Asked for a later issue, or an exact count.
MAX_PROBES = 6
# Halvings of a span of which GitHub cannot count the issues at once.
MAX_HALVINGS = 2

_REPOSITORY = re.compile(r"(?:https?://github\.com/)?([\w-][\w.-]*/[\w.-]*[\w-][\w.-]*)/?")
_KIND = re.compile(r"\b(?:is|type):issue\b", re.IGNORECASE)
_OURS = re.compile(r"(?<![\w-])(?:created|sort|order):", re.IGNORECASE)
_PULL_REQUEST = re.compile(r"/pull/\d+$")
_WORD = re.compile(r"[()]|[^()\s]+")
_QUOTED = re.compile(r'"[^"]*"?')
_ADDRESS = re.compile(r"https?://[^/]+/([\w.-]+/[\w.-]+)/(?:issues|pull)/\d+")
_VISIBILITY = re.compile(r"\bis:(public|private)\b", re.IGNORECASE)


def check_query(query: str) -> str:
    """Accept what a search for the issues of a day can be.

    Returns:
        The query; with ``OR`` in parentheses, for the day must hold for all of it.

    Raises:
        ConfigurationError: It looks for something else, says itself when and in what order, or has
            parentheses that do not match.
    """
    if not _KIND.search(query) or _OURS.search(query):
        raise ConfigurationError(
            f"GITHUB_QUERY is {query!r}; expected search qualifiers with is:issue, and without"
            " created: and sort:, which are ours."
        )
    depth = 0
    has_alternatives = False
    for word in _WORD.findall(_QUOTED.sub('""', query)):
        depth += (word == "(") - (word == ")")
        has_alternatives |= word == "OR" and depth == 0
        if depth < 0:
            break
    if depth:
        raise ConfigurationError(
            f"GITHUB_QUERY is {query!r}; expected as many closing parentheses as opening ones."
        )
    # Without parentheses, what is added behind it would hold for its last alternative only.
    return f"({query.strip()}) is:issue" if has_alternatives else query


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
    status = response.status_code
    said = f"GitHub answered {status}: {response.text[:200]!r}."
    if status in (403, 429):
        words = ("secondary rate", "abuse", "rate limit", "too many requests", "quota exhausted")
        limits = any(word in response.text.lower() for word in words)
        if (wait_s := retry_after_s(response.headers)) is not None:
            return TransientError(said, wait_s=wait_s)
        if response.headers.get("x-ratelimit-remaining") == "0":
            return TransientError(said, wait_s=_until_reset_s(response.headers))
        if limits or status == 429:
            return TransientError(said, wait_s=SECONDARY_LIMIT_WAIT_S)
    path = response.request.url.path
    if (part := _repository_in(path)) and status in _OF_A_REPOSITORY:
        return RequestRejectedError(
            f"GitHub knows no issues at {path}: {_OF_A_REPOSITORY[status]} ({status}). Check"
            " GITHUB_REPOS, and that GITHUB_TOKEN may read the repository.",
            part=part,
        )
    if part and status == 403:
        return AccessDeniedError(
            f"{said} Check that GITHUB_TOKEN may read {part}, or take it out of GITHUB_REPOS.",
            part=part,
        )
    if status == 422 and path.endswith("/search/issues"):
        return RequestRejectedError(
            f"GitHub does not understand the search: {response.text[:300]!r}. Check GITHUB_QUERY."
        )
    return None


_OF_A_REPOSITORY = {
    301: "it was renamed, and its new address is not told",
    404: "it does not exist, was deleted, or is private",
    410: "it has no issues, or they are switched off",
    451: "it is withheld for legal reasons",
}


def _repository_in(path: str) -> str:
    """Return the repository that a path is about, as far as it tells; ``""`` for other paths."""
    if "/repos/" in path:
        return "/".join(path.split("/repos/")[1].split("/")[:2])
    if "/repositories/" in path:
        return f"repository {path.split('/repositories/')[1].split('/')[0]}"
    return ""


def read_pause(response_headers: httpx.Headers, _payload: Any) -> float:  # noqa: ANN401
    """Wait for the next window after the last request of this one."""
    spent = response_headers.get("x-ratelimit-remaining") == "0"
    return _until_reset_s(response_headers) if spent else 0.0


def _until_reset_s(response_headers: httpx.Headers) -> float:
    try:
        reset = float(response_headers["x-ratelimit-reset"])
    except (KeyError, ValueError):
        return SECONDARY_LIMIT_WAIT_S
    left_s = within_window(reset - server_time(response_headers).timestamp(), LONGEST_RESET_S)
    return SECONDARY_LIMIT_WAIT_S if left_s is None else max(1.0, left_s + 1.0)


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


def collect(
    searches: ApiClient,
    lists: ApiClient,
    query: str,
    repositories: Sequence[str],
    read: Reader,
    builder: CollectionBuilder,
) -> int | None:
    """Collect the issues of the day that a query finds, and all those of some repositories.

    Args:
        searches: Paced for GitHub's search.
        lists: Paced for its other requests.
        query: See :func:`collect_search`.
        repositories: ``owner/name``.
        read: How items are read.
        builder: Takes the issues, and the reasons why some are missing.

    Returns:
        How many issues GitHub's search says there are.

    Raises:
        CollectionError: GitHub could not be read.
    """
    counted: list[int | None] = [None]

    def read_part(name: str) -> None:
        if name == _SEARCH:
            counted[0] = collect_search(searches, query, read, builder)
        else:
            read_repository(searches, lists, name, read, builder)

    read_each([_SEARCH, *repositories], read_part, builder)
    return counted[0]


_SEARCH = "GitHub's search"


def collect_repositories(
    searches: ApiClient,
    lists: ApiClient,
    repositories: Sequence[str],
    read: Reader,
    builder: CollectionBuilder,
) -> None:
    """Collect every issue of the day in some repositories: :func:`read_repository` of each.

    Raises:
        CollectionError: None of them could be read.
    """
    read_each(
        repositories,
        lambda name: read_repository(searches, lists, name, read, builder),
        builder,
    )


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

    def ask(first: int, last: int, page: int) -> Page:
        items, total, whole = _search(client, public, first, last, size=PAGE_SIZE, page=page)
        found = builder.add_page(items, read)
        # What it hides leaves a gap on a page: a short page is the last one only by its number.
        more = total.number > page * PAGE_SIZE or len(items) >= PAGE_SIZE
        return Page(found, total, more, whole)

    def count(first: int, last: int, halvings: int = MAX_HALVINGS) -> Total | None:
        # By pages of the same size as were read: totals may differ by that (cli/cli#8290).
        _, total, whole = _search(client, public, first, last, size=PAGE_SIZE, page=1)
        if whole or not halvings or first == last:
            return total if whole else None
        middle = (first + last) // 2
        halves = [count(*half, halvings - 1) for half in ((first, middle), (middle + 1, last))]
        parts = [half for half in halves if half is not None]
        if len(parts) < len(halves):
            return None
        return Total(sum(part.number for part in parts), all(part.exact for part in parts))

    day = builder.day
    reading = read_span(
        ask,
        day.first_s,
        day.last_s,
        page_cap=RESULT_CAP // PAGE_SIZE,
        noun="issues of GitHub",
        count=lambda: count(day.first_s, day.last_s),
        must_count=True,
        hides_some=True,
        prove_empty=lambda: prove_empty_by_counts(count, day.first_s, day.last_s),
        why_not_past=lambda: why_not_past(
            lambda: _shows_later_issues(client, public, day),
            "GitHub's search shows no issue that is later than the day: it may not have got so far",
        ),
    )
    builder.problems += reading.problems
    builder.notes += reading.notes
    return reading.announced


def _search(
    client: ApiClient, query: str, first: int, last: int | None, *, size: int, page: int
) -> tuple[list[Any], Total, bool]:
    """Return the items, the announced number of all, and whether GitHub looked everywhere."""
    until = "*" if last is None else _moment(last)
    payload = client.get(
        "/search/issues",
        {
            "q": f"{query} created:{_moment(first)}..{until}",
            "sort": "created",
            "order": "asc",
            "per_page": size,
            "page": page,
        },
    ).payload
    total = number(payload, "total_count", _SEARCH)
    items = expect(payload, "items", list, _SEARCH)
    # A number below what comes with it counts nothing.
    return items, Total(total, total >= len(items)), not payload.get("incomplete_results")


def _shows_later_issues(client: ApiClient, query: str, day: Day) -> bool:
    """Return whether the search finds an issue, whichever it is, that was opened after the day."""
    visibility = _VISIBILITY.search(query)
    anything = f"is:issue {visibility[0] if visibility else 'is:public'}"
    for _ in range(MAX_PROBES):
        items, _, _ = _search(client, anything, day.last_s + 1, None, size=1, page=1)
        if any(isinstance(item, dict) and _is_later(day, item) for item in items):
            return True
    return False


def _is_later(day: Day, item: Item) -> bool:
    try:
        return identify(item)[1] >= day.end
    except UnexpectedReplyError:
        return False


def _moment(second: int) -> str:
    return f"{from_epoch(second):%Y-%m-%dT%H:%M:%SZ}"


def read_repository(
    searches: ApiClient,
    lists: ApiClient,
    repository: str,
    read: Reader,
    builder: CollectionBuilder,
) -> None:
    """Collect every issue of the day in one repository.

    Its list comes from the site's own database, newest first, and is read until it shows an issue
    that is older than the day: then it cannot have ended early. Where it has several pages, or ends
    before, its issues are counted, or the list is read again until two readings agree.

    Args:
        searches: Paced for GitHub's search.
        lists: Paced for its other requests.
        repository: ``owner/name``.
        read: How items are read.
        builder: Takes the issues, and the reasons why some are missing.

    Raises:
        CollectionError: The repository could not be read.
    """
    found: set[str] = set()
    earlier: _Listing | None = None
    total: int | None = None
    for _ in range(MAX_LISTINGS):
        listing = _list_repository(lists, repository, read, builder)
        found |= listing.issues
        if listing.problem:
            builder.problems.append(listing.problem)
            return
        if listing.is_passed and listing.pages == 1:
            return
        # Numbered pages shift when an issue vanishes between two of them.
        total = _count_issues(searches, listing.name or repository, builder.day)
        if total is not None and total > len(found):
            earlier = listing
            continue
        if listing.is_passed and total == len(found):
            return
        if (
            earlier
            and listing.issues == earlier.issues == found
            and (
                listing.is_passed
                or listing.has_first
                or (found and total == len(found))
                or (not found and _has_no_issues(lists, repository))
            )
        ):
            return
        earlier = listing
    if total is not None and total > len(found):
        builder.problems.append(
            f"{total} issues of {repository} announced, {len(found)} given by its list"
        )
    elif earlier and not earlier.is_passed:
        builder.problems.append(
            f"the list of {repository} ends after {len(found)} issues of the day, before its start"
        )
    else:
        builder.problems.append(f"the list of {repository} kept changing while it was read")


def _count_issues(client: ApiClient, repository: str, day: Day) -> int | None:
    """Count the issues of the day; ``None`` if the search does not know the repository."""
    query = f"repo:{repository} is:issue"
    try:
        _, total, whole = _search(client, query, day.first_s, day.last_s, size=1, page=1)
    except RequestRejectedError:
        return None
    return total.number if whole else None


def _has_no_issues(client: ApiClient, repository: str) -> bool:
    payload = client.get(f"/repos/{repository}").payload
    return number(payload, "open_issues_count", "GitHub") == 0


@dataclass(slots=True)
class _Listing:
    """What a repository's list has shown.

    Attributes:
        issues: The keys of the day's issues, pull requests left out.
        pages: Read.
        is_passed: Whether it went back beyond the start of the day.
        has_first: Whether it went back to number 1.
        name: The repository's name now; ``""`` where no issue tells it.
        problem: Why it was not read to its end.
    """

    issues: set[str] = field(default_factory=set)
    pages: int = 0
    is_passed: bool = False
    has_first: bool = False
    name: str = ""
    problem: str = ""


def _list_repository(
    client: ApiClient, repository: str, read: Reader, builder: CollectionBuilder
) -> _Listing:
    """Walk a repository's list back past the start of the day."""
    day = builder.day
    path = f"/repos/{repository}/issues"
    query: dict[str, str | int] = {
        "state": "all",
        "sort": "created",
        "direction": "desc",
        "per_page": PAGE_SIZE,
    }
    listing = _Listing()
    seen: set[str] = set()
    reply = client.get(path, query)
    while True:
        listing.pages += 1
        items = reply.payload
        if not isinstance(items, list):
            raise UnexpectedReplyError(f"A list of issues of GitHub is none: {items!r:.200}.")
        found = builder.add_page(items, read, skip_other_days=True)
        _note(listing, items, day)
        if ends_before(day.first_s, found):
            listing.is_passed = True
            return listing
        if not found:
            return listing
        if seen.issuperset(found):
            listing.problem = f"the list of {repository} repeats itself"
            return listing
        seen.update(found)
        if not reply.next_url and len(items) < PAGE_SIZE:
            return listing
        # A full page without a word about the next may still have one; and a next one that is said
        # to lie elsewhere, as behind a proxy, has a number here.
        reply = (
            client.get(reply.next_url)
            if client.serves(reply.next_url)
            else client.get(path, query | {"page": listing.pages + 1})
        )


def _note(listing: _Listing, items: list[Any], day: Day) -> None:
    """Note what a page of a repository's list shows."""
    for item in items:
        if not isinstance(item, dict):
            continue
        listing.has_first |= item.get("number") == 1
        if address := _ADDRESS.match(text(item.get("html_url"))):
            # Issues that were moved elsewhere are not listed: the addresses are the repository's.
            listing.name = address[1]
        try:
            key, created_at = identify(item)
        except UnexpectedReplyError:
            continue
        if created_at in day and not _is_pull_request(item):
            listing.issues.add(key)
