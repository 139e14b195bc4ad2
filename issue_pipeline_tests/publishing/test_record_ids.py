import re
from datetime import date

from issue_pipeline.publishing.record_ids import assign_record_ids
from issue_pipeline.utils.short_ids import derive_id

DAY = date(2026, 3, 10)
BORN = derive_id("2026-03-10", "a")


def ids(members: dict[int, str], known: dict[str, str] | None = None) -> dict[int, str]:
    """Posts are single letters here: ``"abc"`` are three."""
    return assign_record_ids(
        DAY,
        {cluster_id: set(posts) for cluster_id, posts in members.items()},
        {record_id: set(posts) for record_id, posts in (known or {}).items()},
    )


def test_without_a_past_ids_depend_on_the_day_and_the_posts_alone():
    assert ids({0: "abc", 1: "de"}) == ids({1: "ed", 0: "cba"})
    assert ids({7: "abcd"}) == {7: BORN}
    tomorrow = assign_record_ids(date(2026, 3, 11), {7: {"a", "b"}}, {})
    assert tomorrow[7] != BORN


def test_an_issue_that_shares_half_of_all_posts_keeps_its_record():
    assert ids({3: "abcd"}, {"old": "abcdefgh"}) == {3: "old"}
    assert ids({3: "abcdefgh"}, {"old": "efgh"}) == {3: "old"}


def test_an_issue_that_shares_less_gets_a_record_of_its_own():
    assert ids({3: "abc"}, {"old": "abcdefg"}) == {3: BORN}
    assert ids({3: "abc"}, {"old": "bcde"}) == {3: BORN}


def test_a_record_goes_to_the_best_match_and_to_one_only():
    # "old" overlaps with 0 by 1/2 and with 1 by 1/2 as well: 2 of 4, and 2 of 4.
    assert sorted(ids({0: "ab", 1: "cd"}, {"old": "abcd"}).values()) == sorted(
        ["old", derive_id("2026-03-10", "c")]
    )
    assert ids({0: "ax", 1: "bcdex"[:4]}, {"old": "abcde"})[1] == "old"


def test_an_issue_with_two_equal_matches_takes_the_first_by_id():
    assert ids({0: "abcd"}, {"older": "ab", "old": "cd"}) == {0: "old"}


def test_records_are_matched_whatever_the_cluster_numbers_are():
    known = {"one": "abcd", "two": "efgh", "three": "ijkl"}
    assert ids({0: "ijk", 1: "abcde", 2: "fghx"}, known) == {0: "three", 1: "one", 2: "two"}


def test_an_id_that_stood_for_something_else_is_not_used_again():
    # The record named after "a" is kept by the other posts, and "a" starts a new issue.
    given = ids({0: "bcde", 1: "axy"}, {BORN: "abcde"})
    assert given[0] == BORN
    assert given[1] not in (BORN, derive_id("2026-03-10", "b"))
    # The same if that record goes.
    assert ids({1: "axy"}, {BORN: "abcde"})[1] != BORN


def test_asking_again_changes_nothing():
    members = {0: "bcde", 1: "axy", 2: "z"}
    given = ids(members, {BORN: "abcde"})
    assert (
        ids(members, {given[cluster_id]: posts for cluster_id, posts in members.items()}) == given
    )


def test_ids_are_15_characters_that_the_store_accepts():
    for parts in ("a",), ("2026-03-10", "x"), ("ü", ""):
        assert re.fullmatch(r"[a-z0-9]{15}", derive_id(*parts))
    assert len({derive_id("2026-03-10", str(number)) for number in range(10_000)}) == 10_000


def test_ids_are_the_same_for_ever():
    assert derive_id("2026-03-10", "aa") == "oj5ocnfrsh6g735"
