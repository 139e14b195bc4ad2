"""GitHub: the issues of a day that a search finds.

Source: https://docs.github.com/en/rest/search/search#search-issues-and-pull-requests
A search gives at most 1,000 results whatever the paging, may say that it ran out of time
(``incomplete_results``), and sometimes finds nothing although there are hundreds
(max-sixty/tend#345).
"""

import re
from functools import partial
from typing import Any

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.resources.collectors.collection_builder import (
    CollectionBuilder,
    Day,
    Reader,
    look_beyond,
    shows_later,
)
from issue_pipeline.resources.collectors.github_issues import identify
from issue_pipeline.resources.collectors.http import ApiClient, expect
from issue_pipeline.resources.collectors.parsing import from_epoch, number
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
# Times that the search is asked for what follows the last issue of the day.
MAX_LOOKS = 4
# Times that the search is asked for later issues of any kind, and how many of them at once: the
# first one may be an issue that GitHub counts and shows nobody.
MAX_PROBES = 6
PROBE_SIZE = 10
# Halvings of a span of which GitHub cannot count the issues at once.
MAX_HALVINGS = 2
# What messages call it.
SEARCH = "GitHub's search"

_KIND = re.compile(r"\b(?:is|type):issue\b", re.IGNORECASE)
_OURS = re.compile(r"(?<![\w-])(?:created|sort|order):", re.IGNORECASE)
_WORD = re.compile(r"[()]|[^()\s]+")
_QUOTED = re.compile(r'"[^"]*"?')
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
        items, total, whole = search(client, public, first, last, size=PAGE_SIZE, page=page)
        found = builder.add_page(items, read)
        # What it hides leaves a gap on a page: a short page is the last one only by its number.
        more = total.number > page * PAGE_SIZE or len(items) >= PAGE_SIZE
        return Page(found, total, more, whole)

    def count(first: int, last: int, halvings: int = MAX_HALVINGS) -> Total | None:
        # By pages of the same size as were read: totals may differ by that (cli/cli#8290).
        _, total, whole = search(client, public, first, last, size=PAGE_SIZE, page=1)
        if whole or not halvings or first == last:
            return total if whole else None
        middle = (first + last) // 2
        halves = [count(*half, halvings - 1) for half in ((first, middle), (middle + 1, last))]
        parts = [half for half in halves if half is not None]
        if len(parts) < len(halves):
            return None
        return Total(sum(part.number for part in parts), all(part.exact for part in parts))

    def from_on(since: int) -> list[Any]:
        return search(client, public, since, None, size=PAGE_SIZE, page=1)[0]

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
        look_beyond=lambda since: look_beyond(
            # The last second may fill a page by itself: what follows it is asked for in turn.
            [partial(from_on, since), partial(from_on, since + 1)] * (MAX_LOOKS // 2),
            read,
            builder,
            "GitHub's search shows no issue that is later than the day: it may not have got so far",
            # Nothing later may be of the kind that is searched for.
            elsewhere=lambda: _shows_later_issues(client, public, day),
        ),
    )
    builder.problems += reading.problems
    builder.notes += reading.notes
    builder.hidden += reading.hidden
    return reading.announced


def search(
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
    total = number(payload, "total_count", SEARCH)
    items = expect(payload, "items", list, SEARCH)
    # A number below what comes with it counts nothing.
    return items, Total(total, total >= len(items)), not payload.get("incomplete_results")


def _shows_later_issues(client: ApiClient, query: str, day: Day) -> bool:
    """Return whether the search finds an issue, whichever it is, that was opened after the day."""
    visibility = _VISIBILITY.search(query)
    anything = f"is:issue {visibility[0] if visibility else 'is:public'}"

    def look() -> list[Any]:
        return search(client, anything, day.last_s + 1, None, size=PROBE_SIZE, page=1)[0]

    return shows_later(look, identify, day, looks=MAX_PROBES)


def _moment(second: int) -> str:
    return f"{from_epoch(second):%Y-%m-%dT%H:%M:%SZ}"
