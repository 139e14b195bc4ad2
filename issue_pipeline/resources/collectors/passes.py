"""Reading a span of time once, window after window, through an API that gives so much at a time.

Only the first page of a window is read, and the next window begins at the second where that page
ended: what was read lies behind, and nothing that happens there can hide what lies ahead. A reply
that contradicts what is known (it lacks every post of the second at which it begins, which the page
before showed, or is empty where posts were given before) is no answer, and is asked for again.
Where the source counts, the numbers of two neighbouring windows must add up; by how much they do
not is kept, by the part of the span where it was, for the judgement of the whole (:mod:`.windows`).

Positions are seconds since 1970 in the direction of reading; for a source that gives the newest
first they are negative, so that reading always goes up.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from issue_pipeline.resources.collectors.parsing import from_epoch
from issue_pipeline.utils.missing_posts import too_many_missing

# How often a reply that cannot be true is asked for again. At three false replies of five, one
# window in forty stays unread.
MAX_REREADS = 6
# Replies that must agree that a window is empty of which nothing is known.
EMPTY_REPLIES = 3
# Readings of a crowded second.
MAX_SECOND_READINGS = 3
# Seconds that stay unreadable before the rest is given up.
MAX_BLIND_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Total:
    """How many posts a window holds, as the source says.

    Attributes:
        number: Of posts.
        exact: Whether it counted them all. An estimate proves that nothing is missing if it fits
            what was found; one that does not fit proves nothing.
    """

    number: int
    exact: bool = True

    def without(self, count: int) -> "Total":
        """Return the total of a window that holds so many posts fewer."""
        return replace(self, number=self.number - count)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a window.

    Attributes:
        found: Every post on it, by key, with its second; ``None`` where that cannot be read.
        total: How many posts the window holds, where the source says so.
        more: Whether the window may hold posts beyond this page.
        whole: ``False`` where the source itself says that it could not look everywhere.
        is_passed: Whether posts beyond the window came with it, so that nothing at its end is
            missing.
        is_full: Whether no more posts fit on it, so that some may lie beyond it; by default where
            there may be more.
    """

    found: Mapping[str, int | None]
    total: Total | None
    more: bool
    whole: bool = True
    is_passed: bool = False
    is_full: bool | None = None

    @property
    def overflows(self) -> bool:
        """Whether the window may hold posts that did not fit on this page."""
        return self.more if self.is_full is None else self.is_full


# The page of a window (first second, last second, page from 1), both seconds included.
Ask = Callable[[int, int, int], Page]


@dataclass(slots=True)
class Part:
    """A part [first, last] of the span, as one page has shown it.

    Attributes:
        first: Its first position.
        last: Its last position.
        shown: The keys of the posts that the page gave of it.
        missing: Posts that were counted, and shown neither there nor counted after it.
        came: Posts that were counted after it, and not before.
        is_crowded: Whether it is one second that does not fit on a page.
        is_counted: Whether the numbers around it tell whether it lacks something.
    """

    first: int
    last: int
    shown: frozenset[str]
    missing: int = 0
    came: int = 0
    is_crowded: bool = False
    is_counted: bool = False

    @property
    def told(self) -> int:
        """How many posts it holds, as far as the numbers around it tell."""
        return len(self.shown) + self.missing

    def note(self, difference: int) -> None:
        """Note by how much the numbers around it do not add up; above 0 if posts are missing."""
        self.is_counted = True
        self.missing += max(0, difference)
        self.came += max(0, -difference)


