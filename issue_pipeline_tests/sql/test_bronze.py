"""Bronze: a complete collection replaces its source-day, an incomplete one only adds."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from issue_pipeline.records import Collection, Item, LedgerEntry, Post
from issue_pipeline.sql import bronze, silver

DAY = date(2026, 3, 10)
NEXT_DAY = date(2026, 3, 11)
STARTED = datetime(2026, 3, 12, 1, 0, tzinfo=UTC)
FINISHED = STARTED + timedelta(minutes=2)


def a_post(name: str, **given: object) -> bronze.KeyedPost:
    """A post whose hash begins with its name, so that names give the order."""
    post = Post(
        source="reddit",
        url=f"https://www.reddit.com/r/webdev/comments/{name}/",
        title=f"Title of {name}",
        body="Body",
        created_at=datetime(2026, 3, 10, 12, tzinfo=UTC),
        comment_count=1,
        vote_count=-2,
    )
    return bronze.KeyedPost(name.ljust(64, "0"), replace(post, **given))


def store(
    con: duckdb.DuckDBPyConnection,
    posts: Sequence[bronze.KeyedPost],
    *,
    source: str = "reddit",
    day: date = DAY,
    **given: object,
) -> LedgerEntry:
    run_id = str(given.pop("run_id", ""))
    posts = [replace(keyed, post=replace(keyed.post, source=source)) for keyed in posts]
    values = Collection(
        posts=tuple(keyed.post for keyed in posts), expected_count=None, fetched_count=len(posts)
    )
    collection = replace(values, **given)
    return bronze.store_collection(
        con,
        source,
        day,
        posts,
        collection,
        started_at=STARTED,
        finished_at=FINISHED,
        run_id=run_id,
    )


def names(con: duckdb.DuckDBPyConnection, day: date = DAY) -> list[str]:
    return [item.url_hash.rstrip("0") for item in bronze.items_of_day(con, day)]


INCOMPLETE = {"complete": False, "reason": "the listing ends"}


def test_a_post_comes_back_as_it_was_stored(con):
    body = "nul \x00, 'quotes\", \U0001f600 and\r\nlines"
    store(con, [a_post("a", title="[removed]", body=body)])
    assert bronze.items_of_day(con, DAY) == [
        Item(
            url_hash="a".ljust(64, "0"),
            source="reddit",
            url="https://www.reddit.com/r/webdev/comments/a/",
            title="[removed]",
            body=body,
            created_at=datetime(2026, 3, 10, 12, tzinfo=UTC),
            comment_count=1,
            vote_count=-2,
        )
    ]


def test_items_come_in_the_order_of_their_hashes_whatever_the_order_they_came_in(con):
    store(con, [a_post("c"), a_post("a")])
    store(con, [a_post("b"), a_post("d")], source="hackernews")
    assert names(con) == ["a", "b", "c", "d"]


def test_a_complete_collection_replaces_the_source_day(con):
    store(con, [a_post("a"), a_post("b")])
    entry = store(con, [a_post("b", vote_count=9), a_post("c")])
    assert names(con) == ["b", "c"]
    assert [item.vote_count for item in bronze.items_of_day(con, DAY)] == [9, -2]
    assert entry.stored_count == 2


def test_storing_the_same_again_changes_nothing(con):
    posts = [a_post("a"), a_post("b")]
    store(con, posts)
    before = con.table("bronze.raw_items").order("url_hash").fetchall()
    store(con, posts)
    assert con.table("bronze.raw_items").order("url_hash").fetchall() == before
    assert len(bronze.ledger_of_day(con, DAY)) == 1


def test_other_sources_and_days_are_left_alone(con):
    store(con, [a_post("a")])
    store(con, [a_post("b")], source="hackernews")
    store(con, [a_post("c")], day=NEXT_DAY)
    store(con, [])
    assert names(con) == ["b"]  # of one post or five the source's word is taken
    assert names(con, NEXT_DAY) == ["c"]


def test_an_incomplete_collection_adds_and_updates_and_removes_nothing(con):
    store(con, [a_post("a"), a_post("b")])
    store(con, [a_post("b", vote_count=9), a_post("c")], **INCOMPLETE)
    assert names(con) == ["a", "b", "c"]
    assert [item.vote_count for item in bronze.items_of_day(con, DAY)] == [-2, 9, -2]


def test_an_incomplete_collection_of_nothing_removes_nothing(con):
    store(con, [a_post("a")])
    store(con, [], **INCOMPLETE)
    assert names(con) == ["a"]


def test_the_ledger_tells_the_whole_story(con):
    entry = store(
        con,
        [a_post("a")],
        expected_count=3,
        fetched_count=2,
        dropped={"pull request": 1},
        complete=False,
        reason="one is missing",
        requests=7,
        waited_s=0.1 + 0.2,
    )
    assert entry == LedgerEntry(
        collection_date=DAY,
        source="reddit",
        expected_count=3,
        fetched_count=2,
        stored_count=1,
        dropped_count=1,
        complete=False,
        reason="one is missing; left out: 1 pull request",
        requests=7,
        waited_s=0.1 + 0.2,
        started_at=STARTED,
        finished_at=FINISHED,
    )
    assert bronze.ledger_of_day(con, DAY) == [entry]


def test_a_source_that_does_not_say_how_many_there_are_leaves_that_open(con):
    store(con, [a_post("a")])
    (entry,) = bronze.ledger_of_day(con, DAY)
    assert entry.expected_count is None
    assert entry.reason == ""


def test_the_ledger_lists_the_sources_of_a_day_by_name(con):
    for source in ("stackoverflow", "github"):
        store(con, [], source=source)
    store(con, [], source="reddit", day=NEXT_DAY)
    assert [entry.source for entry in bronze.ledger_of_day(con, DAY)] == ["github", "stackoverflow"]


def test_a_complete_entry_is_never_made_incomplete(con):
    store(con, [a_post("a")], requests=4)
    returned = store(con, [a_post("b")], requests=9, **INCOMPLETE)
    (entry,) = bronze.ledger_of_day(con, DAY)
    assert entry.complete
    assert entry.reason == ""
    assert entry.requests == 4
    assert entry.stored_count == len(names(con)) == 2
    assert returned == entry


def test_an_incomplete_entry_follows_the_latest_attempt(con):
    store(con, [a_post("a")], **INCOMPLETE)
    store(con, [a_post("b")], complete=False, reason="it ended elsewhere")
    (entry,) = bronze.ledger_of_day(con, DAY)
    assert (entry.complete, entry.reason, entry.stored_count) == (False, "it ended elsewhere", 2)
    store(con, [a_post("b")])
    (entry,) = bronze.ledger_of_day(con, DAY)
    assert (entry.complete, entry.reason, entry.stored_count) == (True, "", 1)


def many(*numbers: int) -> list[bronze.KeyedPost]:
    return [a_post(f"p{number:03}") for number in numbers]


def test_a_complete_collection_that_lacks_most_of_the_day_removes_nothing_at_first(con):
    store(con, many(*range(100)), run_id="one")
    entry = store(con, many(0), run_id="two")
    assert len(names(con)) == entry.stored_count == 100
    assert entry.complete  # what is stored was whole, and nothing of it has gone
    assert entry.pending_removal_count == 99
    assert "99 of 100 stored posts" in entry.reason
    assert bronze.ledger_of_day(con, DAY) == [entry]


@pytest.mark.parametrize(
    ("stored", "missing", "stays"),
    [(100, 11, True), (100, 10, False), (6, 6, True), (50, 6, True), (5, 5, False), (61, 6, False)],
)
def test_more_than_a_tenth_and_more_than_five_stay_pending(con, stored, missing, stays):
    store(con, many(*range(stored)), run_id="one")
    store(con, many(*range(missing, stored)), run_id="two")
    assert len(names(con)) == (stored if stays else stored - missing)


def test_what_a_complete_collection_of_another_run_lacks_too_goes(con):
    store(con, many(*range(100)), run_id="one")
    store(con, many(0), run_id="two")
    entry = store(con, many(0, 1), run_id="three")
    assert names(con) == ["p", "p001"]  # "p000" without its padding
    assert (entry.complete, entry.reason, entry.pending_removal_count) == (True, "", 0)


def test_the_same_run_does_not_agree_with_itself(con):
    store(con, many(*range(100)), run_id="one")
    for _ in range(3):
        store(con, many(0), run_id="two")
    assert len(names(con)) == 100


def test_only_posts_go_that_both_collections_lack(con):
    store(con, many(*range(100)), run_id="one")
    store(con, many(*range(50)), run_id="two")  # lacks 50 to 99
    entry = store(con, many(*range(25), *range(50, 75)), run_id="three")  # lacks 25-49, 75-99
    assert len(names(con)) == entry.stored_count == 75
    assert entry.pending_removal_count == 25
    entry = store(con, many(*range(25), *range(50, 75)), run_id="four")
    assert entry.stored_count == 50
    assert entry.pending_removal_count == 0


def test_a_stored_post_that_the_source_may_only_hide_stays_until_another_run_agrees(con):
    """Counted and not shown in two readings: deleted it is not."""
    store(con, many(*range(80)), run_id="one")
    hides = {"hidden_count": 1, "reason": "1 hidden by the source"}
    entry = store(con, many(*range(79)), run_id="two", **hides)
    assert (len(names(con)), entry.complete, entry.pending_removal_count) == (80, True, 1)
    store(con, many(*range(79)), run_id="three", **hides)
    assert len(names(con)) == 79


def test_a_post_that_comes_again_is_no_longer_pending(con):
    store(con, many(*range(100)), run_id="one")
    store(con, many(0), run_id="two")
    entry = store(con, many(*range(1, 40)), run_id="three", **INCOMPLETE)
    assert entry.pending_removal_count == 60
    entry = store(con, many(0), run_id="four")
    assert entry.stored_count == 1 + 39  # the 60 that two runs lacked are gone
    assert entry.pending_removal_count == 39


def test_a_whole_collection_leaves_nothing_pending(con):
    store(con, many(*range(100)), run_id="one")
    store(con, many(0), run_id="two")
    entry = store(con, many(*range(100)), run_id="three")
    assert (entry.complete, entry.reason, entry.pending_removal_count) == (True, "", 0)
    store(con, many(0), run_id="four")
    assert len(names(con)) == 100


def test_a_day_in_part_is_not_called_whole_by_a_collection_that_lacks_too_much(con):
    store(con, many(*range(100)), run_id="one", **INCOMPLETE)
    entry = store(con, many(0), run_id="two")
    assert not entry.complete
    assert "another run agrees" in entry.reason
    assert len(names(con)) == 100


def test_what_is_pending_of_one_day_concerns_no_other(con):
    for day in (DAY, NEXT_DAY):
        store(con, many(*range(100)), day=day, run_id="one")
    store(con, many(0), run_id="two")
    store(con, many(0), day=NEXT_DAY, run_id="three")
    assert len(names(con)) == len(names(con, NEXT_DAY)) == 100


def test_items_of_clusters_come_by_cluster_without_the_noise(con):
    store(con, [a_post("a"), a_post("b"), a_post("c"), a_post("d")])
    store(con, [a_post("a")], day=NEXT_DAY)
    hashes = {name: name.ljust(64, "0") for name in "abcd"}
    assigned = [(hashes["d"], 0), (hashes["a"], 0), (hashes["b"], 1), (hashes["c"], -1)]
    silver.replace_day(con, DAY, [], assigned)
    silver.replace_day(con, NEXT_DAY, [], [(hashes["a"], 5)])
    clusters = bronze.items_by_cluster(con, DAY, bronze.items_of_day(con, DAY))
    assert [(cluster_id, [item.title for item in items]) for cluster_id, items in clusters] == [
        (0, ["Title of a", "Title of d"]),
        (1, ["Title of b"]),
    ]


@pytest.mark.parametrize("day", [date(2025, 12, 31), NEXT_DAY])
def test_a_day_never_collected_is_empty(con, day):
    store(con, [a_post("a")])
    assert bronze.items_of_day(con, day) == []
    assert bronze.ledger_of_day(con, day) == []
    assert bronze.items_by_cluster(con, day, bronze.items_of_day(con, day)) == []
