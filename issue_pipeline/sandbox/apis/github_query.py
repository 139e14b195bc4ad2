"""The search language of GitHub issues, as far as the simulator speaks it.

Understood: ``is:``/``type:``/``state:``, ``created:``/``updated:``, ``repo:``, ``user:``/``org:``,
``author:``, ``label:``, ``comments:``, ``reactions:``, ``in:`` and words, each also negated. Other
qualifiers are let pass without effect.

``AND`` binds more tightly than ``OR``, and a space is an ``AND``: of ``is:issue label:bug OR
label:regression created:2026-03-10`` the first half holds for every day and the second for pull
requests too (cli/cli#12264). Parentheses group; one that is negated is refused.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from issue_pipeline.sandbox.world.posts import SimulatedPost

MAX_WORDS_LENGTH = 256  # of the words alone; qualifiers are not counted
MAX_OPERATORS = 5
ISSUE, PULL_REQUEST = "issue", "pull-request"

Test = Callable[[SimulatedPost], bool]
_Point = TypeVar("_Point", datetime, int)

_TOKEN = re.compile(
    r'(?P<bracket>[()])|(?P<minus>-?)(?:(?P<name>[a-z-]+):)?(?P<value>"[^"]*"|[^\s()]+)',
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?")
_NUMBER = re.compile(r"\d{1,15}")
_NEVER_HERE = {"closed", "merged", "draft", "locked", "private", "unmerged"}  # all are open issues
_ALTERNATIVES = {"repo", "user", "org", "author"}  # several of them mean any of them


class QueryError(ValueError):
    """The query cannot be answered; the message is what GitHub would say."""


@dataclass(frozen=True, slots=True)
class _Term:
    """One qualifier or word; without a name it is a word."""

    negated: bool
    name: str
    value: str


@dataclass(slots=True)
class _Arm:
    """Terms all of which must hold; a query without ``OR`` has one arm.

    Attributes:
        kind: ``issue`` or ``pull-request``, the last one named; empty for both.
        start: Earliest creation, UTC; ``None`` if open.
        end: First moment after the latest creation, UTC; ``None`` if open.
        repositories: As written, positive ones only.
        tests: Each must hold.
    """

    kind: str = ""
    start: datetime | None = None
    end: datetime | None = None
    repositories: list[str] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)

    def finds(self, post: SimulatedPost, kind: str) -> bool:
        return (
            self.kind in ("", kind)
            and (self.start is None or post.created_at >= self.start)
            and (self.end is None or post.created_at < self.end)
            and all(test(post) for test in self.tests)
        )


@dataclass(frozen=True, slots=True)
class IssueQuery:
    """A parsed query.

    Attributes:
        arms: Any of them must hold.
    """

    arms: Sequence[_Arm]

    @property
    def start(self) -> datetime | None:
        """The earliest creation of what it may find, UTC; ``None`` if open."""
        starts = [arm.start for arm in self.arms]
        return None if None in starts else min(filter(None, starts))

    @property
    def end(self) -> datetime | None:
        """The first moment after the latest creation of what it may find, UTC; ``None`` if open."""
        ends = [arm.end for arm in self.arms]
        return None if None in ends else max(filter(None, ends))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that it may find."""
        named = {arm.kind for arm in self.arms}
        return tuple(kind for kind in (ISSUE, PULL_REQUEST) if named & {kind, ""})

    @property
    def repositories(self) -> list[str]:
        """Every repository that it names, as written."""
        return [name for arm in self.arms for name in arm.repositories]

    def finds(self, post: SimulatedPost, kind: str = ISSUE) -> bool:
        """Return whether an issue, or the pull request made for it, is what is looked for."""
        return any(arm.finds(post, kind) for arm in self.arms)


