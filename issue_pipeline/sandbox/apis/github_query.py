"""The search language of GitHub issues, as far as the simulator speaks it.

Understood: ``is:``/``type:``/``state:``, ``created:``/``updated:``, ``repo:``, ``user:``/``org:``,
``author:``, ``label:``, ``comments:``, ``reactions:``, ``in:`` and words, each also negated. Other
qualifiers are let pass without effect. ``OR``, ``NOT`` and parentheses are refused: to read them as
something else would answer another question than the one asked.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from issue_pipeline.sandbox.world.posts import SimulatedPost

MAX_WORDS_LENGTH = 256  # of the words alone; qualifiers are not counted

Test = Callable[[SimulatedPost], bool]
_Point = TypeVar("_Point", datetime, int)

_TERM = re.compile(r'(?P<minus>-?)(?:(?P<name>[a-z-]+):)?(?P<value>"[^"]*"|\S+)', re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?")
_NUMBER = re.compile(r"\d{1,15}")
_NEVER_HERE = {"closed", "merged", "draft", "locked", "private", "unmerged"}  # all are open issues
_ALTERNATIVES = {"repo", "user", "org", "author"}  # several of them mean any of them


class QueryError(ValueError):
    """The query cannot be answered; the message is what GitHub would say."""


@dataclass(slots=True)
class IssueQuery:
    """A parsed query.

    Attributes:
        kind: ``issue`` or ``pull-request``; the last one named counts.
        start: Earliest creation, UTC; ``None`` if open.
        end: First moment after the latest creation, UTC; ``None`` if open.
        repositories: As written, positive ones only.
        tests: Each must hold.
    """

    kind: str
    start: datetime | None = None
    end: datetime | None = None
    repositories: list[str] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)

    def matches(self, post: SimulatedPost) -> bool:
        """Tell whether a post passes everything but the range of time."""
        return all(test(post) for test in self.tests)


def parse_query(text: str) -> IssueQuery:
    """Read a query.

    Args:
        text: The parameter ``q``, decoded.

    Returns:
        What to look for.

    Raises:
        QueryError: Without a kind, with a malformed value, or too long.
    """
    query = IssueQuery(kind="")
    alternatives: dict[str, list[Test]] = {}
    words: list[tuple[bool, str]] = []
    places: set[str] = set()
    for term in _TERM.finditer(text):
        negated, name = bool(term["minus"]), (term["name"] or "").lower()
        value = term["value"].strip('"')
        if not name:
            words.append((negated, value))
        elif name == "in":
            places.update(value.lower().split(","))
        elif name in ("is", "type", "state"):
            _read_state(query, value.lower(), negated)
        elif name in ("created", "updated"):
            _narrow(query, value, negated)
        else:
            test = _test(name, value)
            if test is None:
                continue
            if name in _ALTERNATIVES and not negated:
                alternatives.setdefault(name, []).append(test)
                if name == "repo":
                    query.repositories.append(value)
            else:
                query.tests.append(_not(test) if negated else test)
    if not query.kind:
        raise QueryError("Query must include 'is:issue' or 'is:pull-request'")
    query.tests.extend(_any(tests) for tests in alternatives.values())
    query.tests.extend(_word_tests(words, places))
    return query


def parse_moment(text: str) -> tuple[datetime, datetime]:
    """Read a date or a time as the range it covers: a day or a second.

    Args:
        text: ISO 8601; without a zone it is UTC.

    Returns:
        Its first moment and the first one after it, UTC.

    Raises:
        QueryError: If it is neither.
    """
    try:
        if _DATE.fullmatch(text):
            first = datetime.fromisoformat(text).replace(tzinfo=UTC)
            return first, first + timedelta(days=1)
        if _TIME.fullmatch(text):
            moment = datetime.fromisoformat(text)
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            first = zoned.astimezone(UTC).replace(microsecond=0)
            return first, first + timedelta(seconds=1)
    except (ValueError, OverflowError):
        pass  # the calendar has no such day: the same complaint as for any other text
    raise QueryError(
        f'"{text}" is not a recognized date/time format. '
        "Please provide an ISO 8601 date/time value, such as YYYY-MM-DD."
    )


def _read_state(query: IssueQuery, value: str, negated: bool) -> None:
    if value in ("issue", "issues") and not negated:
        query.kind = "issue"
    elif value in ("pr", "pull-request") and not negated:
        query.kind = "pull-request"
    elif (value in _NEVER_HERE) is not negated:
        query.tests.append(lambda _post: False)


def _narrow(query: IssueQuery, value: str, negated: bool) -> None:
    if negated:
        raise QueryError("The simulator does not read a negated date; ask for the other range.")
    start, end = _parse_range(value, parse_moment)
    if start is not None:
        query.start = start if query.start is None else max(query.start, start)
    if end is not None:
        query.end = end if query.end is None else min(query.end, end)


def _parse_range(
    text: str, read: Callable[[str], tuple[_Point, _Point]]
) -> tuple[_Point | None, _Point | None]:
    """Read ``A..B``, ``>=A``, ``>A``, ``<A``, ``<=A`` or ``A`` as a half-open range."""
    if ".." in text:
        low, high = text.split("..", 1)
        return (
            None if low == "*" else read(low)[0],
            None if high == "*" else read(high)[1],
        )
    for sign, side in ((">=", 0), ("<=", 1), (">", 1), ("<", 0)):
        if text.startswith(sign):
            edge = read(text[len(sign) :])[side]
            return (edge, None) if sign.startswith(">") else (None, edge)
    return read(text)


def _parse_count(text: str) -> tuple[int, int]:
    if not _NUMBER.fullmatch(text):
        raise QueryError(f'"{text}" is not a number.')
    return int(text), int(text) + 1


def _test(name: str, value: str) -> Test | None:
    """Make the test of one qualifier; ``None`` if the simulator lets it pass without effect."""
    wanted = value.lower()
    match name:
        case "repo":
            return lambda post: post.channel.lower() == wanted
        case "user" | "org":
            return lambda post: post.channel.lower().split("/")[0] == wanted
        case "author":
            login = f"{wanted.removeprefix('app/')}[bot]" if wanted.startswith("app/") else wanted
            return lambda post: post.author.lower() == login
        case "label":
            return lambda post: wanted in (tag.lower() for tag in post.tags)
        case "comments":
            return _count_test(value, lambda post: post.comment_count)
        case "reactions":
            return _count_test(value, lambda post: max(0, post.vote_count))
        case _:
            return None


def _count_test(text: str, count: Callable[[SimulatedPost], int]) -> Test:
    low, after = _parse_range(text, _parse_count)
    return lambda post: (
        (low is None or count(post) >= low) and (after is None or count(post) < after)
    )


def _word_tests(words: list[tuple[bool, str]], places: set[str]) -> list[Test]:
    if len(" ".join(word for _, word in words)) > MAX_WORDS_LENGTH:
        raise QueryError(f"The search is longer than {MAX_WORDS_LENGTH} characters.")
    tests: list[Test] = []
    for negated, word in words:
        if word in ("OR", "NOT") or word.startswith(("(", ")")):
            raise QueryError(f"The simulator does not read {word!r}; ask without it.")
        if word != "AND":
            test = _holds_word(word.lower(), places)
            tests.append(_not(test) if negated else test)
    return tests


def _holds_word(word: str, places: set[str]) -> Test:
    def test(post: SimulatedPost) -> bool:
        in_title = (not places or "title" in places) and word in post.title.lower()
        return in_title or ((not places or "body" in places) and word in (post.body or "").lower())

    return test


def _not(test: Test) -> Test:
    return lambda post: not test(post)


def _any(tests: list[Test]) -> Test:
    return lambda post: any(test(post) for test in tests)