@dataclass(slots=True)
class Pass:
    """What one reading of the span has shown.

    Attributes:
        saw: The keys of the posts that it gave itself.
        began: How many posts the source counted when each part of the span was begun; ``None``
            where it did not count exactly.
        parts: Of the span, in order, each as far as one page reached.
        is_steady: Whether all numbers fit each other and what was shown.
        problems: What could not be read.
        cut: Where it had to end, for what was known before was not given again; ``""`` if nowhere.
    """

    saw: set[str] = field(default_factory=set)
    began: int | None = 0
    parts: list[Part] = field(default_factory=list)
    is_steady: bool = True
    problems: list[str] = field(default_factory=list)
    cut: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether the whole span was read."""
        return not self.problems and not self.cut


@dataclass(slots=True)
class _Window:
    """The window [at, end] that is read next, and what the page before says of it.

    Attributes:
        previous: Where the page before began.
        width: Of windows in which the source can look everywhere.
        expected: How many posts should be in it.
        shown: Posts that the page before showed in its first second.
        is_counted: Whether its posts are in ``Pass.began`` already.
    """

    at: int
    end: int
    previous: int
    width: int
    expected: Total | None = None
    shown: set[str] = field(default_factory=set)
    is_counted: bool = False


class SpanReader:
    """Reads a span as often as wanted and keeps every post that it was given.

    Attributes:
        seen: Position of every post by its key; ``None`` where it has none.
        first: First position of the span.
        last: Last position of the span.
    """

    def __init__(self, ask: Ask, first: int, last: int, page_cap: int, noun: str) -> None:
        self.seen: dict[str, int | None] = {}
        self._ask_source = ask
        self.first = first
        self.last = last
        self._page_cap = page_cap
        self._noun = noun

    def read(self) -> Pass:
        """Go through the span once."""
        result = Pass()
        window = _Window(self.first, self.last, self.first, self.last - self.first)
        rereads: Counter[int] = Counter()
        blind_seconds = 0
        while window.at <= self.last:
            page = self._ask(window.at, window.end, result)
            if not page.whole:
                if window.at < window.end:
                    self._narrow(window, result)
                    continue
                blind_seconds += 1
                if blind_seconds == MAX_BLIND_SECONDS:
                    result.problems.append(
                        f"given up at {_time(window.at)}: no {self._noun} beyond"
                    )
                    return result
                result.problems.append(f"the {self._noun} at {_time(window.at)} cannot be read")
                self._uncount(window, result)
                self._begin(window, window.at + 1)
            elif (refuted := self._refuted(page, window)) and rereads[window.at] < refuted:
                rereads[window.at] += 1
                if rereads[window.at] % 2 == 0 and window.previous < window.at:
                    # A post that links two pages may have vanished: see what is there now.
                    window.at, window.expected = window.previous, None
                    window.shown, window.is_counted = set(), True
                    while result.parts and result.parts[-1].first >= window.at:
                        result.parts.pop()
            elif refuted == MAX_REREADS:
                result.cut = (
                    f"{self._noun} from {_time(window.at)} on, which were shown or counted before,"
                    " were not given again"
                )
                return result
            else:
                self._step(page, window, result)
                if len(result.problems) >= MAX_BLIND_SECONDS:
                    result.problems.append(
                        f"given up at {_time(window.at)}: no {self._noun} beyond"
                    )
                    return result
        return result

    def _refuted(self, page: Page, window: _Window) -> int:
        """Return how often a reply should be asked for again, for it contradicts what is known."""
        if window.shown and window.shown.isdisjoint(page.found):
            return MAX_REREADS
        seconds = [second for second in page.found.values() if second is not None]
        if seconds and max(seconds) < window.at:
            return MAX_REREADS  # all of it lies behind: no answer to what was asked
        if not page.found:
            known = (at for at in self.seen.values() if at is not None)
            if page.more or any(window.at <= at <= window.end for at in known):
                return MAX_REREADS
            return 0 if page.is_passed else EMPTY_REPLIES - 1
        if window.expected is not None and page.total is not None and page.total.exact:
            expected = window.expected.number
            return int(too_many_missing(expected - page.total.number, expected))
        return 0

    def _step(self, page: Page, window: _Window, result: Pass) -> None:
        """Record what a page shows, and advance the window."""
        self._count(page, window, result)
        if not page.more:
            if page.total is not None:
                short = page.total.number - len(page.found)
                result.is_steady &= short == 0
            self._add_part(page.found, window.at, window.end, result)
            if page.total is not None and page.total.exact:
                result.parts[-1].note(short)
            window.width = 2 * window.width + 1
            self._begin(window, window.end + 1)
        elif (reached := _reached(page, window.at, window.end)) > window.at:
            behind = sum(second is None or second < reached for second in page.found.values())
            window.expected = page.total and page.total.without(behind)
            window.shown = {key for key, second in page.found.items() if second == reached}
            self._add_part(page.found, window.at, reached - 1, result)
            window.previous, window.at, window.is_counted = window.at, reached, True
        else:
            found = self._read_second(window.at, result)
            window.expected = page.total and page.total.without(len(found))
            result.parts.append(
                Part(window.at, window.at, frozenset(found), is_crowded=True, is_counted=True)
            )
            window.at = window.previous = window.at + 1
            window.shown, window.is_counted = set(), True

    def _count(self, page: Page, window: _Window, result: Pass) -> None:
        """Compare how many posts a window holds with what the page before left for it."""
        if page.total is None or not page.total.exact:
            result.began = None
        elif not window.is_counted and result.began is not None:
            result.began += page.total.number
        if page.total is not None and window.expected is not None:
            difference = window.expected.number - page.total.number
            result.is_steady &= difference == 0
            if page.total.exact and window.expected.exact and result.parts:
                result.parts[-1].note(difference)

    @staticmethod
    def _add_part(found: Mapping[str, int | None], first: int, last: int, result: Pass) -> None:
        inside = (key for key, at in found.items() if at is None or first <= at <= last)
        result.parts.append(Part(first, last, frozenset(inside)))

    def _narrow(self, window: _Window, result: Pass) -> None:
        """Halve a window: less may be within the source's means."""
        self._uncount(window, result)
        window.width = (window.end - window.at) // 2
        window.end = window.at + window.width
        window.expected, window.is_counted = None, False

    @staticmethod
    def _uncount(window: _Window, result: Pass) -> None:
        """Forget what was counted of a window that is now read in parts, counted anew."""
        if window.expected is not None and result.began is not None:
            result.began -= window.expected.number

    def _begin(self, window: _Window, at: int) -> None:
        window.at = window.previous = at
        window.end = min(at + window.width, self.last)
        window.expected, window.shown, window.is_counted = None, set(), False

    def ask(self, first: int, last: int, number: int = 1) -> Page:
        """Ask for a page of [first, last], and keep its posts."""
        page = self._ask_source(first, last, number)
        self.seen.update(page.found)
        return page

    def _ask(self, first: int, last: int, result: Pass, number: int = 1) -> Page:
        page = self.ask(first, last, number)
        if page.more and page.found and not _tells_how_far_it_reaches(page):
            # Nobody knows what lies behind it: a window that fits on a page needs no order.
            page = replace(page, whole=False)
        result.saw.update(page.found)
        return page

    def _read_second(self, at: int, result: Pass) -> set[str]:
        """Read the pages of one second that holds more than fits on one."""
        found: set[str] = set()
        for _ in range(MAX_SECOND_READINGS):
            found = set()
            page = Page({}, None, more=False)
            for number in range(1, self._page_cap + 1):
                page = self._ask(at, at, result, number)
                found.update(page.found)
                if not page.more or not page.found:
                    break
            else:
                break  # no page beyond these can be reached
            told = page.total.number if page.total and page.total.exact else 0
            if page.whole and len(found) >= told and (page.found or number > 1):
                return found
        result.problems.append(f"more {self._noun} at {_time(at)} than the {len(found)} given")
        return found


def _tells_how_far_it_reaches(page: Page) -> bool:
    """Return whether the page has posts with a time, and these in order."""
    seconds = [second for second in page.found.values() if second is not None]
    return bool(seconds) and seconds == sorted(seconds)


def _reached(page: Page, at: int, end: int) -> int:
    """Return the furthest second on the page, within the window."""
    seconds: Iterable[int] = (second for second in page.found.values() if second is not None)
    return min(end, max(seconds, default=at))


def _time(position: int) -> str:
    return from_epoch(abs(position)).isoformat()
