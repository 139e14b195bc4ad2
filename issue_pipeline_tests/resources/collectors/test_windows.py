"""Reading a span whole, from sources that give it in parts, change meanwhile, or hide things."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import pytest

from issue_pipeline.resources.collectors.passes import EMPTY_REPLIES
from issue_pipeline.resources.collectors.windows import (
    Beyond,
    Page,
    Reading,
    Total,
    read_span,
)

SIZE = 10
PAGES = 3
FIRST, LAST = 1_000, 1_999


@dataclass
class Source:
    """Posts by name, given ten at a time in the order of their seconds."""

    posts: dict[str, int]
    newest_first: bool = False
    # The total that the source tells of a number of posts.
    tells: Callable[[int], Total | None] = Total
    asked: list[tuple[int, int, int]] = field(default_factory=list)
    # May hide or add posts, given the number of the request and the posts of its window.
    meddle: Callable[[int, list[str]], Iterable[str]] = lambda number, names: names
    # Whether a request is answered as one that could not look everywhere.
    blind: Callable[[int, int], bool] = lambda first, last: False

    def ask(self, first: int, last: int, page: int) -> Page:
        self.asked.append((first, last, page))
        order = sorted(self.posts, key=lambda name: (self.posts[name], name))
        there = [name for name in order if first <= self.posts[name] <= last]
        if self.newest_first:
            there.reverse()
        shown = there[(page - 1) * SIZE : page * SIZE]
        second_of = dict(self.posts)
        shown = list(self.meddle(len(self.asked), shown))
        return Page(
            {name: second_of[name] for name in shown},
            self.tells(len(there)),
            more=len(there) > (page - 1) * SIZE + len(shown),
            whole=not self.blind(first, last),
        )

    def read(self) -> Reading:
        return read_span(
            self.ask,
            FIRST,
            LAST,
            page_cap=PAGES,
            noun="things",
            newest_first=self.newest_first,
            count=lambda: self.tells(len(self.posts)),
        )


def names(*seconds: int) -> dict[str, int]:
    return {f"post {number}": second for number, second in enumerate(seconds)}


SPREAD = names(*range(FIRST, LAST + 1, 4))  # 250 posts
CROWDED = names(*[1_000] * 3, *[1_500] * 25, *[1_501] * 9, *[1_999] * 4)


def nothing(count: int) -> None:
    return None


def an_estimate(count: int) -> Total:
    return Total(count, exact=False)


def a_bad_estimate(count: int) -> Total:
    return Total(count // 2, exact=False)


TOLD = [Total, an_estimate, a_bad_estimate, nothing]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("tells", TOLD)
@pytest.mark.parametrize("posts", [{}, names(1_500), SPREAD, CROWDED], ids=str)
def test_every_post_is_read(posts, tells, newest_first):
    source = Source(posts, newest_first, tells)
    reading = source.read()
    assert reading.seen == set(posts)
    assert reading.problems == []
    assert reading.announced == (len(posts) if tells is Total else None)


@pytest.mark.parametrize("tells", [Total, an_estimate, nothing])
def test_hardly_more_is_asked_for_than_there_are_pages(tells):
    source = Source(SPREAD, tells=tells)
    source.read()
    readings = 1 if tells(0) else 2  # a source that counts nothing is read twice
    assert len(source.asked) <= readings * (1.3 * 25 + 8)


@pytest.mark.parametrize("newest_first", [False, True])
def test_more_posts_of_one_second_than_can_be_reached_are_missed_and_told(newest_first):
    posts = names(1_001, *[1_500] * 40, 1_600)
    reading = Source(posts, newest_first).read()
    assert len(reading.seen) == 2 + SIZE * PAGES
    (problem,) = reading.problems
    assert problem == "more things at 1970-01-01T00:25:00+00:00 than the 30 given"


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("when", range(1, 12))
def test_posts_that_vanish_take_no_others_with_them(when, newest_first):
    posts = dict(SPREAD)
    stays = {name for name in posts if int(name.split()[1]) % 7}

    def vanish(number: int, shown: list[str]) -> list[str]:
        if number == when:
            for name in posts.keys() - stays:
                del source.posts[name]
        return shown

    source = Source(posts, newest_first, meddle=vanish)
    reading = source.read()
    assert stays <= reading.seen
    # What was counted once and never seen is told, with both numbers.
    seen = len(reading.seen)
    told = f"{250 - seen} things were announced and not given: 250 counted, {seen} given"
    assert reading.problems == ([told] if seen < 250 else [])


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("when", range(1, 26))
def test_posts_that_come_into_the_index_meanwhile_are_read(when, newest_first):
    source = Source(dict(SPREAD), newest_first)

    def appear(number: int, shown: list[str]) -> list[str]:
        if number == when:
            source.posts |= {f"late {second}": second for second in (1_001, 1_400, 1_998)}
        return shown

    source.meddle = appear
    reading = source.read()
    assert reading.seen == set(source.posts)
    assert reading.problems == []


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("which", range(1, 25))
def test_a_post_missing_from_one_reply_is_found_again(which, newest_first):
    source = Source(
        SPREAD, newest_first, meddle=lambda n, shown: shown[1:] if n == which else shown
    )
    reading = source.read()
    assert reading.seen == set(SPREAD)
    assert reading.problems == []


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("tells", [an_estimate, a_bad_estimate])
@pytest.mark.parametrize("which", range(1, 25, 4))
def test_where_numbers_are_estimates_a_post_missing_from_one_reply_is_found_again(
    which, tells, newest_first
):
    def leave_out(number: int, shown: list[str]) -> list[str]:
        return shown[:3] + shown[4:] if number == which else shown

    source = Source(SPREAD, newest_first, tells, meddle=leave_out)
    reading = source.read()
    assert reading.seen == set(SPREAD)
    assert reading.problems == []


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("tells", TOLD)
@pytest.mark.parametrize("which", [1, 2, 13, 24])
def test_an_empty_reply_in_place_of_a_page_hides_no_post(which, tells, newest_first):
    source = Source(SPREAD, newest_first, tells)

    def ask(first: int, last: int, page: int) -> Page:
        reply = Source.ask(source, first, last, page)
        return Page({}, tells(0), more=False) if len(source.asked) == which else reply

    reading = read_span(
        ask,
        FIRST,
        LAST,
        page_cap=PAGES,
        noun="things",
        newest_first=newest_first,
        count=lambda: tells(len(SPREAD)),
    )
    assert reading.seen == set(SPREAD)
    assert reading.problems == []


@pytest.mark.parametrize("tells", TOLD)
def test_a_source_that_takes_back_what_it_showed_is_told(tells):
    """From the second page on there is nothing any more, however often it is asked."""
    source = Source(SPREAD, tells=tells)

    def ask(first: int, last: int, page: int) -> Page:
        return Source.ask(source, first, last, page) if first == FIRST else Page({}, None, False)

    reading = read_span(
        ask, FIRST, LAST, page_cap=PAGES, noun="things", count=lambda: tells(len(SPREAD))
    )
    (problem,) = reading.problems
    assert "not given" in problem


@pytest.mark.parametrize("tells", TOLD)
def test_that_there_is_nothing_takes_several_replies(tells):
    asked: list[str] = []

    def ask(first: int, last: int, page: int) -> Page:
        asked.append("a page")
        return Page({}, tells(0), more=False)

    def count() -> Total | None:
        total = tells(0)
        asked.extend(["a number"] if total else [])
        return total

    reading = read_span(ask, FIRST, LAST, page_cap=PAGES, noun="things", count=count)
    assert (reading.seen, reading.problems) == (set(), [])
    assert asked[:3] == ["a page"] * EMPTY_REPLIES


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_post_that_is_announced_but_never_shown_is_told(newest_first):
    hidden = "post 77"
    source = Source(
        SPREAD, newest_first, meddle=lambda n, shown: [name for name in shown if name != hidden]
    )
    reading = source.read()
    assert reading.seen == set(SPREAD) - {hidden}
    assert any("1 things" in problem for problem in reading.problems)
    assert len(source.asked) <= 2 * (25 + 5)


def test_a_source_that_cannot_look_everywhere_is_asked_for_less_at_a_time():
    source = Source(SPREAD, blind=lambda first, last: last - first > 100)
    reading = source.read()
    assert reading.seen == set(SPREAD)
    assert reading.problems == []
    assert len(source.asked) <= 3 * 25


def test_one_second_that_cannot_be_read_costs_no_other():
    posts = names(1_100, 1_200, 1_300)
    source = Source(posts, blind=lambda first, last: first <= 1_200 <= last)
    reading = source.read()
    assert reading.seen == set(posts)  # what an incomplete answer brings is kept
    (problem,) = reading.problems
    assert problem == "the things at 1970-01-01T00:20:00+00:00 cannot be read"


def test_a_source_that_never_looks_everywhere_is_given_up():
    source = Source(SPREAD, blind=lambda first, last: True)
    reading = source.read()
    assert any(problem.startswith("given up") for problem in reading.problems)
    assert len(source.asked) < 30


def test_a_stretch_of_posts_without_a_time_hides_no_other():
    timeless = {name for name, second in SPREAD.items() if 1_400 <= second < 1_600}
    source = Source(SPREAD)

    def ask(first: int, last: int, page: int) -> Page:
        reply = source.ask(first, last, page)
        found = {name: None if name in timeless else at for name, at in reply.found.items()}
        return replace(reply, found=found)

    reading = read_span(
        ask, FIRST, LAST, page_cap=PAGES, noun="things", count=lambda: Total(len(SPREAD))
    )
    assert reading.seen == set(SPREAD)
    assert reading.problems == []
    assert len(source.asked) <= 100


def test_a_source_that_gives_nothing_and_promises_more_is_given_up():
    asked: list[int] = []

    def ask(first: int, last: int, page: int) -> Page:
        asked.append(page)
        return Page({}, None, more=True, whole=False)

    reading = read_span(ask, FIRST, LAST, page_cap=PAGES, noun="things", count=lambda: None)
    assert reading.problems
    assert len(asked) < 50


@pytest.mark.parametrize("tells", [Total, nothing])
@pytest.mark.parametrize("problem", ["", "it has not got so far"])
def test_whether_the_source_is_past_the_span_is_asked_once_and_before_what_proves_it(
    tells, problem
):
    """It stops in the middle of the span, and has caught up as soon as it is asked for more."""
    source = Source({name: at for name, at in SPREAD.items() if at < 1_500}, tells=tells)
    looks: list[int] = []

    def look(since: int) -> Beyond:
        looks.append(len(source.asked))
        source.posts = dict(SPREAD)
        return Beyond(is_past=not problem, reason=problem)

    reading = read_span(
        source.ask,
        FIRST,
        LAST,
        page_cap=PAGES,
        noun="things",
        count=lambda: source.tells(len(source.posts)),
        look_beyond=look,
    )
    assert len(looks) == 1
    assert reading.seen == set(SPREAD)
    assert reading.problems == ([problem] if problem else [])
