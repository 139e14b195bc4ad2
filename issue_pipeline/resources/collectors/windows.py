"""Reading a span of time whole through an API that gives only so much at a time.

The three searches (GitHub, Stack Exchange, Algolia) give the posts of a window in order of time,
some hundreds at most. Paging by number would skip posts whenever an earlier one vanishes between
two pages. So only the first page of a window is ever read, and the next window begins at the second
where that page ended: what was read lies behind, and nothing that happens there can hide what lies
ahead. Where the source announces how many posts a window holds, the numbers of two neighbouring
windows must add up; where they do not, the former is read again. So it is where a window lacks all
posts of the second at which it begins, which were just seen: such a reply cannot be true. Where the
numbers still do not add up, for posts come and go meanwhile, or are estimates that do not fit, the
whole span is read again until that brings nothing new. That a span is empty takes two replies.

Positions are seconds since 1970 in the direction of reading; for a source that gives the newest
first they are negative, so that reading always goes up.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from issue_pipeline.resources.collectors.parsing import from_epoch

# How often a page that does not add up is read again before it is reported, and a whole span.
MAX_REREADS = 3
MAX_PASSES = 5
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
        """Give the total of a window that holds so many posts fewer."""
        return replace(self, number=self.number - count)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a window.

    Attributes:
        found: Every post on it, by key, with its second; ``None`` where that cannot be read.
        total: How many posts the window holds, where the source says so.
        more: Whether the window may hold posts beyond this page.
        whole: ``False`` where the source itself says that it could not look everywhere.
    """

    found: Mapping[str, int | None]
    total: Total | None
    more: bool
    whole: bool = True


# The page of a window (first second, last second, page from 1), both seconds included.
Ask = Callable[[int, int, int], Page]


@dataclass(slots=True)
class Reading:
    """What reading a span has shown.

    Attributes:
        seen: The keys of all posts found.
        announced: How many there are, as the source said last; ``None`` where it did not count.
        problems: Why something is missing.
    """

    seen: set[str]
    announced: int | None
    problems: list[str]


def read_span(
    ask: Ask,
    first: int,
    last: int,
    *,
    page_cap: int,
    noun: str,
    newest_first: bool = False,
    count: Callable[[], Total | None],
) -> Reading:
    """Read every post of [first, last].

    Args:
        ask: Reads one page; keeps the posts itself.
        first: First second of the span.
        last: Last second of the span.
        page_cap: Pages that can be reached of one window, for a crowded second.
        noun: What messages call the posts, with the source's name.
        newest_first: The order in which pages come.
        count: Asks how many posts the span holds, once more, after it was read; gives ``None``
            where the source does not say.
    """
    if newest_first:
        span = _Span(_mirrored(ask), -last, -first, page_cap, noun)
    else:
        span = _Span(ask, first, last, page_cap, noun)
    for number in range(MAX_PASSES):
        known = len(span.seen)
        span.read()
        if span.problems or (span.pages == 1 and span.seen and span.adds_up()):
            break
        # Once more, for posts that came into the source's index while it was read.
        span.announced = count()
        if span.adds_up() or (number and len(span.seen) == known):
            break  # where numbers do not settle, a pass that brings nothing new does
    else:
        span.problems.append(f"the {noun} kept changing while they were read")
    total = span.announced
    return Reading(span.seen, total.number if total and total.exact else None, span.problems)


def _mirrored(ask: Ask) -> Ask:
    def ask_backwards(first: int, last: int, page: int) -> Page:
        reply = ask(-last, -first, page)
        found = {key: None if at is None else -at for key, at in reply.found.items()}
        return replace(reply, found=found)

    return ask_backwards


