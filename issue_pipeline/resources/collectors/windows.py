"""Reading a span of time whole, and saying whether it was.

A reading (:mod:`.passes`) is believed only with a proof, and no single reply is one:

- **Counted.** Where the source counts, it is asked once more, after the reading, how many posts
  there are. The span is whole if no count that it ever gave exceeds what was seen, and the last one
  agrees with it.
- **Read twice.** Where it does not count, or only estimates, a second reading must show itself what
  the first one showed, and nothing new.
- **Disturbed.** Where counts do not fit, the parts of the span that lack posts are asked for again
  (:mod:`.verification`), or all parts if these do not explain the difference: something came or
  went meanwhile. The span is whole as of the replies that prove its parts. A count that exceeds
  what was shown leaves it incomplete, with both numbers. One exception, for a source that counts
  posts which it hides: if several replies in favour of each part count and show the very same, and
  at most :data:`MAX_HIDDEN_SHARE` are missing, they are named as hidden. Where pages do not tell
  how many posts there are, the span is read a second time.
- **Empty.** That there is nothing is shown by the caller (``prove_empty``), not by empty replies.
- **Past.** A source that has not got to the end of the span agrees with itself all the time, may
  catch up while it is read, and may answer in turn from several copies, one of which lags behind.
  So one reply must show what follows the last post that was read, up to something later than the
  span (:class:`Beyond`), before the count or the second reading that proves the first one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from issue_pipeline.resources.collectors.passes import (
    MAX_REREADS,
    Ask,
    Page,
    Pass,
    SpanReader,
    Total,
)
from issue_pipeline.resources.collectors.verification import verify
from issue_pipeline.utils.missing_posts import too_many_missing

__all__ = [
    "MAX_REREADS",
    "Beyond",
    "Page",
    "Reading",
    "Total",
    "prove_empty_by_counts",
    "read_span",
]

# Readings of a span at most; two of them whole are enough to judge.
MAX_PASSES = 4
# Counts at most, while they are far below what was seen.
MAX_COUNTS = 5
# Posts that a source may count and never show.
MAX_HIDDEN_SHARE = 0.03
# Distance of the posts around an empty span, in days.
_NEIGHBOURHOODS_D = (1, 30, 365)
_DAY_S = 86_400

Count = Callable[[], Total | None]


@dataclass(frozen=True, slots=True)
class Beyond:
    """What a source shows from some position on.

    Attributes:
        found: Posts of the span, by key, with their second.
        is_past: Whether something later than the span came with them, so that these are all.
        reason: Why the source is not known to be past the span; ``""`` where it is, or where there
            was more than it could show.
    """

    found: Mapping[str, int | None] = field(default_factory=dict)
    is_past: bool = False
    reason: str = ""


@dataclass(slots=True)
class Reading:
    """What reading a span has shown.

    Attributes:
        seen: The keys of all posts found.
        announced: How many there are, as the source said last; ``None`` where it did not count.
        problems: Why something is missing.
        notes: What a whole span does not contain, and why it is whole nevertheless.
        hidden: Posts of a whole span that the source counts and does not show.
    """

    seen: set[str]
    announced: int | None
    problems: list[str]
    notes: list[str] = field(default_factory=list)
    hidden: int = 0


def read_span(
    ask: Ask,
    first: int,
    last: int,
    *,
    page_cap: int,
    noun: str,
    newest_first: bool = False,
    count: Count,
    must_count: bool = False,
    hides_some: bool = False,
    prove_empty: Callable[[], bool] | None = None,
    look_beyond: Callable[[int], Beyond] = lambda _since: Beyond(is_past=True),
) -> Reading:
    """Read every post of [first, last].

    Args:
        ask: Reads one page; keeps the posts itself.
        first: First second of the span.
        last: Last second of the span.
        page_cap: Pages that can be reached of one window, for a crowded second.
        noun: What messages call the posts, with the source's name.
        newest_first: The order in which pages come.
        count: Asks how many posts the span holds, once more, after it was read; returns ``None``
            where the source does not say.
        must_count: Whether the span is incomplete if the source does not say.
        hides_some: Whether the source may count posts that it never shows.
        prove_empty: Returns whether the span is known to hold nothing; asked when nothing was
            given. Without it, replies that agree are enough.
        look_beyond: Asks for what the source has from a second on, that of the last post known.
            Asked after a reading and before what proves it, until it is past the span.
    """
    if newest_first:
        reader = SpanReader(_mirrored(ask), -last, -first, page_cap, noun)
    else:
        reader = SpanReader(ask, first, last, page_cap, noun)
    judge = _Judge(reader, noun, count, must_count, hides_some, prove_empty, look_beyond)
    return judge.read()


def _mirrored(ask: Ask) -> Ask:
    def ask_backwards(first: int, last: int, page: int) -> Page:
        reply = ask(-last, -first, page)
        found = {key: None if at is None else -at for key, at in reply.found.items()}
        return replace(reply, found=found)

    return ask_backwards


@dataclass(slots=True)
class _Judge:
    """Reads and counts until the span is proven whole, or cannot be.

    Attributes:
        told: The largest exact count given before the last one.
        last: The last count, if any.
        not_past: Why the source is not known to be past the span; ``None`` until that is known.
        was_verified: Whether its parts were asked for again.
        unproven: Parts of which replies did not agree.
    """

    reader: SpanReader
    noun: str
    count: Count
    must_count: bool
    hides_some: bool
    prove_empty: Callable[[], bool] | None
    look_beyond: Callable[[int], Beyond]
    passes: list[Pass] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hidden: int = 0
    told: int = 0
    last: Total | None = None
    not_past: str | None = None
    was_verified: bool = False
    unproven: int = 0

    def read(self) -> Reading:
        for _ in range(MAX_PASSES):
            if self.last is not None and self.last.exact:
                self.told = max(self.told, self.last.number)
            before = set(self.reader.seen)
            one = self.reader.read()
            self.told = max(self.told, one.began or 0)
            self.passes.append(one)
            if one.problems:
                # A crowded second, or one in which the source cannot look everywhere, has been
                # tried often enough; what was not given again may come the next time.
                break
            if self.not_past is None:
                self._look_beyond()
            self._ask_how_many()
            if (
                self.not_past is not None
                and one.is_whole
                and (self._is_whole(before) or self._is_verified(one))
            ):
                return self._reading([self.not_past] if self.not_past else [])
            if self._is_final():
                break
        return self._reading(self._problems())

    def _is_verified(self, one: Pass) -> bool:
        """Ask again for the parts that lack posts; return whether every post was shown or hidden.

        Where pages tell how many posts there are, this replaces another reading.
        """
        last, seen = self.last, len(self.reader.seen)
        if one.began is None or last is None or not last.exact or not self._is_near(last.number):
            return False
        told = max(self.told, last.number)
        doubtful = [part for part in one.parts if part.missing or not part.is_counted]
        is_explained = (
            last.number == self.told
            and told - seen == sum(part.missing for part in one.parts)
            and not any(part.came for part in one.parts)
        )
        if len(self.passes) < 2 and not is_explained and too_many_missing(told - seen, told):
            return False  # so much is new that it is read like the first time
        self.was_verified = True
        # With a look beyond the span and a count: no more than twice what an undisturbed one costs.
        budget = len(one.parts) + 2
        parts = doubtful if is_explained else one.parts
        verified = verify(self.reader, parts, hides_some=self.hides_some, budget=budget)
        if is_explained and verified.surprises:
            # Something came or went just so that the numbers fitted: no part is beyond doubt.
            is_explained = False
            verified = verify(self.reader, one.parts, hides_some=self.hides_some, budget=budget)
        self.unproven = verified.unproven
        seen, hidden = len(self.reader.seen), verified.hidden
        if verified.unproven or told > seen + hidden or hidden > MAX_HIDDEN_SHARE * (seen + hidden):
            return False
        self.hidden = hidden
        if hidden:
            self.notes.append(
                f"{seen + hidden} {self.noun} counted, {seen} given: {hidden} hidden by the source,"
                f" missing in {verified.readings} replies each"
            )
        if not is_explained:
            self.last = Total(verified.counted)
            if verified.counted != self.told:
                self.notes.append(
                    f"{self.noun} came or went while they were read; whole as of"
                    f" {verified.counted}, after {self.told}"
                )
        return True

    def _look_beyond(self) -> None:
        """See whether the source is past the span, and whether it has more at its end."""
        reader = self.reader
        seconds = [abs(at) for at in reader.seen.values() if at is not None]
        beyond = self.look_beyond(max(seconds, default=min(abs(reader.first), abs(reader.last))))
        sign = -1 if reader.last < 0 else 1
        reader.seen.update(
            (key, None if at is None else sign * at) for key, at in beyond.found.items()
        )
        if beyond.is_past or beyond.reason:
            self.not_past = beyond.reason

    def _ask_how_many(self) -> None:
        """Count; again while the source counts far less than it showed, for that cannot be."""
        for _ in range(MAX_COUNTS):
            self.last = self.count()
            if self.last is None:
                if not self.must_count:
                    return
            elif not self.last.exact or not self.reader.seen or self._is_near(self.last.number):
                return

    def _is_near(self, count: int) -> bool:
        """Return whether a count may be that of what was seen, but for posts deleted meanwhile."""
        seen = len(self.reader.seen)
        return count > 0 and not too_many_missing(seen - count, seen)

    def _is_whole(self, before: set[str]) -> bool:
        seen = len(self.reader.seen)
        if not seen:
            return self._is_empty()
        if self.last is None and self.must_count:
            return False
        one, last = self.passes[-1], self.last
        is_counted = one.began is None or all(part.is_counted for part in one.parts)
        if last is not None and one.is_steady and is_counted and last.number == seen >= self.told:
            return True
        if len(self.passes) < 2:
            return False
        if last is None or not last.exact:
            return self._is_confirmed(before)
        return last.number <= seen >= self.told and self._is_near(last.number)

    def _is_confirmed(self, before: set[str]) -> bool:
        """Return whether the last reading showed itself what is known, and nothing new."""
        one, earlier = self.passes[-1], self.passes[-2]
        gone = before - one.saw
        if not one.saw or one.saw - before:
            return False
        # What two readings do not show any more has been deleted meanwhile.
        return not gone or (
            len(self.passes) > 2
            and one.saw >= earlier.saw & before
            and not earlier.saw & gone
            and not too_many_missing(len(gone), len(before))
        )

    def _is_empty(self) -> bool:
        if self.told or (self.last is not None and self.last.exact and self.last.number):
            return False
        return self.prove_empty() if self.prove_empty else True

    def _is_final(self) -> bool:
        """Return whether another reading would not change the judgement."""
        if self.was_verified:
            return True
        whole = sum(one.is_whole for one in self.passes)
        counted = self.last is not None and self.last.exact
        return whole >= 2 and (counted or not self.reader.seen)

    def _problems(self) -> list[str]:
        one, seen = self.passes[-1], len(self.reader.seen)
        if one.problems:
            return list(dict.fromkeys(one.problems))
        last = self.last.number if self.last and self.last.exact else 0
        counted = max(self.told, last)
        if counted > seen:
            return [
                f"{counted - seen} {self.noun} were announced and not given: {counted} counted,"
                f" {seen} given"
            ]
        if one.cut:
            return [one.cut]
        if self.unproven:
            return [f"replies about {self.unproven} parts of the {self.noun} did not agree"]
        if not seen:
            return [f"no {self.noun} were given, and nothing shows that there are none"]
        if self.last is None and self.must_count:
            return [f"{seen} {self.noun} were given, and how many there are was not told"]
        if self.last is not None and self.last.exact:
            return [f"{last} {self.noun} counted in the end, {seen} given"]
        return [f"the {self.noun} kept changing while they were read"]

    def _reading(self, problems: list[str]) -> Reading:
        announced = self.last.number if self.last and self.last.exact else self.told or None
        seen = set(self.reader.seen)
        if problems:
            return Reading(seen, announced, problems)
        return Reading(seen, announced, [], self.notes, self.hidden)


def prove_empty_by_counts(count: Callable[[int, int], Total | None], first: int, last: int) -> bool:
    """Return whether counts around a span leave nothing for it.

    A reply that is empty by mistake can make any count too small, so none of them is believed by
    itself: what is counted from before the span to behind it must be more than nothing, and just
    what is counted before and behind.

    Args:
        count: Counts the posts of [first second, last second].
        first: First second of the span.
        last: Last second of the span.
    """
    for days in _NEIGHBOURHOODS_D:
        around = (first - days * _DAY_S, last + days * _DAY_S)
        spans = (around, (around[0], first - 1), (last + 1, around[1]))
        for _ in range(2):
            totals = [count(*span) for span in spans]
            if any(total is None or not total.exact for total in totals):
                return False
            whole, before, behind = (total.number for total in totals if total)
            if whole and whole == before + behind:
                return True
            if whole or before or behind:
                continue
            break
        else:
            return False
    return False
