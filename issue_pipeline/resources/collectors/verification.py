"""Proving the parts of a span one by one, where the numbers of a whole reading do not fit.

A part is no more than fits on a page, so one reply holds both its posts and their number. It is
proven by a single reply that shows all that is known of it, and as many posts as it counts. Where
replies count more than they show, two things look alike: posts that the source counts and shows to
nobody, and a post that happens to be left out. They differ when asked again: what was left out by
mistake comes up, what is hidden never does. So several replies must count and show the very same.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from issue_pipeline.resources.collectors.passes import EMPTY_REPLIES, Page, Part, SpanReader
from issue_pipeline.utils.missing_posts import too_many_missing

# Replies that must agree on what a part lacks, the first reading's included. That the same post is
# left out again is the less probable the more there are to choose from: at least so many replies,
# by the posts of the part, and one column if the source was seen to leave out posts by mistake.
_AGREEING = ((50, 2, 3), (10, 3, 5), (0, 4, 8))
# More than that only where so many are needed.
MAX_AGREEING = 5
# Replies that must agree that known posts have gone.
AGREEING_ON_GONE = 2
# Requests for one part, until no reply is expected to settle it.
MAX_REQUESTS = 20


@dataclass(slots=True)
class Verified:
    """What asking for parts again has shown.

    Attributes:
        counted: Posts of these parts, by the replies that proved them.
        hidden: Those of them that the source counts and does not show.
        readings: In how many replies all of these were missing, at least.
        unproven: Parts of which replies did not agree.
        surprises: Parts that hold another number of posts than the reading told.
    """

    counted: int = 0
    hidden: int = 0
    readings: int = 0
    unproven: int = 0
    surprises: int = 0


def verify(reader: SpanReader, parts: Sequence[Part], *, hides_some: bool, budget: int) -> Verified:
    """Ask for parts of a span again, until each is proven or no reply is expected to prove it.

    Args:
        reader: Has read the span, and keeps what comes.
        parts: Of that reading.
        hides_some: Whether the source may count posts that it never shows.
        budget: Requests that may be spent, where the least that is needed costs no more.
    """
    return _Verifier(reader, hides_some, budget).verify(parts)


@dataclass(slots=True)
class _Doubt:
    """A part of which it is not known yet whether it was shown whole.

    Attributes:
        first: Its first position.
        last: Its last position.
        known: The keys of all posts of it that were ever shown.
        requests: For it.
        expected: How many posts the reading told; ``None`` where it did not.
        told: What the last good reply counted, and the keys that it showed; ``None`` before it.
    """

    first: int
    last: int
    known: set[str]
    requests: int = 0
    expected: int | None = None
    told: tuple[int, frozenset[str]] | None = None
    _replies: Counter[tuple[int, frozenset[str]]] = field(default_factory=Counter)

    def add(self, number: int, shown: frozenset[str]) -> None:
        """Note what a reply counted and showed."""
        self.told = number, shown
        self._replies[self.told] += 1
        self.known |= shown

    @property
    def agreeing(self) -> int:
        """Replies that counted and showed what the last one did."""
        return self._replies[self.told] if self.told else 0

    @property
    def short(self) -> int:
        """Posts that the last reply counted and did not show."""
        return self.told[0] - len(self.told[1]) if self.told else 0

    @property
    def lacking(self) -> int:
        """Known posts that the last reply did not show."""
        return len(self.known - self.told[1]) if self.told else 0

    def is_settled(self, enough: int) -> bool:
        """Return whether replies tell what the part holds, if so many must agree on a gap."""
        if self.told is None or too_many_missing(self.lacking, len(self.known)):
            return False
        if self.short:
            return self.agreeing >= enough
        if not self.told[1]:
            return self.agreeing >= EMPTY_REPLIES
        # A reply that shows all it counts and all that is known needs no other. What is known and
        # not shown any more was deleted, if two replies say so.
        return not self.lacking or self.agreeing >= AGREEING_ON_GONE


@dataclass(slots=True)
class _Verifier:
    reader: SpanReader
    hides_some: bool
    budget: int
    is_careless: bool = False
    result: Verified = field(default_factory=Verified)

    def verify(self, parts: Sequence[Part]) -> Verified:
        known = sorted((at, key) for key, at in self.reader.seen.items() if at is not None)
        doubts: list[_Doubt] = []
        for part in parts:
            low, high = (bisect_left(known, (at, "")) for at in (part.first, part.last + 1))
            keys = {key for _, key in known[low:high]}
            expected = part.told if part.is_counted else None
            doubt = _Doubt(part.first, part.last, keys, expected=expected)
            if part.is_crowded:  # its numbered pages were read until they were whole
                self.result.counted += len(part.shown)
                self.result.surprises += part.missing > 0
                continue
            if part.missing:
                doubt.add(part.told, part.shown)
            doubts += self._ask(doubt)
        # Whether the source leaves out posts by mistake shows in others first.
        doubts = [doubt for doubt in doubts if doubt.short or not self._is_proven(doubt, 0)]
        each = max(0, self.budget) // max(1, len(doubts))
        while doubts:
            doubt = doubts.pop()
            if self._is_proven(doubt, max(min(MAX_AGREEING, 2 + each), self._least(doubt))):
                continue
            if doubt.requests >= MAX_REQUESTS:
                self.result.unproven += 1
            else:
                doubts += self._ask(doubt)
        return self.result

    def _least(self, doubt: _Doubt) -> int:
        """Return how many replies must agree at least on what a part lacks."""
        return next(
            careless if self.is_careless else careful
            for posts, careful, careless in _AGREEING
            if len(doubt.known) >= posts
        )

    def _ask(self, doubt: _Doubt) -> list[_Doubt]:
        """Ask for what is in doubt once more; return it, or its halves if it is too large."""
        page = self._page(doubt, 1)
        found, total = frozenset(page.found), page.total
        if not page.whole or total is None or not total.exact:
            return [doubt]
        if page.overflows and total.number > len(found):
            second = self._page(doubt, 2)
            found |= frozenset(second.found)
            if not second.whole or second.total != total:
                return [doubt]
            if second.overflows and total.number > len(found):
                return self._halves(doubt)
        if total.number < len(found) or (doubt.known and not found):
            return [doubt]  # no answer to what was asked
        came_up = doubt.short > 0 and not found <= doubt.known
        doubt.add(total.number, found)
        # A reply has posts that one before it left out, or the other way round.
        self.is_careless |= came_up or (doubt.short > 0 and doubt.lacking > 0)
        return [doubt]

    def _page(self, doubt: _Doubt, number: int) -> Page:
        self.budget -= 1
        doubt.requests += 1
        return self.reader.ask(doubt.first, doubt.last, number)

    def _is_proven(self, doubt: _Doubt, enough: int) -> bool:
        """Return whether a part needs no more replies, and add it to the result then."""
        if doubt.told is None or not doubt.is_settled(enough):
            return False
        if doubt.short and not self.hides_some:
            self.result.unproven += 1
            return True
        self.result.counted += doubt.told[0]
        self.result.surprises += doubt.expected not in (None, doubt.told[0])
        if doubt.short:
            self.result.hidden += doubt.short
            fewest = self.result.readings or doubt.agreeing
            self.result.readings = min(fewest, doubt.agreeing)
        return True

    def _halves(self, doubt: _Doubt) -> list[_Doubt]:
        """Cut what does not fit on two pages."""
        if doubt.first == doubt.last:
            doubt.requests = MAX_REQUESTS
            return [doubt]
        middle = (doubt.first + doubt.last) // 2
        halves = ((doubt.first, middle), (middle + 1, doubt.last))
        seen = self.reader.seen
        return [
            _Doubt(
                first,
                last,
                {key for key in doubt.known if first <= (seen[key] or 0) <= last},
                doubt.requests,
            )
            for first, last in halves
        ]