def parse_query(text: str) -> IssueQuery:
    """Read a query.

    Args:
        text: The parameter ``q``, decoded.

    Returns:
        What to look for.

    Raises:
        QueryError: Without a kind, with a malformed value, with too many operators, or too long.
    """
    tokens = [match for match in _TOKEN.finditer(text) if match["value"] != "AND"]
    operators = sum(match["value"] in ("AND", "OR", "NOT") for match in _TOKEN.finditer(text))
    if operators > MAX_OPERATORS:
        raise QueryError(f"More than {MAX_OPERATORS} AND / OR / NOT operators were used.")
    terms, rest = _parse_any(tokens)
    if rest:
        raise QueryError("The search has a closing parenthesis too many.")
    arms = [_arm(of_arm) for of_arm in terms]
    if not any(arm.kind for arm in arms):
        raise QueryError("Query must include 'is:issue' or 'is:pull-request'")
    return IssueQuery(arms)


# Alternatives of terms all of which must hold, and the tokens that follow.
_Parsed = tuple[list[list[_Term]], list[re.Match[str]]]


def _parse_any(tokens: list[re.Match[str]]) -> _Parsed:
    """Read ``A OR B OR ...``, up to a closing parenthesis or the end."""
    alternatives, tokens = _parse_all(tokens)
    while tokens and tokens[0]["value"] == "OR":
        more, tokens = _parse_all(tokens[1:])
        alternatives += more
    return alternatives, tokens


def _parse_all(tokens: list[re.Match[str]]) -> _Parsed:
    """Read terms and groups all of which must hold; of groups, every combination is one way."""
    ways: list[list[_Term]] = [[]]
    negated = False
    while tokens and tokens[0]["bracket"] != ")" and tokens[0]["value"] != "OR":
        token, *tokens = tokens
        if token["value"] == "NOT":
            negated = True
            continue
        if token["bracket"]:
            if negated:
                raise QueryError("The simulator does not read a negated group; ask without it.")
            group, tokens = _parse_any(tokens)
            if not tokens:
                raise QueryError("The search has an opening parenthesis too many.")
            tokens = tokens[1:]
        else:
            name, value = (token["name"] or "").lower(), token["value"].strip('"')
            group = [[_Term(negated or bool(token["minus"]), name, value)]]
        ways = [[*way, *more] for way in ways for more in group]
        negated = False
    return ways, tokens


def _arm(terms: Iterable[_Term]) -> _Arm:
    arm = _Arm()
    alternatives: dict[str, list[Test]] = {}
    words: list[tuple[bool, str]] = []
    places: set[str] = set()
    for term in terms:
        negated, name, value = term.negated, term.name, term.value
        if not name:
            words.append((negated, value))
        elif name == "in":
            places.update(value.lower().split(","))
        elif name in ("is", "type", "state"):
            _read_state(arm, value.lower(), negated)
        elif name in ("created", "updated"):
            _narrow(arm, value, negated)
        else:
            test = _test(name, value)
            if test is None:
                continue
            if name in _ALTERNATIVES and not negated:
                alternatives.setdefault(name, []).append(test)
                if name == "repo":
                    arm.repositories.append(value)
            else:
                arm.tests.append(_not(test) if negated else test)
    arm.tests.extend(_any(tests) for tests in alternatives.values())
    arm.tests.extend(_word_tests(words, places))
    return arm


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


def _read_state(arm: _Arm, value: str, negated: bool) -> None:
    if value in ("issue", "issues") and not negated:
        arm.kind = ISSUE
    elif value in ("pr", "pull-request") and not negated:
        arm.kind = PULL_REQUEST
    elif (value in _NEVER_HERE) is not negated:
        arm.tests.append(lambda _post: False)


def _narrow(arm: _Arm, value: str, negated: bool) -> None:
    if negated:
        raise QueryError("The simulator does not read a negated date; ask for the other range.")
    start, end = _parse_range(value, parse_moment)
    if start is not None:
        arm.start = start if arm.start is None else max(arm.start, start)
    if end is not None:
        arm.end = end if arm.end is None else min(arm.end, end)


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
