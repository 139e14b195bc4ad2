"""GitHub: the issues of a day that a search finds, and all those of chosen repositories.

Here are the API's limits and refusals, and the two ways together; one is in :mod:`.github_search`,
the other in :mod:`.github_repositories`.
"""

from collections.abc import Sequence
from typing import Any

import httpx

from issue_pipeline.errors import (
    AccessDeniedError,
    CollectionError,
    RequestRejectedError,
    TransientError,
)
from issue_pipeline.resources.collectors.collection_builder import (
    CollectionBuilder,
    Reader,
    read_each,
)
from issue_pipeline.resources.collectors.github_issues import identify, parse_issue, reader
from issue_pipeline.resources.collectors.github_repositories import read_repository, repository_name
from issue_pipeline.resources.collectors.github_search import (
    DEFAULT_QUERY,
    SEARCH,
    check_query,
    collect_search,
)
from issue_pipeline.resources.collectors.http import (
    ApiClient,
    ApiPolicy,
    retry_after_s,
    server_time,
    within_window,
)

__all__ = [
    "API_POLICY",
    "DEFAULT_QUERY",
    "check_query",
    "collect",
    "collect_repositories",
    "collect_search",
    "headers",
    "identify",
    "parse_issue",
    "read_error",
    "read_pause",
    "read_repository",
    "reader",
    "repository_name",
]

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


def headers(token: str) -> dict[str, str]:
    """Return the headers GitHub asks for; a token raises the limits."""
    fixed = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    return fixed | ({"Authorization": f"Bearer {token}"} if token else {})


def read_error(response: httpx.Response) -> CollectionError | None:
    """Distinguish a limit, which is worth waiting for, from a refusal: both come as 403 or 429."""
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
        if name == SEARCH:
            counted[0] = collect_search(searches, query, read, builder)
        else:
            read_repository(searches, lists, name, read, builder)

    read_each([SEARCH, *repositories], read_part, builder)
    return counted[0]


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
