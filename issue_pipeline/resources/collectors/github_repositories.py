"""GitHub: every issue of a day in chosen repositories.

Source: https://docs.github.com/en/rest/issues/issues#list-repository-issues
A repository's list comes from the site's own database and gives everything.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from issue_pipeline.errors import (
    ConfigurationError,
    RequestRejectedError,
    UnexpectedReplyError,
)
from issue_pipeline.resources.collectors.collection_builder import (
    CollectionBuilder,
    Day,
    Reader,
    ends_before,
)
from issue_pipeline.resources.collectors.github_issues import identify, is_pull_request
from issue_pipeline.resources.collectors.github_search import PAGE_SIZE, search
from issue_pipeline.resources.collectors.http import ApiClient, Parameters, Reply
from issue_pipeline.resources.collectors.parsing import number, text
from issue_pipeline.resources.collectors.passes import EMPTY_REPLIES, MAX_REREADS
from issue_pipeline.resources.collectors.windows import MAX_HIDDEN_SHARE

# Times that a repository's list is read until two readings agree.
MAX_LISTINGS = 3

_REPOSITORY = re.compile(r"(?:https?://github\.com/)?([\w-][\w.-]*/[\w.-]*[\w-][\w.-]*)/?")
_ADDRESS = re.compile(r"https?://[^/]+/([\w.-]+/[\w.-]+)/(?:issues|pull)/\d+")


def repository_name(text: str) -> str:
    """Read ``owner/name``, or the address of a repository.

    Raises:
        ConfigurationError: It is neither.
    """
    match = _REPOSITORY.fullmatch(text.strip())
    if match is None:
        raise ConfigurationError(f"GITHUB_REPOS names {text!r}; expected owner/name.")
    return match[1]


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
    before, its issues are counted, or the list is read again until two readings agree. The search
    may count issues that GitHub hides: a few that two whole readings lack are named.

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
        # A list of which issues are known is not empty.
        replies = MAX_REREADS if found or total else EMPTY_REPLIES if earlier else 1
        listing = _list_repository(lists, repository, read, builder, replies)
        found |= listing.issues
        if listing.problem:
            builder.problems.append(listing.problem)
            return
        if listing.is_passed and listing.pages == 1:
            return
        # Numbered pages shift when an issue vanishes between two of them.
        total = _count_issues(searches, listing.name or repository, builder.day)
        unseen = 0 if total is None else total - len(found)
        if listing.is_passed and total == len(found):
            return
        if earlier and listing.issues == earlier.issues == found:
            if listing.is_passed and earlier.is_passed and total and unseen > 0:
                if unseen <= MAX_HIDDEN_SHARE * total:
                    builder.hidden += unseen
                    builder.notes.append(
                        f"{total} issues of {repository} counted, {len(found)} given: {unseen}"
                        " hidden by the source, missing in two readings"
                    )
                    return
            elif unseen <= 0 and (
                listing.is_passed
                or listing.has_first
                or (found and total == len(found))
                or (not found and _has_no_issues(lists, repository))
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
        _, total, whole = search(client, query, day.first_s, day.last_s, size=1, page=1)
    except RequestRejectedError:
        return None
    return total.number if whole else None


def _has_no_issues(client: ApiClient, repository: str) -> bool:
    try:
        payload = client.get(f"/repos/{repository}").payload
    except RequestRejectedError:
        return False
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
    client: ApiClient, repository: str, read: Reader, builder: CollectionBuilder, replies: int
) -> _Listing:
    """Walk a repository's list back past the start of the day.

    Args:
        client: Paced for GitHub's lists.
        repository: ``owner/name``.
        read: How items are read.
        builder: Takes the issues.
        replies: Empty ones after which the first page is believed to be empty.
    """
    day = builder.day
    first_page = f"/repos/{repository}/issues"
    query: Parameters = {
        "state": "all",
        "sort": "created",
        "direction": "desc",
        "per_page": PAGE_SIZE,
    }
    listing = _Listing()
    seen: set[str] = set()
    path, parameters = first_page, query
    while True:
        reply = _ask_while_empty(client, path, parameters, replies)
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
        # A page that was announced is not empty.
        replies = MAX_REREADS if reply.next_url else EMPTY_REPLIES
        # A full page without a word about the next may still have one; and a next one that is said
        # to lie elsewhere, as behind a proxy, has a number here.
        if client.serves(reply.next_url):
            path, parameters = reply.next_url, {}
        else:
            path, parameters = first_page, {**query, "page": listing.pages + 1}


def _ask_while_empty(client: ApiClient, path: str, parameters: Parameters, replies: int) -> Reply:
    """Ask for a page, up to so many times as long as it is empty."""
    reply = client.get(path, parameters)
    for _ in range(replies - 1):
        if reply.payload != []:
            break
        reply = client.get(path, parameters)
    return reply


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
        if created_at in day and not is_pull_request(item):
            listing.issues.add(key)
