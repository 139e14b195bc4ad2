"""What a collection has brought: each post once, everything else counted."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from issue_pipeline.errors import (
    QuotaExhaustedError,
    TimeBudgetError,
    TransientError,
    UnexpectedReplyError,
)
from issue_pipeline.records import Post
from issue_pipeline.resources.collectors.collection_builder import (
    MAX_TITLE_CHARS,
    CollectionBuilder,
    Day,
    Item,
    Reader,
    ends_before,
    read_each,
    read_each_and_prove,
)

DAY = Day(date(2026, 3, 10))
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def identify(item: Item) -> tuple[str, datetime]:
    if "key" not in item:
        raise UnexpectedReplyError("no key")
    return item["key"], item.get("at", NOON)


def parse(item: Item) -> Post | str:
    if "refuse" in item:
        return item["refuse"]
    url = item.get("url", f"https://a.example/{item['key']}")
    return Post("github", url, item.get("title", ""), item.get("body", ""), identify(item)[1], 0, 0)


READER = Reader(identify, parse)


def built(*pages: list[Any], max_body_chars: int = 10, **settings: Any) -> CollectionBuilder:
    builder = CollectionBuilder(DAY, max_body_chars)
    for page in pages:
        builder.add_page(page, READER, **settings)
    return builder


def test_a_post_on_two_pages_is_taken_once():
    builder = built([{"key": "1"}, {"key": "2"}], [{"key": "2"}, {"key": "3"}])
    assert sorted(builder.posts) == ["1", "2", "3"]
    assert builder.fetched_count == 3


def test_what_is_left_out_is_counted_once_with_the_reason():
    builder = built([{"key": "1", "refuse": "pull request"}] * 2)
    assert builder.dropped == {"pull request": 1}
    assert builder.collection().complete


def test_a_post_of_another_day_is_counted_only_where_none_was_asked_for():
    elsewhen = {"key": "1", "at": NOON - timedelta(days=1)}
    assert built([elsewhen]).dropped == {"created on another day": 1}
    assert built([elsewhen], skip_other_days=True).fetched_count == 0


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "/r/pics/1",
        "https://",
        "http://[::1",
        "HTTP://a.example/1",
        "https://a.example:x/",
        "https://a.example/" + "a" * 5_000,
    ],
)
def test_a_post_without_a_web_address_leaves_the_day_incomplete(url):
    builder = built([{"key": "1", "url": url}, {"key": "2"}])
    assert list(builder.posts) == ["2"]
    assert builder.dropped == {"unreadable": 1}
    assert "web address" in builder.collection().reason


def test_an_endless_text_is_cut_and_counted():
    builder = built([{"key": "1", "title": "t" * 10_000, "body": "b" * 11}, {"key": "2"}])
    post = builder.posts["1"]
    assert (len(post.title), len(post.body)) == (MAX_TITLE_CHARS, 10)
    assert builder.collection().cut_count == 1


def test_an_item_that_cannot_be_read_leaves_the_day_incomplete_and_the_others_stored():
    builder = built([{"key": "1"}, {"broken": True}], [{"broken": True}, {"key": "2"}])
    collection = builder.collection()
    assert len(collection.posts) == 2
    assert collection.dropped == {"unreadable": 1}
    assert not collection.complete
    assert "no key" in collection.reason


def test_pages_of_nothing_that_can_be_read_are_no_pages():
    with pytest.raises(UnexpectedReplyError, match="no key"):
        built([], [{"broken": 1}, {"broken": 2}])


def test_a_page_of_nothing_that_can_be_read_after_a_good_one_costs_no_other_post():
    builder = built([{"key": "1"}], [{"broken": 1}], [{"key": "2"}])
    assert sorted(builder.posts) == ["1", "2"]
    assert builder.dropped == {"unreadable": 1}
    assert not builder.collection().complete


@pytest.mark.parametrize("error", [QuotaExhaustedError, TimeBudgetError])
def test_what_came_before_the_end_of_time_or_quota_is_kept(error):
    builder = built([{"key": "1"}, {"key": "2", "at": NOON + timedelta(hours=2)}])
    with builder.keeping_what_came():
        raise error("It is over.")
    collection = builder.collection()
    assert len(collection.posts) == 2
    assert not collection.complete
    assert collection.reason == (
        "It is over. Until then 2 posts were read, from 12:00:00 to 14:00:00 UTC"
    )


def test_nothing_at_all_is_a_failure_and_no_empty_day():
    builder = built()
    with pytest.raises(QuotaExhaustedError), builder.keeping_what_came():
        raise QuotaExhaustedError("It is over.")


def test_a_long_list_of_problems_is_told_in_short():
    builder = built()
    builder.problems += [f"problem {number}" for number in range(30)]
    assert builder.collection().reason.endswith("problem 4; 25 more problems")


def test_posts_come_in_the_order_of_time_whatever_the_pages():
    late, early = {"key": "1", "at": NOON + timedelta(hours=1)}, {"key": "2"}
    assert built([late, early]).collection() == built([early], [late]).collection()


@pytest.mark.parametrize(
    ("seconds", "ends"),
    [
        ([], False),
        ([9, 8, 7], False),
        ([9, 8, 4], True),
        ([1, 9, 8], False),  # an old one is pinned on top
        ([1, 9, 8, 4], False),  # and who knows what the next page brings
        ([9, 4, 8], False),
        ([4, 3, 3], True),
        ([3, 4, 1], True),
        ([None, 9, 4], True),
    ],
)
def test_a_page_in_any_order_ends_before_the_day_only_if_nothing_of_it_can_follow(seconds, ends):
    assert ends_before(5, {str(place): at for place, at in enumerate(seconds)}) is ends


def test_parts_of_a_source_that_were_not_reached_are_named():
    def read(name: str) -> None:
        if name == "b":
            raise QuotaExhaustedError("It is over.")
        builder.add_page([{"key": name}], READER)

    builder = built()
    with builder.keeping_what_came():
        read_each(["a", "b", "c"], read, builder)
    assert builder.collection().reason.startswith("not read to the end: b, c; It is over.")


class Parts:
    """Parts of a source, read in turn.

    Attributes:
        past: Those that show something later than the day.
        failing: Those whose second reading fails.
    """

    def __init__(self, *, past: str = "", failing: str = "") -> None:
        self.past, self.failing = past, failing
        self.reads: list[str] = []

    def read(self, name: str) -> bool:
        self.reads.append(name)
        if name in self.failing and self.reads.count(name) > 1:
            raise TransientError("It is down.")
        return name in self.past

    def prove(self, reason: str) -> tuple[list[str], list[str]]:
        """Read a, b and c; return what stays unproven, and the problems."""

        def elsewhere() -> str:
            self.reads.append("elsewhere")
            return reason

        builder = CollectionBuilder(DAY, 1_000)
        unproven, _ = read_each_and_prove("abc", self.read, elsewhere, builder)
        return unproven, builder.problems


@pytest.mark.parametrize(
    ("past", "elsewhere_is_past", "reads", "unproven"),
    [
        ("abc", True, ["a", "b", "c"], []),
        ("a", True, ["a", "b", "c"], []),
        ("", True, ["a", "elsewhere", "a", "b", "c"], []),
        ("c", True, ["a", "elsewhere", "a", "b", "c"], []),
        ("c", False, ["a", "elsewhere", "b", "c", "a", "b"], []),
        ("", False, ["a", "elsewhere", "b", "c"], ["a", "b", "c"]),
    ],
)
def test_only_what_was_read_after_the_source_showed_that_it_is_past_the_day_is_proven(
    past, elsewhere_is_past, reads, unproven
):
    parts = Parts(past=past)
    assert parts.prove("" if elsewhere_is_past else "It shows nothing.") == (unproven, [])
    assert parts.reads == reads


@pytest.mark.parametrize("reason", ["", "It shows nothing."])
def test_a_second_reading_that_fails_is_a_problem_of_the_part_alone(reason):
    assert Parts(past="c", failing="a").prove(reason) == ([], ["a: It is down."])