class _Span:
    """The state of reading one span."""

    def __init__(self, ask: Ask, first: int, last: int, page_cap: int, noun: str) -> None:
        self.seen: set[str] = set()
        self.pages = 0
        self._is_steady = True
        self.announced: Total | None = None
        self.problems: list[str] = []
        self._ask_source = ask
        self._first = first
        self._last = last
        self._page_cap = page_cap
        self._noun = noun

    def read(self) -> None:
        """Go through the span once.

        Whatever lies before ``at`` has been read. Of the window [at, end] the first page is asked
        for; ``expected`` posts should be in it, going by the page before, which began at
        ``previous``, and those of ``shown`` if that page ended in the window's first second.
        """
        at = previous = self._first
        end, width = self._last, self._last - self._first
        expected: Total | None = None
        shown: set[str] = set()
        rereads = Counter[int]()
        self._is_steady = True
        blind_seconds = 0
        while at <= self._last:
            page = self._ask(at, end)
            missing = 0
            if expected is not None and page.total is not None:
                difference = expected.number - page.total.number
                self._is_steady &= difference == 0
                missing = difference if expected.exact and page.total.exact else 0
            if shown and shown.isdisjoint(page.found):
                self._is_steady = False
                missing = max(missing, len(shown))
            if not page.whole and at < end:
                # A narrower window may be within the source's means.
                width = (end - at) // 2
                end, expected = at + width, None
            elif not page.whole:
                blind_seconds += 1
                if blind_seconds == MAX_BLIND_SECONDS:
                    self.problems.append(f"given up at {_time(at)}: no {self._noun} beyond")
                    return
                self.problems.append(f"the {self._noun} at {_time(at)} cannot be read")
                at = previous = at + 1
                end, expected, shown = min(at + width, self._last), None, set()
            elif missing > 0 and rereads[at] < MAX_REREADS:
                rereads[at] += 1
                at, expected, shown = previous, None, set()
            else:
                if missing > 0:
                    self.problems.append(
                        f"{missing} {self._noun} from {_time(previous)} to {_time(at)} were"
                        " announced and not given"
                    )
                if not page.more:
                    width = 2 * width + 1
                    at = previous = end + 1
                    end, expected, shown = min(at + width, self._last), None, set()
                elif (reached := _reached(page, at, end)) > at:
                    behind = sum(second is None or second < reached for second in _seconds(page))
                    expected = page.total and page.total.without(behind)
                    shown = {key for key, second in page.found.items() if second == reached}
                    previous, at = at, reached
                else:
                    self._read_second(at)
                    at = previous = at + 1
                    expected, shown = None, set()

    def adds_up(self) -> bool:
        """Tell whether all numbers told while the span was read fit what was found.

        Posts that appear can hide that others were left out: only if none does, numbers prove it.
        A source that tells no numbers is believed when it gives posts, not when it gives none.
        """
        if self.announced is None:
            return self._is_steady and bool(self.seen)
        return self._is_steady and self.announced.number == len(self.seen)

    def _ask(self, first: int, last: int, number: int = 1) -> Page:
        page = self._ask_source(first, last, number)
        if page.more and not _tells_how_far_it_reaches(page):
            # Nobody knows what lies behind it: a window that fits on a page needs no order.
            page = replace(page, whole=False)
        self.pages += 1
        self.seen.update(page.found)
        if (first, last) == (self._first, self._last) and page.whole:
            self.announced = page.total
        return page

    def _read_second(self, at: int) -> None:
        """Read the pages of one second that holds more than fits on one."""
        for _ in range(MAX_REREADS):
            found: set[str] = set()
            for number in range(1, self._page_cap + 1):
                page = self._ask(at, at, number)
                found.update(page.found)
                if not page.more or not page.found:
                    break
            else:
                break  # no page beyond these can be reached
            told = page.total.number if page.total and page.total.exact else 0
            if page.whole and not page.more and len(found) >= told:
                return
        self.problems.append(f"more {self._noun} at {_time(at)} than the {len(found)} given")


def _seconds(page: Page) -> Iterable[int | None]:
    return page.found.values()


def _tells_how_far_it_reaches(page: Page) -> bool:
    """Tell whether the page has posts with a time, and these in order."""
    seconds = [second for second in _seconds(page) if second is not None]
    return bool(seconds) and seconds == sorted(seconds)


def _reached(page: Page, at: int, end: int) -> int:
    """Give the furthest second on the page, within the window."""
    return min(end, max((second for second in _seconds(page) if second is not None), default=at))


def _time(position: int) -> str:
    return from_epoch(abs(position)).isoformat()
